//! A restart that concerns several children, step by step. Pure: it is told what happened and says what is next.

use std::collections::VecDeque;
use std::time::Duration;

use crate::cell::{ActorId, Directive};
use crate::fault::Incident;

/// First the affected children are taken out of service in reverse start order, one after the other; then they are
/// started again in start order, one after the other, or not.
#[derive(Debug)]
pub(super) struct Group {
    to_halt: Vec<ActorId>,
    to_start: VecDeque<ActorId>,
    awaited: Option<ActorId>,
    delay: Duration,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Start,
    Fail,
    Escalate(Incident),
}

/// What has happened to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Halted(ActorId),
    Started(ActorId),
    Ended(ActorId),
}

impl Group {
    /// All `affected` (in start order) restart after `delay`; the one that `failed` is out of service already.
    pub(super) fn restart(affected: Vec<ActorId>, failed: ActorId, delay: Duration) -> Self {
        let to_start = affected.iter().copied().collect();
        Self::new(affected, failed, to_start, delay, Then::Start)
    }

    /// All `affected` wait for their breakers.
    pub(super) fn fail(affected: Vec<ActorId>, failed: ActorId) -> Self {
        let to_start = affected.iter().copied().collect();
        Self::new(affected, failed, to_start, Duration::ZERO, Then::Fail)
    }

    /// All `affected` stay out of service, and the supervisor fails.
    pub(super) fn escalate(affected: Vec<ActorId>, failed: ActorId, incident: Incident) -> Self {
        Self::new(affected, failed, VecDeque::new(), Duration::ZERO, Then::Escalate(incident))
    }

    fn new(
        mut affected: Vec<ActorId>,
        failed: ActorId,
        to_start: VecDeque<ActorId>,
        delay: Duration,
        then: Then,
    ) -> Self {
        affected.retain(|&id| id != failed);
        Self { to_halt: affected, to_start, awaited: None, delay, then }
    }

    /// The next directive, and for whom. `None` while a child is awaited and when it is over.
    pub(super) fn next(&mut self) -> Option<(ActorId, Directive)> {
        if self.awaited.is_some() {
            return None;
        }
        if let Some(child) = self.to_halt.pop() {
            self.awaited = Some(child);
            return Some((child, Directive::Halt { refuse: !matches!(self.then, Then::Start) }));
        }
        let child = self.to_start.pop_front()?;
        if matches!(self.then, Then::Fail) {
            // Each waits for its own breaker from here on; nothing is to be awaited.
            return Some((child, Directive::Fail));
        }
        self.awaited = Some(child);
        Some((child, Directive::Resume { after: std::mem::take(&mut self.delay) }))
    }

    /// Takes note. True when there may be a next directive now.
    pub(super) fn note(&mut self, step: Step) -> bool {
        let (Step::Halted(child) | Step::Started(child) | Step::Ended(child)) = step;
        if matches!(step, Step::Ended(_)) {
            self.to_halt.retain(|&id| id != child);
            self.to_start.retain(|&id| id != child);
        }
        let is_awaited = self.awaited == Some(child);
        if is_awaited {
            self.awaited = None;
        }
        is_awaited
    }

    pub(super) fn is_over(&self) -> bool {
        self.awaited.is_none() && self.to_halt.is_empty() && self.to_start.is_empty()
    }

    pub(super) fn into_escalation(self) -> Option<Incident> {
        if let Then::Escalate(incident) = self.then { Some(incident) } else { None }
    }
}
