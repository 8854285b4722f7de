//! The state table of an actor, row by row, with every way out of each row.
//!
//! Promise 6: one supervised path for every fault. Promise 8: what a sender sees. Promise 9: stop, drain and kill.
//! F-CB-12: the supervisor is the circuit breaker.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    ActorRef, ActorSnapshot, ActorState, AskError, Backoff, BreakerState, DeadReason, FaultKind, Stage, StopReason,
    TellError,
};

use crate::puppet::{Act, Diary, Do, Puppet, Say, Script, ms, s, steady};

/// Long enough to look at a state that lasts.
const LONG: Duration = s(5);
/// The states that an actor can be left in for a while, with a working value or without.
const LASTING: [ActorState; 7] = [
    ActorState::Starting,
    ActorState::Running,
    ActorState::Restarting,
    ActorState::BackingOff,
    ActorState::Failed,
    ActorState::Probing,
    ActorState::Stopping,
];

/// An actor named "a" with what a test wants to know of it.
struct Subject<'t> {
    t: &'t TestSystem,
    diary: Diary,
    script: Script,
    actor: ActorRef<Puppet>,
}

impl<'t> Subject<'t> {
    /// Restarts once at once, waits 10 s before the second restart, and gives up at the third fault.
    fn new(t: &'t TestSystem) -> Self {
        Self::whose_first_start_does(t, Act::Well)
    }

    fn whose_first_start_does(t: &'t TestSystem, act: Act) -> Self {
        let diary = Diary::default();
        let script = Script::new("a", &diary);
        script.start(act);
        let child = script.child().backoff(Backoff::fixed(s(10))).intensity(2, s(3600)).breaker(steady());
        Self { t, diary, actor: t.spawn(child), script }
    }

    /// An actor that has come into this state and stays there for at least [`LONG`] with the given numbers in its queue.
    async fn in_state(t: &'t TestSystem, state: ActorState, queued: &[u32]) -> Self {
        let first = if state == ActorState::Starting { Act::Sleep(LONG) } else { Act::Well };
        let this = Self::whose_first_start_does(t, first);
        match state {
            ActorState::Starting | ActorState::Running => {}
            ActorState::Restarting => {
                this.script.start(Act::Sleep(LONG));
                this.queue_faults(1);
            }
            ActorState::BackingOff => this.queue_faults(2),
            ActorState::Failed | ActorState::Probing => {
                this.actor.try_tell(Do(Act::Fail)).unwrap();
                this.t.settle().await;
                this.queue_faults(1);
                this.t.advance(s(10) + ms(1)).await;
                // Its third value is there; the next fault is one too many.
                this.queue_faults(1);
            }
            ActorState::Stopping => {
                this.script.stop(Act::Sleep(LONG));
                this.t.settle().await;
                this.actor.stop();
            }
            ActorState::Stopped => this.actor.stop(),
        }
        if state == ActorState::Running && !queued.is_empty() {
            this.actor.try_tell(Do(Act::Sleep(LONG))).unwrap();
        }
        if state == ActorState::Probing {
            this.script.start(Act::Sleep(LONG));
        }
        if state < ActorState::Stopping {
            queued.iter().for_each(|&number| this.actor.try_tell(Say(number)).unwrap());
        }
        this.t.settle().await;
        if state == ActorState::Probing {
            this.t.advance(s(30)).await;
        }
        assert_eq!(this.actor.state(), state, "the way into the state");
        this
    }

    /// Puts faults into the queue without letting any of them happen yet.
    fn queue_faults(&self, count: usize) {
        (0..count).for_each(|_| self.actor.try_tell(Do(Act::Fail)).unwrap());
    }

    fn seen(&self) -> ActorSnapshot {
        self.t.inspect().actor("a").expect("it is there").clone()
    }

    fn state(&self) -> ActorState {
        self.actor.state()
    }

    fn queued(&self) -> u64 {
        self.seen().messages.queued
    }

