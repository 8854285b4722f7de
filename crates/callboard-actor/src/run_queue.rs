//! The run queue of an arbiter: the actors on one thread whose drivers have something to do, polled by one task.
//!
//! A task of the runtime per actor would be woken through the runtime's own queues, which know nothing of actors: that
//! costs more than the turn of a small handler. Here a wake-up on the actor's own thread appends to a plain queue. A
//! wake-up on any other thread goes through a locked inbox, and wakes the runtime's task once per burst.
//!
//! The task gives way to the runtime's other tasks after [`TURNS`] turns, or when the runtime's cooperative budget is used
//! up, which all drivers that are polled in one go share.
//!
//! To wake a sleeping thread takes a call into the system on both sides, which costs far more than a small handler. When
//! other threads have lately sent something soon after this one fell asleep, it stays awake for a moment first.

mod patience;
mod ready;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context as Task, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::task::coop::has_budget_remaining;

use self::patience::{Patience, SHORT};
use self::ready::Ready;
use crate::bound::Homed;
use crate::cell::Node;
use crate::scope::TurnScope;
use crate::sync::{AtomicU32, Mutex, Ordering};
use crate::system::SystemCore;

/// Turns of all drivers together before other tasks of the thread come in between.
const TURNS: u32 = 256;

/// The run queue of one arbiter. Any thread may hold it.
pub(crate) struct RunQueue {
    here: Homed<Here>,
    inbox: Mutex<Inbox>,
    /// How many are in the inbox; looked at without the lock.
    arrived: AtomicU32,
    /// The task will look into the inbox before it sleeps.
    awake: AtomicU32,
    runner: OnceLock<Waker>,
}

/// Those that other threads have woken.
#[derive(Default)]
struct Inbox {
    nodes: Vec<Arc<dyn Node>>,
    /// Nobody will look any more. An actor that is left in here would keep the queue, and the queue the actor.
    is_closed: bool,
}

/// What the arbiter's own thread works on.
#[derive(Default)]
struct Here {
    ready: RefCell<Ready>,
    runner: Cell<Runs>,
    /// A task of this thread waits for an answer that should come soon.
    expects: Cell<bool>,
}

/// What the task does.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Runs {
    /// It is polled, or will be.
    #[default]
    Awake,
    /// It waits to be woken.
    Asleep,
    /// It has ended, and nobody is taken any more: see the inbox.
    Closed,
}

/// Whether an actor stands in the queue of its thread, and whether in the inbox: once in each.
#[derive(Debug, Default)]
pub(crate) struct Queued {
    /// Read and written on the actor's own thread alone.
    here: AtomicU32,
    inbox: AtomicU32,
}

impl Queued {
    /// It has come out of the inbox. False when it stands in the queue of its own thread already, from where on it is there.
    fn arrive(&self) -> bool {
        self.inbox.swap(0, Ordering::AcqRel);
        let is_new = self.here.load(Ordering::Relaxed) == 0;
        self.here.store(1, Ordering::Relaxed);
        is_new
    }

    /// It is out of the queue of its own thread, and about to be polled.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        self.here.store(0, Ordering::Relaxed);
    }
}

impl RunQueue {
    pub(crate) fn new() -> Self {
        Self {
            here: Homed::empty(),
            inbox: Mutex::default(),
            arrived: AtomicU32::new(0),
            awake: AtomicU32::new(0),
            runner: OnceLock::new(),
        }
    }

    /// Sees to it that the driver of this actor is polled.
    #[inline(always)]
    pub(crate) fn push(&self, queued: &Queued, node: impl FnOnce() -> Arc<dyn Node>) {
        match self.here.get() {
            Some(here) if queued.here.load(Ordering::Relaxed) == 0 => {
                queued.here.store(1, Ordering::Relaxed);
                self.append(here, |ready| ready.push_other(node()));
            }
            Some(_) => {}
            None => self.send(queued, node),
        }
    }

    /// The same on the queue's own thread, for a driver that is at rest; false when it is not, or this is another thread.
    #[inline(always)]
    pub(crate) fn push_here(&self, queued: &Queued, scope: impl FnOnce() -> Option<Rc<TurnScope>>) -> bool {
        let Some(here) = self.here.get() else { return false };
        if queued.here.load(Ordering::Relaxed) == 0 {
            let Some(scope) = scope() else { return false };
            queued.here.store(1, Ordering::Relaxed);
            self.append(here, |ready| ready.push(scope));
        }
        true
    }

