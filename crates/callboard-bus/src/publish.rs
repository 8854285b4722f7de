//! Publishing: [`Publish`], its [`Receipt`] and its errors.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::{Duration, SystemTime};

use callboard_actor::{ErrorCode, Priority};
use thiserror::Error;

use crate::channel::{Channel, ChannelError, ChannelName};
use crate::event::{Details, DomainEvent, Event, EventId, EventSource, Published};
use crate::events::Events;
use crate::gate::{Access, AuthContext, GateError};
use crate::schema::{List, SchemaFault};
use crate::topic::{Topic, TopicError};
use crate::value::{Value, ValueError};

/// An event about to be published: `.await` publishes it.
///
/// It ends when every subscriber has the event in its mailbox or has not taken it; it waits for no handler. Nobody
/// subscribed is success.
///
/// # Errors
///
/// [`PublishError`]: the name cannot be one, or the channel is not there, full, or of other data. That a subscriber did not take it is no
/// error, see [`Receipt`].
///
/// # Cancel safety
///
/// Dropped before it has ended, subscribers that had room have the event and those whose mailboxes were full do not. On a
/// channel it ends when it is first polled.
#[must_use = "an event is published when this is awaited"]
#[derive(Debug)]
pub struct Publish<'a> {
    events: Cow<'a, Events>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct EventOptions {
    priority: Priority,
    /// On the heap, as few events have any of it and all are moved several times before they are published.
    rare: Option<Box<Rare>>,
}

/// What few publishers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rare {
    id: Option<EventId>,
    channel: Option<Arc<str>>,
    message_type: Option<Arc<str>>,
    source: Option<EventSource>,
    ttl: Option<Duration>,
    auth: Option<Arc<AuthContext>>,
}

impl EventOptions {
    /// As [`Publish::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// As [`Publish::id`].
    pub fn id(mut self, id: EventId) -> Self {
        self.rare().id = Some(id);
        self
    }

    /// As [`Publish::channel`].
    pub fn channel(mut self, channel: &str) -> Self {
        self.rare().channel = Some(channel.into());
        self
    }

    /// As [`Publish::message_type`].
    pub fn message_type(mut self, message_type: &str) -> Self {
        self.rare().message_type = Some(message_type.into());
        self
    }

    /// As [`Publish::source`].
    pub fn source(mut self, source: &str) -> Self {
        self.rare().source = Some(source.into());
        self
    }

    /// As [`Publish::ttl`].
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.rare().ttl = Some(ttl);
        self
    }

    /// As [`Publish::auth`].
    pub fn auth(mut self, auth: impl Into<AuthContext>) -> Self {
        self.rare().auth = Some(Arc::new(auth.into()));
        self
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// Who got an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The id that subscribers see.
    pub id: EventId,
    /// How many subscriptions have it: in the mailboxes of their actors or, on a channel, in its queue. With 0 and nothing
    /// refused there is nobody to handle it; that a handler has failed is another matter, which a receipt never tells.
    pub delivered: usize,
    /// How many did not take it: the breaker open, not admitted, or no room where nobody may wait for it. Each is a
    /// [dead letter](crate::dead_letter_queue).
    pub refused: usize,
    /// How many did not want it, as its type is another one or their filter says so.
    pub filtered: usize,
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
    /// The [gate](crate::gate) does not let it be published.
    #[error(transparent)]
    Denied(#[from] GateError),
    /// The data has no form as a value.
    #[error("the data of the event has no form as a value: {0}")]
    Data(#[from] ValueError),
    /// The type of the message is empty, longer than 128 bytes or has a control character.
    #[error("{0:?} cannot be the type of a message: it has 1 to 128 bytes and no control characters")]
    InvalidMessageType(String),
    /// The name of whoever publishes is longer than 255 bytes or has a control character.
    #[error("{0:?} cannot be the source of an event: it has at most 255 bytes and no control characters")]
    InvalidSource(String),
    /// A time to live of nothing.
    #[error("a time to live of 0: the event would be over before anybody could handle it")]
    NoTimeToLive,
    /// The channel is not there.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The channel holds as many messages as it may, and none of them can make room.
    #[error("channel {channel:?} is full: it holds {bound} messages")]
    ChannelFull {
        /// The channel.
        channel: String,
        /// How many it may hold.
        bound: usize,
    },
    /// All queues of the system together hold as many messages as they may.
    #[error("there is no room on channel {channel:?}: all channels together hold {limit} messages")]
    SystemFull {
        /// The channel.
        channel: String,
        /// How many they may hold.
        limit: usize,
    },
    /// The data is not what the channel [says](crate::NewChannel::schema) of its messages.
    #[error("the data of the event does not fit channel {channel:?}: {}", List(.faults))]
    Invalid {
        /// The channel.
        channel: String,
        /// Everything that does not fit, up to a hundred.
        faults: Vec<SchemaFault>,
    },
    /// The data is too large for a channel.
    #[error("the data of the event has more than the {limit} bytes that a message on a channel may have")]
    PayloadTooLarge {
        /// How many bytes it may have as JSON.
        limit: u64,
    },
}

impl PublishError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidName(_) | Self::Reserved(_) | Self::InvalidMessageType(_) | Self::InvalidSource(_) => {
                ErrorCode::InvalidName
            }
            Self::Data(_) | Self::NoTimeToLive | Self::Invalid { .. } => ErrorCode::ValidationFailed,
            Self::Denied(fault) => fault.code(),
            Self::Channel(fault) => fault.code(),
            Self::ChannelFull { .. } | Self::SystemFull { .. } => ErrorCode::Busy,
            Self::PayloadTooLarge { .. } => ErrorCode::PayloadTooLarge,
        }
    }

    /// What to do about it, in a sentence for people: what its code says.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.code().help()
    }
}

