//! What keeps events for longer than a system runs: [`EventStore`].

use std::error::Error;

use callboard_actor::{ErrorCode, System, SystemBuilder};

use crate::event::Event;
use crate::events::EventsExt;

/// Why a store did not do what it was to.
pub type StoreFault = Box<dyn Error + Send + Sync>;

/// Keeps the events of a system for longer than it runs. The [history](crate::Events::history) begins with the last of them then,
/// instead of with nothing.
///
/// It is asked on the thread of whoever publishes, by one at a time and in the order of the history, so it should hand over what takes
/// long. An [`EventRecord`](crate::EventRecord) is what can be written down of an event.
pub trait EventStore: Send + Sync + 'static {
    /// Keeps an event that is published right now. Who publishes gets its answer, the id, after this.
    ///
    /// # Errors
    ///
    /// Why it is not kept. It is published all the same, counted as [`unstored`](crate::EventCounts::unstored) and told in the log.
    fn append(&self, event: &Event) -> Result<(), StoreFault>;

    /// The last so many that it has, in the order in which they were appended.
    ///
    /// # Errors
    ///
    /// Why they cannot be read.
    fn last(&self, most: usize) -> Result<Vec<Event>, StoreFault>;
}

/// A store of events that a system cannot begin with.
#[derive(Debug, thiserror::Error)]
#[error("the store of events cannot be read: {0}")]
pub struct EventStoreError(#[source] pub(crate) StoreFault);

impl EventStoreError {
    /// [`ErrorCode::Storage`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::Storage
    }
}

/// The store of events of a system that is about to start.
pub trait BuilderEventsExt {
    /// Has the history kept here from before the first actor starts. One that cannot be read is told in the log, and not used: see
    /// [`Events::store_in`](crate::Events::store_in) for one that is to be read.
    #[must_use = "a builder does nothing until it is started"]
    fn event_store(self, store: impl EventStore) -> Self;
}

impl BuilderEventsExt for SystemBuilder {
    fn event_store(self, store: impl EventStore) -> Self {
        self.prepare(move |system: &System| {
            if let Err(error) = system.events().store_in(store) {
                tracing::error!(target: "callboard::events", %error, "events are kept in memory alone");
            }
        })
    }
}
