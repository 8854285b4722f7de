//! References know no borders: plain threads, executors and runtimes that are not ours send and ask as actors do, and their
//! deadlines end on time. Two systems in one process share nothing, and yet their actors may ask each other. A
//! reference that outlives its system says so, and hands every message back.

use std::future::IntoFuture;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Context, DeadReason, Down, Drain, Fault, Handler, Message, Recipient, Stage,
    StartError, StopReason, SyncHandler, System, TellError, block_on, child, one_for_one,
};
use futures::executor;
use futures::poll;

use crate::common::{Boom, Log, NOTHING, Note, counts, desk, hold};

/// Sooner than anything else that a test waits for.
const SOON: Duration = Duration::from_millis(20);

async fn system() -> System {
    System::builder().workers(2).start().await.expect("threads can be started")
}

/// What the numbers from 0 to this one add up to.
fn sum(to: u64) -> u64 {
    to * (to + 1) / 2
}

#[test]
fn plain_threads_tell_and_ask() {
    let system = executor::block_on(system());
    let log = Log::default();
    let desk = system.spawn(child("desk", desk(&log)));
    std::thread::scope(|scope| {
        scope.spawn(|| executor::block_on(async { assert_eq!(desk.ask(Note(1)).await.unwrap(), 1) }));
        scope.spawn(|| block_on(async { assert_eq!(desk.ask(Note(2)).await.unwrap(), 2) }));
        scope.spawn(|| executor::block_on(async { desk.tell(Note(3)).await.unwrap() }));
        scope.spawn(|| desk.try_tell(Note(4)).unwrap());
    });
    executor::block_on(desk.ask(Note(5)).into_future()).unwrap();
    assert_eq!(log.read().iter().sum::<u64>(), sum(5));
    executor::block_on(system.shutdown(Drain::default()));
}

#[test]
fn a_thread_without_a_runtime_takes_no_for_an_answer() {
    let system = block_on(system());
    let log = Log::default();
    let desk = system.spawn(child("desk", desk(&log)).bound(2));
    let (hold, mut held) = hold();
    desk.try_tell(hold).unwrap();
    block_on(held.began());
    let refused = std::thread::scope(|scope| {
        let sender = scope.spawn(|| (0..5).filter_map(|number| desk.try_tell(Note(number)).err()).collect::<Vec<_>>());
        sender.join().unwrap()
    });
    assert!(refused.iter().all(|error| matches!(error, TellError::Full(_))), "{refused:?}");
    let back: Vec<_> = refused.into_iter().map(TellError::into_message).collect();
    assert_eq!(back, [Note(2), Note(3), Note(4)]);
    held.let_go();
    block_on(desk.ask(Note(9)).into_future()).unwrap();
    assert_eq!(log.read(), [0, 1, 9]);
    block_on(system.shutdown(Drain::default()));
}

#[test]
fn tasks_of_a_foreign_runtime_tell_and_ask() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
    let system = block_on(system());
    let log = Log::default();
    let desk = system.spawn(child("desk", desk(&log)).bound(4));
    let answers = runtime.block_on(async {
        let tasks: Vec<_> = (1..=100)
            .map(|number| {
                let desk = desk.clone();
                tokio::spawn(async move {
                    desk.tell(Note(0)).await.unwrap();
                    desk.ask(Note(number)).await.unwrap()
                })
            })
            .collect();
        futures::future::join_all(tasks).await
    });
    assert_eq!(answers.into_iter().map(Result::unwrap).sum::<u64>(), sum(100));
    assert_eq!(log.read().len(), 200);
    // That runtime may go; whatever its tasks were told is true all the same.
    drop(runtime);
    block_on(desk.ask(Note(1)).into_future()).unwrap();
    block_on(system.shutdown(Drain::default()));
}

