//! The runs that have ended: the last ones whole, and more of them by name alone. Pure.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::RunName;
use crate::run::RunState;

/// How much is remembered of runs that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// How many runs keep their name, so that the same start or the same event does not start another: 10,000.
    pub names: usize,
    /// How many of these keep everything, to be looked at and tried again: 1,000.
    pub reports: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { names: 10_000, reports: 1_000 }
    }
}

/// What is remembered of runs that have ended; `T` is all of one. See the head of this module.
#[derive(Debug)]
pub(super) struct Ended<T> {
    runs: HashMap<RunName, EndedRun<T>>,
    /// The order in which they ended, by number; those that are there no more are skipped.
    names: VecDeque<(u64, RunName)>,
    /// So many of the last of these are whole.
    wholes: usize,
    serial: u64,
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct EndedRun<T> {
    serial: u64,
    pub(super) state: RunState,
    /// None if only the name is remembered.
    pub(super) whole: Option<Arc<T>>,
}

impl<T> Default for Ended<T> {
    fn default() -> Self {
        Self { runs: HashMap::new(), names: VecDeque::new(), wholes: 0, serial: 0 }
    }
}

impl<T> Ended<T> {
    /// Remembers a run, and forgets those that are too many.
    pub(super) fn add(&mut self, name: RunName, state: RunState, whole: Arc<T>, memory: Memory) {
        self.serial += 1;
        let serial = self.serial;
        self.names.push_back((serial, name.clone()));
        self.wholes += 1;
        self.runs.insert(name, EndedRun { serial, state, whole: Some(whole) });
        self.forget(memory);
    }

    pub(super) fn get(&self, name: &RunName) -> Option<&EndedRun<T>> {
        self.runs.get(name)
    }

    /// Takes a run out that goes on.
    pub(super) fn take(&mut self, name: &RunName) -> Option<EndedRun<T>> {
        self.runs.remove(name)
    }

    /// Those that are whole, in the order in which they ended.
    pub(super) fn wholes(&self) -> impl Iterator<Item = &Arc<T>> {
        let still_there = |(serial, name): &(u64, RunName)| self.runs.get(name).filter(|run| run.serial == *serial);
        self.names.range(self.names.len() - self.wholes..).filter_map(move |entry| still_there(entry)?.whole.as_ref())
    }

    fn forget(&mut self, memory: Memory) {
        while self.wholes > memory.reports.min(memory.names) {
            let (serial, name) = &self.names[self.names.len() - self.wholes];
            if let Some(run) = self.runs.get_mut(name).filter(|run| run.serial == *serial) {
                run.whole = None;
            }
            self.wholes -= 1;
        }
        while self.names.len() > memory.names {
            let Some((serial, name)) = self.names.pop_front() else { break };
            if let Entry::Occupied(run) = self.runs.entry(name)
                && run.get().serial == serial
            {
                run.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Ended, Memory};
    use crate::run::RunState;
    use crate::workflows::RunName;

    fn name(run: u32) -> RunName {
        RunName { workflow: "w".into(), run: run.to_string().into() }
    }

    #[test]
    fn the_last_are_whole_and_more_keep_their_names() {
        let mut ended = Ended::default();
        let memory = Memory { names: 4, reports: 2 };
        for run in 0..6 {
            ended.add(name(run), RunState::Completed, Arc::new(run), memory);
        }
        let whole = |run| ended.get(&name(run)).map(|ended| ended.whole.is_some());
        assert_eq!([0, 1, 2, 3, 4, 5].map(whole), [None, None, Some(false), Some(false), Some(true), Some(true)]);
        assert_eq!(ended.wholes().map(|run| **run).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn a_run_that_ends_again_is_as_young_as_its_last_end() {
        let mut ended = Ended::default();
        let memory = Memory { names: 3, reports: 3 };
        ended.add(name(1), RunState::Failed, Arc::new(1), memory);
        assert!(ended.take(&name(1)).is_some());
        for run in [2, 1, 3] {
            ended.add(name(run), RunState::Completed, Arc::new(run), memory);
        }
        assert_eq!(ended.wholes().map(|run| **run).collect::<Vec<_>>(), [2, 1, 3]);
    }
}
