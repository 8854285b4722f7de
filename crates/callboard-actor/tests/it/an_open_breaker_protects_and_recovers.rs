//! The breaker of an actor: what opens it, for how long, how it probes, and what a person can do with it.
//!
//! Promise 8: what a refused sender gets. F-CB-02, F-CB-03, F-CB-14, as far as they concern the breaker of an actor.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorRef, ActorSnapshot, ActorState, AskError, Backoff, BreakerRules, BreakerState, FaultKind, Message, Priority,
    TellError, Trip, Window,
};

use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, ms, s, steady};

/// An actor "a" that restarts at once and as often as it likes, unless its breaker opens.
fn spawn(t: &TestSystem, script: &Script, rules: BreakerRules) -> ActorRef<Puppet> {
    t.spawn(script.child().backoff(Backoff::none()).intensity(1_000_000, s(3_600)).breaker(rules))
}

fn on(trip: Trip) -> BreakerRules {
    tripping(steady(), [trip])
}

fn tripping(mut rules: BreakerRules, trips: impl IntoIterator<Item = Trip>) -> BreakerRules {
    rules.trips = trips.into_iter().collect();
    rules
}

fn limited(mut rules: BreakerRules, probe_limit: Duration) -> BreakerRules {
    rules.probe_limit = Some(probe_limit);
    rules
}

fn seen(t: &TestSystem) -> ActorSnapshot {
    t.inspect().actor("a").expect("it is there").clone()
}

async fn fail(actor: &ActorRef<Puppet>) {
    let answer = actor.ask(Do(Act::Fail)).await;
    assert!(matches!(answer, Err(AskError::Faulted(_))), "{answer:?}");
}

async fn succeed(actor: &ActorRef<Puppet>) {
    actor.ask(Do(Act::Well)).await.expect("it works");
}

/// Fails until the breaker is open, and answers how often that took.
async fn fail_until_open(actor: &ActorRef<Puppet>, at_most: u32) -> u32 {
    for times in 1..=at_most {
        fail(actor).await;
        if actor.state() == ActorState::Failed {
            return times;
        }
    }
    panic!("{at_most} faults did not open it")
}

fn refused_for<M: Message>(result: Result<(), TellError<M>>) -> Duration {
    match result {
        Err(TellError::Refused { retry_after, .. }) => retry_after,
        other => panic!("not refused: {other:?}"),
    }
}

/// F-CB-04.
#[test]
fn consecutive_failures_open_it_and_a_success_in_between_starts_the_count_anew() {
    TestSystem::run(async |t| {
        let a = spawn(t, &Script::new("a", &Diary::default()), on(Trip::Consecutive(3)));
        for _ in 0..5 {
            fail(&a).await;
            fail(&a).await;
            succeed(&a).await;
        }
        assert_eq!(fail_until_open(&a, 3).await, 3);
        assert_eq!(refused_for(a.try_tell(Say(1))), s(30));
        t.shutdown().await;
    });
}

#[test]
fn a_share_of_the_last_so_many_turns_opens_it() {
    TestSystem::run(async |t| {
        let rule = Trip::Rate { percent: 50, window: Window::Count(6), minimum: 4 };
        let a = spawn(t, &Script::new("a", &Diary::default()), on(rule));
        fail(&a).await;
        fail(&a).await;
        fail(&a).await;
        assert_eq!(a.state(), ActorState::Running, "three are fewer than the minimum");
        succeed(&a).await;
        t.settle().await;
        assert_eq!(a.state(), ActorState::Failed, "3 of 4 have failed");
        t.shutdown().await;
    });
}

