//! Figures of what looks after messages: restarts, dead letters, workflows, discovery, the audit, and the system itself.

use std::collections::BTreeMap;

use super::family::{Family, Group, Series};
use crate::dead_letter_queue::LetterReason;
use crate::discovery::CacheCounts;
use crate::monitoring::Metrics;

pub(super) fn families(metrics: &Metrics) -> Vec<Family<'_>> {
    let mut families = vec![
        restarts(metrics),
        letters(metrics),
        letters_added(metrics),
        letters_evicted(metrics),
        oldest_letter(metrics),
    ];
    families.extend(workflows(metrics));
    families.extend(discovery(metrics));
    families.extend([audit_records(metrics), build_info(), uptime(metrics)]);
    families
}

fn restarts(metrics: &Metrics) -> Family<'_> {
    let help = "New values that actors were given, because of a fault or because the one before had finished";
    Family::total("callboard_restarts_total", help, metrics.details.restarts)
}

fn letters(metrics: &Metrics) -> Family<'_> {
    let help = "Dead letters that are kept";
    Family::gauge("callboard_dlq_messages", help, [by_reason(&metrics.details.letters.kept)])
}

fn letters_added(metrics: &Metrics) -> Family<'_> {
    let help = "Dead letters that there ever were; one that came back after a retry counts once more";
    Family::counter("callboard_dlq_added_total", help, [by_reason(&metrics.details.letters.added)])
}

/// Also those of which there is none.
fn by_reason(counts: &BTreeMap<LetterReason, u64>) -> Group<'static> {
    let count = |reason| counts.get(&reason).copied().unwrap_or_default() as f64;
    let series = LetterReason::ALL.map(|reason| Series::labelled("reason", reason.as_str(), count(reason)));
    Group { owner: Vec::new(), series: series.into() }
}

fn letters_evicted(metrics: &Metrics) -> Family<'_> {
    let help = "Dead letters that left as there were too many";
    Family::total("callboard_dlq_evicted_total", help, metrics.details.letters.evicted)
}

fn oldest_letter(metrics: &Metrics) -> Family<'_> {
    let help = "How long ago the first of the dead letters failed that are kept";
    let age = metrics.details.oldest_letter.map(|age| Group::whole(age.as_secs_f64()));
    Family::gauge("callboard_dlq_oldest_age_seconds", help, age)
}

/// Nothing where nobody says how many there are.
fn workflows(metrics: &Metrics) -> Vec<Family<'_>> {
    if !metrics.details.has_workflows {
        return Vec::new();
    }
    let runs = metrics.workflows;
    let active = [Group::whole(runs.active as f64)];
    vec![
        Family::total("callboard_workflows_started_total", "Runs of workflows that were started", runs.started),
        workflows_finished(metrics),
        Family::gauge("callboard_workflows_active", "Runs of workflows that go on", active),
    ]
}

/// What was started and does not go on has finished.
fn workflows_finished(metrics: &Metrics) -> Family<'_> {
    let help = "Runs of workflows that have ended: by completing, or in any other way";
    let runs = metrics.workflows;
    let completed = runs.started.saturating_sub(runs.active + runs.failed);
    let outcomes = [("completed", completed), ("failed", runs.failed)];
    let series = outcomes.map(|(outcome, count)| Series::labelled("outcome", outcome, count as f64));
    Family::counter("callboard_workflows_finished_total", help, [Group { owner: Vec::new(), series: series.into() }])
}

fn discovery(metrics: &Metrics) -> [Family<'_>; 4] {
    let CacheCounts { hits, misses, evictions, entries } = metrics.details.discovery;
    let help = [
        "Questions for modules that kept answers have answered",
        "Questions for modules that no kept answer has answered",
        "Answers about modules that left for want of room",
        "Answers about modules that are kept",
    ];
    [
        Family::total("callboard_discovery_cache_hits_total", help[0], hits),
        Family::total("callboard_discovery_cache_misses_total", help[1], misses),
        Family::total("callboard_discovery_cache_evictions_total", help[2], evictions),
        Family::gauge("callboard_discovery_cache_entries", help[3], [Group::whole(entries as f64)]),
    ]
}

fn audit_records(metrics: &Metrics) -> Family<'_> {
    let help = "Records in the audit, those that it has let go included";
    Family::total("callboard_audit_records_total", help, metrics.details.audit_records)
}

/// All crates of the project have one version.
fn build_info() -> Family<'static> {
    let group = Group::one(vec![("version", env!("CARGO_PKG_VERSION"))], 1.0);
    Family::gauge("callboard_build_info", "1, for the version of callboard", [group])
}

fn uptime(metrics: &Metrics) -> Family<'_> {
    let help = "How long ago the system started";
    Family::gauge("callboard_uptime_seconds", help, [Group::whole(metrics.details.uptime.as_secs_f64())])
}
