//! A run of a workflow: a pure state machine that is told events and says what to do next.
//!
//! It has no clock, no queue and no journal. Whoever drives it carries out the [`Command`]s, feeds the [`Event`]s and brings
//! the time, so a journal can be put under it: the same events at the same times give the same run, jitter included.
//! Moments are measured from any fixed one; a journal takes the beginning of 1970, so that they outlive the process.
//!
//! # States of a run
//!
//! ```text
//!            pause             all steps settled
//!   Running ◄─────► Paused    ┌───────────────────────────────► Completed
//!     │ │    resume   │       │
//!     │ └─────────────┼───────┘ a failure that no join forgave
//!     │               │         ├─ something to undo ─► Compensating ─┬─► Failed | Cancelled | TimedOut
//!     │ cancel,       │         └─ nothing ───────────► Failed        └─► CompensationFailed
//!     │ deadline      │                                    │ retry              │ retry
//!     └──► Stopping ◄─┘ cancel, deadline                   ▼                    ▼
//!             └─ last call ended ─► Compensating,       Running            Compensating
//!                                   Cancelled, TimedOut
//! ```
//!
//! A paused run does not end; it ends when it is resumed, or stops when it is cancelled or out of time. A run that is being
//! compensated cannot be paused, cancelled or late.
//!
//! # States of a step
//!
//! ```text
//!   Waiting ──► Queued ──► Running ──► Succeeded ──► Compensating ──► Compensated
//!      │          │           │                          │   ▲
//!      │          └─────┬─────┘                          ▼   │ retry
//!      │                ├──► Failed             CompensationFailed
//!      │                ├──► Retrying ────► Queued, Held, Cancelled
//!      │                └──► Cancelling ──► Cancelled, Succeeded, Failed: whichever comes first
//!      ├──► Held, in a pause ──► Queued, Running, Skipped, Failed, Cancelled
//!      ├──► Running, of a mapped step
//!      ├──► Skipped ──► Waiting, when what it was skipped for is tried again
//!      └──► Failed, without a value for its input or condition ──► Waiting, when it is tried again
//! ```
//!
//! A driver that does not say when a call begins takes a step from `Queued` to `Succeeded`. A mapped step that ended in `Failed`
//! or `Cancelled` becomes `Compensating` for the items that had succeeded. [`RunState::may_become`] and
//! [`StepState::may_become`] have all arrows; no other is taken.
//!
//! # When a step starts
//!
//! A step is decided once. With `s` that succeeded, `f` that failed, `k` that were skipped, of `n` that it depends on:
//!
//! | join | starts as soon as | otherwise, when all have ended |
//! |---|---|---|
//! | `all` | s = n | skipped: as a failure if f > 0, else as skipped |
//! | `any` | s ≥ 1 | skipped: as a failure if f > 0, else as skipped |
//! | number m | s ≥ m | skipped: as a failure if f > 0, else as skipped |
//! | `all_done` | s + f + k = n | |
//!
//! A step that was skipped *as a failure* counts as failed for those behind it, any other skipped one as skipped. A step
//! whose `when` is false is skipped. (Airflow's `upstream_failed` and `skipped`, with `all_success`, `one_success`, `all_done`.)
//!
//! A failed step does not stop what does not depend on it. It fails the run, unless it is *forgiven*: other steps depend on
//! it, and each of them either started by `any` or a number in spite of it, or was skipped as a failure and is forgiven
//! itself. A step with `all_done` cleans up and forgives nothing.
//!
//! # Cost
//!
//! An event costs time for the step it is about and for those that depend on it; no event but the end, a cancellation and a
//! compensation looks at all steps. Values are shared: mapping and merging copy references only.

mod call;
mod context;
mod event;
mod items;
mod retry;
mod state;
mod undo;
mod verdict;
mod walk;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use callboard_bus::Value;

pub use self::event::{Command, Event, Failure, Task, Timer, Undo};
use self::items::Items;
pub use self::state::{RunState, Skip, StepState};
use self::undo::Undoing;
use self::walk::Walk;
use crate::definition::Definition;
use crate::graph::StepIndex;

/// A run. See the head of this module.
#[derive(Clone, Debug)]
pub struct Run {
    definition: Definition,
    body: Body,
}

