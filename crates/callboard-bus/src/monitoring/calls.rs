//! The calls of many operations as one: [`CallFigures`]. Pure, but for where it reads an operation.

use std::time::Duration;

use crate::operation::{CallCounts, CallTimes, OperationState};

/// Sums over operations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallFigures {
    pub(super) counts: CallCounts,
    /// Of each operation its mean times the calls that it stands for, in nanoseconds.
    nanos: f64,
    /// The calls that the means stand for.
    weight: f64,
}

impl CallFigures {
    pub(super) fn of(state: &OperationState) -> Self {
        let status = state.status();
        Self::new(status.counts, status.times)
    }

    pub(super) fn new(counts: CallCounts, times: CallTimes) -> Self {
        let weight = times.mean.map_or(0.0, |_| ended(&counts) as f64);
        Self { counts, nanos: weight * times.mean.unwrap_or_default().as_nanos() as f64, weight }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let (sum, more) = (&mut self.counts, &other.counts);
        sum.begun += more.begun;
        sum.in_flight += more.in_flight;
        sum.succeeded += more.succeeded;
        sum.transient += more.transient;
        sum.unknown += more.unknown;
        sum.permanent += more.permanent;
        sum.abandoned += more.abandoned;
        sum.rejected += more.rejected;
        sum.retried += more.retried;
        self.nanos += other.nanos;
        self.weight += other.weight;
    }

    /// The share of the ended calls that brought an output, from 0 to 1; nothing while none has ended.
    pub(super) fn success_rate(&self) -> Option<f64> {
        let ended = ended(&self.counts);
        (ended > 0).then(|| self.counts.succeeded as f64 / ended as f64)
    }

    /// How long a call takes on average; nothing while none was timed.
    pub(super) fn mean(&self) -> Option<Duration> {
        (self.weight > 0.0).then(|| Duration::from_nanos((self.nanos / self.weight) as u64))
    }
}

/// The calls that brought an output or failed.
pub(super) fn ended(counts: &CallCounts) -> u64 {
    counts.succeeded + failed(counts)
}

pub(super) fn failed(counts: &CallCounts) -> u64 {
    counts.transient + counts.unknown + counts.permanent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(succeeded: u64, permanent: u64, mean: Option<u64>) -> CallFigures {
        let counts = CallCounts { begun: succeeded + permanent, succeeded, permanent, ..CallCounts::default() };
        let mean = mean.map(Duration::from_millis);
        CallFigures::new(counts, CallTimes { mean, ..CallTimes::default() })
    }

    #[test]
    fn each_operation_counts_as_often_as_it_is_called() {
        let mut all = CallFigures::default();
        assert_eq!((all.success_rate(), all.mean()), (None, None));
        for one in [figures(9, 0, Some(10)), figures(0, 1, Some(110)), figures(0, 10, None)] {
            all.add(&one);
        }
        assert_eq!((all.success_rate(), all.mean()), (Some(0.45), Some(Duration::from_millis(20))));
        assert_eq!((all.counts.begun, all.counts.permanent), (20, 11));
    }
}