#[test]
fn turns_that_have_left_the_window_do_not_count() {
    TestSystem::run(async |t| {
        let counted = Trip::Rate { percent: 50, window: Window::Count(4), minimum: 4 };
        let timed = Trip::Rate { percent: 50, window: Window::Time(s(10)), minimum: 4 };
        for (rule, pause) in [(counted, s(0)), (timed, s(3))] {
            let a = spawn(t, &Script::new("a", &Diary::default()), on(rule));
            // One failure in four, or in any ten seconds: 25 %.
            for turn in 0..40 {
                if turn % 4 == 3 {
                    fail(&a).await
                } else {
                    succeed(&a).await
                }
                t.advance(pause).await;
                assert_eq!(a.state(), ActorState::Running, "{rule:?} at turn {turn}");
            }
            fail(&a).await;
            assert_eq!(a.state(), ActorState::Failed, "{rule:?}: two of the last four");
            a.kill();
            a.ended().await;
        }
        t.shutdown().await;
    });
}

#[test]
fn every_rule_has_its_own_window() {
    TestSystem::run(async |t| {
        let short = Trip::Rate { percent: 100, window: Window::Count(2), minimum: 2 };
        let long = Trip::Rate { percent: 30, window: Window::Count(10), minimum: 10 };
        let rules = tripping(steady(), [short, long]);
        let a = spawn(t, &Script::new("a", &Diary::default()), rules);
        for turn in 0..9 {
            if turn % 3 == 2 {
                fail(&a).await
            } else {
                succeed(&a).await
            }
            assert_eq!(a.state(), ActorState::Running, "turn {turn}");
        }
        succeed(&a).await;
        assert_eq!(a.state(), ActorState::Failed, "three of ten");
        t.shutdown().await;
    });
}

#[test]
fn slow_turns_open_it_even_when_they_end_well() {
    TestSystem::run(async |t| {
        let rule = Trip::Slow { longer_than: s(2), percent: 50, window: Window::Count(4), minimum: 4 };
        let a = spawn(t, &Script::new("a", &Diary::default()), on(rule));
        for sleep in [s(3), s(1), s(2)] {
            a.ask(Do(Act::Sleep(sleep))).await.unwrap();
        }
        assert_eq!(a.state(), ActorState::Running);
        a.ask(Do(Act::Sleep(s(3)))).await.expect("the answer is not lost");
        t.settle().await;
        let seen = seen(t);
        assert_eq!((seen.state, seen.breaker.totals.slow, seen.breaker.totals.trips), (ActorState::Failed, 2, 1));
        t.advance(s(30)).await;
        assert_eq!(a.state(), ActorState::Probing);
        succeed(&a).await;
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn a_breaker_that_does_not_heed_the_intensity_lets_the_actor_restart_for_ever() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        let rules = on(Trip::Consecutive(50));
        let a = t.spawn(script.child().backoff(Backoff::none()).intensity(2, s(3_600)).breaker(rules));
        for _ in 0..49 {
            fail(&a).await;
            assert!(a.state() < ActorState::Failed);
        }
        fail(&a).await;
        assert_eq!(a.state(), ActorState::Failed);
        t.shutdown().await;
    });
}

#[test]
fn each_failed_probe_makes_the_reset_time_grow_up_to_the_cap_and_a_success_brings_it_back() {
    TestSystem::run(async |t| {
        let rules = on(Trip::Consecutive(1)).reset_after(s(10)).growing(3.0, s(100), 0.0);
        let a = spawn(t, &Script::new("a", &Diary::default()), rules);
        for round in 0..2 {
            for expected in [10, 30, 90, 100, 100] {
                fail(&a).await;
                assert_eq!(refused_for(a.try_tell(Say(1))), s(expected), "round {round}");
                t.advance(s(expected) - ms(2)).await;
                assert_eq!(a.state(), ActorState::Failed, "before the {expected} s are over");
                t.advance(ms(4)).await;
                assert_eq!(a.state(), ActorState::Probing, "after {expected} s");
            }
            succeed(&a).await;
            assert_eq!(a.state(), ActorState::Running);
        }
        t.shutdown().await;
    });
}

