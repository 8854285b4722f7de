//! Promise 12: ask. The deadline is absolute and ours to keep; a timeout says how far the message had come; an ask that
//! nobody waits for any more is dropped before it runs; and when the receiver dies or faults the asker knows at once.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::{Duration, Instant};

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, Context, DeadReason, Drain, ErrorCode, Fault, FaultKind, Handler,
    Message, Priority, Stage, SyncHandler, System, block_on, child,
};
use futures::poll;
use tokio::sync::oneshot;

use crate::common::{Boom, Desk, Log, NOTHING, Note, busy, counts, desk, hold};

const SECOND: Duration = Duration::from_secs(1);

/// Answers only when its commit is done.
struct Ledger;

impl Actor for Ledger {}

#[derive(Message)]
#[message(reply = u64)]
struct Book(oneshot::Receiver<()>);

impl SyncHandler<Book> for Ledger {
    fn handle(&mut self, book: Book, cx: &mut Context<Self>) -> Result<u64, Fault> {
        cx.commit_with(async move {
            let _ = book.0.await;
            Ok(())
        });
        Ok(7)
    }
}

#[test]
fn a_message_that_never_left_the_queue_says_so_and_never_runs() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        let began = t.now();
        let asked = desk.ask(Note(1)).timeout(3 * SECOND).await;
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })), "{asked:?}");
        assert!((3.0..3.1).contains(&(t.now() - began).as_secs_f64()));
        held.let_go();
        assert_eq!(desk.ask(Note(2)).await.unwrap(), 2);
        assert_eq!(log.read(), [2]);
        let counts = counts(t.system(), "desk");
        assert!(counts.adds_up() && counts.abandoned + counts.expired == 1, "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_turn_under_way_means_an_unknown_outcome_and_its_late_reply_is_counted() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())));
        let (hold, held) = hold();
        let asked = desk.ask(hold).timeout(SECOND).await;
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Handler })), "{asked:?}");
        held.let_go();
        t.settle().await;
        let counts = counts(t.system(), "desk");
        assert_eq!((counts.handled, counts.late_replies), (1, 1), "{counts:?}");
        assert!(counts.adds_up(), "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn a_commit_under_way_is_the_stage_before_the_reply() {
    TestSystem::run(async |t| {
        let ledger = t.spawn(child("ledger", || Ledger));
        let (commit, committed) = oneshot::channel();
        let asked = ledger.ask(Book(committed)).timeout(SECOND).await;
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Reply })), "{asked:?}");
        commit.send(()).unwrap();
        t.settle().await;
        let counts = counts(t.system(), "ledger");
        assert_eq!((counts.handled, counts.late_replies), (1, 1), "{counts:?}");
        t.shutdown().await;
    });
}

/// Two asks of one moment have one deadline, and still each has a stage of its own.
#[test]
fn of_two_asks_with_the_same_deadline_each_has_its_own_stage() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)));
        let (hold, held) = hold();
        let running = desk.ask(hold).timeout(SECOND).into_future();
        let queued = desk.ask(Note(1)).timeout(SECOND).into_future();
        let (running, queued) = futures::join!(running, queued);
        assert!(matches!(running, Err(AskError::Timeout { stage: Stage::Handler })), "{running:?}");
        assert!(matches!(queued, Err(AskError::Timeout { stage: Stage::Queue })), "{queued:?}");
        held.let_go();
        t.settle().await;
        assert_eq!(log.read(), NOTHING);
        t.shutdown().await;
    });
}

#[derive(Message)]
#[message(timeout = "2s")]
struct Patient(oneshot::Receiver<()>);

impl Handler<Patient> for Desk {
    async fn handle(&mut self, patient: Patient, _: &mut Context<Self>) -> Result<(), Fault> {
        let _ = patient.0.await;
        Ok(())
    }
}

