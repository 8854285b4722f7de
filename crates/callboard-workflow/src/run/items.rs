//! Steps that are done once for every item of a list.

use callboard_bus::{Array, Value};

use super::walk::Walk;
use super::{Cell, Failure, RunState, StepState, Task, context};
use crate::definition::{FailAfter, Map};
use crate::graph::StepIndex;

/// The items of a mapped step.
#[derive(Clone, Debug)]
pub(super) struct Items {
    pub(super) list: Array,
    pub(super) cells: Vec<Cell>,
    /// Where to look for the next item that has not begun.
    pub(super) next: u32,
    /// Items that have begun and not ended.
    pub(super) open: u32,
    /// How many may be open.
    pub(super) most: u32,
    pub(super) failed: u32,
    /// So many failed items fail the step.
    pub(super) fail_at: u32,
    /// No further item begins: the step has failed or is told to stop.
    pub(super) closed: bool,
}

impl Items {
    fn new(map: &Map, list: Array, cell: &Cell) -> Self {
        let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let fail_at = match map.fail_after {
            FailAfter::Items(items) => items.get(),
            FailAfter::Percent(percent) => {
                let share = (u64::from(count) * u64::from(percent.get())).div_ceil(100).max(1);
                u32::try_from(share).unwrap_or(u32::MAX)
            }
        };
        let waiting = Cell { since: cell.since, ..Cell::default() };
        Self {
            cells: vec![waiting; list.len()],
            list,
            next: 0,
            open: 0,
            most: map.max_parallel.map_or(u32::MAX, std::num::NonZeroU32::get),
            failed: 0,
            fail_at,
            closed: false,
        }
    }

    /// The next item that may begin.
    pub(super) fn take(&mut self, ready: StepState) -> Option<u32> {
        if self.open >= self.most {
            return None;
        }
        while let Some(cell) = self.cells.get(self.next as usize) {
            let item = self.next;
            self.next += 1;
            if cell.state == ready {
                self.open += 1;
                return Some(item);
            }
        }
        None
    }

    /// Makes the items that did not succeed begin again.
    pub(super) fn reopen(&mut self) {
        for cell in self.cells.iter_mut().filter(|cell| cell.state != StepState::Succeeded) {
            (cell.state, cell.earlier) = (StepState::Waiting, cell.attempt);
        }
        (self.next, self.open, self.failed, self.closed) = (0, 0, 0, false);
    }

    fn succeeded(&self) -> usize {
        self.cells.iter().filter(|cell| cell.state == StepState::Succeeded).count()
    }

    /// In the order of the items, null for one that failed.
    fn outputs(&self) -> Value {
        let output = |cell: &Cell| if cell.state == StepState::Succeeded { cell.output.clone() } else { Value::Null };
        self.cells.iter().map(output).collect()
    }

    /// What the first item that failed says, with its place.
    fn first_failure(&self, step_id: &str) -> Option<Failure> {
        let (at, cell) = self.cells.iter().enumerate().find(|(_, cell)| cell.state == StepState::Failed)?;
        let mut failure = cell.failure.as_deref()?.clone();
        failure.message = format!("{step_id}[{at}]: {}", failure.message).into();
        Some(failure)
    }
}

impl Walk<'_> {
    /// Turns a step into its items.
    pub(super) fn expand(&mut self, step: StepIndex) {
        let list = match context::list(self.definition, self.body, step) {
            Ok(list) => list,
            Err(failure) => return self.fail(step, failure),
        };
        let Some(map) = &self.step(step).map else { return };
        let cell = &mut self.body.cells[step.get()];
        cell.items = Some(Box::new(Items::new(map, list, cell)));
        self.set_state(step.into(), StepState::Running);
        self.pump(step);
    }

    /// Lets as many items begin as may, and ends the step when nothing is left.
    pub(super) fn pump(&mut self, step: StepIndex) {
        while let Some(item) = self.next_item(step) {
            self.call_first(Task { step, item: Some(item) });
        }
        self.end_of_items(step);
    }

    fn next_item(&mut self, step: StepIndex) -> Option<u32> {
        let items = self.body.cells[step.get()].items.as_mut().filter(|items| !items.closed)?;
        match self.body.state {
            RunState::Running => items.take(StepState::Waiting),
            // The step itself goes on: only its items wait for the end of the pause.
            RunState::Paused => {
                self.body.held.push(step.into());
                None
            }
            _ => None,
        }
    }

    /// The call of an item has ended.
    pub(super) fn item_ended(&mut self, task: Task, state: StepState) {
        self.item_settled(task, state);
        self.pump(task.step);
    }

    pub(super) fn item_settled(&mut self, task: Task, state: StepState) {
        self.set_state(task, state);
        let Some(items) = self.body.cells[task.step.get()].items.as_mut() else { return };
        items.open = items.open.saturating_sub(1);
        items.failed += u32::from(state != StepState::Succeeded);
        if items.failed >= items.fail_at && !items.closed {
            self.close_items(task.step);
        }
    }

    /// Stops the items that run and lets none begin; the step ends when they have.
    pub(super) fn stop_items(&mut self, step: StepIndex) {
        self.set_state(step.into(), StepState::Cancelling);
        self.close_items(step);
        self.end_of_items(step);
    }

    fn close_items(&mut self, step: StepIndex) {
        let Some(items) = self.body.cells[step.get()].items.as_mut() else { return };
        items.closed = true;
        let count = items.cells.len();
        for item in (0..).take(count) {
            let task = Task { step, item: Some(item) };
            match self.body.cell(task).map(|cell| cell.state) {
                Some(StepState::Queued | StepState::Running) => self.cancel_call(task),
                Some(StepState::Held | StepState::Retrying) => self.item_settled(task, StepState::Cancelled),
                _ => {}
            }
        }
    }

    fn end_of_items(&mut self, step: StepIndex) {
        let cell = &self.body.cells[step.get()];
        let Some(items) = cell.items.as_ref().filter(|items| items.open == 0) else { return };
        let is_done = items.closed || items.next as usize >= items.cells.len();
        if cell.state.is_settled() || !is_done {
            return;
        }
        let succeeded = items.succeeded();
        if succeeded == items.cells.len() || items.failed < items.fail_at && !items.closed {
            self.items_succeeded(step);
        } else if items.failed >= items.fail_at && cell.state != StepState::Cancelling {
            self.items_failed(step);
        } else {
            self.settle(step, StepState::Cancelled);
        }
    }

    fn items_succeeded(&mut self, step: StepIndex) {
        let cell = &mut self.body.cells[step.get()];
        cell.output = cell.items.as_ref().map_or(Value::Null, |items| items.outputs());
        match self.lacking_output(step.into()) {
            Some(failure) => self.fail(step, failure),
            None => {
                self.note_writer(step);
                self.settle(step, StepState::Succeeded);
            }
        }
    }

    fn items_failed(&mut self, step: StepIndex) {
        let id = self.step(step).step_id.clone();
        let items = self.body.cells[step.get()].items.as_ref();
        self.body.cells[step.get()].failure = items.and_then(|items| items.first_failure(&id)).map(Box::new);
        self.settle(step, StepState::Failed);
    }
}
