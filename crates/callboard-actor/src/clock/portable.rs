//! The clock of the standard library, for systems of which no coarse one is known.

use std::time::Instant;

use super::{Nanos, nanos};

/// Counts the nanoseconds since its start.
#[derive(Debug)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    #[inline]
    pub(super) fn exact(&self) -> Nanos {
        nanos(self.0.elapsed())
    }

    #[inline]
    pub(super) fn at_last_tick(&self) -> Nanos {
        self.exact()
    }
}