/// Everything about a run that changes.
#[derive(Clone, Debug)]
struct Body {
    id: Arc<str>,
    input: Value,
    state: RunState,
    /// How it will end once it has stopped and undone what it must.
    ending: RunState,
    reason: Option<Arc<str>>,
    started: Duration,
    changed: Duration,
    deadline: Option<Duration>,
    cells: Vec<Cell>,
    tallies: Vec<Tally>,
    /// Steps that somebody may still wait for.
    unsettled: u32,
    /// Calls that are out.
    active: u32,
    failures: u32,
    undoes: bool,
    /// Steps that have added to the context, in topological order.
    writers: Vec<StepIndex>,
    /// What became ready while the run was paused.
    held: Vec<Task>,
    /// Steps that have settled and whose children do not know yet.
    settled: VecDeque<(StepIndex, Settled)>,
    undoing: Option<Box<Undoing>>,
    seed: u64,
    /// What has changed, if anybody wants to know.
    changes: Option<Vec<Task>>,
}

/// A step, or an item of a mapped step.
#[derive(Clone, Debug, Default)]
struct Cell {
    state: StepState,
    skip: Option<Skip>,
    attempt: u32,
    /// How many attempts were made before somebody wanted another try.
    earlier: u32,
    /// Attempts to undo it.
    undo_attempt: u32,
    /// When it came into this state.
    since: Duration,
    input: Value,
    output: Value,
    failure: Option<Box<Failure>>,
    items: Option<Box<Items>>,
}

/// What a step knows of those that it depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    waiting: u32,
    succeeded: u32,
    failed: u32,
}

/// How a step ended for those that depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Succeeded,
    Failed,
    Skipped,
}

impl Run {
    /// Starts a run: adds to `commands` what is to be done first. An input that is no object is seen as `input` by its steps.
    #[must_use]
    pub fn start(
        definition: &Definition,
        id: impl Into<Arc<str>>,
        input: Value,
        now: Duration,
        commands: &mut Vec<Command>,
    ) -> Self {
        let definition = definition.clone();
        let body = Body::new(&definition, id.into(), input, now);
        let mut run = Self { definition, body };
        run.walk(now, commands).begin_run();
        run
    }

    /// Takes note of an event and adds to `commands` what is to be done now. Nothing happens if the event does not fit the
    /// state, so events may come late or twice.
    pub fn apply(&mut self, event: Event, now: Duration, commands: &mut Vec<Command>) {
        let mut walk = self.walk(now, commands);
        match event {
            Event::Started { task, attempt } => walk.started(task, attempt),
            Event::Succeeded { task, attempt, output } => walk.succeeded(task, attempt, output),
            Event::Failed { task, attempt, failure } => walk.failed(task, attempt, failure),
            Event::Cancelled { task, attempt } => walk.cancelled(task, attempt),
            Event::TimerFired(timer) => walk.timer_fired(timer),
            Event::CompensationSucceeded { task, attempt } => walk.compensated(task, attempt),
            Event::CompensationFailed { task, attempt, failure } => walk.not_compensated(task, attempt, failure),
            Event::CancelRequested { reason, undo } => walk.cancel(reason, undo),
            Event::PauseRequested => walk.pause(),
            Event::Resumed => walk.resume(),
            Event::RetryRequested { step } => walk.retry_requested(step),
        }
        walk.go_on();
    }

