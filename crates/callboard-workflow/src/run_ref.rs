//! A reference to a run: [`RunRef`].

use std::sync::Arc;

use callboard_actor::{ErrorCode, Handler, Message};
use callboard_bus::Value;
use callboard_bus::near::nearest;
use callboard_bus::picture::{Gantt, Picture};
use semver::Version;

use crate::definition::Definition;
use crate::graph::StepIndex;
use crate::progress::{RunProgress, RunSummary};
use crate::record::Record;
use crate::report::RunReport;
use crate::run::{RunState, Undo};
use crate::runner::{Copy, IsStuck, Order, Runner, Show, Summarize};
use crate::seat::Seat;
use crate::stuck::StuckRun;
use crate::tail::Tail;
use crate::workflows::Workflows;

/// A reference to a run, made by starting it or by [`Workflows::run`](crate::Workflows::run). A clone is one more
/// reference; dropping the last one does nothing to the run.
#[derive(Clone, Debug)]
pub struct RunRef {
    seat: Arc<Seat>,
    workflows: Workflows,
}

/// Why a run does not do what somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Its state does not allow it.
    #[error("a run that is {state} cannot do this, or has no reason to")]
    NotNow {
        /// Where the run is.
        state: RunState,
    },
    /// It has ended just now, or so long ago that it is remembered by name only.
    #[error("the run has ended")]
    Ended,
    /// The definition has no such step.
    #[error("the run has no step `{step}`{}", near.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownStep {
        /// The id.
        step: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The actor that was asked has not answered.
    #[error("the run does not answer: {reason}")]
    Unreachable {
        /// The stable code of the failure.
        code: ErrorCode,
        /// What happened.
        reason: String,
    },
}

impl RunError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotNow { .. } | Self::Ended => ErrorCode::InvalidState,
            Self::UnknownStep { .. } => ErrorCode::ValidationFailed,
            Self::Unreachable { code, .. } => *code,
        }
    }
}

impl RunRef {
    pub(crate) fn new(seat: Arc<Seat>, workflows: Workflows) -> Self {
        Self { seat, workflows }
    }

