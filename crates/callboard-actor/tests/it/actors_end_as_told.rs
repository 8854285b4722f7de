//! Promise 9: stop. A drain finishes the queue, a stop finishes the running turn, a kill drops it at its next await; the
//! value says goodbye in the first two; and whoever waits for the end is told why.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, Child, Context, DeadReason, Drain, Fault, Handler, Message, Restart, StopReason,
    SyncHandler, System, TellError, block_on, child,
};
use futures::poll;
use tokio::sync::oneshot;

use crate::common::{Held, Hold, Log, Note, hold};

const SECOND: Duration = Duration::from_secs(1);

/// How its value says goodbye.
#[derive(Clone, Copy)]
enum Goodbye {
    Short,
    Endless,
    Panics,
}

/// Writes down what happens to it.
struct Guest {
    log: Log<String>,
    goodbye: Goodbye,
}

impl Actor for Guest {
    async fn stopped(self, why: StopReason) {
        self.log.write(format!("stopped: {why}"));
        match self.goodbye {
            Goodbye::Short => {}
            Goodbye::Endless => std::future::pending().await,
            Goodbye::Panics => panic!("no goodbye"),
        }
    }
}

impl SyncHandler<Note> for Guest {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.log.write(format!("note {}", note.0));
        Ok(note.0)
    }
}

/// Writes down when it is dropped.
struct Dropped(Log<String>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.write("the turn was dropped".to_owned());
    }
}

impl Handler<Hold> for Guest {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        let dropped = Dropped(self.log.clone());
        hold.run().await;
        std::mem::forget(dropped);
        self.log.write("the turn ended".to_owned());
        Ok(())
    }
}

/// Ends its own actor.
#[derive(Message)]
enum Leave {
    Stop,
    Exit,
    StopAndFail,
}

impl SyncHandler<Leave> for Guest {
    fn handle(&mut self, leave: Leave, cx: &mut Context<Self>) -> Result<(), Fault> {
        match leave {
            Leave::Exit => cx.exit(),
            Leave::Stop | Leave::StopAndFail => cx.stop(),
        }
        if matches!(leave, Leave::StopAndFail) { Err(Fault::permanent("it failed all the same")) } else { Ok(()) }
    }
}

fn guest(log: &Log<String>, goodbye: Goodbye) -> Child<Guest> {
    let log = log.clone();
    child("guest", move || Guest { log: log.clone(), goodbye })
}

/// A guest in the middle of a turn, with two messages behind it.
async fn busy(t: &TestSystem, log: &Log<String>) -> (ActorRef<Guest>, Held) {
    let guest = t.spawn(guest(log, Goodbye::Short));
    let (hold, mut held) = hold();
    guest.tell(hold).await.expect("there is room");
    held.began().await;
    for number in 1..=2 {
        guest.tell(Note(number)).await.expect("there is room");
    }
    (guest, held)
}

fn dead(t: &TestSystem) -> Vec<DeadReason> {
    t.system().dead_letters().list().iter().map(|letter| letter.reason).collect()
}

#[test]
fn a_drain_finishes_the_queue_and_refuses_what_is_new() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (guest, held) = busy(t, &log).await;
        guest.drain();
        t.settle().await;
        let TellError::ShuttingDown(back) = guest.tell(Note(9)).await.unwrap_err() else { panic!("it drains") };
        assert_eq!((back, guest.state()), (Note(9), ActorState::Stopping));
        held.let_go();
        let recipient = guest.recipient::<Note>();
        assert!(!recipient.has_ended());
        assert_eq!(guest.ended().await, StopReason::Drained);
        assert!(recipient.has_ended());
        assert_eq!(log.read(), ["the turn ended", "note 1", "note 2", "stopped: drained"]);
        assert_eq!(dead(t), []);
        t.shutdown().await;
    });
}

#[test]
fn a_stop_finishes_the_turn_and_buries_the_queue() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (guest, held) = busy(t, &log).await;
        guest.stop();
        t.settle().await;
        assert!(matches!(guest.tell(Note(9)).await, Err(TellError::ShuttingDown(Note(9)))));
        held.let_go();
        assert_eq!(guest.ended().await, StopReason::Stopped);
        assert!(matches!(guest.tell(Note(9)).await, Err(TellError::Stopped(Note(9)))));
        assert_eq!(log.read(), ["the turn ended", "stopped: stopped"]);
        assert_eq!(dead(t), [DeadReason::Stopped; 2]);
        t.shutdown().await;
    });
}

