//! Subscribing: [`Subscribe`], the [`Subscription`] that comes of it, and its errors.

mod ear;
mod info;
mod subscriber;
mod tries;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use callboard_actor::{AskError, ErrorCode, Recipient};
use thiserror::Error;

pub(crate) use self::ear::{Ear, Ending, Failure, Mailbox, Pace, give_patiently};
pub use self::info::{SubscriptionId, SubscriptionInfo, UnknownSubscription};
pub(crate) use self::subscriber::{Conditions, Inbox, Moment, Route, Subscriber, Way};
pub(crate) use self::tries::Tries;
use crate::channel::{Channel, ChannelError, ChannelOverflow, Queue};
use crate::courier;
use crate::event::Event;
use crate::events::{Admit, Events, Sweep};
use crate::expression::ExpressionError;
use crate::filter::Filter;
use crate::gate::{Access, AuthContext, GateError};
use crate::pattern::Pattern;
use crate::retry::RetryPolicy;
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
    hearer: Hearer,
    channel: Option<String>,
    message_type: Option<Arc<str>>,
    filter: Option<Result<Filter, ExpressionError>>,
    concurrency: Option<usize>,
    retry: Option<RetryPolicy>,
    auth: Option<AuthContext>,
}

/// Who is to get the events.
pub(crate) enum Hearer {
    /// An actor, straight into its mailbox where no channel stands in between.
    Actor(Recipient<Event>),
    /// The same, as another type of message.
    Mailbox(Box<dyn Mailbox>),
    /// Somebody who is given them one after the other.
    Served(Box<dyn Ear>),
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
    /// The [gate](crate::gate) does not let it be made.
    #[error(transparent)]
    Denied(#[from] GateError),
    /// There is no such channel.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The filter cannot be read.
    #[error("the filter cannot be read: {0}")]
    InvalidFilter(#[from] ExpressionError),
    /// Nothing could ever be handled so.
    #[error("{0} of 0: nothing could be handled")]
    Nothing(&'static str),
    /// An actor is to be tried by a policy of its subscription.
    #[error("a policy of retries is for functions and batches: say `attempts` and `backoff` of the actor instead")]
    RetryOfActor,
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
            Self::Denied(fault) => fault.code(),
            Self::Channel(fault) => fault.code(),
            Self::InvalidFilter(_) => ErrorCode::ValidationFailed,
            Self::Nothing(_) | Self::RetryOfActor => ErrorCode::InvalidConfig,
            Self::Timeout => ErrorCode::Timeout,
            Self::Over => ErrorCode::Unavailable,
        }
    }

    fn of_ask(error: &AskError<Admit>) -> Self {
        if matches!(error, AskError::Timeout { .. }) { Self::Timeout } else { Self::Over }
    }
}

impl Subscribe {
    pub(crate) fn new(events: Events, pattern: Result<Pattern, TopicError>, hearer: Hearer) -> Self {
        Self {
            events,
            pattern,
            hearer,
            channel: None,
            message_type: None,
            filter: None,
            concurrency: None,
            retry: None,
            auth: None,
        }
    }

    /// What the subscriber shows the [gate](crate::gate), instead of what the running turn does.
    pub fn auth(mut self, auth: impl Into<AuthContext>) -> Self {
        self.auth = Some(auth.into());
        self
    }

    /// Subscribes to what is published on this channel, instead of what is published without one. See
    /// [`channel`](crate::channel) for what differs.
    pub fn on_channel(mut self, channel: impl Into<String>) -> Self {
        self.channel = Some(channel.into());
        self
    }

    /// Only events of this [type](Event::message_type).
    pub fn message_type(mut self, message_type: &str) -> Self {
        self.message_type = Some(message_type.into());
        self
    }

    /// Only events for which this is true. It runs where they are published, so it should be quick. When it panics the event
    /// is not accepted, and the panic is counted in [`filter_errors`](crate::EventCounts::filter_errors).
    pub fn filter(mut self, accepts: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Ok(Filter::Closure(Box::new(accepts))));
        self
    }

    /// Only events for which this [`Expression`](crate::Expression) is true, `data.module == 'lab'` say. An event of another
    /// shape is not accepted and counted as with [`filter`](Self::filter).
    ///
    /// The expression sees `name`, `data`, `time` (seconds since the Unix epoch), `source`, `id`, `channel` (null for none),
    /// `type` and `priority`; `Name`, `Data`, `Timestamp`, `Source`, `Id`, `Channel`, `MessageType` and `Priority` stand
    /// for the same.
    pub fn filter_expression(mut self, text: &str) -> Self {
        self.filter = Some(text.parse().map(Filter::Expression));
        self
    }

    /// Has so many events in hand at a time, instead of one: for a function they run side by side, an actor has them in its
    /// mailbox, batches are of that number. At most 1,000. A plain subscription of an actor has its whole mailbox anyway.
    /// Each call of a function also takes one of the [places](crate::Operations::set_concurrency) that all share.
    pub fn concurrency(mut self, events: usize) -> Self {
        self.concurrency = Some(events);
        self
    }

