//! The states of a run and of its steps.

use std::fmt;

use serde::Serialize;

/// Where a run is. The diagram is at the head of [`run`](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Steps start as soon as their turn comes.
    Running,
    /// Nothing new starts; what runs goes on.
    Paused,
    /// It has been cancelled or is out of time, and waits for the steps that run to end.
    Stopping,
    /// Steps that had succeeded are being undone.
    Compensating,
    /// Everything was done or rightly skipped.
    Completed,
    /// A step failed for good.
    Failed,
    /// Somebody wanted it to end.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// A step could not be undone; a person must look.
    CompensationFailed,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Running,
        Self::Paused,
        Self::Stopping,
        Self::Compensating,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
        Self::CompensationFailed,
    ];

    /// Whether it is over. A run that failed, or could not undo a step, may still be retried.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::TimedOut | Self::CompensationFailed)
    }

    /// Whether a run can go from this state to the other: the arrows of the diagram.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Running => {
                !matches!(next, Self::Running | Self::Cancelled | Self::TimedOut | Self::CompensationFailed)
            }
            Self::Paused => matches!(next, Self::Running | Self::Stopping),
            Self::Stopping => matches!(next, Self::Compensating | Self::Cancelled | Self::TimedOut),
            Self::Compensating => {
                matches!(next, Self::Failed | Self::Cancelled | Self::TimedOut | Self::CompensationFailed)
            }
            Self::Failed => matches!(next, Self::Running),
            Self::CompensationFailed => matches!(next, Self::Compensating),
            Self::Completed | Self::Cancelled | Self::TimedOut => false,
        }
    }

    /// The word, as serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::CompensationFailed => "compensation_failed",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a step is, or an item of a mapped step. The diagram is at the head of [`run`](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// For the steps that it depends on.
    #[default]
    Waiting,
    /// Its turn has come while the run is paused.
    Held,
    /// The call is out, and nobody has said that it has begun.
    Queued,
    /// It is being done.
    Running,
    /// An attempt failed and the next one will come.
    Retrying,
    /// It was told to stop and has not yet done so.
    Cancelling,
    /// It is done.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It was stopped.
    Cancelled,
    /// Its turn never came, or its condition was false.
    Skipped,
    /// It is being undone.
    Compensating,
    /// It has been undone.
    Compensated,
    /// It could not be undone.
    CompensationFailed,
}

impl StepState {
    /// All states.
    pub const ALL: [Self; 13] = [
        Self::Waiting,
        Self::Held,
        Self::Queued,
        Self::Running,
        Self::Retrying,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Skipped,
        Self::Compensating,
        Self::Compensated,
        Self::CompensationFailed,
    ];

    /// Whether a call is out for it.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Cancelling)
    }

    /// Whether those who depend on it know how it ended.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Waiting | Self::Held | Self::Retrying) && !self.is_active()
    }

    /// Whether a step can go from this state to the other: the arrows of the diagram.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Waiting => matches!(next, Self::Held | Self::Queued | Self::Running | Self::Failed | Self::Skipped),
            Self::Held => {
                matches!(next, Self::Queued | Self::Running | Self::Failed | Self::Skipped | Self::Cancelled)
            }
            Self::Queued => {
                matches!(next, Self::Running | Self::Succeeded | Self::Failed | Self::Retrying | Self::Cancelling)
            }
            Self::Running => matches!(next, Self::Succeeded | Self::Failed | Self::Retrying | Self::Cancelling),
            Self::Retrying => matches!(next, Self::Queued | Self::Held | Self::Cancelled),
            Self::Cancelling => matches!(next, Self::Succeeded | Self::Failed | Self::Cancelled),
            Self::Succeeded => matches!(next, Self::Compensating),
            Self::Failed => matches!(next, Self::Waiting | Self::Compensating),
            Self::Cancelled => matches!(next, Self::Waiting | Self::Compensating),
            Self::Skipped => matches!(next, Self::Waiting),
            Self::Compensating => matches!(next, Self::Compensated | Self::CompensationFailed),
            Self::CompensationFailed => matches!(next, Self::Compensating),
            Self::Compensated => false,
        }
    }

    /// The word, as serialised and as `steps.<id>.state` gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Compensating => "compensating",
            Self::Compensated => "compensated",
            Self::CompensationFailed => "compensation_failed",
        }
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a step was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Its own condition was false.
    Condition,
    /// Too many that it depends on were skipped, and none failed.
    Dependency,
    /// Too many that it depends on did not succeed, and one of them failed.
    Failure,
    /// The run ended before its turn came.
    RunEnded,
}
