//! Why a call by name brought no output.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{AskError, ErrorCode, Fault, FaultClass, Stage};

use crate::callable::Unfit;
use crate::codec::CodecError;
use crate::lookup::{LookupError, UnavailableReason, mark_as_retryable};
use crate::redaction::OneLine;
use crate::retry::{FailureClass, WhyNot};
use crate::schema::{List, SchemaFault};
use crate::time;
use crate::value::ValueError;

/// Why a call by name brought no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The name does not lead to an instance that takes calls. Nobody was asked.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A time-out of zero, which leaves no time for an answer. Nobody was asked.
    #[error("a time-out of zero leaves no time for an answer")]
    NoTime,
    /// The payload does not fit the message. The handler was not called.
    #[error("the input of `{operation}` does not fit: {fault}")]
    Input {
        /// `module.operation`.
        operation: Arc<str>,
        /// What does not fit, and where.
        fault: ValueError,
    },
    /// The payload does not fit the schema of the message. The handler was not called.
    #[error("the input of `{operation}` does not fit: {}", List(.faults))]
    Invalid {
        /// `module.operation`.
        operation: Arc<str>,
        /// Everything that does not fit, up to a hundred.
        faults: Vec<SchemaFault>,
    },
    /// The payload could not be read. The handler was not called.
    #[error("the input of `{operation}` cannot be read: {fault}")]
    Bytes {
        /// `module.operation`.
        operation: Arc<str>,
        /// What is wrong, and where.
        fault: CodecError,
    },
    /// Too many calls of the operation have failed lately, see [`CallSettings`](crate::CallSettings). Nobody was asked.
    #[error("the breaker of `{operation}` is open{}", Wait(*.retry_after))]
    CircuitOpen {
        /// `module.operation`.
        operation: Arc<str>,
        /// How long to wait before trying again; `Duration::MAX` while it is held open by hand.
        retry_after: Duration,
    },
    /// There were more calls of the operation than its [rate](crate::CallSettings::rate) allows. Nobody was asked.
    #[error("there are too many calls of `{operation}`: wait{}", Wait(*.retry_after))]
    RateLimited {
        /// `module.operation`.
        operation: Arc<str>,
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// A [middleware](crate::middleware) has not let the call pass.
    #[error("{}", OneLine(.text))]
    Refused {
        /// The stable code.
        code: ErrorCode,
        /// Why.
        text: String,
    },
    /// A [middleware](crate::middleware) panicked on the way; whether the operation was carried out is not known.
    #[error("a middleware panicked in a call of `{operation}`")]
    Panicked {
        /// `module.operation`.
        operation: Arc<str>,
    },
    /// It was tried several times.
    #[error("{last} (tried {attempts} times: {why})")]
    GaveUp {
        /// How often.
        attempts: u32,
        /// Why not once more.
        why: WhyNot,
        /// How the last attempt ended.
        #[source]
        last: Box<CallError>,
    },
    /// The operation answered that it had failed.
    #[error(transparent)]
    Failed(Failure),
    /// The instance was asked and brought no answer.
    #[error("{}{error}", Asked(operation.as_deref(), error))]
    Road {
        /// `module.operation`; nothing for an actor that is asked with types and is no module.
        operation: Option<Arc<str>>,
        /// Why it brought none.
        #[source]
        error: AskError<()>,
    },
    /// The operation was carried out, but its reply has no form as a value.
    #[error("the reply `{reply}` has no form as a value: {fault}")]
    Reply {
        /// The type of the reply.
        reply: &'static str,
        /// Why.
        fault: ValueError,
    },
    /// The operation was carried out, but its output could not be written.
    #[error("the output cannot be written: {0}")]
    Output(CodecError),
}

/// A domain error, of an operation whose reply is a `Result`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    text: String,
    class: FaultClass,
}

impl CallError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Lookup(fault) => fault.code(),
            Self::NoTime => ErrorCode::InvalidConfig,
            Self::Input { .. } | Self::Invalid { .. } => ErrorCode::ValidationFailed,
            Self::Bytes { fault, .. } => code_of_bytes(fault),
            Self::CircuitOpen { .. } => ErrorCode::CircuitOpen,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Refused { code, .. } => *code,
            Self::Panicked { .. } => ErrorCode::Internal,
            Self::GaveUp { last, .. } => last.code(),
            Self::Failed(_) => ErrorCode::HandlerFailed,
            Self::Road { error, .. } => error.code(),
            Self::Reply { .. } | Self::Output(_) => ErrorCode::Internal,
        }
    }

    /// Whether trying again can help, and whether the operation may have been carried out already.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::CircuitOpen { .. } => FailureClass::Transient,
            Self::Panicked { .. } => FailureClass::Unknown,
            Self::GaveUp { last, .. } => last.class(),
            Self::Failed(failure) => failure.class().into(),
            Self::Road { error, .. } => class_of_road(error),
            other => FailureClass::of(other.code(), None),
        }
    }

    /// How long to wait before trying again, when a refusal knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Lookup(fault) => fault.retry_after(),
            Self::CircuitOpen { retry_after, .. } => Some(*retry_after).filter(|&wait| wait < Duration::MAX),
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            Self::GaveUp { last, .. } => last.retry_after(),
            Self::Road { error, .. } => error.retry_after(),
            _ => None,
        }
    }
}

impl CallError {
    /// The error of a middleware that does not let a call pass.
    #[must_use]
    pub fn refused(code: ErrorCode, text: impl Into<String>) -> Self {
        Self::Refused { code, text: text.into() }
    }

