//! Whom the fault of one child concerns, and in which order the others are stopped and started.
//!
//! Promise 7: strategies and restart types.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorRef, ActorState, Backoff, Restart, StopReason, Strategy, Supervise, SupervisorRef, one_for_all, one_for_one,
    rest_for_one,
};
use proptest::prelude::*;

use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, ms, s, steady};

const RESTARTED: &str = "restarted with a sibling";

/// Children a, b, c, .. of one supervisor.
struct Family {
    diary: Diary,
    supervisor: SupervisorRef,
    scripts: Vec<Script>,
    children: Vec<ActorRef<Puppet>>,
}

impl Family {
    async fn new(t: &TestSystem, supervise: Supervise, types: &[Restart]) -> Self {
        let diary = Diary::default();
        let supervisor = t.system().supervise(supervise.name("family")).await.unwrap();
        let mut family = Self { diary, supervisor, scripts: Vec::new(), children: Vec::new() };
        types.iter().for_each(|&restart| family.add(restart));
        t.settle().await;
        family.diary.take();
        family
    }

    fn add(&mut self, restart: Restart) {
        let script = Script::new(name(self.children.len()), &self.diary);
        self.children.push(self.supervisor.spawn(script.child().restart(restart)));
        self.scripts.push(script);
    }

    fn states(&self) -> Vec<ActorState> {
        self.children.iter().map(ActorRef::state).collect()
    }

    async fn fail(&self, child: usize) {
        let _ = self.children[child].ask(Do(Act::Fail)).await;
    }
}

const fn name(child: usize) -> &'static str {
    ["a", "b", "c", "d", "e", "f"][child]
}

fn unlimited(supervise: Supervise) -> Supervise {
    supervise.intensity(1_000, s(3600)).backoff(Backoff::none())
}

#[test]
fn one_for_one_restarts_the_failed_child_alone() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_one()), &[Restart::Permanent; 3]).await;
        family.fail(1).await;
        t.settle().await;
        assert_eq!(family.diary.take(), ["b starts"]);
        t.shutdown().await;
    });
}

#[test]
fn one_for_all_stops_the_others_in_reverse_order_and_starts_all_in_order() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 4]).await;
        family.fail(1).await;
        t.settle().await;
        let stops = ["d", "c", "a"].map(|child| format!("{child} stops: {RESTARTED}"));
        let starts = ["a", "b", "c", "d"].map(|child| format!("{child} starts"));
        assert_eq!(family.diary.take(), [&stops[..], &starts[..]].concat());
        t.shutdown().await;
    });
}

#[test]
fn rest_for_one_leaves_those_alone_that_were_started_before() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(rest_for_one()), &[Restart::Permanent; 4]).await;
        family.fail(1).await;
        t.settle().await;
        let stops = ["d", "c"].map(|child| format!("{child} stops: {RESTARTED}"));
        let starts = ["b", "c", "d"].map(|child| format!("{child} starts"));
        assert_eq!(family.diary.take(), [&stops[..], &starts[..]].concat());
        t.shutdown().await;
    });
}

#[test]
fn each_is_stopped_when_the_next_one_has_said_goodbye_and_started_when_the_one_before_has() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 3]).await;
        family.scripts[2].stop(Act::Sleep(s(3)));
        family.scripts[0].start(Act::Sleep(s(3)));
        family.fail(1).await;
        t.settle().await;
        assert!(family.diary.take().is_empty(), "a waits for c");
        t.advance(s(3)).await;
        assert_eq!(family.diary.take(), [format!("c stops: {RESTARTED}"), format!("a stops: {RESTARTED}")]);
        assert!(family.states().iter().all(|&state| state == ActorState::Restarting), "{:?}", family.states());
        t.advance(s(3)).await;
        assert_eq!(family.diary.take(), ["a starts", "b starts", "c starts"]);
        t.shutdown().await;
    });
}

#[test]
fn a_temporary_sibling_is_stopped_in_its_place_and_never_started_again() {
    TestSystem::run(async |t| {
        let types = [Restart::Permanent, Restart::Temporary, Restart::Permanent];
        let family = Family::new(t, unlimited(one_for_all()), &types).await;
        family.scripts[2].stop(Act::Sleep(s(1)));
        family.fail(0).await;
        t.advance(s(2)).await;
        let expected = [&format!("c stops: {RESTARTED}"), "b stops: stopped", "a starts", "c starts"];
        assert_eq!(family.diary.take(), expected);
        assert_eq!(family.states(), [ActorState::Running, ActorState::Stopped, ActorState::Running]);
        t.shutdown().await;
    });
}