    /// Every way to send is refused in the same way, with the message back and nothing enqueued.
    async fn assert_refused(&self, expected: Duration) {
        let before = self.seen().messages;
        let (actor, recipient) = (&self.actor, self.actor.recipient::<Say>());
        for refused in [actor.try_tell(Say(1)), actor.tell(Say(1)).await, recipient.try_tell(Say(1))] {
            let Err(TellError::Refused { retry_after, message }) = refused else { panic!("{refused:?}") };
            assert_eq!((retry_after, message), (expected, Say(1)));
        }
        let refused = actor.ask(Say(2)).await;
        let Err(AskError::Refused { retry_after, message }) = refused else { panic!("{refused:?}") };
        assert_eq!((retry_after, message), (expected, Say(2)));
        let after = self.seen().messages;
        assert_eq!((after.queued, after.refused), (before.queued, before.refused + 4), "nothing is enqueued");
        assert!(after.adds_up(), "{after:?}");
    }

    async fn end(self) {
        self.t.shutdown().await;
    }
}

#[test]
fn starting_queues_messages_and_serves_them_once_the_start_has_ended_well() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Starting, &[1]).await;
        a.actor.tell(Say(2)).await.unwrap();
        assert_eq!((a.queued(), a.seen().breaker.state), (2, BreakerState::Closed));
        assert!(a.diary.take().is_empty(), "nothing is served");
        t.advance(LONG).await;
        assert_eq!(a.diary.take(), ["a starts", "a says 1", "a says 2"]);
        assert_eq!((a.state(), a.seen().restarts, a.seen().generation), (ActorState::Running, 0, 1));
        a.end().await;
    });
}

#[test]
fn starting_is_left_by_a_failed_start_as_by_any_other_fault() {
    TestSystem::run(async |t| {
        let a = Subject::whose_first_start_does(t, Act::SleepThenFail(LONG));
        a.script.start(Act::Sleep(LONG));
        a.actor.try_tell(Say(1)).unwrap();
        t.advance(LONG + ms(1)).await;
        assert_eq!(a.state(), ActorState::Restarting);
        assert_eq!(a.seen().last_fault.map(|incident| incident.kind()), Some(FaultKind::Start));
        t.advance(LONG).await;
        assert_eq!(a.diary.take(), ["a starts", "a says 1"]);
        assert_eq!((a.state(), a.seen().faults, a.seen().restarts), (ActorState::Running, 1, 1));
        a.end().await;
    });
}

#[test]
fn starting_is_left_by_a_start_that_takes_too_long() {
    TestSystem::run(async |t| {
        let a = Subject::whose_first_start_does(t, Act::Sleep(s(3600)));
        t.advance(s(10) - ms(2)).await;
        assert_eq!(a.state(), ActorState::Starting);
        t.advance(ms(4)).await;
        assert_eq!((a.state(), a.diary.take()), (ActorState::Running, vec!["a starts".to_owned()]));
        assert_eq!(a.seen().last_fault.map(|incident| incident.kind()), Some(FaultKind::StartTimeout));
        a.end().await;
    });
}

#[test]
fn running_serves_and_is_left_by_a_fault_for_restarting() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Running, &[]).await;
        assert_eq!(a.actor.ask(Say(1)).await.unwrap(), 1);
        assert_eq!(a.seen().breaker.state, BreakerState::Closed);
        a.script.start(Act::Sleep(LONG));
        let failed = a.actor.ask(Do(Act::Panic)).await;
        let Err(AskError::Faulted(incident)) = failed else { panic!("{failed:?}") };
        assert_eq!((incident.text(), incident.generation()), ("told to panic", 1));
        assert_eq!(a.state(), ActorState::Restarting);
        a.end().await;
    });
}

#[test]
fn restarting_queues_keeps_and_serves_when_the_new_value_is_ready() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Restarting, &[1, 2]).await;
        a.actor.tell(Say(3)).await.unwrap();
        let seen = a.seen();
        assert_eq!((seen.messages.queued, seen.breaker.state), (3, BreakerState::Closed));
        assert_eq!((seen.breaker.totals.failures, seen.breaker.totals.trips), (1, 0), "one failure is counted");
        t.advance(LONG).await;
        assert_eq!(a.diary.take(), ["a starts", "a starts", "a says 1", "a says 2", "a says 3"]);
        assert_eq!((a.state(), a.seen().generation), (ActorState::Running, 2));
        assert!(a.seen().messages.adds_up(), "{:?}", a.seen().messages);
        a.end().await;
    });
}

