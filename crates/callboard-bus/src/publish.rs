//! Publishing: [`Publish`], its [`Receipt`] and its errors.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use callboard_actor::{ActorId, ErrorCode, Priority};
use futures::future::join_all;
use thiserror::Error;

use crate::event::{DomainEvent, Event, EventId};
use crate::events::Events;
use crate::subscription::Subscriber;
use crate::topic::{Topic, TopicError};
use crate::value::{Value, ValueError};

/// An event about to be published: `.await` publishes it.
///
/// It ends when every subscriber has the event in its mailbox or has not taken it; it waits for no handler. Nobody
/// subscribed is success.
///
/// # Errors
///
/// [`PublishError`]: the name cannot be one. That a subscriber did not take it is no error, see [`Receipt`].
///
/// # Cancel safety
///
/// Dropped before it has ended, subscribers that had room have the event and those whose mailboxes were full do not.
#[must_use = "an event is published when this is awaited"]
#[derive(Debug)]
pub struct Publish {
    events: Events,
    what: Result<(Topic, Value), PublishError>,
    options: EventOptions,
}

/// How an event is published from a turn, see [`publish_with`](crate::TurnEventsExt::publish_with).
///
/// ```
/// use callboard_actor::Priority;
/// use callboard_bus::EventOptions;
///
/// let urgent = EventOptions::default().priority(Priority::High);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct EventOptions {
    pub(crate) priority: Priority,
    pub(crate) id: Option<EventId>,
}

impl EventOptions {
    /// As [`Publish::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// As [`Publish::id`].
    pub fn id(mut self, id: EventId) -> Self {
        self.id = Some(id);
        self
    }
}

/// Who got an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The id that subscribers see.
    pub id: EventId,
    /// How many subscriptions have it in the mailboxes of their actors.
    pub delivered: usize,
    /// How many did not take it: the breaker open, not admitted, or no room where nobody may wait for it. Each is a
    /// [dead letter](callboard_actor::DeadLetters) and a [`Refusal`].
    pub refused: usize,
}

/// An event that a subscriber did not take. Its dead letter is of the same actor, but does not know the event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The id of the event.
    pub event: EventId,
    /// Its name.
    pub name: Topic,
    /// The priority that it was published with.
    pub priority: Priority,
    /// When it was published.
    pub time: SystemTime,
    /// Who did not take it.
    pub actor: ActorId,
    /// Why: for want of room, as a breaker is open, as the admission hook said no, or as its data does not fit what the
    /// actor hears.
    pub reason: ErrorCode,
}

impl Refusal {
    fn new(event: &Event, priority: Priority, subscriber: &Subscriber, reason: ErrorCode) -> Self {
        let (id, name, time, actor) = (event.id, event.name.clone(), event.time, subscriber.ear().id());
        Self { event: id, name, priority, time, actor, reason }
    }
}

/// Why an event was not published.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The name cannot be one.
    #[error(transparent)]
    InvalidName(#[from] TopicError),
    /// The name is the system's own.
    #[error("{:?} is reserved for the system: begin the name without `$`", .0.as_str())]
    Reserved(Topic),
    /// The data has no form as a value.
    #[error("the data of the event has no form as a value: {0}")]
    Data(#[from] ValueError),
}

impl PublishError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidName(_) | Self::Reserved(_) => ErrorCode::InvalidName,
            Self::Data(_) => ErrorCode::ValidationFailed,
        }
    }
}

impl Publish {
    pub(crate) fn new(events: Events, what: Result<(Topic, Value), PublishError>) -> Self {
        Self { events, what, options: EventOptions::default() }
    }

    /// Sends it to its subscribers with this priority instead of [`Priority::Normal`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options = self.options.priority(priority);
        self
    }

    /// Publishes under this id, to repeat an event that may have been published before. A subscriber may see both.
    pub fn id(mut self, id: EventId) -> Self {
        self.options = self.options.id(id);
        self
    }

    async fn publish(self) -> Result<Receipt, PublishError> {
        let (name, data) = self.what?;
        let event = self.events.event(name, data, self.events.source(), self.options.id);
        let priority = self.options.priority;
        let mut outcomes = Vec::new();
        let mut waiting = Vec::new();
        for subscriber in self.events.subscribers(&event.name) {
            match subscriber.ear().hear_at_once(event.clone(), priority) {
                Err(ErrorCode::Busy) => waiting.push(subscriber),
                heard => outcomes.push(self.events.note(&event, priority, &subscriber, heard)),
            }
        }
        // All at once, so that no subscriber waits for the room of another.
        let waiting = waiting.iter().map(async |subscriber| {
            let heard = subscriber.ear().hear(event.clone(), priority).await;
            self.events.note(&event, priority, subscriber, heard)
        });
        outcomes.extend(join_all(waiting).await);
        let count = |outcome| outcomes.iter().filter(|known| **known == outcome).count();
        Ok(Receipt { id: event.id, delivered: count(Outcome::Delivered), refused: count(Outcome::Refused) })
    }
}

impl IntoFuture for Publish {
    type Output = Result<Receipt, PublishError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.publish())
    }
}

/// What became of an event at one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    Refused,
    Ended,
}

impl Events {
    /// Sends an event to those who have room.
    pub(crate) fn deliver_at_once(&self, event: &Event, priority: Priority) {
        for subscriber in self.subscribers(&event.name) {
            let heard = subscriber.ear().hear_at_once(event.clone(), priority);
            self.note(event, priority, &subscriber, heard);
        }
    }

    /// An event that was taken and could not be read.
    pub(crate) fn unreadable(&self, event: &Event, priority: Priority, actor: ActorId) {
        let (id, name, time, reason) = (event.id, event.name.clone(), event.time, ErrorCode::ValidationFailed);
        self.refused(Refusal { event: id, name, priority, time, actor, reason });
    }

    /// What a delivery has come to: what was not taken becomes a dead letter, and who has ended leaves.
    fn note(
        &self,
        event: &Event,
        priority: Priority,
        subscriber: &Arc<Subscriber>,
        heard: Result<(), ErrorCode>,
    ) -> Outcome {
        match heard {
            Ok(()) => Outcome::Delivered,
            Err(ErrorCode::Unavailable) => {
                if self.retire(subscriber) {
                    self.sweep_later();
                }
                Outcome::Ended
            }
            Err(reason) => {
                subscriber.ear().bury();
                self.refused(Refusal::new(event, priority, subscriber, reason));
                Outcome::Refused
            }
        }
    }
}

/// The name and the data of an event that is a type.
pub(crate) fn typed<E: DomainEvent>(event: &E) -> Result<(Topic, Value), PublishError> {
    Ok((free_topic(E::NAME)?, Value::from_serialize(event)?))
}

/// A name that anybody may publish under.
pub(crate) fn free_topic(name: &str) -> Result<Topic, PublishError> {
    let topic: Topic = name.parse()?;
    if topic.is_reserved() { Err(PublishError::Reserved(topic)) } else { Ok(topic) }
}
