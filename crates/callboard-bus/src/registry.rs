//! The registry: an actor through whose mailbox all changes go, and the snapshot that it publishes, by which all is read.

mod advertising;
mod board;
mod catalogue;
mod contracting;
mod entry;
mod family;
mod instance;
mod load;
mod offering;
mod probing;
mod route;
mod snapshot;
mod standing;
mod watchers;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use callboard_actor::{
    Actor, ActorId, ActorRef, ActorState, Child, Context, Down, Fault, Message, Overflow, Priority, Recipient,
    ShutdownPhase, SyncHandler, System, TaskHandle, child,
};

pub(crate) use self::advertising::{Amend, Amendment};
pub(crate) use self::board::{Board, Place};
pub(crate) use self::contracting::{Negotiate, WatchContracts};
pub(crate) use self::entry::Entry;
pub(crate) use self::load::{Held, Load};
pub(crate) use self::offering::{Add, Added};
pub(crate) use self::route::{Offer, Route, Tried};
pub(crate) use self::snapshot::Snapshot;
use self::standing::Standing;
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
    /// An instance is another than it was: its health, or everything that it says of itself, as its actor has registered
    /// it again.
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

/// The actor. All that it knows for good is on the board, so a new value of it goes on where the last one was.
pub(crate) struct Registry {
    board: Arc<Board>,
    /// The actors whose end it will hear of, and the modules that each was registered for.
    modules_of: HashMap<ActorId, Vec<String>>,
    /// The [`TellOn`] that is on its way, and when it comes.
    telling: Option<(Duration, TaskHandle)>,
    /// What asks modules how they are, once there is one that answers.
    probing: Option<TaskHandle>,
    /// What looks at all contracts, once there is one.
    checking: Option<TaskHandle>,
}

impl Registry {
    /// Starts the actor. When the last actor has ended nothing is left to be found, and the system is let go by what
    /// referred to it.
    pub(crate) fn start(system: &System, board: &Arc<Board>) -> ActorRef<Self> {
        let last = Arc::clone(board);
        system.on_shutdown(ShutdownPhase::Outbox, NAME, move || async move { last.end() });
        let registry = system.spawn(Self::child(board));
        if registry.state() == ActorState::Stopped {
            // The system has been shut down before anybody asked for a module.
            board.end();
        }
        registry
    }

    fn child(board: &Arc<Board>) -> Child<Self> {
        let board = Arc::clone(board);
        let make = move || Self {
            board: Arc::clone(&board),
            modules_of: HashMap::new(),
            telling: None,
            probing: None,
            checking: None,
        };
        // What it says to itself must not be lost, whatever the system's other actors do when they have no room.
        child(NAME, make).overflow(Overflow::Wait)
    }

    fn look_after(&mut self, entry: &Entry, cx: &mut Context<Self>) {
        self.probe_with(entry, cx);
        let module = &entry.descriptor().name;
        let modules = self.modules_of.entry(entry.actor()).or_insert_with(|| {
            entry.instance().monitor(cx);
            Vec::new()
        });
        if !modules.contains(module) {
            modules.push(module.clone());
        }
    }

    fn register(&mut self, entry: Entry, cx: &mut Context<Self>) -> Result<(), RegisterError> {
        let before = self.board.snapshot();
        let entry = before.adopted(entry);
        let descriptor = Arc::clone(entry.descriptor());
        let (module, instance) = (descriptor.name.clone(), descriptor.instance.clone());
        if entry.instance().standing() >= Standing::Stopping {
            return Err(RegisterError::Ending { module, instance });
        }
        let same = before.instances(&module).iter().find(|other| other.actor() == entry.actor());
        if same.is_some_and(|same| same.is_held()) {
            return Err(RegisterError::AlreadyExists { module, instance });
        }
        self.look_after(&entry, cx);
        match same {
            Some(same) => {
                self.change(before.with_other(same, entry), &module, &[ModuleChange::Changed(descriptor)], cx);
                same.unsubscribe();
            }
            None => self.change(before.with(entry), &module, &[ModuleChange::Arrived(descriptor)], cx),
        }
        Ok(())
    }

    fn remove(&mut self, module: &str, is_gone: impl Fn(&Entry) -> bool, cx: &mut Context<Self>) {
        let before = self.board.snapshot();
        if let Some(entry) = before.instances(module).iter().find(|entry| is_gone(entry)) {
            if let Some(modules) = self.modules_of.get_mut(&entry.actor()) {
                modules.retain(|other| other != module);
            }
            let departed = ModuleChange::Departed(Arc::clone(entry.descriptor()));
            self.change(before.without(entry), module, &[departed], cx);
            entry.unsubscribe();
        }
    }

    fn unregister(&mut self, Place { module, number }: &Place, cx: &mut Context<Self>) {
        self.remove(module, |entry| entry.number() == *number, cx);
    }

