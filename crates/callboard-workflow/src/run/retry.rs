//! Another try for a step that failed, and the draw that spreads retries.

use super::walk::Walk;
use super::{Command, RunState, Skip, StepState, Task, Timer};
use crate::graph::StepIndex;

/// Where the draws of a run begin: its name, by FNV-1a.
pub(super) fn seed(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A draw from 0 to 1 that is always the same for the same attempt of the same run (splitmix64), so that a run that is
/// read back from its events has the same timers.
pub(super) fn roll(seed: u64, task: Task, attempt: u32) -> f64 {
    let place = (task.step.get() as u64) << 32 | u64::from(task.item.map_or(0, |item| item + 1));
    let mut mixed = seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(attempt).rotate_left(17);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

impl Walk<'_> {
    pub(super) fn retry_requested(&mut self, step: StepIndex) {
        let Some(state) = self.body.cells.get(step.get()).map(|cell| cell.state) else { return };
        let has_undone = self.body.undoing.is_some();
        match (state, self.body.state) {
            (StepState::CompensationFailed, RunState::CompensationFailed) => self.undo_again(step),
            (StepState::Failed, RunState::Running | RunState::Paused) => self.reopen(step),
            (StepState::Failed, RunState::Failed) if !has_undone => {
                self.enter(RunState::Running);
                self.renew_deadline();
                self.reopen(step);
            }
            _ => {}
        }
    }

    /// A run that is continued has as long as a new one.
    fn renew_deadline(&mut self) {
        let Some(timeout) = self.definition.timeout() else { return };
        let at = self.now.saturating_add(timeout);
        self.body.deadline = Some(at);
        self.commands.push(Command::SetTimer { timer: Timer::Deadline, at });
    }

    /// The step and what was skipped because of it wait again; then its turn comes.
    fn reopen(&mut self, step: StepIndex) {
        // Whoever has not been told of the failure yet is told before it is taken back.
        self.spread_news();
        self.body.failures = self.body.failures.saturating_sub(1);
        self.unsettle(step);
        let mut reopened = vec![step];
        while let Some(parent) = reopened.pop() {
            for &child in self.definition.graph().children(parent) {
                let tally = &mut self.body.tallies[child.get()];
                (tally.waiting, tally.failed) = (tally.waiting + 1, tally.failed.saturating_sub(1));
                let cell = &self.body.cells[child.get()];
                if cell.state == StepState::Skipped && cell.skip == Some(Skip::Failure) {
                    self.unsettle(child);
                    reopened.push(child);
                }
            }
        }
        self.begin_again(step);
    }

    fn unsettle(&mut self, step: StepIndex) {
        self.set_state(step.into(), StepState::Waiting);
        self.body.unsettled += 1;
        let cell = &mut self.body.cells[step.get()];
        (cell.skip, cell.earlier) = (None, cell.attempt);
    }

    fn begin_again(&mut self, step: StepIndex) {
        match self.body.cells[step.get()].items.as_mut() {
            None => self.begin(step),
            Some(items) => {
                items.reopen();
                self.set_state(step.into(), StepState::Running);
                self.pump(step);
            }
        }
    }
}
