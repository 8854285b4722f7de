//! The actor behind an entry, without its type.

use callboard_actor::{Actor, ActorRef, ActorState, Context};

use super::Registry;

/// What the registry has to know of an actor while it lives.
pub(crate) trait Instance: Send + Sync {
    /// Where it is in its life, at this moment.
    fn state(&self) -> ActorState;

    /// Has the registry told when it has ended.
    fn monitor(&self, registry: &Context<Registry>);
}

impl<A: Actor> Instance for ActorRef<A> {
    fn state(&self) -> ActorState {
        Self::state(self)
    }

    fn monitor(&self, registry: &Context<Registry>) {
        registry.monitor(self);
    }
}