#[test]
fn a_temporary_child_that_fails_concerns_nobody_else() {
    for supervise in [one_for_one(), one_for_all(), rest_for_one()] {
        TestSystem::run(async |t| {
            let types = [Restart::Temporary, Restart::Permanent];
            let family = Family::new(t, unlimited(supervise), &types).await;
            family.fail(0).await;
            t.settle().await;
            assert!(family.diary.take().is_empty());
            assert_eq!(family.states(), [ActorState::Stopped, ActorState::Running]);
            t.shutdown().await;
        });
    }
}

#[test]
fn children_that_fail_in_the_same_moment_are_restarted_together_and_that_counts_once() {
    TestSystem::run(async |t| {
        let once = one_for_all().intensity(1, s(3600)).backoff(Backoff::none());
        let family = Family::new(t, once, &[Restart::Permanent; 3]).await;
        family.children[..2].iter().for_each(|child| child.try_tell(Do(Act::Fail)).unwrap());
        t.settle().await;
        assert_eq!(family.states(), [ActorState::Running; 3]);
        let expected = [&format!("c stops: {RESTARTED}"), "a starts", "b starts", "c starts"];
        assert_eq!(family.diary.take(), expected);
        t.shutdown().await;
    });
}

#[test]
fn a_later_child_that_fails_while_its_elders_are_being_restarted_does_not_strand_them() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(rest_for_one()), &[Restart::Permanent; 4]).await;
        // d takes its time to say goodbye, so b and c still work when c fails on its own.
        family.scripts[3].stop(Act::Sleep(s(3)));
        family.fail(0).await;
        t.settle().await;
        family.fail(2).await;
        t.advance(s(10)).await;
        assert_eq!(family.states(), [ActorState::Running; 4]);
        let said = family.diary.take();
        assert_eq!(said[said.len() - 4..], ["a starts", "b starts", "c starts", "d starts"], "{said:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_child_whose_start_fails_in_a_group_restart_begins_that_anew() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 3]).await;
        family.scripts[1].start(Act::Fail);
        family.fail(2).await;
        t.settle().await;
        let stopped = |child: &str| format!("{child} stops: {RESTARTED}");
        let first = [stopped("b"), stopped("a"), "a starts".to_owned()];
        let second = [stopped("a"), "a starts".to_owned(), "b starts".to_owned(), "c starts".to_owned()];
        assert_eq!(family.diary.take(), [&first[..], &second[..]].concat());
        assert_eq!(family.states(), [ActorState::Running; 3]);
        t.shutdown().await;
    });
}

#[test]
fn a_child_that_ends_in_the_middle_of_a_group_restart_is_not_waited_for() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 3]).await;
        family.scripts[2].stop(Act::Sleep(s(3)));
        family.scripts[0].start(Act::Sleep(s(3)));
        family.fail(1).await;
        t.settle().await;
        family.children[2].kill();
        t.settle().await;
        family.children[0].stop();
        t.settle().await;
        assert_eq!(family.states(), [ActorState::Stopped, ActorState::Running, ActorState::Stopped]);
        t.shutdown().await;
    });
}

#[test]
fn a_stop_in_the_middle_of_a_group_restart_is_not_forgotten() {
    for end in [ActorRef::stop, ActorRef::drain] as [fn(&ActorRef<Puppet>); 2] {
        TestSystem::run(async |t| {
            let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 3]).await;
            family.scripts[2].stop(Act::Sleep(s(3)));
            family.fail(0).await;
            t.settle().await;
            // c says goodbye, b is next, a has failed and waits.
            family.children.iter().for_each(end);
            t.advance(s(5)).await;
            assert_eq!(family.states(), [ActorState::Stopped; 3]);
            assert_eq!(family.children[2].ended().await, StopReason::Stopped);
            t.shutdown().await;
        });
    }
}