/// None of these executors has a timer.
#[test]
fn a_deadline_ends_the_wait_of_a_caller_without_a_runtime() {
    let system = block_on(system());
    let log = Log::default();
    let desk = system.spawn(child("desk", desk(&log)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (running, mut held) = hold();
    desk.try_tell(running).unwrap();
    block_on(held.began());
    let queued = [
        executor::block_on(desk.ask(Note(1)).timeout(SOON).into_future()),
        block_on(desk.ask(Note(2)).timeout(SOON).into_future()),
        runtime.block_on(desk.ask(Note(3)).timeout(SOON).into_future()),
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| executor::block_on(desk.ask(Note(4)).timeout(SOON).into_future()));
            asker.join().unwrap()
        }),
    ];
    for asked in &queued {
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })), "{asked:?}");
    }
    held.let_go();
    block_on(desk.ask(Note(5)).into_future()).unwrap();
    assert_eq!(log.read(), [5], "what nobody waits for any more does not begin");
    let seen = counts(&system, "desk");
    assert_eq!((seen.abandoned + seen.expired, seen.handled), (4, 2), "{seen:?}");
    // On a busy machine a turn may not begin in time either, and is asked for again.
    let asked = loop {
        let (running, held) = hold();
        let asked = executor::block_on(desk.ask(running).timeout(SOON).into_future());
        held.let_go();
        if !matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })) {
            break asked;
        }
    };
    assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Handler })), "{asked:?}");
    block_on(desk.ask(Note(6)).into_future()).unwrap();
    assert_eq!(counts(&system, "desk").late_replies, 1);
    block_on(system.shutdown(Drain::default()));
}

#[test]
fn a_plain_thread_waits_for_room_and_for_the_end() {
    let system = block_on(system());
    let log = Log::default();
    let desk = system.spawn(child("desk", desk(&log)).bound(1));
    let (hold, mut held) = hold();
    desk.try_tell(hold).unwrap();
    block_on(held.began());
    desk.try_tell(Note(1)).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let desk = &desk;
        let sender = scope.spawn(move || {
            executor::block_on(async {
                let mut waiting = pin!(desk.tell(Note(2)).into_future());
                assert!(poll!(&mut waiting).is_pending());
                tell.send(()).unwrap();
                waiting.await
            })
        });
        let ended = scope.spawn(|| executor::block_on(desk.ended()));
        told.recv().unwrap();
        held.let_go();
        sender.join().unwrap().unwrap();
        desk.drain();
        assert_eq!(ended.join().unwrap(), StopReason::Drained);
    });
    assert_eq!(log.read(), [1, 2]);
    block_on(system.shutdown(Drain::default()));
}

/// Asks another actor in its turns, and watches it.
struct Agent {
    to: Recipient<Note>,
    left: Recipient<Left>,
    log: Log<String>,
}

impl Actor for Agent {}

#[derive(Message)]
#[message(reply = Result<u64, String>)]
struct Relay(u64);

impl Handler<Relay> for Agent {
    async fn handle(&mut self, relay: Relay, _: &mut Context<Self>) -> Result<Result<u64, String>, Fault> {
        Ok(self.to.ask(Note(relay.0)).await.map_err(|error| error.to_string()))
    }
}

/// How long the asker of the turn still waits, as seen by an actor that is asked in it.
#[derive(Message)]
#[message(reply = Option<Duration>)]
struct Left;

impl Handler<Left> for Agent {
    async fn handle(&mut self, _: Left, _: &mut Context<Self>) -> Result<Option<Duration>, Fault> {
        Ok(self.left.ask(Left).await?)
    }
}

impl SyncHandler<Down> for Agent {
    fn handle(&mut self, down: Down, _: &mut Context<Self>) -> Result<(), Fault> {
        self.log.write(format!("{} {}", down.name, down.reason));
        Ok(())
    }
}

#[derive(Message)]
struct Watch(ActorRef<Far>);

impl SyncHandler<Watch> for Agent {
    fn handle(&mut self, watch: Watch, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.monitor(&watch.0);
        Ok(())
    }
}

/// Answers from another system, or asks back.
struct Far {
    back: Option<ActorRef<Agent>>,
}

impl Actor for Far {}

#[derive(Message)]
struct AskBack(ActorRef<Agent>);

impl SyncHandler<AskBack> for Far {
    fn handle(&mut self, ask: AskBack, _: &mut Context<Self>) -> Result<(), Fault> {
        self.back = Some(ask.0);
        Ok(())
    }
}

