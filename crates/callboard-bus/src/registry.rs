//! The registry: an actor through whose mailbox all changes go, and the snapshot that it publishes, by which all is read.

mod entry;
mod instance;
mod route;
mod snapshot;
mod watchers;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use callboard_actor::{
    Actor, ActorId, ActorRef, ActorState, Child, Context, Down, Fault, Message, Overflow, Recipient, ShutdownPhase,
    SyncHandler, System, child,
};

pub(crate) use self::entry::Entry;
pub(crate) use self::snapshot::Snapshot;
use self::watchers::Watchers;
use crate::descriptor::{Descriptor, Health};
use crate::registration::RegisterError;

/// The name of the actor.
const NAME: &str = "registry";

/// What a watcher of the registry is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ModuleChange {
    /// An instance is there: it was registered, or it was there already when the watch began.
    Arrived(Arc<Descriptor>),
    /// An instance has changed what it says of its health.
    Changed(Arc<Descriptor>),
    /// An instance is gone: it was unregistered, or its actor has ended.
    Departed(Arc<Descriptor>),
}

impl Message for ModuleChange {
    type Reply = ();
}

impl ModuleChange {
    /// The instance, as it is now or was last.
    #[must_use]
    pub const fn descriptor(&self) -> &Arc<Descriptor> {
        match self {
            Self::Arrived(descriptor) | Self::Changed(descriptor) | Self::Departed(descriptor) => descriptor,
        }
    }
}

/// What everybody reads.
pub(crate) type Published = Arc<ArcSwap<Snapshot>>;

/// The actor. What is registered is in the snapshot and nowhere else, and who watches is kept beside the value: a new
/// value of it goes on where the last one was.
pub(crate) struct Registry {
    published: Published,
    /// Kept beside the value as well. Nobody but the actor ever takes the lock.
    watchers: Arc<Mutex<Watchers>>,
    /// Actors whose end it will hear of.
    monitored: HashSet<ActorId>,
    /// A [`TellOn`] is on its way.
    is_telling: bool,
}

impl Registry {
    /// Starts the actor. When the last actor has ended nothing is left to be found, and the system is let go by what
    /// referred to it.
    pub(crate) fn start(system: &System, published: &Published) -> ActorRef<Self> {
        let last = Arc::clone(published);
        let over = move || async move { last.store(Arc::new(Snapshot::over())) };
        system.on_shutdown(ShutdownPhase::Outbox, NAME, over);
        system.spawn(Self::child(published))
    }

    fn child(published: &Published) -> Child<Self> {
        let (published, watchers) = (Arc::clone(published), Arc::<Mutex<Watchers>>::default());
        // What it says to itself must not be lost, whatever the system's other actors do when they have no room.
        let make = move || Self {
            published: Arc::clone(&published),
            watchers: Arc::clone(&watchers),
            monitored: HashSet::new(),
            is_telling: false,
        };
        child(NAME, make).overflow(Overflow::Wait)
    }

    fn monitor(&mut self, entry: &Entry, cx: &Context<Self>) {
        if self.monitored.insert(entry.actor()) {
            entry.instance().monitor(cx);
        }
    }

    fn remove(&mut self, entry: &Entry, cx: &mut Context<Self>) {
        let snapshot = self.published.load().without(entry);
        self.publish(snapshot, &ModuleChange::Departed(Arc::clone(entry.descriptor())), cx);
    }

    fn publish(&mut self, snapshot: Snapshot, change: &ModuleChange, cx: &mut Context<Self>) {
        self.published.store(Arc::new(snapshot));
        self.watchers().note(change);
        self.tell(cx);
    }

    fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&mut self, cx: &mut Context<Self>) {
        let wait = self.watchers().tell();
        if let Some(wait) = wait.filter(|_| !self.is_telling) {
            self.is_telling = true;
            cx.send_after(wait, TellOn);
        }
    }
}

