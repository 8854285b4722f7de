//! Why what a module can do could not be changed: [`AdvertiseError`].

use callboard_actor::ErrorCode;
use thiserror::Error;

use super::CapabilityError;
use crate::registration::RegistryError;

/// Why a capability was not advertised, withdrawn or switched. Nothing has changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AdvertiseError {
    /// No module of this name is registered.
    #[error("there is no module `{module}`{}", Meant(.near))]
    UnknownModule {
        /// The name.
        module: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The module advertises no such capability. Its operations stay for as long as it offers them.
    #[error("`{module}` advertises no capability `{capability_id}`{}", Meant(.near))]
    UnknownCapability {
        /// The module.
        module: String,
        /// The name.
        capability_id: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The module can do something of this name already.
    #[error(transparent)]
    Capability(#[from] CapabilityError),
    /// The registry did not answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl AdvertiseError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownModule { .. } => ErrorCode::UnknownModule,
            Self::UnknownCapability { .. } => ErrorCode::UnknownOperation,
            Self::Capability(error) => error.code(),
            Self::Registry(error) => error.code(),
        }
    }
}

/// Ends the sentence that says what is not there.
struct Meant<'a>(&'a Option<String>);

impl std::fmt::Display for Meant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |near| write!(f, ", did you mean `{near}`?"))
    }
}
