//! Faults that a test injects before the turns of an actor.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::actor::Actor;
use crate::child::{Child, Interference};

/// What is to happen to which message of an actor, counted from 1 over all its values.
#[derive(Clone, Debug, Default)]
#[must_use = "an injection does nothing until a child has it"]
pub struct Injection {
    at: BTreeMap<u64, Interference>,
}

impl Injection {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The turn of the n-th message panics.
    pub fn panic_at(self, nth: u64) -> Self {
        self.with(nth, Interference::Panic)
    }

    /// The turn of the n-th message begins this much later, and all after it.
    pub fn delay_at(self, nth: u64, delay: Duration) -> Self {
        self.with(nth, Interference::Delay(delay))
    }

    /// The n-th message vanishes before its turn; it is counted as a dead letter.
    pub fn lose_at(self, nth: u64) -> Self {
        self.with(nth, Interference::Lose)
    }

    fn with(mut self, nth: u64, interference: Interference) -> Self {
        self.at.insert(nth, interference);
        self
    }
}

impl<A: Actor> Child<A> {
    /// Lets these faults happen to it.
    pub fn inject(self, injection: Injection) -> Self {
        let seen = AtomicU64::new(0);
        let decide = move || {
            let nth = seen.fetch_add(1, Ordering::Relaxed) + 1;
            injection.at.get(&nth).copied().unwrap_or(Interference::None)
        };
        self.change(move |policy| policy.interference = Some(Arc::new(decide)))
    }
}
