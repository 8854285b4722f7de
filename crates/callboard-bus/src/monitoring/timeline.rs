//! The figures as they were: a [`Sample`] a second, in a ring that is bounded in time. Pure.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::figures::Figures;
use super::views::{millis, moment};

/// Samples are no closer than this.
const PERIOD: Duration = Duration::from_secs(1);
/// They are kept for so long, unless it is said otherwise.
const KEPT: Duration = Duration::from_secs(3600);
/// Rates are reckoned over so long a time.
const WINDOW: Duration = Duration::from_secs(10);

/// The figures of a moment; the counts are those since the start of the system.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// When, by the clock of the system.
    #[serde(serialize_with = "moment")]
    pub at: SystemTime,
    /// How long a call took on average so far.
    #[serde(rename = "average_processing_time_ms", serialize_with = "millis")]
    pub average_processing_time: Option<Duration>,
    /// Calls that have failed.
    pub calls_failed: u64,
    /// Breakers that let nothing through but probes.
    pub circuit_breakers_open: usize,
    /// Events published.
    pub events_published: u64,
    /// Messages processed.
    pub messages_processed: u64,
    /// Messages in the queues of channels, batches and functions.
    pub messages_queued: usize,
    /// Messages sent.
    pub messages_sent: u64,
    /// Runs of workflows that go on.
    pub workflows_active: u64,
    /// Runs of workflows that were started.
    pub workflows_started: u64,
}

impl Sample {
    pub(super) fn new(at: SystemTime, figures: &Figures) -> Self {
        Self {
            at,
            average_processing_time: figures.calls.mean(),
            calls_failed: super::calls::failed(&figures.calls.counts),
            circuit_breakers_open: figures.open_breakers.len(),
            events_published: figures.events.published,
            messages_processed: figures.messages_processed(),
            messages_queued: figures.queued,
            messages_sent: figures.messages_sent(),
            workflows_active: figures.workflows.active,
            workflows_started: figures.workflows.started,
        }
    }
}

/// Samples in their order. As they are at least [`PERIOD`] apart, their time bounds their number.
#[derive(Debug)]
pub(super) struct Timeline {
    samples: VecDeque<Sample>,
    kept: Duration,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { samples: VecDeque::new(), kept: KEPT }
    }
}

impl Timeline {
    /// Whether a sample of this moment is wanted.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        self.samples.back().is_none_or(|last| since(last, now) >= PERIOD)
    }

    pub(super) fn add(&mut self, sample: Sample) {
        let now = sample.at;
        self.samples.push_back(sample);
        self.forget(now);
    }

    /// Keeps samples for so long from now on.
    pub(super) fn keep(&mut self, time: Duration) {
        self.kept = time;
        if let Some(last) = self.samples.back() {
            self.forget(last.at);
        }
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// How much a count has grown a second, over the last 10 s. Nothing while there are not two samples.
    pub(super) fn rate(&self, count: impl Fn(&Sample) -> u64) -> Option<f64> {
        let last = self.samples.back()?;
        let first = self.samples.iter().rev().take_while(|sample| since(sample, last.at) <= WINDOW).last()?;
        let span = since(first, last.at).as_secs_f64();
        (span > 0.0).then(|| count(last).saturating_sub(count(first)) as f64 / span)
    }

    fn forget(&mut self, now: SystemTime) {
        while self.samples.front().is_some_and(|first| since(first, now) >= self.kept) {
            self.samples.pop_front();
        }
    }
}

fn since(sample: &Sample, now: SystemTime) -> Duration {
    now.duration_since(sample.at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    /// One a second, each with as many messages as seconds.
    fn timeline(seconds: u64) -> Timeline {
        let mut timeline = Timeline::default();
        for second in 0..seconds {
            let sample = Sample::new(at(second), &Figures::default());
            timeline.add(Sample { messages_sent: 3 * second, ..sample });
        }
        timeline
    }

    /// F-MET-03: an hour at a sample a second.
    #[test]
    fn it_is_bounded() {
        let mut timeline = timeline(10_000);
        assert_eq!(timeline.samples().count(), 3_600);
        assert_eq!(timeline.samples().next().map(|sample| sample.at), Some(at(6_400)));
        timeline.keep(Duration::from_secs(60));
        assert_eq!(timeline.samples().count(), 60);
    }

    #[test]
    fn a_sample_is_due_a_second_after_the_last() {
        let timeline = timeline(1);
        assert!(Timeline::default().is_due(at(0)) && timeline.is_due(at(1)));
        assert!(!timeline.is_due(at(0) + Duration::from_millis(999)));
    }

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        assert_eq!(timeline(0).rate(|sample| sample.messages_sent), None);
        assert_eq!(timeline(1).rate(|sample| sample.messages_sent), None);
        let mut timeline = timeline(100);
        assert_eq!(timeline.rate(|sample| sample.messages_sent), Some(3.0));
        let last = timeline.samples.back().cloned().unwrap();
        (100..110).for_each(|second| timeline.add(Sample { at: at(second), ..last.clone() }));
        assert_eq!(timeline.rate(|sample| sample.messages_sent), Some(0.0));
    }
}
