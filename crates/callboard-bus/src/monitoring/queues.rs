//! What is queued, by priority: [`QueueStatus`].

use callboard_actor::{ActorSnapshot, Priority};
use serde::Serialize;

use crate::events::Events;

/// How many messages wait, by priority: all five are there, also those of which none waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Of [`Priority::Background`].
    pub background: u64,
    /// Of [`Priority::Critical`].
    pub critical: u64,
    /// Of [`Priority::High`].
    pub high: u64,
    /// Of [`Priority::Low`].
    pub low: u64,
    /// Of [`Priority::Normal`].
    pub normal: u64,
}

impl QueueStatus {
    /// Those in the mailboxes of all actors, and those that wait in queues in front of them.
    pub(super) fn read(events: &Events) -> Self {
        let mut status = Self::default();
        events.system().inspect().actors.iter().for_each(|actor| status.add_mailbox(actor));
        events.for_each_queue(&mut |queue| status.add(queue.by_priority()));
        status
    }

    pub(super) fn of(sizes: [usize; Priority::ALL.len()]) -> Self {
        let mut status = Self::default();
        status.add(sizes);
        status
    }

    /// The most urgent first.
    pub fn iter(&self) -> impl Iterator<Item = (Priority, u64)> {
        let status = *self;
        Priority::ALL.into_iter().map(move |priority| (priority, status.size(priority)))
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, size)| size).sum()
    }

    /// How many of this priority wait.
    #[must_use]
    pub const fn size(&self, priority: Priority) -> u64 {
        match priority {
            Priority::Critical => self.critical,
            Priority::High => self.high,
            Priority::Normal => self.normal,
            Priority::Low => self.low,
            Priority::Background => self.background,
        }
    }

    /// Both together.
    pub(super) fn plus(mut self, more: &Self) -> Self {
        more.iter().for_each(|(priority, size)| *self.lane(priority) += size);
        self
    }

    pub(super) fn add_mailbox(&mut self, actor: &ActorSnapshot) {
        actor.lanes.iter().for_each(|lane| *self.lane(lane.priority) += lane.queued);
    }

    pub(super) fn add(&mut self, sizes: [usize; Priority::ALL.len()]) {
        let lanes = Priority::ALL.into_iter().zip(sizes);
        lanes.for_each(|(priority, size)| *self.lane(priority) += size as u64);
    }

    fn lane(&mut self, priority: Priority) -> &mut u64 {
        match priority {
            Priority::Critical => &mut self.critical,
            Priority::High => &mut self.high,
            Priority::Normal => &mut self.normal,
            Priority::Low => &mut self.low,
            Priority::Background => &mut self.background,
        }
    }
}
