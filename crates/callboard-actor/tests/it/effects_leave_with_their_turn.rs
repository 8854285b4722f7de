//! Promise 15: effects. What goes through the context leaves in order when the turn ends well and is dropped when it
//! does not; a commit holds effects and reply until it has succeeded.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::{Probe, TestSystem};
use callboard_actor::{
    Actor, ActorRef, AskError, Backoff, Child, Context, DeadReason, Fault, FaultKind, Handler, Message, Overflow,
    Recipient, StopReason, SyncHandler, child,
};
use futures::poll;
use tokio::sync::oneshot;

use crate::common::{Desk, Held, Hold, Log, NOTHING, Note, counts, desk, hold};

const SECOND: Duration = Duration::from_secs(1);

/// How a turn is to end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Well,
    Fault,
    Panic,
}

/// Sends numbers to a probe, in the ways that a turn has.
struct Clerk(Recipient<Note>);

impl Actor for Clerk {}

/// Sends, schedules and tells; then the turn ends so.
#[derive(Message)]
struct Work(End);

impl SyncHandler<Work> for Clerk {
    fn handle(&mut self, work: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send(&self.0, Note(1));
        cx.schedule(&self.0, 2 * SECOND, Note(20));
        cx.schedule(&self.0, SECOND, Note(10));
        cx.send(&self.0, Note(2));
        self.0.try_tell(Note(0)).map_err(|error| Fault::permanent(error.to_string()))?;
        match work.0 {
            End::Well => Ok(()),
            End::Fault => Err(Fault::permanent("it was to fail")),
            End::Panic => panic!("it was to panic"),
        }
    }
}

/// Sends two numbers around a wait.
#[derive(Message)]
struct Slow(Hold);

impl Handler<Slow> for Clerk {
    async fn handle(&mut self, slow: Slow, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send(&self.0, Note(1));
        slow.0.run().await;
        cx.send(&self.0, Note(2));
        Ok(())
    }
}

/// Has the reply and one effect wait for a commit.
#[derive(Message)]
#[message(reply = &'static str)]
struct Commit(oneshot::Receiver<End>);

impl SyncHandler<Commit> for Clerk {
    fn handle(&mut self, commit: Commit, cx: &mut Context<Self>) -> Result<&'static str, Fault> {
        cx.send(&self.0, Note(1));
        cx.commit_with(async move {
            match commit.0.await {
                Ok(End::Well) => Ok(()),
                _ => Err(Fault::retryable("the disk is full")),
            }
        });
        cx.send(&self.0, Note(2));
        Ok("committed")
    }
}

/// Is answered at once.
#[derive(Message)]
struct Ping;