#[test]
fn a_sibling_finishes_its_turn_and_keeps_its_queue() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 2]).await;
        let busy = &family.children[1];
        busy.try_tell(Do(Act::Sleep(s(3)))).unwrap();
        busy.try_tell(Say(1)).unwrap();
        t.settle().await;
        family.fail(0).await;
        busy.try_tell(Say(2)).unwrap();
        t.advance(s(4)).await;
        let expected = [&format!("b stops: {RESTARTED}"), "a starts", "b starts", "b says 1", "b says 2"];
        assert_eq!(family.diary.take(), expected);
        let counts = t.inspect().actor("b").unwrap().messages;
        assert_eq!((counts.handled, counts.dead), (3, 0), "{counts:?}");
        assert!(counts.adds_up(), "{counts:?}");
        busy.ask(Do(Act::Sleep(s(25)))).await.expect("only a turn that had to make room got a limit");
        t.shutdown().await;
    });
}

#[test]
fn a_sibling_whose_turn_fails_while_it_is_waited_for_changes_nothing() {
    TestSystem::run(async |t| {
        let once = one_for_all().intensity(1, s(3600)).backoff(Backoff::none());
        let family = Family::new(t, once, &[Restart::Permanent; 2]).await;
        family.children[1].try_tell(Do(Act::SleepThenFail(s(3)))).unwrap();
        t.settle().await;
        family.fail(0).await;
        t.advance(s(4)).await;
        assert_eq!(
            (family.diary.take(), family.states()),
            (vec!["a starts".into(), "b starts".into()], vec![ActorState::Running; 2])
        );
        t.shutdown().await;
    });
}

#[test]
fn a_sibling_whose_turn_never_ends_does_not_hold_up_the_others_for_ever() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent; 2]).await;
        family.children[1].try_tell(Do(Act::Sleep(s(1_000_000)))).unwrap();
        t.settle().await;
        family.fail(0).await;
        t.advance(s(3600)).await;
        assert_eq!(family.states(), [ActorState::Running; 2], "every wait has a deadline and then escalates");
        t.shutdown().await;
    });
}

#[test]
fn a_group_that_is_restarted_waits_for_its_back_off_together() {
    TestSystem::run(async |t| {
        let slow = one_for_all().intensity(1_000, s(3600)).backoff(Backoff::fixed(s(8)));
        let family = Family::new(t, slow, &[Restart::Permanent; 2]).await;
        family.fail(1).await;
        t.settle().await;
        assert_eq!(family.diary.take().len(), 3, "the first restart waits for nothing");
        family.fail(1).await;
        t.advance(s(7)).await;
        assert_eq!(family.diary.take(), [format!("a stops: {RESTARTED}")]);
        t.advance(s(2)).await;
        assert_eq!(family.diary.take(), ["a starts", "b starts"]);
        t.shutdown().await;
    });
}

#[test]
fn a_supervisor_among_the_siblings_takes_its_children_along_in_order() {
    TestSystem::run(async |t| {
        let mut family = Family::new(t, unlimited(one_for_all()), &[Restart::Permanent]).await;
        let inner = family.supervisor.supervise(unlimited(one_for_all()).name("inner")).unwrap();
        let (b, c) = (Script::new("b", &family.diary), Script::new("c", &family.diary));
        family.children.extend([inner.spawn(b.child()), inner.spawn(c.child())]);
        family.add(Restart::Permanent);
        t.settle().await;
        family.diary.take();
        c.stop(Act::Sleep(s(2)));
        family.children[2].try_tell(Say(1)).unwrap();
        family.fail(3).await;
        family.children[1].try_tell(Say(2)).unwrap();
        t.advance(s(10)).await;
        let mut expected = vec!["c says 1".to_owned()];
        expected.extend(["c", "b", "a"].map(|child| format!("{child} stops: {RESTARTED}")));
        expected.extend(["a starts", "b starts", "c starts", "d starts"].map(str::to_owned));
        let mut said = family.diary.take();
        said.retain(|line| line != "b says 2");
        assert_eq!(said, expected);
        assert_eq!(family.states(), [ActorState::Running; 4]);
        t.shutdown().await;
    });
}

