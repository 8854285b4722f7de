//! How the road to an actor can fail: one small enum per operation, and one stable [`ErrorCode`] they all map to.
//!
//! A refused message is handed back inside the error. What an actor *answers* is never in here: that is the reply.

mod code;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::code::{ErrorClass, ErrorCode};

use crate::fault::{FaultClass, Incident};

/// How far a message had come when its deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its turn had not begun: it never ran and never will.
    Queue,
    /// Its turn had begun: the outcome is unknown.
    Handler,
    /// Its turn had ended and the effects were being committed: the outcome is unknown.
    Reply,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "in the queue",
            Self::Handler => "in the handler",
            Self::Reply => "before the reply",
        })
    }
}

/// Why a `tell` did not enqueue its message. The message is in it.
#[non_exhaustive]
pub enum TellError<M> {
    /// No room in the lane, and the call does not wait: `try_tell`, a mailbox that rejects, or a turn that waiting
    /// would block for ever.
    Full(M),
    /// The actor's breaker is open.
    Refused {
        /// How long until it is worth trying again, at least a millisecond.
        retry_after: Duration,
        /// The message.
        message: M,
    },
    /// The admission hook said no.
    Denied {
        /// Its reason.
        reason: String,
        /// The message.
        message: M,
    },
    /// The actor is about to end and takes nothing new.
    ShuttingDown(M),
    /// The actor has ended.
    Stopped(M),
    /// A time to live of zero, which is over before any turn can begin.
    NoTimeToLive(M),
}

impl<M> TellError<M> {
    /// The message that was not sent.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::ShuttingDown(message) | Self::Stopped(message) => message,
            Self::Refused { message, .. } | Self::Denied { message, .. } | Self::NoTimeToLive(message) => message,
        }
    }

    /// How long to wait before trying again, when the refusal knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused { retry_after, .. } = self { Some(*retry_after) } else { None }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.failure().code()
    }

    fn failure(&self) -> AskFailure {
        match self {
            Self::Full(_) => AskFailure::Full,
            Self::Refused { retry_after, .. } => AskFailure::Refused(*retry_after),
            Self::Denied { reason, .. } => AskFailure::Denied(reason.clone()),
            Self::ShuttingDown(_) => AskFailure::ShuttingDown,
            Self::Stopped(_) => AskFailure::Stopped,
            Self::NoTimeToLive(_) => AskFailure::NoTimeToLive,
        }
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TellError({self})")
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure().fmt(f)
    }
}

impl<M> Error for TellError<M> {}

/// Why an `ask` brought no answer. Where the message never left, it is in here.
#[non_exhaustive]
pub enum AskError<M> {
    /// The actor's breaker is open.
    Refused {
        /// How long until it is worth trying again, at least a millisecond.
        retry_after: Duration,
        /// The message.
        message: M,
    },
    /// The admission hook said no.
    Denied {
        /// Its reason.
        reason: String,
        /// The message.
        message: M,
    },
    /// No room in a mailbox that rejects instead of letting senders wait.
    Full(M),
    /// The actor is about to end and takes nothing new.
    ShuttingDown(M),
    /// The actor has ended: the message comes back if it had not been enqueued.
    Stopped(Option<M>),
    /// The deadline passed. Unless the stage is [`Stage::Queue`] the outcome is unknown.
    Timeout {
        /// How far the message had come.
        stage: Stage,
    },
    /// The turn failed; the actor has a new value.
    Faulted(Incident),
    /// The actor ended by this fault, a failed start say, before the message's turn had begun: it never ran.
    Ended(Incident),
    /// The ask would wait for itself: each actor in the path waits for the next, the last one for the first.
    AskCycle {
        /// The names, starting and ending with the asking actor.
        path: Vec<String>,
    },
    /// The mailbox shed the message to make room.
    Shed,
    /// The receiver let go of the reply without an answer.
    Dropped,
    /// A time to live of zero, which is over before any turn can begin.
    NoTimeToLive(M),
}

impl<M> AskError<M> {
    /// The message, when it never left.
    pub fn into_message(self) -> Option<M> {
        match self {
            Self::Refused { message, .. } | Self::Denied { message, .. } => Some(message),
            Self::Full(message) | Self::ShuttingDown(message) | Self::NoTimeToLive(message) => Some(message),
            Self::Stopped(message) => message,
            Self::Timeout { .. } | Self::Faulted(_) | Self::Ended(_) => None,
            Self::AskCycle { .. } | Self::Shed | Self::Dropped => None,
        }
    }

