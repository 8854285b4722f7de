//! Functions that listen to events, one at a time or side by side.

use std::any::{TypeId, type_name};
use std::panic::AssertUnwindSafe;

use callboard_actor::{ActorId, Fault};
use futures::future::{FutureExt, LocalBoxFuture};

use crate::event::Event;
use crate::events::Events;
use crate::subscription::{Ear, Ending};

/// How often an event is tried at which the function fails: as often as an actor tries it.
const ATTEMPTS: u32 = 3;

/// A function as an ear. It has no state of its own that a failure could leave behind, so it is simply called again.
pub(crate) struct Listener<F>(pub(crate) F);

impl<F, Handling> Listener<F>
where
    F: Fn(Event) -> Handling + Send + Sync + 'static,
    Handling: Future<Output = Result<(), Fault>> + 'static,
{
    async fn listen(&self, events: &Events, event: Event) -> Ending {
        for attempt in 1..=ATTEMPTS {
            if events.time_left(&event).is_none() {
                return Ending::EXPIRED;
            }
            let handling = async { (self.0)(event.clone()).await };
            match AssertUnwindSafe(handling).catch_unwind().await {
                Ok(Ok(())) => return Ending::HANDLED,
                Ok(Err(fault)) => {
                    tracing::warn!(target: "callboard::events", event = %event.id, name = %event.name, attempt, %fault, "a function failed at an event");
                }
                Err(_panic) => {
                    tracing::warn!(target: "callboard::events", event = %event.id, name = %event.name, attempt, "a function panicked at an event");
                }
            }
        }
        Ending::FAILED
    }
}

impl<F, Handling> Ear for Listener<F>
where
    F: Fn(Event) -> Handling + Send + Sync + 'static,
    Handling: Future<Output = Result<(), Fault>> + 'static,
{
    fn give<'a>(&'a self, events: &'a Events, group: Vec<Event>) -> LocalBoxFuture<'a, Vec<Ending>> {
        async move {
            let mut endings = Vec::with_capacity(group.len());
            for event in group {
                endings.push(self.listen(events, event).await);
            }
            endings
        }
        .boxed_local()
    }

    fn has_ended(&self) -> bool {
        false
    }

    fn actor(&self) -> Option<ActorId> {
        None
    }

    fn owner(&self) -> String {
        type_name::<F>().to_owned()
    }

    fn message(&self) -> &'static str {
        type_name::<Event>()
    }

    fn kind(&self) -> TypeId {
        TypeId::of::<F>()
    }
}