impl Actor for Registry {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        let snapshot = self.published.load_full();
        snapshot.entries().into_iter().for_each(|entry| self.monitor(entry, cx));
        self.tell(cx);
        Ok(())
    }
}

/// Adds an instance; its number is the answer.
pub(crate) struct Register(pub(crate) Entry);

impl Message for Register {
    type Reply = Result<u64, RegisterError>;
}

impl SyncHandler<Register> for Registry {
    fn handle(
        &mut self,
        Register(entry): Register,
        cx: &mut Context<Self>,
    ) -> Result<Result<u64, RegisterError>, Fault> {
        let snapshot = self.published.load_full();
        let descriptor = entry.descriptor();
        let (module, instance) = (descriptor.name.clone(), descriptor.instance.clone());
        if entry.instance().state() >= ActorState::Stopping {
            return Ok(Err(RegisterError::Ending { module, instance }));
        }
        let is_there =
            |other: &&Arc<Entry>| other.actor() == entry.actor() && other.descriptor().name == entry.descriptor().name;
        if snapshot.entries().into_iter().any(|other| is_there(&other)) {
            return Ok(Err(RegisterError::AlreadyExists { module, instance }));
        }
        self.monitor(&entry, cx);
        let change = ModuleChange::Arrived(Arc::clone(entry.descriptor()));
        let (snapshot, number) = snapshot.with(entry);
        self.publish(snapshot, &change, cx);
        Ok(Ok(number))
    }
}

/// Takes an instance away, unless it is gone.
pub(crate) struct Unregister(pub(crate) u64);

impl Message for Unregister {
    type Reply = ();
}

impl SyncHandler<Unregister> for Registry {
    fn handle(&mut self, Unregister(number): Unregister, cx: &mut Context<Self>) -> Result<(), Fault> {
        let snapshot = self.published.load_full();
        snapshot.entry(number).into_iter().for_each(|entry| self.remove(entry, cx));
        Ok(())
    }
}

/// Says how an instance is, unless it is gone.
pub(crate) struct SetHealth(pub(crate) u64, pub(crate) Health);

impl Message for SetHealth {
    type Reply = ();
}

impl SyncHandler<SetHealth> for Registry {
    fn handle(&mut self, SetHealth(number, health): SetHealth, cx: &mut Context<Self>) -> Result<(), Fault> {
        let before = self.published.load_full();
        let Some(entry) = before.entry(number).filter(|entry| entry.descriptor().health != health) else {
            return Ok(());
        };
        let snapshot = before.with_health(entry, &health);
        let Some(entry) = snapshot.entry(number) else { return Ok(()) };
        let change = ModuleChange::Changed(Arc::clone(entry.descriptor()));
        self.publish(snapshot, &change, cx);
        Ok(())
    }
}

/// Adds a watcher.
pub(crate) struct Watch(pub(crate) Recipient<ModuleChange>);

impl Message for Watch {
    type Reply = ();
}

impl SyncHandler<Watch> for Registry {
    fn handle(&mut self, Watch(recipient): Watch, cx: &mut Context<Self>) -> Result<(), Fault> {
        let snapshot = self.published.load_full();
        let arrived = |entry: &Arc<Entry>| ModuleChange::Arrived(Arc::clone(entry.descriptor()));
        self.watchers().add(recipient, snapshot.entries().into_iter().map(arrived).collect());
        self.tell(cx);
        Ok(())
    }
}

/// A watcher could not take everything before.
struct TellOn;

impl Message for TellOn {
    type Reply = ();
}

impl SyncHandler<TellOn> for Registry {
    fn handle(&mut self, _: TellOn, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.is_telling = false;
        self.tell(cx);
        Ok(())
    }
}

impl SyncHandler<Down> for Registry {
    fn handle(&mut self, down: Down, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.monitored.remove(&down.id);
        let snapshot = self.published.load_full();
        let ended = snapshot.entries().into_iter().filter(|entry| entry.actor() == down.id);
        ended.for_each(|entry| self.remove(entry, cx));
        Ok(())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("published", &self.published).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