#[test]
fn a_supervisor_that_is_stopped_ends_its_children_in_reverse_order() {
    for supervise in [one_for_all(), rest_for_one()] {
        TestSystem::run(async |t| {
            let family = Family::new(t, unlimited(supervise), &[Restart::Permanent; 3]).await;
            family.scripts[2].stop(Act::Sleep(s(3)));
            family.scripts[1].stop(Act::Sleep(s(2)));
            family.supervisor.stop();
            family.supervisor.ended().await;
            assert_eq!(family.states(), [ActorState::Stopped; 3]);
            assert_eq!(family.diary.take(), ["c stops: stopped", "b stops: stopped", "a stops: stopped"]);
            t.shutdown().await;
        });
    }
}

#[test]
fn a_supervisor_that_has_ended_leaves_no_child_behind() {
    TestSystem::run(async |t| {
        let family = Family::new(t, unlimited(one_for_one()), &[Restart::Permanent; 2]).await;
        family.children[0].try_tell(Do(Act::Sleep(s(1_000_000)))).unwrap();
        t.settle().await;
        family.supervisor.stop();
        family.supervisor.ended().await;
        assert_eq!(family.states(), [ActorState::Stopped; 2], "every wait has a deadline and then escalates");
        t.shutdown().await;
    });
}

/// What happens to one child in a random run.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Fault,
    Panic,
    Stop,
}

/// A supervisor as the promise describes it, without any of the machinery.
struct Model {
    strategy: Strategy,
    types: Vec<Restart>,
    alive: Vec<bool>,
    restarts: u32,
    within: Duration,
    /// Moments of restarts: of each child in one_for_one, of the group under index 0 otherwise.
    past: Vec<Vec<Duration>>,
    gave_up: Vec<bool>,
}

impl Model {
    fn new(strategy: Strategy, types: Vec<Restart>, restarts: u32, within: Duration) -> Self {
        let count = types.len();
        let (past, alive, gave_up) = (vec![Vec::new(); count], vec![true; count], vec![false; count]);
        Self { strategy, types, alive, restarts, within, past, gave_up }
    }

    /// The lines that a blow to this child adds to the diary.
    fn blow(&mut self, child: usize, blow: Blow, now: Duration) -> Vec<String> {
        if let Blow::Stop = blow {
            self.alive[child] = false;
            return vec![format!("{} stops: stopped", name(child))];
        }
        if self.types[child] == Restart::Temporary {
            self.alive[child] = false;
            return Vec::new();
        }
        let affected: Vec<usize> = (0..self.types.len())
            .filter(|&other| self.alive[other])
            .filter(|&other| match self.strategy {
                Strategy::OneForOne => other == child,
                Strategy::OneForAll => true,
                Strategy::RestForOne => other >= child,
            })
            .collect();
        let mut lines = self.stops(&affected, child);
        if self.is_granted(child, now) {
            lines.extend(self.remaining(&affected).map(|other| format!("{} starts", name(other))));
        } else {
            let failed: Vec<usize> = self.remaining(&affected).collect();
            failed.into_iter().for_each(|other| self.gave_up[other] = true);
        }
        lines
    }

    fn stops(&mut self, affected: &[usize], failed: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for &other in affected.iter().rev().filter(|&&other| other != failed) {
            let is_temporary = self.types[other] == Restart::Temporary;
            self.alive[other] &= !is_temporary;
            lines.push(format!("{} stops: {}", name(other), if is_temporary { "stopped" } else { RESTARTED }));
        }
        lines
    }

    fn remaining<'m>(&'m self, affected: &'m [usize]) -> impl Iterator<Item = usize> + 'm {
        affected.iter().copied().filter(|&other| self.alive[other])
    }

    fn is_granted(&mut self, child: usize, now: Duration) -> bool {
        let past = &mut self.past[if self.strategy == Strategy::OneForOne { child } else { 0 }];
        let recent = past.iter().filter(|&&moment| moment + self.within > now).count();
        let granted = recent < self.restarts as usize;
        if granted {
            past.push(now);
        }
        granted
    }

    fn states(&self) -> Vec<ActorState> {
        let state = |child: usize| match (self.alive[child], self.gave_up[child]) {
            (false, _) => ActorState::Stopped,
            (true, true) => ActorState::Failed,
            (true, false) => ActorState::Running,
        };
        (0..self.types.len()).map(state).collect()
    }
}

