//! Work of many runs that take turns. Pure.

use std::collections::{HashMap, VecDeque};

use super::RunKey;

/// A queue per run, and the order in which runs have their turn. A run is in the rotation while it has work and is not
/// held back.
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
    pub(super) fn push(&mut self, run: RunKey, work: T, is_held: bool) {
        let own = self.work.entry(run).or_default();
        if own.is_empty() && !is_held {
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

    pub(super) fn hold(&mut self, run: RunKey) {
        self.rotation.retain(|other| *other != run);
    }

    pub(super) fn let_go(&mut self, run: RunKey) {
        if self.work.contains_key(&run) && !self.rotation.contains(&run) {
            self.rotation.push_back(run);
        }
    }

    pub(super) fn forget(&mut self, run: RunKey) -> VecDeque<T> {
        self.hold(run);
        self.work.remove(&run).unwrap_or_default()
    }

    /// Whether nobody may have a turn.
    pub(super) fn is_idle(&self) -> bool {
        self.rotation.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.work.values().map(VecDeque::len).sum()
    }
}
