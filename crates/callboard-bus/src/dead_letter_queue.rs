//! Messages that failed for good, in one place: [`DeadLetterQueue`], each as a [`Letter`].
//!
//! ```
//! use callboard_actor::{Drain, Fault, System, block_on};
//! use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter, LetterReason};
//! use callboard_bus::{EventsExt, Object};
//! # use std::sync::Arc;
//! # use std::sync::atomic::{AtomicBool, Ordering};
//!
//! # block_on(async {
//! let system = System::builder().workers(1).start().await?;
//! # let (has_paper, told) = (Arc::new(AtomicBool::new(false)), Arc::new(tokio::sync::Notify::new()));
//! # let (paper, tell) = (Arc::clone(&has_paper), Arc::clone(&told));
//! # let print = move |_| {
//! #     let (has_paper, tell) = (paper.load(Ordering::SeqCst), Arc::clone(&tell));
//! #     async move { if has_paper { tell.notify_one(); Ok(()) } else { Err(Fault::retryable("no paper")) } }
//! # };
//! let subscription = system.subscribe_fn("sheet.ready", print).await?;
//! system.publish("sheet.ready", Object::from([("number", 7)])).await?;
//! # while system.dead_letter_queue().counts().letters == 0 { tokio::task::yield_now().await }
//!
//! // The function has failed three times.
//! let letters = system.dead_letter_queue();
//! let letter = letters.list(&LetterFilter::all().reason(LetterReason::Exhausted)).remove(0);
//! assert_eq!((letter.subject.as_str(), letter.attempts), ("sheet.ready", 3));
//! assert!(letter.cause.to_string().ends_with("no paper"));
//!
//! // When there is paper again:
//! # has_paper.store(true, Ordering::SeqCst);
//! let report = letters.retry(LetterFilter::all().fingerprint(letter.fingerprint)).await?;
//! assert_eq!(report.delivered, [letter.id]);
//! # told.notified().await;
//! # subscription.unsubscribe().await;
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What comes here
//!
//! | a message | reason |
//! |---|---|
//! | an event at which its handler failed as often as it was tried | `exhausted` |
//! | a message sent by name whose turn failed as often as it was tried | `exhausted` |
//! | either of them whose time to live was over before it was handled | `expired` |
//! | an event that found no room, or made room for others; a message that its mailbox shed | `overflow` |
//! | a message sent by name that nobody took, a payload that a router had no rule for | `undeliverable` |
//! | an event that its subscriber did not take, as its breaker was open say, or that was queued when it ended | `undeliverable` |
//! | either of them that the admission hook of its receiver refused | `rejected` |
//! | an event whose data does not fit what a method hears | `poison` |
//! | a call that ended by an error of a class that its operation [keeps](crate::CallSettings::dead_letters) | by its error |
//!
//! Whoever waits for an answer has the error, and nothing comes here unless the operation says so: so it is with calls. What waits on a channel for a
//! subscription that ends is dropped and counted: nobody wants it any more. Plain actors have their
//! [dead letters](callboard_actor::System::dead_letters) and their [quarantine](callboard_actor::System::quarantine); what an
//! actor of the bus leaves there is here as well, and leaves both when it is retried or dropped in either of them.
//!
//! Letters are kept in memory: 1,000 of them and payloads of 16 MiB, see [`LetterBounds`]. When there are more, the oldest
//! leave and are counted.

mod book;
mod calls;
mod content;
mod counts;
mod filter;
mod fingerprint;
mod letter;
mod observer;
mod retry;
mod shelf;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use callboard_actor::{Actor, Context, ErrorCode, MessageId, System};
use serde::Serialize;
use thiserror::Error;

