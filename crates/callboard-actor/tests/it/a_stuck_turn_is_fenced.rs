//! Promise 9, its second half: a turn that does not give its thread back. It is reported, its asker fails, whatever waits
//! in the shared lanes goes to a replacement elsewhere, what the old one holds becomes dead letters when its thread comes
//! back, and nothing of it reaches anyone.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Child, Context, DeadReason, Drain, Fault, FaultKind, Handler, Message,
    Restarted, SyncHandler, System, block_on, child, one_for_all,
};
use tokio::sync::oneshot;

use crate::common::{Log, Note, counts};

/// Long enough for any machine to get through a turn that does not block.
const LIMIT: Duration = Duration::from_millis(40);
/// How long an asker waits before the test has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes numbers down, and blocks its thread when told to.
struct Worker {
    log: Log,
    /// Where its effects would go.
    out: ActorRef<Outside>,
}

impl Actor for Worker {}

impl SyncHandler<Note> for Worker {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.log.write(note.0);
        Ok(note.0)
    }
}

/// Says on which thread the actor is.
#[derive(Message)]
#[message(reply = ThreadId)]
struct Where;

impl SyncHandler<Where> for Worker {
    fn handle(&mut self, _: Where, _: &mut Context<Self>) -> Result<ThreadId, Fault> {
        Ok(std::thread::current().id())
    }
}

/// Blocks the thread until the test sends something, or drops its end.
#[derive(Message)]
#[message(reply = &'static str)]
struct Block {
    began: oneshot::Sender<()>,
    until: Receiver<()>,
    /// Numbers that the turn sends to itself before it blocks: they wait on the thread that is blocked.
    to_itself: Vec<u64>,
    /// Whether it waits for ever once it has its thread back, as a future does.
    then_waits: bool,
}

impl Handler<Block> for Worker {
    async fn handle(&mut self, block: Block, cx: &mut Context<Self>) -> Result<&'static str, Fault> {
        cx.send(&self.out, Note(666));
        for number in block.to_itself {
            cx.me().try_tell(Note(number)).map_err(|error| Fault::permanent(error.to_string()))?;
        }
        let _ = block.began.send(());
        let _ = block.until.recv();
        if block.then_waits {
            std::future::pending::<()>().await;
        }
        Ok("back at last")
    }
}

/// Writes down what reaches it.
struct Outside(Log);

impl Actor for Outside {}

impl SyncHandler<Note> for Outside {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.0.write(note.0);
        Ok(note.0)
    }
}

/// A system with a worker on one of its threads.
struct Scene {
    system: System,
    worker: ActorRef<Worker>,
    /// What the worker wrote, over all its values.
    written: Log,
    /// What reached the outside.
    outside: ActorRef<Outside>,
    reached: Log,
}

impl Scene {
    async fn new(workers: usize, place: impl FnOnce(Child<Worker>) -> Child<Worker>) -> Self {
        let system = System::builder().workers(workers).start().await.expect("threads can be started");
        let (written, reached) = (Log::default(), Log::default());
        let seen = reached.clone();
        let outside = system.spawn(child("outside", move || Outside(seen.clone())).pinned(workers - 1));
        let (log, out) = (written.clone(), outside.clone());
        let make = child("worker", move || Worker { log: log.clone(), out: out.clone() });
        let worker = system.spawn(place(make.turn_limit(LIMIT)));
        Self { system, worker, written, outside, reached }
    }

    /// Begins a turn that blocks; the answer of its asker comes through the thread.
    async fn block(&self, to_itself: Vec<u64>, then_waits: bool) -> Blocked {
        let ((go, until), (tell_began, began)) = (channel(), oneshot::channel());
        let worker = self.worker.clone();
        let block = Block { began: tell_began, until, to_itself, then_waits };
        let asker = std::thread::spawn(move || block_on(async { worker.ask(block).timeout(PATIENCE).await }));
        began.await.expect("the turn begins");
        Blocked { go, asker }
    }

    /// Waits until the thread of this arbiter has come back and has done what it had to: the limit of the old turn is a
    /// timer of that thread, which goes off before one that is set only now.
    async fn back(&self, arbiter: usize) {
        self.system.run_on(arbiter, || tokio::time::sleep(Duration::from_millis(1))).await;
    }

    fn fenced(&self) -> u64 {
        self.system.dead_letters().counts().get(&DeadReason::Fenced).copied().unwrap_or(0)
    }

    async fn end(self) {
        let report = self.system.shutdown(Drain::default()).await;
        assert!(report.unfinished.is_empty(), "{report:?}");
    }
}

