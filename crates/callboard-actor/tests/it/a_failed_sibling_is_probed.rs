//! What a group restart means for a sibling whose own breaker is open: the others do not wait out its reset time, and it
//! shows with a probe whether it works again.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, ActorState, Backoff, BreakerState, TellError, Trip, one_for_all};

use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, ms, s, steady};

/// Siblings a and b; the breaker of b has opened by a rule of its own.
async fn with_b_in_failed(t: &TestSystem, diary: &Diary) -> [ActorRef<Puppet>; 2] {
    let rules = one_for_all().intensity(1_000, s(3600)).backoff(Backoff::none());
    let supervisor = t.system().supervise(rules).await.expect("the rules can work");
    let mut own = steady();
    own.trips = vec![Trip::Consecutive(1)];
    let a = supervisor.spawn(Script::new("a", diary).child());
    let b = supervisor.spawn(Script::new("b", diary).child().breaker(own));
    let _ = b.ask(Do(Act::Fail)).await;
    t.settle().await;
    assert_eq!([a.state(), b.state()], [ActorState::Running, ActorState::Failed]);
    diary.take();
    [a, b]
}

fn breaker_of_b(t: &TestSystem) -> BreakerState {
    t.inspect().actor("b").expect("it is there").breaker.state
}

#[test]
fn it_starts_in_its_place_and_the_next_message_is_the_probe() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let [a, b] = with_b_in_failed(t, &diary).await;
        let _ = a.ask(Do(Act::Fail)).await;
        t.settle().await;
        assert_eq!(diary.take(), ["a starts", "b starts"]);
        assert_eq!([a.state(), b.state()], [ActorState::Running, ActorState::Probing]);
        assert_eq!(breaker_of_b(t), BreakerState::HalfOpen);
        b.ask(Say(1)).await.unwrap();
        t.settle().await;
        assert_eq!((b.state(), breaker_of_b(t)), (ActorState::Running, BreakerState::Closed));
        t.advance(s(60)).await;
        assert_eq!(b.state(), ActorState::Running, "nothing of the old reset time is left");
        t.shutdown().await;
    });
}

#[test]
fn a_probe_that_fails_then_opens_it_for_longer() {
    TestSystem::run(async |t| {
        let [a, b] = with_b_in_failed(t, &Diary::default()).await;
        let _ = a.ask(Do(Act::Fail)).await;
        t.settle().await;
        let _ = b.ask(Do(Act::Fail)).await;
        assert_eq!((b.state(), breaker_of_b(t)), (ActorState::Failed, BreakerState::Open));
        let refused = b.try_tell(Say(1)).expect_err("its breaker is open");
        assert_eq!(refused.retry_after(), Some(s(60)));
        t.shutdown().await;
    });
}

#[test]
fn it_goes_on_refusing_until_its_turn_to_start_has_come() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let rules = one_for_all().intensity(1_000, s(3600)).backoff(Backoff::none());
        let supervisor = t.system().supervise(rules).await.unwrap();
        let script = Script::new("a", &diary);
        let a = supervisor.spawn(script.child());
        let mut own = steady();
        own.trips = vec![Trip::Consecutive(1)];
        let b = supervisor.spawn(Script::new("b", &diary).child().breaker(own));
        let _ = b.ask(Do(Act::Fail)).await;
        script.start(Act::Sleep(s(5)));
        let _ = a.ask(Do(Act::Fail)).await;
        t.settle().await;
        assert_eq!([a.state(), b.state()], [ActorState::Restarting, ActorState::Failed]);
        assert!(matches!(b.try_tell(Say(1)), Err(TellError::Refused { .. })));
        t.advance(s(5) + ms(1)).await;
        assert_eq!([a.state(), b.state()], [ActorState::Running, ActorState::Probing]);
        t.shutdown().await;
    });
}

#[test]
fn one_that_was_probing_begins_a_new_round() {
    TestSystem::run(async |t| {
        let [a, b] = with_b_in_failed(t, &Diary::default()).await;
        t.advance(s(30)).await;
        assert_eq!(b.state(), ActorState::Probing);
        b.try_tell(Do(Act::Sleep(s(1_000)))).expect("it has the permit");
        t.settle().await;
        let _ = a.ask(Do(Act::Fail)).await;
        t.advance(s(15)).await;
        assert_eq!([a.state(), b.state()], [ActorState::Running, ActorState::Probing]);
        b.ask(Say(1)).await.expect("its permit is free again");
        t.settle().await;
        assert_eq!((b.state(), breaker_of_b(t)), (ActorState::Running, BreakerState::Closed));
        t.shutdown().await;
    });
}
