//! Messages that reached nobody: [`DeadLetters`], and [`Quarantine`] for those whose turns failed.
//!
//! Both are rings: they keep the last so many and count them all. A dead letter is a record, never a message, so it
//! cannot itself become a dead letter.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cell::ActorId;
use crate::error::ErrorCode;
use crate::fault::Incident;
use crate::lineage::Lineage;
use crate::log_limit::LogLimit;
use crate::message::{MessageId, Priority};
use crate::observer::Observers;
use crate::sync::Mutex;

/// Why a message reached nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeadReason {
    /// The actor ended before its turn.
    Stopped,
    /// Its turn was dropped as the actor was killed.
    Killed,
    /// Its time to live or its asker's deadline was over before its turn.
    Expired,
    /// It was shed to make room, or for want of room.
    Shed,
    /// An effect of a turn that its receiver did not take.
    Refused,
    /// It was in the hands of a generation that did not give its thread back.
    Fenced,
    /// A test made it vanish.
    Lost,
    /// It made room in a queue in front of the mailbox.
    Overflow,
    /// What handled it outside of a mailbox failed as often as it was tried.
    Failed,
}

impl DeadReason {
    /// The stable code that goes with the reason.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Expired => ErrorCode::Expired,
            Self::Shed | Self::Overflow => ErrorCode::Busy,
            Self::Failed => ErrorCode::HandlerFailed,
            Self::Stopped | Self::Killed | Self::Refused | Self::Fenced | Self::Lost => ErrorCode::Unavailable,
        }
    }
}

/// The record of one message that reached nobody.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Made for this record.
    pub id: MessageId,
    /// When, since the Unix epoch.
    pub at: Duration,
    /// The name of the actor it was for.
    pub actor: String,
    /// The id of the actor it was for.
    pub actor_id: ActorId,
    /// The type of the message.
    pub message: &'static str,
    /// Its priority.
    pub priority: Priority,
    /// Why.
    pub reason: DeadReason,
    /// Whether somebody waited for the end of its turn, and has been told.
    pub is_awaited: bool,
    /// What the message is told apart by, and what it belongs to; the id is that of the record where it had none.
    #[serde(skip)]
    pub lineage: Lineage,
}

/// The dead letters of a system.
pub struct DeadLetters {
    ring: Mutex<Ring<DeadLetter>>,
    counts: Mutex<BTreeMap<DeadReason, u64>>,
    log: Mutex<LogLimit>,
}

impl DeadLetters {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(Ring::new(capacity)),
            counts: Mutex::new(BTreeMap::new()),
            log: Mutex::new(LogLimit::default()),
        }
    }

    /// The last ones, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<DeadLetter> {
        self.ring.lock().items.iter().cloned().collect()
    }

    /// All there ever were, by reason.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<DeadReason, u64> {
        self.counts.lock().clone()
    }

    /// All there ever were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.lock().values().sum()
    }

    pub(crate) fn add(&self, letter: DeadLetter) {
        *self.counts.lock().entry(letter.reason).or_default() += 1;
        if let Some(silent) = self.log.lock().permit(letter.at) {
            let lineage = &letter.lineage;
            tracing::warn!(target: "callboard::dlq", message_id = %lineage.message_id, correlation_id = %lineage.correlation_id,
                trace_id = %lineage.trace_id(), module = %letter.actor, operation = letter.message,
                code = letter.reason.code().code(), reason = ?letter.reason, unlogged = silent, "a message reached nobody");
        }
        self.ring.lock().push(letter);
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("total", &self.total()).finish_non_exhaustive()
    }
}

/// The record of a message whose turns failed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Quarantined {
    /// Made for this record.
    pub id: MessageId,
    /// When, since the Unix epoch.
    pub at: Duration,
    /// The type of the message.
    pub message: &'static str,
    /// Its priority.
    pub priority: Priority,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub incident: Incident,
    /// Whether the message itself is here and can be tried again.
    pub is_kept: bool,
    /// The id of the actor it was for.
    pub actor_id: ActorId,
    /// Whether somebody waited for the end of its turn, and has been told.
    pub is_awaited: bool,
    /// What the message is told apart by, and what it belongs to; the id is that of the record where it had none.
    #[serde(skip)]
    pub lineage: Lineage,
}

