//! When a supervisor gives up, on what count, and what becomes of those below and above it.
//!
//! Promise 7: intensity per child, per group and, with `Escalate`, per supervisor; licences; escalation stops in order.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, Context, Drain, Fault, FaultKind, GiveUp, Restart, Supervise,
    SupervisorRef, SyncHandler, System, TellError, block_on, child, one_for_all, one_for_one, rest_for_one,
};
use proptest::prelude::*;

use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, ms, s, steady};

const HALTED: &str = "stops: restarted with a sibling";

async fn fail(actor: &ActorRef<Puppet>) {
    let _ = actor.ask(Do(Act::Fail)).await;
}

async fn fail_times(t: &TestSystem, actor: &ActorRef<Puppet>, times: usize) {
    for _ in 0..times {
        fail(actor).await;
        t.settle().await;
    }
}

fn at_once(supervise: Supervise, restarts: u32) -> Supervise {
    supervise.intensity(restarts, s(30)).backoff(Backoff::none())
}

fn spawn(supervisor: &SupervisorRef, diary: &Diary, names: &[&str]) -> Vec<ActorRef<Puppet>> {
    names.iter().map(|name| supervisor.spawn(Script::new(name, diary).child().breaker(steady()))).collect()
}

fn states(actors: &[ActorRef<Puppet>]) -> Vec<ActorState> {
    actors.iter().map(ActorRef::state).collect()
}

#[test]
fn exactly_as_many_restarts_as_allowed_are_fine_and_one_more_is_not() {
    for restarts in 0..4 {
        TestSystem::run(async |t| {
            let supervisor = t.system().supervise(at_once(one_for_one(), restarts)).await.unwrap();
            let a = spawn(&supervisor, &Diary::default(), &["a"]);
            t.settle().await;
            fail_times(t, &a[0], restarts as usize).await;
            assert_eq!(a[0].state(), ActorState::Running, "{restarts} of {restarts}");
            fail(&a[0]).await;
            assert_eq!(a[0].state(), ActorState::Failed, "one more than {restarts}");
            t.shutdown().await;
        });
    }
}

#[test]
fn restarts_leave_the_window_one_by_one() {
    TestSystem::run(async |t| {
        let supervisor = t.system().supervise(at_once(one_for_one(), 2)).await.unwrap();
        let a = spawn(&supervisor, &Diary::default(), &["a"]);
        for _ in 0..20 {
            fail(&a[0]).await;
            // Two in any thirty seconds, for ever.
            t.advance(s(15) + ms(2)).await;
            assert_eq!(a[0].state(), ActorState::Running);
        }
        fail_times(t, &a[0], 2).await;
        assert_eq!(a[0].state(), ActorState::Failed, "three in thirty seconds");
        t.shutdown().await;
    });
}