struct Blocked {
    go: Sender<()>,
    asker: std::thread::JoinHandle<Result<&'static str, AskError<Block>>>,
}

impl Blocked {
    /// What the asker was told while the thread was still blocked.
    fn asked(self) -> (Sender<()>, Result<&'static str, AskError<Block>>) {
        (self.go, self.asker.join().expect("the asker does not panic"))
    }
}

#[test]
fn its_asker_fails_and_the_actor_goes_on_elsewhere() {
    block_on(async {
        let scene = Scene::new(3, |worker| worker.pinned(1)).await;
        let before = scene.worker.ask(Where).await.unwrap();
        let blocked = scene.block(vec![], false).await;
        scene.worker.tell(Note(1)).await.unwrap();
        let (go, asked) = blocked.asked();
        let Err(AskError::Faulted(incident)) = asked else { panic!("{asked:?}") };
        assert_eq!((incident.kind(), incident.actor(), incident.generation()), (FaultKind::Stuck, "worker", 1));
        assert_eq!(scene.worker.ask(Note(2)).await.unwrap(), 2);
        assert_ne!(scene.worker.ask(Where).await.unwrap(), before);
        assert_eq!(scene.written.read(), [1, 2], "what waited in the shared lanes goes first");
        go.send(()).unwrap();
        scene.back(1).await;
        assert_eq!(scene.worker.ask(Note(3)).await.unwrap(), 3);
        scene.end().await;
    });
}

#[test]
fn it_is_reported_and_its_arbiter_gets_no_new_actors() {
    block_on(async {
        let scene = Scene::new(3, |worker| worker.pinned(1)).await;
        let (go, asked) = scene.block(vec![], false).await.asked();
        assert!(asked.is_err());
        assert_eq!(scene.worker.ask(Note(1)).await.unwrap(), 1);
        let snapshot = scene.system.inspect();
        let seen = snapshot.actor("worker").unwrap();
        assert_eq!((&seen.stuck_generations[..], seen.state, seen.faults), (&[1][..], ActorState::Running, 1));
        assert_eq!(seen.last_fault.as_ref().map(|fault| fault.kind()), Some(FaultKind::Stuck));
        assert!(seen.arbiter.is_some_and(|arbiter| arbiter != 1), "{:?}", seen.arbiter);
        for name in ["a", "b", "c", "d", "e", "f"] {
            let log = Log::default();
            let new = scene.system.spawn(child(name, move || Outside(log.clone())));
            assert_eq!(new.ask(Note(1)).timeout(PATIENCE).await.unwrap(), 1, "{name} has a thread that works");
        }
        let crowd: Vec<_> = scene.system.inspect().actors.iter().map(|actor| actor.arbiter).collect();
        assert!(crowd.iter().all(|&arbiter| arbiter != Some(1)), "{crowd:?}");
        go.send(()).unwrap();
        scene.back(1).await;
        scene.end().await;
    });
}

#[test]
fn what_the_old_one_holds_becomes_dead_letters_and_nothing_of_it_reaches_anyone() {
    for then_waits in [false, true] {
        block_on(async {
            let scene = Scene::new(3, |worker| worker.pinned(1)).await;
            let (go, asked) = scene.block(vec![100, 101], then_waits).await.asked();
            assert!(matches!(asked, Err(AskError::Faulted(_))), "{asked:?}");
            assert_eq!(scene.worker.ask(Note(1)).await.unwrap(), 1);
            assert_eq!(scene.fenced(), 0, "its thread is not back yet");
            go.send(()).unwrap();
            scene.back(1).await;
            scene.outside.ask(Note(0)).await.unwrap();
            assert_eq!((scene.written.read(), scene.reached.read()), (vec![1], vec![0]));
            let dead = scene.system.dead_letters().list();
            let notes = dead.iter().filter(|letter| letter.message.ends_with("::Note"));
            assert!(notes.clone().all(|letter| letter.reason == DeadReason::Fenced) && notes.count() == 2, "{dead:?}");
            scene.end().await;
        });
    }
}