impl<'a> Publish<'a> {
    #[inline]
    pub(crate) fn new(events: Cow<'a, Events>, what: Result<(Topic, Value), PublishError>) -> Self {
        Self { events, what, options: EventOptions::default() }
    }

    /// The same without what it borrows, for another task to publish it.
    pub fn into_owned(self) -> Publish<'static> {
        Publish { events: Cow::Owned(self.events.into_owned()), what: self.what, options: self.options }
    }

    /// Sends it to its subscribers with this priority instead of [`Priority::Normal`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.priority = priority;
        self
    }

    /// Publishes under this id, to repeat an event that may have been published before. A subscriber may see both.
    pub fn id(mut self, id: EventId) -> Self {
        self.options = self.options.id(id);
        self
    }

    /// Publishes on this channel, see [`channel`](crate::channel).
    pub fn channel(mut self, channel: &str) -> Self {
        self.options = self.options.channel(channel);
        self
    }

    /// Gives it a type beside its name, which is its type otherwise.
    pub fn message_type(mut self, message_type: &str) -> Self {
        self.options = self.options.message_type(message_type);
        self
    }

    /// Says who publishes, instead of `system`.
    pub fn source(mut self, source: &str) -> Self {
        self.options = self.options.source(source);
        self
    }

    /// No handler is given it after this time: it becomes a dead letter. A time to live of nothing is an error.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.options = self.options.ttl(ttl);
        self
    }

    /// What the publisher shows the [gate](crate::gate), instead of what the running turn does. Subscribers do not see it. A dead
    /// letter of the event keeps it, to show it again when it is retried.
    pub fn auth(mut self, auth: impl Into<AuthContext>) -> Self {
        self.options = self.options.auth(auth);
        self
    }

    /// Gives the event to all who have room, and says how to wait for the others.
    fn begin(self) -> Result<Begun, PublishError> {
        let Self { events, what, options } = self;
        let (name, data) = what?;
        let draft = events.draft(name, data, None, options, Manner::Published)?;
        if let Some(channel) = draft.channel().cloned() {
            let mut event = draft.stamp(&events);
            return events.deliver_on(&channel, &mut event, |_| true).map(Begun::Done);
        }
        let mut event = draft.publish(&events);
        let (heard, waiting) = events.deliver_now(&mut event, |_| true);
        if waiting.is_empty() {
            return Ok(Begun::Done(heard.receipt(event.id)));
        }
        let events = events.into_owned();
        Ok(Begun::Waits(Box::pin(async move { events.deliver_waiting(&event, heard, waiting).await })))
    }
}

