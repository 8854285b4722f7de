//! Promise 16: shutdown. Named phases in the same order every time, a deadline for each, a report at the end; a second
//! call hurries, a late one changes nothing; and whatever is sent meanwhile is handed back.

use std::future::IntoFuture;
use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Child, Context, Drain, Fault, Handler, Message, PhaseReport, ShutdownPhase,
    StartError, StopReason, SyncHandler, System, TellError, block_on, child, one_for_one,
};
use futures::poll;
use tokio::sync::oneshot;

use crate::common::{Desk, Hold, Log, Note, desk, hold};

const SECOND: Duration = Duration::from_secs(1);

const PHASES: [ShutdownPhase; 6] = [
    ShutdownPhase::Registry,
    ShutdownPhase::Ingress,
    ShutdownPhase::Workflows,
    ShutdownPhase::Actors,
    ShutdownPhase::Outbox,
    ShutdownPhase::Telemetry,
];

/// Writes down its end.
struct Guest(Log<String>, &'static str);

impl Actor for Guest {
    async fn stopped(self, why: StopReason) {
        self.0.write(format!("{} {why}", self.1));
    }
}

impl SyncHandler<Note> for Guest {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.0.write(format!("{} {}", self.1, note.0));
        Ok(note.0)
    }
}

impl Handler<Hold> for Guest {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        hold.run().await;
        Ok(())
    }
}

fn guest(log: &Log<String>, name: &'static str) -> Child<Guest> {
    let log = log.clone();
    child(name, move || Guest(log.clone(), name))
}

/// Work of a phase that writes its name down.
fn note_phase(system: &System, log: &Log<String>, phase: ShutdownPhase, name: &'static str) {
    let log = log.clone();
    system.on_shutdown(phase, name, move || async move { log.write(name.to_owned()) });
}

fn drain_within(drain: Duration, stop: Duration) -> Drain {
    let mut times = Drain::within(drain);
    times.stop = stop;
    times
}

#[test]
fn phases_run_in_their_order_and_work_within_one_in_the_order_it_was_added() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let _guest = t.spawn(guest(&log, "guest"));
        t.settle().await;
        for (phase, name) in
            PHASES.into_iter().rev().zip(["telemetry", "outbox", "actors", "workflows", "ingress", "registry"])
        {
            note_phase(t.system(), &log, phase, name);
        }
        note_phase(t.system(), &log, ShutdownPhase::Ingress, "ingress again");
        let report = t.shutdown().await;
        let order = [
            "registry",
            "ingress",
            "ingress again",
            "workflows",
            "actors",
            "guest shut down with the system",
            "outbox",
            "telemetry",
        ];
        assert_eq!(log.read(), order);
        assert_eq!(report.phases.iter().map(|phase| phase.phase).collect::<Vec<_>>(), PHASES);
        assert!(report.is_clean(), "{report:?}");
    });
}

#[test]
fn work_that_does_not_end_is_overdue_and_holds_nobody_up_for_longer() {
    TestSystem::run(async |t| {
        let log = Log::default();
        t.system().on_shutdown(ShutdownPhase::Ingress, "endless", std::future::pending);
        t.system().on_shutdown(ShutdownPhase::Workflows, "broken", || async { panic!("it broke") });
        note_phase(t.system(), &log, ShutdownPhase::Workflows, "behind it");
        note_phase(t.system(), &log, ShutdownPhase::Telemetry, "telemetry");
        let began = t.now();
        let report = t.shutdown().await;
        let overdue: Vec<_> = report.phases.iter().map(|phase: &PhaseReport| phase.overdue.clone()).collect();
        assert_eq!((&overdue[1][..], &overdue[2][..]), (&["endless".to_owned()][..], &["broken".to_owned()][..]));
        assert_eq!(log.read(), ["behind it", "telemetry"]);
        assert!((10.0..10.1).contains(&(t.now() - began).as_secs_f64()), "{:?}", t.now() - began);
        assert!((10.0..10.1).contains(&report.phases[1].took.as_secs_f64()) && !report.is_clean());
    });
}

