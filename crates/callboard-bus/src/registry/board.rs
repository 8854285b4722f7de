//! What outlives a value of the registry's actor: the [`Board`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use parking_lot::{Mutex, MutexGuard};

use super::ModuleChange;
use super::snapshot::Snapshot;
use super::watchers::Watchers;
use crate::contract::ContractChange;

/// What is registered, who watches, and what is to be taken back.
#[derive(Default)]
pub(crate) struct Board {
    /// What is registered is here and nowhere else.
    published: ArcSwap<Snapshot>,
    /// Nobody but the actor ever takes the lock.
    watchers: Mutex<Watchers<ModuleChange>>,
    contract_watchers: Mutex<Watchers<ContractChange>>,
    /// When all contracts were looked at last.
    contracts_checked: Mutex<Option<Duration>>,
    withdrawn: Mutex<Vec<Place>>,
}

/// Where an entry is: under the name of its module, with this number.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) module: String,
    pub(crate) number: u64,
}

impl Board {
    /// What is registered at this moment.
    #[inline]
    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.published.load()
    }

    /// Lets it be seen by whoever looks from now on. The actor does this, and the end of the system.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.published.store(Arc::new(snapshot));
    }

    /// The system has been shut down: nothing is found any more, and what refers to actors, and through them to their
    /// system, is let go. Dropped outside of the locks.
    pub(super) fn end(&self) {
        self.publish(Snapshot::over());
        let watchers = std::mem::take(&mut *self.watchers.lock());
        let contract_watchers = std::mem::take(&mut *self.contract_watchers.lock());
        drop((watchers, contract_watchers, self.take_withdrawn()));
    }

    /// Nobody knows any more whether this has been registered, and nobody wants it.
    pub(crate) fn withdraw(&self, place: Place) {
        self.withdrawn.lock().push(place);
    }

    pub(crate) fn take_withdrawn(&self) -> Vec<Place> {
        std::mem::take(&mut *self.withdrawn.lock())
    }

    pub(super) fn watchers(&self) -> MutexGuard<'_, Watchers<ModuleChange>> {
        self.watchers.lock()
    }

    pub(super) fn contract_watchers(&self) -> MutexGuard<'_, Watchers<ContractChange>> {
        self.contract_watchers.lock()
    }

    /// All contracts have been looked at.
    pub(super) fn contracts_checked(&self, now: Duration) {
        *self.contracts_checked.lock() = Some(now);
    }

    /// When all contracts were looked at last.
    pub(crate) fn last_check(&self) -> Option<Duration> {
        *self.contracts_checked.lock()
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Board").field(&**self.snapshot()).finish()
    }
}
