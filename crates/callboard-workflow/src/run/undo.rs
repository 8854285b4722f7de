//! Undoing what was done, the last first.
//!
//! A step is undone when all that depend on it have been undone or had nothing to undo, so branches are undone side by
//! side. A step that cannot be undone keeps those before it from being undone: they were done on the same ground.

use super::walk::Walk;
use super::{Command, Failure, RunState, StepState, Task, Timer, call, context, retry};
use crate::graph::StepIndex;

/// How far the undoing is.
#[derive(Clone, Debug)]
pub(super) struct Undoing {
    /// How many that depend on a step are not undone.
    waiting: Vec<u32>,
    /// Steps whose turn to be undone has come.
    ready: Vec<StepIndex>,
    /// Steps that are being undone.
    active: u32,
    failed: u32,
}

impl Walk<'_> {
    /// Begins with the steps that nothing depends on. False if there is nothing to undo at all.
    pub(super) fn begin_undoing(&mut self) -> bool {
        let steps = self.definition.graph().topological_order();
        if !steps.iter().any(|step| self.has_to_undo(*step)) {
            return false;
        }
        let children = |step: usize| self.definition.graph().children(StepIndex::new(step)).len();
        let waiting = (0..steps.len()).map(|step| u32::try_from(children(step)).unwrap_or(u32::MAX)).collect();
        let ready = steps.iter().copied().filter(|step| children(step.get()) == 0).collect();
        self.body.undoing = Some(Box::new(Undoing { waiting, ready, active: 0, failed: 0 }));
        true
    }

    /// Undoes what is ready, and ends the run when nothing is left to wait for.
    pub(super) fn end_of_undoing(&mut self) {
        while let Some(step) = self.body.undoing.as_mut().and_then(|undoing| undoing.ready.pop()) {
            if self.has_to_undo(step) { self.undo(step) } else { self.undone(step) }
        }
        let Some(undoing) = self.body.undoing.as_ref().filter(|undoing| undoing.active == 0) else { return };
        let state = if undoing.failed > 0 { RunState::CompensationFailed } else { self.body.ending };
        self.finish(state);
    }

    fn has_to_undo(&self, step: StepIndex) -> bool {
        let cell = &self.body.cells[step.get()];
        let succeeded = cell.items.as_ref().map_or(cell.state == StepState::Succeeded, |items| {
            items.cells.iter().any(|item| item.state == StepState::Succeeded)
        });
        succeeded && self.step(step).compensate.is_some()
    }

    fn undone(&mut self, step: StepIndex) {
        let Some(undoing) = self.body.undoing.as_mut() else { return };
        for parent in self.definition.graph().parents(step) {
            let waiting = &mut undoing.waiting[parent.get()];
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                undoing.ready.push(*parent);
            }
        }
    }

    fn undo(&mut self, step: StepIndex) {
        if let Some(undoing) = self.body.undoing.as_mut() {
            undoing.active += 1;
        }
        match self.body.cells[step.get()].items.as_mut() {
            None => self.compensate(step.into()),
            Some(items) => {
                (items.next, items.open) = (0, 0);
                self.set_state(step.into(), StepState::Compensating);
                self.undo_items(step);
            }
        }
    }

    /// Undoes as many items as may be undone at once, and ends the step when none is left. Does nothing for a step without.
    fn undo_items(&mut self, step: StepIndex) {
        let next = |walk: &mut Self| walk.body.cells[step.get()].items.as_mut()?.take(StepState::Succeeded);
        while let Some(item) = next(self) {
            self.compensate(Task { step, item: Some(item) });
        }
        let cell = &self.body.cells[step.get()];
        let is_undoing = cell.state == StepState::Compensating;
        let Some(items) = cell.items.as_ref().filter(|items| is_undoing && items.open == 0) else { return };
        let failed = items.cells.iter().any(|item| item.state == StepState::CompensationFailed);
        self.step_undone(step, failed);
    }

    /// The first attempt, or the next.
    fn compensate(&mut self, task: Task) {
        self.set_state(task, StepState::Compensating);
        let input = context::undo_input(self.definition, self.body, task);
        let (Some(undo), Some(cell)) = (&self.step(task.step).compensate, self.body.cell_mut(task)) else { return };
        cell.undo_attempt = cell.undo_attempt.max(1);
        let attempt = cell.undo_attempt;
        let input = match input {
            Ok(input) => input,
            Err(failure) => return self.task_not_undone(task, failure),
        };
        if let Some(timeout) = undo.timeout {
            let (timer, at) = (Timer::CompensationTimeout(task, attempt), self.now.saturating_add(timeout));
            self.commands.push(Command::SetTimer { timer, at });
        }
        self.commands.push(Command::Compensate { task, attempt, handler: undo.handler.clone(), input });
    }

    pub(super) fn compensated(&mut self, task: Task, attempt: u32) {
        if self.is_being_undone(task, attempt) {
            self.task_undone(task, StepState::Compensated);
            self.undo_items(task.step);
        }
    }

    pub(super) fn not_compensated(&mut self, task: Task, attempt: u32, failure: Failure) {
        if !self.is_being_undone(task, attempt) {
            return;
        }
        let policy = self.step(task.step).compensate.as_ref().and_then(|undo| undo.retry);
        let roll = retry::roll(!self.body.seed, task, attempt);
        match call::again(policy, &failure, attempt, self.now, None, roll) {
            None => {
                self.task_not_undone(task, failure);
                self.undo_items(task.step);
            }
            Some(at) => {
                // The next attempt is the current one from now on, so that nothing the last one still says counts.
                self.body.cell_mut(task).into_iter().for_each(|cell| {
                    cell.undo_attempt = attempt.saturating_add(1);
                    cell.failure = Some(Box::new(failure.clone()));
                });
                let timer = Timer::CompensationRetry(task, attempt.saturating_add(1));
                self.commands.push(Command::SetTimer { timer, at });
            }
        }
    }

    pub(super) fn compensation_timed_out(&mut self, task: Task, attempt: u32) {
        if self.is_being_undone(task, attempt) {
            let timeout = self.step(task.step).compensate.as_ref().and_then(|undo| undo.timeout);
            self.not_compensated(task, attempt, call::too_long(timeout));
        }
    }

    pub(super) fn compensation_due(&mut self, task: Task, attempt: u32) {
        if self.is_being_undone(task, attempt) {
            self.compensate(task);
            self.undo_items(task.step);
        }
    }

    /// A person wants another try for a step that could not be undone.
    pub(super) fn undo_again(&mut self, step: StepIndex) {
        self.enter(RunState::Compensating);
        if let Some(undoing) = self.body.undoing.as_mut() {
            undoing.failed = undoing.failed.saturating_sub(1);
        }
        let cell = &mut self.body.cells[step.get()];
        cell.undo_attempt = cell.undo_attempt.saturating_add(1);
        let failed = |cell: &&mut super::Cell| cell.state == StepState::CompensationFailed;
        for item in cell.items.iter_mut().flat_map(|items| items.cells.iter_mut()).filter(failed) {
            (item.state, item.undo_attempt) = (StepState::Succeeded, item.undo_attempt.saturating_add(1));
        }
        self.undo(step);
    }

    fn is_being_undone(&self, task: Task, attempt: u32) -> bool {
        let is_undoing = self.body.state == RunState::Compensating;
        let cell =
            self.body.cell(task).filter(|cell| cell.state == StepState::Compensating && cell.undo_attempt == attempt);
        // A mapped step is undone item by item.
        is_undoing && cell.is_some_and(|cell| cell.items.is_none())
    }

    fn task_not_undone(&mut self, task: Task, failure: Failure) {
        if let Some(cell) = self.body.cell_mut(task) {
            cell.failure = Some(Box::new(failure));
        }
        self.task_undone(task, StepState::CompensationFailed);
    }

    fn task_undone(&mut self, task: Task, state: StepState) {
        self.set_state(task, state);
        match self.body.cells[task.step.get()].items.as_mut().filter(|_| task.item.is_some()) {
            None => self.step_undone(task.step, state == StepState::CompensationFailed),
            Some(items) => items.open = items.open.saturating_sub(1),
        }
    }

    fn step_undone(&mut self, step: StepIndex, failed: bool) {
        let state = if failed { StepState::CompensationFailed } else { StepState::Compensated };
        self.set_state(step.into(), state);
        if let Some(undoing) = self.body.undoing.as_mut() {
            undoing.active = undoing.active.saturating_sub(1);
            undoing.failed += u32::from(failed);
        }
        if !failed {
            self.undone(step);
        }
    }
}
