//! The places of [`Slots`], shared by all runs of a system: whoever waits for one is a future, and whoever has one gives it
//! back by dropping it, however it ends.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use callboard_actor::Priority;
use parking_lot::Mutex;

use crate::definition::Definition;
use crate::slots::{OperationKey, RunKey, Slots};

/// All limits of a system. A clone is one more reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    slots: Mutex<Slots<Arc<Turn>>>,
    /// The limits that hold for all workflows, by operation.
    common: Mutex<HashMap<Arc<str>, OperationKey>>,
    /// Whether there are any; looked at without the lock.
    has_common: AtomicBool,
    runs: AtomicU64,
}

/// The limits of one definition: the operations, and where their calls queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnLimits(Vec<(Arc<str>, OperationKey)>);

/// A place. It is free again when this is dropped.
pub(crate) struct Place {
    limits: Limits,
    queue: OperationKey,
}

/// Somebody who waits for a place. Dropped before, the wait ends.
pub(crate) struct Queuing {
    limits: Limits,
    /// Taken out when there is nothing left to wait for.
    turn: Option<Arc<Turn>>,
}

/// What stands in a queue.
#[derive(Debug)]
struct Turn {
    queue: OperationKey,
    state: Mutex<TurnState>,
}

#[derive(Debug)]
enum TurnState {
    Waiting(Option<Waker>),
    Granted,
    GivenUp,
}

impl Limits {
    /// A number for a run, which no other has.
    pub(crate) fn new_run(&self) -> RunKey {
        RunKey(self.0.runs.fetch_add(1, Ordering::Relaxed))
    }

    /// Sets or lifts the limit of an operation over all workflows. Calls that went out while it had none are not counted.
    pub(crate) fn set(&self, operation: &str, limit: Option<NonZeroU32>) {
        let mut slots = self.0.slots.lock();
        let queue = slots.operation(&format!("*#{operation}"));
        self.0.common.lock().insert(operation.into(), queue);
        self.0.has_common.store(true, Ordering::Release);
        let granted = slots.set_limit(queue, limit);
        drop(slots);
        self.grant_all(granted);
    }

    /// Sets the limits that a definition has for its own runs.
    pub(crate) fn set_own(&self, definition: &Definition) -> OwnLimits {
        let (id, version) = (definition.workflow_id(), definition.version());
        let mut slots = self.0.slots.lock();
        let mut granted = Vec::new();
        let queues = definition.limits().iter().map(|limit| {
            // Ids have no `#`, so no two of these names are the same.
            let queue = slots.operation(&format!("{id}@{version}#{}", limit.operation));
            granted.extend(slots.set_limit(queue, Some(limit.at_once)));
            (Arc::clone(&limit.operation), queue)
        });
        let own = OwnLimits(queues.collect());
        drop(slots);
        self.grant_all(granted);
        own
    }

    /// Where a call of the operation has to queue, first one and then the other. Whoever waits for the second keeps the
    /// first until it is paused; as all take them in this order, nobody waits in a circle.
    pub(crate) fn queues(&self, own: &OwnLimits, operation: &str) -> [Option<OperationKey>; 2] {
        let first = own.0.iter().find(|(limited, _)| **limited == *operation).map(|(_, queue)| *queue);
        let has_common = self.0.has_common.load(Ordering::Acquire);
        [first, has_common.then(|| self.0.common.lock().get(operation).copied()).flatten()]
    }

    /// A place, or the wait for one.
    pub(crate) fn request(&self, queue: OperationKey, run: RunKey, priority: Priority) -> Result<Place, Queuing> {
        let turn = Arc::new(Turn { queue, state: Mutex::new(TurnState::Waiting(None)) });
        let granted = self.0.slots.lock().request(queue, run, priority, Arc::clone(&turn));
        match granted {
            Some(_) => Ok(Place { limits: self.clone(), queue }),
            None => Err(Queuing { limits: self.clone(), turn: Some(turn) }),
        }
    }

    /// Nothing of the run waits any more: it is over, or paused.
    pub(crate) fn forget(&self, run: RunKey) {
        let given_up = self.0.slots.lock().forget(run);
        drop(given_up);
    }

    /// How many calls of the operation are out, of those that a common limit counts.
    #[cfg(test)]
    pub(crate) fn in_use(&self, queue: OperationKey) -> u32 {
        self.0.slots.lock().in_use(queue)
    }

    /// The lock is not held while somebody is woken, as that runs code of whoever waits.
    fn grant_all(&self, granted: Vec<Arc<Turn>>) {
        for turn in granted {
            if !turn.grant() {
                self.release(turn.queue);
            }
        }
    }

    /// A place is free: it goes to the first that still wants it.
    fn release(&self, queue: OperationKey) {
        loop {
            let next = self.0.slots.lock().release(queue);
            if next.is_none_or(|turn| turn.grant()) {
                return;
            }
        }
    }
}

impl Turn {
    /// False if nobody wants it any more.
    fn grant(&self) -> bool {
        let mut state = self.state.lock();
        if matches!(*state, TurnState::GivenUp) {
            return false;
        }
        let before = std::mem::replace(&mut *state, TurnState::Granted);
        drop(state);
        if let TurnState::Waiting(Some(waker)) = before {
            waker.wake();
        }
        true
    }
}

impl Future for Queuing {
    type Output = Place;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Place> {
        let Some(turn) = &self.turn else { return Poll::Pending };
        let mut state = turn.state.lock();
        if let TurnState::Waiting(waker) = &mut *state {
            *waker = Some(task.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        let queue = turn.queue;
        self.turn = None;
        Poll::Ready(Place { limits: self.limits.clone(), queue })
    }
}

impl Drop for Queuing {
    fn drop(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let before = std::mem::replace(&mut *turn.state.lock(), TurnState::GivenUp);
        if matches!(before, TurnState::Granted) {
            self.limits.release(turn.queue);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limits.release(self.queue);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl fmt::Debug for Queuing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queuing").field("turn", &self.turn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
