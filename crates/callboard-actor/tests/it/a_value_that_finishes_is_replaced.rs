//! What the normal end of a permanent actor's value means: its supervisor answers with a restart that counts, as in OTP.
//!
//! Promise 7: intensity, back-off and strategies hold for normal ends as they do for faults.

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorRef, ActorState, Backoff, GiveUp, Restart, StopReason, Supervise, SupervisorRef, one_for_all, one_for_one,
};

use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, s, steady};

fn at_once(supervise: Supervise, restarts: u32) -> Supervise {
    supervise.intensity(restarts, s(3600)).backoff(Backoff::none())
}

fn spawn(supervisor: &SupervisorRef, diary: &Diary, names: &[&str]) -> Vec<ActorRef<Puppet>> {
    names.iter().map(|name| supervisor.spawn(Script::new(name, diary).child().breaker(steady()))).collect()
}

fn states(actors: &[ActorRef<Puppet>]) -> Vec<ActorState> {
    actors.iter().map(ActorRef::state).collect()
}

#[test]
fn it_says_goodbye_before_the_next_one_starts() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let script = Script::new("a", &diary);
        script.stop(Act::Sleep(s(2)));
        let a = t.spawn(script.child());
        a.ask(Do(Act::Exit)).await.unwrap();
        a.try_tell(Say(1)).expect("the mailbox stays open");
        assert_eq!(a.state(), ActorState::Restarting);
        t.advance(s(3)).await;
        assert_eq!(diary.take(), ["a starts", "a stops: finished", "a starts", "a says 1"]);
        let seen = t.inspect().actor("a").unwrap().clone();
        assert_eq!((seen.generation, seen.restarts, seen.faults), (2, 1, 0), "a restart, and no fault");
        t.shutdown().await;
    });
}

#[test]
fn the_second_end_in_the_window_waits_for_its_back_off() {
    TestSystem::run(async |t| {
        let a = t.spawn(Script::new("a", &Diary::default()).child().backoff(Backoff::fixed(s(10))));
        a.ask(Do(Act::Exit)).await.unwrap();
        a.ask(Do(Act::Exit)).await.unwrap();
        t.settle().await;
        assert_eq!(a.state(), ActorState::BackingOff);
        t.advance(s(10)).await;
        assert_eq!(a.ask(Say(1)).await.unwrap(), 3);
        t.shutdown().await;
    });
}

#[test]
fn too_many_ends_open_the_breaker_and_are_no_failures_of_it() {
    TestSystem::run(async |t| {
        let supervisor = t.system().supervise(at_once(one_for_one(), 2)).await.unwrap();
        let a = spawn(&supervisor, &Diary::default(), &["a"]).remove(0);
        for _ in 0..3 {
            assert_ne!(a.state(), ActorState::Failed);
            a.ask(Do(Act::Exit)).await.unwrap();
            t.settle().await;
        }
        assert_eq!(a.state(), ActorState::Failed);
        let seen = t.inspect().actor("a").unwrap().clone();
        assert_eq!((seen.faults, seen.breaker.totals.failures, seen.breaker.totals.trips), (0, 0, 1));
        t.advance(s(31)).await;
        assert_eq!(a.ask(Say(1)).await.unwrap(), 4, "it recovers as after faults");
        assert_eq!(a.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn a_start_that_finishes_each_time_is_not_tried_for_ever() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let script = Script::new("a", &diary);
        for _ in 0..100 {
            script.start(Act::Exit);
        }
        let a = t.spawn(script.child().intensity(3, s(3600)).backoff(Backoff::none()).breaker(steady()));
        t.settle().await;
        assert_eq!(a.state(), ActorState::Failed);
        let said = diary.take();
        assert_eq!(said.iter().filter(|line| *line == "a starts").count(), 4, "one start and three restarts: {said:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_probe_that_finishes_its_value_is_followed_by_the_next_probe() {
    TestSystem::run(async |t| {
        let child = Script::new("a", &Diary::default()).child();
        let a = t.spawn(child.intensity(1, s(30)).backoff(Backoff::none()).breaker(steady().probing(1, 2)));
        for _ in 0..2 {
            let _ = a.ask(Do(Act::Fail)).await;
        }
        t.advance(s(31)).await;
        assert_eq!(a.state(), ActorState::Probing);
        a.ask(Do(Act::Exit)).await.unwrap();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Probing, "one of two");
        a.ask(Say(1)).await.unwrap();
        a.ask(Say(2)).await.unwrap();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Running, "the new value had to show it anew");
        t.shutdown().await;
    });
}

#[test]
fn its_siblings_restart_with_it_as_their_strategy_says() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let supervisor = t.system().supervise(at_once(one_for_all(), 1)).await.unwrap();
        let children = spawn(&supervisor, &diary, &["a", "b", "c"]);
        t.settle().await;
        diary.take();
        children[1].ask(Do(Act::Exit)).await.unwrap();
        t.settle().await;
        let stops = ["b stops: finished", "c stops: restarted with a sibling", "a stops: restarted with a sibling"];
        assert_eq!(diary.take(), [&stops[..], &["a starts", "b starts", "c starts"]].concat());
        children[2].ask(Do(Act::Exit)).await.unwrap();
        t.settle().await;
        assert_eq!(states(&children), [ActorState::Failed; 3], "one restart of the group was allowed");
        t.shutdown().await;
    });
}