/// What has come of publishing.
enum Begun {
    Done(Receipt),
    /// Somebody has no room yet.
    Waits(Waits),
}

type Waits = Pin<Box<dyn Future<Output = Receipt> + Send>>;

impl<'a> IntoFuture for Publish<'a> {
    type Output = Result<Receipt, PublishError>;
    type IntoFuture = PublishFuture<'a>;

    #[inline]
    fn into_future(self) -> PublishFuture<'a> {
        PublishFuture { fresh: Some(self), waits: None }
    }
}

/// The future of a [`Publish`]. It is all done at the first poll where every subscriber has room.
#[must_use = "an event is published when this is awaited"]
pub struct PublishFuture<'a> {
    /// Until it is first polled.
    fresh: Option<Publish<'a>>,
    waits: Option<Waits>,
}

impl Future for PublishFuture<'_> {
    type Output = Result<Receipt, PublishError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if let Some(fresh) = self.fresh.take() {
            match fresh.begin()? {
                Begun::Done(receipt) => return Poll::Ready(Ok(receipt)),
                Begun::Waits(waits) => self.waits = Some(waits),
            }
        }
        let Some(waits) = &mut self.waits else { return Poll::Pending };
        let receipt = ready!(waits.as_mut().poll(task));
        self.waits = None;
        Poll::Ready(Ok(receipt))
    }
}

impl fmt::Debug for PublishFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishFuture").field("waits", &self.waits.is_some()).finish_non_exhaustive()
    }
}

/// An event that is about to be published, and is known to be one.
pub(crate) struct Draft {
    name: Topic,
    data: Value,
    source: EventSource,
    priority: Priority,
    /// Since the Unix epoch.
    now: Duration,
    settled: Option<Box<Settled>>,
}

/// What has come of what few publishers say.
struct Settled {
    id: Option<EventId>,
    details: Option<Arc<Details>>,
    channel: Option<Arc<Channel>>,
}

impl Draft {
    /// The channel that it is for.
    #[inline]
    pub(crate) fn channel(&self) -> Option<&Arc<Channel>> {
        self.settled.as_ref()?.channel.as_ref()
    }

    fn id(&self) -> Option<EventId> {
        self.settled.as_ref()?.id
    }

    /// Publishes it right now.
    ///
    /// Inlined with all that it calls: a draft that is handed on whole is copied at each step.
    #[inline(always)]
    pub(crate) fn publish(self, events: &Events) -> Event {
        let mut log = events.board().log();
        let id = self.id().unwrap_or_else(|| log.fresh_id(self.now));
        let mut event = self.into_event(id);
        log.add(&mut event);
        event
    }

    /// Gives it its id; it is published later.
    pub(crate) fn stamp(self, events: &Events) -> Event {
        let id = self.id().unwrap_or_else(|| events.board().fresh_id(self.now));
        self.into_event(id)
    }

    #[inline(always)]
    fn into_event(self, id: EventId) -> Event {
        let Self { name, data, source, priority, now, settled } = self;
        let details = Details::here(settled.and_then(|settled| settled.details), id);
        Published { id, name, data, time: SystemTime::UNIX_EPOCH + now, source, priority, details }.into()
    }
}

/// How an event is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Published,
    Broadcast,
    /// By the system itself, which asks no gate.
    OfTheSystem,
}

/// What a draft says that few events have.
fn details(
    channel: Option<&Channel>,
    message_type: Option<Arc<str>>,
    (now, ttl): (Duration, Option<Duration>),
    auth: Option<Arc<AuthContext>>,
) -> Result<Details, PublishError> {
    if let Some(text) = message_type.as_deref().filter(|text| !is_message_type(text)) {
        return Err(PublishError::InvalidMessageType(text.chars().take(128).collect()));
    }
    if ttl.is_some_and(|ttl| ttl.is_zero()) {
        return Err(PublishError::NoTimeToLive);
    }
    // One that is over after the end of time is none.
    let expires = ttl.and_then(|ttl| (SystemTime::UNIX_EPOCH + now).checked_add(ttl));
    let channel = channel.map(|channel| channel.name().clone());
    Ok(Details { channel, message_type, expires, auth, ..Details::default() })
}

