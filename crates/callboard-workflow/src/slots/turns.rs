//! Work of many runs that take turns. Pure.

use std::collections::{HashMap, VecDeque};

use super::RunKey;

/// A queue per run, and the order in which runs have their turn. A run is in the rotation while it has work.
#[derive(Debug)]
pub(super) struct Turns<T> {
    rotation: VecDeque<RunKey>,
    work: HashMap<RunKey, VecDeque<T>>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { rotation: VecDeque::new(), work: HashMap::new() }
    }
}

impl<T> Turns<T> {
    pub(super) fn push(&mut self, run: RunKey, work: T) {
        let own = self.work.entry(run).or_default();
        if own.is_empty() {
            self.rotation.push_back(run);
        }
        own.push_back(work);
    }

    /// The work of the run whose turn it is; it comes last from now on.
    pub(super) fn pop(&mut self) -> Option<T> {
        let run = self.rotation.pop_front()?;
        let own = self.work.get_mut(&run)?;
        let next = own.pop_front();
        if own.is_empty() {
            self.work.remove(&run);
        } else {
            self.rotation.push_back(run);
        }
        next
    }

    pub(super) fn forget(&mut self, run: RunKey) -> VecDeque<T> {
        self.rotation.retain(|other| *other != run);
        self.work.remove(&run).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rotation.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.work.values().map(VecDeque::len).sum()
    }
}