#[test]
fn one_end_too_many_escalates() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let inner = at_once(one_for_one(), 0).name("inner").on_give_up(GiveUp::Escalate);
        let children = spawn(&t.system().supervise(inner).await.unwrap(), &diary, &["a", "b"]);
        t.settle().await;
        children[0].ask(Do(Act::Exit)).await.unwrap();
        t.settle().await;
        assert_eq!(t.inspect().actor("inner").unwrap().generation, 2);
        assert_eq!(states(&children), [ActorState::Running; 2]);
        t.shutdown().await;
    });
}

#[test]
fn a_stop_during_its_goodbye_is_the_last_word() {
    TestSystem::run(async |t| {
        let script = Script::new("a", &Diary::default());
        script.stop(Act::Sleep(s(2)));
        let a = t.spawn(script.child());
        a.ask(Do(Act::Exit)).await.unwrap();
        t.settle().await;
        a.stop();
        assert_eq!(a.ended().await, StopReason::Stopped);
        t.shutdown().await;
    });
}

#[test]
fn a_sibling_that_fails_during_its_goodbye_takes_it_along() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let supervisor = t.system().supervise(at_once(one_for_all(), 5)).await.unwrap();
        let script = Script::new("a", &diary);
        script.stop(Act::Sleep(s(2)));
        let a = supervisor.spawn(script.child());
        let b = spawn(&supervisor, &diary, &["b"]).remove(0);
        t.settle().await;
        diary.take();
        a.ask(Do(Act::Exit)).await.unwrap();
        let _ = b.ask(Do(Act::Fail)).await;
        t.advance(s(5)).await;
        assert_eq!(diary.take(), ["a stops: finished", "a starts", "b starts"]);
        assert_eq!(states(&[a, b]), [ActorState::Running; 2]);
        t.shutdown().await;
    });
}

#[test]
fn a_value_that_finishes_while_a_sibling_waits_for_it_makes_room_like_any_other() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let supervisor = t.system().supervise(at_once(one_for_all(), 5)).await.unwrap();
        let children = spawn(&supervisor, &diary, &["a", "b"]);
        t.settle().await;
        children[0].try_tell(Do(Act::SleepThenExit(s(2)))).unwrap();
        t.settle().await;
        let _ = children[1].ask(Do(Act::Fail)).await;
        t.advance(s(5)).await;
        assert_eq!(states(&children), [ActorState::Running; 2]);
        t.shutdown().await;
    });
}

#[test]
fn transient_and_temporary_children_have_ended() {
    for restart in [Restart::Transient, Restart::Temporary] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let a = t.spawn(Script::new("a", &diary).child().restart(restart));
            a.ask(Do(Act::Exit)).await.unwrap();
            assert_eq!(a.ended().await, StopReason::Finished);
            assert_eq!(diary.take(), ["a starts", "a stops: finished"]);
            t.shutdown().await;
        });
    }
}