/// Why a quarantined message could not be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// No such record is left.
    #[error("no such message is in quarantine: it was retried, dropped, or pushed out by newer ones")]
    Unknown,
    /// Only the record was kept.
    #[error("the message itself was not kept: mark its type with `#[message(keep)]`")]
    NotKept,
    /// The actor did not take it; it stays in quarantine.
    #[error("the actor does not take messages at the moment")]
    NotTaken,
}

/// A message that can be put back into its lane.
pub(crate) trait Kept: Send {
    /// Says which case it was. Gives itself back when it is not taken.
    fn put_back(self: Box<Self>, id: MessageId) -> Result<(), Box<dyn Kept>>;
}

/// The quarantined messages of a system.
pub struct Quarantine {
    ring: Mutex<Ring<Case>>,
    total: std::sync::atomic::AtomicU64,
    observers: Arc<Observers>,
}

/// A record, and the message itself if it was kept.
type Case = (Quarantined, Option<Box<dyn Kept>>);

impl Quarantine {
    pub(crate) fn new(capacity: usize, observers: Arc<Observers>) -> Self {
        Self { ring: Mutex::new(Ring::new(capacity)), total: 0.into(), observers }
    }

    /// The last ones, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Quarantined> {
        self.ring.lock().items.iter().map(|(record, _)| record.clone()).collect()
    }

    /// All there ever were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Puts a message back into the lane of its actor, with all its attempts before it. Should it fail again, it comes back
    /// under the same id.
    ///
    /// # Errors
    ///
    /// [`RetryError`]; a message that was not taken stays here.
    pub fn retry(&self, id: MessageId) -> Result<(), RetryError> {
        let mut ring = self.ring.lock();
        let at = ring.items.iter().position(|(record, _)| record.id == id).ok_or(RetryError::Unknown)?;
        let kept = ring.items[at].1.take().ok_or(RetryError::NotKept)?;
        let (record, _) = ring.items.remove(at).ok_or(RetryError::Unknown)?;
        // Putting it back wakes the actor and may drop what is shed for it: not under the lock.
        drop(ring);
        let Err(kept) = kept.put_back(id) else {
            self.observers.tell(|observer| observer.put_back(id));
            return Ok(());
        };
        let fallen = self.ring.lock().push((record, Some(kept)));
        drop(fallen);
        Err(RetryError::NotTaken)
    }

    /// Drops a message for good. False when it is not there.
    pub fn discard(&self, id: MessageId) -> bool {
        let mut ring = self.ring.lock();
        let at = ring.items.iter().position(|(record, _)| record.id == id);
        let gone = at.and_then(|at| ring.items.remove(at));
        drop(ring);
        if gone.is_some() {
            self.observers.tell(|observer| observer.discarded(id));
        }
        gone.is_some()
    }

    pub(crate) fn add(&self, record: Quarantined, kept: Option<Box<dyn Kept>>) {
        self.total.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // What falls out of the ring is user data: it is dropped outside of the lock.
        let fallen = self.ring.lock().push((record, kept));
        crate::fault::drop_quietly(fallen);
    }
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantine").field("total", &self.total()).finish_non_exhaustive()
    }
}

/// The last so many of something.
struct Ring<T> {
    items: VecDeque<T>,
    capacity: usize,
}

impl<T> Ring<T> {
    fn new(capacity: usize) -> Self {
        Self { items: VecDeque::new(), capacity }
    }

    /// What fell out.
    fn push(&mut self, item: T) -> Option<T> {
        if self.capacity == 0 {
            return Some(item);
        }
        let fallen = if self.items.len() == self.capacity { self.items.pop_front() } else { None };
        self.items.push_back(item);
        fallen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_last() {
        let mut ring = Ring::new(2);
        assert_eq!([ring.push(1), ring.push(2), ring.push(3)], [None, None, Some(1)]);
        assert_eq!(Ring::new(0).push(1), Some(1));
    }
}
