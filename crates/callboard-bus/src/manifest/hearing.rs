//! What a module hears.

use callboard_actor::{Actor, ActorRef, Handler, Message};

use crate::event::Event;
use crate::subscription::Mailbox;

/// Events whose names match, as messages of one type.
pub(super) struct Hearing<A: Actor> {
    pattern: String,
    mailbox: fn(&ActorRef<A>) -> Box<dyn Mailbox>,
}

impl<A: Actor> Hearing<A> {
    pub(super) fn new<M>(pattern: String) -> Self
    where
        A: Handler<M>,
        M: Message + From<Event>,
    {
        Self { pattern, mailbox: |actor| Box::new(actor.recipient::<M>()) }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(super) fn mailbox(&self, actor: &ActorRef<A>) -> Box<dyn Mailbox> {
        (self.mailbox)(actor)
    }
}
