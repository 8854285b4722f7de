//! Every actor of a system, for inspection, look-up by name, and shutdown.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use tokio::sync::Notify;

use crate::cell::{ActorId, Node};
use crate::gate::ActorState;
use crate::sync::{Mutex, Ordering};

/// Weak references to all cells by id.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    nodes: Mutex<HashMap<ActorId, Weak<dyn Node>, BuildHasherDefault<IdHasher>>>,
    changed: Notify,
}

impl Directory {
    pub(crate) fn add(&self, id: ActorId, node: Weak<dyn Node>) {
        self.nodes.lock().insert(id, node);
    }

    pub(crate) fn remove(&self, id: ActorId) {
        let gone = self.nodes.lock().remove(&id);
        drop(gone);
        self.changed.notify_waiters();
    }

    /// All actors, in the order they were started.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Node>> {
        let mut nodes: Vec<_> = self.nodes.lock().values().filter_map(Weak::upgrade).collect();
        nodes.sort_by_key(|node| node.core().id);
        nodes
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.lock().len()
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
