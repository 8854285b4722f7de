//! A restart that concerns several children, step by step. Pure: it is told what happened and says what is next.

use std::collections::VecDeque;
use std::time::Duration;

use crate::actor::StopReason;
use crate::cell::{ActorId, Directive};
use crate::fault::Incident;

/// First the affected children are taken out of service in reverse start order, one after the other; then they are
/// started again in start order, one after the other, or not.
#[derive(Debug)]
pub(super) struct Group {
    to_halt: Vec<Member>,
    to_start: VecDeque<ActorId>,
    awaited: Option<ActorId>,
    /// Whether the awaited child is on its way out, not in.
    is_halting: bool,
    delay: Duration,
    then: Then,
}

/// A child that a group restart concerns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) id: ActorId,
    /// Temporary children are not started again: they end in their place.
    pub(super) begins_again: bool,
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
    pub(super) fn restart(affected: Vec<Member>, failed: ActorId, delay: Duration) -> Self {
        Self::new(affected, failed, delay, Then::Start)
    }

    /// The children of a supervisor that begins: nobody has to be taken out of service first.
    pub(super) fn start(children: Vec<ActorId>) -> Self {
        Self {
            to_halt: Vec::new(),
            to_start: children.into(),
            awaited: None,
            is_halting: false,
            delay: Duration::ZERO,
            then: Then::Start,
        }
    }

    /// All `affected` wait for their breakers.
    pub(super) fn fail(affected: Vec<Member>, failed: ActorId) -> Self {
        Self::new(affected, failed, Duration::ZERO, Then::Fail)
    }

    /// All `affected` stay out of service, and the supervisor fails.
    pub(super) fn escalate(affected: Vec<Member>, failed: ActorId, incident: Incident) -> Self {
        Self::new(affected, failed, Duration::ZERO, Then::Escalate(incident))
    }

    fn new(affected: Vec<Member>, failed: ActorId, delay: Duration, then: Then) -> Self {
        let starts = !matches!(then, Then::Escalate(_));
        let to_start = affected.iter().filter(|member| starts && member.begins_again).map(|member| member.id).collect();
        let to_halt = affected.into_iter().filter(|member| member.id != failed).collect();
        Self { to_halt, to_start, awaited: None, is_halting: false, delay, then }
    }

    /// The next directive, and for whom. `None` while a child is awaited and when it is over.
    pub(super) fn next(&mut self) -> Option<(ActorId, Directive)> {
        if self.awaited.is_some() {
            return None;
        }
        if let Some(member) = self.to_halt.pop() {
            (self.awaited, self.is_halting) = (Some(member.id), true);
            return Some((member.id, self.way_out(member)));
        }
        let child = self.to_start.pop_front()?;
        if matches!(self.then, Then::Fail) {
            // Each waits for its own breaker from here on; nothing is to be awaited.
            return Some((child, Directive::Fail));
        }
        (self.awaited, self.is_halting) = (Some(child), false);
        Some((child, Directive::Resume { after: std::mem::take(&mut self.delay) }))
    }

    fn way_out(&self, member: Member) -> Directive {
        if member.begins_again {
            Directive::Halt { refuse: !matches!(self.then, Then::Start) }
        } else {
            Directive::Stop(StopReason::Stopped)
        }
    }

    /// Takes note. True when there may be a next directive now.
    pub(super) fn note(&mut self, step: Step) -> bool {
        let (Step::Halted(child) | Step::Started(child) | Step::Ended(child)) = step;
        if matches!(step, Step::Ended(_)) {
            self.to_halt.retain(|member| member.id != child);
            self.to_start.retain(|&id| id != child);
        }
        // A supervisor that has just begun again still hears what was said to its earlier value.
        let is_told = match step {
            Step::Halted(_) => self.is_halting,
            Step::Started(_) => !self.is_halting,
            Step::Ended(_) => true,
        };
        let is_awaited = is_told && self.awaited == Some(child);
        if is_awaited {
            self.awaited = None;
        }
        is_awaited
    }

    /// Whether this child is on its way out, or out and still to be started again: a fault of it changes nothing any more.
    pub(super) fn brings_back(&self, child: ActorId) -> bool {
        let is_on_its_way_out = self.is_halting && self.awaited == Some(child);
        is_on_its_way_out || self.concerns(child)
    }

    /// Whether something is still to be done about this child.
    pub(super) fn concerns(&self, child: ActorId) -> bool {
        self.to_halt.iter().any(|member| member.id == child) || self.to_start.contains(&child)
    }

    /// Those that are still to be started.
    pub(super) fn into_left(self) -> VecDeque<ActorId> {
        self.to_start
    }

    pub(super) fn is_over(&self) -> bool {
        self.awaited.is_none() && self.to_halt.is_empty() && self.to_start.is_empty()
    }

    pub(super) fn into_escalation(self) -> Option<Incident> {
        if let Then::Escalate(incident) = self.then { Some(incident) } else { None }
    }
}
