//! Where actors live: spread over the arbiters, pinned to one, or on a thread of their own which ends with them. A value
//! is built on its thread and never leaves it, so nothing of it need be `Send`. Work that blocks goes to a pool, and
//! comes back as a message or as a fault.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::ThreadId;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Child, Context, Drain, Fault, FaultKind, Handler, Message, Placement,
    SyncHandler, System, block_on, child,
};
use tokio::sync::oneshot;

use crate::common::{Boom, Log, Note};

/// How long a test waits for what has to happen before it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Knows on which thread it was built, and keeps what no other thread may touch.
struct Tenant {
    built_on: ThreadId,
    shared: Rc<Cell<u64>>,
}

impl Actor for Tenant {}

fn tenant(name: impl Into<String>) -> Child<Tenant> {
    child(name, || Tenant { built_on: std::thread::current().id(), shared: Rc::default() })
}

/// The thread of the turn.
#[derive(Message)]
#[message(reply = ThreadId)]
struct Where;

impl SyncHandler<Where> for Tenant {
    fn handle(&mut self, _: Where, _: &mut Context<Self>) -> Result<ThreadId, Fault> {
        assert_eq!(self.built_on, std::thread::current().id());
        Ok(self.built_on)
    }
}

impl SyncHandler<Boom> for Tenant {
    fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("boom")
    }
}

/// Adds to the state, partly in a future beside the turns; neither can be sent to another thread.
#[derive(Message)]
#[message(reply = u64)]
struct Add(u64);

impl Handler<Add> for Tenant {
    async fn handle(&mut self, add: Add, cx: &mut Context<Self>) -> Result<u64, Fault> {
        let (tell, told) = oneshot::channel();
        let shared = Rc::clone(&self.shared);
        cx.spawn(async move {
            tokio::task::yield_now().await;
            shared.set(shared.get() + add.0);
            // The turn waits for it.
            let _ = tell.send(());
        });
        told.await?;
        Ok(self.shared.get())
    }
}

async fn place_of(actor: &ActorRef<Tenant>) -> ThreadId {
    actor.ask(Where).timeout(PATIENCE).await.expect("it has a thread")
}

fn arbiter(system: &System, name: &str) -> Option<u32> {
    system.inspect().actor(name).expect("the actor is there").arbiter
}

async fn system(workers: usize) -> System {
    System::builder().workers(workers).start().await.expect("threads can be started")
}

