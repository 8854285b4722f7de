//! Why an operation was not found, or is not to be had now.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{AskError, ErrorCode};
use semver::{Version, VersionReq};
use serde::{Serialize, Serializer};

use crate::address::AddressError;
use crate::gate::GateError;
use crate::near::nearest;
use crate::time;

/// Why a name does not lead to an instance.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The text is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No module has this name.
    #[error("there is no module `{module}`{hint}")]
    UnknownModule {
        /// The name.
        module: String,
        /// What is there.
        hint: Hint,
    },
    /// The module does not offer this operation.
    #[error("`{module}` has no operation `{operation}`{hint}")]
    UnknownOperation {
        /// The module.
        module: String,
        /// The name of the operation.
        operation: String,
        /// What is there.
        hint: Hint,
    },
    /// The operation is there, in other versions.
    #[error("no version of `{name}` matches {requirement}, there is {}", List(.there))]
    Version {
        /// `module.operation`.
        name: String,
        /// What was asked for.
        requirement: VersionReq,
        /// The versions that are there, highest first.
        there: Vec<Version>,
    },
    /// The operation takes another type of message.
    #[error("`{name}` takes `{takes}` and not `{asked}`")]
    MessageType {
        /// `module.operation`.
        name: String,
        /// The type that it takes.
        takes: &'static str,
        /// The type that was asked for.
        asked: &'static str,
    },
    /// Nobody takes this type of message.
    #[error("no operation takes `{message}`")]
    NobodyTakes {
        /// The type.
        message: &'static str,
    },
    /// Several operations take this type of message, and none was named.
    #[error("`{message}` is taken by {}: name one of them", List(.offered))]
    SeveralTake {
        /// The type.
        message: &'static str,
        /// `module.operation` of those that take it, in order.
        offered: Vec<String>,
    },
    /// It is there and matches, but no instance of it takes calls now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The [gate](crate::gate) does not let it be used.
    #[error("`{operation}`: {fault}")]
    Denied {
        /// `module.operation`.
        operation: String,
        /// Why not.
        #[source]
        fault: GateError,
    },
    /// There are no modules any more.
    #[error("the system has been shut down")]
    Over,
}

impl LookupError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Address(fault) => fault.code(),
            Self::UnknownModule { .. } => ErrorCode::UnknownModule,
            Self::UnknownOperation { .. } | Self::NobodyTakes { .. } => ErrorCode::UnknownOperation,
            Self::Version { .. } => ErrorCode::VersionIncompatible,
            Self::MessageType { .. } => ErrorCode::ValidationFailed,
            Self::SeveralTake { .. } => ErrorCode::InvalidName,
            Self::Unavailable(fault) => fault.code(),
            Self::Denied { fault, .. } => fault.code(),
            Self::Over => ErrorCode::Unavailable,
        }
    }

    /// How long to wait before trying again, when a refusal knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Unavailable(fault) = self { fault.retry_after() } else { None }
    }
}

/// What there was when a name led nowhere. Nothing is searched before it is asked for, so that whoever goes on asking for
/// what is not there costs the others little.
#[derive(Clone)]
pub struct Hint {
    asked: Arc<str>,
    offered: Arc<[String]>,
}

impl Hint {
    pub(crate) const fn new(asked: Arc<str>, offered: Arc<[String]>) -> Self {
        Self { asked, offered }
    }

    /// What was probably meant, as `module.operation`.
    #[must_use]
    pub fn near(&self) -> Option<String> {
        nearest(&self.asked, self.offered.iter().map(String::as_str))
    }

    /// `module.operation` of everything that was offered, in order.
    #[must_use]
    pub fn offered(&self) -> &[String] {
        &self.offered
    }
}

/// Ends the sentence that says what is not there.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.near().map_or(Ok(()), |near| write!(f, ", did you mean `{near}`?"))
    }
}

impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hint").field("near", &self.near()).field("offered", &self.offered.len()).finish()
    }
}

/// None of the instances that match takes calls now.
#[derive(Clone, Debug)]
pub struct Unavailable {
    operation: String,
    instances: Vec<UnavailableInstance>,
}

