//! F-BUS-04, F-BUS-05: a call goes to one instance. Equals of the highest version take turns; one that is unhealthy, ends,
//! or has an open breaker is passed over while another serves, and when nobody serves the caller is told why each does not.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, ActorState, Child, Context, ErrorCode, Fault, Overflow, child_with};
use callboard_bus::retry::FailureClass;
use callboard_bus::{Health, LookupError, ModulesExt, Registration, UnavailableReason};
use futures::future::join_all;
use serde_json::json;

use crate::module_kit::{Add, Adder, Rest, SECOND, Who, adder, break_down, found, fragile, offer, who};

/// Instances with the numbers from 1, all of the same version, all of which serve.
async fn instances(t: &TestSystem, count: u64) -> Vec<(ActorRef<Adder>, Registration)> {
    let mut all = Vec::new();
    for id in 1..=count {
        let actor = t.spawn(fragile(id));
        let registration = offer("1.0.0").register(&actor).await.unwrap();
        all.push((actor, registration));
    }
    t.settle().await;
    all
}

/// Who answers the next calls.
async fn next(t: &TestSystem, calls: usize) -> Vec<u64> {
    let mut answers = Vec::new();
    for _ in 0..calls {
        answers.push(who(t.system(), "").await.unwrap());
    }
    answers
}

fn sorted(mut answers: Vec<u64>) -> Vec<u64> {
    answers.sort_unstable();
    answers
}

#[test]
fn equals_take_turns() {
    TestSystem::run(async |t| {
        let all = instances(t, 3).await;
        assert_eq!(next(t, 7).await, [1, 2, 3, 1, 2, 3, 1]);
        let mut all = all.into_iter();
        all.next().unwrap().1.unregister().await.unwrap();
        let answers = next(t, 4).await;
        assert!(answers == [2, 3, 2, 3] || answers == [3, 2, 3, 2], "{answers:?}");
        t.shutdown().await;
    });
}

#[test]
fn the_turns_of_one_that_does_not_serve_are_shared_by_all_others() {
    TestSystem::run(async |t| {
        let all = instances(t, 4).await;
        all[1].1.set_health(Health::Unhealthy("on purpose".into())).await.unwrap();
        assert_eq!(sorted(next(t, 6).await), [1, 1, 3, 3, 4, 4]);
        t.shutdown().await;
    });
}

/// F-DSC-12.
#[test]
fn one_that_says_it_is_unhealthy_is_passed_over_until_it_says_otherwise() {
    TestSystem::run(async |t| {
        let all = instances(t, 2).await;
        all[0].1.set_health(Health::Unhealthy("the disk is full".into())).await.unwrap();
        assert_eq!(next(t, 4).await, [2; 4]);
        all[0].1.set_health(Health::Degraded("the disk is slow".into())).await.unwrap();
        assert_eq!(sorted(next(t, 4).await), [1, 1, 2, 2]);
        t.shutdown().await;
    });
}

