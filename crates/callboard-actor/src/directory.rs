//! Every actor of a system, for inspection, look-up by name, and shutdown.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use tokio::sync::Notify;

use crate::cell::{ActorId, Node};
use crate::gate::ActorState;
use crate::inspect::Totals;
use crate::sync::{Mutex, Ordering};

/// Weak references to all cells by id, and what is left of those that have ended.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    known: Mutex<Known>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Known {
    nodes: HashMap<ActorId, Weak<dyn Node>, BuildHasherDefault<IdHasher>>,
    /// Sums over the actors that have ended, as they were then.
    ended: Totals,
}

impl Directory {
    pub(crate) fn add(&self, id: ActorId, node: Weak<dyn Node>) {
        self.known.lock().nodes.insert(id, node);
    }

    /// An actor has ended; what it leaves is added up.
    pub(crate) fn remove(&self, node: &dyn Node) {
        let left = crate::inspect::totals_of(node);
        let gone = {
            let mut known = self.known.lock();
            let gone = known.nodes.remove(&node.core().id);
            if gone.is_some() {
                known.ended.plus(&left);
            }
            gone
        };
        drop(gone);
        self.changed.notify_waiters();
    }

    /// All actors, in the order they were started.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Node>> {
        self.all_and_ended().0
    }

    /// All actors, and the sums over those that have ended: each actor is in one of the two.
    pub(crate) fn all_and_ended(&self) -> (Vec<Arc<dyn Node>>, Totals) {
        let (mut nodes, ended): (Vec<_>, _) = {
            let known = self.known.lock();
            (known.nodes.values().filter_map(Weak::upgrade).collect(), known.ended)
        };
        nodes.sort_by_key(|node| node.core().id);
        (nodes, ended)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.lock().nodes.len()
    }

    /// The first actor with this name, of those that are past their first start, for which `is` holds.
    pub(crate) fn find<T>(&self, name: &str, is: impl Fn(Arc<dyn Node>) -> Option<T>) -> Option<T> {
        let is_found =
            |node: &Arc<dyn Node>| node.core().given_name() == Some(name) && node.state() != ActorState::Starting;
        self.all().into_iter().filter(is_found).find_map(is)
    }

    /// The names of the actors on one arbiter.
    pub(crate) fn on_arbiter(&self, arbiter: u32) -> Vec<String> {
        let here = |node: &Arc<dyn Node>| node.core().arbiter.load(Ordering::Relaxed) == arbiter;
        self.all().iter().filter(|node| here(node)).map(|node| node.core().name()).collect()
    }

    /// Waits until at most so many actors are left.
    pub(crate) async fn shrunk_to(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no removal falls between the two.
            changed.as_mut().enable();
            if self.len() <= count {
                return;
            }
            changed.await;
        }
    }
}

/// Ids are counted up, so they need no hashing against collisions.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