#[test]
fn with_open_breaker_each_child_has_its_own_count() {
    TestSystem::run(async |t| {
        let supervisor = t.system().supervise(at_once(one_for_one(), 2)).await.unwrap();
        let children = spawn(&supervisor, &Diary::default(), &["a", "b", "c"]);
        for child in &children {
            fail_times(t, child, 2).await;
        }
        assert_eq!(states(&children), [ActorState::Running; 3]);
        fail(&children[1]).await;
        assert_eq!(states(&children), [ActorState::Running, ActorState::Failed, ActorState::Running]);
        assert_eq!(supervisor.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn a_group_restart_counts_once_and_giving_up_puts_every_child_of_it_into_failed() {
    for (supervise, last) in [
        (one_for_all(), [ActorState::Failed; 3]),
        (rest_for_one(), [ActorState::Running, ActorState::Failed, ActorState::Failed]),
    ] {
        TestSystem::run(async |t| {
            let diary = Diary::default();
            let supervisor = t.system().supervise(at_once(supervise, 3)).await.unwrap();
            let children = spawn(&supervisor, &diary, &["a", "b", "c"]);
            for child in &children {
                fail_times(t, child, 1).await;
            }
            assert_eq!(states(&children), [ActorState::Running; 3], "three restarts of the group");
            diary.take();
            fail_times(t, &children[1], 1).await;
            assert_eq!(states(&children), last);
            let stops = diary.take();
            assert!(stops.iter().all(|line| line.ends_with(HALTED)), "{stops:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn a_child_of_a_group_whose_own_breaker_rule_is_met_has_failed() {
    TestSystem::run(async |t| {
        let supervisor = t.system().supervise(at_once(one_for_all(), 100)).await.unwrap();
        let rules = callboard_actor::BreakerRules::tripping_on([callboard_actor::Trip::Consecutive(2)]);
        let a = supervisor.spawn(Script::new("a", &Diary::default()).child().breaker(rules));
        fail_times(t, &a, 1).await;
        assert_eq!(a.state(), ActorState::Running);
        fail_times(t, &a, 1).await;
        assert_eq!(
            a.state(),
            ActorState::Failed,
            "the table: more than R restarts in T, or a rule of the breaker is met"
        );
        t.shutdown().await;
    });
}

#[test]
fn with_escalate_the_children_share_one_count() {
    TestSystem::run(async |t| {
        let outer = t.system().supervise(at_once(one_for_one(), 0)).await.unwrap();
        let inner = outer.supervise(at_once(one_for_one(), 3).on_give_up(GiveUp::Escalate)).unwrap();
        let children = spawn(&inner, &Diary::default(), &["a", "b", "c"]);
        for child in &children {
            fail_times(t, child, 1).await;
        }
        assert_eq!((states(&children), inner.state()), (vec![ActorState::Running; 3], ActorState::Running));
        fail_times(t, &children[1], 1).await;
        assert_eq!(inner.state(), ActorState::Failed, "the outer one allows no restart at all");
        assert_eq!(outer.state(), ActorState::Running);
        t.shutdown().await;
    });
}

#[test]
fn an_escalation_stops_in_reverse_order_restarts_in_order_and_keeps_references_and_queues() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let inner = t.system().supervise(at_once(one_for_one(), 0).name("inner").on_give_up(GiveUp::Escalate));
        let children = spawn(&inner.await.unwrap(), &diary, &["a", "b", "c", "d"]);
        t.settle().await;
        diary.take();
        for (number, child) in (1..).zip(&children) {
            child.try_tell(Do(Act::Sleep(s(1)))).unwrap();
            child.try_tell(Say(number)).unwrap();
        }
        children[1].try_tell(Do(Act::Fail)).unwrap();
        children[1].try_tell(Say(5)).unwrap();
        t.advance(ms(500)).await;
        children[3].try_tell(Do(Act::Sleep(s(2)))).unwrap();
        children[3].try_tell(Say(6)).unwrap();
        t.advance(s(10)).await;
        let said = diary.take();
        let life: Vec<_> = said.iter().filter(|line| !line.contains("says")).cloned().collect();
        let stops = ["d", "c", "a"].map(|child| format!("{child} {HALTED}"));
        let starts = ["a", "b", "c", "d"].map(|child| format!("{child} starts"));
        assert_eq!(life, [&stops[..], &starts[..]].concat());
        for line in ["a says 1", "b says 2", "c says 3", "d says 4", "b says 5", "d says 6"] {
            assert_eq!(said.iter().filter(|said| *said == line).count(), 1, "{line}: {said:?}");
        }
        for child in &children {
            assert_eq!(child.ask(Say(7)).await.unwrap(), 2, "the reference is the same, the value the second");
        }
        let inner = t.inspect().actor("inner").unwrap().clone();
        assert_eq!((inner.state, inner.generation), (ActorState::Running, 2));
        assert_eq!(inner.last_fault.map(|incident| incident.kind()), Some(FaultKind::Escalated));
        t.shutdown().await;
    });
}

#[test]
fn escalation_goes_up_level_by_level() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let rules = |restarts| at_once(one_for_one(), restarts).on_give_up(GiveUp::Escalate);
        let top = t.system().supervise(at_once(one_for_one(), 5).name("top")).await.unwrap();
        let middle = top.supervise(rules(1).name("middle")).unwrap();
        let low = middle.supervise(rules(1).name("low")).unwrap();
        let elder = spawn(&middle, &diary, &["elder"]);
        let leaf = spawn(&low, &diary, &["leaf"]);
        t.settle().await;
        let generations =
            || ["top", "middle", "low", "leaf", "elder"].map(|name| t.inspect().actor(name).unwrap().generation);
        assert_eq!(generations(), [1, 1, 1, 1, 1]);
        fail_times(t, &leaf[0], 1).await;
        assert_eq!(generations(), [1, 1, 1, 2, 1], "the leaf alone");
        fail_times(t, &leaf[0], 1).await;
        assert_eq!(generations(), [1, 1, 2, 3, 1], "low gives up, middle restarts it");
        // A restarted supervisor counts anew, as in OTP: so it takes two more faults to make it give up again.
        fail_times(t, &leaf[0], 1).await;
        assert_eq!(generations(), [1, 1, 2, 4, 1], "the leaf alone again");
        fail_times(t, &leaf[0], 1).await;
        assert_eq!(generations(), [1, 2, 3, 5, 2], "low gives up again, that is too much for middle");
        assert_eq!(states(&[elder[0].clone(), leaf[0].clone()]), [ActorState::Running; 2]);
        t.shutdown().await;
    });
}

#[test]
fn an_escalation_does_not_start_temporary_children_again() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let inner = t.system().supervise(at_once(one_for_one(), 0).on_give_up(GiveUp::Escalate)).await.unwrap();
        let a = spawn(&inner, &diary, &["a"]);
        let temporary = inner.spawn(Script::new("b", &diary).child().restart(Restart::Temporary));
        t.settle().await;
        diary.take();
        fail_times(t, &a[0], 1).await;
        assert_eq!(diary.take(), ["b stops: stopped", "a starts"]);
        assert_eq!((a[0].state(), temporary.state()), (ActorState::Running, ActorState::Stopped));
        t.shutdown().await;
    });
}

