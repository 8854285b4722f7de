//! The clocks of Linux, read straight from the kernel's page in the process.

use rustix::time::{ClockId, clock_gettime};

use super::Nanos;

/// Counts the nanoseconds since its start.
#[derive(Debug)]
pub(super) struct Stopwatch {
    base: Nanos,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self { base: read(ClockId::Monotonic) }
    }

    #[inline]
    pub(super) fn exact(&self) -> Nanos {
        read(ClockId::Monotonic).saturating_sub(self.base)
    }

    /// At the last tick of the coarse clock, which the hardware need not be asked for.
    #[inline]
    pub(super) fn at_last_tick(&self) -> Nanos {
        read(ClockId::MonotonicCoarse).saturating_sub(self.base)
    }
}

#[inline]
fn read(clock: ClockId) -> Nanos {
    let moment = clock_gettime(clock);
    moment.tv_sec.cast_unsigned() * 1_000_000_000 + moment.tv_nsec.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_much_shorter_than_the_lag_that_is_allowed_for() {
        let tick = rustix::time::clock_getres(ClockId::MonotonicCoarse);
        assert_eq!(tick.tv_sec, 0);
        assert!(10 * tick.tv_nsec.cast_unsigned() <= super::super::LAG, "{tick:?}");
    }
}