/// How long an ask waited, in whole tenths of a second.
async fn waited<T, E>(t: &TestSystem, ask: impl IntoFuture<Output = Result<T, E>>) -> u128 {
    let began = t.now();
    assert!(ask.await.is_err(), "nobody answers");
    (t.now() - began).as_millis() / 100
}

#[test]
fn without_a_word_an_ask_waits_30_seconds_and_the_type_or_the_call_can_say_otherwise() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, &Log::default()).await;
        assert_eq!(waited(t, desk.ask(Note(1))).await, 300);
        assert_eq!(waited(t, desk.recipient::<Note>().ask(Note(1))).await, 300);
        assert_eq!(waited(t, desk.ask(Patient(oneshot::channel().1))).await, 20);
        assert_eq!(waited(t, desk.ask(Patient(oneshot::channel().1)).timeout(5 * SECOND)).await, 50);
        held.let_go();
        t.shutdown().await;
    });
}

#[test]
fn the_default_of_the_system_can_be_changed() {
    let mut defaults = callboard_actor::Defaults::default();
    defaults.ask_timeout = 7 * SECOND;
    TestSystem::run_with(System::builder().defaults(defaults), async |t| {
        let (desk, held) = busy(t, &Log::default()).await;
        assert_eq!(waited(t, desk.ask(Note(1))).await, 70);
        held.let_go();
        t.shutdown().await;
    });
}

#[test]
fn the_default_can_be_changed_while_the_system_runs() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, &Log::default()).await;
        assert_eq!(t.system().ask_timeout(), 30 * SECOND);
        t.system().set_ask_timeout(5 * SECOND);
        assert_eq!(waited(t, desk.ask(Note(1))).await, 50);
        t.system().set_ask_timeout(Duration::ZERO);
        assert_eq!(t.system().ask_timeout(), Duration::from_millis(1));
        assert_eq!(waited(t, desk.ask(Patient(oneshot::channel().1))).await, 20, "its type says so");
        held.let_go();
        t.shutdown().await;
    });
}

#[test]
fn a_deadline_that_has_passed_already_sends_nothing() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)));
        t.settle().await;
        let asked = desk.ask(Note(1)).timeout(Duration::ZERO).await;
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })), "{asked:?}");
        t.settle().await;
        assert_eq!((log.read(), counts(t.system(), "desk").sent), (vec![], 0));
        t.shutdown().await;
    });
}

/// The timer is ours: neither of these threads has a runtime.
#[test]
fn a_plain_thread_times_out_too() {
    block_on(async {
        let system = System::builder().workers(1).start().await.unwrap();
        let desk = system.spawn(desk(&Log::default()));
        let (hold, mut held) = hold();
        desk.tell(hold).await.unwrap();
        held.began().await;
        let ask = |number| desk.ask(Note(number)).timeout(Duration::from_millis(20)).into_future();
        std::thread::scope(|scope| {
            let ours = scope.spawn(|| block_on(ask(1)));
            let other = scope.spawn(|| futures::executor::block_on(ask(2)));
            for asked in [ours.join().unwrap(), other.join().unwrap()] {
                assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })), "{asked:?}");
            }
        });
        held.let_go();
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn an_ask_that_nobody_waits_for_is_dropped_before_it_runs() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        for number in 0..5 {
            let mut ask = Box::pin(desk.ask(Note(number)).into_future());
            assert!(poll!(&mut ask).is_pending());
        }
        let mut kept = pin!(desk.ask(Note(5)).into_future());
        assert!(poll!(&mut kept).is_pending());
        held.let_go();
        assert_eq!(kept.await.unwrap(), 5);
        assert_eq!(log.read(), [5]);
        let counts = counts(t.system(), "desk");
        assert!(counts.adds_up() && counts.abandoned == 5, "{counts:?}");
        assert_eq!(t.system().dead_letters().total(), 0, "nobody wants to know");
        t.shutdown().await;
    });
}

