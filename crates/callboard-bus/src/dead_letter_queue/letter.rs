//! The record of a message that failed: [`Letter`], with its [`LetterReason`] and its [`Cause`].

use std::fmt;
use std::time::SystemTime;

use callboard_actor::{ActorId, ErrorCode, MessageId, Priority};
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use crate::event::EventId;
use crate::{redaction, time};

/// What became of a message, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LetterReason {
    /// Its handler failed as often as it was tried.
    Exhausted,
    /// Its time to live was over before it was handled.
    Expired,
    /// It made room for others, or found none.
    Overflow,
    /// Nobody was there to take it: no such module, one that has stopped, an open breaker, a router without a rule for it.
    Undeliverable,
    /// Its receiver did not admit it.
    Rejected,
    /// It cannot be read.
    Poison,
}

impl LetterReason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Exhausted, Self::Expired, Self::Overflow, Self::Undeliverable, Self::Rejected, Self::Poison];

    /// The word that stands for it in serialised letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Expired => "expired",
            Self::Overflow => "overflow",
            Self::Undeliverable => "undeliverable",
            Self::Rejected => "rejected",
            Self::Poison => "poison",
        }
    }

    /// What to do about it, in a sentence for people.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Exhausted => "look at the error and its place; retry when the cause is gone",
            Self::Expired => "find out why it waited so long, or publish with a longer time to live",
            Self::Overflow => "give the queue a larger bound, or the subscriber more hands",
            Self::Undeliverable => "see whether the module is there and takes calls, then retry",
            Self::Rejected => "ask who admits messages to the receiver; then retry",
            Self::Poison => "compare what was sent with what the receiver reads",
        }
    }

    /// What an error with this code means for the message that met it.
    pub(crate) const fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Expired => Self::Expired,
            ErrorCode::Busy => Self::Overflow,
            ErrorCode::PermissionDenied | ErrorCode::Unauthenticated => Self::Rejected,
            ErrorCode::Malformed | ErrorCode::DecryptFailed | ErrorCode::ValidationFailed => Self::Poison,
            ErrorCode::HandlerFailed | ErrorCode::HandlerPanicked | ErrorCode::Timeout | ErrorCode::Cancelled => {
                Self::Exhausted
            }
            _ => Self::Undeliverable,
        }
    }
}

impl fmt::Display for LetterReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message failed the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    /// The stable code.
    pub code: ErrorCode,
    /// What went wrong, in words: first what the bus has seen of it, then what the handler said, with the texts of its causes.
    /// Passwords in addresses are hidden, control characters escaped.
    pub chain: Vec<String>,
    /// File, line and column where the error was made or the panic raised, when known.
    pub location: Option<String>,
}

impl Cause {
    pub(crate) fn new(code: ErrorCode, text: &str) -> Self {
        Self { code, chain: vec![redaction::text(text)], location: None }
    }

    /// The same with what the handler said.
    pub(crate) fn said(mut self, text: &str, location: Option<&str>) -> Self {
        self.chain.push(redaction::text(text));
        self.location = location.map(str::to_owned);
        self
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain.join(": "))
    }
}

/// What kind of message it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LetterKind {
    /// An event, for one of its subscribers.
    Event,
    /// A message for an operation, which nobody waits for.
    Message,
    /// A call of an operation that keeps what fails. Its caller has had the error.
    Call,
}

/// A message that failed, with all that is known of it but what is in it; see
/// [`DeadLetterQueue::show`](super::DeadLetterQueue::show) for that.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Letter {
    /// Made for this letter. It stays the same when the message is retried and fails again.
    pub id: MessageId,
    /// What became of it.
    pub reason: LetterReason,
    /// Why.
    pub cause: Cause,
    /// The same for all letters of one module, subject, code and place of the error.
    pub fingerprint: Fingerprint,
    /// What kind of message it was.
    pub kind: LetterKind,
    /// Whom it was for: the module, or else the actor, the function or the router.
    pub module: String,
    /// The actor, as far as it came to one.
    pub actor: Option<ActorId>,
    /// The name of the event, or `module.operation`.
    pub subject: String,
    /// Who sent it, where that is known.
    pub source: Option<String>,
    /// The channel that it was on.
    pub channel: Option<String>,
    /// The id of the event: the same in the letters of all subscribers that failed at it.
    pub event: Option<EventId>,
    /// Its type: what the publisher said, or what Rust says.
    pub message_type: String,
    /// Its priority.
    pub priority: Priority,
    /// How often a handler began with it, in all deliveries together.
    pub attempts: u32,
    /// How often it was delivered or meant to be: 1, and one more for each retry that failed.
    pub deliveries: u32,
    /// When it failed the first time.
    #[serde(serialize_with = "time::serialize_moment")]
    pub first_failure: SystemTime,
    /// When it failed the last time.
    #[serde(serialize_with = "time::serialize_moment")]
    pub last_failure: SystemTime,
    /// How large its payload is: in bytes as JSON, or of a message that has no such form the bytes of its value without what
    /// that refers to.
    pub bytes: u64,
    /// Whether the message is still there and can be delivered again.
    pub is_retriable: bool,
}
