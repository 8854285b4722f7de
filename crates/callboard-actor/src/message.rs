//! What actors say to each other: [`Message`], its [`Priority`] and its [`MessageId`].

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;

/// A value that one actor sends to another, with the type of its answer.
///
/// Messages are moved, never serialised, inside a process. Write the implementation by hand or derive it:
///
/// ```
/// # use callboard_actor as callboard;
/// use callboard::{Message, Priority};
///
/// struct Add(u64);
///
/// impl Message for Add {
///     type Reply = u64;
///     const PRIORITY: Priority = Priority::High;
/// }
/// ```
pub trait Message: Sized + Send + 'static {
    /// What an asker gets back. A domain error belongs in here, as `Result<Receipt, ProcessError>`.
    type Reply: Send + 'static;

    /// The lane the message takes when the sender names none.
    const PRIORITY: Priority = Priority::Normal;

    /// How long an asker waits when the call names no other time; `None` stands for the system's default (30 s).
    const TIMEOUT: Option<Duration> = None;

    /// How to copy the message so that it can be run again after its turn has failed; `None` means that a message
    /// whose turn failed is not run again. The copy is made when a turn starts: of the message itself, so that what is
    /// [shared](crate::Share) can be split. The message and its copy must both equal what the message was, as
    /// they do with `Some(|message| message.clone())`.
    const KEEP: Option<fn(&mut Self) -> Self> = None;

    /// What an [`Observer`](crate::Observer) is shown of the message when it has failed, where that is not the message itself:
    /// what is inside of a wrapper, say.
    const CONTENT: Option<fn(&Self) -> &dyn Any> = None;
}

/// How urgent a message is: one lane of the mailbox each, most urgent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Priority {
    /// Above everything else a user can send, and with places of its own when its lane is full.
    Critical = 1,
    /// Before normal work.
    High = 2,
    /// The default.
    #[default]
    Normal = 3,
    /// After normal work.
    Low = 4,
    /// When nothing else is there, or when the starvation guard gives it a turn.
    Background = 5,
}

impl Priority {
    /// All priorities, most urgent first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Normal, Self::Low, Self::Background];

    /// The word used in logs, configuration and serialised snapshots.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Background => "background",
        }
    }

    /// The lane of this priority; lane 0 is the framework's own.
    #[inline]
    pub(crate) const fn lane(self) -> usize {
        self as usize
    }

    pub(crate) fn of_lane(lane: usize) -> Self {
        Self::ALL[lane.clamp(1, Self::ALL.len()) - 1]
    }
}

/// A word that is no priority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no priority; use critical, high, normal, low or background")]
pub struct PriorityError(String);

impl PriorityError {
    /// [`ErrorCode::ValidationFailed`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::ValidationFailed
    }
}

/// As [`as_str`](Priority::as_str) writes it, in small or large letters.
impl FromStr for Priority {
    type Err = PriorityError;

    fn from_str(word: &str) -> Result<Self, PriorityError> {
        let is_meant = |priority: &Self| priority.as_str().eq_ignore_ascii_case(word);
        // On one line and not all of it: the word may come from anywhere.
        let unknown = || PriorityError(word.chars().take(40).flat_map(char::escape_debug).collect());
        Self::ALL.into_iter().find(is_meant).ok_or_else(unknown)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Identifies one message, made when something has to name it: a call that may be tried again, a dead letter, a quarantined
/// message.
///
/// A UUID of version 7, so ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(uuid::Uuid);

impl MessageId {
    /// A fresh id at `wall` time since the Unix epoch.
    pub(crate) fn at(wall: Duration) -> Self {
        let context = uuid::NoContext;
        Self(uuid::Uuid::new_v7(uuid::Timestamp::from_unix(context, wall.as_secs(), wall.subsec_nanos())))
    }

    /// A fresh id, by the clock of the machine.
    #[must_use]
    pub fn now() -> Self {
        Self(uuid::Uuid::now_v7())
    }

    /// The id that has these bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(uuid::Uuid::from_u128(bits))
    }

    /// Its bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-BUS-10: by its word, in any letters; another word is `validation_failed` and says which there are.
    #[test]
    fn a_word_that_is_no_priority_is_refused() {
        for priority in Priority::ALL {
            assert_eq!(priority.as_str().parse(), Ok(priority));
            assert_eq!(priority.as_str().to_uppercase().parse(), Ok(priority));
        }
        let error = "urgent\n".parse::<Priority>().unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        assert_eq!(error.to_string(), r"`urgent\n` is no priority; use critical, high, normal, low or background");
    }

    #[test]
    fn ids_are_distinct_and_sort_by_their_time() {
        let ids: Vec<_> =
            (0..10_000).map(|nth| MessageId::at(Duration::from_millis(1_700_000_000_000 + nth / 100))).collect();
        assert!(ids.iter().collect::<std::collections::BTreeSet<_>>().len() == ids.len());
        assert!(ids.chunks(100).is_sorted_by(|one, next| one.iter().max() < next.iter().min()));
        let id = ids[9_999].0;
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(id.get_timestamp().map(|at| at.to_unix()), Some((1_700_000_000, 99_000_000)));
    }
}
