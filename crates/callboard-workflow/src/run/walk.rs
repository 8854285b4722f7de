//! How a run goes on from step to step.

use std::sync::Arc;
use std::time::Duration;

use super::{Body, Command, Failure, RunState, Settled, Skip, StepState, Task, Timer, Undo, context};
use crate::definition::{Definition, Join, Step};
use crate::graph::StepIndex;

/// A run while an event is applied to it.
pub(super) struct Walk<'a> {
    pub(super) definition: &'a Definition,
    pub(super) body: &'a mut Body,
    pub(super) now: Duration,
    pub(super) commands: &'a mut Vec<Command>,
}

impl<'a> Walk<'a> {
    pub(super) fn begin_run(&mut self) {
        if let Some(at) = self.body.deadline {
            self.commands.push(Command::SetTimer { timer: Timer::Deadline, at });
        }
        for &step in self.definition.graph().topological_order() {
            if self.definition.graph().parents(step).is_empty() {
                self.begin(step);
            }
        }
        self.go_on();
    }

    pub(super) fn step(&self, step: StepIndex) -> &'a Step {
        &self.definition.steps()[step.get()]
    }

    /// Tells children how their parents ended until nobody has news, and ends the run if nothing is left.
    pub(super) fn go_on(&mut self) {
        self.spread_news();
        match self.body.state {
            RunState::Running if self.body.unsettled == 0 => self.end_of_steps(),
            RunState::Stopping if self.body.active == 0 => self.wind_up(self.body.ending),
            RunState::Compensating => self.end_of_undoing(),
            _ => {}
        }
    }

    pub(super) fn spread_news(&mut self) {
        while let Some((step, how)) = self.body.settled.pop_front() {
            for &child in self.definition.graph().children(step) {
                self.tell(child, how);
            }
        }
    }

    pub(super) fn set_state(&mut self, task: Task, state: StepState) {
        let now = self.now;
        self.body.changed = now;
        if let Some(changes) = &mut self.body.changes {
            changes.push(task);
        }
        if let Some(cell) = self.body.cell_mut(task) {
            debug_assert!(cell.state == state || cell.state.may_become(state), "{} to {state}", cell.state);
            (cell.state, cell.since) = (state, now);
        }
    }

    /// A step has ended; those who depend on it will be told.
    pub(super) fn settle(&mut self, step: StepIndex, state: StepState) {
        let how = match state {
            StepState::Succeeded => Settled::Succeeded,
            StepState::Skipped if self.body.cells[step.get()].skip != Some(Skip::Failure) => Settled::Skipped,
            _ => Settled::Failed,
        };
        self.set_state(step.into(), state);
        self.body.failures += u32::from(how == Settled::Failed && state != StepState::Skipped);
        self.body.unsettled = self.body.unsettled.saturating_sub(1);
        self.body.settled.push_back((step, how));
    }

    pub(super) fn skip(&mut self, step: StepIndex, why: Skip) {
        self.body.cells[step.get()].skip = Some(why);
        self.settle(step, StepState::Skipped);
    }

    pub(super) fn fail(&mut self, step: StepIndex, failure: Failure) {
        self.body.cells[step.get()].failure = Some(Box::new(failure));
        self.settle(step, StepState::Failed);
    }

    fn tell(&mut self, step: StepIndex, how: Settled) {
        let tally = &mut self.body.tallies[step.get()];
        tally.waiting = tally.waiting.saturating_sub(1);
        match how {
            Settled::Succeeded => tally.succeeded += 1,
            Settled::Failed => tally.failed += 1,
            Settled::Skipped => {}
        }
        if self.body.cells[step.get()].state == StepState::Waiting {
            self.decide(step);
        }
    }

    /// The table at the head of [`run`](crate::run).
    fn decide(&mut self, step: StepIndex) {
        let tally = self.body.tallies[step.get()];
        let all = self.step(step).depends_on.len();
        let starts = match self.step(step).join {
            Join::All => tally.succeeded as usize == all,
            Join::Any => tally.succeeded >= 1,
            Join::AtLeast(number) => tally.succeeded >= number.get(),
            Join::AllDone => tally.waiting == 0,
        };
        match (starts, tally.waiting, tally.failed) {
            (true, ..) => self.begin(step),
            (false, 0, 0) => self.skip(step, Skip::Dependency),
            (false, 0, _) => self.skip(step, Skip::Failure),
            (false, ..) => {}
        }
    }

    /// The step's turn has come.
    pub(super) fn begin(&mut self, step: StepIndex) {
        match self.body.state {
            RunState::Running => self.begin_now(step),
            RunState::Paused => self.hold(step.into()),
            _ => self.skip(step, Skip::RunEnded),
        }
    }

    pub(super) fn hold(&mut self, task: Task) {
        self.set_state(task, StepState::Held);
        self.body.held.push(task);
    }

    fn begin_now(&mut self, step: StepIndex) {
        match context::condition(self.definition, self.body, step) {
            Ok(true) if self.step(step).map.is_some() => self.expand(step),
            Ok(true) => self.call_first(step.into()),
            Ok(false) => self.skip(step, Skip::Condition),
            Err(failure) => self.fail(step, failure),
        }
    }

    pub(super) fn pause(&mut self) {
        if self.body.state == RunState::Running {
            self.enter(RunState::Paused);
        }
    }

    pub(super) fn resume(&mut self) {
        if self.body.state != RunState::Paused {
            return;
        }
        self.enter(RunState::Running);
        for task in std::mem::take(&mut self.body.held) {
            self.release(task);
        }
    }

    /// Work that was held goes on: a step that had not begun, the next attempt of something, or more items of a map.
    fn release(&mut self, task: Task) {
        let Some(cell) = self.body.cell(task) else { return };
        match (cell.state, cell.attempt) {
            (StepState::Held, 0) if task.item.is_none() => self.begin_now(task.step),
            (StepState::Held, _) => self.call(task),
            _ => self.pump(task.step),
        }
    }

    pub(super) fn cancel(&mut self, reason: Arc<str>, undo: Undo) {
        if matches!(self.body.state, RunState::Running | RunState::Paused) {
            self.body.reason = Some(reason);
            self.body.undoes = undo == Undo::Completed;
            self.stop(RunState::Cancelled);
        }
    }

    /// Stops what runs and lets nothing begin. The one event in the middle of a run that looks at all steps.
    pub(super) fn stop(&mut self, ending: RunState) {
        self.body.ending = ending;
        self.enter(RunState::Stopping);
        self.body.held.clear();
        for &step in self.definition.graph().topological_order() {
            self.stop_step(step);
        }
    }

    fn stop_step(&mut self, step: StepIndex) {
        let cell = &self.body.cells[step.get()];
        match cell.state {
            _ if cell.items.is_some() && !cell.state.is_settled() => self.stop_items(step),
            StepState::Waiting => self.skip(step, Skip::RunEnded),
            StepState::Held if cell.attempt == 0 => self.skip(step, Skip::RunEnded),
            StepState::Held | StepState::Retrying => self.settle(step, StepState::Cancelled),
            StepState::Queued | StepState::Running => self.cancel_call(step.into()),
            _ => {}
        }
    }

    pub(super) fn cancel_call(&mut self, task: Task) {
        let attempt = self.body.cell(task).map_or(0, |cell| cell.attempt);
        self.set_state(task, StepState::Cancelling);
        self.commands.push(Command::Cancel { task, attempt });
    }

    fn end_of_steps(&mut self) {
        if self.body.failures == 0 || self.failures_are_forgiven() {
            self.finish(RunState::Completed);
        } else {
            self.wind_up(RunState::Failed);
        }
    }

    /// Undoes what must be undone, and ends.
    fn wind_up(&mut self, ending: RunState) {
        self.body.ending = ending;
        if self.body.undoes && self.begin_undoing() {
            self.enter(RunState::Compensating);
            self.end_of_undoing();
        } else {
            self.finish(ending);
        }
    }

    pub(super) fn enter(&mut self, state: RunState) {
        debug_assert!(self.body.state.may_become(state), "{} to {state}", self.body.state);
        (self.body.state, self.body.changed) = (state, self.now);
    }

    pub(super) fn finish(&mut self, state: RunState) {
        self.enter(state);
        self.commands.push(Command::Finished { state });
    }
}
