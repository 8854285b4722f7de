//! Operations that are added to modules that are there: [`Modules::offer`], and why one was not: [`OfferError`].

use callboard_actor::{Actor, ActorRef, ErrorCode};
use semver::Version;
use thiserror::Error;

use super::Modules;
use crate::address::check_name;
use crate::near;
use crate::operation::{CallSettingsError, Operation};
use crate::protocol::Protocol;
use crate::redaction::OneLine;
use crate::registration::RegistryError;
use crate::registry::{Add, Added};

/// Why an operation was not added. Nothing has changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OfferError {
    /// A name that cannot be one.
    #[error("the name of the operation `{}` {reason}", OneLine(.name))]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What the operation says of its calls cannot work.
    #[error("operation `{operation}`: {faults}")]
    Settings {
        /// The name.
        operation: String,
        /// What cannot work.
        faults: CallSettingsError,
    },
    /// No module of this name is registered.
    #[error("there is no module `{}`{}", OneLine(.module), .near.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default())]
    UnknownModule {
        /// The name.
        module: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The actor is no instance of the module.
    #[error("`{instance}` is no instance of `{module}`: register it, or offer the operation by one that is")]
    NoInstance {
        /// The module.
        module: String,
        /// The name of the actor.
        instance: String,
    },
    /// The module takes part in other ways alone.
    #[error("`{module}` answers no requests: name request_response among its protocols")]
    NotAsked {
        /// The module.
        module: String,
    },
    /// The instance offers an operation of this name.
    #[error("there is an operation `{operation}` already: choose another name")]
    AlreadyExists {
        /// `module.operation`.
        operation: String,
    },
    /// The registry did not answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl OfferError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadName { .. } => ErrorCode::InvalidName,
            Self::Settings { .. } | Self::NotAsked { .. } => ErrorCode::InvalidConfig,
            Self::UnknownModule { .. } => ErrorCode::UnknownModule,
            Self::NoInstance { .. } => ErrorCode::Unavailable,
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::Registry(error) => error.code(),
        }
    }
}

impl Modules {
    /// Adds an operation to what an instance of a module offers, beside those of its manifest. It goes with the instance:
    /// when its actor registers again, as one does that registers itself in `started`, it is what its manifest says.
    ///
    /// ```
    /// # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on};
    /// # #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// # struct Add(u64);
    /// # impl Message for Add { type Reply = u64; }
    /// # struct Counter;
    /// # impl Actor for Counter {}
    /// # impl SyncHandler<Add> for Counter {
    /// #     fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> Result<u64, Fault> { Ok(n) }
    /// # }
    /// use callboard_bus::{Manifest, ModulesExt, Operation};
    ///
    /// # block_on(async {
    /// # let system = System::builder().workers(1).start().await?;
    /// # let counter = system.spawn(|| Counter);
    /// let _registration = Manifest::new("counter", "1.0.0").operation::<Add>("add").register(&counter).await?;
    /// let plus = Operation::new::<Add>("plus").description("as `add`");
    /// system.modules().offer("counter", &counter, plus).await?;
    /// assert_eq!(system.call("counter.plus", 2).await?, 2.into());
    /// # system.shutdown(Drain::default()).await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`OfferError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the operation may or may not be offered.
    pub async fn offer<A: Actor>(
        &self,
        module: &str,
        actor: &ActorRef<A>,
        operation: Operation<A>,
    ) -> Result<(), OfferError> {
        let name = operation.name().to_owned();
        check_name(&name).map_err(|reason| OfferError::BadName { name: name.clone(), reason })?;
        let settings = operation.check_settings();
        settings.map_err(|faults| OfferError::Settings { operation: name.clone(), faults })?;
        let version = self.version_of(module, actor)?;
        let operation = operation.serve(module, &version, actor);
        let add = Add { module: module.to_owned(), actor: actor.id(), operation };
        match self.ask(add).await? {
            Added::Done => Ok(()),
            Added::Twice => Err(OfferError::AlreadyExists { operation: format!("{module}.{name}") }),
            Added::Gone => Err(no_instance(module, actor)),
        }
    }

    /// That of the instance behind which this actor is.
    fn version_of<A: Actor>(&self, module: &str, actor: &ActorRef<A>) -> Result<Version, OfferError> {
        let snapshot = self.snapshot();
        let instances = snapshot.instances(module);
        if instances.is_empty() {
            return Err(self.unknown_module(module));
        }
        let entry = instances.iter().find(|entry| entry.actor() == actor.id());
        let descriptor = entry.ok_or_else(|| no_instance(module, actor))?.descriptor();
        if !descriptor.protocols.is_empty() && !descriptor.protocols.contains(&Protocol::RequestResponse) {
            return Err(OfferError::NotAsked { module: module.to_owned() });
        }
        Ok(descriptor.version.clone())
    }

    fn unknown_module(&self, module: &str) -> OfferError {
        let known = self.list();
        let near = near::nearest(module, known.iter().map(|known| known.name.as_str()));
        OfferError::UnknownModule { module: module.to_owned(), near }
    }
}

fn no_instance<A: Actor>(module: &str, actor: &ActorRef<A>) -> OfferError {
    OfferError::NoInstance { module: module.to_owned(), instance: actor.name() }
}