    /// A module is another than it was, which may be against what it has agreed on.
    fn change(&mut self, snapshot: Snapshot, module: &str, changes: &[ModuleChange], cx: &mut Context<Self>) {
        let (snapshot, contracts) = snapshot.settled(module);
        self.note_contracts(&contracts);
        self.publish(snapshot, changes, cx);
    }

    fn publish(&mut self, snapshot: Snapshot, changes: &[ModuleChange], cx: &mut Context<Self>) {
        self.board.publish(snapshot);
        changes.iter().for_each(|change| self.board.watchers().note(change));
        self.tell(cx);
    }

    /// Tells the watchers, and comes back when the first of those who could not take everything may be able to.
    fn tell(&mut self, cx: &mut Context<Self>) {
        let waits = [self.board.watchers().tell(), self.board.contract_watchers().tell()];
        let Some(wait) = waits.into_iter().flatten().min() else { return };
        let at = cx.system().elapsed().saturating_add(wait);
        if self.telling.as_ref().is_some_and(|(sooner, _)| *sooner <= at) {
            return;
        }
        if let Some((_, later)) = self.telling.replace((at, cx.send_after(wait, TellOn))) {
            later.cancel();
        }
    }

    fn sweep(&mut self, cx: &mut Context<Self>) {
        self.board.take_withdrawn().iter().for_each(|place| self.unregister(place, cx));
    }
}

impl Actor for Registry {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        let snapshot = self.board.snapshot();
        snapshot.entries().into_iter().for_each(|entry| self.look_after(entry, cx));
        self.sweep(cx);
        self.check_from_now_on(cx);
        self.tell(cx);
        Ok(())
    }
}

/// Adds an instance.
pub(crate) struct Register(pub(crate) Entry);

impl Message for Register {
    type Reply = Result<(), RegisterError>;
}

impl SyncHandler<Register> for Registry {
    fn handle(
        &mut self,
        Register(entry): Register,
        cx: &mut Context<Self>,
    ) -> Result<Result<(), RegisterError>, Fault> {
        Ok(self.register(entry, cx))
    }
}

/// Takes an instance away, unless it is gone.
pub(crate) struct Unregister(pub(crate) Place);

impl Message for Unregister {
    type Reply = ();
}

impl SyncHandler<Unregister> for Registry {
    fn handle(&mut self, Unregister(place): Unregister, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.unregister(&place, cx);
        Ok(())
    }
}

/// Takes away what was withdrawn. No other message has this priority, so where there is no room for it one is on its way.
pub(crate) struct Sweep;

impl Message for Sweep {
    type Reply = ();
    const PRIORITY: Priority = Priority::Critical;
}

impl SyncHandler<Sweep> for Registry {
    fn handle(&mut self, _: Sweep, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.sweep(cx);
        Ok(())
    }
}

/// Says how an instance is, unless it is gone.
pub(crate) struct SetHealth(pub(crate) Place, pub(crate) Health);

impl Message for SetHealth {
    type Reply = ();
}

impl SyncHandler<SetHealth> for Registry {
    fn handle(&mut self, SetHealth(place, health): SetHealth, cx: &mut Context<Self>) -> Result<(), Fault> {
        let before = self.board.snapshot();
        let mut instances = before.instances(&place.module).iter();
        let entry = instances.find(|entry| entry.number() == place.number);
        if let Some(entry) = entry.filter(|entry| entry.descriptor().health != health) {
            let other = entry.with_health(health);
            let change = ModuleChange::Changed(Arc::clone(other.descriptor()));
            self.publish(before.with_other(entry, other), &[change], cx);
        }
        Ok(())
    }
}

/// Adds a watcher, for as long as somebody holds on to the watch.
pub(crate) struct Watch(pub(crate) Recipient<ModuleChange>, pub(crate) Weak<()>);

impl Message for Watch {
    type Reply = ();
}

impl SyncHandler<Watch> for Registry {
    fn handle(&mut self, Watch(recipient, hold): Watch, cx: &mut Context<Self>) -> Result<(), Fault> {
        let arrived = |entry: &Arc<Entry>| ModuleChange::Arrived(Arc::clone(entry.descriptor()));
        let there = self.board.snapshot().entries().into_iter().map(arrived).collect();
        self.board.watchers().add(recipient, hold, there);
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
        self.telling = None;
        self.tell(cx);
        Ok(())
    }
}

impl SyncHandler<Down> for Registry {
    fn handle(&mut self, down: Down, cx: &mut Context<Self>) -> Result<(), Fault> {
        let modules = self.modules_of.remove(&down.id).unwrap_or_default();
        modules.iter().for_each(|module| self.remove(module, |entry| entry.actor() == down.id, cx));
        Ok(())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("board", &self.board).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
