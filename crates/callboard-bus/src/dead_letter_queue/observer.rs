//! What fails in the mailboxes of actors, as the bus sees it: an event, a batch of them, or a message for an operation that
//! nobody waits for. What else actors say to each other is none of its business.

use std::any::Any;

use callboard_actor::{ActorId, DeadLetter, DeadReason, Lineage, MessageId, Observer, Priority, Quarantined, System};

use super::book::{Book, Failed, drop_quietly};
use super::content::{Content, ForSubscriber};
use super::letter::Cause;
use crate::batch::Batch;
use crate::event::Event;
use crate::modules;

/// A message that failed in a mailbox.
struct Loss<'m> {
    owner: &'m str,
    actor: ActorId,
    message: &'static str,
    priority: Priority,
    content: Option<&'m dyn Any>,
    attempts: u32,
    is_awaited: bool,
    /// Its case in the quarantine.
    case: Option<MessageId>,
    /// The quarantine has the message itself.
    is_kept: bool,
    cause: Cause,
    lineage: Lineage,
}

impl Observer for Book {
    fn buried(&self, system: &System, letter: &DeadLetter, content: Option<&dyn Any>) {
        // Whoever hands over from a queue splits what has expired, and an effect that was refused is told of elsewhere.
        let is_split = letter.reason == DeadReason::Expired && content.is_some_and(<dyn Any>::is::<Batch>);
        if letter.reason == DeadReason::Refused || is_split {
            return;
        }
        self.lose(
            system,
            &Loss {
                owner: &letter.actor,
                actor: letter.actor_id,
                message: letter.message,
                priority: letter.priority,
                content,
                attempts: 0,
                is_awaited: letter.is_awaited,
                case: None,
                is_kept: false,
                cause: Cause::new(letter.reason.code(), words(letter.reason)),
                lineage: letter.lineage,
            },
        );
    }

    fn quarantined(&self, system: &System, record: &Quarantined, content: Option<&dyn Any>) {
        let incident = &record.incident;
        let tried = format!("its handler failed, tried {}", times(record.attempts));
        self.lose(
            system,
            &Loss {
                owner: incident.actor(),
                actor: record.actor_id,
                message: record.message,
                priority: record.priority,
                content,
                attempts: record.attempts,
                is_awaited: record.is_awaited,
                case: Some(record.id),
                is_kept: record.is_kept,
                cause: Cause::new(incident.code(), &tried).said(incident.text(), incident.location()),
                lineage: record.lineage,
            },
        );
    }

    fn put_back(&self, id: MessageId) {
        let mut shelf = self.shelf.lock();
        let letter = shelf.find(|content| content.case() == Some(id)).and_then(|letter| shelf.lend(letter));
        drop(shelf);
        drop_quietly(letter);
    }

    fn discarded(&self, id: MessageId) {
        let mut shelf = self.shelf.lock();
        let letter = shelf.find(|content| content.case() == Some(id)).and_then(|letter| shelf.purge(letter));
        drop(shelf);
        drop_quietly(letter);
    }
}

impl Book {
    fn lose(&self, system: &System, loss: &Loss<'_>) {
        if let Some(event) = loss.content.and_then(<dyn Any>::downcast_ref::<Event>) {
            return self.lose_event(system, loss, event, loss.case.filter(|_| loss.is_kept));
        }
        if let Some(batch) = loss.content.and_then(<dyn Any>::downcast_ref::<Batch>) {
            // The quarantine has all of the batch, and each event is a letter of its own.
            return batch.events.iter().for_each(|event| self.lose_event(system, loss, event, None));
        }
        let Some((module, operation)) = modules::operation_of(system, loss.actor, loss.message) else { return };
        // Who asks has the error.
        if !loss.is_awaited {
            let content = loss.case.filter(|_| loss.is_kept).map(Content::Quarantined);
            let failed = Failed::message(&module, &operation, loss.message, loss.cause.clone());
            let (id, actor, attempts, priority) = (loss.case, Some(loss.actor), loss.attempts, loss.priority);
            self.file(system, Failed { id, actor, attempts, priority, content, lineage: Some(loss.lineage), ..failed });
        }
    }

    fn lose_event(&self, system: &System, loss: &Loss<'_>, event: &Event, case: Option<MessageId>) {
        let (event, owner) = (event.clone(), loss.owner.to_owned());
        let content = ForSubscriber { event, owner, subscription: None, case };
        let failed = Failed::event(content, Some(loss.actor), loss.cause.clone());
        self.file(system, Failed { attempts: loss.attempts, ..failed });
    }
}

const fn words(reason: DeadReason) -> &'static str {
    match reason {
        DeadReason::Stopped => "the receiver ended before its turn",
        DeadReason::Killed => "the receiver was killed in its turn",
        DeadReason::Expired => "its time to live was over before its turn",
        DeadReason::Shed => "the mailbox of the receiver had no room for it",
        DeadReason::Fenced => "its turn did not give its thread back, and the receiver was replaced",
        _ => "it was lost",
    }
}

/// How often something was tried, in words.
pub(crate) fn times(attempts: u32) -> String {
    match attempts {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