/// F-BUS-21.
#[test]
fn actors_are_spread_evenly_over_the_arbiters() {
    block_on(async {
        let system = system(3).await;
        assert_eq!(system.arbiters(), 3);
        let tenants: Vec<_> = (0..9).map(|number| system.spawn(tenant(format!("{number}")))).collect();
        let mut crowds: BTreeMap<Option<u32>, Vec<ThreadId>> = BTreeMap::new();
        for tenant in &tenants {
            crowds.entry(arbiter(&system, &tenant.name())).or_default().push(place_of(tenant).await);
        }
        assert_eq!(crowds.keys().copied().collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
        for crowd in crowds.values() {
            assert!(crowd.len() == 3 && crowd.iter().all(|thread| *thread == crowd[0]), "{crowds:?}");
        }
        assert!(crowds[&Some(0)][0] != crowds[&Some(1)][0] && crowds[&Some(1)][0] != crowds[&Some(2)][0]);
        system.shutdown(Drain::default()).await;
    });
}

/// F-BUS-21.
#[test]
fn a_pinned_actor_is_where_it_was_told() {
    block_on(async {
        let system = system(3).await;
        for number in [2, 0, 1, 4, 300] {
            let pinned = system.spawn(tenant(format!("{number}")).pinned(number));
            let there = system.run_on(number, async || std::thread::current().id()).await;
            assert_eq!(place_of(&pinned).await, there);
            assert_eq!(arbiter(&system, &pinned.name()), Some(number as u32 % 3));
        }
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn a_new_value_lives_where_the_old_one_did() {
    block_on(async {
        let system = system(3).await;
        for placement in [Placement::Spread, Placement::Pinned(1), Placement::Dedicated] {
            let tenant = system.spawn(tenant(format!("{placement:?}")).placement(placement));
            let before = place_of(&tenant).await;
            assert!(tenant.ask(Boom).await.is_err());
            assert_eq!(place_of(&tenant).await, before, "{placement:?}");
            assert_eq!(system.inspect().actor(&tenant.name()).unwrap().generation, 2);
        }
        system.shutdown(Drain::default()).await;
    });
}

thread_local! {
    /// Dropped with its thread.
    static LAST_WORD: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// Has its thread say when it ends.
#[derive(Message)]
struct Witness(Sender<()>);

impl SyncHandler<Witness> for Tenant {
    fn handle(&mut self, witness: Witness, _: &mut Context<Self>) -> Result<(), Fault> {
        LAST_WORD.set(Some(witness.0));
        Ok(())
    }
}

#[test]
fn a_thread_of_its_own_is_nobody_elses_and_ends_with_its_actor() {
    block_on(async {
        let system = system(2).await;
        for end in [ActorRef::stop, ActorRef::drain, ActorRef::kill] {
            let alone = system.spawn(tenant("alone").dedicated());
            let other = system.spawn(tenant("other").dedicated());
            let mut threads = vec![place_of(&alone).await, place_of(&other).await, std::thread::current().id()];
            for number in 0..2 {
                threads.push(system.run_on(number, async || std::thread::current().id()).await);
            }
            let all = threads.len();
            threads.sort_by_key(|thread| format!("{thread:?}"));
            threads.dedup();
            assert_eq!(threads.len(), all, "each is a thread of its own");
            assert_eq!(arbiter(&system, "alone"), None);
            let (tell, told) = channel();
            alone.ask(Witness(tell)).await.unwrap();
            assert!(told.try_recv().is_err_and(|error| error == std::sync::mpsc::TryRecvError::Empty), "it lives");
            end(&alone);
            alone.ended().await;
            assert_eq!(told.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected), "its thread has ended");
            assert_eq!(other.ask(Add(1)).await.unwrap(), 1, "the other one's has not");
            other.stop();
            other.ended().await;
        }
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn threads_of_their_own_end_with_the_system_too() {
    block_on(async {
        let system = system(1).await;
        let (tell, told) = channel();
        system.spawn(tenant("alone").dedicated()).ask(Witness(tell)).await.unwrap();
        system.shutdown(Drain::default()).await;
        assert_eq!(told.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn nothing_of_a_value_need_be_sent_to_another_thread() {
    block_on(async {
        let system = system(2).await;
        let tenant = system.spawn(tenant("tenant").pinned(1));
        assert_eq!((tenant.ask(Add(2)).await.unwrap(), tenant.ask(Add(3)).await.unwrap()), (2, 5));
        let made_there = system.run_on(1, || {
            let kept = Rc::new(Cell::new(1));
            async move {
                tokio::task::yield_now().await;
                kept.set(kept.get() + 1);
                kept.get()
            }
        });
        assert_eq!(made_there.await, 2);
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn on_virtual_time_all_live_on_the_one_thread() {
    TestSystem::run(async |t| {
        for placement in [Placement::Spread, Placement::Pinned(7), Placement::Dedicated] {
            let tenant = t.spawn(tenant("tenant").placement(placement));
            assert_eq!(place_of(&tenant).await, std::thread::current().id(), "{placement:?}");
        }
        t.shutdown().await;
    });
}

/// Has the pool do what blocks.
struct Office(Log);

impl Actor for Office {}

/// Work that lasts until the test says a number, or fails when it says none.
#[derive(Message)]
struct Work(Receiver<u64>);

/// What came of it: the number, and the thread it was done on.
#[derive(Message)]
struct Done {
    number: u64,
    thread: ThreadId,
    /// Dropped with the message.
    _gone: Option<oneshot::Sender<()>>,
}

fn work(work: &Receiver<u64>, gone: Option<oneshot::Sender<()>>) -> Done {
    let number = work.recv().expect("somebody says a number");
    Done { number, thread: std::thread::current().id(), _gone: gone }
}

impl SyncHandler<Work> for Office {
    fn handle(&mut self, order: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.blocking(move || work(&order.0, None));
        Ok(())
    }
}

impl SyncHandler<Done> for Office {
    fn handle(&mut self, done: Done, _: &mut Context<Self>) -> Result<(), Fault> {
        assert_ne!(done.thread, std::thread::current().id());
        self.0.write(done.number);
        Ok(())
    }
}

impl SyncHandler<Note> for Office {
    fn handle(&mut self, note: Note, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.0.write(note.0);
        Ok(note.0)
    }
}

impl SyncHandler<Boom> for Office {
    fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("boom")
    }
}

fn office(log: &Log) -> Child<Office> {
    let log = log.clone();
    child("office", move || Office(log.clone()))
}

/// Asks until it has happened: what comes from another thread comes when it comes.
async fn until(office: &ActorRef<Office>, has_happened: impl Fn() -> bool) {
    while !has_happened() {
        match office.ask(Note(0)).await {
            Ok(_) | Err(AskError::Refused { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn work_that_blocks_keeps_nobody_waiting_and_comes_back_as_a_message() {
    block_on(async {
        let system = system(1).await;
        let log = Log::default();
        let office = system.spawn(office(&log));
        let (orders, words): (Vec<_>, Vec<_>) = (0..2).map(|_| channel()).unzip();
        for word in words {
            office.ask(Work(word)).await.unwrap();
        }
        office.ask(Note(1)).await.unwrap();
        assert_eq!(log.read(), [1], "it serves while the work goes on");
        orders[1].send(7).unwrap();
        until(&office, || log.read().contains(&7)).await;
        orders[0].send(8).unwrap();
        until(&office, || log.read().contains(&8)).await;
        assert_eq!(system.inspect().actor("office").unwrap().faults, 0);
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn a_panic_on_the_pool_is_a_fault_of_the_actor() {
    block_on(async {
        let system = system(1).await;
        let log = Log::default();
        let office = system.spawn(office(&log));
        let (order, word) = channel();
        office.ask(Work(word)).await.unwrap();
        drop(order);
        let seen = || system.inspect().actor("office").unwrap().clone();
        until(&office, || seen().generation == 2).await;
        office.ask(Note(1)).await.unwrap();
        let (seen, fault) = (seen(), seen().last_fault.unwrap());
        assert_eq!((seen.faults, seen.restarts, seen.state), (1, 1, ActorState::Running));
        assert_eq!((fault.kind(), fault.message(), fault.generation()), (FaultKind::Task, None, 1));
        assert!(fault.text().contains("somebody says a number"), "{fault}");
        assert_eq!(seen.messages.quarantined, 0, "no turn failed");
        system.shutdown(Drain::default()).await;
    });
}

/// Work that says when it begins, and whose message says when it is dropped.
#[derive(Message)]
struct WatchedWork {
    began: oneshot::Sender<()>,
    word: Receiver<u64>,
    gone: oneshot::Sender<()>,
}

impl SyncHandler<WatchedWork> for Office {
    fn handle(&mut self, order: WatchedWork, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.blocking(move || {
            order.began.send(()).expect("the test waits for it");
            work(&order.word, Some(order.gone))
        });
        Ok(())
    }
}

#[test]
fn what_an_earlier_value_had_ordered_reaches_nobody() {
    block_on(async {
        let system = system(1).await;
        let log = Log::default();
        let office = system.spawn(office(&log));
        let ((order, word), (tell_began, began), (tell_gone, gone)) =
            (channel(), oneshot::channel(), oneshot::channel());
        office.ask(WatchedWork { began: tell_began, word, gone: tell_gone }).await.unwrap();
        began.await.unwrap();
        assert!(office.ask(Boom).await.is_err());
        order.send(9).unwrap();
        assert!(gone.await.is_err(), "the message is dropped");
        office.ask(Note(1)).await.unwrap();
        assert_eq!(log.read(), [1]);
        let seen = system.inspect().actor("office").unwrap().clone();
        assert_eq!((seen.faults, seen.generation, system.dead_letters().total()), (1, 2, 0));
        system.shutdown(Drain::default()).await;
    });
}
