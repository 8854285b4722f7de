//! The hand-overs between threads with a public face, for the models in `tests/model.rs`. Wrappers and nothing else: what
//! is checked is the code behind them. Exists only with `--cfg callboard_model`.
#![allow(missing_docs, missing_debug_implementations)]

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::actor::Actor;
use crate::actor_ref::ActorRef;
use crate::alarm::{Alarm, AlarmKey, Alarms as Inner};
use crate::bound::Bound;
use crate::cell::Node;
use crate::child::child;
use crate::clock::{Clock, Nanos};
use crate::gate::{self, ActorState, Entry};
use crate::mailbox::{self, Bounds, NotTaken, Overflow, Private, Pushed, Ticket};
use crate::run_queue::{RunQueue, Runner};
use crate::sync::{AtomicU64, Mutex, Ordering, model};
use crate::system::System;
use crate::wait_for;

pub use crate::sync::model::let_loads_be_stale;

/// A thread of a model. Its start and its end carry on what happened before, as those of a real one do.
pub struct Thread<T>(shuttle::thread::JoinHandle<(T, model::Clock)>);

pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> Thread<T> {
    let before = model::release();
    Thread(shuttle::thread::spawn(move || {
        model::acquire(&before);
        let result = body();
        (result, model::release())
    }))
}

impl<T> Thread<T> {
    pub fn join(self) -> T {
        let (result, after) = self.0.join().expect("a thread of the model does not panic");
        model::acquire(&after);
        result
    }
}

/// A lock of the model, for what a test shares between its threads and for how a task is told that it was woken.
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock())
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Why a value came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    Full,
    Closed,
}

impl From<NotTaken> for Back {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Full => Self::Full,
            NotTaken::Closed => Self::Closed,
        }
    }
}

/// A number that threads set and read without any order.
pub struct Mark(AtomicU64);

impl Mark {
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn set(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 1
    }
}

pub const NORMAL: usize = 3;

#[derive(Clone)]
pub struct Mailbox(Arc<mailbox::Mailbox<u32>>);

impl Mailbox {
    pub fn new(per_lane: u32) -> Self {
        let ceiling = crate::Priority::Critical.lane() as u8;
        let bounds = Bounds { per_lane, reserve: 0, overflow: Overflow::Wait, ceiling };
        Self(Arc::new(mailbox::Mailbox::new(bounds)))
    }

    /// Makes the calling thread the home, and `driver` the task that is woken.
    pub fn settle(&self, driver: &Waker) {
        self.0.settle(driver);
    }

    pub fn push(&self, lane: usize, value: u32) -> Result<(), Back> {
        match self.0.push(lane, value, || self.0.wake_driver()) {
            Ok(Pushed::Queued) => Ok(()),
            Ok(Pushed::Shed(_)) => unreachable!("nothing is shed where senders wait"),
            Err((why, back)) => {
                assert_eq!(back, value);
                Err(why.into())
            }
        }
    }

    pub fn poll_push(
        &self,
        lane: usize,
        value: &mut Option<u32>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Poll<Result<(), Back>> {
        self.0.poll_push(lane, value, ticket, waker).map(|polled| polled.map(drop).map_err(Into::into))
    }

    pub fn give_up(&self, ticket: Ticket) {
        self.0.give_up(ticket);
    }

    pub fn direct(&self) {
        self.0.direct();
    }

    pub fn queued(&self, lane: usize) -> u64 {
        self.0.queued(lane)
    }
}

/// The driver's end of a mailbox.
pub struct Taker {
    mailbox: Mailbox,
    /// The private half of a driver that replaced another one.
    away: Option<RefCell<Private<u32>>>,
}

impl Taker {
    pub fn at_home(mailbox: &Mailbox) -> Self {
        Self { mailbox: mailbox.clone(), away: None }
    }

    pub fn replacing(mailbox: &Mailbox) -> Self {
        Self { mailbox: mailbox.clone(), away: Some(RefCell::default()) }
    }

    pub fn pop(&self) -> Option<(usize, u32)> {
        let mut lane = 0;
        self.mailbox.0.pop(self.private(), &mut lane).map(|value| (lane, value))
    }

    pub fn park(&self) -> bool {
        self.mailbox.0.park(self.private())
    }

    pub fn is_directed(&self) -> bool {
        self.mailbox.0.is_directed()
    }

    pub fn clear_directed(&self) {
        self.mailbox.0.clear_directed();
    }

    /// Closes the mailbox. What was left in it.
    pub fn close(&self) -> Vec<u32> {
        let (mut left, mut lane) = (self.mailbox.0.close(self.private()), 0);
        std::iter::from_fn(|| left.pop(&mut lane)).collect()
    }

    /// Leaves it to the driver that took over. What was left on this thread.
    pub fn shut(&self) -> Vec<u32> {
        let (mut left, mut lane) = (self.mailbox.0.shut(self.private()), 0);
        std::iter::from_fn(|| left.pop(&mut lane)).collect()
    }