#[test]
fn a_queued_ask_whose_receiver_ends_fails_at_once() {
    for kill in [false, true] {
        TestSystem::run(async |t| {
            let (desk, held) = busy(t, &Log::default()).await;
            let mut ask = pin!(desk.ask(Note(1)).into_future());
            assert!(poll!(&mut ask).is_pending());
            let began = t.now();
            if kill {
                desk.kill()
            } else {
                desk.stop()
            }
            held.let_go();
            let asked = ask.await;
            assert!(matches!(asked, Err(AskError::Stopped(None))), "{asked:?}");
            assert_eq!(asked.unwrap_err().code(), ErrorCode::Unavailable);
            assert!(t.now() - began < Duration::from_millis(5), "at once");
            t.shutdown().await;
        });
    }
}

#[test]
fn a_running_ask_whose_receiver_is_killed_fails_at_once() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())));
        let (hold, mut held) = hold();
        let mut ask = pin!(desk.ask(hold).into_future());
        assert!(poll!(&mut ask).is_pending());
        held.began().await;
        desk.kill();
        assert!(matches!(ask.await, Err(AskError::Stopped(None))));
        let dead = t.system().dead_letters().list();
        assert_eq!(dead.iter().map(|letter| letter.reason).collect::<Vec<_>>(), [DeadReason::Killed]);
        t.shutdown().await;
    });
}

#[test]
fn an_ended_actor_hands_the_message_back() {
    TestSystem::run(async |t| {
        let desk = t.spawn(desk(&Log::default()));
        desk.stop();
        desk.ended().await;
        let error = desk.ask(Note(1)).await.unwrap_err();
        assert!(matches!(error, AskError::Stopped(Some(Note(1)))), "{error:?}");
        assert_eq!(error.into_message(), Some(Note(1)));
        t.shutdown().await;
    });
}

#[test]
fn a_fault_reaches_its_asker_at_once_and_the_others_wait_for_the_new_value() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let backoff = Backoff::fixed(10 * SECOND);
        let desk = t.spawn(child("desk", desk(&log)).backoff(backoff));
        let began = t.now();
        assert!(desk.ask(Boom).await.is_err(), "the first fault restarts at once");
        let (hold, mut held) = hold();
        desk.tell(hold).await.unwrap();
        held.began().await;
        let queued = async { futures::join!(desk.ask(Boom).into_future(), desk.ask(Note(1)).into_future()) };
        let ((boom, note), ()) = futures::join!(queued, async { held.let_go() });
        let Err(AskError::Faulted(incident)) = boom else { panic!("{boom:?}") };
        assert_eq!((incident.text(), incident.kind(), incident.actor()), ("boom", FaultKind::Panic, "desk"));
        assert_eq!(note.unwrap(), 1, "it was queued, and kept");
        let took = (t.now() - began).as_secs_f64();
        assert!((10.0..10.1).contains(&took), "it waited for the back-off: {took}");
        t.shutdown().await;
    });
}

#[test]
fn a_fault_is_told_before_the_back_off() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())).backoff(Backoff::fixed(10 * SECOND)));
        for _ in 0..2 {
            let began = t.now();
            assert!(matches!(desk.ask(Boom).await, Err(AskError::Faulted(_))));
            assert!(t.now() - began < Duration::from_millis(5));
        }
        assert_eq!(desk.state(), ActorState::BackingOff);
        t.shutdown().await;
    });
}

#[test]
fn deadlines_run_while_the_actor_is_out_of_service() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let desk = t.spawn(child("desk", desk(&log)).intensity(0, SECOND).reset(60 * SECOND));
        let (boom, short, long) = futures::join!(
            desk.ask(Boom).into_future(),
            desk.ask(Note(1)).timeout(5 * SECOND).into_future(),
            desk.ask(Note(2)).timeout(100 * SECOND).into_future(),
        );
        assert!(matches!(boom, Err(AskError::Faulted(_))));
        assert!(matches!(short, Err(AskError::Timeout { stage: Stage::Queue })), "{short:?}");
        assert_eq!(long.unwrap(), 2, "it was the probe");
        assert_eq!(log.read(), [2]);
        t.shutdown().await;
    });
}

