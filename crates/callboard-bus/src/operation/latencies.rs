//! How long calls take, as a histogram with buckets that grow: eight to each power of two, so that what is read is never
//! too small, and at most an eighth too large. The idea is that of HdrHistogram; the buckets here are counted by many threads at
//! once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::counts::CallTimes;
use super::durations::Durations;

/// Buckets to a power of two, as a power of two.
const FINE: u32 = 3;
const BUCKETS: usize = (65 - FINE as usize) << FINE;

/// Made when the first call is timed, as most operations of a large system are called by nobody.
#[derive(Debug, Default)]
pub(crate) struct Latencies(std::sync::OnceLock<Box<Histogram>>);

#[derive(Debug)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Latencies {
    pub(crate) fn note(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let histogram = self.0.get_or_init(|| {
            Box::new(Histogram { buckets: std::array::from_fn(|_| AtomicU64::new(0)), nanos: AtomicU64::new(0) })
        });
        histogram.buckets[bucket(nanos)].fetch_add(1, Relaxed);
        histogram.nanos.fetch_add(nanos, Relaxed);
    }

    pub(crate) fn read(&self) -> CallTimes {
        let Some(histogram) = self.0.get() else { return CallTimes::default() };
        let counts = histogram.counts();
        let timed: u64 = counts.iter().sum();
        let at = |percent| quantile(&counts, timed, percent);
        let mean = histogram.nanos.load(Relaxed).checked_div(timed).map(Duration::from_nanos);
        CallTimes { timed, mean, p50: at(50), p95: at(95), p99: at(99) }
    }

    /// Nothing where none was timed yet.
    pub(crate) fn durations(&self) -> Option<Durations> {
        let histogram = self.0.get()?;
        let durations = Durations::new(&histogram.counts(), histogram.nanos.load(Relaxed));
        Some(durations).filter(|durations| durations.timed() > 0)
    }
}

impl Histogram {
    fn counts(&self) -> Vec<u64> {
        self.buckets.iter().map(|count| count.load(Relaxed)).collect()
    }
}

/// The upper end of the bucket below which so many percent of them are.
fn quantile(counts: &[u64], timed: u64, percent: u64) -> Option<Duration> {
    let rank = (timed * percent).div_ceil(100).max(1);
    let mut seen = 0;
    let bucket = counts.iter().position(|count| {
        seen += count;
        seen >= rank
    });
    bucket.map(|bucket| Duration::from_nanos(upper(bucket)))
}

/// The bucket that a number falls into.
pub(super) fn bucket(nanos: u64) -> usize {
    let Some(shift) = (u64::BITS - nanos.leading_zeros()).checked_sub(FINE + 1) else { return nanos as usize };
    ((shift as usize) << FINE) + (nanos >> shift) as usize
}

/// The largest number that falls into a bucket.
fn upper(bucket: usize) -> u64 {
    let fine = 1 << FINE;
    let Some(shift) = (bucket >> FINE).checked_sub(1) else { return bucket as u64 };
    let low = ((bucket & (fine - 1)) | fine) as u64;
    ((u128::from(low + 1) << shift) - 1).min(u128::from(u64::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_falls_into_the_bucket_that_ends_not_far_above_it(nanos in any::<u64>()) {
            let upper = upper(bucket(nanos));
            prop_assert!(upper >= nanos && (upper - nanos) as f64 <= nanos as f64 * 0.125);
            prop_assert!(nanos == 0 || super::upper(bucket(nanos) - 1) < nanos || bucket(nanos) == 0);
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_list(mut times in prop::collection::vec(0_u64..10_000_000, 1..200)) {
            let latencies = Latencies::default();
            times.iter().for_each(|time| latencies.note(Duration::from_nanos(*time)));
            times.sort_unstable();
            let read = latencies.read();
            for (percent, found) in [(50, read.p50), (95, read.p95), (99, read.p99)] {
                let exact = times[(times.len() * percent).div_ceil(100).max(1) - 1];
                prop_assert_eq!(found.map(|found| found.as_nanos() as u64), Some(upper(bucket(exact))));
            }
            prop_assert_eq!(read.mean, Some(Duration::from_nanos(times.iter().sum::<u64>() / times.len() as u64)));
        }
    }

    #[test]
    fn the_ends_of_the_range_have_their_buckets() {
        assert_eq!((bucket(0), upper(bucket(0))), (0, 0));
        assert_eq!((bucket(u64::MAX), upper(bucket(u64::MAX))), (BUCKETS - 1, u64::MAX));
        assert_eq!((Latencies::default().read(), Latencies::default().durations()), (CallTimes::default(), None));
    }
}
