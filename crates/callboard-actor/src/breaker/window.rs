//! The calls that a rate is taken over: the last so many, or those of the last so long.

use std::collections::VecDeque;
use std::time::Duration;

use super::rules::{BreakerRules, Window};

/// A time window moves in so many steps.
const STEPS: u32 = 10;

/// Calls of one step of a time window, or a single call of a count window.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    step: u128,
    calls: u32,
    failures: u32,
    slow: u32,
}

/// The samples of one window and their sums.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    window: Window,
    buckets: VecDeque<Bucket>,
    sum: Bucket,
}

impl Samples {
    /// The samples that these rules need, if any.
    pub(super) fn for_rules(rules: &BreakerRules) -> Option<Self> {
        let window = rules.window()?;
        Some(Self { window, buckets: VecDeque::new(), sum: Bucket::default() })
    }

    pub(super) fn add(&mut self, failed: bool, slow: bool, now: Duration) {
        let call = Bucket { step: self.step(now), calls: 1, failures: failed.into(), slow: slow.into() };
        self.sum.plus(call);
        let merges = matches!(self.window, Window::Time(_));
        match self.buckets.back_mut() {
            Some(last) if merges && last.step == call.step => last.plus(call),
            _ => self.buckets.push_back(call),
        }
        self.forget_old(call.step);
    }

    pub(super) fn clear(&mut self) {
        self.buckets.clear();
        self.sum = Bucket::default();
    }

    pub(super) fn failure_rate_met(&self, percent: u8, minimum: u32) -> bool {
        self.met(self.sum.failures, percent, minimum)
    }

    pub(super) fn slow_rate_met(&self, percent: u8, minimum: u32) -> bool {
        self.met(self.sum.slow, percent, minimum)
    }

    /// A count window never holds more calls than it is long, so a larger minimum is cut to that.
    fn met(&self, hits: u32, percent: u8, minimum: u32) -> bool {
        let needed = if let Window::Count(size) = self.window { minimum.min(size) } else { minimum };
        let calls = self.sum.calls;
        calls >= needed.max(1) && u64::from(hits) * 100 >= u64::from(calls) * u64::from(percent)
    }

    fn step(&self, now: Duration) -> u128 {
        match self.window {
            Window::Count(_) => 0,
            Window::Time(span) => now.as_nanos() * u128::from(STEPS) / span.as_nanos().max(1),
        }
    }

    fn forget_old(&mut self, newest: u128) {
        while self.buckets.front().is_some_and(|oldest| self.is_outside(*oldest, newest)) {
            if let Some(gone) = self.buckets.pop_front() {
                self.sum.minus(gone);
            }
        }
    }

    fn is_outside(&self, oldest: Bucket, newest: u128) -> bool {
        match self.window {
            Window::Count(size) => self.sum.calls > size,
            Window::Time(_) => oldest.step + u128::from(STEPS) <= newest,
        }
    }
}

impl Bucket {
    fn plus(&mut self, other: Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
    }

    fn minus(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}
