//! What the system keeps of its letters: the [`Book`], into which every part of the bus files what has failed. It does not hold
//! the system, which holds it.

use std::any::type_name;
use std::fmt;
use std::hash::RandomState;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use callboard_actor::{ActorId, ErrorCode, Lineage, LogLimit, Message, MessageId, Priority, ShutdownPhase, System};
use parking_lot::Mutex;

use super::content::{Content, ForSubscriber, Sent, size};
use super::fingerprint::Fingerprint;
use super::letter::{Cause, Letter, LetterKind, LetterReason};
use super::shelf::{Filed, Shelf};
use crate::address::Address;
use crate::event::EventId;
use crate::gate::AuthContext;
use crate::modules;
use crate::value::Value;

/// See the head of this file.
#[derive(Default)]
pub(crate) struct Book {
    pub(super) shelf: Mutex<Shelf<Content>>,
    /// What hashes of payloads are keyed with.
    pub(super) key: RandomState,
    log: Mutex<LogLimit>,
    is_open: OnceLock<()>,
}

/// A message that has failed, as far as whoever noticed knows it.
pub(crate) struct Failed {
    /// The letter that it has been already.
    pub(crate) id: Option<MessageId>,
    pub(crate) reason: LetterReason,
    pub(crate) cause: Cause,
    pub(crate) kind: LetterKind,
    /// Whom it was for, where no module has the actor.
    pub(crate) owner: String,
    pub(crate) actor: Option<ActorId>,
    pub(crate) subject: String,
    pub(crate) source: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) event: Option<EventId>,
    pub(crate) message_type: String,
    pub(crate) priority: Priority,
    pub(crate) attempts: u32,
    pub(crate) bytes: u64,
    pub(crate) content: Option<Content>,
    /// Of one that has none the letter is its own.
    pub(crate) lineage: Option<Lineage>,
}

impl Failed {
    /// An event that somebody failed at.
    pub(crate) fn event(content: ForSubscriber, actor: Option<ActorId>, cause: Cause) -> Self {
        let event = &content.event;
        Self {
            id: event.redelivered_from().or(content.case),
            reason: LetterReason::of(cause.code),
            cause,
            kind: LetterKind::Event,
            owner: content.owner.clone(),
            actor,
            subject: event.name.to_string(),
            source: Some(event.source.to_string()),
            channel: event.channel().map(ToString::to_string),
            event: Some(event.id),
            message_type: event.message_type().to_owned(),
            priority: event.priority,
            attempts: 0,
            bytes: size(&event.data),
            lineage: Some(event.lineage()),
            content: Some(Content::Event(Box::new(content))),
        }
    }

    /// A message that was sent by name and that nobody has taken.
    pub(crate) fn sent<M: Message>(auth: AuthContext, address: &Address, message: M, cause: Cause) -> Self {
        let content = Sent { auth, address: address.clone(), message };
        Self {
            content: Some(Content::Message(Box::new(content))),
            bytes: size_of::<M>() as u64,
            priority: M::PRIORITY,
            ..Self::message(address.module(), address.name(), type_name::<M>(), cause)
        }
    }

    /// A payload that no router had a rule for.
    pub(crate) fn unrouted(router: &str, payload: Value, cause: Cause) -> Self {
        Self {
            bytes: size(&payload),
            content: Some(Content::Payload(payload)),
            ..Self::message(router, router, type_name::<Value>(), cause)
        }
    }

    /// A message for an operation, of which there is no more than this.
    pub(crate) fn message(module: &str, operation: &str, message_type: &str, cause: Cause) -> Self {
        Self {
            id: None,
            reason: LetterReason::of(cause.code),
            cause,
            kind: LetterKind::Message,
            owner: module.to_owned(),
            actor: None,
            subject: operation.to_owned(),
            source: None,
            channel: None,
            event: None,
            message_type: message_type.to_owned(),
            priority: Priority::Normal,
            attempts: 0,
            bytes: 0,
            content: None,
            lineage: None,
        }
    }
}

impl Book {
    /// That of a system, which from the first time on is told of what fails in the mailboxes of its actors.
    pub(crate) fn of(system: &System) -> Arc<Self> {
        let book = system.extension(Self::default);
        book.is_open.get_or_init(|| {
            system.observe(Arc::clone(&book) as _);
            let last = Arc::clone(&book);
            // What messages refer to may hold the system.
            system.on_shutdown(ShutdownPhase::Telemetry, "dead letters", move || async move { last.close() });
        });
        book
    }

    /// Files a letter.
    #[cold]
    pub(crate) fn file(&self, system: &System, failed: Failed) {
        let wall = system.wall();
        // Nothing is delivered again when the system is over.
        let content = failed.content.filter(|_| !self.shelf.lock().is_closed());
        let module = failed.actor.and_then(|actor| modules::module_of(system, actor)).unwrap_or(failed.owner);
        let at = SystemTime::UNIX_EPOCH + wall;
        let letter = Letter {
            id: failed.id.unwrap_or_else(|| system.fresh_id()),
            reason: failed.reason,
            fingerprint: Fingerprint::of(&module, &failed.subject, &failed.cause),
            cause: failed.cause,
            kind: failed.kind,
            module,
            actor: failed.actor,
            subject: failed.subject,
            source: failed.source,
            channel: failed.channel,
            event: failed.event,
            message_type: failed.message_type,
            priority: failed.priority,
            attempts: failed.attempts,
            deliveries: 1,
            first_failure: at,
            last_failure: at,
            bytes: failed.bytes,
            is_retriable: content.as_ref().is_some_and(Content::is_retriable),
        };
        self.note(&letter, &failed.lineage.unwrap_or_else(|| Lineage::new(letter.id, None, None)), wall);
        let fallen = self.shelf.lock().file(Filed { letter, content });
        drop_quietly(fallen);
    }

    /// At most one line a second.
    fn note(&self, letter: &Letter, lineage: &Lineage, wall: Duration) {
        let Some(unlogged) = self.log.lock().permit(wall) else { return };
        tracing::warn!(target: "callboard::dlq", message_id = %lineage.message_id, correlation_id = %lineage.correlation_id,
            trace_id = %lineage.trace_id(), letter = %letter.id, module = %letter.module,
            operation = %letter.subject, code = letter.cause.code.code(), reason = letter.reason.as_str(),
            error = %letter.cause, unlogged, "a message has failed for good");
    }

    fn close(&self) {
        let content = self.shelf.lock().close();
        drop_quietly(content);
    }
}

/// Messages are anybody's types, and a panic of one that goes is none of the business of whoever files another.
pub(super) fn drop_quietly<T>(gone: T) {
    if catch_unwind(AssertUnwindSafe(|| drop(gone))).is_err() {
        tracing::warn!(target: "callboard::dlq", "a message panicked when it was dropped");
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("counts", &self.shelf.lock().counts()).finish_non_exhaustive()
    }
}

/// What the error of a delivery that was not taken says in words.
pub(crate) fn not_taken(code: ErrorCode) -> Cause {
    Cause::new(
        code,
        match code {
            ErrorCode::Busy => "there was no room for it",
            ErrorCode::Expired => "its time to live was over before it was handled",
            ErrorCode::CircuitOpen => "the breaker of the receiver was open",
            ErrorCode::PermissionDenied => "the receiver did not admit it",
            ErrorCode::ValidationFailed => "its data does not fit what the receiver reads",
            ErrorCode::HandlerFailed | ErrorCode::HandlerPanicked => "its handler failed",
            _ => "the receiver did not take it",
        },
    )
}