#[test]
fn restarting_is_left_for_backing_off_by_a_second_fault() {
    TestSystem::run(async |t| {
        let a = Subject::new(t);
        t.settle().await;
        a.script.start(Act::SleepThenFail(LONG));
        a.queue_faults(1);
        a.actor.try_tell(Say(1)).unwrap();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Restarting);
        t.advance(LONG).await;
        assert_eq!((a.state(), a.queued()), (ActorState::BackingOff, 1));
        a.end().await;
    });
}

#[test]
fn backing_off_refuses_what_is_new_keeps_what_is_queued_and_serves_it_after_the_delay() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::BackingOff, &[1, 2]).await;
        assert_eq!((a.queued(), a.seen().breaker.state), (2, BreakerState::Open));
        // One millisecond has passed while it settled.
        a.assert_refused(s(10) - ms(1)).await;
        t.advance(s(4)).await;
        a.assert_refused(s(6) - ms(1)).await;
        assert_eq!(a.diary.take(), ["a starts", "a starts"]);
        a.script.start(Act::Sleep(LONG));
        t.advance(s(6)).await;
        assert_eq!(a.state(), ActorState::Restarting, "the delay is over");
        a.actor.try_tell(Say(3)).unwrap();
        t.advance(LONG).await;
        assert_eq!(a.diary.take(), ["a starts", "a says 1", "a says 2", "a says 3"]);
        assert_eq!((a.state(), a.seen().generation), (ActorState::Running, 3));
        a.end().await;
    });
}

#[test]
fn failed_refuses_keeps_the_queue_and_gets_out_without_operator_or_sender() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Failed, &[1, 2]).await;
        assert_eq!((a.queued(), a.seen().breaker.state, a.seen().breaker.totals.trips), (2, BreakerState::Open, 1));
        a.assert_refused(s(30) - ms(1)).await;
        t.advance(s(29)).await;
        a.assert_refused(s(1) - ms(1)).await;
        a.diary.take();
        a.script.start(Act::Sleep(LONG));
        t.advance(s(1)).await;
        assert_eq!((a.state(), a.seen().breaker.state), (ActorState::Probing, BreakerState::HalfOpen));
        t.advance(LONG).await;
        assert_eq!(a.diary.take(), ["a starts", "a says 1", "a says 2"], "the queue was the test");
        assert_eq!((a.state(), a.seen().breaker.state), (ActorState::Running, BreakerState::Closed));
        a.end().await;
    });
}

#[test]
fn in_failed_deadlines_and_times_to_live_still_run() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Running, &[]).await;
        // Three faults, so that what is behind them in the queue waits in `Failed`.
        a.queue_faults(3);
        let began = t.now();
        let asked = a.actor.ask(Say(1)).timeout(s(20));
        a.actor.tell(Say(2)).ttl(s(20)).await.unwrap();
        a.actor.tell(Say(3)).await.unwrap();
        let answer = asked.await;
        assert!(matches!(answer, Err(AskError::Timeout { stage: Stage::Queue })), "{answer:?}");
        assert_eq!((t.now() - began).as_secs(), 20, "the asker was not kept waiting");
        assert_eq!(a.state(), ActorState::Failed);
        a.diary.take();
        t.advance(s(30)).await;
        assert_eq!(a.diary.take(), ["a starts", "a says 3"]);
        let counts = a.seen().messages;
        assert_eq!((counts.abandoned, counts.expired), (1, 1), "{counts:?}");
        assert!(counts.adds_up(), "{counts:?}");
        a.end().await;
    });
}