/// Promise 17 for fenced turns: a turn that was cut off is not one that was handled.
#[test]
fn all_is_accounted_for_when_the_thread_is_back() {
    for then_waits in [false, true] {
        block_on(async {
            let scene = Scene::new(3, |worker| worker.pinned(1)).await;
            let blocked = scene.block(vec![100, 101], then_waits).await;
            for number in 0..10 {
                scene.worker.tell(Note(number)).await.unwrap();
            }
            let (go, _) = blocked.asked();
            go.send(()).unwrap();
            scene.back(1).await;
            scene.worker.ask(Note(10)).await.unwrap();
            let counts = counts(&scene.system, "worker");
            assert!(counts.adds_up(), "waits: {then_waits}: {counts:?}");
            assert_eq!((counts.sent, counts.handled, counts.queued, counts.running), (14, 11, 0, 0), "{counts:?}");
            assert_eq!((counts.dead + counts.quarantined, counts.dead), (3, scene.fenced()), "{counts:?}");
            scene.end().await;
        });
    }
}

/// The first arbiter is where the root supervisor lives.
#[test]
fn it_does_not_matter_which_arbiter_is_stuck() {
    for arbiter in 0..3 {
        block_on(async {
            let scene = Scene::new(3, |worker| worker.pinned(arbiter)).await;
            let (go, asked) = scene.block(vec![], false).await.asked();
            let replaced = matches!(&asked, Err(AskError::Faulted(fault)) if fault.kind() == FaultKind::Stuck);
            go.send(()).unwrap();
            scene.back(arbiter).await;
            assert!(replaced, "stuck on arbiter {arbiter}: {asked:?}");
            assert_eq!(scene.worker.ask(Note(1)).await.unwrap(), 1);
            scene.end().await;
        });
    }
}

#[test]
fn an_actor_with_a_thread_of_its_own_is_replaced_too() {
    block_on(async {
        let scene = Scene::new(2, |worker| worker.dedicated()).await;
        let (go, asked) = scene.block(vec![100], false).await.asked();
        assert!(matches!(&asked, Err(AskError::Faulted(fault)) if fault.kind() == FaultKind::Stuck), "{asked:?}");
        assert_eq!(scene.worker.ask(Note(1)).await.unwrap(), 1);
        go.send(()).unwrap();
        assert_eq!(scene.worker.ask(Note(2)).await.unwrap(), 2);
        assert_eq!(scene.written.read(), [1, 2]);
        scene.end().await;
    });
}

#[test]
fn it_can_get_stuck_again() {
    block_on(async {
        let scene = Scene::new(4, |worker| worker.pinned(1).backoff(callboard_actor::Backoff::none())).await;
        let mut stuck = Vec::new();
        for round in 0..2 {
            let (go, asked) = scene.block(vec![], false).await.asked();
            assert!(matches!(asked, Err(AskError::Faulted(_))), "{asked:?}");
            assert_eq!(scene.worker.ask(Note(round)).await.unwrap(), round);
            stuck.push(go);
        }
        let seen = scene.system.inspect().actor("worker").unwrap().clone();
        assert_eq!(seen.stuck_generations.len(), 2);
        for go in stuck {
            go.send(()).unwrap();
        }
        for arbiter in 0..4 {
            scene.back(arbiter).await;
        }
        assert_eq!(scene.worker.ask(Note(7)).await.unwrap(), 7);
        assert!(scene.reached.read().is_empty());
        scene.end().await;
    });
}

#[test]
fn its_neighbours_wait_and_go_on() {
    block_on(async {
        let scene = Scene::new(3, |worker| worker.pinned(1)).await;
        let log = Log::default();
        let seen = log.clone();
        let neighbour = scene.system.spawn(child("neighbour", move || Outside(seen.clone())).pinned(1));
        neighbour.ask(Note(1)).await.unwrap();
        let (go, _) = scene.block(vec![], false).await.asked();
        neighbour.tell(Note(2)).await.unwrap();
        go.send(()).unwrap();
        neighbour.ask(Note(3)).await.unwrap();
        assert_eq!(log.read(), [1, 2, 3]);
        scene.end().await;
    });
}

/// Watches the worker.
struct Watcher(Arc<Mutex<Option<oneshot::Sender<u64>>>>);

impl Actor for Watcher {}

#[derive(Message)]
struct Watch(ActorRef<Worker>);

impl SyncHandler<Watch> for Watcher {
    fn handle(&mut self, watch: Watch, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.monitor_restarts(&watch.0);
        Ok(())
    }
}

impl SyncHandler<Restarted> for Watcher {
    fn handle(&mut self, restarted: Restarted, _: &mut Context<Self>) -> Result<(), Fault> {
        if let Some(tell) = self.0.lock().ok().and_then(|mut slot| slot.take()) {
            let _ = tell.send(restarted.generation);
        }
        Ok(())
    }
}

