//! What a module hears.

use callboard_actor::{Actor, ActorRef, Handler, Message};

use crate::event::Event;
use crate::subscription::Ear;

/// Events whose names match, as messages of one type.
pub(super) struct Hearing<A: Actor> {
    pattern: String,
    ear: fn(&ActorRef<A>) -> Box<dyn Ear>,
}

impl<A: Actor> Hearing<A> {
    pub(super) fn new<M>(pattern: String) -> Self
    where
        A: Handler<M>,
        M: Message + From<Event>,
    {
        Self { pattern, ear: |actor| Box::new(actor.recipient::<M>()) }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(super) fn ear(&self, actor: &ActorRef<A>) -> Box<dyn Ear> {
        (self.ear)(actor)
    }
}