#[test]
fn actors_finish_their_queues_in_reverse_start_order() {
    TestSystem::run(async |t| {
        let log = Log::default();
        for name in ["a", "b", "c"] {
            let guest = t.spawn(guest(&log, name));
            t.settle().await;
            guest.tell(Note(1)).await.unwrap();
        }
        let report = t.shutdown().await;
        assert!(report.is_clean() && report.drained >= 3 && report.dead_letters == 0, "{report:?}");
        let ends: Vec<_> = log.read().into_iter().filter(|entry| entry.ends_with("system")).collect();
        assert_eq!(ends, ["c", "b", "a"].map(|name| format!("{name} shut down with the system")));
        let notes: Vec<_> = log.read().into_iter().filter(|entry| entry.ends_with('1')).collect();
        assert_eq!(notes.len(), 3);
    });
}

#[test]
fn a_handler_that_waits_for_ever_is_stopped_and_then_killed() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let guest = t.spawn(guest(&log, "guest"));
        let (hold, mut held) = hold();
        let mut asked = pin!(guest.ask(hold).timeout(3600 * SECOND).into_future());
        assert!(poll!(&mut asked).is_pending());
        held.began().await;
        guest.tell(Note(1)).await.unwrap();
        let began = t.now();
        let report = t.system().shutdown(drain_within(3 * SECOND, 2 * SECOND)).await;
        assert_eq!((report.killed, report.unfinished.len(), report.dead_letters), (1, 0, 2), "{report:?}");
        assert!(!report.is_clean());
        assert!((5.0..5.1).contains(&(t.now() - began).as_secs_f64()), "{:?}", t.now() - began);
        assert!(matches!(asked.await, Err(AskError::Stopped(None))));
        assert_eq!((guest.ended().await, log.read()), (StopReason::Shutdown, vec![]));
    });
}

#[test]
fn a_handler_that_ends_in_the_second_grace_is_stopped() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let guest = t.spawn(guest(&log, "guest"));
        let (hold, mut held) = hold();
        guest.tell(hold).await.unwrap();
        held.began().await;
        guest.tell(Note(1)).await.unwrap();
        let system = t.system().clone();
        let report =
            tokio::task::spawn_local(async move { system.shutdown(drain_within(3 * SECOND, 5 * SECOND)).await });
        t.advance(4 * SECOND).await;
        held.let_go();
        let report = report.await.unwrap();
        assert_eq!((report.killed, report.unfinished.len(), report.dead_letters), (0, 0, 1), "{report:?}");
        assert!(report.stopped >= 1);
        assert_eq!(log.read(), ["guest shut down with the system"]);
    });
}

#[test]
fn no_drain_means_that_queues_become_dead_letters() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), "guest"));
        let (hold, mut held) = hold();
        guest.tell(hold).await.unwrap();
        held.began().await;
        for number in 0..5 {
            guest.tell(Note(number)).await.unwrap();
        }
        guest.tell(Note(9)).ttl(SECOND).await.unwrap();
        let began = t.now();
        let report = t.system().shutdown(Drain::now()).await;
        assert_eq!((report.dead_letters, report.expired), (7, 0), "{report:?}");
        assert!(t.now() - began <= 5 * SECOND + SECOND / 10, "{:?}", t.now() - began);
    });
}

#[test]
fn messages_that_expire_meanwhile_are_reported_as_such() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), "guest"));
        let (hold, mut held) = hold();
        guest.tell(hold).await.unwrap();
        held.began().await;
        guest.tell(Note(1)).ttl(SECOND).await.unwrap();
        guest.tell(Note(2)).await.unwrap();
        let system = t.system().clone();
        let report = tokio::task::spawn_local(async move { system.shutdown(Drain::default()).await });
        t.advance(2 * SECOND).await;
        held.let_go();
        let report = report.await.unwrap();
        assert_eq!((report.expired, report.dead_letters), (1, 0), "{report:?}");
        assert!(report.is_clean());
    });
}

