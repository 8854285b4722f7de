//! How long turns take: a histogram of a system.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::Nanos;
use crate::sync::Mutex;

/// Two digits are kept, so a percentile is exact to one percent.
const DIGITS: u8 = 2;

/// The durations of sampled turns, or of all.
#[derive(Debug)]
pub(crate) struct TurnTimes(Mutex<Option<Histogram<u64>>>);

impl TurnTimes {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn record(&self, took: Nanos) {
        let mut histogram = self.0.lock();
        if histogram.is_none() {
            *histogram = Histogram::new(DIGITS).ok();
        }
        if let Some(histogram) = &mut *histogram {
            // It grows as needed; what even that cannot hold is left out.
            let _ = histogram.record(took.max(1));
        }
    }

    /// How many were timed, and the median and the 99th percentile.
    pub(crate) fn summary(&self) -> (u64, Duration, Duration) {
        let histogram = self.0.lock();
        let at = |quantile| histogram.as_ref().map_or(0, |histogram| histogram.value_at_quantile(quantile));
        let count = histogram.as_ref().map_or(0, |histogram| histogram.len());
        (count, Duration::from_nanos(at(0.5)), Duration::from_nanos(at(0.99)))
    }
}
