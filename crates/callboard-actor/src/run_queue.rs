//! The run queue of an arbiter: the actors on one thread whose drivers have something to do, polled by one task.
//!
//! A task of the runtime per actor would be woken through the runtime's own queues, which know nothing of actors: that
//! costs more than the turn of a small handler. Here a wake-up on the actor's own thread appends to a plain queue. A
//! wake-up on any other thread goes through a locked inbox, and wakes the runtime's task once per burst.
//!
//! The task gives way to the runtime's other tasks after [`TURNS`] turns, or when the runtime's cooperative budget is used
//! up, which all drivers that are polled in one go share.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context as Task, Poll, Waker};

use tokio::task::coop::has_budget_remaining;

use crate::bound::Bound;
use crate::cell::Node;
use crate::sync::{AtomicU32, Mutex, Ordering};
use crate::system::SystemCore;

/// Turns of all drivers together before other tasks of the thread come in between.
const TURNS: u32 = 256;

/// The run queue of one arbiter. Any thread may hold it.
pub(crate) struct RunQueue {
    here: Bound<Here>,
    /// Those that other threads have woken.
    inbox: Mutex<Vec<Arc<dyn Node>>>,
    /// How many are in the inbox; looked at without the lock.
    arrived: AtomicU32,
    runner: OnceLock<Waker>,
}

/// What the arbiter's own thread works on.
#[derive(Default)]
struct Here {
    ready: RefCell<VecDeque<Arc<dyn Node>>>,
    /// The task waits to be woken.
    asleep: Cell<bool>,
}

/// Whether an actor stands in a run queue: once by its own thread's hand, and once by that of others.
#[derive(Debug, Default)]
pub(crate) struct Queued {
    /// Read and written on the actor's own thread alone.
    here: AtomicU32,
    inbox: AtomicU32,
}

impl RunQueue {
    pub(crate) fn new() -> Self {
        Self {
            here: Bound::new(Here::default()),
            inbox: Mutex::default(),
            arrived: AtomicU32::new(0),
            runner: OnceLock::new(),
        }
    }

    /// Sees to it that the driver of this actor is polled.
    #[inline]
    pub(crate) fn push(&self, queued: &Queued, node: impl FnOnce() -> Arc<dyn Node>) {
        match self.here.get() {
            Some(here) if queued.here.load(Ordering::Relaxed) == 0 => {
                queued.here.store(1, Ordering::Relaxed);
                self.append(here, node());
            }
            Some(_) => {}
            None => self.send(queued, node),
        }
    }

    #[inline]
    fn append(&self, here: &Here, node: Arc<dyn Node>) {
        here.ready.borrow_mut().push_back(node);
        if here.asleep.replace(false) {
            self.wake();
        }
    }

    /// From another thread. What it did before happens before the poll: the flag is swapped on both sides.
    fn send(&self, queued: &Queued, node: impl FnOnce() -> Arc<dyn Node>) {
        if queued.inbox.swap(1, Ordering::AcqRel) != 0 {
            return;
        }
        let node = node();
        let mut inbox = self.inbox.lock();
        inbox.push(node);
        let is_first = inbox.len() == 1;
        self.arrived.store(inbox.len() as u32, Ordering::Relaxed);
        drop(inbox);
        if is_first {
            self.wake();
        }
    }

    /// Before its first poll the task needs no waking: it looks into the inbox then.
    fn wake(&self) {
        if let Some(runner) = self.runner.get() {
            runner.wake_by_ref();
        }
    }

    /// Takes over what other threads have sent. One that is missed by the relaxed load has woken the task after it.
    fn receive(&self, here: &Here) {
        if self.arrived.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut inbox = self.inbox.lock();
        self.arrived.store(0, Ordering::Relaxed);
        let arrived = std::mem::take(&mut *inbox);
        drop(inbox);
        let mut ready = here.ready.borrow_mut();
        for node in arrived {
            node.core().queued.inbox.swap(0, Ordering::AcqRel);
            ready.push_back(node);
        }
    }

    /// Polls drivers until none is ready or the turns are used up. True when some are left.
    fn run(&self, here: &Here) -> bool {
        let mut left = TURNS;
        while left > 0 && has_budget_remaining() {
            self.receive(here);
            let next = here.ready.borrow_mut().pop_front();
            let Some(node) = next else {
                here.asleep.set(true);
                return false;
            };
            node.core().queued.here.store(0, Ordering::Relaxed);
            left = left.saturating_sub(node.drive(left).max(1));
        }
        true
    }
}

impl fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunQueue").field("arrived", &self.arrived.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

/// The task that polls the drivers of its arbiter. It ends with the arbiter, and then they end with it.
pub(crate) struct Runner {
    queue: Arc<RunQueue>,
    system: Weak<SystemCore>,
}

impl Runner {
    /// Makes the calling thread the home of the queue.
    pub(crate) fn new(queue: Arc<RunQueue>, system: Weak<SystemCore>) -> Self {
        queue.here.claim();
        Self { queue, system }
    }
}

impl Future for Runner {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let queue = &self.queue;
        // Set before the inbox is looked at: whoever sends after that look finds it.
        queue.runner.get_or_init(|| task.waker().clone());
        let Some(here) = queue.here.get() else { return Poll::Ready(()) };
        here.asleep.set(false);
        if queue.run(here) {
            task.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(here) = self.queue.here.get() {
            let ready = std::mem::take(&mut *here.ready.borrow_mut());
            drop(ready);
        }
        let Some(system) = self.system.upgrade() else { return };
        for node in system.directory.all() {
            node.evict();
        }
    }
}