    #[inline(always)]
    fn append(&self, here: &Here, push: impl FnOnce(&mut Ready)) {
        if here.runner.get() == Runs::Awake || self.rouse(here) {
            push(&mut here.ready.borrow_mut());
        }
    }

    /// Wakes the task if it sleeps. False when it has ended.
    #[cold]
    fn rouse(&self, here: &Here) -> bool {
        if here.runner.get() == Runs::Asleep {
            here.runner.set(Runs::Awake);
            self.wake();
        }
        here.runner.get() == Runs::Awake
    }

    /// From another thread. What it did before happens before the poll: the flag is swapped on both sides.
    fn send(&self, queued: &Queued, node: impl FnOnce() -> Arc<dyn Node>) {
        if queued.inbox.swap(1, Ordering::AcqRel) != 0 {
            return;
        }
        let node = node();
        let mut inbox = self.inbox.lock();
        if inbox.is_closed {
            drop(inbox);
            return drop(node);
        }
        inbox.nodes.push(node);
        let is_first = inbox.nodes.len() == 1;
        self.arrived.store(inbox.nodes.len() as u32, Ordering::SeqCst);
        drop(inbox);
        // We say that something is there and then look whether the task is awake; it says that it sleeps and then looks
        // whether something is there: one of the two sees the other.
        if is_first && self.awake.load(Ordering::SeqCst) == 0 {
            self.wake();
        }
    }

    /// Lies down unless something has come.
    fn fall_asleep(&self, here: &Here) -> bool {
        self.awake.store(0, Ordering::SeqCst);
        if self.arrived.load(Ordering::SeqCst) != 0 {
            return false;
        }
        here.runner.set(Runs::Asleep);
        true
    }

    /// Before its first poll the task needs no waking: it looks into the inbox then.
    fn wake(&self) {
        if let Some(runner) = self.runner.get() {
            runner.wake_by_ref();
        }
    }

    /// Something is about to come from another thread.
    #[cold]
    fn stay_awake(&self) {
        let Some(here) = self.here.get() else { return };
        here.expects.set(true);
        self.rouse(here);
    }

    /// Takes over what other threads have sent. One that is missed by the relaxed load is seen before the task sleeps.
    fn receive(&self, here: &Here) {
        if !self.has_arrivals() {
            return;
        }
        let mut inbox = self.inbox.lock();
        self.arrived.store(0, Ordering::Relaxed);
        let arrived = std::mem::take(&mut inbox.nodes);
        drop(inbox);
        // One that stands in the queue of this thread already is polled from there: with a second entry, of which the first one
        // to be taken clears the mark of both, a busy actor would get more entries with each arrival, and its neighbours
        // ever fewer turns.
        let arrived = arrived.into_iter().filter(|node| node.core().queued.arrive());
        arrived.for_each(|node| here.ready.borrow_mut().push_other(node));
    }

    #[inline]
    fn has_arrivals(&self) -> bool {
        self.arrived.load(Ordering::Relaxed) != 0
    }

    /// Takes nobody any more, on its own thread. Who was in it.
    fn close(&self) -> Vec<Arc<dyn Node>> {
        let ready = self.here.get().map(|here| {
            here.runner.set(Runs::Closed);
            here.ready.take()
        });
        let mut inbox = self.inbox.lock();
        inbox.is_closed = true;
        let arrived = std::mem::take(&mut inbox.nodes);
        drop(inbox);
        let mut ready = ready.unwrap_or_default();
        std::iter::from_fn(|| ready.pop()).map(|next| Arc::clone(next.node())).chain(arrived).collect()
    }

    /// Polls drivers until none is ready or the turns are used up. True when some are left.
    fn run(&self, here: &Here) -> bool {
        let mut left = TURNS;
        while left > 0 && has_budget_remaining() {
            self.receive(here);
            let next = here.ready.borrow_mut().pop();
            let Some(next) = next else { return false };
            left = left.saturating_sub(next.node().drive(left).max(1));
        }
        true
    }
}

impl fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunQueue").field("arrived", &self.arrived.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

/// The runtime looks for what the outside has sent, which takes a call into the system, after so many full polls.
const GIVE_WAY_EVERY: u32 = 8;