#[test]
fn what_is_sent_meanwhile_is_handed_back() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), "guest"));
        let (hold, mut held) = hold();
        guest.tell(hold).await.unwrap();
        held.began().await;
        let (open, opened) = oneshot::channel::<()>();
        t.system().on_shutdown(ShutdownPhase::Ingress, "ingress", || async { drop(opened.await) });
        let system = t.system().clone();
        let report = tokio::task::spawn_local(async move { system.shutdown(Drain::default()).await });
        t.advance(SECOND).await;
        guest.tell(Note(1)).await.expect("actors still work while nothing new comes in from outside");
        open.send(()).unwrap();
        t.advance(SECOND).await;
        assert!(matches!(guest.tell(Note(2)).await, Err(TellError::ShuttingDown(Note(2)))));
        assert!(matches!(guest.try_tell(Note(3)), Err(TellError::ShuttingDown(Note(3)))));
        assert!(matches!(guest.ask(Note(4)).await, Err(AskError::ShuttingDown(Note(4)))));
        held.let_go();
        assert!(report.await.unwrap().is_clean());
        assert!(matches!(guest.tell(Note(5)).await, Err(TellError::Stopped(Note(5)))));
        assert!(matches!(guest.ask(Note(6)).await, Err(AskError::Stopped(Some(Note(6))))));
    });
}

#[test]
fn it_can_be_called_again_and_again() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let _guest = t.spawn(guest(&log, "guest"));
        note_phase(t.system(), &log, ShutdownPhase::Telemetry, "telemetry");
        t.settle().await;
        let first = t.shutdown().await;
        let again = t.system().shutdown(Drain::now()).await;
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
        assert_eq!(log.read().len(), 2);
    });
}

#[test]
fn two_callers_wait_for_the_same_end() {
    TestSystem::run(async |t| {
        let _guest = t.spawn(guest(&Log::default(), "guest"));
        t.settle().await;
        let (one, other) = futures::join!(t.shutdown(), t.shutdown());
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        assert!(one.unfinished.is_empty(), "{one:?}");
    });
}

#[test]
fn a_second_call_kills_at_once() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let guest = t.spawn(guest(&log, "guest"));
        let (hold, mut held) = hold();
        guest.tell(hold).await.unwrap();
        held.began().await;
        let system = t.system().clone();
        let first = tokio::task::spawn_local(async move { system.shutdown(Drain::within(3600 * SECOND)).await });
        t.advance(SECOND).await;
        let began = t.now();
        let report = t.shutdown().await;
        assert!(t.now() - began < SECOND, "{:?}", t.now() - began);
        assert_eq!((report.killed, &report.unfinished[..]), (1, &[][..]), "{report:?}");
        assert_eq!(format!("{:?}", first.await.unwrap()), format!("{report:?}"));
        assert_eq!((guest.ended().await, log.read()), (StopReason::Shutdown, vec![]));
    });
}

#[test]
fn a_second_call_hurries_the_other_phases_as_well() {
    TestSystem::run(async |t| {
        let log = Log::default();
        t.system().on_shutdown(ShutdownPhase::Ingress, "endless", std::future::pending);
        note_phase(t.system(), &log, ShutdownPhase::Telemetry, "telemetry");
        let mut first = pin!(t.shutdown());
        assert!(poll!(&mut first).is_pending());
        t.advance(SECOND).await;
        let began = t.now();
        let report = t.shutdown().await;
        assert!(t.now() - began < SECOND, "it took {:?} more", t.now() - began);
        assert_eq!((log.read(), report.phases.len()), (vec!["telemetry".to_owned()], 6), "no phase is left out");
        first.await;
    });
}

#[test]
fn whoever_stops_waiting_does_not_stop_it() {
    TestSystem::run(async |t| {
        let guest = t.spawn(guest(&Log::default(), "guest"));
        t.settle().await;
        {
            let mut shutdown = pin!(t.shutdown());
            assert!(poll!(&mut shutdown).is_pending());
        }
        assert_eq!(guest.ended().await, StopReason::Shutdown);
        assert!(t.shutdown().await.unfinished.is_empty());
    });
}

#[test]
fn supervisors_end_with_their_children_before_them() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let supervisor = t.system().supervise(one_for_one().name("team")).await.unwrap();
        let (inside, outside) = (supervisor.spawn(guest(&log, "inside")), t.spawn(guest(&log, "outside")));
        t.settle().await;
        assert!(t.shutdown().await.is_clean());
        assert_eq!(
            (supervisor.state(), inside.state(), outside.state()),
            (ActorState::Stopped, ActorState::Stopped, ActorState::Stopped)
        );
        assert_eq!(log.read(), ["outside shut down with the system", "inside shut down with the system"]);
    });
}