#[test]
fn children_of_a_supervisor_whose_breaker_is_open_refuse_for_about_as_long_and_come_back_with_it() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let outer = t.system().supervise(at_once(one_for_one(), 0)).await.unwrap();
        let inner = outer.supervise(at_once(one_for_one(), 0).on_give_up(GiveUp::Escalate)).unwrap();
        let children = spawn(&inner, &diary, &["a", "b"]);
        t.settle().await;
        diary.take();
        children[0].try_tell(Do(Act::Fail)).unwrap();
        children[0].try_tell(Say(1)).unwrap();
        t.settle().await;
        assert_eq!(inner.state(), ActorState::Failed);
        for child in &children {
            let Err(TellError::Refused { retry_after, message }) = child.try_tell(Say(2)) else {
                panic!("not refused")
            };
            assert_eq!(message, Say(2));
            assert!(retry_after > s(0) && retry_after <= s(30), "{}: {retry_after:?}", child.name());
        }
        t.advance(s(40)).await;
        assert_eq!(inner.state(), ActorState::Running, "starting its children was the probe");
        assert_eq!(states(&children), [ActorState::Running; 2]);
        assert_eq!(diary.take(), [&format!("b {HALTED}"), "a starts", "a says 1", "b starts"]);
        t.shutdown().await;
    });
}

#[test]
fn a_group_escalates_as_well() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let inner = t.system().supervise(at_once(one_for_all(), 1).name("inner").on_give_up(GiveUp::Escalate));
        let children = spawn(&inner.await.unwrap(), &diary, &["a", "b"]);
        t.settle().await;
        fail_times(t, &children[0], 1).await;
        diary.take();
        fail_times(t, &children[1], 1).await;
        assert_eq!(diary.take(), [&format!("a {HALTED}"), "a starts", "b starts"]);
        assert_eq!(t.inspect().actor("inner").unwrap().generation, 2);
        t.shutdown().await;
    });
}

#[test]
fn children_that_give_up_in_the_same_moment_escalate_once() {
    TestSystem::run(async |t| {
        let inner = t.system().supervise(at_once(one_for_one(), 0).name("inner").on_give_up(GiveUp::Escalate));
        let children = spawn(&inner.await.unwrap(), &Diary::default(), &["a", "b", "c"]);
        t.settle().await;
        children.iter().for_each(|child| child.try_tell(Do(Act::Fail)).unwrap());
        t.settle().await;
        assert_eq!(states(&children), [ActorState::Running; 3]);
        assert_eq!(t.inspect().actor("inner").unwrap().generation, 2);
        t.shutdown().await;
    });
}