#[test]
fn failed_is_left_at_once_by_a_manual_reset() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Failed, &[1]).await;
        a.diary.take();
        a.script.start(Act::Sleep(LONG));
        a.actor.breaker().reset();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Restarting);
        t.advance(LONG).await;
        assert_eq!(
            (a.state(), a.diary.take()),
            (ActorState::Running, vec!["a starts".to_owned(), "a says 1".to_owned()])
        );
        // What led here is forgotten: the first fault restarts at once again.
        let _ = a.actor.ask(Do(Act::Fail)).await;
        assert_eq!(a.actor.ask(Say(2)).await.unwrap(), a.seen().generation);
        a.end().await;
    });
}

#[test]
fn backing_off_is_left_at_once_by_a_manual_reset() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::BackingOff, &[1]).await;
        a.actor.breaker().reset();
        t.settle().await;
        assert_eq!((a.state(), a.diary.take().last().cloned()), (ActorState::Running, Some("a says 1".to_owned())));
        a.end().await;
    });
}

#[test]
fn probing_without_a_queue_lets_one_new_message_pass_and_runs_when_that_ends_well() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Probing, &[]).await;
        t.advance(LONG).await;
        assert_eq!((a.state(), a.seen().breaker.state), (ActorState::Probing, BreakerState::HalfOpen));
        let generation = a.seen().generation;
        a.actor.tell(Do(Act::Sleep(LONG))).await.expect("the probe");
        a.assert_refused(ms(1)).await;
        t.settle().await;
        a.assert_refused(ms(1)).await;
        t.advance(LONG).await;
        assert_eq!((a.state(), a.seen().breaker.state), (ActorState::Running, BreakerState::Closed));
        assert_eq!(a.seen().generation, generation, "entering was the restart, closing is none");
        for number in 0..3 {
            a.actor.try_tell(Say(number)).expect("everyone may pass");
        }
        a.end().await;
    });
}

#[test]
fn probing_with_a_queue_refuses_what_is_new_until_the_first_of_it_has_ended_well() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Failed, &[1]).await;
        // Before the reset time is over nobody can send, so what is queued decides about the probe.
        a.diary.take();
        a.script.start(Act::Sleep(LONG));
        t.advance(s(30)).await;
        assert_eq!((a.state(), a.queued()), (ActorState::Probing, 1));
        a.assert_refused(ms(1)).await;
        t.advance(LONG).await;
        assert_eq!(
            (a.state(), a.diary.take()),
            (ActorState::Running, vec!["a starts".to_owned(), "a says 1".to_owned()])
        );
        a.end().await;
    });
}

#[test]
fn probing_is_left_for_failed_with_a_longer_reset_by_a_probe_that_fails() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Probing, &[]).await;
        t.advance(LONG).await;
        let failed = a.actor.ask(Do(Act::Fail)).await;
        assert!(matches!(failed, Err(AskError::Faulted(_))), "{failed:?}");
        assert_eq!(a.state(), ActorState::Failed);
        a.assert_refused(s(60)).await;
        t.advance(s(60) + ms(1)).await;
        assert_eq!(a.state(), ActorState::Probing);
        a.actor.ask(Say(1)).await.expect("the second probe");
        assert_eq!(a.state(), ActorState::Running);
        a.end().await;
    });
}

#[test]
fn probing_is_left_for_failed_with_a_longer_reset_by_a_start_that_fails() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Failed, &[1]).await;
        a.script.start(Act::Panic);
        t.advance(s(30)).await;
        assert_eq!((a.state(), a.queued()), (ActorState::Failed, 1));
        a.diary.take();
        t.advance(s(60)).await;
        assert_eq!(
            (a.state(), a.diary.take()),
            (ActorState::Running, vec!["a starts".to_owned(), "a says 1".to_owned()])
        );
        a.end().await;
    });
}

#[test]
fn probing_that_is_reset_by_hand_runs_only_when_its_start_has_ended_well() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Probing, &[1]).await;
        a.actor.breaker().reset();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Restarting, "`started` of the new value still waits");
        a.actor.try_tell(Say(2)).expect("the breaker is closed");
        t.advance(LONG).await;
        assert_eq!(a.state(), ActorState::Running);
        let said = a.diary.take();
        assert_eq!(said[said.len() - 2..], ["a says 1", "a says 2"]);
        a.end().await;
    });
}