fn supervise(strategy: Strategy) -> Supervise {
    match strategy {
        Strategy::OneForOne => one_for_one(),
        Strategy::OneForAll => one_for_all(),
        Strategy::RestForOne => rest_for_one(),
    }
}

/// Runs the blows against the supervisor and the model until somebody has failed for good.
async fn compare(
    t: &TestSystem,
    strategy: Strategy,
    types: Vec<Restart>,
    restarts: u32,
    blows: Vec<(usize, Blow, u64)>,
) -> Result<(), TestCaseError> {
    let within = s(30);
    let supervised = supervise(strategy).intensity(restarts, within).backoff(Backoff::none());
    let family = Family::new(t, supervised, &types).await;
    let mut model = Model::new(strategy, types, restarts, within);
    for (number, (child, blow, pause)) in (0u32..).zip(blows) {
        t.advance(s(pause)).await;
        let child = child % family.children.len();
        if family.children[child].state() != ActorState::Running {
            continue;
        }
        let act = match blow {
            Blow::Fault => Act::Fail,
            Blow::Panic => Act::Panic,
            Blow::Stop => Act::Stop,
        };
        let now = t.now();
        family.children[child].try_tell(Do(act)).expect("it is running");
        family.children[child].try_tell(Say(number)).expect("it is running");
        t.settle().await;
        let mut lines = family.diary.take();
        let said = format!("{} says {number}", name(child));
        let was_served = lines.iter().filter(|&line| *line == said).count();
        lines.retain(|line| *line != said);
        let expected = model.blow(child, blow, now);
        prop_assert_eq!(lines, expected, "after a {:?} of {}", blow, name(child));
        prop_assert_eq!(family.states(), model.states());
        let serves = model.states()[child] == ActorState::Running;
        prop_assert_eq!(was_served, usize::from(serves), "what was queued behind the fault");
        if model.gave_up.contains(&true) {
            break;
        }
    }
    for actor in t.inspect().actors {
        prop_assert!(actor.messages.adds_up(), "{}: {:?}", actor.name, actor.messages);
    }
    Ok(())
}

fn strategies() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)]
}

fn restart_types() -> impl proptest::strategy::Strategy<Value = Restart> {
    prop_oneof![3 => Just(Restart::Permanent), 2 => Just(Restart::Transient), 1 => Just(Restart::Temporary)]
}

fn blows() -> impl proptest::strategy::Strategy<Value = (usize, Blow, u64)> {
    let blow = prop_oneof![5 => Just(Blow::Fault), 3 => Just(Blow::Panic), 1 => Just(Blow::Stop)];
    (0usize..6, blow, 0u64..15)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_supervisor_does_what_the_promise_says_over_random_faults(
        strategy in strategies(),
        types in prop::collection::vec(restart_types(), 1..6),
        restarts in 0u32..5,
        blows in prop::collection::vec(blows(), 1..25),
    ) {
        TestSystem::run(async |t| {
            let compared = compare(t, strategy, types, restarts, blows).await;
            t.shutdown().await;
            compared
        })?;
    }
}

#[test]
fn a_group_that_gave_up_recovers_child_by_child() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let rules = one_for_all().intensity(0, s(30));
        let supervisor = t.system().supervise(rules).await.unwrap();
        let children = ["a", "b"].map(|name| supervisor.spawn(Script::new(name, &diary).child().breaker(steady())));
        t.settle().await;
        let failed_at = t.now();
        let _ = children[0].ask(Do(Act::Fail)).await;
        t.settle().await;
        assert_eq!(children.each_ref().map(ActorRef::state), [ActorState::Failed; 2]);
        for child in &children {
            let refused = child.try_tell(Say(0)).expect_err("its breaker is open");
            assert_eq!(refused.retry_after(), Some(s(30) - (t.now() - failed_at)));
        }
        t.advance(s(30)).await;
        assert_eq!(children.each_ref().map(ActorRef::state), [ActorState::Probing; 2]);
        assert!(children[1].ask(Say(1)).await.is_ok());
        assert_eq!(children.each_ref().map(ActorRef::state), [ActorState::Probing, ActorState::Running]);
        let _ = children[0].ask(Do(Act::Fail)).await;
        t.advance(ms(1)).await;
        assert_eq!(children.each_ref().map(ActorRef::state), [ActorState::Failed, ActorState::Running]);
        t.shutdown().await;
    });
}