#[test]
fn the_asker_of_the_fault_that_escalates_is_told_like_any_other() {
    TestSystem::run(async |t| {
        let inner = t.system().supervise(at_once(one_for_one(), 0).on_give_up(GiveUp::Escalate)).await.unwrap();
        let a = spawn(&inner, &Diary::default(), &["a"]);
        let answer = a[0].ask(Do(Act::Panic)).await;
        assert!(
            matches!(&answer, Err(AskError::Faulted(incident)) if incident.text() == "told to panic"),
            "{answer:?}"
        );
        t.shutdown().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the faults fall, an escalating supervisor restarts no more often than it may, counted by hand over all of
    /// its children, and gives up at the very fault that is one too many.
    #[test]
    fn the_licences_of_all_children_together_never_exceed_what_is_left(
        restarts in 0u32..8,
        count in 1usize..5,
        faults in prop::collection::vec((0usize..5, 0u64..12), 1..30),
    ) {
        TestSystem::run(async |t| {
            let outer = t.system().supervise(at_once(one_for_one(), 0)).await.unwrap();
            let inner = outer.supervise(at_once(one_for_one(), restarts).on_give_up(GiveUp::Escalate)).unwrap();
            let children = spawn(&inner, &Diary::default(), &["a", "b", "c", "d", "e"][..count]);
            let mut granted = Vec::new();
            for (child, pause) in faults {
                t.advance(s(pause)).await;
                let now = t.now();
                fail_times(t, &children[child % count], 1).await;
                if granted.iter().filter(|&&moment| moment + s(30) > now).count() < restarts as usize {
                    granted.push(now);
                    assert_eq!((inner.state(), states(&children)), (ActorState::Running, vec![ActorState::Running; count]));
                } else {
                    assert_eq!((inner.state(), states(&children)), (ActorState::Failed, vec![ActorState::Failed; count]));
                    break;
                }
            }
            t.shutdown().await;
        });
    }
}

/// Fails whenever it is told anything, and counts how often it was built.
struct Fragile;

impl Actor for Fragile {}

impl SyncHandler<Say> for Fragile {
    fn handle(&mut self, _: Say, _: &mut Context<Self>) -> Result<u64, Fault> {
        Err(Fault::permanent("as always"))
    }
}

#[test]
fn on_many_threads_the_children_together_restart_exactly_as_often_as_they_may() {
    for round in 0..20 {
        block_on(async {
            let system = System::builder().workers(4).seed(round).start().await.unwrap();
            let outer = system.supervise(at_once(one_for_one(), 0)).await.unwrap();
            let inner = outer.supervise(at_once(one_for_one(), 10).on_give_up(GiveUp::Escalate)).unwrap();
            let built = Arc::new(AtomicU32::new(0));
            let children: Vec<_> = (0..8)
                .map(|number| {
                    let built = Arc::clone(&built);
                    let make = move || {
                        built.fetch_add(1, Ordering::SeqCst);
                        Fragile
                    };
                    inner.spawn(child(format!("fragile {number}"), make))
                })
                .collect();
            for number in 0..40 {
                for child in &children {
                    // Whoever has given up already refuses.
                    let _ = child.tell(Say(number)).await;
                }
            }
            while inner.state() != ActorState::Failed {
                std::thread::yield_now();
            }
            let seen = system.inspect();
            let fragile = seen.actors.iter().filter(|actor| actor.name.starts_with("fragile"));
            assert_eq!(fragile.map(|actor| actor.restarts).sum::<u64>(), 10);
            // Some of the last may have been halted before they were built.
            assert!(built.load(Ordering::SeqCst) <= 8 + 10);
            system.shutdown(Drain::now()).await;
        });
    }
}

/// Writes down when a value of it is dropped.
struct Noted(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Actor for Noted {}

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

impl SyncHandler<Say> for Noted {
    fn handle(&mut self, _: Say, _: &mut Context<Self>) -> Result<u64, Fault> {
        Err(Fault::permanent("as always"))
    }
}

#[test]
fn on_many_threads_an_escalation_stops_in_order() {
    for _ in 0..20 {
        block_on(async {
            let system = System::builder().workers(4).start().await.unwrap();
            let outer = system.supervise(at_once(one_for_one(), 0)).await.unwrap();
            let inner = outer.supervise(at_once(one_for_one(), 0).on_give_up(GiveUp::Escalate)).unwrap();
            let dropped = Arc::new(Mutex::new(Vec::new()));
            let children: Vec<_> = ["a", "b", "c", "d"]
                .map(|name| {
                    let dropped = Arc::clone(&dropped);
                    inner.spawn(child(name, move || Noted(Arc::clone(&dropped), name)))
                })
                .into();
            while children.iter().any(|child| child.state() != ActorState::Running) {
                std::thread::yield_now();
            }
            children[1].tell(Say(1)).await.unwrap();
            while inner.state() != ActorState::Failed {
                std::thread::yield_now();
            }
            assert_eq!(*dropped.lock().unwrap(), ["b", "d", "c", "a"]);
            system.shutdown(Drain::now()).await;
        });
    }
}