pub(crate) use self::book::{Book, Failed, not_taken};
pub(crate) use self::calls::CallAgain;
pub(crate) use self::content::ForSubscriber;
pub use self::content::Payload;
use self::content::PayloadView;
pub use self::counts::{LetterCounts, LetterHealth};
pub use self::filter::LetterFilter;
pub use self::fingerprint::{Fingerprint, FingerprintError, LetterGroup};
pub use self::letter::{Cause, Letter, LetterKind, LetterReason};
pub(crate) use self::observer::times;
pub use self::retry::{LeftLetter, Retry, RetryReport};
pub use self::shelf::LetterBounds;
use crate::audit::{AuditExt, AuditKind};
use crate::gate::{Access, AuthContext, GateError, Gatekeeper};
use crate::operator::Operator;

/// The dead letter queue for whoever has a [`System`].
pub trait DeadLetterQueueExt {
    /// The messages that failed for good.
    fn dead_letter_queue(&self) -> DeadLetterQueue;
}

impl DeadLetterQueueExt for System {
    fn dead_letter_queue(&self) -> DeadLetterQueue {
        DeadLetterQueue { system: self.clone(), book: Book::of(self), by: None }
    }
}

impl<A: Actor> DeadLetterQueueExt for Context<A> {
    fn dead_letter_queue(&self) -> DeadLetterQueue {
        self.system().dead_letter_queue()
    }
}

/// The messages of a system that failed for good. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetterQueue {
    system: System,
    book: Arc<Book>,
    /// In whose name letters are retried and dropped.
    by: Option<Operator>,
}

/// Why nothing was done with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LetterError {
    /// There is no such letter.
    #[error("there is no dead letter {0}: it was retried, dropped, or pushed out by newer ones")]
    Unknown(MessageId),
    /// The [gate](crate::gate) says no.
    #[error(transparent)]
    Refused(#[from] GateError),
    /// Whoever asks may not.
    #[error("`{operator}` may not see what is in a dead letter: the scope `{scope}` is missing")]
    Denied {
        /// Who asks.
        operator: String,
        /// What would be needed.
        scope: &'static str,
    },
}

impl LetterError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown(_) => ErrorCode::UnknownMessage,
            Self::Refused(fault) => fault.code(),
            Self::Denied { .. } => ErrorCode::PermissionDenied,
        }
    }
}

/// A letter with what was in it, as far as that is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ShownLetter {
    /// The record.
    #[serde(flatten)]
    pub letter: Letter,
    /// What was in it.
    pub payload: Payload,
    /// What to do about it.
    pub advice: &'static str,
}

impl DeadLetterQueue {
    /// What an [`Operator`] needs to see the whole payload of a letter.
    pub const REVEAL: &'static str = "dlq:reveal";

