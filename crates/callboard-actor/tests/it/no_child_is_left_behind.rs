//! However a supervisor ends, its children end with it.

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorRef, ActorState, Backoff, Defaults, GiveUp, Restart, System, block_on, child, one_for_all, one_for_one,
};

use crate::puppet::{Act, Diary, Do, Script, ms, s};

/// A system in which nothing restarts unless it says so, supervisors included.
fn temporary() -> callboard_actor::SystemBuilder {
    let mut defaults = Defaults::default();
    defaults.restart = Restart::Temporary;
    System::builder().defaults(defaults)
}

#[test]
fn a_fault_that_ends_a_supervisor_ends_those_that_it_had_taken_out_of_service() {
    TestSystem::run_with(temporary(), async |t| {
        let diary = Diary::default();
        let rules = one_for_one().intensity(0, s(30)).backoff(Backoff::none()).on_give_up(GiveUp::Escalate);
        let supervisor = t.system().supervise(rules).await.unwrap();
        let child = |name| supervisor.spawn(Script::new(name, &diary).child().restart(Restart::Permanent));
        let children = ["a", "b", "c"].map(child);
        t.settle().await;
        let _ = children[1].ask(Do(Act::Fail)).await;
        t.settle().await;
        assert_eq!(supervisor.state(), ActorState::Stopped, "its own rule is not to restart");
        assert_eq!(children.each_ref().map(ActorRef::state), [ActorState::Stopped; 3]);
        t.shutdown().await;
    });
}

#[test]
fn a_supervisor_that_is_killed_takes_its_children_along() {
    TestSystem::run(async |t| {
        let outer = t.system().supervise(one_for_all().name("outer")).await.unwrap();
        let inner = outer.supervise(one_for_all().name("inner")).unwrap();
        let slow = Script::new("slow", &Diary::default());
        let slow = inner.spawn(slow.child().start_limit(s(100_000)));
        slow.try_tell(Do(Act::Sleep(s(1_000_000)))).unwrap();
        t.settle().await;
        outer.stop();
        outer.ended().await;
        t.settle().await;
        assert_eq!(inner.state(), ActorState::Stopped);
        assert_eq!(slow.state(), ActorState::Stopped, "nobody is left who could end it");
        assert!(t.now() < s(10_000), "after {:?}", t.now());
        t.shutdown().await;
    });
}

#[test]
fn a_child_of_one_that_has_ended_never_starts() {
    TestSystem::run_with(temporary(), async |t| {
        let rules = one_for_one().intensity(0, s(30)).on_give_up(GiveUp::Escalate);
        let supervisor = t.system().supervise(rules).await.unwrap();
        let a = supervisor.spawn(Script::new("a", &Diary::default()).child().restart(Restart::Permanent));
        let _ = a.ask(Do(Act::Fail)).await;
        t.advance(ms(5)).await;
        let late = supervisor.spawn(Script::new("late", &Diary::default()).child());
        t.settle().await;
        assert_eq!([a.state(), late.state()], [ActorState::Stopped; 2]);
        t.shutdown().await;
    });
}

/// On threads: children are started while their supervisor fails for good.
#[test]
fn a_child_that_is_started_in_that_moment_ends_too() {
    struct Idle;
    impl callboard_actor::Actor for Idle {}
    for _ in 0..50 {
        block_on(async {
            let system = temporary().workers(2).start().await.unwrap();
            let rules = one_for_one().intensity(0, s(30)).on_give_up(GiveUp::Escalate);
            let supervisor = system.supervise(rules).await.unwrap();
            let script = Script::new("a", &Diary::default());
            let a = supervisor.spawn(script.child().restart(Restart::Permanent));
            a.tell(Do(Act::Fail)).await.unwrap();
            let late: Vec<_> = (0..20).map(|_| supervisor.spawn(child("late", || Idle))).collect();
            for child in late {
                child.ended().await;
            }
            system.shutdown(callboard_actor::Drain::now()).await;
        });
    }
}