    /// How long to wait before trying again, when the refusal knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused { retry_after, .. } = self { Some(*retry_after) } else { None }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.failure().code()
    }

    fn failure(&self) -> AskFailure {
        match self {
            Self::Refused { retry_after, .. } => AskFailure::Refused(*retry_after),
            Self::Denied { reason, .. } => AskFailure::Denied(reason.clone()),
            Self::Full(_) => AskFailure::Full,
            Self::ShuttingDown(_) => AskFailure::ShuttingDown,
            Self::Stopped(_) => AskFailure::Stopped,
            Self::Timeout { stage } => AskFailure::Timeout(*stage),
            Self::Faulted(incident) => AskFailure::Faulted(incident.clone()),
            Self::Ended(incident) => AskFailure::Ended(incident.clone()),
            Self::AskCycle { .. } => AskFailure::Cycle,
            Self::Shed => AskFailure::Shed,
            Self::Dropped => AskFailure::Dropped,
            Self::NoTimeToLive(_) => AskFailure::NoTimeToLive,
        }
    }

    /// The error of an ask whose message had been enqueued.
    pub(crate) fn after_sending(failure: AskFailure) -> Self {
        match failure {
            AskFailure::Timeout(stage) => Self::Timeout { stage },
            AskFailure::Faulted(incident) => Self::Faulted(incident),
            AskFailure::Ended(incident) => Self::Ended(incident),
            AskFailure::Shed => Self::Shed,
            AskFailure::Stopped | AskFailure::ShuttingDown => Self::Stopped(None),
            _ => Self::Dropped,
        }
    }
}

impl<M> From<TellError<M>> for AskError<M> {
    fn from(error: TellError<M>) -> Self {
        match error {
            TellError::Full(message) => Self::Full(message),
            TellError::Refused { retry_after, message } => Self::Refused { retry_after, message },
            TellError::Denied { reason, message } => Self::Denied { reason, message },
            TellError::ShuttingDown(message) => Self::ShuttingDown(message),
            TellError::Stopped(message) => Self::Stopped(Some(message)),
            TellError::NoTimeToLive(message) => Self::NoTimeToLive(message),
        }
    }
}

impl<M> fmt::Debug for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AskError({self})")
    }
}

impl<M> fmt::Display for AskError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AskCycle { path } => write!(f, "the ask would wait for itself: {}", path.join(" -> ")),
            _ => self.failure().fmt(f),
        }
    }
}

/// The source, where there is one, says no more than that trying again can help; it is how `?` in a handler gives the
/// [`Fault`](crate::Fault) its class.
impl<M> Error for AskError<M> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let retryable: &'static AskFailure =
            if self.failure().is_retryable() { &AskFailure::Busy } else { return None };
        Some(retryable)
    }
}

/// The message-free part of an [`AskError`]: what travels back from the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AskFailure {
    Refused(Duration),
    Denied(String),
    Full,
    ShuttingDown,
    Stopped,
    Timeout(Stage),
    Faulted(Incident),
    Ended(Incident),
    Cycle,
    Shed,
    Dropped,
    NoTimeToLive,
    /// Stands in a chain of sources for "trying again can help" and nothing else.
    Busy,
}

impl AskFailure {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(_) => ErrorCode::CircuitOpen,
            Self::Denied(_) => ErrorCode::PermissionDenied,
            Self::Full | Self::Shed | Self::Busy => ErrorCode::Busy,
            Self::ShuttingDown | Self::Stopped | Self::Ended(_) => ErrorCode::Unavailable,
            Self::Timeout(_) => ErrorCode::Timeout,
            Self::Faulted(incident) => incident.code(),
            Self::Cycle => ErrorCode::InvalidState,
            Self::Dropped => ErrorCode::Cancelled,
            Self::NoTimeToLive => ErrorCode::ValidationFailed,
        }
    }

    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Faulted(incident) => incident.class() == FaultClass::Retryable,
            _ => self.code().is_retryable(),
        }
    }
}

impl fmt::Display for AskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(after) => write!(f, "the actor's breaker is open, try again after {after:?}"),
            Self::Denied(reason) => write!(f, "the message was not admitted: {reason}"),
            Self::Full => f.write_str("the mailbox has no room"),
            Self::ShuttingDown => f.write_str("the actor is shutting down"),
            Self::Stopped => f.write_str("the actor has stopped"),
            Self::Timeout(stage) => write!(f, "the deadline passed while the message was {stage}"),
            Self::Faulted(incident) => write!(f, "the turn failed: {incident}"),
            Self::Ended(incident) => write!(f, "the actor has ended by a fault: {incident}"),
            Self::Cycle => f.write_str("the ask would wait for itself"),
            Self::Shed => f.write_str("the mailbox shed the message"),
            Self::Dropped => f.write_str("the reply was dropped without an answer"),
            Self::NoTimeToLive => f.write_str("a time to live of 0: it would be over before any turn could begin"),
            Self::Busy => f.write_str("trying again can help"),
        }
    }
}

impl Error for AskFailure {}

/// Why a system did not start: every fault of its configuration, or the engine's own words.
///
/// Its `Debug` is its `Display`, as that is what a `main` that ends with it prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Settings that cannot work, all of them.
    #[error("the configuration cannot work: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
    /// A thread of the system ended before it was ready.
    #[error("a thread of the system ended before it was ready")]
    Lost,
    /// The system has been shut down.
    #[error("the system has been shut down")]
    Over,
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StartError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::InvalidConfig,
            Self::Thread(_) | Self::Lost => ErrorCode::Internal,
            Self::Over => ErrorCode::Unavailable,
        }
    }
}