impl Handler<Note> for Far {
    async fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        let Some(back) = &self.back else { return Ok(10 * note.0) };
        match back.ask(Relay(note.0)).await {
            Err(AskError::AskCycle { path }) => Err(Fault::permanent(path.join(" -> "))),
            other => panic!("it would wait for itself: {other:?}"),
        }
    }
}

impl SyncHandler<Boom> for Far {
    fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("boom")
    }
}

impl SyncHandler<Left> for Far {
    fn handle(&mut self, _: Left, cx: &mut Context<Self>) -> Result<Option<Duration>, Fault> {
        Ok(cx.deadline())
    }
}

/// Two systems, the first one older, and an agent in it that asks an actor of the other.
struct Scene {
    near: System,
    far: System,
    agent: ActorRef<Agent>,
    asked: ActorRef<Far>,
    log: Log<String>,
}

impl Scene {
    async fn new() -> Self {
        let (near, far) = (system().await, system().await);
        let asked = far.spawn(child("asked", || Far { back: None }));
        let log = Log::default();
        let (to, left, written) = (asked.recipient(), asked.recipient(), log.clone());
        let make = move || Agent { to: to.clone(), left: left.clone(), log: written.clone() };
        let agent = near.spawn(child("agent", make));
        Self { near, far, agent, asked, log }
    }

    async fn end(self) {
        self.near.shutdown(Drain::default()).await;
        self.far.shutdown(Drain::default()).await;
    }
}

#[test]
fn two_systems_do_not_see_each_other() {
    block_on(async {
        let (one, other) = (system().await, system().await);
        let (log, silent) = (Log::default(), Log::default());
        let here = one.spawn(child("desk", desk(&log)));
        let there = other.spawn(child("desk", desk(&silent)));
        let only = one.spawn(child("only here", desk(&log)));
        for (number, desk) in [(1, &here), (2, &there), (3, &only)] {
            desk.ask(Note(number)).await.unwrap();
        }
        assert_ne!(here.id(), there.id());
        assert_eq!(one.find("desk"), Some(here.clone()));
        assert_eq!(other.find("desk"), Some(there.clone()));
        assert_eq!(one.find("only here"), Some(only.clone()));
        assert_eq!(other.find::<crate::common::Desk>("only here"), None);
        assert!(here.ask(Boom).await.is_err());
        here.tell(Note(4)).ttl(Duration::from_nanos(1)).await.unwrap();
        here.ask(Note(5)).await.unwrap();
        only.stop();
        only.ended().await;
        assert_eq!((log.read(), silent.read()), (vec![1, 3, 5], vec![2]));
        let (seen, unseen) = (one.inspect(), other.inspect());
        assert_eq!((seen.quarantined, seen.dead_letters, seen.totals.faults), (1, 1, 1));
        assert_eq!((unseen.quarantined, unseen.dead_letters, unseen.totals.faults), (0, 0, 0));
        assert_eq!(unseen.actor("desk").unwrap().messages.sent, 1);
        let count = |system: &System| system.extension(AtomicU64::default).fetch_add(1, Ordering::SeqCst);
        assert_eq!((count(&one), count(&one), count(&other)), (0, 1, 0));
        one.shutdown(Drain::default()).await;
        assert_eq!(there.ask(Note(6)).await.unwrap(), 6, "the other goes on");
        other.shutdown(Drain::default()).await;
    });
}

#[test]
fn an_actor_of_one_system_asks_one_of_the_other() {
    block_on(async {
        let scene = Scene::new().await;
        assert_eq!(scene.agent.ask(Relay(4)).await.unwrap(), Ok(40));
        let patience = Duration::from_secs(5);
        let left = scene.agent.ask(Left).timeout(patience).await.unwrap().expect("the asker's asker waits");
        // Each system counts from its own start, and this one started later.
        assert!(left <= patience, "it has {left:?}");
        scene.asked.ask(AskBack(scene.agent.clone())).await.unwrap();
        let relayed = scene.agent.ask(Relay(5)).await.unwrap();
        assert!(relayed.as_ref().is_err_and(|error| error.contains("asked -> agent -> asked")), "{relayed:?}");
        assert_eq!((scene.near.quarantine().total(), scene.far.quarantine().total()), (0, 1));
        scene.end().await;
    });
}

