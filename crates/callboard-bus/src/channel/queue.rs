//! A backlog with its bounds, shared by who publishes and who hands over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callboard_actor::Priority;
use parking_lot::Mutex;
use serde::Serialize;

use super::backlog::Backlog;
use crate::event::Event;

/// What becomes of a message for which a full channel has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelOverflow {
    /// It is not accepted: its publisher is told `busy`.
    #[default]
    Reject,
    /// The oldest message that no subscriber has in hand makes room and is a dead letter. Where there is none, the new one
    /// is not accepted.
    DropOldest,
}

/// See the head of this module.
#[derive(Debug)]
pub(crate) struct Queue {
    backlog: Mutex<Backlog<Event>>,
    bound: usize,
    overflow: ChannelOverflow,
    room: Arc<Room>,
}

/// What came of accepting a message.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Who is to get it, or what has no room for it.
    pub(crate) receivers: Result<Vec<u64>, Full>,
    /// What made room, with those who do not get it any more.
    pub(crate) dropped: Vec<(Event, Vec<u64>)>,
}

/// What has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The queue itself.
    Queue,
    /// All queues of the system together.
    System,
}

impl Queue {
    pub(crate) fn new(bound: usize, overflow: ChannelOverflow, room: Arc<Room>) -> Self {
        Self { backlog: Mutex::default(), bound, overflow, room }
    }

    pub(crate) fn bound(&self) -> usize {
        self.bound
    }

    pub(crate) fn overflow(&self) -> ChannelOverflow {
        self.overflow
    }

    /// How many messages have not been handled by all who are to get them.
    pub(crate) fn depth(&self) -> usize {
        self.backlog.lock().len()
    }

    pub(crate) fn waiting_for(&self, receiver: u64) -> usize {
        self.backlog.lock().waiting_for(receiver)
    }

    pub(crate) fn join(&self, receiver: u64) {
        self.backlog.lock().join(receiver);
    }

    /// What waited for one who leaves.
    pub(crate) fn leave(&self, receiver: u64) -> Vec<Event> {
        let mut backlog = self.backlog.lock();
        let before = backlog.len();
        let left = backlog.leave(receiver);
        self.room.release(before - backlog.len());
        left
    }

    /// What waits for a receiver and is over.
    pub(crate) fn take_over(&self, receiver: u64, is_over: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut backlog = self.backlog.lock();
        let before = backlog.len();
        let over = backlog.take_over(receiver, is_over);
        self.room.release(before - backlog.len());
        over
    }

    /// How many messages of each priority, the most urgent first, still wait for somebody.
    pub(crate) fn by_priority(&self) -> [usize; Priority::ALL.len()] {
        self.backlog.lock().by_priority()
    }

    /// Accepts a message for all receivers or for none.
    pub(crate) fn accept(&self, event: &Event, receivers: &[u64]) -> Accepted {
        let mut dropped = Vec::new();
        let mut backlog = self.backlog.lock();
        let room = self.make_room(&mut backlog, &mut dropped);
        let receivers = room.map(|()| {
            let receivers = backlog.accept(event.clone(), event.priority, receivers);
            self.room.release(usize::from(receivers.is_empty()));
            receivers
        });
        Accepted { receivers, dropped }
    }

    /// Takes a place in the queue and in the system.
    fn make_room(&self, backlog: &mut Backlog<Event>, dropped: &mut Vec<(Event, Vec<u64>)>) -> Result<(), Full> {
        loop {
            let full = match backlog.len() < self.bound {
                false => Full::Queue,
                true if self.room.reserve() => return Ok(()),
                true => Full::System,
            };
            if self.overflow == ChannelOverflow::Reject {
                return Err(full);
            }
            dropped.push(backlog.drop_oldest().ok_or(full)?);
            self.room.release(1);
        }
    }

    /// The next message for a receiver, and its place.
    pub(crate) fn take(&self, receiver: u64) -> Option<(u64, Event)> {
        self.backlog.lock().take(receiver)
    }

    /// A receiver is done with a message that it had in hand.
    pub(crate) fn done(&self, place: u64) {
        let has_left = self.backlog.lock().done(place);
        self.room.release(usize::from(has_left));
    }
}

/// How many messages the queues of a system hold, and how many they may.
#[derive(Debug)]
pub(crate) struct Room {
    held: AtomicUsize,
    limit: AtomicUsize,
}

impl Default for Room {
    /// 10,000 messages.
    fn default() -> Self {
        Self { held: AtomicUsize::new(0), limit: AtomicUsize::new(10_000) }
    }
}

impl Room {
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    fn reserve(&self) -> bool {
        let more = |held: usize| (held < self.limit()).then_some(held + 1);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn release(&self, count: usize) {
        if count > 0 {
            self.held.fetch_sub(count, Ordering::Relaxed);
        }
    }
}