/// One that matches and takes no calls now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnavailableInstance {
    /// The name of its actor.
    pub name: String,
    /// The version of its module.
    pub version: Version,
    /// Why.
    pub reason: UnavailableReason,
}

/// Why an instance takes no calls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnavailableReason {
    /// It says so itself, for this reason.
    Unhealthy(String),
    /// Its breaker is open: for so long, if it is known.
    BreakerOpen(Option<Duration>),
    /// It has failed and waits for so long before it is started again.
    Restarting(Duration),
    /// Its mailbox has no room and lets nobody wait.
    Full,
    /// It waits itself, perhaps over others, for whoever calls.
    AskCycle,
    /// It has never served yet. Calls wait for it where nobody serves.
    Starting,
    /// It is draining or stopping.
    Stopping,
    /// It has ended.
    Stopped,
}

impl Unavailable {
    pub(crate) const fn new(operation: String, instances: Vec<UnavailableInstance>) -> Self {
        Self { operation, instances }
    }

    /// `module.operation`.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Those that match, and why each of them takes no calls.
    #[must_use]
    pub fn instances(&self) -> &[UnavailableInstance] {
        &self.instances
    }

    /// The stable code: that of the reason which is the likeliest to pass. An open breaker says when, and so does a restart; a
    /// full mailbox empties.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        let is = |wanted: fn(&UnavailableReason) -> bool| self.reasons().any(wanted);
        match () {
            () if is(|reason| {
                matches!(reason, UnavailableReason::BreakerOpen(_) | UnavailableReason::Restarting(_))
            }) =>
            {
                ErrorCode::CircuitOpen
            }
            () if is(|reason| matches!(reason, UnavailableReason::Full)) => ErrorCode::Busy,
            () => ErrorCode::Unavailable,
        }
    }

    /// After how long the first of the open breakers lets something through, or the first instance is started again. Nothing when
    /// none is open, or only by hand.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let waits = self.reasons().filter_map(|reason| match reason {
            UnavailableReason::BreakerOpen(wait) => *wait,
            UnavailableReason::Restarting(wait) => Some(*wait),
            _ => None,
        });
        waits.min()
    }

    /// Whether all of them wait for the caller.
    pub(crate) fn is_ask_cycle(&self) -> bool {
        self.reasons().all(|reason| *reason == UnavailableReason::AskCycle)
    }

    fn reasons(&self) -> impl Iterator<Item = &UnavailableReason> {
        self.instances.iter().map(|instance| &instance.reason)
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no instance of `{}` takes calls now: ", self.operation)?;
        for (place, instance) in self.instances.iter().enumerate() {
            let UnavailableInstance { name, version, reason } = instance;
            let between = if place == 0 { "" } else { "; " };
            write!(f, "{between}{name} {version} {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for UnavailableReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unhealthy(reason) => write!(f, "is unhealthy: {reason}"),
            Self::BreakerOpen(Some(wait)) => {
                write!(f, "has an open breaker, try again after {}", time::show_wait(*wait))
            }
            Self::BreakerOpen(None) => f.write_str("has an open breaker"),
            Self::Restarting(wait) => write!(f, "is being restarted, try again after {}", time::show_wait(*wait)),
            Self::Full => f.write_str("has no room in its mailbox"),
            Self::AskCycle => f.write_str("waits for the caller itself"),
            Self::Starting => f.write_str("has not started yet"),
            Self::Stopping => f.write_str("is stopping"),
            Self::Stopped => f.write_str("has stopped"),
        }
    }
}

/// In words, as it is told to people: `is stopping`.
impl Serialize for UnavailableReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Error for Unavailable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        mark_as_retryable()
    }
}

/// What stands in a chain of sources for "trying again can help" and has no text of its own: by it a `?` in a handler
/// gives the fault its class.
pub(crate) fn mark_as_retryable() -> Option<&'static (dyn Error + 'static)> {
    static MARK: AskError<()> = AskError::Full(());
    MARK.source()
}

struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(place, item)| {
            let between = if place == 0 { "" } else { ", " };
            write!(f, "{between}{item}")
        })
    }
}