    /// Its name, unique among the runs of its workflow: the idempotency key of its start.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.seat.name.run
    }

    /// What it runs.
    #[must_use]
    pub fn workflow_id(&self) -> &Arc<str> {
        &self.seat.name.workflow
    }

    /// In which version; that does not change, whatever is registered later.
    #[must_use]
    pub fn version(&self) -> &Version {
        self.definition().version()
    }

    /// Its definition.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.seat.registered.definition
    }

    /// What it was started with.
    #[must_use]
    pub fn input(&self) -> &Value {
        &self.seat.input
    }

    /// Waits until it has ended. A run that is tried again after its end is waited for again.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn ended(&self) -> RunReport {
        self.seat.closed().await
    }

    /// How it ended. `None` while it runs.
    #[must_use]
    pub fn report(&self) -> Option<RunReport> {
        self.seat.report()
    }

    /// Stops it: calls that are out are dropped, nothing new begins, and steps that have succeeded are undone if they have
    /// a compensation. Returns when the run has taken note; [`ended`](Self::ended) waits for the rest.
    ///
    /// # Errors
    ///
    /// [`RunError::NotNow`] if it is stopping or being undone already, [`RunError::Ended`] if it is over, and
    /// [`RunError::Unreachable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the run may or may not stop.
    pub async fn cancel(&self, reason: impl Into<Arc<str>>) -> Result<(), RunError> {
        self.order(Order::Cancel(reason.into(), Undo::Completed)).await
    }

    /// As [`cancel`](Self::cancel), but what has been done stays done.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn cancel_without_undo(&self, reason: impl Into<Arc<str>>) -> Result<(), RunError> {
        self.order(Order::Cancel(reason.into(), Undo::Nothing)).await
    }

    /// Ends its actor at once, as a fault would: calls that are out are dropped, nothing is undone, and the run has failed.
    /// For a run that does not obey [`cancel`](Self::cancel).
    pub fn kill(&self) {
        if let Some(actor) = self.seat.actor() {
            actor.kill();
        }
    }

    /// Lets nothing new begin until it is resumed; calls that are out go on. A run that is paused already stays so. Its
    /// deadline does not move.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the run may or may not pause.
    pub async fn pause(&self) -> Result<(), RunError> {
        self.order(Order::Pause).await
    }

    /// Goes on after a pause. A run that is not paused stays so.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the run may or may not go on.
    pub async fn resume(&self) -> Result<(), RunError> {
        self.order(Order::Resume).await
    }

    /// Tries a step again that failed for good, and what was skipped because of it; or undoes a step again that could not be
    /// undone. A run that is over goes on with that: it has a new actor and as long as a new run, and what succeeded
    /// before is not done again.
    ///
    /// # Errors
    ///
    /// [`RunError::UnknownStep`], [`RunError::NotNow`] if the step did not fail or the run has been undone since,
    /// [`RunError::Ended`] if only its name is still remembered, and [`RunError::Unreachable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the step may or may not be tried again.
    pub async fn retry(&self, step_id: &str) -> Result<(), RunError> {
        let step = self.step(step_id)?;
        match self.order(Order::Retry(step)).await {
            Err(RunError::Ended) => self.workflows.again(self.seat.name.clone(), step).await,
            other => other,
        }
    }

    /// Where it is, with all steps: what each waits for, and since when in time since the system started (F-WF-08).
    ///
    /// # Errors
    ///
    /// [`RunError::Unreachable`], and [`RunError::Ended`] if its actor ended so badly that it left nothing behind.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn show(&self) -> Result<RunProgress, RunError> {
        match self.look(Show).await? {
            Some(progress) => Ok(progress),
            None => self.ended().await.show().ok_or(RunError::Ended),
        }
    }

    /// The same in short, as it stands in a list.
    ///
    /// # Errors
    ///
    /// As [`show`](Self::show).
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn summary(&self) -> Result<RunSummary, RunError> {
        match self.look(Summarize).await? {
            Some(summary) => Ok(summary),
            None => self.ended().await.summary().ok_or(RunError::Ended),
        }
    }

    /// Whether it is stuck, and on what. `None` when it has ended, too.
    pub(crate) async fn stuck(&self) -> Result<Option<StuckRun>, RunError> {
        self.look(IsStuck).await
    }

    /// Its steps in the colours of their states, with the time that each took and, once it has ended, the critical path
    /// (F-WF-13).
    ///
    /// # Errors
    ///
    /// As [`show`](Self::show).
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn picture(&self) -> Result<Picture, RunError> {
        let record = self.record().await?;
        Ok(record.history.picture(&record.run))
    }

    /// Its attempts over time.
    ///
    /// # Errors
    ///
    /// As [`show`](Self::show).
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn gantt(&self) -> Result<Gantt, RunError> {
        let record = self.record().await?;
        Ok(record.history.gantt(&record.run, self.workflows.now()))
    }

    /// Watches it from now on; ends with the run. Whoever does not keep up loses the oldest and is told how many.
    #[must_use = "what nobody looks at need not be watched"]
    pub fn tail(&self) -> Tail {
        self.seat.tail()
    }

    async fn record(&self) -> Result<Record, RunError> {
        match self.look(Copy).await? {
            Some(record) => Ok(record),
            None => self.ended().await.record().cloned().ok_or(RunError::Ended),
        }
    }

    /// What its actor says; nothing when it has ended, or is about to.
    async fn look<T: Send + 'static, M: Message<Reply = Option<T>>>(&self, question: M) -> Result<Option<T>, RunError>
    where
        Runner: Handler<M>,
    {
        let Some(actor) = self.seat.actor() else { return Ok(None) };
        match actor.ask(question).await {
            Ok(seen) => Ok(seen),
            Err(error) if has_ended(error.code()) => Ok(None),
            Err(error) => Err(RunError::Unreachable { code: error.code(), reason: error.to_string() }),
        }
    }

    async fn order(&self, order: Order) -> Result<(), RunError> {
        let Some(actor) = self.seat.actor() else { return Err(RunError::Ended) };
        match actor.ask(order).await {
            Ok(obeyed) => obeyed,
            Err(error) if has_ended(error.code()) => Err(RunError::Ended),
            Err(error) => Err(RunError::Unreachable { code: error.code(), reason: error.to_string() }),
        }
    }

    fn step(&self, step_id: &str) -> Result<StepIndex, RunError> {
        let ids = || self.definition().steps().iter().map(|step| &*step.step_id);
        self.definition()
            .find(step_id)
            .ok_or_else(|| RunError::UnknownStep { step: step_id.to_owned(), near: nearest(step_id, ids()) })
    }
}

/// Whether the error says that there is no actor any more, or that it went before it answered.
fn has_ended(code: ErrorCode) -> bool {
    let went = [ErrorCode::Unavailable, ErrorCode::Cancelled, ErrorCode::HandlerFailed, ErrorCode::HandlerPanicked];
    went.contains(&code)
}