    /// The letters that the filter means, those first that failed the longest ago.
    #[must_use]
    pub fn list(&self, filter: &LetterFilter) -> Vec<Letter> {
        let now = self.now();
        let shelf = self.book.shelf.lock();
        let meant = shelf.letters().filter(|letter| filter.matches(letter, now));
        meant.take(filter.limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    /// The same by their fingerprints, the largest group first.
    #[must_use]
    pub fn groups(&self, filter: &LetterFilter) -> Vec<LetterGroup> {
        fingerprint::groups(&self.list(filter))
    }

    /// A letter with the hash of its payload.
    ///
    /// # Errors
    ///
    /// [`LetterError::Unknown`].
    pub fn show(&self, id: MessageId) -> Result<ShownLetter, LetterError> {
        self.shown(id, PayloadView::Hash)
    }

    /// A letter with its payload, without what is secret by the name of its field.
    ///
    /// # Errors
    ///
    /// [`LetterError::Unknown`].
    pub fn show_redacted(&self, id: MessageId) -> Result<ShownLetter, LetterError> {
        self.shown(id, PayloadView::Redacted)
    }

    /// A letter with its payload as it was sent, for somebody who has the scope [`dlq:reveal`](Self::REVEAL). It goes into the
    /// [audit](crate::Audit), whether or not it is shown.
    ///
    /// # Errors
    ///
    /// [`LetterError`].
    pub fn reveal(&self, id: MessageId, operator: &Operator) -> Result<ShownLetter, LetterError> {
        let may = self.may_reveal(id, operator);
        let act = if may.is_ok() { "reveal" } else { "reveal (denied)" };
        self.system.audit().record(AuditKind::DeadLetter, act, &id.to_string(), operator.name());
        may?;
        self.shown(id, PayloadView::Full)
    }

    fn may_reveal(&self, id: MessageId, operator: &Operator) -> Result<(), LetterError> {
        if !operator.may(Self::REVEAL) {
            return Err(LetterError::Denied { operator: operator.name().to_owned(), scope: Self::REVEAL });
        }
        self.by(operator).admit(&Access::RevealDeadLetter { id })?;
        Ok(())
    }

    /// The same letters, with what is done to them done in somebody's name.
    #[must_use]
    pub fn by(&self, operator: &Operator) -> Self {
        Self { by: Some(operator.clone()), ..self.clone() }
    }

    /// Asks the gate, if there is one. What it was shown.
    fn admit(&self, access: &Access<'_>) -> Result<AuthContext, GateError> {
        let auth = self.by.as_ref().map_or_else(AuthContext::here, AuthContext::from);
        Gatekeeper::of(&self.system).ask(&auth, access)?;
        Ok(auth)
    }

    fn shown(&self, id: MessageId, view: PayloadView) -> Result<ShownLetter, LetterError> {
        let shelf = self.book.shelf.lock();
        let filed = shelf.get(id).ok_or(LetterError::Unknown(id))?;
        let payload = filed.content.as_ref().map_or(Payload::Absent, |content| content.show(view, &self.book.key));
        let letter = filed.letter.clone();
        Ok(ShownLetter { advice: letter.reason.advice(), letter, payload })
    }

    /// Delivers the letters that the filter means again, when awaited.
    pub fn retry(&self, filter: LetterFilter) -> Retry {
        Retry::new(self.clone(), filter)
    }

    /// Drops the letters that the filter means for good, and what the quarantine has of them; says how many.
    ///
    /// # Errors
    ///
    /// [`LetterError`]: the filter names a letter that is not there, or the [gate](crate::gate) says no.
    pub fn purge(&self, filter: &LetterFilter) -> Result<usize, LetterError> {
        self.admit(&Access::PurgeDeadLetters)?;
        let ids = self.ids(filter)?;
        let purged = ids.into_iter().filter_map(|id| {
            let purged = self.book.shelf.lock().purge(id)?;
            purged.content.as_ref().and_then(content::Content::case).map(|case| self.system.quarantine().discard(case));
            Some(purged)
        });
        Ok(purged.count())
    }

    /// How many there are, and were. It costs a look at each letter.
    #[must_use]
    pub fn counts(&self) -> LetterCounts {
        self.book.shelf.lock().counts()
    }

    /// What that says of the health of the system.
    #[must_use]
    pub fn health(&self) -> LetterHealth {
        let shelf = self.book.shelf.lock();
        LetterHealth::of(&shelf.counts(), shelf.bounds(), self.now())
    }

    /// How many letters are kept.
    #[must_use]
    pub fn bounds(&self) -> LetterBounds {
        self.book.shelf.lock().bounds()
    }

    /// Keeps so many from now on. The oldest of those that are too many leave at once.
    pub fn set_bounds(&self, bounds: LetterBounds) {
        let fallen = self.book.shelf.lock().bind(bounds);
        drop(fallen);
    }

    /// The letters that are meant. One that is named has to be there.
    fn ids(&self, filter: &LetterFilter) -> Result<Vec<MessageId>, LetterError> {
        let ids: Vec<_> = self.list(filter).into_iter().map(|letter| letter.id).collect();
        match filter.id {
            Some(id) if ids.is_empty() && self.book.shelf.lock().get(id).is_none() => Err(LetterError::Unknown(id)),
            _ => Ok(ids),
        }
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.system.wall()
    }
}

impl fmt::Debug for DeadLetterQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetterQueue").field("letters", &self.counts().letters).finish_non_exhaustive()
    }
}