#[test]
fn a_reset_time_without_end_is_taken_at_its_word() {
    TestSystem::run(async |t| {
        let rules = on(Trip::Consecutive(1)).reset_after(Duration::MAX).growing(2.0, Duration::MAX, 0.0);
        let a = spawn(t, &Script::new("a", &Diary::default()), rules);
        fail(&a).await;
        t.advance(s(1_000_000)).await;
        assert_eq!(a.state(), ActorState::Failed);
        assert!(refused_for(a.try_tell(Say(1))) > s(1_000_000));
        a.breaker().reset();
        t.settle().await;
        succeed(&a).await;
        t.shutdown().await;
    });
}

#[test]
fn jitter_takes_its_share_of_the_reset_time_away() {
    let mut drawn: Vec<Duration> = (0..40)
        .map(|seed| {
            TestSystem::run_with(callboard_actor::System::builder().seed(seed), async |t| {
                let rules = on(Trip::Consecutive(1)).growing(2.0, s(300), 0.2);
                let a = spawn(t, &Script::new("a", &Diary::default()), rules);
                fail(&a).await;
                let told = refused_for(a.try_tell(Say(1)));
                t.shutdown().await;
                told
            })
        })
        .collect();
    drawn.sort_unstable();
    assert!(drawn[0] >= s(24) && drawn[39] <= s(30), "{drawn:?}");
    assert!(drawn[0] < s(25) && drawn[39] > s(29), "the whole range is used: {drawn:?}");
}

/// An actor whose breaker has opened, and whose reset time is over; its new value takes `start` to start.
async fn probing(t: &TestSystem, script: &Script, rules: BreakerRules, start: Duration) -> ActorRef<Puppet> {
    let a = spawn(t, script, tripping(rules, [Trip::Consecutive(1)]));
    fail(&a).await;
    script.start(Act::Sleep(start));
    t.advance(s(30)).await;
    t.settle().await;
    assert_eq!(a.state(), ActorState::Probing);
    a
}

#[test]
fn of_a_thousand_senders_one_passes_and_the_others_get_their_message_back() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let a = probing(t, &Script::new("a", &diary), steady(), s(0)).await;
        diary.take();
        let refused = (0..1_000).filter_map(|number| a.try_tell(Say(number)).err()).map(TellError::into_message);
        let numbers: Vec<u32> = refused.map(|Say(number)| number).collect();
        assert_eq!(numbers, (1..1_000).collect::<Vec<_>>());
        t.settle().await;
        assert_eq!((diary.take(), a.state()), (vec!["a says 0".to_owned()], ActorState::Running));
        t.shutdown().await;
    });
}

#[test]
fn as_many_pass_as_there_are_permits_and_as_many_must_succeed_as_the_rules_say() {
    TestSystem::run(async |t| {
        let a = probing(t, &Script::new("a", &Diary::default()), steady().probing(2, 3), s(0)).await;
        a.try_tell(Do(Act::Sleep(s(1)))).unwrap();
        a.try_tell(Do(Act::Sleep(s(1)))).unwrap();
        assert_eq!(refused_for(a.try_tell(Say(1))), ms(1));
        t.advance(s(1)).await;
        t.settle().await;
        assert_eq!(a.state(), ActorState::Probing, "one of three");
        a.try_tell(Do(Act::Sleep(s(1)))).expect("the permit of the first one is free again");
        assert_eq!(refused_for(a.try_tell(Say(1))), ms(1));
        t.advance(s(1)).await;
        t.settle().await;
        assert_eq!(a.state(), ActorState::Probing, "two of three");
        t.advance(s(1)).await;
        t.settle().await;
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn a_second_probe_that_fails_opens_it_again() {
    TestSystem::run(async |t| {
        let a = probing(t, &Script::new("a", &Diary::default()), steady().probing(1, 2), s(0)).await;
        succeed(&a).await;
        assert_eq!(a.state(), ActorState::Probing);
        fail(&a).await;
        assert_eq!((a.state(), refused_for(a.try_tell(Say(1)))), (ActorState::Failed, s(60)));
        t.shutdown().await;
    });
}

/// An actor in `Failed` with these in its queue.
async fn failed_with(t: &TestSystem, script: &Script, queue: impl FnOnce(&ActorRef<Puppet>)) -> ActorRef<Puppet> {
    let a = spawn(t, script, on(Trip::Consecutive(1)));
    a.tell(Do(Act::Fail)).priority(Priority::Critical).await.unwrap();
    queue(&a);
    t.settle().await;
    assert_eq!(a.state(), ActorState::Failed);
    a
}

#[test]
fn with_messages_queued_the_first_in_lane_order_is_the_probe_and_the_others_wait_until_it_has_ended_well() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let a = failed_with(t, &Script::new("a", &diary), |a| {
            a.try_tell(Say(1)).unwrap();
            a.try_tell(Say(2)).unwrap();
            let mut urgent = pin!(a.tell(Do(Act::Sleep(s(1)))).priority(Priority::High).into_future());
            assert!(futures::FutureExt::now_or_never(urgent.as_mut()).expect("there is room").is_ok());
        })
        .await;
        diary.take();
        t.advance(s(30)).await;
        assert_eq!((a.state(), diary.take()), (ActorState::Probing, vec!["a starts".to_owned()]));
        assert_eq!(refused_for(a.try_tell(Say(3))), ms(1));
        t.advance(s(1)).await;
        assert_eq!((a.state(), diary.take()), (ActorState::Running, vec!["a says 1".into(), "a says 2".into()]));
        t.shutdown().await;
    });
}

