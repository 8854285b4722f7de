//! Figures of messages, of what waits, and of events.

use std::collections::BTreeMap;

use super::family::{Family, Group, Series};
use crate::dead_letter_queue::LetterReason;
use crate::monitoring::{Metrics, QueueStatus};

pub(super) fn families(metrics: &Metrics) -> Vec<Family<'_>> {
    vec![
        sent(metrics),
        processed(metrics),
        expired(metrics),
        unrouted(metrics),
        rejected(metrics),
        in_flight(metrics),
        queue_depth(metrics),
        filter_errors(metrics),
        events_published(metrics),
        events_kept(metrics),
    ]
}

fn sent(metrics: &Metrics) -> Family<'_> {
    let help = "Attempts of calls by name, messages by name, and events for each subscription that wants them";
    Family::total("callboard_messages_sent_total", help, metrics.messages_sent())
}

fn processed(metrics: &Metrics) -> Family<'_> {
    let help = "Calls that brought an output, messages by name that were taken, and events that were delivered";
    Family::total("callboard_messages_processed_total", help, metrics.messages_processed())
}

/// Each of them is a letter, whether it has expired in a queue of the bus or in a mailbox.
fn expired(metrics: &Metrics) -> Family<'_> {
    let help = "Events and messages by name whose time to live was over before they were handled";
    let expired = metrics.details.letters.added.get(&LetterReason::Expired).copied().unwrap_or_default();
    Family::total("callboard_messages_expired_total", help, expired)
}

fn unrouted(metrics: &Metrics) -> Family<'_> {
    let help = "Events that no subscription wanted";
    Family::total("callboard_messages_unrouted_total", help, metrics.events.unrouted)
}

/// None of them is among those that were sent.
fn rejected(metrics: &Metrics) -> Family<'_> {
    let help = "Events that a channel refused, attempts that a breaker, a rate or the gate refused, and calls that could not be made";
    let rejected = metrics.events.rejected + metrics.calls.rejected + metrics.misdirected_calls;
    Family::total("callboard_messages_rejected_total", help, rejected)
}

/// By module; that of deliveries of events is empty, as they are counted for all subscriptions together.
fn in_flight(metrics: &Metrics) -> Family<'_> {
    let help = "Attempts of calls that have not ended, by module, and deliveries of events that have not, without one";
    let mut calls: BTreeMap<&str, u64> = BTreeMap::from([("", metrics.events.in_flight)]);
    for operation in &metrics.details.operations {
        *calls.entry(operation.module()).or_default() += operation.status.counts.in_flight;
    }
    let groups = calls.into_iter().map(|(module, calls)| Group::one(vec![("module", module)], calls as f64));
    Family::gauge("callboard_messages_in_flight", help, groups)
}

fn queue_depth(metrics: &Metrics) -> Family<'_> {
    let help = "Messages that wait: on a channel, in the mailboxes of a module, or elsewhere";
    let queues = &metrics.details.queues;
    let elsewhere = [waiting("", "", &queues.elsewhere)];
    let channels = queues.channels.iter().map(|(channel, sizes)| waiting(channel, "", sizes));
    let modules = queues.modules.iter().map(|(module, sizes)| waiting("", module, sizes));
    Family::gauge("callboard_queue_depth", help, elsewhere.into_iter().chain(channels).chain(modules))
}

fn waiting<'m>(channel: &'m str, module: &'m str, sizes: &QueueStatus) -> Group<'m> {
    let series = sizes.iter().map(|(priority, size)| Series::labelled("priority", priority.as_str(), size as f64));
    Group { owner: vec![("channel", channel), ("module", module)], series: series.collect() }
}

fn filter_errors(metrics: &Metrics) -> Family<'_> {
    let help = "Filters of subscriptions that panicked or did not fit the event";
    Family::total("callboard_filter_errors_total", help, metrics.events.filter_errors)
}

fn events_published(metrics: &Metrics) -> Family<'_> {
    let help = "Events that were published, those that nobody wanted included";
    Family::total("callboard_events_published_total", help, metrics.events.published)
}

fn events_kept(metrics: &Metrics) -> Family<'_> {
    let help = "Events that are kept";
    let group = Group::one(vec![("store", "memory")], metrics.details.kept_events as f64);
    Family::gauge("callboard_event_store_events", help, [group])
}
