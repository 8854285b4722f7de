//! Every actor of a system, for inspection, look-up by name, and shutdown.

use std::sync::{Arc, Weak};

use tokio::sync::Notify;

use crate::cell::{ActorId, Node};
use crate::gate::ActorState;
use crate::inspect::Totals;
use crate::register::Register;
use crate::sync::{Mutex, Ordering};

/// Weak references to all cells by id, and what is left of those that have ended.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    known: Mutex<Known>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Known {
    nodes: Register<Weak<dyn Node>>,
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
        let (gone, is_empty) = {
            let mut known = self.known.lock();
            let gone = known.nodes.remove(node.core().id);
            if gone.is_some() {
                known.ended.plus(&left);
            }
            (gone, known.nodes.len() == 0)
        };
        drop(gone);
        if is_empty {
            self.emptied.notify_waiters();
        }
    }

    /// All actors, in the order they were started.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Node>> {
        self.all_and_ended().0
    }

    /// All actors, and the sums over those that have ended: each actor is in one of the two.
    pub(crate) fn all_and_ended(&self) -> (Vec<Arc<dyn Node>>, Totals) {
        let known = self.known.lock();
        (known.nodes.values().filter_map(Weak::upgrade).collect(), known.ended)
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

    /// Waits until no actor is left.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            // Registered before the look, so that the last removal does not fall between the two.
            emptied.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }
}
