//! How many calls took how long, by bounds that are few enough to be shown: [`Durations`]. Pure.

use std::time::Duration;

use super::latencies::bucket;

/// Each bound is the end of a bucket of the histogram that they are counted in, so nothing here is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Durations {
    /// How many took no longer than each bound.
    within: [u64; BOUNDS.len()],
    timed: u64,
    sum: Duration,
}

/// The bounds are right below these powers of two, in nanoseconds: from 4 µs to 69 s, each four times as long as the one before.
const BOUNDS: [u32; 13] = [12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36];

impl Durations {
    /// From how many fell into each bucket, and from how long all took together.
    pub(super) fn new(counts: &[u64], nanos: u64) -> Self {
        let within = BOUNDS.map(|power| counts[..=bucket(bound(power))].iter().sum());
        Self { within, timed: counts.iter().sum(), sum: Duration::from_nanos(nanos) }
    }

    /// How many took no longer than each bound, the shortest first.
    pub(crate) fn within(&self) -> impl Iterator<Item = (Duration, u64)> {
        BOUNDS.into_iter().map(|power| Duration::from_nanos(bound(power))).zip(self.within)
    }

    /// All of them.
    pub(crate) const fn timed(&self) -> u64 {
        self.timed
    }

    /// How long they took together.
    pub(crate) const fn sum(&self) -> Duration {
        self.sum
    }
}

/// The largest number below a power of two.
const fn bound(power: u32) -> u64 {
    (1 << power) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::latencies::Latencies;
    use super::*;

    proptest! {
        /// F-MET-13: what is shown of how long calls take is counted and not estimated.
        #[test]
        fn they_are_those_of_the_list(powers in prop::collection::vec((0_u32..40, 0_u64..2), 1..200)) {
            // Right below a power of two, or the power itself.
            let times: Vec<_> = powers.iter().map(|(power, more)| Duration::from_nanos(bound(*power) + more)).collect();
            let latencies = Latencies::default();
            times.iter().for_each(|time| latencies.note(*time));
            let durations = latencies.durations().expect("some were timed");
            for (bound, found) in durations.within() {
                let exact = times.iter().filter(|time| **time <= bound).count();
                prop_assert_eq!(found, exact as u64, "{:?}", bound);
            }
            prop_assert_eq!((durations.timed(), durations.sum()), (times.len() as u64, times.iter().sum()));
        }
    }
}
