//! Modules that have the same message in hand for long while others wait: [`Stalls`]. Pure, but for what an actor looks like.

use std::collections::HashMap;

use callboard_actor::{ActorId, ActorSnapshot, MessageCounts};

/// What actors that have something in hand while something waits looked like the last time.
#[derive(Debug, Default)]
pub(super) struct Stalls(HashMap<ActorId, Look>);

#[derive(Clone, Copy, Debug)]
struct Look {
    /// The messages that it was done with, in whatever way.
    done: u64,
    /// How often it has been seen so.
    looks: u32,
}

impl Stalls {
    /// Looks at all of them; whoever is not among them is forgotten.
    pub(super) fn look<'a>(&mut self, actors: impl Iterator<Item = &'a ActorSnapshot>) {
        self.0 = actors.filter_map(|actor| Some((actor.id, self.look_at(actor.id, &actor.messages)?))).collect();
    }

    /// Nothing for one whose messages do not wait for another.
    fn look_at(&self, id: ActorId, messages: &MessageCounts) -> Option<Look> {
        let done = messages.sent.saturating_sub(messages.queued + messages.running + messages.refused);
        let before = self.0.get(&id).filter(|before| before.done == done);
        let is_busy = messages.running > 0 && messages.queued > 0;
        is_busy.then(|| Look { done, looks: before.map_or(1, |before| before.looks + 1) })
    }

    /// Whether it was seen twice with the same message in hand.
    pub(super) fn is_stalled(&self, actor: ActorId) -> bool {
        self.0.get(&actor).is_some_and(|look| look.looks > 1)
    }
}
