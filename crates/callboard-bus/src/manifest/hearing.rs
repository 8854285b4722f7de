//! What a module hears.

use callboard_actor::{Actor, ActorRef, Handler, Message};

use crate::event::Event;
use crate::events::Events;
use crate::pattern::Pattern;
use crate::subscription::{Mailbox, Subscribe};

/// Events whose names match, as messages of one type.
pub(super) struct Hearing<A: Actor> {
    /// Nothing for what is published on none.
    channel: Option<String>,
    pattern: String,
    mailbox: fn(&ActorRef<A>) -> Box<dyn Mailbox>,
}

impl<A: Actor> Hearing<A> {
    pub(super) fn new<M>(channel: Option<String>, pattern: String) -> Self
    where
        A: Handler<M>,
        M: Message + From<Event>,
    {
        Self { channel, pattern, mailbox: |actor| Box::new(actor.recipient::<M>()) }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// As a subscription of this actor.
    pub(super) fn subscribe(&self, events: &Events, pattern: Pattern, actor: &ActorRef<A>) -> Subscribe {
        let subscribe = events.subscribe_ear(pattern, (self.mailbox)(actor));
        match &self.channel {
            None => subscribe,
            Some(channel) => subscribe.on_channel(channel),
        }
    }
}
