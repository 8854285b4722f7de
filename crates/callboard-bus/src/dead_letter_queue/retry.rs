//! Delivering letters again: [`Retry`], and what came of it: [`RetryReport`].

use std::fmt;
use std::future::{Future, IntoFuture};
use std::num::NonZero;
use std::pin::Pin;
use std::time::Duration;

use callboard_actor::{ErrorCode, MessageId};
use serde::Serialize;

use super::book::drop_quietly;
use super::content::Content;
use super::filter::LetterFilter;
use super::fingerprint::Fingerprint;
use super::letter::{Cause, Letter, LetterReason};
use super::shelf::Filed;
use super::{DeadLetterQueue, LetterError};
use crate::gate::{Access, AuthContext};

/// Letters about to be delivered again by the way that they came, the oldest first: `.await` does so. An event goes to the
/// subscriber that failed at it and to no other, and has no time to live any more; its handler has all its attempts before it
/// and is told by [`Event::redelivered_from`](crate::Event::redelivered_from). A message for an operation is sent by name, as it
/// was before; a call is made by name, through all that calls go through, and its answer is nobody's; one that the quarantine has goes back into the lane of its actor.
///
/// A letter that is taken leaves the queue. One that is not, or that fails again, is there again as the same letter, after one
/// more [delivery](super::Letter::deliveries).
///
/// # Errors
///
/// [`LetterError`]: the filter names a letter that is not there, or the [gate](crate::gate) does not let letters be retried. Whether
/// it lets a letter go as whoever has sent it is in the report.
///
/// # Cancel safety
///
/// Dropped before it has ended, letters that were delivered so far have been, and the others are still there.
#[must_use = "letters are delivered again when this is awaited"]
pub struct Retry {
    queue: DeadLetterQueue,
    filter: LetterFilter,
    pause: Duration,
    is_dry_run: bool,
}

/// What came of delivering letters again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetryReport {
    /// Whether nothing was done.
    pub is_dry_run: bool,
    /// Those that were taken; in a dry run those that would be delivered. A call is taken when it is about to be made, and nobody
    /// waits for it here: one that an open breaker turns away, say, is in the queue again as one that has failed.
    pub delivered: Vec<MessageId>,
    /// Those that were not taken, or cannot be delivered.
    pub left: Vec<LeftLetter>,
}

/// A letter that was not delivered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftLetter {
    /// Its id.
    pub id: MessageId,
    /// Why, as a code.
    pub code: ErrorCode,
    /// Why, in words.
    pub error: String,
}

impl Retry {
    pub(super) fn new(queue: DeadLetterQueue, filter: LetterFilter) -> Self {
        Self { queue, filter, pause: Duration::ZERO, is_dry_run: false }
    }

    /// Only says what would be done.
    pub fn dry_run(self) -> Self {
        Self { is_dry_run: true, ..self }
    }

    /// Delivers at most so many a second, evenly; without this all at once.
    pub fn per_second(self, letters: NonZero<u32>) -> Self {
        Self { pause: Duration::from_secs(1) / letters.get(), ..self }
    }

    async fn retry(self) -> Result<RetryReport, LetterError> {
        let by = self.queue.admit(&Access::RetryDeadLetters)?;
        let mut report = RetryReport { is_dry_run: self.is_dry_run, ..RetryReport::default() };
        let mut is_first = true;
        for id in self.queue.ids(&self.filter)? {
            if self.is_dry_run {
                self.queue.forecast(id, &mut report);
                continue;
            }
            if !is_first && !self.pause.is_zero() {
                self.queue.system.sleep(self.pause).await;
            }
            is_first = false;
            self.queue.redeliver(id, &by, &mut report);
        }
        Ok(report)
    }
}

impl DeadLetterQueue {
    /// What would become of a letter.
    fn forecast(&self, id: MessageId, report: &mut RetryReport) {
        match self.book.shelf.lock().get(id) {
            Some(filed) if filed.letter.is_retriable => report.delivered.push(id),
            Some(_) => report.left.push(LeftLetter::without_content(id)),
            // It has left meanwhile.
            None => {}
        }
    }

    fn redeliver(&self, id: MessageId, by: &AuthContext, report: &mut RetryReport) {
        let mut shelf = self.book.shelf.lock();
        let Some(letter) = shelf.get(id).map(|filed| &filed.letter) else { return };
        if !letter.is_retriable {
            return report.left.push(LeftLetter::without_content(id));
        }
        let lent = shelf.lend(id);
        // The receiver may fail at once, and what it is sent may be anything: not under the lock.
        drop(shelf);
        let Some(Filed { letter, content: Some(content) }) = lent else { return };
        let delivered = match content.admit(&letter, &self.system, by) {
            Ok(()) => content.deliver(id, &self.system),
            Err(cause) => Err((cause, content)),
        };
        match delivered {
            Ok(()) => report.delivered.push(id),
            Err((cause, content)) => {
                report.left.push(LeftLetter { id, code: cause.code, error: cause.to_string() });
                self.give_back(letter, content, cause);
            }
        }
    }

    /// A letter that nobody has taken is there again.
    fn give_back(&self, mut letter: Letter, content: Content, cause: Cause) {
        // What the quarantine has let go of meanwhile is nowhere any more.
        letter.is_retriable = cause.code != ErrorCode::UnknownMessage;
        letter.reason = LetterReason::of(cause.code);
        letter.fingerprint = Fingerprint::of(&letter.module, &letter.subject, &cause);
        letter.cause = cause;
        letter.attempts = 0;
        letter.last_failure = self.now();
        let content = letter.is_retriable.then_some(content);
        let fallen = self.book.shelf.lock().file(Filed { letter, content });
        drop_quietly(fallen);
    }
}

impl LeftLetter {
    fn without_content(id: MessageId) -> Self {
        let error = "there is only its record left: the message itself was not kept, or has no way of its own";
        Self { id, code: ErrorCode::InvalidState, error: error.to_owned() }
    }
}

impl IntoFuture for Retry {
    type Output = Result<RetryReport, LetterError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.retry())
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("filter", &self.filter)
            .field("is_dry_run", &self.is_dry_run)
            .finish_non_exhaustive()
    }
}