#[test]
fn a_probing_actor_that_was_started_runs_after_a_reset_by_hand() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Probing, &[]).await;
        t.advance(LONG).await;
        a.actor.breaker().reset();
        t.settle().await;
        assert_eq!((a.state(), a.seen().breaker.state), (ActorState::Running, BreakerState::Closed));
        for number in 0..3 {
            a.actor.try_tell(Say(number)).expect("everyone may pass");
        }
        a.end().await;
    });
}

#[test]
fn stopping_by_drain_refuses_what_is_new_and_serves_what_is_queued() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Running, &[1, 2]).await;
        a.actor.drain();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Stopping);
        assert_handed_back(&a.actor, ActorState::Stopping).await;
        assert_eq!(a.actor.ended().await, StopReason::Drained);
        assert_eq!(a.diary.take(), ["a starts", "a says 1", "a says 2", "a stops: drained"]);
        assert_eq!(t.system().dead_letters().total(), 0);
        assert_eq!(a.state(), ActorState::Stopped);
        a.end().await;
    });
}

#[test]
fn stopping_by_stop_finishes_the_turn_and_buries_the_queue() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Running, &[1, 2]).await;
        let in_turn = t.now();
        a.actor.stop();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Stopping);
        assert_handed_back(&a.actor, ActorState::Stopping).await;
        assert_eq!(a.actor.ended().await, StopReason::Stopped);
        assert_eq!((t.now() - in_turn).as_secs(), LONG.as_secs() - 1, "the running turn was finished");
        assert_eq!(a.diary.take(), ["a starts", "a stops: stopped"]);
        assert_dead(t, DeadReason::Stopped, 2);
        a.end().await;
    });
}

#[test]
fn stopping_by_kill_drops_the_turn_at_once_and_buries_it_with_the_queue() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Running, &[1, 2]).await;
        let before = t.now();
        a.actor.kill();
        assert_eq!(a.actor.ended().await, StopReason::Killed);
        assert_eq!(t.now(), before, "nothing was waited for");
        assert_eq!(a.diary.take(), ["a starts"], "`stopped` is not for a value that was killed");
        assert_dead(t, DeadReason::Stopped, 2);
        assert_dead(t, DeadReason::Killed, 1);
        a.end().await;
    });
}

#[test]
fn a_drain_can_be_hurried_by_a_stop_and_that_by_a_kill() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Running, &[1, 2]).await;
        a.actor.drain();
        t.settle().await;
        a.actor.stop();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Stopping);
        a.actor.drain();
        t.settle().await;
        a.actor.kill();
        assert_eq!(a.actor.ended().await, StopReason::Killed);
        assert_dead(t, DeadReason::Stopped, 2);
        assert_dead(t, DeadReason::Killed, 1);
        a.end().await;
    });
}

#[test]
fn a_goodbye_that_waits_can_be_cut_short_by_a_kill() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Stopping, &[]).await;
        let before = t.now();
        a.actor.kill();
        a.actor.ended().await;
        assert_eq!((t.now(), a.state()), (before, ActorState::Stopped));
        assert_eq!(a.diary.take(), ["a starts"]);
        a.end().await;
    });
}

#[test]
fn from_every_state_but_stopped_all_three_ends_lead_through_stopping_to_stopped() {
    let ends: [(&str, fn(&ActorRef<Puppet>)); 3] =
        [("stop", ActorRef::stop), ("drain", ActorRef::drain), ("kill", ActorRef::kill)];
    for state in LASTING {
        for (how, end) in ends {
            TestSystem::run(async |t| {
                let a = Subject::in_state(t, state, &[]).await;
                end(&a.actor);
                a.actor.ended().await;
                assert_eq!(a.state(), ActorState::Stopped, "{how} in {state}");
                assert_handed_back(&a.actor, ActorState::Stopped).await;
                assert!(t.inspect().actor("a").is_none(), "{how} in {state}");
                a.end().await;
            });
        }
    }
}