#[test]
fn the_end_of_one_system_is_an_error_in_the_other() {
    block_on(async {
        let scene = Scene::new().await;
        scene.agent.ask(Watch(scene.asked.clone())).await.unwrap();
        // Whoever has asked earlier is told earlier, so the agent has heard of it as well.
        let (why, _) = futures::join!(scene.asked.ended(), scene.far.shutdown(Drain::default()));
        assert_eq!(why, StopReason::Shutdown);
        assert_eq!(scene.agent.ask(Relay(1)).await.unwrap(), Err("the actor has stopped".to_owned()));
        assert_eq!(scene.log.read(), ["asked shut down with the system"]);
        assert_eq!(scene.near.inspect().actor("agent").unwrap().faults, 0);
        scene.end().await;
    });
}

#[test]
fn a_reference_that_outlives_its_system_hands_everything_back() {
    block_on(async {
        let over = system().await;
        let log = Log::default();
        let desk_ref = over.spawn(child("desk", desk(&log)));
        let to = desk_ref.recipient();
        desk_ref.ask(Note(1)).await.unwrap();
        over.shutdown(Drain::default()).await;
        assert_eq!((desk_ref.ended().await, desk_ref.state()), (StopReason::Shutdown, ActorState::Stopped));
        for number in 0..2 {
            assert!(matches!(desk_ref.try_tell(Note(number)), Err(TellError::Stopped(Note(back))) if back == number));
            assert!(matches!(to.tell(Note(number)).await, Err(TellError::Stopped(Note(back))) if back == number));
            let asked = to.ask(Note(number)).await;
            assert!(matches!(asked, Err(AskError::Stopped(Some(Note(back)))) if back == number), "{asked:?}");
        }
        for directive in [ActorRef::stop, ActorRef::drain, ActorRef::kill] {
            directive(&desk_ref);
        }
        desk_ref.breaker().reset();
        assert_eq!(desk_ref.ended().await, StopReason::Shutdown);

        let late = over.spawn(child("late", desk(&log)));
        assert!(matches!(late.ask(Note(2)).await, Err(AskError::Stopped(Some(Note(2))))));
        assert_eq!((late.ended().await, late.state()), (StopReason::Shutdown, ActorState::Stopped));
        assert!(matches!(over.supervise(one_for_one()).await, Err(StartError::Over)));
        assert_eq!((log.read(), over.dead_letters().total()), (vec![1], 0));
    });
}

/// Whoever is in the middle of it learns of the end as well, on whatever thread.
#[test]
fn whoever_waits_while_the_system_ends_is_told() {
    let over = block_on(system());
    let log = Log::default();
    let desk = over.spawn(child("desk", desk(&log)).bound(1));
    let (hold, mut held) = hold();
    let asked = std::thread::scope(|scope| {
        let running = scope.spawn(|| executor::block_on(desk.ask(hold).into_future()));
        block_on(held.began());
        desk.try_tell(Note(1)).unwrap();
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let waiting = scope.spawn(|| {
            executor::block_on(async {
                let mut waiting = pin!(desk.ask(Note(2)).into_future());
                assert!(poll!(&mut waiting).is_pending());
                drop(tell);
                waiting.await
            })
        });
        assert!(told.recv().is_err());
        let mut drain = Drain::now();
        drain.stop = Duration::ZERO;
        block_on(over.shutdown(drain));
        (running.join().unwrap(), waiting.join().unwrap())
    });
    assert!(matches!(asked.0, Err(AskError::Stopped(None))), "{:?}", asked.0);
    assert!(
        matches!(asked.1, Err(AskError::Stopped(Some(Note(2))) | AskError::ShuttingDown(Note(2)))),
        "{:?}",
        asked.1
    );
    let dead = over.dead_letters().counts();
    assert_eq!((dead[&DeadReason::Killed], dead[&DeadReason::Stopped]), (1, 1));
    assert_eq!(log.read(), NOTHING);
}