    /// Its name, the idempotency key of its start.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.body.id
    }

    /// What it runs.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.body.state
    }

    /// What it was started with.
    #[must_use]
    pub fn input(&self) -> &Value {
        &self.body.input
    }

    /// When it was started.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.body.started
    }

    /// When it last came into another state, or one of its steps did.
    #[must_use]
    pub fn changed(&self) -> Duration {
        self.body.changed
    }

    /// The moment at which it is out of time.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.body.deadline
    }

    /// Why somebody cancelled it.
    #[must_use]
    pub fn reason(&self) -> Option<&Arc<str>> {
        self.body.reason.as_ref()
    }

    /// How many calls are out.
    #[must_use]
    pub fn active(&self) -> u32 {
        self.body.active
    }

    /// Where the work is. `None` if there is no such step or item.
    #[must_use]
    pub fn task_state(&self, task: Task) -> Option<StepState> {
        self.body.cell(task).map(|cell| cell.state)
    }

    /// What the work replied; null before it has.
    #[must_use]
    pub fn output_of(&self, task: Task) -> Option<&Value> {
        self.body.cell(task).map(|cell| &cell.output)
    }

    /// How the last attempt failed.
    #[must_use]
    pub fn failure_of(&self, task: Task) -> Option<&Failure> {
        self.body.cell(task)?.failure.as_deref()
    }

    /// Which attempt is the current one, from 1; 0 before the first.
    #[must_use]
    pub fn attempt_of(&self, task: Task) -> u32 {
        self.body.cell(task).map_or(0, |cell| cell.attempt)
    }

    /// Why the step was skipped.
    #[must_use]
    pub fn skip_of(&self, step: StepIndex) -> Option<Skip> {
        self.body.cells.get(step.get())?.skip
    }

    /// The idempotency key of the work: the same for all its attempts, and for no other work of any run with another name or
    /// of another workflow, because ids of steps and workflows have neither `#` nor brackets. What undoes the work has this key with
    /// `[undo]` behind it.
    #[must_use]
    pub fn key_of(&self, task: Task) -> Option<String> {
        let mut key = String::new();
        self.write_key(task, &mut key).then_some(key)
    }

    /// Adds the idempotency key of the work to a text. False where there is no such work.
    pub(crate) fn write_key(&self, task: Task, key: &mut String) -> bool {
        let Some(step) = self.definition.step(task.step) else { return false };
        let parts: [&str; 5] = [self.definition.workflow_id(), "#", &self.body.id, "#", &step.step_id];
        key.reserve(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| key.push_str(part));
        if let Some(item) = task.item {
            key.push_str(&format!("[{item}]"));
        }
        true
    }

    /// Begins to take note of work that comes into another state, for [`take_changes`](Self::take_changes); or ends.
    pub fn note_changes(&mut self, wanted: bool) {
        self.body.changes = wanted.then(|| self.body.changes.take().unwrap_or_default());
    }

    /// The work that has come into another state since the last question, in that order.
    #[must_use]
    pub fn take_changes(&mut self) -> Vec<Task> {
        self.body.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Since when the work is in its state.
    #[must_use]
    pub fn since(&self, task: Task) -> Option<Duration> {
        self.body.cell(task).map(|cell| cell.since)
    }

    /// How many items a mapped step has; 0 for any other.
    #[must_use]
    pub fn item_count(&self, step: StepIndex) -> u32 {
        let items = self.body.cells.get(step.get()).and_then(|cell| cell.items.as_ref());
        items.map_or(0, |items| narrow(items.cells.len()))
    }

    /// How many steps this one still waits for.
    #[must_use]
    pub fn waiting_for(&self, step: StepIndex) -> u32 {
        self.body.tallies.get(step.get()).map_or(0, |tally| tally.waiting)
    }

    /// The whole context: the input with the results of all steps laid over it.
    #[must_use]
    pub fn context(&self) -> Value {
        context::whole(&self.definition, &self.body)
    }

    fn walk<'a>(&'a mut self, now: Duration, commands: &'a mut Vec<Command>) -> Walk<'a> {
        Walk { definition: &self.definition, body: &mut self.body, now, commands }
    }
}

impl Body {
    fn new(definition: &Definition, id: Arc<str>, input: Value, now: Duration) -> Self {
        let graph = definition.graph();
        let steps = definition.steps().len();
        let waiting = |step| narrow(graph.parents(StepIndex::new(step)).len());
        Self {
            seed: retry::seed(&id),
            id,
            input,
            state: RunState::Running,
            ending: RunState::Failed,
            reason: None,
            started: now,
            changed: now,
            deadline: definition.timeout().map(|timeout| now.saturating_add(timeout)),
            cells: (0..steps).map(|_| Cell { since: now, ..Cell::default() }).collect(),
            tallies: (0..steps).map(|step| Tally { waiting: waiting(step), ..Tally::default() }).collect(),
            unsettled: narrow(steps),
            active: 0,
            failures: 0,
            undoes: true,
            writers: Vec::new(),
            held: Vec::new(),
            settled: VecDeque::new(),
            undoing: None,
            changes: None,
        }
    }

    fn cell(&self, task: Task) -> Option<&Cell> {
        let cell = self.cells.get(task.step.get())?;
        match task.item {
            None => Some(cell),
            Some(item) => cell.items.as_ref()?.cells.get(item as usize),
        }
    }

    fn cell_mut(&mut self, task: Task) -> Option<&mut Cell> {
        let cell = self.cells.get_mut(task.step.get())?;
        match task.item {
            None => Some(cell),
            Some(item) => cell.items.as_mut()?.cells.get_mut(item as usize),
        }
    }

    /// The cell, if this is its current attempt and a call is out for it.
    fn current(&mut self, task: Task, attempt: u32) -> Option<&mut Cell> {
        self.cell_mut(task).filter(|cell| cell.attempt == attempt && cell.state.is_active() && cell.items.is_none())
    }
}

/// Steps and items are counted in 32 bits; a definition has fewer, and so has any list that fits into memory.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