#[test]
fn a_turn_beyond_its_limit_fails_its_asker() {
    TestSystem::run(async |t| {
        let desk = t.spawn(child("desk", desk(&Log::default())).turn_limit(2 * SECOND));
        let (hold, _held) = hold();
        let began = t.now();
        let asked = desk.ask(hold).await;
        let Err(AskError::Faulted(incident)) = asked else { panic!("{asked:?}") };
        assert_eq!((incident.kind(), incident.code()), (FaultKind::TurnTimeout, ErrorCode::Timeout));
        assert!((2.0..2.1).contains(&(t.now() - began).as_secs_f64()));
        assert_eq!(desk.ask(Note(1)).await.unwrap(), 1);
        t.shutdown().await;
    });
}

/// The limit covers the whole turn: what its reply waits for as well.
#[test]
fn a_commit_beyond_the_turn_limit_fails_its_asker() {
    TestSystem::run(async |t| {
        let ledger = t.spawn(child("ledger", || Ledger).turn_limit(2 * SECOND));
        let (_never, committed) = oneshot::channel();
        let asked = ledger.ask(Book(committed)).await;
        let Err(AskError::Faulted(incident)) = asked else { panic!("{asked:?}") };
        assert_eq!(incident.kind(), FaultKind::TurnTimeout);
        t.shutdown().await;
    });
}

#[test]
fn an_actor_killed_in_its_commit_fails_its_asker_and_buries_the_message() {
    TestSystem::run(async |t| {
        let ledger = t.spawn(child("ledger", || Ledger));
        let (_never, committed) = oneshot::channel();
        let mut ask = pin!(ledger.ask(Book(committed)).into_future());
        assert!(poll!(&mut ask).is_pending());
        t.settle().await;
        let counts = counts(t.system(), "ledger");
        assert!(counts.adds_up() && counts.running == 1, "{counts:?}");
        ledger.kill();
        let asked = ask.await;
        assert!(matches!(asked, Err(AskError::Stopped(None))), "{asked:?}");
        assert_eq!(t.system().dead_letters().counts()[&DeadReason::Killed], 1);
        t.shutdown().await;
    });
}

/// Panics beside its turns, in a future that it spawned.
#[derive(Message)]
struct Fuse(oneshot::Receiver<()>);

impl SyncHandler<Fuse> for Ledger {
    fn handle(&mut self, fuse: Fuse, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.spawn(async move {
            let _ = fuse.0.await;
            panic!("the fuse has burnt down")
        });
        Ok(())
    }
}

#[test]
fn a_fault_beside_a_commit_fails_its_asker_and_quarantines_the_message() {
    TestSystem::run(async |t| {
        let ledger = t.spawn(child("ledger", || Ledger));
        let ((burn, fuse), (_never, committed)) = (oneshot::channel(), oneshot::channel());
        ledger.ask(Fuse(fuse)).await.unwrap();
        let mut ask = pin!(ledger.ask(Book(committed)).into_future());
        assert!(poll!(&mut ask).is_pending());
        t.settle().await;
        burn.send(()).unwrap();
        let asked = ask.await;
        assert!(matches!(&asked, Err(AskError::Faulted(incident)) if incident.kind() == FaultKind::Task), "{asked:?}");
        let counts = counts(t.system(), "ledger");
        assert!(counts.adds_up() && counts.quarantined == 1, "{counts:?}");
        t.shutdown().await;
    });
}

