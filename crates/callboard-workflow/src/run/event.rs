//! What a run is told, and what it wants done.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use serde::Serialize;

use super::RunState;
use crate::definition::Handler;
use crate::graph::StepIndex;

/// A piece of work: a step, or one item of a mapped step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Task {
    /// The step.
    pub step: StepIndex,
    /// The place of the item in the list, from 0.
    pub item: Option<u32>,
}

impl From<StepIndex> for Task {
    fn from(step: StepIndex) -> Self {
        Self { step, item: None }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether another attempt can help. Every attempt carries the same key, so a step may be repeated even if nobody
    /// knows whether the last attempt did something.
    pub class: FailureClass,
    /// The stable code of the error, such as `timeout`.
    pub code: Cow<'static, str>,
    /// What happened, for people.
    pub message: Arc<str>,
    /// How long the one that refused wants to be left alone.
    pub retry_after: Duration,
}

impl Failure {
    /// A failure without a wish to be left alone.
    pub fn new(class: FailureClass, code: impl Into<Cow<'static, str>>, message: impl Into<Arc<str>>) -> Self {
        Self { class, code: code.into(), message: message.into(), retry_after: Duration::ZERO }
    }
}

/// What happened, for [`Run::apply`](super::Run::apply). An event of an attempt that is no longer the current one is ignored, and
/// so is one that does not fit the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The call left the queue; its timeout runs from now on. May be left out for a step without a timeout.
    Started {
        /// Which work.
        task: Task,
        /// Which attempt.
        attempt: u32,
    },
    /// The call was answered.
    Succeeded {
        /// Which work.
        task: Task,
        /// Which attempt.
        attempt: u32,
        /// The reply.
        output: Value,
    },
    /// The call failed.
    Failed {
        /// Which work.
        task: Task,
        /// Which attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// The call was given up, as [`Command::Cancel`] asked. Whoever drives the run owes this, or one of the two above, for every
    /// such command: after a grace time it drops the call.
    Cancelled {
        /// Which work.
        task: Task,
        /// Which attempt.
        attempt: u32,
    },
    /// A moment has come that was asked for.
    TimerFired(Timer),
    /// The work was undone.
    CompensationSucceeded {
        /// Which work.
        task: Task,
        /// Which attempt to undo it.
        attempt: u32,
    },
    /// The attempt to undo the work failed.
    CompensationFailed {
        /// Which work.
        task: Task,
        /// Which attempt to undo it.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// Somebody wants the run to end.
    CancelRequested {
        /// Why, for people.
        reason: Arc<str>,
        /// What becomes of the steps that have succeeded.
        undo: Undo,
    },
    /// Nothing new shall start.
    PauseRequested,
    /// Go on after a pause.
    Resumed,
    /// A step that failed shall be tried again, or a step that could not be undone shall be undone again. In a run that
    /// is over this continues the run, unless steps have been undone.
    RetryRequested {
        /// The step.
        step: StepIndex,
    },
}

/// What becomes of steps that succeeded before a run was cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undo {
    /// Those with a compensation are undone.
    #[default]
    Completed,
    /// They stay as they are.
    Nothing,
}

/// A moment that a run waits for. One that comes too late, or for nothing, does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The run is out of time.
    Deadline,
    /// The attempt has taken as long as it may.
    Timeout(Task, u32),
    /// The next attempt after this one.
    Retry(Task, u32),
    /// The attempt to undo the work has taken as long as it may.
    CompensationTimeout(Task, u32),
    /// The next attempt to undo the work after this one.
    CompensationRetry(Task, u32),
}

/// What a run wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Call the handler and say how it went.
    Call {
        /// Which work.
        task: Task,
        /// Which attempt, from 1.
        attempt: u32,
        /// Whom to call.
        handler: Handler,
        /// What to hand over.
        input: Value,
        /// The moment at which the run is out of time.
        deadline: Option<Duration>,
        /// How urgent it is.
        priority: Priority,
    },
    /// Stop the call; see [`Event::Cancelled`].
    Cancel {
        /// Which work.
        task: Task,
        /// Which attempt.
        attempt: u32,
    },
    /// Say [`Event::TimerFired`] at this moment or later.
    SetTimer {
        /// What to say.
        timer: Timer,
        /// When.
        at: Duration,
    },
    /// Call the handler that undoes the work and say how it went. Its timeout runs from now on.
    Compensate {
        /// Which work.
        task: Task,
        /// Which attempt to undo it, from 1.
        attempt: u32,
        /// Whom to call.
        handler: Handler,
        /// What to hand over.
        input: Value,
    },
    /// The run is over.
    Finished {
        /// How.
        state: RunState,
    },
}
