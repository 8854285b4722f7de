//! A run as others see it: plain data for lists, for the question what it waits for, and for whoever watches. Pure.
//!
//! Moments are in milliseconds on the clock that the run was driven by.

use std::time::Duration;

use serde::Serialize;

use crate::definition::Definition;
use crate::graph::StepIndex;
use crate::run::{Run, RunState, Skip, StepState, Task};

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run_id: String,
    /// What it runs.
    pub workflow_id: String,
    /// In which version.
    pub version: String,
    /// Where it is.
    pub state: RunState,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was started.
    pub started_ms: u64,
    /// When something last happened: a run that stays long behind its clock is stuck.
    pub changed_ms: u64,
    /// When it is out of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// How many steps are where.
    pub steps: StepCounts,
}

/// How many steps are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StepCounts {
    /// All of them.
    pub total: u32,
    /// Their turn has not come, or they are held by a pause.
    pub waiting: u32,
    /// A call is out, or the next attempt will come.
    pub active: u32,
    /// They are done.
    pub succeeded: u32,
    /// They failed for good.
    pub failed: u32,
    /// They were skipped.
    pub skipped: u32,
    /// They were stopped.
    pub cancelled: u32,
    /// They are being undone or have been, or could not be.
    pub compensated: u32,
}

/// A run with all its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunProgress {
    /// As in a list.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// The steps, in the order of the definition.
    pub progress: Vec<TaskProgress>,
}

/// Where a step is, or an item of a mapped step: also what a watcher is told when it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskProgress {
    /// `id`, or `id[3]` for an item.
    pub task: String,
    /// Where it is.
    pub state: StepState,
    /// Since when.
    pub since_ms: u64,
    /// What it waits for, unless it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Wait>,
    /// Which attempt is the current one, from 1; 0 before the first.
    pub attempt: u32,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skip>,
    /// The code of the failure of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many items are where, of a mapped step whose list is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<StepCounts>,
}

/// What work waits for. There is nothing else that it could wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "for", content = "what", rename_all = "snake_case")]
pub enum Wait {
    /// For these steps to end.
    Steps(Vec<String>),
    /// For an earlier item to end.
    Turn,
    /// For somebody to resume the run.
    Resume,
    /// For a place to call this operation.
    Slot(String),
    /// For this operation to reply.
    Reply(String),
    /// For its items.
    Items,
    /// For the time of its next attempt.
    NextAttempt,
    /// For this operation to stop.
    Stop(String),
    /// For this operation to undo it.
    Undo(String),
}

impl RunSummary {
    /// Looks at all steps of the run once.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let definition = run.definition();
        let states = indexes(definition).filter_map(|step| run.task_state(step.into()));
        Self {
            run_id: run.id().to_string(),
            workflow_id: definition.workflow_id().to_string(),
            version: definition.version().to_string(),
            state: run.state(),
            reason: run.reason().map(ToString::to_string),
            started_ms: millis(run.started()),
            changed_ms: millis(run.changed()),
            deadline_ms: run.deadline().map(millis),
            steps: StepCounts::of(states),
        }
    }
}

impl RunProgress {
    /// Looks at all steps of the run and at all items.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let progress = indexes(run.definition()).filter_map(|step| TaskProgress::of(run, step.into())).collect();
        Self { summary: RunSummary::of(run), progress }
    }

    /// The work that keeps the run from going on, the longest first: whatever waits for something else than a step.
    #[must_use]
    pub fn holdups(&self) -> Vec<&TaskProgress> {
        let is_holdup = |task: &&TaskProgress| !matches!(task.waits_for, None | Some(Wait::Steps(_)));
        let mut holdups: Vec<_> = self.progress.iter().filter(is_holdup).collect();
        holdups.sort_by_key(|task| task.since_ms);
        holdups
    }
}

impl TaskProgress {
    /// `None` if there is no such step or item.
    #[must_use]
    pub fn of(run: &Run, task: Task) -> Option<Self> {
        let (state, failure) = (run.task_state(task)?, run.failure_of(task));
        Some(Self {
            task: name(run, task)?,
            state,
            since_ms: millis(run.since(task)?),
            waits_for: wait(run, task, state),
            attempt: run.attempt_of(task),
            skipped: run.skip_of(task.step).filter(|_| task.item.is_none()),
            code: failure.map(|failure| failure.code.to_string()),
            message: failure.map(|failure| failure.message.to_string()),
            items: items(run, task),
        })
    }
}

impl StepCounts {
    fn of(states: impl Iterator<Item = StepState>) -> Self {
        let mut counts = Self::default();
        for state in states {
            counts.total += 1;
            *counts.of_state(state) += 1;
        }
        counts
    }

    fn of_state(&mut self, state: StepState) -> &mut u32 {
        match state {
            StepState::Waiting | StepState::Held => &mut self.waiting,
            StepState::Queued | StepState::Running | StepState::Retrying | StepState::Cancelling => &mut self.active,
            StepState::Succeeded => &mut self.succeeded,
            StepState::Failed => &mut self.failed,
            StepState::Skipped => &mut self.skipped,
            StepState::Cancelled => &mut self.cancelled,
            StepState::Compensating | StepState::Compensated | StepState::CompensationFailed => &mut self.compensated,
        }
    }
}

fn indexes(definition: &Definition) -> impl Iterator<Item = StepIndex> + use<> {
    (0..definition.steps().len()).map(StepIndex::new)
}

/// Moments beyond 500 million years are all the same.
fn millis(moment: Duration) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}

fn name(run: &Run, task: Task) -> Option<String> {
    let id = &run.definition().step(task.step)?.step_id;
    Some(task.item.map_or_else(|| id.to_string(), |item| format!("{id}[{item}]")))
}

fn items(run: &Run, task: Task) -> Option<StepCounts> {
    let count = run.item_count(task.step);
    let state = |item| run.task_state(Task { item: Some(item), ..task });
    (count > 0 && task.item.is_none()).then(|| StepCounts::of((0..count).filter_map(state)))
}

fn wait(run: &Run, task: Task, state: StepState) -> Option<Wait> {
    let step = run.definition().step(task.step)?;
    let is_mapped = task.item.is_none() && run.item_count(task.step) > 0;
    let operation = || step.handler.name().to_string();
    Some(match state {
        StepState::Waiting if task.item.is_some() => Wait::Turn,
        StepState::Waiting => Wait::Steps(open_parents(run, task.step)),
        StepState::Held => Wait::Resume,
        StepState::Running | StepState::Cancelling | StepState::Compensating if is_mapped => Wait::Items,
        // A paused run has taken its calls back.
        StepState::Queued if run.state() == RunState::Paused => Wait::Resume,
        StepState::Queued => Wait::Slot(operation()),
        StepState::Running => Wait::Reply(operation()),
        StepState::Retrying => Wait::NextAttempt,
        StepState::Cancelling => Wait::Stop(operation()),
        StepState::Compensating => Wait::Undo(step.compensate.as_ref()?.handler.name().to_string()),
        _ => return None,
    })
}

fn open_parents(run: &Run, step: StepIndex) -> Vec<String> {
    let parents = run.definition().graph().parents(step).iter().copied().map(Task::from);
    let open = parents.filter(|parent| run.task_state(*parent).is_some_and(|state| !state.is_settled()));
    open.filter_map(|parent| name(run, parent)).collect()
}
