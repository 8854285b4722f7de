//! What a module needs of others: [`RequireExt`].

use std::any::type_name;
use std::future::Future;

use callboard_actor::{Context, ErrorCode, Message, Recipient};

use crate::lookup::LookupError;
use crate::module::Module;
use crate::modules::{Modules, ModulesExt};
use crate::registration::RegisterError;

/// What a module has said that it requires, found by the type of the message.
pub trait RequireExt {
    /// A reference to an instance that takes this type of message, of the operations that the module
    /// [requires](crate::Manifest::requires) or [may use](crate::Manifest::may_use). It is a mailbox, as with
    /// [`Modules::lookup`](crate::Modules::lookup).
    ///
    /// # Errors
    ///
    /// [`RequireError`].
    ///
    /// # Cancel safety
    ///
    /// It never waits.
    fn require<M: Message>(&self) -> impl Future<Output = Result<Recipient<M>, RequireError>> + use<Self, M>;
}

/// Why what a module needs is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequireError {
    /// The module does not say that it requires an operation that takes this type of message.
    #[error("`{module}` requires no operation that takes `{message}`: add it to what it requires")]
    NotRequired {
        /// The module.
        module: String,
        /// The type of the message.
        message: &'static str,
    },
    /// What it requires cannot be read.
    #[error(transparent)]
    Manifest(#[from] RegisterError),
    /// What it requires is not there, or takes no calls now.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl RequireError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotRequired { .. } => ErrorCode::InvalidConfig,
            Self::Manifest(fault) => fault.code(),
            Self::Lookup(fault) => fault.code(),
        }
    }
}

impl<A: Module> RequireExt for Context<A> {
    fn require<M: Message>(&self) -> impl Future<Output = Result<Recipient<M>, RequireError>> + use<A, M> {
        let modules = self.modules();
        async move { required::<A, M>(&modules) }
    }
}

/// An operation that is not there says nothing of the type that it would take, so it may be the one.
fn required<A: Module, M: Message>(modules: &Modules) -> Result<Recipient<M>, RequireError> {
    let manifest = A::manifest();
    let mut absent = None;
    for address in manifest.requirements()? {
        match modules.lookup(&address) {
            Ok(recipient) => return Ok(recipient),
            Err(LookupError::MessageType { .. }) => {}
            Err(error) => absent = absent.or(Some(error)),
        }
    }
    let module = manifest.name().to_owned();
    Err(absent.map_or(RequireError::NotRequired { module, message: type_name::<M>() }, RequireError::Lookup))
}
