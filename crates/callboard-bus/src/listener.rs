//! Functions that listen to events, one at a time or side by side.

use std::any::{Any, TypeId, type_name};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use callboard_actor::{ActorId, Fault};
use futures::future::{FutureExt, LocalBoxFuture};

use crate::concurrency::Concurrency;
use crate::event::Event;
use crate::events::Events;
use crate::operation::roll;
use crate::operations::OperationsExt;
use crate::retry::RetryPolicy;
use crate::subscription::{Ear, Ending, Failure, Tries};

/// A function as an ear. It has no state of its own that a failure could leave behind, so it is simply called again.
pub(crate) struct Listener<F> {
    function: F,
    tries: Tries,
    /// That of the whole system, once it is known.
    concurrency: OnceLock<Arc<Concurrency>>,
}

impl<F, Handling> Listener<F>
where
    F: Fn(Event) -> Handling + Send + Sync + 'static,
    Handling: Future<Output = Result<(), Fault>> + 'static,
{
    pub(crate) fn new(function: F) -> Self {
        Self { function, tries: Tries::default(), concurrency: OnceLock::new() }
    }

    async fn listen(&self, events: &Events, event: Event) -> Ending {
        let mut made = 0;
        loop {
            // It runs in a turn of the courier, so what it calls goes on in this place. Between two tries it has none.
            let place = self.concurrency(events).enter().await;
            if events.time_left(&event).is_none() {
                return Ending::EXPIRED;
            }
            let Err(failure) = self.listen_once(&event).await else { return Ending::HANDLED };
            drop(place);
            made += 1;
            log_failure::<F>(&event, made, &failure);
            match self.tries.pause(made, roll()) {
                Some(pause) if pause.is_zero() => {}
                Some(pause) => events.system().sleep(pause).await,
                None => return Ending::failed(Failure { attempts: made, ..failure }),
            }
        }
    }

    fn concurrency(&self, events: &Events) -> &Arc<Concurrency> {
        self.concurrency.get_or_init(|| Arc::clone(events.system().operations().places()))
    }

    async fn listen_once(&self, event: &Event) -> Result<(), Failure> {
        let handling = async { (self.function)(event.clone()).await };
        match AssertUnwindSafe(handling).catch_unwind().await {
            Ok(handled) => handled.map_err(|fault| Failure::of(&fault)),
            Err(panic) => Err(Failure::panicked(words(&*panic))),
        }
    }
}

fn log_failure<F>(event: &Event, attempt: u32, failure: &Failure) {
    let (lineage, Failure { code, text, location, .. }) = (event.lineage(), failure);
    tracing::warn!(target: "callboard::events", message_id = %lineage.message_id, correlation_id = %lineage.correlation_id,
        trace_id = %lineage.trace_id(), module = type_name::<F>(), operation = %event.name, code = code.code(), attempt,
        fault = text, location, "a function failed at an event");
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
