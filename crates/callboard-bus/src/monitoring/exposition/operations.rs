//! Figures of calls, of retries, and of the breakers of operations.

use callboard_actor::BreakerState;

use super::details::OperationDetails;
use super::family::{Family, Group, Series};
use crate::monitoring::Metrics;
use crate::operation::{CallCounts, Durations};

pub(super) fn families(metrics: &Metrics) -> Vec<Family<'_>> {
    vec![
        calls(metrics),
        durations(metrics),
        retries(metrics),
        retries_refused(metrics),
        breaker_state(metrics),
        breaker_transitions(metrics),
        breaker_rejected(metrics),
        failure_ratio(metrics),
        slow_ratio(metrics),
    ]
}

fn calls(metrics: &Metrics) -> Family<'_> {
    let help =
        "Attempts of calls by what became of them; those that a breaker, a rate or the gate rejected have not begun";
    let groups = metrics.details.operations.iter().map(|operation| {
        let outcomes = outcomes(&operation.status.counts).into_iter();
        let series = outcomes.map(|(outcome, count)| Series::labelled("outcome", outcome, count as f64));
        Group { owner: both_names(operation), series: series.collect() }
    });
    Family::counter("callboard_api_calls_total", help, groups)
}

const fn outcomes(counts: &CallCounts) -> [(&'static str, u64); 6] {
    [
        ("succeeded", counts.succeeded),
        ("transient", counts.transient),
        ("unknown", counts.unknown),
        ("permanent", counts.permanent),
        ("abandoned", counts.abandoned),
        ("rejected", counts.rejected),
    ]
}

fn durations(metrics: &Metrics) -> Family<'_> {
    let help = "How long attempts of calls took that were timed: the first 64 of an operation in each tick, and one in 64 of the others";
    let timed = metrics.details.operations.iter().filter_map(|operation| Some((operation, operation.durations?)));
    let groups =
        timed.map(|(operation, durations)| Group { owner: both_names(operation), series: histogram(&durations) });
    Family::histogram("callboard_api_call_duration_seconds", help, groups)
}

fn histogram(durations: &Durations) -> Vec<Series> {
    let bucket = |bound: String, count: u64| Series::labelled("le", bound, count as f64).suffixed("_bucket");
    let within = durations.within().map(|(bound, count)| bucket(bound.as_secs_f64().to_string(), count));
    let all = [
        bucket("+Inf".to_owned(), durations.timed()),
        Series::plain(durations.sum().as_secs_f64()).suffixed("_sum"),
        Series::plain(durations.timed() as f64).suffixed("_count"),
    ];
    within.chain(all).collect()
}

fn retries(metrics: &Metrics) -> Family<'_> {
    let help = "Attempts of calls that were not the first of their call";
    let groups = of_each(metrics, |operation| operation.status.counts.retried as f64);
    Family::counter("callboard_retries_total", help, groups)
}

fn retries_refused(metrics: &Metrics) -> Family<'_> {
    let help = "Retries that the budget of the operation did not allow";
    let groups = of_each(metrics, |operation| operation.retries_refused as f64);
    Family::counter("callboard_retry_budget_exhausted_total", help, groups)
}

fn of_each(metrics: &Metrics, value: impl Fn(&OperationDetails) -> f64) -> impl Iterator<Item = Group<'_>> {
    metrics.details.operations.iter().map(move |operation| Group::one(both_names(operation), value(operation)))
}

const STATES: [BreakerState; 6] = [
    BreakerState::Closed,
    BreakerState::Open,
    BreakerState::HalfOpen,
    BreakerState::ForcedOpen,
    BreakerState::Disabled,
    BreakerState::MetricsOnly,
];

fn breaker_state(metrics: &Metrics) -> Family<'_> {
    let help = "1 for the state that the breaker of the operation is in, 0 for the others";
    let groups = guarded(metrics).map(|(operation, now)| {
        let series = STATES.map(|state| Series::labelled("state", state.as_str(), f64::from(u8::from(state == now))));
        Group { owner: name(operation), series: series.into() }
    });
    Family::gauge("callboard_circuit_breaker_state", help, groups)
}

fn breaker_transitions(metrics: &Metrics) -> Family<'_> {
    let help = "How often the breaker of the operation has changed its state";
    let groups =
        guarded(metrics).map(|(operation, _)| Group::one(name(operation), operation.status.transitions as f64));
    Family::counter("callboard_circuit_breaker_transitions_total", help, groups)
}

fn breaker_rejected(metrics: &Metrics) -> Family<'_> {
    let help = "Attempts of calls that the breaker of the operation did not let through since it has its rules";
    let rejected = |operation: &OperationDetails| operation.status.breaker_totals.rejected as f64;
    let groups = guarded(metrics).map(|(operation, _)| Group::one(name(operation), rejected(operation)));
    Family::counter("callboard_circuit_breaker_rejected_total", help, groups)
}

/// Those that have a breaker, and its state.
fn guarded(metrics: &Metrics) -> impl Iterator<Item = (&OperationDetails, BreakerState)> {
    metrics.details.operations.iter().filter_map(|operation| Some((operation, operation.status.breaker?)))
}

fn failure_ratio(metrics: &Metrics) -> Family<'_> {
    let help = "The share of failed calls, from 0 to 1, among those that the breaker of the operation looks at by its rule about failures";
    let groups = shares(metrics, |operation| operation.status.failure_rate);
    Family::share("callboard_circuit_breaker_failure_ratio", help, groups)
}

fn slow_ratio(metrics: &Metrics) -> Family<'_> {
    let help = "The share of slow calls, from 0 to 1, among those that the breaker of the operation looks at by its rule about slow ones";
    let groups = shares(metrics, |operation| operation.status.slow_rate);
    Family::share("callboard_circuit_breaker_slow_ratio", help, groups)
}

fn shares(metrics: &Metrics, share: impl Fn(&OperationDetails) -> Option<f64>) -> impl Iterator<Item = Group<'_>> {
    let operations = metrics.details.operations.iter();
    operations.filter_map(move |operation| Some(Group::one(name(operation), share(operation)?)))
}

fn both_names(operation: &OperationDetails) -> Vec<(&'static str, &str)> {
    vec![("module", operation.module()), ("operation", operation.address())]
}

fn name(operation: &OperationDetails) -> Vec<(&'static str, &str)> {
    vec![("operation", operation.address())]
}