#[test]
fn whoever_watches_hears_of_the_new_value_and_the_actor_can_be_stopped() {
    block_on(async {
        let scene = Scene::new(3, |worker| worker.pinned(1)).await;
        let (tell, told) = oneshot::channel();
        let slot = Arc::new(Mutex::new(Some(tell)));
        let watcher = scene.system.spawn(child("watcher", move || Watcher(Arc::clone(&slot))).pinned(2));
        watcher.ask(Watch(scene.worker.clone())).await.unwrap();
        let (go, _) = scene.block(vec![], false).await.asked();
        assert!(told.await.unwrap() > 1);
        scene.worker.stop();
        scene.worker.ended().await;
        go.send(()).unwrap();
        scene.back(1).await;
        scene.end().await;
    });
}

#[test]
fn a_turn_that_waits_is_cut_short_and_not_stuck() {
    block_on(async {
        // On a busy machine the thread may come late to the end of a short limit, and that looks like being stuck.
        let scene = Scene::new(3, |worker| worker.pinned(1).turn_limit(Duration::from_secs(1))).await;
        let (go, until) = channel();
        drop(go);
        let block = Block { began: oneshot::channel().0, until, to_itself: vec![], then_waits: true };
        let asked = scene.worker.ask(block).timeout(PATIENCE).await;
        let Err(AskError::Faulted(incident)) = asked else { panic!("{asked:?}") };
        assert_eq!(incident.kind(), FaultKind::TurnTimeout);
        let seen = scene.system.inspect().actor("worker").unwrap().clone();
        assert_eq!((&seen.stuck_generations[..], seen.arbiter), (&[][..], Some(1)));
        scene.end().await;
    });
}

#[test]
fn an_actor_that_is_pinned_to_the_lost_arbiter_starts_on_another_one() {
    block_on(async {
        let scene = Scene::new(3, |worker| worker.pinned(1)).await;
        let (go, asked) = scene.block(vec![], false).await.asked();
        assert!(asked.is_err());
        let log = Log::default();
        let late = scene.system.spawn(child("late", move || Outside(log.clone())).pinned(1));
        let answer = late.ask(Note(1)).timeout(PATIENCE).await;
        go.send(()).unwrap();
        scene.back(1).await;
        assert_eq!(answer.unwrap(), 1);
        let arbiter = scene.system.inspect().actor("late").unwrap().arbiter;
        assert!(arbiter.is_some_and(|arbiter| arbiter != 1), "{arbiter:?}");
        scene.end().await;
    });
}

/// Fails its turn.
#[derive(Message)]
#[message(reply = u64)]
struct Fail;

impl SyncHandler<Fail> for Outside {
    fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<u64, Fault> {
        Err(Fault::permanent("told to fail"))
    }
}

/// The group waits until the stuck actor has made room. What takes its place on another thread has to do it.
#[test]
fn a_group_that_restarts_meanwhile_does_not_wait_for_ever() {
    block_on(async {
        let system = System::builder().workers(3).start().await.expect("threads can be started");
        let group = one_for_all().name("group").backoff(callboard_actor::Backoff::none());
        let group = system.supervise(group).await.unwrap();
        let seen = Log::default();
        let sibling = group.spawn(child("sibling", move || Outside(seen.clone())));
        assert_eq!(sibling.ask(Note(0)).await.unwrap(), 0);
        // The one that is blocked is neither its supervisor's thread nor its sibling's.
        let seen = system.inspect();
        let taken = ["group", "sibling"].map(|name| seen.actor(name).unwrap().arbiter.unwrap() as usize);
        let blocks = (0..3).find(|arbiter| !taken.contains(arbiter)).unwrap();
        let (log, out) = (Log::default(), sibling.clone());
        let make = child("worker", move || Worker { log: log.clone(), out: out.clone() });
        let worker = group.spawn(make.pinned(blocks).turn_limit(LIMIT));
        let scene =
            Scene { worker, written: Log::default(), outside: sibling.clone(), reached: Log::default(), system };
        let blocked = scene.block(vec![], false).await;
        assert!(matches!(sibling.ask(Fail).await, Err(AskError::Faulted(_))));
        let (go, asked) = blocked.asked();
        assert!(asked.is_err(), "{asked:?}");
        assert_eq!(scene.worker.ask(Note(1)).timeout(PATIENCE).await.unwrap(), 1);
        assert_eq!(sibling.ask(Note(2)).timeout(PATIENCE).await.unwrap(), 2);
        go.send(()).unwrap();
        scene.back(blocks).await;
        scene.end().await;
    });
}
