//! What somebody wants of a run.

use std::sync::Arc;
use std::time::Duration;

use crate::graph::StepIndex;
use crate::record::Record;
use crate::run::{Command, Event, Run, RunState, StepState, Undo};
use crate::run_ref::RunError;

/// What somebody wants of a run.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Cancel(Arc<str>, Undo),
    Pause,
    Resume,
    Retry(StepIndex),
}

impl Order {
    /// What to tell the run. `None` if it is so already.
    ///
    /// # Errors
    ///
    /// The run is in no state for it.
    pub(crate) fn event(self, run: &Run) -> Result<Option<Event>, RunError> {
        let state = run.state();
        let refused = || Err(RunError::NotNow { state });
        match (self, state) {
            (Self::Cancel(reason, undo), RunState::Running | RunState::Paused) => {
                Ok(Some(Event::CancelRequested { reason, undo }))
            }
            (Self::Pause, RunState::Running) => Ok(Some(Event::PauseRequested)),
            (Self::Resume, RunState::Paused) => Ok(Some(Event::Resumed)),
            (Self::Pause, RunState::Paused) | (Self::Resume, RunState::Running) => Ok(None),
            (Self::Retry(step), _) => retry(run, step).map(Some),
            (Self::Cancel(..) | Self::Pause | Self::Resume, _) => refused(),
        }
    }
}

/// Continues a run that has ended with another try for one of its steps.
///
/// # Errors
///
/// The step did not fail, or the run has been undone since.
pub(crate) fn continued(
    record: &Record,
    step: StepIndex,
    now: Duration,
) -> Result<(Box<Record>, Vec<Command>), RunError> {
    let event = retry(&record.run, step)?;
    let (mut record, mut commands) = (Box::new(record.clone()), Vec::new());
    record.apply(event, now, &mut commands);
    if commands.is_empty() {
        return Err(RunError::NotNow { state: record.run.state() });
    }
    Ok((record, commands))
}

fn retry(run: &Run, step: StepIndex) -> Result<Event, RunError> {
    let fits = matches!(
        (run.task_state(step.into()), run.state()),
        (Some(StepState::Failed), RunState::Running | RunState::Paused | RunState::Failed)
            | (Some(StepState::CompensationFailed), RunState::CompensationFailed)
    );
    if fits { Ok(Event::RetryRequested { step }) } else { Err(RunError::NotNow { state: run.state() }) }
}
