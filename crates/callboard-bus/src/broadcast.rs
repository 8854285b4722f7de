//! One event for everybody: [`Broadcast`] and its [`BroadcastReceipt`].

use std::collections::{BTreeMap, HashSet};
use std::future::IntoFuture;
use std::pin::Pin;

use callboard_actor::Priority;

use crate::channel::ChannelName;
use crate::event::EventId;
use crate::events::Events;
use crate::gate::AuthContext;
use crate::publish::{EventOptions, Manner, PublishError};
use crate::subscription::Subscriber;
use crate::topic::Topic;
use crate::value::Value;

/// An event about to be published without a channel and on every channel that there is: `.await` publishes it, under one id.
///
/// An actor gets it once, however many of its subscriptions on however many channels want it: by the first of them, those
/// without a channel before those on channels, the channels by name. A channel that is full, or of other data by its
/// [schema](crate::NewChannel::schema), does not keep it from the others.
///
/// # Errors
///
/// [`PublishError`]: the name cannot be one, or the [gate](crate::gate) does not let it, which asks for the scope
/// `events:broadcast`.
///
/// # Cancel safety
///
/// As with [`Publish`](crate::Publish); the channels have it before anybody is waited for.
#[must_use = "an event is published when this is awaited"]
#[derive(Debug)]
pub struct Broadcast {
    events: Events,
    what: Result<(Topic, Value), PublishError>,
    options: EventOptions,
}

/// Who got a broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastReceipt {
    /// The id that subscribers see.
    pub id: EventId,
    /// How many subscriptions without a channel have it in the mailboxes of their actors.
    pub delivered: usize,
    /// How many did not take it, as in a [`Receipt`](crate::Receipt).
    pub refused: usize,
    /// By channel, how many of its subscriptions have it in their queue, or why none has.
    pub channels: BTreeMap<ChannelName, Result<usize, PublishError>>,
}

impl Broadcast {
    pub(crate) fn new(events: Events, what: Result<(Topic, Value), PublishError>) -> Self {
        Self { events, what, options: EventOptions::default() }
    }

    /// As [`Publish::priority`](crate::Publish::priority).
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options = self.options.priority(priority);
        self
    }

    /// As [`Publish::message_type`](crate::Publish::message_type).
    pub fn message_type(mut self, message_type: &str) -> Self {
        self.options = self.options.message_type(message_type);
        self
    }

    /// As [`Publish::source`](crate::Publish::source).
    pub fn source(mut self, source: &str) -> Self {
        self.options = self.options.source(source);
        self
    }

    /// As [`Publish::ttl`](crate::Publish::ttl).
    pub fn ttl(mut self, ttl: std::time::Duration) -> Self {
        self.options = self.options.ttl(ttl);
        self
    }

    /// As [`Publish::auth`](crate::Publish::auth).
    pub fn auth(mut self, auth: impl Into<AuthContext>) -> Self {
        self.options = self.options.auth(auth);
        self
    }

    async fn broadcast(self) -> Result<BroadcastReceipt, PublishError> {
        let (name, data) = self.what?;
        let mut event = self.events.draft(name, data, None, self.options, Manner::Broadcast)?.publish(&self.events);
        let mut got = HashSet::new();
        let mut takes = |subscriber: &Subscriber| got.insert((subscriber.actor(), subscriber.ear().kind()));
        let (heard, waiting) = self.events.deliver_now(&mut event, &mut takes);
        let mut channels = BTreeMap::new();
        for channel in self.events.directory().all() {
            let mut on_channel = event.on_channel(channel.name());
            let fits = self.events.hold_to_schema(&channel, &event.data);
            let receipt = fits.and_then(|()| self.events.deliver_on(&channel, &mut on_channel, &mut takes));
            channels.insert(channel.name().clone(), receipt.map(|receipt| receipt.delivered));
        }
        let receipt = self.events.deliver_waiting(&event, heard, waiting).await;
        Ok(BroadcastReceipt { id: event.id, delivered: receipt.delivered, refused: receipt.refused, channels })
    }
}

impl IntoFuture for Broadcast {
    type Output = Result<BroadcastReceipt, PublishError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.broadcast())
    }
}
