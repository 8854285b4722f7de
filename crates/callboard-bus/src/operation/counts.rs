//! What becomes of the calls of one operation, in numbers: [`CallCounts`].

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;

use super::durations::Durations;
use super::latencies::Latencies;
use super::quota::Quota;
use crate::retry::FailureClass;
use crate::time;

/// The attempts of calls of an operation since it was first registered, and what became of them. Every attempt that has
/// begun is under way or in exactly one of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallCounts {
    /// Attempts that were let through.
    pub begun: u64,
    /// Those that are under way.
    pub in_flight: u64,
    /// Those that brought an output.
    pub succeeded: u64,
    /// Those that failed in a way that may pass.
    pub transient: u64,
    /// Those of which nobody knows whether they were carried out.
    pub unknown: u64,
    /// Those that would fail again in the same way.
    pub permanent: u64,
    /// Those whose caller did not wait for the end.
    pub abandoned: u64,
    /// Attempts that the breaker or the rate did not let through, and calls that the gate did not; they have not begun.
    pub rejected: u64,
    /// How many of all attempts were not the first of their call.
    pub retried: u64,
}

/// How long calls take, of the first 64 between two ticks of the maintenance and of one in 64 of the others. Nothing where none
/// was timed yet. The mean is exact; the others are never too small, and at most an eighth too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallTimes {
    /// How many were timed.
    pub timed: u64,
    /// The mean.
    #[serde(serialize_with = "time::serialize_rounded")]
    pub mean: Option<Duration>,
    /// Half of them took no longer.
    #[serde(serialize_with = "time::serialize_rounded")]
    pub p50: Option<Duration>,
    /// 95 % of them took no longer.
    #[serde(serialize_with = "time::serialize_rounded")]
    pub p95: Option<Duration>,
    /// 99 % of them took no longer.
    #[serde(serialize_with = "time::serialize_rounded")]
    pub p99: Option<Duration>,
}

/// The numbers while they count.
#[derive(Debug, Default)]
pub(super) struct Counts {
    begun: AtomicU64,
    succeeded: AtomicU64,
    transient: AtomicU64,
    unknown: AtomicU64,
    permanent: AtomicU64,
    abandoned: AtomicU64,
    rejected: AtomicU64,
    retried: AtomicU64,
    times: Latencies,
    quota: Quota,
}

impl Counts {
    /// True for those that are to be timed.
    #[inline]
    pub(super) fn begin(&self, tick: u32) -> bool {
        self.begun.fetch_add(1, Relaxed).is_multiple_of(64) | self.quota.take(tick)
    }

    #[inline]
    pub(super) fn succeed(&self) {
        self.succeeded.fetch_add(1, Relaxed);
    }

    pub(super) fn fail(&self, class: FailureClass) {
        let count = match class {
            FailureClass::Transient => &self.transient,
            FailureClass::Unknown => &self.unknown,
            FailureClass::Permanent => &self.permanent,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn abandon(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }

    pub(super) fn reject(&self) {
        self.rejected.fetch_add(1, Relaxed);
    }

    pub(super) fn retry(&self) {
        self.retried.fetch_add(1, Relaxed);
    }

    pub(super) fn time(&self, took: Duration) {
        self.times.note(took);
    }

    pub(super) fn times(&self) -> CallTimes {
        self.times.read()
    }

    pub(super) fn durations(&self) -> Option<Durations> {
        self.times.durations()
    }

    /// What has ended is read first, so that no call is seen to end before it began.
    pub(super) fn read(&self) -> CallCounts {
        let ended = [&self.succeeded, &self.transient, &self.unknown, &self.permanent, &self.abandoned];
        let [succeeded, transient, unknown, permanent, abandoned] = ended.map(|count| count.load(Relaxed));
        let (rejected, retried, begun) =
            (self.rejected.load(Relaxed), self.retried.load(Relaxed), self.begun.load(Relaxed));
        let in_flight = begun.saturating_sub(succeeded + transient + unknown + permanent + abandoned);
        CallCounts { begun, in_flight, succeeded, transient, unknown, permanent, abandoned, rejected, retried }
    }
}
