//! How often a handler is tried at an event, and what is waited in between: [`Tries`]. Pure.

use std::time::Duration;

use crate::retry::RetryPolicy;

/// Without a policy three times, one right after the other: as often as an actor tries it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries(Option<RetryPolicy>);

impl Tries {
    const ATTEMPTS: u32 = 3;

    pub(crate) fn by(policy: RetryPolicy) -> Self {
        Self(Some(policy))
    }

    /// How long to wait when so many tries have failed; nothing when that was the last one.
    pub(crate) fn pause(self, made: u32, roll: f64) -> Option<Duration> {
        match self.0 {
            Some(policy) => policy.delay(made, roll),
            None => (made < Self::ATTEMPTS).then_some(Duration::ZERO),
        }
    }
}