    /// Tries a function, or what failed of a batch, again by this policy, instead of three times without a pause. While it
    /// waits, the next event waits too, unless several are in hand; no try begins when the time to live of the event is over.
    /// That the error says of itself that it will not pass does not count.
    ///
    /// An actor is not tried by its subscriptions: its own [`attempts`](callboard_actor::Child::attempts) say how often, and
    /// its [`backoff`](callboard_actor::Child::backoff) what it waits in between.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Asks the gate, if there is one.
    fn admit(&self) -> Result<(), SubscribeError> {
        let gate = &self.events.board().gate;
        let (Ok(pattern), true) = (&self.pattern, gate.is_there()) else { return Ok(()) };
        let auth = self.auth.clone().unwrap_or_else(AuthContext::here);
        gate.ask(&auth, &Access::Subscribe { pattern, channel: self.channel.as_deref() })?;
        Ok(())
    }

    async fn subscribe(self) -> Result<Subscription, SubscribeError> {
        self.admit()?;
        let events = self.events.clone();
        let subscriber = Arc::new(self.subscriber()?);
        // From here on whatever ends this future early also ends the subscription.
        let subscription = Subscription { events, subscriber };
        courier::employ(&subscription.events, &subscription.subscriber);
        let actor = subscription.events.actor().ok_or(SubscribeError::Over)?;
        let asked = actor.ask(Admit(Arc::clone(&subscription.subscriber))).no_inherit().await;
        asked.map_err(|error| SubscribeError::of_ask(&error))?;
        Ok(subscription)
    }

    fn subscriber(self) -> Result<Subscriber, SubscribeError> {
        let (events, number) = (&self.events, self.events.fresh_number());
        let (pattern, filter) = (self.pattern?, self.filter.transpose()?);
        let find = |name: String| events.directory().find_or_create(&name, events.now());
        let channel = self.channel.map(find).transpose()?;
        let hearer = self.hearer.tried_by(self.retry)?;
        let route = route(events, hearer, channel.as_ref(), number, self.concurrency)?;
        let conditions = Conditions { message_type: self.message_type, filter };
        Ok(Subscriber::new(pattern, route, number).on_channel(channel).under(conditions))
    }
}

impl Hearer {
    fn tried_by(mut self, policy: Option<RetryPolicy>) -> Result<Self, SubscribeError> {
        let Some(policy) = policy else { return Ok(self) };
        let is_tried = match &mut self {
            Self::Actor(_) | Self::Mailbox(_) => false,
            Self::Served(ear) => ear.try_by(policy),
        };
        if is_tried { Ok(self) } else { Err(SubscribeError::RetryOfActor) }
    }
}

/// The way of events to whoever hears them: through a queue, unless it is an actor that is on no channel.
fn route(
    events: &Events,
    hearer: Hearer,
    channel: Option<&Arc<Channel>>,
    number: u64,
    concurrency: Option<usize>,
) -> Result<Route, SubscribeError> {
    let ear: Box<dyn Ear> = match hearer {
        Hearer::Actor(recipient) if channel.is_none() => return Ok(Route::Actor(recipient)),
        Hearer::Mailbox(mailbox) if channel.is_none() => return Ok(Route::Mailbox(mailbox)),
        Hearer::Actor(recipient) => Box::new(recipient),
        Hearer::Mailbox(mailbox) => mailbox,
        Hearer::Served(ear) => ear,
    };
    let pace = ear.pace();
    if pace.batch == 0 {
        return Err(SubscribeError::Nothing("batches"));
    }
    let side_by_side = concurrency.unwrap_or(pace.side_by_side).min(MOST_SIDE_BY_SIDE);
    if side_by_side == 0 {
        return Err(SubscribeError::Nothing("a concurrency"));
    }
    let own = || Arc::new(Queue::new(OWN_BOUND, ChannelOverflow::Reject, Arc::clone(events.directory().room())));
    let queue = channel.map_or_else(own, |channel| Arc::clone(&channel.queue));
    Ok(Route::Queue(Box::new(Inbox::new(queue, number, Pace { side_by_side, ..pace }, ear))))
}

/// How many events one subscription may have in hand.
const MOST_SIDE_BY_SIDE: usize = 1_000;
/// How many events wait for a subscription that has a queue of its own: as many as in a lane of a mailbox.
const OWN_BOUND: usize = 1_024;

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, SubscribeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.subscribe())
    }
}

impl Subscription {
    /// What it is known by.
    #[must_use]
    pub fn id(&self) -> SubscriptionId {
        self.subscriber.id()
    }

    /// How it stands.
    #[must_use]
    pub fn info(&self) -> SubscriptionInfo {
        SubscriptionInfo::of(&self.subscriber)
    }

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
        // Should nobody wait for the sweep below any more, this one has it taken out.
        self.events.retire(&self.subscriber);
        if let Some(actor) = self.events.actor() {
            // Where nobody answers, the system is about to end, and the table with it.
            let _ = actor.ask(Sweep).no_inherit().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.retire(&self.subscriber);
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
