//! The calls that a rate is taken over: the last so many, or those of the last so long.

use std::collections::VecDeque;
use std::time::Duration;

use super::rules::{Trip, Window};

/// A time window moves in so many steps.
const STEPS: u32 = 10;

/// Calls of one step of a time window, or a single call of a count window.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    step: u128,
    calls: u32,
    hits: u32,
}

/// What one rule has seen in its window: calls, and among them the hits that it looks for.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    window: Window,
    percent: u8,
    minimum: u32,
    /// A hit is a call that took longer than this; without it, one that failed.
    longer_than: Option<Duration>,
    buckets: VecDeque<Bucket>,
    sum: Bucket,
}

impl Samples {
    /// The samples that this rule needs, if any.
    pub(super) fn of(trip: &Trip) -> Option<Self> {
        let (longer_than, percent, window, minimum) = match *trip {
            Trip::Rate { percent, window, minimum } => (None, percent, window, minimum),
            Trip::Slow { longer_than, percent, window, minimum } => (Some(longer_than), percent, window, minimum),
            Trip::Intensity | Trip::Consecutive(_) => return None,
        };
        let (buckets, sum) = (VecDeque::new(), Bucket::default());
        Some(Self { window, percent, minimum, longer_than, buckets, sum })
    }

    pub(super) fn add(&mut self, failed: bool, took: Duration, now: Duration) {
        let is_hit = self.longer_than.map_or(failed, |limit| took > limit);
        let call = Bucket { step: self.step(now), calls: 1, hits: is_hit.into() };
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

    /// Whether the share of hits is reached. A count window never holds more calls than it is long, so a larger minimum
    /// is cut to that.
    pub(super) fn is_met(&self) -> bool {
        let needed = if let Window::Count(size) = self.window { self.minimum.min(size) } else { self.minimum };
        let Bucket { calls, hits, .. } = self.sum;
        calls >= needed.max(1) && u64::from(hits) * 100 >= u64::from(calls) * u64::from(self.percent)
    }

    /// Whether its hits are calls that took long.
    pub(super) fn is_of_slow(&self) -> bool {
        self.longer_than.is_some()
    }

    /// The share of hits among the calls that are in the window now, from 0 to 1; nothing where there is no call.
    pub(super) fn rate(&self, now: Duration) -> Option<f64> {
        let (mut inside, newest) = (self.sum, self.step(now));
        let gone = self.buckets.iter().take_while(|oldest| self.is_outside(**oldest, newest));
        gone.for_each(|bucket| inside.minus(*bucket));
        (inside.calls > 0).then(|| f64::from(inside.hits) / f64::from(inside.calls))
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
        self.hits += other.hits;
    }

    fn minus(&mut self, other: Self) {
        self.calls -= other.calls;
        self.hits -= other.hits;
    }
}