#[test]
fn a_kill_drops_the_turn_at_its_await_and_lets_nobody_say_goodbye() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (guest, _held) = busy(t, &log).await;
        guest.kill();
        assert_eq!(guest.ended().await, StopReason::Killed);
        assert_eq!(log.read(), ["the turn was dropped"]);
        assert_eq!(dead(t), [DeadReason::Killed, DeadReason::Stopped, DeadReason::Stopped]);
        t.shutdown().await;
    });
}

#[test]
fn an_actor_can_end_itself_whatever_its_restart_type() {
    for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
        TestSystem::run(async |t| {
            let log = Log::default();
            let guest = t.spawn(guest(&log, Goodbye::Short).restart(restart));
            guest.ask(Leave::Stop).await.unwrap();
            assert_eq!(guest.ended().await, StopReason::Stopped);
            assert_eq!(log.read(), ["stopped: stopped"]);
            t.shutdown().await;
        });
    }
}

#[test]
fn a_value_that_exits_begins_anew_only_in_a_permanent_actor() {
    for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
        TestSystem::run(async |t| {
            let log = Log::default();
            let guest = t.spawn(guest(&log, Goodbye::Short).restart(restart));
            guest.ask(Leave::Exit).await.unwrap();
            if restart == Restart::Permanent {
                assert_eq!(guest.ask(Note(1)).await.unwrap(), 1);
                assert_eq!(t.inspect().actor("guest").unwrap().generation, 2);
            } else {
                assert_eq!(guest.ended().await, StopReason::Finished);
            }
            t.shutdown().await;
        });
    }
}

#[test]
fn a_turn_that_fails_does_not_end_its_actor_although_it_said_so() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), Goodbye::Short));
        assert!(guest.ask(Leave::StopAndFail).await.is_err());
        assert_eq!(guest.ask(Note(1)).await.unwrap(), 1);
        t.shutdown().await;
    });
}

#[test]
fn a_goodbye_has_a_time_limit_and_may_panic() {
    for (goodbye, at_most) in [(Goodbye::Endless, 3 * SECOND), (Goodbye::Panics, SECOND / 10)] {
        TestSystem::run(async |t| {
            let guest = t.spawn(guest(&Log::default(), goodbye).start_limit(2 * SECOND));
            guest.ask(Note(1)).await.unwrap();
            let began = t.now();
            guest.stop();
            assert_eq!(guest.ended().await, StopReason::Stopped);
            assert!(t.now() - began < at_most, "it took {:?}", t.now() - began);
            t.shutdown().await;
        });
    }
}

#[test]
fn an_end_is_told_to_everyone_who_waits_before_and_after() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), Goodbye::Short));
        let (mut one, mut other) = (pin!(guest.ended()), pin!(guest.ended()));
        assert!(poll!(&mut one).is_pending() && poll!(&mut other).is_pending());
        drop(guest.ended());
        guest.stop();
        guest.kill();
        guest.drain();
        assert_eq!((one.await, other.await), (StopReason::Stopped, StopReason::Stopped));
        assert_eq!(guest.ended().await, StopReason::Stopped, "the first word counts");
        guest.kill();
        assert_eq!((guest.ended().await, guest.state()), (StopReason::Stopped, ActorState::Stopped));
        t.shutdown().await;
    });
}

#[test]
fn a_weak_reference_does_not_keep_an_ended_actor() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), Goodbye::Short));
        let weak = guest.downgrade();
        assert_eq!(weak.upgrade().as_ref(), Some(&guest));
        guest.stop();
        guest.ended().await;
        t.settle().await;
        drop(guest);
        assert!(weak.upgrade().is_none());
        t.shutdown().await;
    });
}

/// On threads: stops meet senders in the middle of their work.
#[test]
fn an_end_reaches_waiting_threads() {
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        for kill in [false, true] {
            let (guest, (hold, mut held)) = (system.spawn(guest(&Log::default(), Goodbye::Short).bound(1)), hold());
            guest.tell(hold).await.unwrap();
            held.began().await;
            guest.tell(Note(1)).await.unwrap();
            let (blocked, waits) = oneshot::channel();
            std::thread::scope(|scope| {
                let ended = scope.spawn(|| block_on(guest.ended()));
                let told = scope.spawn(|| {
                    let mut tell = Box::pin(guest.tell(Note(2)).into_future());
                    assert!(block_on(async { poll!(&mut tell) }).is_pending());
                    blocked.send(()).unwrap();
                    block_on(tell)
                });
                block_on(waits).unwrap();
                if kill {
                    guest.kill()
                } else {
                    guest.stop()
                }
                held.let_go();
                assert_eq!(told.join().unwrap().unwrap_err().into_message(), Note(2));
                assert_eq!(ended.join().unwrap(), if kill { StopReason::Killed } else { StopReason::Stopped });
            });
        }
        system.shutdown(Drain::default()).await;
    });
}
