//! A run over time.

use std::collections::HashSet;
use std::time::Duration;

use callboard_bus::picture::{Gantt, GanttRow, Span, SpanKind};

use super::{labels, title};
use crate::graph::StepIndex;
use crate::history::{Attempt, History, Outcome, Stage, Stages, Work};
use crate::run::{Run, StepState, Task};

impl History {
    /// The run over time, from its start to its end or to `now`: a row for each step or item that was called, and one for each
    /// that was undone; the pauses between attempts; and the critical path of a run that is over. Steps that were never
    /// called have rows without spans.
    #[must_use]
    pub fn gantt(&self, run: &Run, now: Duration) -> Gantt {
        let stages = Stages::new(self, run, now);
        let labels = labels(run.definition());
        let critical: HashSet<Work> = stages.critical_path().into_iter().map(|(_, stretch)| stretch.work).collect();
        let works = stages.works().map(|(work, attempts)| (work, row(&stages, work, attempts)));
        let called = |step: &StepIndex| stages.extent(doing(*step)).is_some_and(|extent| extent.was_called);
        let others = (0..labels.len()).map(StepIndex::new).filter(|step| !called(step));
        let rows =
            works.chain(others.map(|step| (Work::doing(step.into()), row(&stages, Work::doing(step.into()), &[]))));
        let rows = rows.map(|(work, spans)| GanttRow {
            label: label(&labels, work),
            is_critical: critical.contains(&work) && !spans.is_empty(),
            spans,
        });
        Gantt { title: title(run), rows: rows.collect() }
    }
}

fn doing(step: StepIndex) -> Stage {
    Stage { is_undo: false, step }
}

fn label(labels: &[String], Work { task: Task { step, item }, is_undo }: Work) -> String {
    let step = labels.get(step.get()).map_or("", String::as_str);
    let item = item.map_or_else(String::new, |item| format!("[{item}]"));
    format!("{}{step}{item}", if is_undo { "undo " } else { "" })
}

/// Spans one after the other, without a gap between them.
#[derive(Debug)]
struct Row {
    at: Duration,
    started: Duration,
    horizon: Duration,
    spans: Vec<Span>,
}

/// What a work went through, from the moment at which its step could have begun.
fn row(stages: &Stages<'_>, work: Work, attempts: &[&Attempt]) -> Vec<Span> {
    let stage = Stage { is_undo: work.is_undo, step: work.task.step };
    let Some(extent) = stages.extent(stage) else { return Vec::new() };
    let (started, horizon) = (stages.started, stages.horizon);
    let mut row = Row { at: stages.decided_at(stage), started, horizon, spans: Vec::new() };
    row.until(SpanKind::Waiting, extent.begin);
    // Other items of its step had its place.
    row.until(SpanKind::Queued, attempts.first().map_or(extent.begin, |first| first.queued));
    for (place, attempt) in attempts.iter().enumerate() {
        let next = attempts.get(place + 1);
        row.attempt(attempt, kind(stages.run, attempt, next.is_none()), stages.end_of_attempt(attempt));
        let pause_end = next.map_or_else(|| stages.end_of(work), |next| next.queued);
        row.until(SpanKind::Retrying, attempt.retry_at.unwrap_or_default().min(pause_end));
        row.until(SpanKind::Waiting, pause_end);
    }
    row.until(SpanKind::Waiting, stages.end_of(work));
    row.spans
}

impl Row {
    fn attempt(&mut self, attempt: &Attempt, kind: SpanKind, end: Duration) {
        self.until(SpanKind::Queued, attempt.started.unwrap_or_default().min(end));
        // One that took no time is seen all the same.
        self.push(kind, end.max(self.at));
    }

    fn until(&mut self, kind: SpanKind, to: Duration) {
        let to = to.min(self.horizon);
        if to > self.at {
            self.push(kind, to);
        }
    }

    fn push(&mut self, kind: SpanKind, to: Duration) {
        let [from, end] = [self.at, to].map(|moment| moment.saturating_sub(self.started));
        self.spans.push(Span::new(kind, from, end));
        self.at = to;
    }
}

fn kind(run: &Run, attempt: &Attempt, is_last: bool) -> SpanKind {
    let well = if attempt.work.is_undo { SpanKind::Compensating } else { SpanKind::Running };
    // The answer was of no use, and nobody wanted another attempt.
    let was_in_vain = || !is_last || run.task_state(attempt.work.task) == Some(StepState::Failed);
    match attempt.outcome {
        Outcome::Open if attempt.started.is_none() => SpanKind::Queued,
        Outcome::Succeeded if !attempt.work.is_undo && was_in_vain() => SpanKind::Failed,
        Outcome::Open | Outcome::Succeeded => well,
        Outcome::Failed | Outcome::TimedOut => SpanKind::Failed,
        Outcome::Cancelled => SpanKind::Cancelled,
    }
}
