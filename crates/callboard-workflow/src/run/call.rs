//! Calls: begun, answered, failed, late, tried again.

use std::time::Duration;

use callboard_bus::retry::{Attempt, FailureClass, Repeatable, Retry};
use callboard_bus::{RetryPolicy, Value};

use super::walk::Walk;
use super::{Cell, Command, Failure, RunState, StepState, Task, Timer, context, retry};

impl Walk<'_> {
    /// Gathers the input and makes the first call. What cannot be gathered fails the work before its handler is called.
    pub(super) fn call_first(&mut self, task: Task) {
        match context::input(self.definition, self.body, task) {
            Ok(input) => {
                if let Some(cell) = self.body.cell_mut(task) {
                    cell.input = input;
                }
                self.call(task);
            }
            Err(failure) => self.give_up(task, failure),
        }
    }

    /// Makes the next call with the input that is there.
    pub(super) fn call(&mut self, task: Task) {
        self.set_state(task, StepState::Queued);
        let (step, deadline) = (self.step(task.step), self.body.deadline);
        let Some(cell) = self.body.cell_mut(task) else { return };
        cell.attempt = cell.attempt.saturating_add(1);
        let (attempt, input) = (cell.attempt, cell.input.clone());
        self.body.active += 1;
        let (handler, priority) = (step.handler.clone(), step.priority);
        self.commands.push(Command::Call { task, attempt, handler, input, deadline, priority });
    }

    pub(super) fn started(&mut self, task: Task, attempt: u32) {
        if self.body.current(task, attempt).is_none_or(|cell| cell.state != StepState::Queued) {
            return;
        }
        self.set_state(task, StepState::Running);
        if let Some(timeout) = self.step(task.step).timeout {
            let (timer, at) = (Timer::Timeout(task, attempt), self.now.saturating_add(timeout));
            self.commands.push(Command::SetTimer { timer, at });
        }
    }

    pub(super) fn succeeded(&mut self, task: Task, attempt: u32, output: Value) {
        let Some(cell) = self.body.current(task, attempt) else { return };
        cell.output = output;
        if let Some(failure) = self.lacking_output(task) {
            return self.call_failed(task, failure);
        }
        self.call_ended(task, StepState::Succeeded);
    }

    pub(super) fn failed(&mut self, task: Task, attempt: u32, failure: Failure) {
        if self.body.current(task, attempt).is_some() {
            self.call_failed(task, failure);
        }
    }

    pub(super) fn cancelled(&mut self, task: Task, attempt: u32) {
        if let Some(cell) = self.body.current(task, attempt) {
            let failure = Failure::new(FailureClass::Permanent, "cancelled", "the call was cancelled");
            cell.failure = Some(Box::new(failure));
            let was_asked = cell.state == StepState::Cancelling;
            self.call_ended(task, if was_asked { StepState::Cancelled } else { StepState::Failed });
        }
    }

    pub(super) fn timer_fired(&mut self, timer: Timer) {
        match timer {
            Timer::Deadline => self.deadline_reached(),
            Timer::Timeout(task, attempt) => self.timed_out(task, attempt),
            Timer::Retry(task, attempt) => self.retry_due(task, attempt),
            Timer::CompensationTimeout(task, attempt) => self.compensation_timed_out(task, attempt),
            Timer::CompensationRetry(task, attempt) => self.compensation_due(task, attempt),
        }
    }

    fn deadline_reached(&mut self) {
        let is_due = self.body.deadline.is_some_and(|deadline| self.now >= deadline);
        if is_due && matches!(self.body.state, RunState::Running | RunState::Paused) {
            self.stop(RunState::TimedOut);
        }
    }

    /// The attempt is given up at once; that the call must stop is for the driver to see to, and what it still replies is
    /// that of an attempt that is over.
    fn timed_out(&mut self, task: Task, attempt: u32) {
        let Some(state) = self.body.current(task, attempt).map(|cell| cell.state) else { return };
        if state == StepState::Running {
            self.commands.push(Command::Cancel { task, attempt });
        }
        self.call_failed(task, too_long(self.step(task.step).timeout));
    }

    fn retry_due(&mut self, task: Task, attempt: u32) {
        let due = |cell: &&mut Cell| cell.attempt == attempt && cell.state == StepState::Retrying;
        match (self.body.cell_mut(task).filter(due).is_some(), self.body.state) {
            (true, RunState::Running) => self.call(task),
            (true, RunState::Paused) => self.hold(task),
            _ => {}
        }
    }

    /// An attempt has failed that was still counted on.
    fn call_failed(&mut self, task: Task, failure: Failure) {
        let goes_on = matches!(self.body.state, RunState::Running | RunState::Paused);
        let (retry, seed, deadline) = (self.step(task.step).retry, self.body.seed, self.body.deadline);
        let Some(cell) = self.body.cell_mut(task) else { return };
        let (attempt, made) = (cell.attempt, cell.attempt.saturating_sub(cell.earlier));
        let may_retry = goes_on && cell.state != StepState::Cancelling;
        let roll = retry::roll(seed, task, attempt);
        let again = may_retry.then(|| again(retry, &failure, made, self.now, deadline, roll)).flatten();
        cell.failure = Some(Box::new(failure));
        match again {
            None => self.call_ended(task, StepState::Failed),
            Some(at) => {
                self.body.active = self.body.active.saturating_sub(1);
                self.set_state(task, StepState::Retrying);
                self.commands.push(Command::SetTimer { timer: Timer::Retry(task, attempt), at });
            }
        }
    }

    /// The last call for this work is over.
    fn call_ended(&mut self, task: Task, state: StepState) {
        self.body.active = self.body.active.saturating_sub(1);
        if state == StepState::Succeeded && task.item.is_none() {
            self.note_writer(task.step);
        }
        match task.item {
            None => self.settle(task.step, state),
            Some(_) => self.item_ended(task, state),
        }
    }

    /// Fails work for which no call is out.
    fn give_up(&mut self, task: Task, failure: Failure) {
        match task.item {
            None => self.fail(task.step, failure),
            Some(_) => {
                if let Some(cell) = self.body.cell_mut(task) {
                    cell.failure = Some(Box::new(failure));
                }
                self.item_settled(task, StepState::Failed);
            }
        }
    }
}

/// The failure of an attempt that took too long. Whether it did something nobody knows.
pub(super) fn too_long(timeout: Option<Duration>) -> Failure {
    let message = timeout.map_or_else(String::new, |timeout| format!("not done within {timeout:?}"));
    Failure::new(FailureClass::Unknown, "timeout", message)
}

/// When to try again, if at all. Attempts carry a key that does not change, so they may be repeated.
pub(super) fn again(
    policy: Option<RetryPolicy>,
    failure: &Failure,
    made: u32,
    now: Duration,
    deadline: Option<Duration>,
    roll: f64,
) -> Option<Duration> {
    let attempt = Attempt::new(made, failure.class, now).retry_after(failure.retry_after).repeatable(Repeatable::Yes);
    let attempt = deadline.map_or(attempt, |deadline| attempt.deadline(deadline));
    match policy?.next(&attempt, roll) {
        Retry::At(at) => Some(at),
        Retry::GiveUp(_) => None,
    }
}