#[test]
fn without_a_working_value_a_drain_is_a_stop() {
    use ActorState::{BackingOff, Failed, Probing, Restarting, Starting};
    for state in [Starting, Restarting, BackingOff, Failed, Probing] {
        TestSystem::run(async |t| {
            let a = Subject::in_state(t, state, &[1, 2]).await;
            a.diary.take();
            let before = t.now();
            a.actor.drain();
            assert_eq!(a.actor.ended().await, StopReason::Stopped, "in {state} nothing was drained");
            assert_eq!(t.now(), before, "in {state} nothing is waited for");
            assert_dead(t, DeadReason::Stopped, 2);
            assert_eq!(a.diary.take(), [""; 0], "in {state} there is no value to say goodbye");
            a.end().await;
        });
    }
}

#[test]
fn a_probe_under_way_is_finished_by_a_stop_and_the_actor_does_not_run_again() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Probing, &[]).await;
        t.advance(LONG).await;
        a.script.stop(Act::Sleep(LONG));
        a.actor.tell(Do(Act::Sleep(LONG))).await.unwrap();
        t.settle().await;
        a.actor.stop();
        t.advance(LONG).await;
        assert_eq!(a.state(), ActorState::Stopping, "`stopped` still waits");
        assert_handed_back(&a.actor, ActorState::Stopping).await;
        assert_eq!(a.actor.ended().await, StopReason::Stopped);
        a.end().await;
    });
}

#[test]
fn a_probe_that_stops_its_actor_leaves_it_stopping() {
    TestSystem::run(async |t| {
        let a = Subject::in_state(t, ActorState::Probing, &[]).await;
        t.advance(LONG).await;
        a.script.stop(Act::Sleep(LONG));
        a.actor.ask(Do(Act::Stop)).await.unwrap();
        t.settle().await;
        assert_eq!(a.state(), ActorState::Stopping);
        assert_handed_back(&a.actor, ActorState::Stopping).await;
        assert_eq!(a.actor.ended().await, StopReason::Stopped);
        a.end().await;
    });
}

#[test]
fn opening_never_takes_the_rest_of_the_tree_along() {
    TestSystem::run(async |t| {
        let diary = Diary::default();
        let sibling = t.spawn(Script::new("b", &diary).child());
        let a = Subject::in_state(t, ActorState::Failed, &[]).await;
        assert_eq!(sibling.ask(Say(1)).await.unwrap(), 1);
        let root = t.inspect().actor("root").expect("the root supervisor").clone();
        assert_eq!((root.state, root.restarts, root.faults), (ActorState::Running, 0, 0));
        a.end().await;
    });
}

#[test]
fn what_is_observed_keeps_adding_up_in_every_state() {
    for state in LASTING {
        TestSystem::run(async |t| {
            let a = Subject::in_state(t, state, &[1, 2, 3]).await;
            let seen = a.seen().messages;
            assert!(seen.adds_up(), "in {state}: {seen:?}");
            a.end().await;
        });
    }
}

/// Every way to send gives the message back, with the reason that belongs to the state.
async fn assert_handed_back(actor: &ActorRef<Puppet>, state: ActorState) {
    let stopped = state == ActorState::Stopped;
    for refused in [actor.try_tell(Say(7)), actor.tell(Say(7)).await] {
        let error = refused.expect_err("it takes nothing");
        assert_eq!(matches!(error, TellError::Stopped(_)), stopped, "{error:?}");
        assert_eq!(matches!(error, TellError::ShuttingDown(_)), !stopped, "{error:?}");
        assert_eq!(error.into_message(), Say(7));
    }
    let error = actor.ask(Say(8)).await.expect_err("it answers nothing");
    assert_eq!(matches!(error, AskError::ShuttingDown(_)), !stopped, "{error:?}");
    assert_eq!(error.into_message(), Some(Say(8)));
}

fn assert_dead(t: &TestSystem, reason: DeadReason, count: u64) {
    let counts = t.system().dead_letters().counts();
    assert_eq!(counts.get(&reason).copied().unwrap_or(0), count, "{counts:?}");
}