#[test]
fn a_queued_probe_that_fails_takes_nothing_else_of_the_queue_along() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let a = failed_with(t, &Script::new("a", &diary), |a| {
            a.try_tell(Do(Act::Fail)).unwrap();
            a.try_tell(Do(Act::Fail)).unwrap();
            a.try_tell(Say(1)).unwrap();
        })
        .await;
        for (wait, queued) in [(30, 2), (60, 1)] {
            t.advance(s(wait)).await;
            assert_eq!((a.state(), seen(t).messages.queued), (ActorState::Failed, queued));
        }
        diary.take();
        t.advance(s(120)).await;
        assert_eq!((a.state(), diary.take()), (ActorState::Running, vec!["a starts".into(), "a says 1".into()]));
        assert!(seen(t).messages.adds_up(), "{:?}", seen(t).messages);
        t.shutdown().await;
    });
}

#[test]
fn a_queue_whose_messages_have_all_expired_gives_the_permit_to_a_new_one() {
    TestSystem::run(async |t| {
        let a = failed_with(t, &Script::new("a", &Diary::default()), |a| {
            let mut short_lived = pin!(a.tell(Say(1)).ttl(s(5)).into_future());
            assert!(futures::FutureExt::now_or_never(short_lived.as_mut()).expect("there is room").is_ok());
        })
        .await;
        t.advance(s(30)).await;
        assert_eq!(a.state(), ActorState::Probing, "what expired was no test");
        succeed(&a).await;
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn the_permit_of_a_probe_that_expires_before_its_turn_goes_back() {
    TestSystem::run(async |t| {
        let a = probing(t, &Script::new("a", &Diary::default()), steady(), s(5)).await;
        a.tell(Say(1)).ttl(s(1)).await.expect("it has the permit");
        assert_eq!(refused_for(a.try_tell(Say(2))), ms(1));
        t.advance(s(5)).await;
        assert_eq!((a.state(), seen(t).messages.expired), (ActorState::Probing, 1));
        succeed(&a).await;
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn the_permit_of_a_probe_whose_asker_has_gone_goes_back() {
    TestSystem::run(async |t| {
        let a = probing(t, &Script::new("a", &Diary::default()), steady(), s(5)).await;
        {
            let mut asked = pin!(a.ask(Say(1)).into_future());
            assert!(futures::FutureExt::now_or_never(asked.as_mut()).is_none(), "it has the permit and waits");
            assert_eq!(refused_for(a.try_tell(Say(2))), ms(1));
        }
        t.advance(s(5)).await;
        assert_eq!((a.state(), seen(t).messages.abandoned), (ActorState::Probing, 1));
        let timed_out = a.ask(Do(Act::Sleep(s(2)))).timeout(s(1)).await;
        assert!(matches!(timed_out, Err(AskError::Timeout { .. })), "{timed_out:?}");
        t.advance(s(1)).await;
        t.settle().await;
        assert_eq!(a.state(), ActorState::Running, "a turn that has begun is a test, whoever waits for it");
        t.shutdown().await;
    });
}

#[test]
fn a_sender_that_waits_for_room_holds_no_permit_and_one_that_gives_up_takes_none_along() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        let rules = tripping(steady().probing(2, 1), [Trip::Consecutive(1)]);
        let a = t.spawn(script.child().bound(1).breaker(rules));
        fail(&a).await;
        script.start(Act::Sleep(s(5)));
        t.advance(s(30)).await;
        t.settle().await;
        a.try_tell(Say(1)).expect("the first permit and the only place");
        {
            let mut waiting = pin!(a.tell(Say(2)).into_future());
            assert!(futures::FutureExt::now_or_never(waiting.as_mut()).is_none(), "there is no room for it");
            let mut urgent = pin!(a.tell(Say(3)).priority(Priority::High).into_future());
            let sent = futures::FutureExt::now_or_never(urgent.as_mut());
            assert!(matches!(sent, Some(Ok(()))), "the second permit is not taken by a sender that waits");
        }
        assert_eq!(refused_for(a.try_tell(Say(4))), ms(1));
        t.advance(s(5)).await;
        assert_eq!((a.state(), seen(t).messages.handled), (ActorState::Running, 2));
        a.try_tell(Say(5)).expect("nothing is left behind");
        t.shutdown().await;
    });
}

#[test]
fn a_permit_of_an_earlier_round_of_probing_does_not_come_back_in_a_later_one() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        let a = probing(t, &script, steady(), s(5)).await;
        {
            let mut asked = pin!(a.ask(Say(1)).into_future());
            assert!(futures::FutureExt::now_or_never(asked.as_mut()).is_none(), "it has the permit");
            script.start(Act::Sleep(s(5)));
            a.breaker().reset();
            t.settle().await;
        }
        t.advance(s(5)).await;
        t.settle().await;
        assert_eq!(a.state(), ActorState::Running);
        fail(&a).await;
        t.advance(s(30) + ms(1)).await;
        assert_eq!(a.state(), ActorState::Probing);
        a.try_tell(Say(2)).expect("the permit");
        assert_eq!(refused_for(a.try_tell(Say(3))), ms(1), "one permit and no more");
        t.shutdown().await;
    });
}

