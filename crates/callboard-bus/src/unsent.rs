//! Why a message was not sent by name: [`SendError`].

use callboard_actor::ErrorCode;
use thiserror::Error;

use crate::lookup::LookupError;

/// A message that nobody has taken, and why.
pub(crate) struct Unsent<M> {
    pub(crate) error: SendError,
    pub(crate) message: M,
}

/// Why a message was not sent by name. The message is in the [dead letter queue](crate::DeadLetterQueue).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The name does not lead to an instance that takes the message now.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The admission hook of the instance said no.
    #[error("`{instance}` did not admit it: {reason}")]
    Denied {
        /// The name of the actor.
        instance: String,
        /// Its reason.
        reason: String,
    },
}

impl SendError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Lookup(error) => error.code(),
            Self::Denied { .. } => ErrorCode::PermissionDenied,
        }
    }
}
