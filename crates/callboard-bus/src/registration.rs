//! What is left in the hand of whoever has registered a module: [`Registration`].

use std::sync::Arc;

use callboard_actor::{AskError, ErrorCode};
use thiserror::Error;

use crate::address::AddressError;
use crate::descriptor::Health;
use crate::discovery::{AdvertiseError, Capability, CapabilityError};
use crate::modules::Modules;
use crate::operation::CallSettingsError;
use crate::redaction::OneLine;
use crate::registry::Place;
use crate::subscription::SubscribeError;
use crate::topic::TopicError;

/// One instance that can be found. Dropping it takes nothing away: the instance is found until its actor ends. Only its
/// actor may register again then, as one does that registers itself in `started` and was restarted.
#[derive(Debug)]
pub struct Registration {
    modules: Modules,
    place: Place,
    /// While this is there nothing else takes the place.
    _hold: Arc<()>,
}

impl Registration {
    pub(crate) const fn new(modules: Modules, place: Place, hold: Arc<()>) -> Self {
        Self { modules, place, _hold: hold }
    }

    /// Takes the instance away. A call that begins after this has ended does not reach it; one that began before may. When
    /// it is gone already nothing changes.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the instance may or may not be found.
    pub async fn unregister(self) -> Result<(), RegistryError> {
        self.modules.unregister(self.place).await
    }

    /// Says how the instance is. While it is unhealthy it is not handed out. When it is gone nothing changes.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the registry may or may not know.
    pub async fn set_health(&self, health: Health) -> Result<(), RegistryError> {
        self.modules.set_health(self.place.clone(), health).await
    }

    /// As [`Modules::advertise`], of its module.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`].
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn advertise(&self, capability: Capability) -> Result<(), AdvertiseError> {
        self.modules.advertise(&self.place.module, capability).await
    }

    /// As [`Modules::withdraw`], of its module.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`].
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn withdraw(&self, capability_id: &str) -> Result<(), AdvertiseError> {
        self.modules.withdraw(&self.place.module, capability_id).await
    }

    /// As [`Modules::set_available`], of its module.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`].
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn set_available(&self, capability_id: &str, is_available: bool) -> Result<(), AdvertiseError> {
        self.modules.set_available(&self.place.module, capability_id, is_available).await
    }
}

/// Why a module was not registered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A name that cannot be one.
    #[error("the name of the {what} `{}` {reason}", OneLine(.name))]
    BadName {
        /// Whether it is that of the module or of an operation.
        what: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A version that is not semantic.
    #[error("the version `{}` of module `{module}` cannot be read: {reason}", OneLine(.version))]
    BadVersion {
        /// The module.
        module: String,
        /// Its version.
        version: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A requirement that is no address.
    #[error("a requirement cannot be read")]
    BadRequirement(#[from] AddressError),
    /// Two operations with one name.
    #[error("module `{module}` has two operations `{operation}`")]
    OperationTwice {
        /// The module.
        module: String,
        /// The name of both.
        operation: String,
    },
    /// The name of an event that it publishes cannot be one, or the pattern of events that it hears.
    #[error("an event cannot be named so")]
    BadEvent(#[from] TopicError),
    /// Something that it can do is no capability, or there are two of one name.
    #[error("a capability cannot be advertised")]
    Capability(#[from] CapabilityError),
    /// Something that is to come again and again, with no time in between.
    #[error("`{message}` of module `{module}` has a period of zero")]
    NoPeriod {
        /// The module.
        module: String,
        /// The type of the message.
        message: &'static str,
    },
    /// What an operation says of its calls cannot work.
    #[error("module `{module}`, operation `{operation}`")]
    Settings {
        /// The module.
        module: String,
        /// The operation.
        operation: String,
        /// What cannot work.
        #[source]
        faults: CallSettingsError,
    },
    /// The events that it hears could not be subscribed to.
    #[error("the events that it hears cannot be subscribed to")]
    Subscribe(#[from] SubscribeError),
    /// The same actor is registered under this name, and whoever has registered it still holds the [`Registration`].
    #[error("`{instance}` is registered as an instance of `{module}` already")]
    AlreadyExists {
        /// The module.
        module: String,
        /// The name of the actor.
        instance: String,
    },
    /// The actor is about to end, or has.
    #[error("`{instance}` is ending and cannot be an instance of `{module}`")]
    Ending {
        /// The module.
        module: String,
        /// The name of the actor.
        instance: String,
    },
    /// The registry did not answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Why the registry did not answer. Reading goes on without it.
#[derive(Debug, Error)]
#[error("the registry does not answer")]
pub struct RegistryError(#[source] pub(crate) AskError<()>);

impl RegisterError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadName { .. } | Self::BadRequirement(_) | Self::BadEvent(_) => ErrorCode::InvalidName,
            Self::BadVersion { .. } | Self::NoPeriod { .. } | Self::Settings { .. } => ErrorCode::InvalidConfig,
            Self::OperationTwice { .. } | Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::Ending { .. } => ErrorCode::Unavailable,
            Self::Capability(error) => error.code(),
            Self::Subscribe(error) => error.code(),
            Self::Registry(error) => error.code(),
        }
    }
}

impl RegistryError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code()
    }
}