#[test]
fn one_with_an_open_breaker_is_passed_over_until_it_is_probed() {
    TestSystem::run(async |t| {
        let all = instances(t, 2).await;
        break_down(&all[0].0).await;
        assert_eq!(next(t, 4).await, [2; 4]);
        t.advance(11 * SECOND).await;
        t.settle().await;
        assert_eq!(all[0].0.state(), ActorState::Probing);
        assert_eq!(sorted(next(t, 4).await), [1, 1, 2, 2], "a call probes it");
        assert_eq!(all[0].0.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn one_whose_breaker_is_held_open_hands_the_call_on() {
    TestSystem::run(async |t| {
        let all = instances(t, 2).await;
        all[0].0.breaker().force_open();
        t.settle().await;
        assert_eq!(next(t, 4).await, [2; 4]);
        all[1].0.breaker().force_open();
        t.settle().await;
        let refused = who(t.system(), "").await.unwrap_err();
        assert_eq!((refused.code(), refused.retry_after()), (ErrorCode::CircuitOpen, None));
        let both = "adder-1 1.0.0 has an open breaker; adder-2 1.0.0 has an open breaker";
        let (one, other) = both.split_once("; ").unwrap();
        assert!(refused.to_string().contains(one) && refused.to_string().contains(other), "{refused}");
        t.shutdown().await;
    });
}

#[test]
fn one_that_drains_is_passed_over_and_then_forgotten() {
    TestSystem::run(async |t| {
        let all = instances(t, 2).await;
        let busy = all[0].0.ask(Rest { seconds: 5 });
        let (rested, answers) = futures::join!(std::future::IntoFuture::into_future(busy), async {
            t.settle().await;
            all[0].0.drain();
            t.settle().await;
            assert_eq!(all[0].0.state(), ActorState::Stopping);
            let listed = t.system().modules().list().len();
            (next(t, 4).await, listed)
        });
        rested.unwrap();
        assert_eq!(answers, (vec![2; 4], 2));
        all[0].0.ended().await;
        t.settle().await;
        assert_eq!(t.system().modules().list().len(), 1);
        t.shutdown().await;
    });
}

#[test]
fn one_without_room_hands_the_call_on() {
    TestSystem::run(async |t| {
        let narrow = t.spawn(adder(1).bound(1).overflow(Overflow::Reject));
        let _narrow = offer("1.0.0").register(&narrow).await.unwrap();
        let _wide = found(t.system(), "1.0.0", 2).await;
        narrow.tell(Rest { seconds: 100 }).await.unwrap();
        t.settle().await;
        narrow.try_tell(Add { amount: 1 }).unwrap();
        narrow.try_tell(Add { amount: 1 }).expect_err("there is no room");
        assert_eq!(next(t, 4).await, [2; 4]);
        t.shutdown().await;
    });
}

/// Two of four have no room: the other two share all calls, and a version that nobody asks keeps its turns.
#[test]
fn those_who_stand_in_for_others_share_the_calls() {
    TestSystem::run(async |t| {
        let _low = [found(t.system(), "1.0.0", 5).await, found(t.system(), "1.0.0", 6).await];
        let mut all = Vec::new();
        for id in 1..=4 {
            let actor = t.spawn(adder(id).bound(1).overflow(Overflow::Reject));
            all.push((offer("2.0.0").register(&actor).await.unwrap(), actor));
        }
        t.settle().await;
        for (_, full) in &all[..2] {
            full.tell(Rest { seconds: 100 }).await.unwrap();
            t.settle().await;
            full.try_tell(Add { amount: 1 }).unwrap();
        }
        let mut old = Vec::new();
        let mut new = Vec::new();
        for _ in 0..6 {
            new.push(who(t.system(), "").await.unwrap());
            old.push(who(t.system(), "@^1").await.unwrap());
        }
        assert_eq!(sorted(new), [3, 3, 3, 4, 4, 4]);
        assert_eq!(sorted(old), [5, 5, 5, 6, 6, 6]);
        t.shutdown().await;
    });
}

/// F-CB: a call waits for nothing when nobody serves.
#[test]
fn when_nobody_serves_each_reason_is_told() {
    TestSystem::run(async |t| {
        let all = instances(t, 4).await;
        all[0].1.set_health(Health::Unhealthy("the disk is full".into())).await.unwrap();
        break_down(&all[1].0).await;
        t.advance(4 * SECOND).await;
        break_down(&all[2].0).await;
        all[3].0.tell(Rest { seconds: 5 }).await.unwrap();
        t.settle().await;
        all[3].0.drain();
        t.settle().await;
        let began = t.now();
        let refused = who(t.system(), "").await.unwrap_err();
        assert_eq!(t.now().as_millis(), began.as_millis(), "at once");
        assert_eq!((refused.code(), refused.class()), (ErrorCode::CircuitOpen, FailureClass::Transient));
        let wait = refused.retry_after().unwrap();
        assert!((5 * SECOND..=6 * SECOND).contains(&wait), "the first breaker to close: {wait:?}");
        let text = refused.to_string();
        for part in [
            "no instance of `adder.who` takes calls now: adder-1 1.0.0 is unhealthy: the disk is full; ",
            "adder-2 1.0.0 has an open breaker, try again after ",
            "adder-3 1.0.0 has an open breaker, try again after ",
            "; adder-4 1.0.0 is stopping",
        ] {
            assert!(text.contains(part), "{part:?} in {text:?}");
        }
        t.shutdown().await;
    });
}

#[test]
fn when_all_are_unhealthy_the_code_is_unavailable() {
    TestSystem::run(async |t| {
        let all = instances(t, 1).await;
        all[0].1.set_health(Health::Unhealthy("no disk".into())).await.unwrap();
        let refused = who(t.system(), "").await.unwrap_err();
        assert_eq!((refused.code(), refused.retry_after()), (ErrorCode::Unavailable, None));
        let text = "no instance of `adder.who` takes calls now: adder-1 1.0.0 is unhealthy: no disk";
        assert_eq!(refused.to_string(), text);
        let Err(LookupError::Unavailable(why)) = t.system().lookup::<Who>("adder.who").await else {
            panic!("no reference is handed out")
        };
        assert_eq!(why.instances()[0].reason, UnavailableReason::Unhealthy("no disk".into()));
        t.shutdown().await;
    });
}

#[test]
fn a_lower_version_serves_while_the_highest_does_not() {
    TestSystem::run(async |t| {
        let _low = found(t.system(), "1.0.0", 1).await;
        let high = t.spawn(fragile(2));
        let _high = offer("1.5.0").register(&high).await.unwrap();
        t.settle().await;
        assert_eq!(next(t, 3).await, [2; 3]);
        break_down(&high).await;
        assert_eq!(next(t, 3).await, [1; 3]);
        let refused = who(t.system(), "@^1.2").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::CircuitOpen, "the lower one does not match");
        t.shutdown().await;
    });
}

/// An adder that takes ten seconds to start.
fn slow_to_start(id: u64) -> Child<Adder> {
    child_with(format!("adder-{id}"), async move |_: &mut Context<Adder>| -> Result<Adder, Fault> {
        tokio::time::sleep(10 * SECOND).await;
        Ok(Adder::new(id))
    })
}

/// F-DSC: a new version that has not started yet takes no calls from the one that serves.
#[test]
fn one_that_is_starting_is_left_out_while_another_serves() {
    TestSystem::run(async |t| {
        let _low = found(t.system(), "1.0.0", 1).await;
        let high = t.spawn(slow_to_start(2));
        let _high = offer("1.5.0").register(&high).await.unwrap();
        t.settle().await;
        assert_eq!(next(t, 3).await, [1; 3]);
        t.advance(10 * SECOND).await;
        assert_eq!(next(t, 3).await, [2; 3]);
        t.shutdown().await;
    });
}

#[test]
fn those_that_are_starting_share_the_calls_when_nobody_serves() {
    TestSystem::run(async |t| {
        let mut all = Vec::new();
        for id in 1..=2 {
            let actor = t.spawn(slow_to_start(id));
            all.push(offer("1.0.0").register(&actor).await.unwrap());
        }
        let calls = (0..4).map(|_| who(t.system(), ""));
        let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(sorted(answers), [1, 1, 2, 2]);
        t.shutdown().await;
    });
}

#[test]
fn one_whose_breaker_is_held_open_is_not_looked_up() {
    TestSystem::run(async |t| {
        let all = instances(t, 2).await;
        all[0].0.breaker().force_open();
        t.settle().await;
        let modules = t.system().modules();
        for _ in 0..4 {
            assert_eq!(modules.find::<Who>().unwrap().ask(Who {}).await.unwrap(), 2);
        }
        break_down(&all[1].0).await;
        let refused = modules.find::<Who>().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::CircuitOpen);
        let wait = refused.retry_after().expect("one of them closes by itself");
        assert!(wait > 9 * SECOND && wait <= 10 * SECOND, "{wait:?}");
        t.shutdown().await;
    });
}

#[test]
fn versions_do_not_take_each_others_turns() {
    TestSystem::run(async |t| {
        let all = instances(t, 2).await;
        let mut high = Vec::new();
        for id in 3..=4 {
            high.push(found(t.system(), "2.0.0", id).await);
        }
        t.settle().await;
        let mut old = Vec::new();
        for _ in 0..4 {
            old.push(who(t.system(), "@^1").await.unwrap());
            who(t.system(), "@^2").await.unwrap();
        }
        assert_eq!(old, [1, 2, 1, 2], "though another version was called in between");
        drop(all);
        t.shutdown().await;
    });
}

#[test]
fn calls_that_wait_at_once_are_spread_too() {
    TestSystem::run(async |t| {
        let _all = instances(t, 4).await;
        let began = t.now();
        let rests = (0..4).map(|_| t.system().call("adder.rest", json!({ "seconds": 10 })));
        for rested in join_all(rests.map(std::future::IntoFuture::into_future)).await {
            rested.unwrap();
        }
        assert!(t.now() - began < Duration::from_secs(11), "they rested side by side");
        t.shutdown().await;
    });
}
