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
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The name does not lead to an instance that takes calls. Nobody was asked.
    Lookup(LookupError),
    /// A time-out of zero, which leaves no time for an answer. Nobody was asked.
    NoTime,
    /// The payload does not fit the message. The handler was not called.
    Input {
        /// `module.operation`.
        operation: Arc<str>,
        /// What does not fit, and where.
        fault: ValueError,
    },
    /// The payload does not fit the schema of the message. The handler was not called.
    Invalid {
        /// `module.operation`.
        operation: Arc<str>,
        /// Everything that does not fit, up to a hundred.
        faults: Vec<SchemaFault>,
    },
    /// The payload could not be read. The handler was not called.
    Bytes {
        /// `module.operation`.
        operation: Arc<str>,
        /// What is wrong, and where.
        fault: CodecError,
    },
    /// Too many calls of the operation have failed lately, see [`CallSettings`](crate::CallSettings). Nobody was asked.
    CircuitOpen {
        /// `module.operation`.
        operation: Arc<str>,
        /// How long to wait before trying again; `Duration::MAX` while it is held open by hand.
        retry_after: Duration,
    },
    /// There were more calls of the operation than its [rate](crate::CallSettings::rate) allows. Nobody was asked.
    RateLimited {
        /// `module.operation`.
        operation: Arc<str>,
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// A [middleware](crate::middleware) has not let the call pass.
    Refused {
        /// The stable code.
        code: ErrorCode,
        /// Why.
        text: String,
    },
    /// A [middleware](crate::middleware) panicked on the way; whether the operation was carried out is not known.
    Panicked {
        /// `module.operation`.
        operation: Arc<str>,
    },
    /// It was tried several times.
    GaveUp {
        /// How often.
        attempts: u32,
        /// Why not once more.
        why: WhyNot,
        /// How the last attempt ended.
        last: Box<CallError>,
    },
    /// The operation answered that it had failed.
    Failed(Failure),
    /// The instance was asked and brought no answer.
    Road {
        /// `module.operation`; nothing for an actor that is asked with types and is no module.
        operation: Option<Arc<str>>,
        /// Why it brought none.
        error: AskError<()>,
    },
    /// The operation was carried out, but its reply has no form as a value.
    Reply {
        /// The type of the reply.
        reply: &'static str,
        /// Why.
        fault: ValueError,
    },
    /// The operation was carried out, but its output could not be written.
    Output(CodecError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(fault) => fault.fmt(f),
            Self::NoTime => f.write_str("a time-out of zero leaves no time for an answer"),
            Self::Input { operation, fault } => write!(f, "the input of `{operation}` does not fit: {fault}"),
            Self::Invalid { operation, faults } => {
                write!(f, "the input of `{operation}` does not fit: {}", List(faults))
            }
            Self::Bytes { operation, fault } => write!(f, "the input of `{operation}` cannot be read: {fault}"),
            Self::CircuitOpen { operation, retry_after } => {
                write!(f, "the breaker of `{operation}` is open{}", Wait(*retry_after))
            }
            Self::RateLimited { operation, retry_after } => {
                write!(f, "there are too many calls of `{operation}`: wait{}", Wait(*retry_after))
            }
            Self::Refused { text, .. } => OneLine(text).fmt(f),
            Self::Panicked { operation } => write!(f, "a middleware panicked in a call of `{operation}`"),
            Self::GaveUp { attempts, why, last } => write!(f, "{last} (tried {attempts} times: {why})"),
            Self::Failed(failure) => failure.fmt(f),
            Self::Road { operation, error } => write!(f, "{}{error}", Asked(operation.as_deref(), error)),
            Self::Reply { reply, fault } => write!(f, "the reply `{reply}` has no form as a value: {fault}"),
            Self::Output(fault) => write!(f, "the output cannot be written: {fault}"),
        }
    }
}

/// Its text says all that its causes say. One that may pass says so in its chain, so that a `?` in a handler makes a fault of
/// the same class.
impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lookup(fault) => fault.source(),
            Self::GaveUp { last, .. } => last.source(),
            Self::Failed(failure) => failure.source(),
            Self::Road { error, .. } => error.source(),
            other if other.class() == FailureClass::Transient => mark_as_retryable(),
            _ => None,
        }
    }
}

impl From<LookupError> for CallError {
    fn from(fault: LookupError) -> Self {
        Self::Lookup(fault)
    }
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

    /// What to do about it, in a sentence for people: what its code says.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.code().help()
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

    /// Of an input that is not one that the operation takes.
    pub(crate) fn unfit(operation: Arc<str>, unfit: Unfit) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// F-ERR-03: what a handler passes on is as likely to pass as it was, and is told once.
    #[test]
    fn what_is_passed_on_keeps_its_class_and_its_words() {
        let operation: Arc<str> = "shop.sell".into();
        let open = || CallError::CircuitOpen { operation: operation.clone(), retry_after: Duration::from_secs(3) };
        let many = CallError::RateLimited { operation: operation.clone(), retry_after: Duration::from_secs(3) };
        let why = WhyNot::Exhausted { attempts: 2 };
        let cases = [
            (CallError::GaveUp { attempts: 2, why, last: Box::new(open()) }, FaultClass::Retryable),
            (open(), FaultClass::Retryable),
            (many, FaultClass::Retryable),
            (CallError::refused(ErrorCode::Busy, "later"), FaultClass::Retryable),
            (CallError::road(Some(&operation), AskError::Full(())), FaultClass::Retryable),
            (CallError::road(Some(&operation), AskError::ShuttingDown(())), FaultClass::Retryable),
            (CallError::refused(ErrorCode::PermissionDenied, "no"), FaultClass::Permanent),
            (CallError::Panicked { operation: operation.clone() }, FaultClass::Permanent),
            (CallError::NoTime, FaultClass::Permanent),
        ];
        for (error, class) in cases {
            let fault = Fault::of(&error);
            assert_eq!((fault.class(), fault.text()), (class, &*error.to_string()));
        }
    }
}