#[test]
fn a_probe_that_takes_longer_than_its_limit_has_failed() {
    TestSystem::run(async |t| {
        let rules = limited(steady(), s(7));
        let a = probing(t, &Script::new("a", &Diary::default()), rules, s(0)).await;
        // The permit lies there for a while: the limit is that of the probe, not of the offer.
        t.advance(s(20)).await;
        let began = t.now();
        let answer = a.ask(Do(Act::Sleep(s(100)))).await;
        let Err(AskError::Faulted(incident)) = answer else { panic!("{answer:?}") };
        assert_eq!((incident.kind(), (t.now() - began).as_secs()), (FaultKind::TurnTimeout, 7));
        assert!(incident.text().contains("7s"), "{incident}");
        assert_eq!((a.state(), refused_for(a.try_tell(Say(1)))), (ActorState::Failed, s(60)));
        t.shutdown().await;
    });
}

#[test]
fn a_late_probe_within_its_limit_has_not_failed() {
    TestSystem::run(async |t| {
        let rules = limited(steady().probing(1, 2), s(7));
        let a = probing(t, &Script::new("a", &Diary::default()), rules, s(0)).await;
        t.advance(s(20)).await;
        for _ in 0..2 {
            a.ask(Do(Act::Sleep(s(6)))).await.expect("6 s are within 7 s");
        }
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn held_open_by_hand_it_refuses_what_is_new_and_serves_what_is_queued() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let a = spawn(t, &Script::new("a", &diary), steady());
        t.settle().await;
        diary.take();
        a.try_tell(Do(Act::Sleep(s(1)))).unwrap();
        a.try_tell(Say(1)).unwrap();
        t.settle().await;
        a.breaker().force_open();
        t.settle().await;
        let Err(TellError::Refused { retry_after, message }) = a.try_tell(Say(2)) else { panic!("not refused") };
        assert_eq!((retry_after, message), (Duration::MAX, Say(2)));
        assert_eq!(a.retry_after(), Some(Duration::MAX), "one can ask before one sends");
        assert_eq!((seen(t).state, seen(t).breaker.state), (ActorState::Running, BreakerState::ForcedOpen));
        t.advance(s(3_600)).await;
        assert_eq!(diary.take(), ["a says 1"]);
        assert_eq!(refused_for(a.try_tell(Say(3))), Duration::MAX, "until somebody says otherwise");
        a.breaker().automatic();
        t.settle().await;
        a.try_tell(Say(4)).expect("the rules decide again");
        assert_eq!(seen(t).breaker.state, BreakerState::Closed);
        t.shutdown().await;
    });
}