fn is_message_type(text: &str) -> bool {
    (1..=128).contains(&text.len()) && !text.contains(char::is_control)
}

fn is_source(text: &str) -> bool {
    text.len() <= 255 && !text.contains(char::is_control)
}

/// Whether a value has more bytes as JSON; no more of it is written than that takes.
fn is_longer(data: &Value, limit: u64) -> bool {
    struct Left(u64);
    impl io::Write for Left {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.0.checked_sub(bytes.len() as u64);
            self.0 = left.ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Left(limit), data).is_err()
}

impl Events {
    /// Checks what is to be published; `source` is whose turn it is, if it is one.
    #[inline(always)]
    pub(crate) fn draft(
        &self,
        name: Topic,
        data: Value,
        source: Option<EventSource>,
        options: EventOptions,
        manner: Manner,
    ) -> Result<Draft, PublishError> {
        let EventOptions { priority, rare } = options;
        let source = source.unwrap_or_default();
        let draft = Draft { name, data, source, priority, now: self.wall(), settled: None };
        if rare.is_none() && !self.board().gate.is_there() {
            return Ok(draft);
        }
        self.check(draft, rare.map_or_else(Rare::default, |rare| *rare), manner)
    }

    /// Checks what few publishers say, and asks the gate, if there is one.
    fn check(&self, mut draft: Draft, rare: Rare, manner: Manner) -> Result<Draft, PublishError> {
        let Rare { id, channel, message_type, source, ttl, auth } = rare;
        if let Some(text) = source.as_deref().filter(|text| !is_source(text)) {
            return Err(PublishError::InvalidSource(text.chars().take(128).collect()));
        }
        draft.source = source.unwrap_or(draft.source);
        let auth = self.admit(manner, auth, (&draft.name, &draft.source, channel.as_deref()))?;
        let channel = channel.map(|name| self.open_channel(&name, &draft.data)).transpose()?;
        let details = details(channel.as_deref(), message_type, (draft.now, ttl), auth)?.kept();
        if id.is_some() || details.is_some() || channel.is_some() {
            draft.settled = Some(Box::new(Settled { id, details, channel }));
        }
        Ok(draft)
    }

    /// Asks the gate, if there is one, and says what it was shown.
    #[inline]
    fn admit(
        &self,
        manner: Manner,
        auth: Option<Arc<AuthContext>>,
        (event, source, channel): (&Topic, &str, Option<&str>),
    ) -> Result<Option<Arc<AuthContext>>, GateError> {
        let gate = &self.board().gate;
        if !gate.is_there() || manner == Manner::OfTheSystem {
            return Ok(None);
        }
        let auth = auth.unwrap_or_else(|| Arc::new(AuthContext::here()));
        let access = match manner {
            Manner::Broadcast => Access::Broadcast { event, source },
            _ => Access::Publish { event, source, channel },
        };
        gate.ask(&auth, &access).map(|_| Some(auth))
    }

    /// Asks the gate, if there is one, whether whoever has published an event may publish it now.
    pub(crate) fn admit_again(&self, event: &Event, retrying: &AuthContext) -> Result<(), GateError> {
        let channel = event.channel().map(ChannelName::as_str);
        let access = Access::Publish { event: &event.name, source: &event.source, channel };
        self.board().gate.ask(event.auth().unwrap_or(retrying), &access).map(drop)
    }

    /// The channel, which takes this much data.
    fn open_channel(&self, name: &str, data: &Value) -> Result<Arc<Channel>, PublishError> {
        let channel = self.directory().find_or_create(name, self.now())?;
        let limit = self.directory().max_payload();
        if is_longer(data, limit) {
            return Err(PublishError::PayloadTooLarge { limit });
        }
        self.hold_to_schema(&channel, data)?;
        Ok(channel)
    }

    /// Refuses data that is not what the channel says of its messages.
    pub(crate) fn hold_to_schema(&self, channel: &Channel, data: &Value) -> Result<(), PublishError> {
        let faults = channel.faults(data);
        if faults.is_empty() {
            return Ok(());
        }
        self.board().counts.reject();
        Err(PublishError::Invalid { channel: channel.name().to_string(), faults })
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