thread_local! {
    /// The run queue of this thread, and whether what it last waited for from another thread came soon.
    static OURS: RefCell<Option<Arc<RunQueue>>> = const { RefCell::new(None) };
    static COMES_SOON: Cell<bool> = const { Cell::new(false) };
}

/// A task of the calling thread waits for an answer from another one. If the last one came soon, the thread stays awake.
pub(crate) fn expect_answer() {
    if COMES_SOON.get() {
        OURS.with_borrow(|ours| ours.iter().for_each(|queue| queue.stay_awake()));
    }
}

/// The answer came after so long.
pub(crate) fn answered_after(waited: Duration) {
    COMES_SOON.set(waited < SHORT);
}

/// The task that polls the drivers of its arbiter. It ends with the arbiter, and then they end with it.
pub(crate) struct Runner {
    queue: Arc<RunQueue>,
    system: Weak<SystemCore>,
    patience: Patience,
    /// How often turns were left over.
    polls: u32,
}

impl Runner {
    /// Makes the calling thread the home of the queue.
    pub(crate) fn new(queue: Arc<RunQueue>, system: Weak<SystemCore>) -> Self {
        queue.here.claim(Here::default());
        let is_allowed = system.upgrade().is_some_and(|system| system.stays_awake);
        OURS.set(is_allowed.then(|| Arc::clone(&queue)));
        Self { queue, system, patience: Patience::new(is_allowed), polls: 0 }
    }
}

impl Future for Runner {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let Self { queue, patience, polls, .. } = self.get_mut();
        // Set before the inbox is looked at: whoever sends after that look finds it.
        queue.runner.get_or_init(|| task.waker().clone());
        let Some(here) = queue.here.get() else { return Poll::Ready(()) };
        here.runner.set(Runs::Awake);
        queue.awake.store(1, Ordering::SeqCst);
        if here.expects.take() {
            patience.expect();
        }
        patience.wake(queue.has_arrivals(), Instant::now);
        if queue.run(here) {
            *polls += 1;
            if polls.is_multiple_of(GIVE_WAY_EVERY) {
                come_back(task);
            } else {
                task.waker().wake_by_ref();
            }
        } else if patience.waits(Instant::now) {
            std::thread::yield_now();
            come_back(task);
        } else if !queue.fall_asleep(here) {
            task.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Polls the task again after all others. A task that wakes itself would come before those that other threads have woken,
/// which a local set looks at only now and then while it has others.
fn come_back(task: &mut Task<'_>) {
    let yielded = std::pin::pin!(tokio::task::yield_now()).poll(task);
    debug_assert!(yielded.is_pending());
}

impl Drop for Runner {
    fn drop(&mut self) {
        OURS.set(None);
        // The directory knows those that have not ended. One that has ended in the poll of an asker is out of it, but
        // stands in the queue until its driver has gone.
        let left = self.queue.close();
        let known = self.system.upgrade().map_or_else(Vec::new, |system| system.directory.all());
        left.iter().chain(&known).for_each(|node| node.evict());
    }
}

#[cfg(all(test, not(callboard_model)))]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::child::child;
    use crate::clock::Clock;
    use crate::system::System;

    struct Nobody;
    impl Actor for Nobody {}

    /// Whoever wakes it, in whatever order, an actor stands in the queue of its thread once.
    #[test]
    fn an_actor_stands_in_its_queue_once() {
        let core = Arc::new(System::builder().core(Clock::real(), true));
        let node = core.make_cell(&core.policy, None, child("busy", || Nobody)).node();
        let queue = RunQueue::new();
        queue.here.claim(Here::default());
        let here = queue.here.get().unwrap();
        let wake = || queue.push(&node.core().queued, || Arc::clone(&node));
        let wake_from_afar = || std::thread::scope(|scope| drop(scope.spawn(wake)));
        for _ in 0..3 {
            wake();
            wake_from_afar();
            queue.receive(here);
            wake();
            assert_eq!(here.ready.borrow().len(), 1);
        }
        assert!(!queue.run(here), "it has been polled, and nobody is left");
        wake_from_afar();
        queue.receive(here);
        assert_eq!(here.ready.borrow().len(), 1, "the mark has gone with the entry");
        assert_eq!(queue.close().len(), 1);
    }
}