#[test]
fn disabled_it_never_opens_and_counts_nothing() {
    TestSystem::run(async |t| {
        let rules = tripping(steady(), [Trip::Intensity, Trip::Consecutive(2)]);
        let child = Script::new("a", &Diary::default()).child().backoff(Backoff::none()).intensity(2, s(3_600));
        let a = t.spawn(child.breaker(rules));
        a.breaker().disable();
        t.settle().await;
        for _ in 0..30 {
            fail(&a).await;
        }
        succeed(&a).await;
        let seen = seen(t);
        assert_eq!((seen.state, seen.breaker.state), (ActorState::Running, BreakerState::Disabled));
        assert_eq!((seen.breaker.totals.failures, seen.breaker.totals.trips, seen.restarts), (0, 0, 30));
        t.shutdown().await;
    });
}

#[test]
fn for_metrics_only_it_never_opens_but_counts() {
    TestSystem::run(async |t| {
        let rules = tripping(steady(), [Trip::Intensity, Trip::Consecutive(2)]);
        let child = Script::new("a", &Diary::default()).child().backoff(Backoff::none()).intensity(2, s(3_600));
        let a = t.spawn(child.breaker(rules));
        a.breaker().metrics_only();
        t.settle().await;
        for _ in 0..30 {
            fail(&a).await;
        }
        succeed(&a).await;
        fail(&a).await;
        let seen = seen(t);
        assert_eq!(seen.breaker.state, BreakerState::MetricsOnly);
        let totals = seen.breaker.totals;
        assert_eq!((totals.failures, totals.successes, totals.trips), (31, 1, 0));
        t.shutdown().await;
    });
}

/// The switches that close a breaker, or hold it closed.
type Switch = fn(&callboard_actor::BreakerHandle);

const CLOSING: [(&str, Switch); 3] = [
    ("reset", callboard_actor::BreakerHandle::reset),
    ("disable", callboard_actor::BreakerHandle::disable),
    ("metrics_only", callboard_actor::BreakerHandle::metrics_only),
];

#[test]
fn a_failed_actor_is_brought_back_at_once_by_each_switch_that_closes() {
    for (name, switch) in CLOSING {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let a = failed_with(t, &Script::new("a", &diary), |a| a.try_tell(Say(1)).unwrap()).await;
            diary.take();
            switch(&a.breaker());
            t.settle().await;
            assert_eq!(
                (a.state(), diary.take()),
                (ActorState::Running, vec!["a starts".into(), "a says 1".into()]),
                "{name}"
            );
            t.shutdown().await;
        });
    }
}

