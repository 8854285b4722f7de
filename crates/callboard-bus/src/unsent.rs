//! What was sent by name and reached nobody: [`Undeliverable`], and why a message was not sent: [`SendError`].

use std::collections::VecDeque;
use std::time::Duration;

use callboard_actor::ErrorCode;
use thiserror::Error;

use crate::lookup::LookupError;

/// A message sent by name that nobody waits for and that reached nobody. It is gone; this is its record, without what was
/// in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undeliverable {
    /// When, since the system started.
    pub at: Duration,
    /// `module.operation`, or the name of the router that had no rule for it.
    pub name: String,
    /// The type of the message, as Rust names it.
    pub message: &'static str,
    /// Why, as a code.
    pub code: ErrorCode,
    /// Why, in words.
    pub reason: String,
}

/// The last of them, and how many there ever were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undelivered {
    /// The last 1,000, oldest first.
    pub last: VecDeque<Undeliverable>,
    /// All that there ever were.
    pub total: u64,
}

impl Undelivered {
    const KEPT: usize = 1_000;

    pub(crate) fn add(&mut self, letter: Undeliverable) {
        self.total += 1;
        if self.last.len() == Self::KEPT {
            self.last.pop_front();
        }
        self.last.push_back(letter);
    }
}

/// Why a message was not sent by name. There is a record of it, see
/// [`Modules::undelivered`](crate::Modules::undelivered).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The name does not lead to an instance that takes the message now.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The admission hook of the instance said no.
    #[error("`{instance}` did not admit it: {reason}")]
    Denied {
        /// The name of the actor.
        instance: String,
        /// Its reason.
        reason: String,
    },
}

impl SendError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Lookup(error) => error.code(),
            Self::Denied { .. } => ErrorCode::PermissionDenied,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use callboard_actor::ErrorCode;

    use super::{Undeliverable, Undelivered};

    #[test]
    fn the_last_are_kept_and_all_are_counted() {
        let mut undelivered = Undelivered::default();
        for second in 0..1_500 {
            let (name, reason) = ("lab.add".to_owned(), "no reason".to_owned());
            let (at, code) = (Duration::from_secs(second), ErrorCode::Unavailable);
            undelivered.add(Undeliverable { at, name, message: "Add", code, reason });
        }
        assert_eq!((undelivered.last.len(), undelivered.total), (1_000, 1_500));
        assert_eq!(undelivered.last[0].at, Duration::from_secs(500));
    }
}
