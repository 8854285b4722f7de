//! All figures of a moment: [`Metrics`], of which both views are made.

use std::cmp::Reverse;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::calls::{CallFigures, failed};
use super::exposition::Details;
use super::recent::RecentCall;
use super::timeline::Sample;
use super::views::{
    ApiMetrics, BusMetrics, CommunicationMetrics, PerformanceMetrics, RecentApi, TimeMetrics, TopApi, in_millis,
    write_json,
};
use super::{Monitoring, QueueStatus, WorkflowCounts};
use crate::channel::ChannelInfo;
use crate::events::{EventCounts, EventsExt};
use crate::operation::{CallCounts, CallTimes};
use crate::operations::OperationStatus;

/// So many operations and so many calls are in a view.
const SHOWN: usize = 10;

/// All figures of a moment. They are read once, and both views and the [exposition](Self::exposition) are made of them, so these
/// never differ.
///
/// As text it is indented JSON: the two views and what is queued, with sorted keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// When, by the clock of the system.
    pub at: SystemTime,
    /// What became of all calls, those of operations that are not there any more included.
    pub calls: CallCounts,
    /// Calls that ended before an attempt could begin, as their name, their payload or their time-out was wrong.
    pub misdirected_calls: u64,
    /// How long a call takes on average; nothing before the first one.
    pub average_processing_time: Option<Duration>,
    /// Messages that were sent by name and taken.
    pub sent_by_name: u64,
    /// What became of all events.
    pub events: EventCounts,
    /// Runs of workflows.
    pub workflows: WorkflowCounts,
    /// Operations and modules whose breakers let nothing through but probes, by name.
    pub open_breakers: Vec<String>,
    /// The operations that are registered, by name.
    pub operations: Vec<OperationFigures>,
    /// The channels, by name.
    pub channels: Vec<ChannelInfo>,
    /// What waits in mailboxes and queues.
    pub queues: QueueStatus,
    /// The calls that ended last, the newest first.
    pub recent_calls: Vec<RecentCall>,
    /// The figures as they were, oldest first, where that was asked for.
    pub history: Option<Vec<Sample>>,
    /// What the exposition alone shows.
    pub(super) details: Details,
    messages: (u64, u64),
    queued: usize,
    /// When the system started.
    started: SystemTime,
}

/// How the calls of an operation have gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationFigures {
    /// `module.operation`.
    pub name: String,
    /// What became of them.
    pub counts: CallCounts,
    /// How long they took.
    pub times: CallTimes,
}

/// What makes an operation one of the top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopBy {
    /// How often it is called.
    #[default]
    Count,
    /// How long a call takes on average.
    Time,
    /// How often it fails.
    Errors,
}

impl Metrics {
    pub(super) fn read(monitoring: &Monitoring, history: Option<Vec<Sample>>) -> Self {
        let (system, figures) = (monitoring.system(), monitoring.figures());
        let messages = (figures.messages_sent(), figures.messages_processed());
        let details = Details::read(system, monitoring.has_workflows());
        Self {
            at: monitoring.moment(system.elapsed()),
            calls: figures.calls.counts,
            misdirected_calls: figures.misdirected,
            average_processing_time: figures.calls.mean(),
            sent_by_name: figures.sent_by_name,
            events: figures.events,
            workflows: figures.workflows,
            open_breakers: figures.open_breakers,
            operations: details.operations.iter().map(|operation| OperationFigures::of(&operation.status)).collect(),
            channels: system.channels().list(),
            queues: details.queues.total(),
            recent_calls: monitoring.recent_calls(usize::MAX),
            history,
            details,
            messages,
            queued: figures.queued,
            started: monitoring.moment(Duration::ZERO),
        }
    }

    /// Messages that were sent, see [`monitoring`](crate::monitoring).
    #[must_use]
    pub const fn messages_sent(&self) -> u64 {
        self.messages.0
    }

    /// Those of them that were processed.
    #[must_use]
    pub const fn messages_processed(&self) -> u64 {
        self.messages.1
    }

    /// The share of the calls that brought an output among those that have ended, from 0 to 1; nothing before the first one.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        CallFigures::new(self.calls, CallTimes::default()).success_rate()
    }

    /// The first so many operations; those that are equal are in the order of their names.
    #[must_use]
    pub fn top_operations(&self, by: TopBy, limit: usize) -> Vec<&OperationFigures> {
        let mut top: Vec<_> = self.operations.iter().collect();
        top.sort_by_key(|operation| Reverse(operation.rank(by)));
        top.truncate(limit);
        top
    }

    /// The flat view.
    #[must_use]
    pub fn communication(&self) -> CommunicationMetrics {
        CommunicationMetrics {
            active_workflows: self.workflows.active,
            average_processing_time_ms: self.average_processing_time.map(in_millis),
            circuit_breakers_open: self.open_breakers.clone(),
            events_published: self.events.published,
            messages_processed: self.messages_processed(),
            messages_sent: self.messages_sent(),
            success_rate: self.success_rate(),
            workflows_started: self.workflows.started,
        }
    }

    /// The view by part, with the ten operations that are called most and the last ten calls.
    #[must_use]
    pub fn performance(&self) -> PerformanceMetrics {
        let recent = self.recent_calls.iter().take(SHOWN).map(|call| self.show(call));
        PerformanceMetrics {
            api: ApiMetrics {
                recent_calls: recent.collect(),
                success_rate: self.success_rate().map(|rate| rate * 100.0),
                top_apis: self.top_operations(TopBy::Count, SHOWN).into_iter().map(TopApi::from).collect(),
                total_apis: self.operations.len(),
                total_calls: self.calls.begun,
            },
            history: self.history.clone(),
            message_bus: BusMetrics {
                queued_messages: self.queued,
                total_channels: self.channels.len(),
                total_events: self.events.published,
            },
            performance: TimeMetrics { average_api_execution_time: self.average_processing_time.map(in_millis) },
        }
    }

    fn show(&self, call: &RecentCall) -> RecentApi {
        RecentApi {
            api: call.operation.to_string(),
            duration: call.took,
            error: call.error.as_ref().map(|error| error.text.clone()),
            start_time: self.started + call.started,
            success: call.is_success(),
        }
    }
}

impl OperationFigures {
    fn of(status: &OperationStatus) -> Self {
        Self { name: status.descriptor.address.clone(), counts: status.counts, times: status.times }
    }

    /// How many of its calls have failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        failed(&self.counts)
    }

    fn rank(&self, by: TopBy) -> u128 {
        match by {
            TopBy::Count => self.counts.begun.into(),
            TopBy::Time => self.times.mean.unwrap_or_default().as_nanos(),
            TopBy::Errors => self.errors().into(),
        }
    }
}

impl From<&OperationFigures> for TopApi {
    fn from(operation: &OperationFigures) -> Self {
        Self {
            average_execution_time: operation.times.mean.map(in_millis),
            call_count: operation.counts.begun,
            error_count: operation.errors(),
            name: operation.name.clone(),
        }
    }
}

/// The keys of both views: those in Pascal case come first.
impl Serialize for Metrics {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape {
            #[serde(flatten)]
            performance: PerformanceMetrics,
            #[serde(flatten)]
            communication: CommunicationMetrics,
            queues: QueueStatus,
        }
        let (performance, communication) = (self.performance(), self.communication());
        // Through a map, which sorts the keys of the two.
        let shape = serde_json::to_value(Shape { performance, communication, queues: self.queues });
        shape.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self, f)
    }
}