    fn private(&self) -> &RefCell<Private<u32>> {
        match &self.away {
            Some(away) => away,
            None => self.mailbox.0.private().expect("the driver's end is used at home"),
        }
    }
}

#[derive(Clone)]
pub struct Gate(Arc<gate::Gate>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    Open,
    /// With the round that the permit belongs to.
    Probe(u32),
    Refused,
    ShuttingDown,
    Stopped,
}

impl Gate {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Arc::new(gate::Gate::new(false)))
    }

    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }

    pub fn state(&self) -> ActorState {
        self.0.state()
    }

    pub fn enter(&self) -> Entered {
        match self.0.enter(1) {
            Entry::Open => Entered::Open,
            Entry::Probe { epoch } => Entered::Probe(epoch),
            Entry::Refused(_) => Entered::Refused,
            Entry::ShuttingDown => Entered::ShuttingDown,
            Entry::Stopped => Entered::Stopped,
        }
    }

    pub fn give_back(&self, round: u32) {
        self.0.give_back(round);
    }

    pub fn set_state(&self, state: ActorState) {
        self.0.set_state(state, 0);
    }

    pub fn probe(&self, permits: u32) -> u32 {
        self.0.probe(permits)
    }

    pub fn force_open(&self, held: bool) {
        self.0.force_open(held);
    }
}

/// Where an alarm stands.
#[derive(Clone, Copy)]
pub struct SetAlarm(AlarmKey);

#[derive(Clone)]
pub struct Alarms(Arc<Inner>);

impl Alarms {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Arc::new(Inner::new()))
    }

    pub fn set(&self, due: Nanos, waker: &Waker) -> SetAlarm {
        SetAlarm(self.0.set(due, Alarm::Asker { target: crate::cell::ActorId::fresh(), waker: waker.clone() }))
    }

    pub fn clear(&self, alarm: SetAlarm) {
        self.0.clear(alarm.0);
    }

    pub fn retarget(&self, alarm: SetAlarm, waker: &Waker) -> bool {
        self.0.retarget(alarm.0, waker)
    }

    /// The keeper, with a sleep of the model's: it waits for a moment and says what time it is then.
    pub async fn keep(&self, sleep_until: impl AsyncFn(Nanos) -> Nanos) {
        self.0.keep_by(sleep_until).await;
    }
}

/// A value that lives on one thread.
#[derive(Clone)]
pub struct Home(Arc<Bound<u32>>);

impl Home {
    pub fn new(value: u32) -> Self {
        Self(Arc::new(Bound::new(value)))
    }

    pub fn claim(&self) -> bool {
        self.0.claim()
    }

    pub fn get(&self) -> Option<u32> {
        self.0.get().copied()
    }
}

/// An actor that only waits and is waited for.
#[derive(Clone)]
pub struct Party(Arc<dyn Node>);

struct Nobody;
impl Actor for Nobody {}

pub struct Waiting(#[allow(dead_code)] wait_for::Wait);

/// Actors that no driver drives.
pub fn parties(names: &[&str]) -> Vec<Party> {
    let core = Arc::new(System::builder().core(Clock::real(), true));
    let party = |&name: &&str| -> ActorRef<Nobody> { core.make_cell(&core.policy, None, child(name, || Nobody)) };
    names.iter().map(|name| Party(party(name).node())).collect()
}

impl Party {
    /// Registers that the running turn of this one awaits `target`.
    pub fn wait(&self, target: &Self) -> Result<Waiting, Vec<String>> {
        wait_for::wait(Arc::clone(&self.0), &target.0).map(Waiting)
    }
}

/// An actor of which only its place in a run queue matters: it counts what it finds to do when it is polled.
#[derive(Clone)]
pub struct Worker(Arc<Work>);

struct Work {
    party: Party,
    to_do: Mutex<u32>,
    done: Mutex<u32>,
}

impl Worker {
    pub fn new(name: &str) -> Self {
        let party = parties(&[name]).remove(0);
        Self(Arc::new(Work { party, to_do: Mutex::new(0), done: Mutex::new(0) }))
    }

    /// Something to do, and a wake-up for it.
    pub fn give(&self, queue: &Queue) {
        *self.0.to_do.lock() += 1;
        queue.0.push(&self.0.party.0.core().queued, || Arc::clone(&self.0) as _);
    }

    pub fn done(&self) -> u32 {
        *self.0.done.lock()
    }
}

impl Node for Work {
    fn core(&self) -> &crate::cell::Core {
        self.party.0.core()
    }

    fn drive(&self, _: u32) -> u32 {
        self.core().queued.leave();
        let found = std::mem::take(&mut *self.to_do.lock());
        *self.done.lock() += found;
        found
    }

    fn poke(&self) {}

    fn evict(&self) {}

    fn suspect(self: Arc<Self>, _: u64) {}

    fn lanes(&self) -> [(u64, u64); mailbox::LANES] {
        Default::default()
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn std::any::Any + Send + Sync> {
        self
    }
}

#[derive(Clone)]
pub struct Queue(Arc<RunQueue>);

impl Queue {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Arc::new(RunQueue::new()))
    }

    /// The task that polls, on the calling thread.
    pub fn runner(&self) -> impl Future<Output = ()> + Unpin + use<> {
        Runner::new(Arc::clone(&self.0), std::sync::Weak::new())
    }
}
