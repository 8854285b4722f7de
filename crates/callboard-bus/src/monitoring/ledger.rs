//! What calls leave behind for whoever looks after the system: the [`Ledger`] that all operations of a system share.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;

use super::calls::CallFigures;
use super::recent::{Recent, RecentCall};
use crate::call::CallError;
use crate::operation::OperationState;

/// An extension of the system. A call that goes well comes here only if it is timed, and one that fails always does.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Counts the ticks of the maintenance, each of which has its own calls that are timed.
    tick: AtomicU32,
    recent: Mutex<Recent>,
    /// The figures of operations that are not there any more.
    gone: Mutex<CallFigures>,
}

impl Ledger {
    #[inline]
    pub(crate) fn tick(&self) -> u32 {
        self.tick.load(Relaxed)
    }

    pub(super) fn next_tick(&self) {
        self.tick.fetch_add(1, Relaxed);
    }

    /// An attempt of a call has ended; it is kept if it was timed or has failed.
    #[inline]
    pub(crate) fn note(&self, state: &OperationState, began: Option<Duration>, error: Option<&CallError>) {
        if began.is_some() || error.is_some() {
            self.keep(state, began, error);
        }
    }

    #[cold]
    fn keep(&self, state: &OperationState, began: Option<Duration>, error: Option<&CallError>) {
        let call = RecentCall::new(state.address(), began, state.system().elapsed(), error);
        // What falls out is dropped outside of the lock.
        let fallen = self.recent.lock().push(call);
        drop(fallen);
    }

    /// An operation goes, and its figures stay.
    pub(crate) fn retire(&self, state: &OperationState) {
        self.gone.lock().add(&CallFigures::of(state));
    }

    pub(super) fn gone(&self) -> CallFigures {
        *self.gone.lock()
    }

    pub(super) fn recent(&self, wanted: impl Fn(&RecentCall) -> bool, limit: usize) -> Vec<RecentCall> {
        self.recent.lock().newest_first().filter(|call| wanted(call)).take(limit).cloned().collect()
    }
}