#[test]
fn a_probing_actor_runs_at_once_after_each_switch_that_closes() {
    for (name, switch) in CLOSING {
        TestSystem::run(async |t| {
            let a = probing(t, &Script::new("a", &Diary::default()), steady(), s(0)).await;
            switch(&a.breaker());
            t.settle().await;
            assert_eq!(a.state(), ActorState::Running, "{name}");
            for number in 0..3 {
                a.try_tell(Say(number)).expect(name);
            }
            t.shutdown().await;
        });
    }
}

#[test]
fn a_probing_actor_that_was_held_open_by_hand_runs_when_the_rules_have_it_back() {
    TestSystem::run(async |t| {
        let a = probing(t, &Script::new("a", &Diary::default()), steady(), s(0)).await;
        a.breaker().force_open();
        t.settle().await;
        assert_eq!(refused_for(a.try_tell(Say(1))), Duration::MAX);
        a.breaker().automatic();
        t.settle().await;
        assert_eq!(a.retry_after(), None);
        for number in 0..3 {
            a.try_tell(Say(number)).expect("its breaker is closed");
        }
        t.settle().await;
        assert_eq!((a.state(), seen(t).breaker.state), (ActorState::Running, BreakerState::Closed));
        t.shutdown().await;
    });
}

#[test]
fn a_failed_actor_that_is_held_open_by_hand_still_recovers_and_serves_its_queue() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let a = failed_with(t, &Script::new("a", &diary), |a| {
            a.try_tell(Say(1)).unwrap();
            a.try_tell(Say(2)).unwrap();
        })
        .await;
        a.breaker().force_open();
        diary.take();
        t.advance(s(40)).await;
        assert_eq!(diary.take(), ["a starts", "a says 1", "a says 2"], "what is queued is still served");
        assert_eq!(refused_for(a.try_tell(Say(3))), Duration::MAX);
        a.breaker().automatic();
        t.settle().await;
        assert_eq!((a.state(), seen(t).breaker.state), (ActorState::Running, BreakerState::Closed));
        for number in 0..3 {
            a.try_tell(Say(number)).expect("its breaker is closed");
        }
        t.shutdown().await;
    });
}

#[test]
fn handing_a_probing_actor_to_the_rules_that_have_it_already_changes_nothing() {
    TestSystem::run(async |t| {
        let a = probing(t, &Script::new("a", &Diary::default()), steady(), s(0)).await;
        a.breaker().automatic();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Probing);
        succeed(&a).await;
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn a_reset_of_a_healthy_actor_restarts_nothing_and_forgets_its_faults() {
    TestSystem::run(async |t| {
        let a = spawn(t, &Script::new("a", &Diary::default()), on(Trip::Consecutive(3)));
        fail(&a).await;
        fail(&a).await;
        let generation = seen(t).generation;
        a.breaker().reset();
        t.settle().await;
        assert_eq!((a.state(), seen(t).generation), (ActorState::Running, generation));
        assert_eq!(fail_until_open(&a, 3).await, 3);
        t.shutdown().await;
    });
}

#[test]
fn what_the_breaker_has_seen_is_shown() {
    TestSystem::run(async |t| {
        let a = spawn(t, &Script::new("a", &Diary::default()), on(Trip::Consecutive(2)));
        assert_eq!(seen(t).breaker.state, BreakerState::Closed);
        succeed(&a).await;
        fail(&a).await;
        fail(&a).await;
        for _ in 0..3 {
            refused_for(a.try_tell(Say(1)));
        }
        let seen = seen(t);
        let totals = seen.breaker.totals;
        assert_eq!((totals.successes, totals.failures, totals.trips), (1, 2, 1), "{totals:?}");
        assert_eq!((seen.messages.refused, totals.rejected), (3, 3), "what it did not let through");
        assert_eq!(seen.last_fault.map(|incident| incident.text().to_owned()).as_deref(), Some("told to fail"));
        assert_eq!(t.inspect().totals.breaker_trips, 1);
        t.shutdown().await;
    });
}