#[test]
fn an_asker_finds_its_fault_in_the_books() {
    block_on(async {
        let system = System::builder().workers(1).start().await.unwrap();
        let forever = child("desk", desk(&Log::default())).backoff(Backoff::none()).intensity(u32::MAX, SECOND);
        let desk = system.spawn(forever);
        for faults in 1..=500 {
            assert!(matches!(desk.ask(Boom).await, Err(AskError::Faulted(_))));
            assert_eq!(system.quarantine().total(), faults, "whoever is told finds the record");
        }
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn an_ask_can_be_made_more_urgent_and_named() {
    struct Clerk;
    impl Actor for Clerk {}
    #[derive(Message)]
    #[message(reply = (Priority, Option<String>), priority = Low)]
    struct Who;
    impl SyncHandler<Who> for Clerk {
        fn handle(&mut self, _: Who, cx: &mut Context<Self>) -> Result<(Priority, Option<String>), Fault> {
            Ok((cx.priority(), cx.idempotency_key().map(str::to_owned)))
        }
    }
    TestSystem::run(async |t| {
        let clerk = t.spawn(|| Clerk);
        let named = clerk.ask(Who).priority(Priority::High).idempotency_key("order 7").await.unwrap();
        assert_eq!(named, (Priority::High, Some("order 7".to_owned())));
        assert_eq!(clerk.ask(Who).await.unwrap(), (Priority::Low, None), "nothing stays behind");
        t.shutdown().await;
    });
}

/// What another thread has sent and what is over meanwhile does not begin either when an ask finds its receiver at rest, whose
/// patience begins at a tick of a coarse clock. On the clock of the machine, as a virtual one is always exact; a tick is more than
/// the millisecond that passes.
#[test]
fn what_is_over_does_not_begin_with_an_ask_that_is_not() {
    const BRIEF: Duration = Duration::from_micros(200);
    block_on(async {
        let log = Log::default();
        let system = System::builder().workers(1).start().await.unwrap();
        let desk = system.spawn(desk(&log));
        let asking = async move || {
            for number in 1..=20 {
                desk.ask(Note(0)).await.unwrap();
                tokio::task::yield_now().await;
                let late = desk.clone();
                let sent = std::thread::spawn(move || late.tell(Note(number)).ttl(BRIEF).at_once());
                sent.join().unwrap().unwrap();
                let since = Instant::now();
                while since.elapsed() < 5 * BRIEF {
                    std::hint::spin_loop();
                }
                desk.ask(Note(0)).await.unwrap();
            }
        };
        system.run_on(0, asking).await;
        system.shutdown(Drain::default()).await;
        assert_eq!(log.read(), [0; 40], "none of those that were over");
    });
}

/// A reply that nobody has read.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "it goes off");
    }
}

#[derive(Message)]
#[message(reply = Mine)]
struct Lay;

impl SyncHandler<Lay> for Ledger {
    fn handle(&mut self, _: Lay, cx: &mut Context<Self>) -> Result<Mine, Fault> {
        // The answer does not come in the first poll of its asker.
        cx.commit_with(async {
            tokio::task::yield_now().await;
            Ok(())
        });
        Ok(Mine)
    }
}

/// Asks and does not wait for the answer.
struct Hasty(ActorRef<Ledger>);

impl Actor for Hasty {}

#[derive(Message)]
struct Hurry;

impl Handler<Hurry> for Hasty {
    async fn handle(&mut self, _: Hurry, cx: &mut Context<Self>) -> Result<(), Fault> {
        let mut asked = Box::pin(self.0.ask(Lay).into_future());
        assert!(poll!(asked.as_mut()).is_pending());
        cx.system().sleep(SECOND).await;
        drop(asked);
        Ok(())
    }
}

#[test]
fn an_unread_reply_that_panics_holds_up_nothing() {
    TestSystem::run(async |t| {
        let ledger = t.spawn(|| Ledger);
        let hasty = t.spawn(child("hasty", move || Hasty(ledger.clone())));
        hasty.tell(Hurry).await.unwrap();
        t.settle().await;
        t.advance(SECOND).await;
        assert_eq!(counts(t.system(), "hasty").handled, 1, "its handler has not noticed");
        let known = hasty.downgrade();
        hasty.stop();
        hasty.ended().await;
        drop(hasty);
        t.shutdown().await;
        assert!(known.upgrade().is_none(), "nothing waits for it or with it any more");
    });
}
