//! Functions that listen to events, one at a time or side by side.

use std::any::{Any, TypeId, type_name};
use std::panic::AssertUnwindSafe;

use callboard_actor::{ActorId, Fault};
use futures::future::{FutureExt, LocalBoxFuture};

use crate::event::Event;
use crate::events::Events;
use crate::operation::roll;
use crate::retry::RetryPolicy;
use crate::subscription::{Ear, Ending, Failure, Tries};

/// A function as an ear. It has no state of its own that a failure could leave behind, so it is simply called again.
pub(crate) struct Listener<F> {
    function: F,
    tries: Tries,
}

impl<F, Handling> Listener<F>
where
    F: Fn(Event) -> Handling + Send + Sync + 'static,
    Handling: Future<Output = Result<(), Fault>> + 'static,
{
    pub(crate) fn new(function: F) -> Self {
        Self { function, tries: Tries::default() }
    }

    async fn listen(&self, events: &Events, event: Event) -> Ending {
        let mut made = 0;
        loop {
            if events.time_left(&event).is_none() {
                return Ending::EXPIRED;
            }
            let Err(failure) = self.listen_once(&event).await else { return Ending::HANDLED };
            made += 1;
            let Failure { code, text, location, .. } = &failure;
            tracing::warn!(target: "callboard::events", message_id = %event.id, module = type_name::<F>(), operation = %event.name,
                code = code.code(), attempt = made, fault = text, location, "a function failed at an event");
            match self.tries.pause(made, roll()) {
                Some(pause) if pause.is_zero() => {}
                Some(pause) => events.system().sleep(pause).await,
                None => return Ending::failed(Failure { attempts: made, ..failure }),
            }
        }
    }

    async fn listen_once(&self, event: &Event) -> Result<(), Failure> {
        let handling = async { (self.function)(event.clone()).await };
        match AssertUnwindSafe(handling).catch_unwind().await {
            Ok(handled) => handled.map_err(|fault| Failure::of(&fault)),
            Err(panic) => Err(Failure::panicked(words(&*panic))),
        }
    }
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
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

    fn try_by(&mut self, policy: RetryPolicy) -> bool {
        self.tries = Tries::by(policy);
        true
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
