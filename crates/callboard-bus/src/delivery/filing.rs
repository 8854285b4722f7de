//! Events that were not handled, as dead letters.

use callboard_actor::{ActorId, ErrorCode};

use crate::dead_letter_queue::{Cause, Failed, ForSubscriber, LetterReason, not_taken, times};
use crate::event::Event;
use crate::events::Events;
use crate::subscription::{Failure, Subscriber};
use crate::value::ValueError;

impl Events {
    /// A subscriber did not take an event, or its handler has failed as often as it was tried.
    #[cold]
    pub(super) fn file(&self, event: &Event, subscriber: &Subscriber, code: ErrorCode, failure: Option<&Failure>) {
        let (event, owner) = (event.clone(), subscriber.ear().owner());
        let content = ForSubscriber { event, owner, subscription: Some(subscriber.id()), case: None };
        let cause = failure.map_or_else(|| not_taken(code), cause_of);
        let failed = Failed::event(content, subscriber.actor(), cause);
        let attempts = failure.map_or(0, |failure| failure.attempts);
        self.board().letters.file(self.system(), Failed { attempts, ..failed });
    }

    /// An actor has taken an event whose data does not fit what it hears.
    #[cold]
    pub(super) fn file_unreadable(&self, event: &Event, actor: ActorId, owner: String, fault: &ValueError) {
        let content = ForSubscriber { event: event.clone(), owner, subscription: None, case: None };
        let cause = not_taken(ErrorCode::ValidationFailed).said(&fault.to_string(), None);
        let failed = Failed::event(content, Some(actor), cause);
        self.board().letters.file(self.system(), Failed { reason: LetterReason::Poison, attempts: 1, ..failed });
    }
}

fn cause_of(failure: &Failure) -> Cause {
    let seen = format!("its handler failed, tried {}", times(failure.attempts));
    Cause::new(failure.code, &seen).said(&failure.text, failure.location.as_deref())
}
