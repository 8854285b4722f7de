//! The face of the registry: [`Modules`], and [`ModulesExt`] for everybody who has one at hand.

mod finding;
mod offering;
mod sending;

use std::borrow::Cow;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::{fmt, mem};

use callboard_actor::{
    Actor, ActorId, ActorRef, AskError, Context, Handler, Message, Recipient, System, TellError, WeakRef,
};
use parking_lot::Mutex;

use self::finding::Finder;
pub use self::offering::OfferError;
use crate::address::Address;
use crate::breaker_events::BreakerEvents;
use crate::call::{Call, PackedCall, without_message};
use crate::dead_letter_queue::Book;
use crate::descriptor::{Descriptor, Health, OperationDescriptor};
use crate::gate::{Access, AuthContext, Gatekeeper, Use};
use crate::lookup::LookupError;
use crate::registration::{RegisterError, Registration, RegistryError};
use crate::registry::{
    Board, Entry, ModuleChange, Place, Register, Registry, SetHealth, Snapshot, Sweep, Unregister, Watch,
};
use crate::value::Value;

/// Modules, found and called by name: for a [`System`], and for the [`Context`] of a turn.
pub trait ModulesExt {
    /// The registry of the system; its actor is started when this is first called.
    fn modules(&self) -> Modules;

    /// Calls `module.operation` or `module.operation@requirement`. For many calls of the same name, [`Modules::call`]
    /// with an address that was read once is cheaper.
    fn call(&self, address: &str, input: impl Into<Value>) -> Call<'static> {
        Call::owned(self.modules(), address.parse(), input.into())
    }

    /// Calls with the MessagePack of an input, and brings that of the output.
    fn call_packed(&self, address: &str, bytes: Vec<u8>) -> PackedCall<'static> {
        PackedCall::new(Cow::Owned(self.modules()), address.parse().map(Cow::Owned), bytes)
    }

    /// A reference to an instance that takes calls of this operation now; it stays with this instance. It is the mailbox of the
    /// actor: what is asked of it passes the actor's own breaker, and neither the middleware nor the breaker, the counts or the
    /// limit of the operation, as a [call](Self::call) does.
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
        shared.registry.get_or_init(|| {
            Book::of(self);
            BreakerEvents::of(self);
            shared.gate.get_or_init(|| Gatekeeper::of(self));
            Registry::start(self, &shared.board).downgrade()
        });
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
    board: Arc<Board>,
    registry: OnceLock<WeakRef<Registry>>,
    gate: OnceLock<Gatekeeper>,
    /// The number of the entry that came last.
    last: AtomicU64,
    finder: Mutex<Finder>,
    /// Messages that were sent by name and taken.
    sent: AtomicU64,
    /// Calls that ended before an attempt could begin.
    misdirected: AtomicU64,
}

impl Modules {
    /// Calls an operation. Nothing is read from text, and nothing is cloned before the call is made: this is the way for many
    /// calls of the same name. [`Call::into_owned`] lets go of what it borrows.
    #[inline]
    pub fn call<'a>(&'a self, address: &'a Address, input: impl Into<Value>) -> Call<'a> {
        Call::new(self, address, input.into())
    }

    /// Calls with the MessagePack of an input, and brings that of the output.
    pub fn call_packed<'a>(&'a self, address: &'a Address, bytes: Vec<u8>) -> PackedCall<'a> {
        PackedCall::new(Cow::Borrowed(self), Ok(Cow::Borrowed(address)), bytes)
    }

    /// A reference to an instance that takes calls of this operation now; it stays with this instance. It is the mailbox of the
    /// actor: what is asked of it passes the actor's own breaker, and neither the middleware nor the breaker, the counts or the
    /// limit of the operation, as a [call](Self::call) does.
    ///
    /// # Errors
    ///
    /// [`LookupError`], and that the operation takes another type of message.
    pub fn lookup<M: Message>(&self, address: &Address) -> Result<Recipient<M>, LookupError> {
        self.admit(address.name(), AuthContext::here, |operation, level| Access::Call { operation, level })?;
        self.snapshot().route(address)?.recipient(address.requirement())
    }

    /// What whoever acts here shows; nothing where nobody looks at it.
    fn shown_here(&self) -> AuthContext {
        let is_seen = self.0.gate.get().is_some_and(Gatekeeper::is_there);
        if is_seen { AuthContext::here() } else { AuthContext::default() }
    }

    /// Asks the gate, if there is one.
    #[inline]
    fn admit(&self, operation: &str, auth: impl FnOnce() -> AuthContext, access: Use) -> Result<(), LookupError> {
        let Some(gate) = self.0.gate.get().filter(|gate| gate.is_there()) else { return Ok(()) };
        // When the system is over nobody takes anything any more.
        let system = self.system().ok_or(LookupError::Over)?;
        let asked = gate.ask_use(&system, &auth(), operation, access);
        asked.map(drop).map_err(|fault| LookupError::Denied { operation: operation.to_owned(), fault })
    }

