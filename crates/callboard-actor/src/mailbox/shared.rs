//! The half of a mailbox that senders on other threads push into, and the memory that it lies on. Who takes its lock, and who is
//! woken, is the mailbox's.

use super::lanes::Lanes;
use super::room::Room;
use super::{CLOSED, REGISTERED};
use crate::sync::Mutex;

/// The driver need not say that the first push has to wake it.
pub(super) const FLAGS_AT_FIRST: u32 = REGISTERED;

/// The shared half on memory of its own, as senders write it at each message. Processors fetch cache lines in pairs, so even
/// what lies beside it would go from core to core with it: on memory shared with what the driver writes a message took
/// twice as long.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) Mutex<Shared<T>>);

impl<T> Default for Apart<T> {
    fn default() -> Self {
        let shared = Shared { lanes: Lanes::default(), flags: FLAGS_AT_FIRST, known_free: 0, room: None };
        Self(Mutex::new(shared))
    }
}

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct Shared<T> {
    pub(super) lanes: Lanes<T>,
    /// Non-empty lanes of this half, and whether somebody waits, the driver has parked, and the mailbox has closed.
    pub(super) flags: u32,
    /// So many places of the normal lane are free, or more. Nothing is known of the others.
    pub(super) known_free: u32,
    pub(super) room: Option<Box<Room>>,
}

impl<T> Shared<T> {
    pub(super) fn room(&mut self) -> &mut Room {
        self.room.get_or_insert_with(Box::default)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.flags & CLOSED != 0
    }

    /// Values in a lane of this half.
    pub(super) fn len(&self, lane: usize) -> u64 {
        self.lanes.len(lane)
    }

    pub(super) fn has_queue(&self, lane: usize) -> bool {
        self.room.as_ref().is_some_and(|room| room.has_queue(lane))
    }
}
