//! The moments that a run waits for, the nearest first. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::run::Timer;

/// Moments to be told about.
#[derive(Debug)]
pub(super) struct Timers(BinaryHeap<Reverse<(Duration, Timer)>>);

impl Timers {
    /// Fewer than these are never tidied up.
    const FEW: usize = 64;

    /// With room for the deadline, which is all that most runs ever wait for.
    pub(super) fn new() -> Self {
        Self(BinaryHeap::with_capacity(1))
    }

    pub(super) fn set(&mut self, timer: Timer, at: Duration) {
        self.0.push(Reverse((at, timer)));
    }

    /// The nearest moment.
    pub(super) fn next(&self) -> Option<Duration> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The nearest timer, if its moment has come.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, timer))| timer)
    }

    /// Drops what nothing waits for any more, whenever there is twice as much as was wanted last time, so that a call that
    /// has long ended does not hold memory until the end of its timeout.
    pub(super) fn tidy(&mut self, is_wanted: impl Fn(Timer) -> bool) {
        if self.0.len() < Self::FEW || self.0.len() < self.0.capacity() {
            return;
        }
        self.0.retain(|Reverse((_, timer))| is_wanted(*timer));
        let wanted = self.0.len();
        self.0.shrink_to(wanted.saturating_mul(2).max(Self::FEW));
        self.0.reserve(wanted.max(Self::FEW));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timers;
    use crate::graph::StepIndex;
    use crate::run::Timer;

    #[test]
    fn the_nearest_is_due_first() {
        let mut timers = Timers::new();
        let timer = |attempt| Timer::Retry(StepIndex::new(0).into(), attempt);
        for seconds in [3, 1, 2] {
            timers.set(timer(seconds), Duration::from_secs(seconds.into()));
        }
        assert_eq!(timers.next(), Some(Duration::from_secs(1)));
        let due: Vec<_> = std::iter::from_fn(|| timers.take_due(Duration::from_secs(2))).collect();
        assert_eq!(due, [timer(1), timer(2)]);
    }

    #[test]
    fn what_nobody_wants_is_not_kept() {
        let mut timers = Timers::new();
        for attempt in 0..100_000 {
            timers.tidy(|timer| timer == Timer::Deadline);
            timers.set(Timer::Retry(StepIndex::new(0).into(), attempt), Duration::from_secs(30));
        }
        assert!(timers.0.len() <= 1000, "{} are kept", timers.0.len());
    }
}
