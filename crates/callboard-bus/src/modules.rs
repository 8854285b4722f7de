//! The face of the registry: [`Modules`], and [`ModulesExt`] for everybody who has one at hand.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use callboard_actor::{Actor, AskError, Context, Handler, Message, Recipient, System, WeakRef};

use crate::address::Address;
use crate::call::{Call, PackedCall, without_message};
use crate::descriptor::{Descriptor, Health, OperationDescriptor};
use crate::lookup::LookupError;
use crate::registration::{RegisterError, RegistryError};
use crate::registry::{Entry, ModuleChange, Published, Register, Registry, SetHealth, Snapshot, Unregister, Watch};
use crate::value::Value;

/// Modules, found and called by name: for a [`System`], and for the [`Context`] of a turn.
pub trait ModulesExt {
    /// The registry of the system; its actor is started when this is first called.
    fn modules(&self) -> Modules;

    /// Calls `module.operation` or `module.operation@requirement`. For many calls of the same name, [`Modules::call`]
    /// with an address that was read once is cheaper.
    fn call(&self, address: &str, input: impl Into<Value>) -> Call {
        Call::new(self.modules(), address.parse(), input.into())
    }

    /// Calls with the MessagePack of an input, and brings that of the output.
    fn call_packed(&self, address: &str, bytes: Vec<u8>) -> PackedCall {
        PackedCall::new(self.modules(), address.parse(), bytes)
    }

    /// A reference to an instance that takes calls of this operation now; it stays with this instance.
    ///
    /// # Errors
    ///
    /// [`LookupError`], and that the operation takes another type of message.
    ///
    /// # Cancel safety
    ///
    /// It never waits.
    fn lookup<M: Message>(
        &self,
        address: &str,
    ) -> impl Future<Output = Result<Recipient<M>, LookupError>> + Send + use<Self, M> {
        let (modules, address) = (self.modules(), address.parse::<Address>());
        async move { modules.lookup(&address?) }
    }
}

impl ModulesExt for System {
    fn modules(&self) -> Modules {
        let shared = self.extension(Shared::default);
        shared.registry.get_or_init(|| Registry::start(self, &shared.published).downgrade());
        Modules(shared)
    }
}

impl<A: Actor> ModulesExt for Context<A> {
    fn modules(&self) -> Modules {
        self.system().modules()
    }
}

impl ModulesExt for Modules {
    fn modules(&self) -> Modules {
        self.clone()
    }
}

/// The registry of a system: what is registered can be read at any time from any thread, what is changed goes through
/// the mailbox of its actor. A clone is one more reference.
#[derive(Clone)]
pub struct Modules(Arc<Shared>);

/// What the system keeps. The reference is weak, as it would keep the system alive that keeps it.
#[derive(Default)]
struct Shared {
    published: Published,
    registry: OnceLock<WeakRef<Registry>>,
}

impl Modules {
    /// Calls an operation. Nothing is read from text: this is the way for many calls of the same name.
    pub fn call(&self, address: &Address, input: impl Into<Value>) -> Call {
        Call::new(self.clone(), Ok(address.clone()), input.into())
    }

    /// Calls with the MessagePack of an input, and brings that of the output.
    pub fn call_packed(&self, address: &Address, bytes: Vec<u8>) -> PackedCall {
        PackedCall::new(self.clone(), Ok(address.clone()), bytes)
    }

    /// A reference to an instance that takes calls of this operation now; it stays with this instance.
    ///
    /// # Errors
    ///
    /// [`LookupError`], and that the operation takes another type of message.
    pub fn lookup<M: Message>(&self, address: &Address) -> Result<Recipient<M>, LookupError> {
        self.snapshot().route(address)?.recipient(address.requirement())
    }

    /// A reference to an instance that takes this type of message now.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that no operation takes it, or that several do, of different names.
    pub fn find<M: Message>(&self) -> Result<Recipient<M>, LookupError> {
        self.snapshot().route_of::<M>()?.recipient(None)
    }

    /// What the highest version that matches says of the operation, schemas included; whether it takes calls now does
    /// not matter.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that the module, the operation or the version is not there.
    pub fn resolve(&self, address: &Address) -> Result<Arc<OperationDescriptor>, LookupError> {
        self.snapshot().route(address)?.describe(address.requirement())
    }

    /// Every instance, by name, the highest version first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Descriptor>> {
        self.snapshot().list()
    }

    /// What registered modules require and nobody offers.
    #[must_use]
    pub fn missing(&self) -> Vec<MissingRequirement> {
        let all = self.list().into_iter();
        all.flat_map(|module| self.missing_of(&module)).collect()
    }

    /// Has an actor told of every arrival, change and departure, in order, beginning with an arrival for each instance
    /// that is there. It is told until it ends. What its mailbox cannot take is kept for it.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the actor may or may not be told.
    pub async fn watch(&self, recipient: impl Into<Recipient<ModuleChange>>) -> Result<(), RegistryError> {
        self.ask(Watch(recipient.into())).await
    }

    /// What is registered at this moment.
    #[inline]
    pub(crate) fn snapshot(&self) -> impl Deref<Target = Arc<Snapshot>> + use<> {
        self.0.published.load()
    }

    pub(crate) async fn register(&self, entry: Entry) -> Result<u64, RegisterError> {
        self.ask(Register(entry)).await?
    }

    pub(crate) async fn unregister(&self, number: u64) -> Result<(), RegistryError> {
        self.ask(Unregister(number)).await
    }

    pub(crate) async fn set_health(&self, number: u64, health: Health) -> Result<(), RegistryError> {
        self.ask(SetHealth(number, health)).await
    }

    async fn ask<M: Message>(&self, message: M) -> Result<M::Reply, RegistryError>
    where
        Registry: Handler<M>,
    {
        let registry = self.0.registry.get().and_then(WeakRef::upgrade);
        let Some(registry) = registry else { return Err(RegistryError(AskError::Stopped(Some(())))) };
        registry.ask(message).await.map_err(|error| RegistryError(without_message(error)))
    }

    fn missing_of(&self, module: &Arc<Descriptor>) -> Vec<MissingRequirement> {
        let missing = |required: &Address| {
            let reason = self.resolve(required).err()?;
            Some(MissingRequirement { module: Arc::clone(module), required: required.clone(), reason })
        };
        module.requires.iter().filter_map(missing).collect()
    }
}

impl fmt::Debug for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Modules").field(&**self.snapshot()).finish()
    }
}

/// An operation that a module requires and nobody offers.
#[derive(Debug)]
#[non_exhaustive]
pub struct MissingRequirement {
    /// Who requires it.
    pub module: Arc<Descriptor>,
    /// What it requires.
    pub required: Address,
    /// Why it was not found.
    pub reason: LookupError,
}

impl fmt::Display for MissingRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Descriptor { name, version, .. } = &*self.module;
        write!(f, "{name} {version} requires {}: {}", self.required, self.reason)
    }
}