    /// Of an ask that brought no answer.
    pub(crate) fn road<M>(operation: Option<&Arc<str>>, error: AskError<M>) -> Self {
        Self::Road { operation: operation.map(Arc::clone), error: without_message(error) }
    }

    pub(super) fn unfit(operation: Arc<str>, unfit: Unfit) -> Self {
        match unfit {
            Unfit::Value(fault) => Self::Input { operation, fault },
            Unfit::Schema(faults) => Self::Invalid { operation, faults },
        }
    }

    /// How often the call was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        if let Self::GaveUp { attempts, .. } = self { *attempts } else { 1 }
    }

    /// The same after so many attempts.
    pub(super) fn after(self, attempts: u32, why: WhyNot) -> Self {
        if attempts > 1 { Self::GaveUp { attempts, why, last: Box::new(self) } } else { self }
    }

    /// Whether it speaks against the operation, and so counts in its breaker: what may pass, and every panic. What the caller
    /// did wrong does not, nor that nobody was asked, nor that an instance was told to end: others take its place, and a
    /// breaker that opened then would keep callers from them.
    pub(crate) fn is_failure(&self) -> bool {
        match self {
            Self::Failed(_) => self.class() != FailureClass::Permanent,
            Self::Road { error, .. } => match error {
                AskError::Refused { .. } | AskError::Denied { .. } | AskError::AskCycle { .. } => false,
                AskError::Stopped(_) | AskError::ShuttingDown(()) => false,
                _ => self.class() != FailureClass::Permanent || error.code() == ErrorCode::HandlerPanicked,
            },
            _ => false,
        }
    }
}

/// Begins the sentence that says why there is no answer, unless that names whom it is about by itself.
struct Asked<'a>(Option<&'a str>, &'a AskError<()>);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (None, _) | (_, AskError::Faulted(_) | AskError::Ended(_) | AskError::AskCycle { .. }) => Ok(()),
            (Some(operation), _) => write!(f, "`{operation}`: "),
        }
    }
}

/// ` for 30s`; nothing where it is not known.
struct Wait(Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Duration::MAX { Ok(()) } else { write!(f, " for {}", time::show_wait(self.0)) }
    }
}

impl Failure {
    /// What a fault says of itself counts, and otherwise what its words speak for.
    pub(crate) fn new(fault: &Fault, by_words: FaultClass) -> Self {
        let class = if fault.class() == FaultClass::Retryable { FaultClass::Retryable } else { by_words };
        Self { text: fault.text().to_owned(), class }
    }

    /// The error's own words, with those of its causes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        self.class
    }
}

/// On one line, as it may repeat what somebody has sent.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(&self.text).fmt(f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if self.class == FaultClass::Retryable { mark_as_retryable() } else { None }
    }
}

fn code_of_bytes(fault: &CodecError) -> ErrorCode {
    match fault {
        CodecError::TooDeep { .. } => ErrorCode::NestingTooDeep,
        CodecError::TooMany { .. } | CodecError::TooLong { .. } => ErrorCode::PayloadTooLarge,
        CodecError::Malformed { .. } => ErrorCode::Malformed,
        CodecError::Unfit(_) => ErrorCode::ValidationFailed,
    }
}

fn class_of_road(error: &AskError<()>) -> FailureClass {
    match error {
        AskError::Timeout { stage } => FailureClass::of(ErrorCode::Timeout, Some(*stage)),
        // It was enqueued; whether its turn had begun when the actor ended, nobody knows.
        AskError::Stopped(None) => FailureClass::Unknown,
        // A turn that took too long was stopped somewhere on its way.
        AskError::Faulted(incident) if incident.code() == ErrorCode::Timeout => {
            FailureClass::of(ErrorCode::Timeout, Some(Stage::Handler))
        }
        AskError::Faulted(incident) => incident.class().into(),
        other => FailureClass::of(other.code(), None),
    }
}

/// The same error without the message that it hands back.
pub(crate) fn without_message<M>(error: AskError<M>) -> AskError<()> {
    match error {
        AskError::Refused { retry_after, .. } => AskError::Refused { retry_after, message: () },
        AskError::Denied { reason, .. } => AskError::Denied { reason, message: () },
        AskError::Full(_) => AskError::Full(()),
        AskError::ShuttingDown(_) => AskError::ShuttingDown(()),
        AskError::Stopped(message) => AskError::Stopped(message.map(drop)),
        AskError::Timeout { stage } => AskError::Timeout { stage },
        AskError::Faulted(incident) => AskError::Faulted(incident),
        AskError::Ended(incident) => AskError::Ended(incident),
        AskError::AskCycle { path } => AskError::AskCycle { path },
        AskError::Shed => AskError::Shed,
        _ => AskError::Dropped,
    }
}

/// The reason for which an instance handed the message back at once: nothing has happened, and another may take it. A
/// message that was not admitted is no such case, as the next instance would be a way around the hook.
pub(crate) fn why_not_taken(error: &CallError) -> Option<UnavailableReason> {
    let CallError::Road { error, .. } = error else { return None };
    match error {
        // One that is held open by hand does not say for how long.
        AskError::Refused { retry_after, .. } => {
            Some(UnavailableReason::BreakerOpen(Some(*retry_after).filter(|&wait| wait < Duration::MAX)))
        }
        AskError::Full(()) => Some(UnavailableReason::Full),
        AskError::ShuttingDown(()) => Some(UnavailableReason::Stopping),
        AskError::Stopped(Some(())) => Some(UnavailableReason::Stopped),
        AskError::AskCycle { .. } => Some(UnavailableReason::AskCycle),
        _ => None,
    }
}
