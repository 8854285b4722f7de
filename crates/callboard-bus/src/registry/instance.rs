//! The actor behind an entry, without its type.

use std::time::Duration;

use callboard_actor::{Actor, ActorRef, ActorState, Context};

use super::Registry;
use super::standing::Standing;

/// What the registry has to know of an actor while it lives.
pub(crate) trait Instance: Send + Sync {
    /// What it would say to a call, at this moment.
    fn standing(&self) -> Standing;

    /// Has the registry told when it has ended.
    fn monitor(&self, registry: &Context<Registry>);
}

impl<A: Actor> Instance for ActorRef<A> {
    fn standing(&self) -> Standing {
        match (self.state(), self.retry_after()) {
            (ActorState::Stopping, _) => Standing::Stopping,
            (ActorState::Stopped, _) => Standing::Stopped,
            (ActorState::BackingOff, Some(wait)) if wait < Duration::MAX => Standing::Restarting(wait),
            // One that is held open by hand does not say for how long.
            (_, Some(wait)) => Standing::Refusing(Some(wait).filter(|&wait| wait < Duration::MAX)),
            (ActorState::Starting, None) => Standing::Starting,
            (_, None) => Standing::Serving,
        }
    }

    fn monitor(&self, registry: &Context<Registry>) {
        registry.monitor(self);
    }
}
