//! How many runs there have been. Pure.

use serde::Serialize;

use crate::run::RunState;

/// How many runs there have been since the system started: `started` is always the sum of the others (F-WF-11). A run
/// that is tried again after its end counts as started once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunTotals {
    /// Starts, those included that go on with a run that had ended.
    pub started: u64,
    /// Those that run now.
    pub active: u64,
    /// Those that completed.
    pub completed: u64,
    /// Those that failed, including those that could not be undone and those whose actor died.
    pub failed: u64,
    /// Those that were cancelled.
    pub cancelled: u64,
    /// Those that ran out of time.
    pub timed_out: u64,
}

impl RunTotals {
    pub(super) fn begin(&mut self) {
        self.started += 1;
        self.active += 1;
    }

    pub(super) fn end(&mut self, state: RunState) {
        self.active = self.active.saturating_sub(1);
        match state {
            RunState::Completed => self.completed += 1,
            RunState::Cancelled => self.cancelled += 1,
            RunState::TimedOut => self.timed_out += 1,
            _ => self.failed += 1,
        }
    }
}
