//! The figures of a moment that are cheap to read: [`Figures`]. Samples and metrics are both made of them.

use callboard_actor::{BreakerState, System};

use super::calls::CallFigures;
use super::source::WorkflowCounts;
use super::{Ledger, Shared};
use crate::events::{EventCounts, EventsExt};
use crate::modules::ModulesExt;
use crate::operation::Status;
use crate::operations::OperationsExt;

#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) calls: CallFigures,
    pub(super) misdirected: u64,
    pub(super) sent_by_name: u64,
    pub(super) events: EventCounts,
    pub(super) workflows: WorkflowCounts,
    /// Messages in the queues of channels, batches and functions.
    pub(super) queued: usize,
    /// Operations `module.operation` and modules whose breakers let nothing through but probes, by name.
    pub(super) open_breakers: Vec<String>,
}

impl Figures {
    pub(super) fn read(system: &System, shared: &Shared) -> Self {
        let (modules, events) = (system.modules(), system.events());
        let (mut calls, mut open_breakers) = (CallFigures::default(), Vec::new());
        let states = system.operations().shared.states();
        for state in &states {
            let status = state.status();
            calls.add(&CallFigures::new(status.counts, status.times));
            open_breakers.extend(is_open(&status).then(|| state.address().to_string()));
        }
        // Those that go after they were listed are held by the list, so none of them is counted twice.
        calls.add(&system.extension(Ledger::default).gone());
        let workflows = shared.workflows.lock().clone();
        let snapshot = modules.snapshot();
        let broken = snapshot.entries().into_iter().filter(|entry| entry.is_broken());
        open_breakers.extend(broken.map(|entry| entry.descriptor().name.clone()));
        open_breakers.sort_unstable();
        open_breakers.dedup();
        Self {
            calls,
            misdirected: modules.misdirected(),
            sent_by_name: modules.sent(),
            events: events.counts(),
            workflows: workflows.map(|source| source.counts()).unwrap_or_default(),
            queued: events.directory().room().held(),
            open_breakers,
        }
    }

    pub(super) fn messages_sent(&self) -> u64 {
        self.calls.counts.begun + self.sent_by_name + self.events.routed.saturating_sub(self.events.filtered)
    }

    pub(super) fn messages_processed(&self) -> u64 {
        self.calls.counts.succeeded + self.sent_by_name + self.events.delivered
    }
}

fn is_open(status: &Status) -> bool {
    let open = [BreakerState::Open, BreakerState::HalfOpen, BreakerState::ForcedOpen];
    status.breaker.is_some_and(|breaker| open.contains(&breaker.state))
}
