//! A run that does not go on: [`StuckRun`]. Pure.

use std::time::Duration;

use serde::Serialize;

use crate::graph::StepIndex;
use crate::progress::{RunProgress, RunSummary, TaskProgress, Wait};
use crate::run::{Run, RunState, StepState, Task};

/// Of more holdups than these the rest is left out.
const MOST_HOLDUPS: usize = 8;

/// A run in which nothing has happened for long: which step waits for what, and what to do about it (F-WF-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckRun {
    /// The run as in a list.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// For how long nothing has happened.
    pub stuck_ms: u64,
    /// What keeps it from going on, the longest first and at most eight. Of a mapped step it is the item that waits longest.
    pub holdups: Vec<TaskProgress>,
    /// What to do about the first of them.
    pub recommendation: String,
}

impl StuckRun {
    /// `None` unless it is `after` or longer that anything has happened. A run that is paused or over waits for somebody and is
    /// not stuck.
    #[must_use]
    pub fn of(run: &Run, after: Duration, now: Duration) -> Option<Self> {
        let stuck = now.saturating_sub(run.changed());
        if stuck < after || run.state().is_final() || run.state() == RunState::Paused {
            return None;
        }
        let progress = RunProgress::of(run);
        let holdups = progress.holdups().into_iter();
        let mut holdups: Vec<_> =
            holdups.map(|holdup| slowest(run, holdup).unwrap_or_else(|| holdup.clone())).collect();
        // An item may wait for less long than its step.
        holdups.sort_by_key(|holdup| holdup.since_ms);
        holdups.truncate(MOST_HOLDUPS);
        let recommendation = holdups.first().map_or_else(|| end_of(run).to_owned(), |first| recommendation(run, first));
        let stuck_ms = u64::try_from(stuck.as_millis()).unwrap_or(u64::MAX);
        Some(Self { summary: progress.summary, stuck_ms, holdups, recommendation })
    }
}

/// The item for which a mapped step has waited longest.
fn slowest(run: &Run, holdup: &TaskProgress) -> Option<TaskProgress> {
    let step = run.definition().find(&holdup.task).filter(|_| holdup.waits_for == Some(Wait::Items))?;
    let slowest = items(run, step).filter(|item| run.task_state(*item).is_some_and(is_under_way));
    TaskProgress::of(run, slowest.min_by_key(|item| run.since(*item))?)
}

fn items(run: &Run, step: StepIndex) -> impl Iterator<Item = Task> + use<> {
    (0..run.item_count(step)).map(move |item| Task { step, item: Some(item) })
}

fn is_under_way(state: StepState) -> bool {
    state.is_active() || matches!(state, StepState::Retrying | StepState::Compensating)
}

/// A run that is being undone cannot be cancelled any more.
fn end_of(run: &Run) -> &'static str {
    if run.state() == RunState::Compensating { "kill the run" } else { "cancel the run" }
}

fn recommendation(run: &Run, holdup: &TaskProgress) -> String {
    let task = &holdup.task;
    match &holdup.waits_for {
        Some(Wait::Reply(operation)) => {
            format!(
                "`{operation}` does not reply to `{task}`: look at its module, give the step a `timeout`, or cancel the run"
            )
        }
        Some(Wait::Slot(operation)) => {
            format!("`{task}` gets no place to call `{operation}`: look at the calls that are out, or raise the limit")
        }
        Some(Wait::NextAttempt) => {
            format!("`{task}` is tried again by itself: a smaller `max_delay` of its `retry` makes that sooner")
        }
        Some(Wait::Undo(operation)) => {
            format!(
                "`{task}` is not undone by `{operation}` yet: look at its module, its limit, and the `timeout` and `retry`"
            )
        }
        Some(Wait::Stop(operation)) => format!("`{operation}` does not stop for `{task}`: kill the run"),
        _ => format!("`{task}` waits for nothing that is known: {}", end_of(run)),
    }
}
