//! Figures for Prometheus: [`Exposition`]. Pure, but for where [`Details`] are read: it is written from [`Metrics`] as they are.

mod details;
mod family;
mod messages;
mod operations;
mod text;
mod upkeep;

use std::fmt;

pub(super) use self::details::Details;
use self::family::Family;
use super::Metrics;

/// All figures of a moment in the text format of Prometheus, version 0.0.4, under names that stay the same. As text it is what a
/// program answers whoever asks it for `/metrics`:
///
/// ```
/// # use callboard_actor::{Drain, System, block_on};
/// use callboard_bus::monitoring::Exposition;
/// use callboard_bus::{EventsExt, MonitoringExt, Value};
///
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// system.publish("order.made", Value::Null).await?;
///
/// let metrics = system.monitoring().metrics();
/// let (head, body) = (Exposition::CONTENT_TYPE, metrics.exposition().to_string());
/// assert!(head.starts_with("text/plain"));
/// assert!(body.contains("\n# TYPE callboard_messages_unrouted_total counter\ncallboard_messages_unrouted_total 1\n"));
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// The table of all names, types and labels is `docs/metrics.md` of the project. What a *message* is, and when it is processed, is
/// said at the head of [`monitoring`](crate::monitoring).
///
/// # What holds for all of them
///
/// - A figure that is not known is left out, and so is a family of which none is: the breakers of operations that have none,
///   workflows where there are none, and the age of the oldest dead letter where there is no dead letter.
/// - Labels have what is registered: modules, operations and channels, and words of which there are few. The names of events are in
///   none. `operation` is `module.operation`, as everywhere.
/// - A family has at most 1,000 series. When there are more, those that come last by name are one, which has `other` in place of
///   each name; ratios, which have no sum, are left out then.
/// - What goes takes its series along, and begins anew when it is registered again. Figures without a label go on.
///
/// # What is not there
///
/// Nothing is counted yet of `callboard_message_duration_seconds` and `callboard_message_queue_wait_seconds` (turns are timed, but not
/// summed up, and not by module), `callboard_event_store_append_duration_seconds`, `callboard_event_store_bytes`,
/// `callboard_panics_total` (they are among all faults), `callboard_workflow_step_duration_seconds`, `callboard_auth_decisions_total`,
/// `callboard_rate_limited_total` (they are among all rejections), `callboard_tokens_active`,
/// `callboard_audit_write_errors_total` and `callboard_trace_dropped_total`.
///
/// Messages and restarts are counted for the whole system: by module there are the calls, and by channel what waits. The breakers here are
/// those of operations; those of actors are in the [health report](super::HealthReport).
#[derive(Clone, Copy, Debug)]
pub struct Exposition<'m>(&'m Metrics);

impl Exposition<'_> {
    /// What HTTP calls this format.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";
}

impl Metrics {
    /// All of them in the text format of Prometheus.
    #[must_use]
    pub const fn exposition(&self) -> Exposition<'_> {
        Exposition(self)
    }
}

impl fmt::Display for Exposition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        families(self.0).iter().try_for_each(|family| family.fmt(f))
    }
}

/// Always in the same order.
fn families(metrics: &Metrics) -> Vec<Family<'_>> {
    [messages::families(metrics), operations::families(metrics), upkeep::families(metrics)].concat()
}
