//! Why there is no contract: [`NegotiateError`].

use callboard_actor::ErrorCode;
use thiserror::Error;

use super::NoAgreement;
use crate::registration::RegistryError;

/// Why a need was not met by a contract that the registry keeps.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NegotiateError {
    /// A contract lasts as long as its consumer is registered, and no module of this name is.
    #[error(
        "there is no module `{consumer}` that could have a contract{}: register it first",
        near.as_ref().map(|near| format!(", did you mean `{near}`")).unwrap_or_default()
    )]
    UnknownConsumer {
        /// The name.
        consumer: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// Nobody will do.
    #[error(transparent)]
    Nobody(#[from] NoAgreement),
    /// The registry did not answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl NegotiateError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownConsumer { .. } => ErrorCode::UnknownModule,
            Self::Nobody(error) => error.code(),
            Self::Registry(error) => error.code(),
        }
    }
}
