//! Two views of the same figures: [`CommunicationMetrics`], flat and in snake case, and [`PerformanceMetrics`], by part and in
//! Pascal case. Their fields are in the order of their keys, so JSON is the same each time.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use super::timeline::Sample;
use crate::time;

/// How communication goes, in eight figures. As text it is indented JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CommunicationMetrics {
    /// Runs of workflows that go on.
    pub active_workflows: u64,
    /// How long a call takes on average, in milliseconds; nothing before the first one.
    pub average_processing_time_ms: Option<f64>,
    /// Operations `module.operation` whose breakers let nothing through but probes, and modules whose actors' do, by name.
    pub circuit_breakers_open: Vec<String>,
    /// Events published, those that nobody wanted included.
    pub events_published: u64,
    /// Messages that were processed, see [`monitoring`](crate::monitoring).
    pub messages_processed: u64,
    /// Messages that were sent.
    pub messages_sent: u64,
    /// The share of the calls that brought an output among those that have ended, from 0 to 1; nothing before the first one.
    pub success_rate: Option<f64>,
    /// Runs of workflows that were started.
    pub workflows_started: u64,
}

/// How communication goes, part by part. As text it is indented JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PerformanceMetrics {
    /// Calls by name.
    #[serde(rename = "API")]
    pub api: ApiMetrics,
    /// The figures as they were, oldest first, where that was asked for.
    #[serde(rename = "History", skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Sample>>,
    /// Channels and events.
    #[serde(rename = "MessageBus")]
    pub message_bus: BusMetrics,
    /// Times.
    #[serde(rename = "Performance")]
    pub performance: TimeMetrics,
}

/// Calls by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ApiMetrics {
    /// The calls that ended last, the newest first.
    pub recent_calls: Vec<RecentApi>,
    /// The calls that brought an output, in percent of those that have ended; nothing before the first one.
    pub success_rate: Option<f64>,
    /// The operations that are called most.
    #[serde(rename = "TopAPIs")]
    pub top_apis: Vec<TopApi>,
    /// How many operations are registered.
    #[serde(rename = "TotalAPIs")]
    pub total_apis: usize,
    /// How many calls have begun.
    pub total_calls: u64,
}

/// Channels and events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BusMetrics {
    /// How many messages wait in the queues of channels, batches and functions.
    pub queued_messages: usize,
    /// How many channels there are.
    pub total_channels: usize,
    /// How many events were published.
    pub total_events: u64,
}

/// Times.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TimeMetrics {
    /// How long a call takes on average, in milliseconds; nothing before the first one.
    #[serde(rename = "AverageAPIExecutionTime")]
    pub average_api_execution_time: Option<f64>,
}

/// An operation and its calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TopApi {
    /// How long a call takes on average, in milliseconds; nothing before the first one.
    pub average_execution_time: Option<f64>,
    /// How many have begun.
    pub call_count: u64,
    /// How many have failed.
    pub error_count: u64,
    /// `module.operation`.
    pub name: String,
}

/// A call that has ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RecentApi {
    /// `module.operation`.
    #[serde(rename = "API")]
    pub api: String,
    /// How long it took, in milliseconds; nothing where it was not timed.
    #[serde(serialize_with = "millis")]
    pub duration: Option<Duration>,
    /// Why it failed, in words.
    pub error: Option<String>,
    /// When it began.
    #[serde(serialize_with = "moment")]
    pub start_time: SystemTime,
    /// Whether it brought an output.
    pub success: bool,
}

impl fmt::Display for CommunicationMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self, f)
    }
}

impl fmt::Display for PerformanceMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self, f)
    }
}

/// Indented, the keys sorted.
pub(super) fn write_json(view: &impl Serialize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = serde_json::to_string_pretty(view).map_err(|_| fmt::Error)?;
    f.write_str(&text)
}

pub(super) fn in_millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

pub(super) fn millis<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(in_millis).serialize(serializer)
}

pub(super) fn moment<S: Serializer>(moment: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time::show_moment(*moment))
}
