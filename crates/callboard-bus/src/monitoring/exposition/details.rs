//! What the exposition shows beside the figures of the views, read at the same moment: [`Details`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{ActorId, ActorSnapshot, Snapshot, System};

use crate::audit::AuditExt;
use crate::dead_letter_queue::{DeadLetterQueueExt, LetterCounts};
use crate::discovery::CacheCounts;
use crate::events::{Events, EventsExt};
use crate::history::History;
use crate::modules::ModulesExt;
use crate::monitoring::QueueStatus;
use crate::operation::{Durations, OperationState};
use crate::operations::{OperationStatus, OperationsExt};

/// See the head of this file.
#[derive(Clone, Debug)]
pub(in super::super) struct Details {
    /// By name.
    pub(in super::super) operations: Vec<OperationDetails>,
    pub(in super::super) queues: Queues,
    pub(super) letters: LetterCounts,
    /// How long ago the first of the letters failed that are there.
    pub(super) oldest_letter: Option<Duration>,
    pub(super) discovery: CacheCounts,
    /// Events in the history.
    pub(super) kept_events: usize,
    /// New values of all actors, those that have ended included.
    pub(super) restarts: u64,
    pub(super) audit_records: u64,
    pub(super) uptime: Duration,
    /// Whether somebody says how many runs of workflows there are.
    pub(super) has_workflows: bool,
}

/// An operation, and what its status does not say.
#[derive(Clone, Debug)]
pub(in super::super) struct OperationDetails {
    pub(in super::super) status: OperationStatus,
    pub(super) durations: Option<Durations>,
    pub(super) retries_refused: u64,
}

/// What waits, by where it does.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Queues {
    /// In the queues of channels, by name.
    pub(super) channels: Vec<(String, QueueStatus)>,
    /// In the mailboxes of all instances of a module.
    pub(super) modules: BTreeMap<String, QueueStatus>,
    /// In the mailboxes of other actors, in front of functions and of those who are given batches, and on channels of the system's
    /// own.
    pub(super) elsewhere: QueueStatus,
}

impl Details {
    pub(in super::super) fn read(system: &System, has_workflows: bool) -> Self {
        let (actors, letters) = (system.inspect(), system.dead_letter_queue().counts());
        let now = system.events().now();
        Self {
            operations: system.operations().each().map(OperationDetails::read).collect(),
            queues: Queues::read(system, &actors),
            oldest_letter: letters.oldest.map(|oldest| now.duration_since(oldest).unwrap_or_default()),
            letters,
            discovery: system.modules().discovery_status().cache,
            kept_events: system.events().read_history(History::size).0,
            restarts: actors.totals.restarts,
            audit_records: system.audit().total(),
            uptime: system.elapsed(),
            has_workflows,
        }
    }
}

impl OperationDetails {
    fn read((status, state): (OperationStatus, Arc<OperationState>)) -> Self {
        Self { status, durations: state.durations(), retries_refused: state.retries_refused() }
    }

    /// `module.operation`.
    pub(super) fn address(&self) -> &str {
        &self.status.descriptor.address
    }

    /// What stands before the last dot.
    pub(super) fn module(&self) -> &str {
        self.address().rsplit_once('.').map_or(self.address(), |(module, _)| module)
    }
}

impl Queues {
    fn read(system: &System, actors: &Snapshot) -> Self {
        let (mut queues, events) = (Self::default(), system.events());
        let instances: BTreeMap<ActorId, String> =
            system.modules().list().iter().map(|instance| (instance.actor, instance.name.clone())).collect();
        actors.actors.iter().for_each(|actor| queues.add_mailbox(instances.get(&actor.id), actor));
        queues.add_queues(&events);
        queues
    }

    /// All of them together.
    pub(in super::super) fn total(&self) -> QueueStatus {
        let named = self.channels.iter().map(|(_, sizes)| sizes).chain(self.modules.values());
        named.fold(self.elsewhere, |total, sizes| total.plus(sizes))
    }

    fn add_mailbox(&mut self, module: Option<&String>, actor: &ActorSnapshot) {
        match module {
            Some(module) => self.modules.entry(module.clone()).or_default().add_mailbox(actor),
            None => self.elsewhere.add_mailbox(actor),
        }
    }

    fn add_queues(&mut self, events: &Events) {
        for channel in events.directory().all() {
            let sizes = channel.queue.by_priority();
            if channel.name().is_reserved() {
                self.elsewhere.add(sizes);
            } else {
                self.channels.push((channel.name().to_string(), QueueStatus::of(sizes)));
            }
        }
        events.for_each_own_queue(&mut |queue| self.elsewhere.add(queue.by_priority()));
    }
}