/// Blocks its thread.
#[derive(Message)]
struct Block(oneshot::Sender<()>, Receiver<()>);

impl SyncHandler<Block> for Desk {
    fn handle(&mut self, block: Block, _: &mut Context<Self>) -> Result<(), Fault> {
        let _ = block.0.send(());
        let _ = block.1.recv();
        Ok(())
    }
}

/// A desk of a real system whose thread is blocked.
async fn blocked(system: &System, arbiter: usize) -> (ActorRef<Desk>, std::sync::mpsc::Sender<()>) {
    let desk = system.spawn(child("desk", desk(&Log::default())).pinned(arbiter));
    let ((go, until), (tell_began, began)) = (channel(), oneshot::channel());
    desk.tell(Block(tell_began, until)).await.expect("there is room");
    began.await.expect("the turn begins");
    (desk, go)
}

#[test]
fn a_handler_that_does_not_give_its_thread_back_is_left_behind_and_named() {
    block_on(async {
        let system = System::builder().workers(3).start().await.unwrap();
        let other = system.spawn(child("other", desk(&Log::default())).pinned(1));
        let (desk, go) = blocked(&system, 2).await;
        let report = system.shutdown(drain_within(Duration::ZERO, Duration::ZERO)).await;
        assert_eq!(
            (&report.unfinished[..], other.state()),
            (&["desk".to_owned()][..], ActorState::Stopped),
            "{report:?}"
        );
        assert!(!report.is_clean());
        assert!(desk.tell(Note(1)).await.is_err(), "it takes nothing any more");
        go.send(()).unwrap();
        desk.ended().await;
    });
}

/// The system is over, and its deadline is kept all the same.
#[test]
fn the_asker_of_a_turn_that_is_left_behind_is_told() {
    block_on(async {
        let system = System::builder().workers(3).start().await.unwrap();
        let (desk, go) = blocked(&system, 2).await;
        let (asked, answer) = channel();
        let mut ask = Box::pin(async move { desk.ask(Note(1)).timeout(3 * SECOND / 2).await });
        assert!(poll!(&mut ask).is_pending());
        std::thread::spawn(move || asked.send(block_on(ask)));
        system.shutdown(drain_within(Duration::ZERO, Duration::ZERO)).await;
        let told = answer.recv_timeout(10 * SECOND);
        go.send(()).unwrap();
        assert!(matches!(told, Ok(Err(_))), "{told:?}");
    });
}

#[test]
fn an_actor_that_is_started_after_the_end_has_ended_already() {
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        system.shutdown(Drain::default()).await;
        for _ in 0..50 {
            let late = system.spawn(child("late", desk(&Log::default())));
            assert!(matches!(late.tell(Note(1)).await, Err(TellError::Stopped(Note(1)))));
            assert!(matches!(late.ask(Note(2)).await, Err(AskError::Stopped(Some(Note(2))))));
            assert_eq!(late.state(), ActorState::Stopped);
            late.ended().await;
        }
    });
}

/// A main function that is given a system, and leaves early: what it has sent is handled, and the actors end.
#[test]
fn a_system_ends_with_its_main() {
    let log = Log::default();
    let known = log.clone();
    let left = System::builder().workers(1).run(async |system: System| {
        let guest = system.spawn(guest(&known, "guest"));
        // With the answer it has started: what is sent from now on is handled in the drain.
        assert_eq!(guest.ask(Note(6)).await.unwrap(), 6);
        guest.tell(Note(7)).await.unwrap();
        Err::<(), _>("left early")
    });
    assert_eq!(left.unwrap(), Err("left early"));
    let entries = log.read();
    let handled: Vec<_> = entries.iter().take(2).map(String::as_str).collect();
    assert_eq!(
        (handled, entries.len()),
        (vec!["guest 6", "guest 7"], 3),
        "it is handled, and then it stops: {entries:?}"
    );

    let refused = System::builder().workers(0).run(async |_: System| unreachable!("it has not started"));
    assert!(matches!(refused, Err::<(), _>(StartError::Invalid(faults)) if faults.len() == 1));
}