    /// A reference to an instance that takes this type of message now.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that no operation takes it, or that several do, of different names.
    pub fn find<M: Message>(&self) -> Result<Recipient<M>, LookupError> {
        let snapshot = self.snapshot();
        let route = snapshot.route_of::<M>()?;
        let operation = Arc::clone(route.state().address());
        self.admit(&operation, AuthContext::here, |operation, level| Access::Call { operation, level })?;
        route.recipient(None)
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
    /// that is there. It is told until it ends or the watch is dropped. What its mailbox cannot take is kept for it; where
    /// that would be more than a thousand changes, and more than there are instances, only what is left of them is: of an
    /// instance that came and went meanwhile it hears nothing, and of several changes of one the last.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, there is no watch; the actor may have been told what is there.
    pub async fn watch(&self, recipient: impl Into<Recipient<ModuleChange>>) -> Result<ModuleWatch, RegistryError> {
        let watch = ModuleWatch(Arc::new(()));
        self.ask(Watch(recipient.into(), Arc::downgrade(&watch.0))).await?;
        Ok(watch)
    }

    /// What is registered at this moment.
    #[inline]
    pub(crate) fn snapshot(&self) -> impl Deref<Target = Arc<Snapshot>> + use<> {
        self.0.board.snapshot()
    }

    pub(crate) async fn register(&self, entry: Entry) -> Result<Registration, RegisterError> {
        let (hold, number) = (Arc::new(()), self.0.last.fetch_add(1, Ordering::Relaxed) + 1);
        let place = Place { module: entry.descriptor().name.clone(), number };
        let unconfirmed = Unconfirmed { modules: self, place: &place };
        self.ask(Register(entry.numbered(number, &hold))).await??;
        mem::forget(unconfirmed);
        Ok(Registration::new(self.clone(), place, hold))
    }

    pub(crate) async fn unregister(&self, place: Place) -> Result<(), RegistryError> {
        self.ask(Unregister(place)).await
    }

    pub(crate) async fn set_health(&self, place: Place, health: Health) -> Result<(), RegistryError> {
        self.ask(SetHealth(place, health)).await
    }

    fn registry(&self) -> Option<ActorRef<Registry>> {
        self.0.registry.get()?.upgrade()
    }

    async fn ask<M: Message>(&self, message: M) -> Result<M::Reply, RegistryError>
    where
        Registry: Handler<M>,
    {
        let Some(registry) = self.registry() else { return Err(RegistryError(AskError::Stopped(Some(())))) };
        // In no turn's lane, so that the most urgent one is left to what takes back; see `Sweep`.
        registry.ask(message).no_inherit().await.map_err(|error| RegistryError(without_message(error)))
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

/// What the registry knows of an actor, if it is registered; the registry need not have been started for that.
pub(crate) fn instance_of(system: &System, actor: ActorId) -> Option<Arc<Descriptor>> {
    let shared = system.extension(Shared::default);
    let snapshot = shared.board.snapshot();
    snapshot.list().into_iter().find(|instance| instance.actor == actor)
}

/// The module that an actor is an instance of.
pub(crate) fn module_of(system: &System, actor: ActorId) -> Option<String> {
    instance_of(system, actor).map(|instance| instance.name.clone())
}

/// The module and the `module.operation` that an actor has this type of message for.
pub(crate) fn operation_of(system: &System, actor: ActorId, message: &str) -> Option<(String, String)> {
    let instance = instance_of(system, actor)?;
    let operation = instance.operations.iter().find(|operation| operation.message == message)?;
    Some((instance.name.clone(), operation.address.clone()))
}

/// An actor is told of the modules of a system, or of their contracts, for as long as this is there.
#[derive(Debug)]
#[must_use = "dropping a watch ends it"]
pub struct ModuleWatch(Arc<()>);

/// A registration of which nobody knows yet whether it has taken place. Dropped it is taken back, if it has.
struct Unconfirmed<'a> {
    modules: &'a Modules,
    place: &'a Place,
}

impl Drop for Unconfirmed<'_> {
    fn drop(&mut self) {
        let board = &self.modules.0.board;
        board.withdraw(self.place.clone());
        // A mailbox without room for it holds another that will do, and an actor that fails sweeps when it starts again.
        let told = self.modules.registry().map(|registry| registry.try_tell(Sweep));
        if matches!(told, None | Some(Err(TellError::Stopped(_) | TellError::ShuttingDown(_)))) {
            // Nothing is registered any more, or will not be for long.
            drop(board.take_withdrawn());
        }
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
