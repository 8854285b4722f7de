//! Who may call an operation now, if only so many may at once: fair between runs. Pure.
//!
//! Each operation with a limit has its own queue. The most urgent work goes first; among work of one priority, the runs
//! take turns and each run's own work keeps its order. So a run that is a thousand steps wide takes every other place
//! when one other run wants the same operation, and not the first thousand. Nothing guards low priorities against
//! a stream of higher ones that never ends.
//!
//! ```
//! use callboard_workflow::slots::{RunKey, Slots};
//! use callboard_actor::Priority;
//!
//! let mut slots = Slots::default();
//! let store = slots.operation("storage.put");
//! slots.set_limit(store, Some(1.try_into()?));
//! let (wide, narrow) = (RunKey(1), RunKey(2));
//! assert_eq!(slots.request(store, wide, Priority::Normal, "wide 1"), Some("wide 1"));
//! assert_eq!(slots.request(store, wide, Priority::Normal, "wide 2"), None);
//! assert_eq!(slots.request(store, wide, Priority::Normal, "wide 3"), None);
//! assert_eq!(slots.request(store, narrow, Priority::Normal, "narrow 1"), None);
//! assert_eq!(slots.release(store), Some("wide 2"));
//! assert_eq!(slots.release(store), Some("narrow 1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use callboard_actor::Priority;

mod turns;

use self::turns::Turns;

/// A run, by a number of the caller's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(pub u64);

/// An operation, known to one [`Slots`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationKey(usize);

/// The places of all operations, and who waits for them. `T` is what the caller does when its turn has come. See the head
/// of this module.
#[derive(Debug)]
pub struct Slots<T> {
    names: HashMap<Arc<str>, OperationKey>,
    operations: Vec<Operation<T>>,
}

#[derive(Debug)]
struct Operation<T> {
    limit: Option<NonZeroU32>,
    in_use: u32,
    waiting: [Turns<T>; Priority::ALL.len()],
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { names: HashMap::new(), operations: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// The key of an operation, known from now on. Without a limit everything is granted.
    pub fn operation(&mut self, name: &str) -> OperationKey {
        if let Some(key) = self.names.get(name) {
            return *key;
        }
        let key = OperationKey(self.operations.len());
        self.operations.push(Operation { limit: None, in_use: 0, waiting: Default::default() });
        self.names.insert(name.into(), key);
        key
    }

    /// Sets or lifts a limit, and gives what may go on because of that. Calls that are out stay out.
    #[must_use = "what is granted waits for somebody to do it"]
    pub fn set_limit(&mut self, operation: OperationKey, limit: Option<NonZeroU32>) -> Vec<T> {
        if let Some(operation) = self.operations.get_mut(operation.0) {
            operation.limit = limit;
        }
        self.grant_all(operation)
    }

    /// Wants a place: gives the work back if there is one, and keeps it until there is otherwise.
    #[must_use = "what is granted waits for somebody to do it"]
    pub fn request(&mut self, operation: OperationKey, run: RunKey, priority: Priority, work: T) -> Option<T> {
        let Some(operation) = self.operations.get_mut(operation.0) else { return Some(work) };
        // Whoever waits is before whoever comes.
        if operation.has_room() && operation.waiting.iter().all(Turns::is_empty) {
            operation.in_use += 1;
            return Some(work);
        }
        operation.waiting[level(priority)].push(run, work);
        None
    }

    /// A call has ended: its place goes to the next, if there is one.
    #[must_use = "what is granted waits for somebody to do it"]
    pub fn release(&mut self, operation: OperationKey) -> Option<T> {
        let operation = self.operations.get_mut(operation.0)?;
        operation.in_use = operation.in_use.saturating_sub(1);
        operation.grant()
    }

    /// Forgets a run that is over or paused, and gives back what it waited for. Places that it has are released one by one, as its calls end.
    pub fn forget(&mut self, run: RunKey) -> Vec<T> {
        self.all_turns().flat_map(|turns| turns.forget(run)).collect()
    }

    /// How many calls of the operation are out.
    #[must_use]
    pub fn in_use(&self, operation: OperationKey) -> u32 {
        self.operations.get(operation.0).map_or(0, |operation| operation.in_use)
    }

    /// How much work waits for the operation.
    #[must_use]
    pub fn waiting(&self, operation: OperationKey) -> usize {
        self.operations.get(operation.0).map_or(0, |operation| operation.waiting.iter().map(Turns::len).sum())
    }

    fn all_turns(&mut self) -> impl Iterator<Item = &mut Turns<T>> {
        self.operations.iter_mut().flat_map(|operation| operation.waiting.iter_mut())
    }

    fn grant_all(&mut self, operation: OperationKey) -> Vec<T> {
        let operation = self.operations.get_mut(operation.0);
        operation.into_iter().flat_map(|operation| std::iter::from_fn(|| operation.grant())).collect()
    }
}

impl<T> Operation<T> {
    fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.in_use < limit.get())
    }

    fn grant(&mut self) -> Option<T> {
        let has_room = self.has_room();
        let next = self.waiting.iter_mut().filter(|_| has_room).find_map(Turns::pop);
        self.in_use += u32::from(next.is_some());
        next
    }
}

/// The most urgent first.
fn level(priority: Priority) -> usize {
    Priority::ALL.iter().position(|other| *other == priority).unwrap_or(Priority::ALL.len() - 1)
}

#[cfg(test)]
mod tests;