impl SyncHandler<Ping> for Clerk {
    fn handle(&mut self, _: Ping, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

fn clerk(t: &TestSystem, change: impl FnOnce(Child<Clerk>) -> Child<Clerk>) -> (ActorRef<Clerk>, Probe<Note>) {
    let probe = t.probe();
    let to = probe.recipient();
    (t.spawn(change(child("clerk", move || Clerk(to.clone())))), probe)
}

fn numbers(probe: &Probe<Note>) -> Vec<u64> {
    probe.take().into_iter().map(|note| note.0).collect()
}

/// A turn that has begun and waits.
async fn begun(clerk: &ActorRef<Clerk>) -> Held {
    let (hold, mut held) = hold();
    clerk.tell(Slow(hold)).await.expect("there is room");
    held.began().await;
    held
}

#[test]
fn a_turn_that_ends_well_lets_its_effects_leave_in_order() {
    TestSystem::run(async |t| {
        let (clerk, probe) = clerk(t, |clerk| clerk);
        clerk.ask(Work(End::Well)).await.unwrap();
        t.settle().await;
        assert_eq!(numbers(&probe), [0, 1, 2], "a tell acts at once, effects at the end");
        t.advance(10 * SECOND).await;
        assert_eq!(numbers(&probe), [10, 20]);
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_fails_has_no_effects() {
    for end in [End::Fault, End::Panic] {
        TestSystem::run(async |t| {
            let (clerk, probe) = clerk(t, |clerk| clerk);
            assert!(clerk.ask(Work(end)).await.is_err());
            t.advance(10 * SECOND).await;
            assert_eq!(numbers(&probe), [0], "{end:?}: what acted at once stays");
            clerk.ask(Work(End::Well)).await.unwrap();
            t.settle().await;
            assert_eq!(numbers(&probe), [0, 1, 2], "{end:?}: and the next turn has only its own");
            t.shutdown().await;
        });
    }
}

#[test]
fn nothing_leaves_before_the_turn_has_ended() {
    TestSystem::run(async |t| {
        let (clerk, probe) = clerk(t, |clerk| clerk);
        let held = begun(&clerk).await;
        probe.expect_none(60 * SECOND).await;
        held.let_go();
        t.settle().await;
        assert_eq!(numbers(&probe), [1, 2]);
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_is_cut_short_has_no_effects() {
    TestSystem::run(async |t| {
        let (clerk, probe) = clerk(t, |clerk| clerk.turn_limit(SECOND));
        let _held = begun(&clerk).await;
        t.advance(2 * SECOND).await;
        let _held_too = begun(&clerk).await;
        clerk.kill();
        assert_eq!(clerk.ended().await, StopReason::Killed);
        t.advance(2 * SECOND).await;
        assert_eq!(numbers(&probe), NOTHING);
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_stops_its_actor_still_has_its_effects() {
    struct Last(Recipient<Note>);
    impl Actor for Last {}
    impl SyncHandler<Ping> for Last {
        fn handle(&mut self, _: Ping, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.send(&self.0, Note(1));
            cx.stop();
            cx.send(&self.0, Note(2));
            Ok(())
        }
    }
    TestSystem::run(async |t| {
        let probe = t.probe::<Note>();
        let to = probe.recipient();
        let last = t.spawn(move || Last(to.clone()));
        last.tell(Ping).await.unwrap();
        last.ended().await;
        t.settle().await;
        assert_eq!(numbers(&probe), [1, 2]);
        t.shutdown().await;
    });
}

#[test]
fn what_was_scheduled_goes_with_the_value_that_scheduled_it() {
    TestSystem::run(async |t| {
        let backoff = Backoff::fixed(30 * SECOND);
        let (clerk, probe) = clerk(t, |clerk| clerk.backoff(backoff));
        clerk.ask(Work(End::Well)).await.unwrap();
        assert!(clerk.ask(Work(End::Panic)).await.is_err());
        t.advance(10 * SECOND).await;
        assert_eq!(numbers(&probe), [0, 1, 2, 0], "a restart ends the timers");
        clerk.ask(Work(End::Well)).await.unwrap();
        assert!(clerk.ask(Work(End::Panic)).await.is_err());
        t.advance(10 * SECOND).await;
        assert_eq!(numbers(&probe), [0, 1, 2, 0], "so does a back-off, before there is a new value");
        t.shutdown().await;
    });
}

#[test]
fn what_was_scheduled_goes_with_its_actor() {
    for kill in [false, true] {
        TestSystem::run(async |t| {
            let (clerk, probe) = clerk(t, |clerk| clerk);
            clerk.ask(Work(End::Well)).await.unwrap();
            if kill {
                clerk.kill()
            } else {
                clerk.stop()
            }
            clerk.ended().await;
            t.advance(10 * SECOND).await;
            assert_eq!(numbers(&probe), [0, 1, 2]);
            t.shutdown().await;
        });
    }
}

#[test]
fn a_commit_holds_reply_effects_and_the_next_turn() {
    TestSystem::run(async |t| {
        let (clerk, probe) = clerk(t, |clerk| clerk);
        let (commit, committed) = oneshot::channel();
        let mut asked = pin!(clerk.ask(Commit(committed)).into_future());
        assert!(poll!(&mut asked).is_pending());
        let mut next = pin!(clerk.ask(Ping).into_future());
        assert!(poll!(&mut next).is_pending());
        probe.expect_none(5 * SECOND).await;
        assert!(poll!(&mut asked).is_pending() && poll!(&mut next).is_pending());
        commit.send(End::Well).unwrap();
        assert_eq!(asked.await.unwrap(), "committed");
        next.await.unwrap();
        t.settle().await;
        assert_eq!(numbers(&probe), [1, 2]);
        assert!(counts(t.system(), "clerk").adds_up());
        t.shutdown().await;
    });
}

#[test]
fn a_commit_that_fails_fails_the_turn() {
    TestSystem::run(async |t| {
        let (clerk, probe) = clerk(t, |clerk| clerk);
        let (commit, committed) = oneshot::channel();
        let mut asked = pin!(clerk.ask(Commit(committed)).into_future());
        assert!(poll!(&mut asked).is_pending());
        commit.send(End::Fault).unwrap();
        let Err(AskError::Faulted(incident)) = asked.await else { panic!("the commit failed") };
        assert_eq!((incident.text(), incident.kind()), ("the disk is full", FaultKind::Error));
        assert!(incident.message().is_some_and(|message| message.ends_with("::Commit")));
        t.advance(SECOND).await;
        assert_eq!(numbers(&probe), NOTHING);
        let seen = t.inspect().actor("clerk").unwrap().clone();
        assert_eq!((seen.restarts, seen.messages.quarantined), (1, 1));
        assert!(seen.messages.adds_up(), "{:?}", seen.messages);
        t.shutdown().await;
    });
}

#[test]
fn a_turn_that_fails_commits_nothing() {
    struct Careless(Log);
    impl Actor for Careless {}
    impl SyncHandler<Work> for Careless {
        fn handle(&mut self, work: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
            let log = self.0.clone();
            cx.commit_with(async move {
                log.write(1);
                Ok(())
            });
            if work.0 == End::Panic {
                panic!("after the commit was handed over")
            }
            Err(Fault::permanent("after the commit was handed over"))
        }
    }
    impl SyncHandler<Ping> for Careless {
        fn handle(&mut self, _: Ping, _: &mut Context<Self>) -> Result<(), Fault> {
            Ok(())
        }
    }
    TestSystem::run(async |t| {
        let log = Log::default();
        let mine = log.clone();
        let careless = t.spawn(child("careless", move || Careless(mine.clone())).backoff(Backoff::none()));
        for end in [End::Fault, End::Panic] {
            assert!(careless.ask(Work(end)).await.is_err());
        }
        careless.ask(Ping).await.unwrap();
        assert_eq!(log.read(), NOTHING);
        t.shutdown().await;
    });
}

#[test]
fn an_effect_that_finds_no_room_becomes_a_dead_letter() {
    for overflow in [Overflow::Wait, Overflow::Reject] {
        TestSystem::run(async |t| {
            let log = Log::default();
            let desk: ActorRef<Desk> = t.spawn(child("desk", desk(&log)).bound(1).overflow(overflow));
            let (hold, mut held) = hold();
            desk.tell(hold).await.unwrap();
            held.began().await;
            let to = desk.recipient();
            let clerk = t.spawn(move || Clerk(to.clone()));
            clerk.ask(Work(End::Well)).await.unwrap();
            held.let_go();
            t.settle().await;
            let dead = t.system().dead_letters().list();
            assert_eq!(dead.iter().map(|letter| letter.reason).collect::<Vec<_>>(), [DeadReason::Refused; 2]);
            assert!(dead.iter().all(|letter| letter.actor == "desk" && letter.message.ends_with("::Note")));
            let counts = counts(t.system(), "desk");
            assert!(counts.adds_up(), "{counts:?}");
            assert_eq!((counts.sent, counts.handled, counts.dead, counts.refused), (4, 2, 2, 0), "{counts:?}");
            t.shutdown().await;
        });
    }
}

#[test]
fn effects_of_a_start_leave_when_it_has_ended_well() {
    struct Starter {
        to: Recipient<Note>,
        log: Log,
    }
    impl Actor for Starter {
        async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
            self.log.write(1);
            cx.send(&self.to, Note(cx.generation()));
            tokio::time::sleep(SECOND).await;
            if cx.generation() == 1 { Err(Fault::retryable("the first start fails")) } else { Ok(()) }
        }
    }
    TestSystem::run(async |t| {
        let (probe, log) = (t.probe::<Note>(), Log::default());
        let (to, starts) = (probe.recipient(), log.clone());
        let _starter = t.spawn(move || Starter { to: to.clone(), log: starts.clone() });
        t.advance(5 * SECOND).await;
        assert_eq!((numbers(&probe), log.read().len()), (vec![2], 2));
        t.shutdown().await;
    });
}
