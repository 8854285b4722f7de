//! Subscribing: [`Subscribe`], the [`Subscription`] that comes of it, and its errors.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callboard_actor::{ActorId, AskError, ErrorCode, Message, Priority, Recipient, Target};
use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use thiserror::Error;

use crate::event::Event;
use crate::events::{Admit, Events, Sweep};
use crate::pattern::Pattern;
use crate::topic::TopicError;

/// A subscription about to be made: `.await` makes it. When it has been made every event that is published from then on
/// and matches is sent to the recipient.
///
/// # Errors
///
/// [`SubscribeError`].
///
/// # Cancel safety
///
/// Dropped before it has ended, there is no subscription; an event may have come through it.
#[must_use = "a subscription is made when this is awaited"]
pub struct Subscribe {
    events: Events,
    pattern: Result<Pattern, TopicError>,
    ear: Box<dyn Ear>,
}

/// An actor that gets events. It lasts until this is dropped, or until the actor ends.
#[must_use = "dropping a subscription unsubscribes"]
pub struct Subscription {
    events: Events,
    subscriber: Arc<Subscriber>,
}

/// Why there is no subscription.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The pattern cannot be one.
    #[error(transparent)]
    InvalidPattern(#[from] TopicError),
    /// The actor `events` did not answer in time.
    #[error("the actor `events` did not answer in time")]
    Timeout,
    /// The system is over, or so far in its shutdown that the actor `events` takes no messages.
    #[error("the system is shutting down")]
    Over,
}

impl SubscribeError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidPattern(fault) => fault.code(),
            Self::Timeout => ErrorCode::Timeout,
            Self::Over => ErrorCode::Unavailable,
        }
    }

    fn of_ask(error: &AskError<Admit>) -> Self {
        if matches!(error, AskError::Timeout { .. }) { Self::Timeout } else { Self::Over }
    }
}

impl Subscribe {
    pub(crate) fn new(events: Events, pattern: Result<Pattern, TopicError>, ear: Box<dyn Ear>) -> Self {
        Self { events, pattern, ear }
    }

    async fn subscribe(self) -> Result<Subscription, SubscribeError> {
        let number = self.events.fresh_number();
        let subscriber = Arc::new(Subscriber::new(self.pattern?, self.ear, number));
        // From here on whatever ends this future early also ends the subscription.
        let subscription = Subscription { events: self.events, subscriber };
        let actor = subscription.events.actor().ok_or(SubscribeError::Over)?;
        let asked = actor.ask(Admit(Arc::clone(&subscription.subscriber))).no_inherit().await;
        asked.map_err(|error| SubscribeError::of_ask(&error))?;
        Ok(subscription)
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, SubscribeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.subscribe())
    }
}

impl Subscription {
    /// What it asks for.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        self.subscriber.pattern()
    }

    /// Ends it, and waits until it is out of the table. What is in the mailbox of the actor stays there.
    ///
    /// # Cancel safety
    ///
    /// It has ended once this was polled; only the table may still name it for a moment.
    pub async fn unsubscribe(self) {
        // Should nobody wait for the sweep below any more, this one takes it out.
        if self.events.retire(&self.subscriber) {
            self.events.sweep_later();
        }
        if let Some(actor) = self.events.actor() {
            // Where nobody answers, the system is about to end, and the table with it.
            let _ = actor.ask(Sweep).no_inherit().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.events.retire(&self.subscriber) {
            self.events.sweep_later();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("pattern", &self.pattern().as_str()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

/// Where the events of a subscription go: the mailbox of an actor, whatever type of message they are there.
pub(crate) trait Ear: Send + Sync {
    /// Leaves the event there if there is room for it. What is not taken is not handed back.
    fn hear_at_once(&self, event: Event, priority: Priority) -> Result<(), ErrorCode>;

    /// Waits for room where that is how the actor has it.
    fn hear(&self, event: Event, priority: Priority) -> BoxFuture<'_, Result<(), ErrorCode>>;

    /// Counts an event that was not taken as a dead letter of the actor.
    fn bury(&self);

    /// Whether the actor has ended.
    fn has_ended(&self) -> bool;

    /// The actor.
    fn id(&self) -> ActorId;
}

impl<M: Message + From<Event>> Ear for Recipient<M> {
    fn hear_at_once(&self, event: Event, priority: Priority) -> Result<(), ErrorCode> {
        self.tell(event.into()).priority(priority).at_once().map_err(|error| error.code())
    }

    fn hear(&self, event: Event, priority: Priority) -> BoxFuture<'_, Result<(), ErrorCode>> {
        self.tell(event.into()).priority(priority).into_future().map_err(|error| error.code()).boxed()
    }

    fn bury(&self) {
        Target::bury(self);
    }

    fn has_ended(&self) -> bool {
        Self::has_ended(self)
    }

    fn id(&self) -> ActorId {
        Target::id(self)
    }
}

/// What the table holds of a subscription.
pub(crate) struct Subscriber {
    pattern: Pattern,
    ear: Box<dyn Ear>,
    number: u64,
    has_ended: AtomicBool,
}

impl Subscriber {
    pub(crate) fn new(pattern: Pattern, ear: Box<dyn Ear>, number: u64) -> Self {
        Self { pattern, ear, number, has_ended: AtomicBool::new(false) }
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    pub(crate) fn ear(&self) -> &dyn Ear {
        &*self.ear
    }

    /// Its place among all subscribers of a pattern.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether publishers are to pass it by.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Ends it; true for the first who does so.
    pub(crate) fn end(&self) -> bool {
        !self.has_ended.swap(true, Ordering::AcqRel)
    }
}
