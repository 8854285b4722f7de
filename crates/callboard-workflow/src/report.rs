//! How a run ended.

use std::sync::Arc;
use std::time::Duration;

use callboard_actor::StopReason;
use callboard_bus::Value;
use callboard_bus::picture::{Gantt, Picture};

use crate::history::History;
use crate::progress::{RunProgress, RunSummary, TaskProgress};
use crate::record::Record;
use crate::run::{Failure, Run, RunState, StepState, Task};

/// How a run ended, with everything that is known about it. A clone is one more reference.
#[derive(Clone, Debug)]
pub struct RunReport(Arc<Body>);

#[derive(Debug)]
struct Body {
    state: RunState,
    ended: Duration,
    died: Option<StopReason>,
    record: Option<Box<Record>>,
}

impl RunReport {
    /// Of a run that came to its end.
    pub(crate) fn of(record: Box<Record>) -> Self {
        let (state, ended) = (record.run.state(), record.run.changed());
        Self(Arc::new(Body { state, ended, died: None, record: Some(record) }))
    }

    /// Of a run whose actor ended before it.
    pub(crate) fn cut_short(record: Option<Box<Record>>, reason: StopReason, now: Duration) -> Self {
        Self(Arc::new(Body { state: RunState::Failed, ended: now, died: Some(reason), record }))
    }

    /// How it ended. A run whose actor ended before it has failed.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.0.state
    }

    /// When it ended, in time since the system started.
    #[must_use]
    pub fn ended(&self) -> Duration {
        self.0.ended
    }

    /// Why the actor of the run ended before it: it was killed, the system was shut down, or it had a fault. What its
    /// steps were doing then, nobody knows. `None` for a run that came to its own end.
    #[must_use]
    pub fn died(&self) -> Option<&StopReason> {
        self.0.died.as_ref()
    }

    /// The run as it was at the end. `None` only if its actor ended so badly that it left nothing behind.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        Some(&self.record()?.run)
    }

    /// When every attempt was wanted, began and ended. `None` as for [`run`](Self::run).
    #[must_use]
    pub fn history(&self) -> Option<&History> {
        Some(&self.record()?.history)
    }

    /// Its steps in the colours of their states, with the time that each took and the critical path (F-WF-13).
    #[must_use]
    pub fn picture(&self) -> Option<Picture> {
        Some(self.history()?.picture(self.run()?))
    }

    /// Its attempts over time.
    #[must_use]
    pub fn gantt(&self) -> Option<Gantt> {
        Some(self.history()?.gantt(self.run()?, self.ended()))
    }

    pub(crate) fn record(&self) -> Option<&Record> {
        self.0.record.as_deref()
    }

    /// Its input with the results of all steps laid over it.
    #[must_use]
    pub fn context(&self) -> Value {
        self.run().map(Run::context).unwrap_or_default()
    }

    /// What a step replied; for a mapped step, the list of what its items replied.
    #[must_use]
    pub fn output_of(&self, step_id: &str) -> Option<&Value> {
        self.run()?.output_of(self.task(step_id)?)
    }

    /// Where a step ended.
    #[must_use]
    pub fn state_of(&self, step_id: &str) -> Option<StepState> {
        self.run()?.task_state(self.task(step_id)?)
    }

    /// How the last attempt of a step failed.
    #[must_use]
    pub fn failure_of(&self, step_id: &str) -> Option<&Failure> {
        self.run()?.failure_of(self.task(step_id)?)
    }

    /// The steps that failed for good, in the order of the definition, with what happened.
    #[must_use]
    pub fn failed_steps(&self) -> Vec<TaskProgress> {
        let failed = |task: &TaskProgress| matches!(task.state, StepState::Failed | StepState::CompensationFailed);
        self.show().map(|run| run.progress.into_iter().filter(failed).collect()).unwrap_or_default()
    }

    /// The run with all its steps, as plain data.
    #[must_use]
    pub fn show(&self) -> Option<RunProgress> {
        let mut progress = RunProgress::of(self.run()?);
        progress.summary.state = self.state();
        Some(progress)
    }

    /// The same in short, as it stands in a list.
    #[must_use]
    pub fn summary(&self) -> Option<RunSummary> {
        let mut summary = RunSummary::of(self.run()?);
        summary.state = self.state();
        Some(summary)
    }

    fn task(&self, step_id: &str) -> Option<Task> {
        self.run()?.definition().find(step_id).map(Task::from)
    }
}
