//! Channels: scopes of events by name, each with a bound.
//!
//! ```
//! use callboard_actor::{Actor, Context, Drain, ErrorCode, Fault, Handler, Priority, System, block_on};
//! use callboard_bus::{ChannelOverflow, Event, EventsExt, Object};
//!
//! struct LabRunner;
//! impl Actor for LabRunner {}
//!
//! impl Handler<Event> for LabRunner {
//!     async fn handle(&mut self, event: Event, _: &mut Context<Self>) -> Result<(), Fault> {
//!         println!("{} of {}: {:?}", event.message_type(), event.source, event.data);
//!         Ok(())
//!     }
//! }
//!
//! block_on(async {
//!     let system = System::builder().start().await?;
//!     let updates = system.channel("Configuration").description("Configuration updates").bound(1_000);
//!     updates.overflow(ChannelOverflow::DropOldest).create().await?;
//!
//!     let runner = system.spawn(|| LabRunner);
//!     let about_us = system.subscribe(">", runner.recipient()).on_channel("Configuration");
//!     let _subscription = about_us.filter_expression("Data.Module == 'LabRunner'").await?;
//!
//!     let change = Object::from([("Module", "LabRunner"), ("Setting", "MaxJobs")]);
//!     let message = system.publish("ConfigChanged", change).channel("Configuration").priority(Priority::High);
//!     assert_eq!(message.source("ConfigurationCore").await?.delivered, 1);
//!
//!     let fault = system.send_message("Configuratoin", "ConfigChanged", 7).await.unwrap_err();
//!     assert_eq!(fault.code(), ErrorCode::UnknownChannel);
//!     system.shutdown(Drain::default()).await;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })
//! # .expect("it works");
//! ```
//!
//! # What is promised
//!
//! - A channel is a scope: its subscribers get what is published on it and nothing else, and who subscribes without a
//!   channel gets what is published without one. Only a [broadcast](crate::Broadcast) goes to all of them.
//! - Names, patterns, priorities, filters and times to live are those of all events; the same table and the same delivery
//!   serve both.
//! - A channel holds at most [`bound`](NewChannel::bound) messages: those that it has accepted and that not all of their
//!   subscribers have handled. All channels of a system hold at most 10,000 together, see [`Channels::set_limit`].
//! - A publisher never waits: its message is accepted for all subscribers that want it, or for none, and then the error is
//!   `busy`.
//! - A subscriber is given one message at a time, the most urgent first, and its next one when that turn has ended; see
//!   [`Subscribe::concurrency`](crate::Subscribe::concurrency) for more at a time. A slow one keeps nothing from
//!   the others but room.
//! - A channel may say what the data of its messages is like, see [`NewChannel::schema`]: what is not is refused to whoever publishes it,
//!   with everything that is wrong, and reaches nobody.
//! - A subscriber whose breaker is open is waited for. What is accepted for one that leaves or ends is dropped, and counted.

mod backlog;
mod lanes;
mod name;
mod queue;
mod schema;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use callboard_actor::ErrorCode;
use parking_lot::RwLock;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use thiserror::Error;

pub use self::name::{ChannelName, ChannelNameError};
pub use self::queue::ChannelOverflow;
pub(crate) use self::queue::{Accepted, Full, Queue, Room};
use self::schema::DataSchema;
use crate::events::{Events, Table};
use crate::schema::validity::InvalidSchema;
use crate::schema::{SchemaFault, of_input};
use crate::time;
use crate::value::Value;

/// The channels of a system. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channels {
    events: Events,
}

/// A channel about to be created.
#[derive(Clone, Debug)]
#[must_use = "a channel is created by `create`"]
pub struct NewChannel {
    events: Events,
    name: String,
    description: String,
    bound: usize,
    overflow: ChannelOverflow,
    schema: Option<Json>,
}

/// What a channel is and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Its name.
    pub name: ChannelName,
    /// What it is for.
    pub description: String,
    /// How many messages it has accepted that not all of their subscribers have handled.
    pub depth: usize,
    /// How many that may be.
    pub bound: usize,
    /// What becomes of one more.
    pub overflow: ChannelOverflow,
    /// How many subscriptions it has.
    pub subscribers: usize,
    /// How many messages were published on it, whether or not somebody wanted them.
    pub published: u64,
    /// How often one of them was handled by a subscriber.
    pub delivered: u64,
    /// When it was created, by the clock of the system.
    #[serde(serialize_with = "time::serialize_moment")]
    pub created: SystemTime,
    /// What the data of its messages has to be like, if it says so.
    #[serde(serialize_with = "serialize_shared")]
    pub schema: Option<Arc<Json>>,
}

fn serialize_shared<S: Serializer>(schema: &Option<Arc<Json>>, serializer: S) -> Result<S::Ok, S::Error> {
    schema.as_deref().serialize(serializer)
}

/// Why a channel was not created, or not found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The name cannot be one.
    #[error(transparent)]
    InvalidName(#[from] ChannelNameError),
    /// A bound of no messages.
    #[error("channel {0:?} has a bound of 0 messages: nothing could be published on it")]
    NoRoom(String),
    /// What it says of its data is no JSON Schema.
    #[error("channel {channel:?} has no valid JSON Schema: {fault}")]
    InvalidSchema {
        /// Its name.
        channel: String,
        /// What is wrong with it.
        fault: InvalidSchema,
    },
    /// There is a channel with this name.
    #[error("there is a channel {0:?} already")]
    AlreadyExists(String),
    /// There is none.
    #[error(
        "there is no channel {0:?}: create it first by `channel({0:?}).create()`, or let channels be made by `set_auto_create`"
    )]
    Unknown(String),
    /// There are as many as there may be.
    #[error("there are {} channels already, which is as many as there may be", Channels::MAX)]
    TooMany,
}

impl ChannelError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidName(fault) => fault.code(),
            Self::NoRoom(_) | Self::InvalidSchema { .. } => ErrorCode::InvalidConfig,
            Self::AlreadyExists(_) => ErrorCode::AlreadyExists,
            Self::Unknown(_) => ErrorCode::UnknownChannel,
            Self::TooMany => ErrorCode::Busy,
        }
    }
}

impl NewChannel {
    pub(crate) fn new(events: Events, name: &str) -> Self {
        let (name, overflow) = (name.to_owned(), ChannelOverflow::default());
        let (description, bound) = (String::new(), Channels::DEFAULT_BOUND);
        Self { events, name, description, bound, overflow, schema: None }
    }

    /// What it is for, in a sentence.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// How many messages it holds at most, 1,000 by default: those that it has accepted and that not all of their
    /// subscribers have handled.
    pub fn bound(mut self, messages: usize) -> Self {
        self.bound = messages;
        self
    }

    /// What becomes of a message that finds it full; it is rejected by default.
    pub fn overflow(mut self, overflow: ChannelOverflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// What the data of its messages has to be like: JSON Schema of the draft 2020-12. Data that is not is refused with
    /// [`validation_failed`](ErrorCode::ValidationFailed) and everything that is wrong with it, and reaches nobody. A message that
    /// was accepted is not looked at again, also when it comes back from the [dead letters](mod@crate::dead_letter_queue).
    pub fn schema(mut self, schema: Json) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The same, as a type reads it. Fields that it does not know are refused where it says so, by
    /// `#[serde(deny_unknown_fields)]`.
    ///
    /// ```
    /// # use callboard_actor::{Drain, ErrorCode, System, block_on};
    /// # use callboard_bus::EventsExt;
    /// #[derive(schemars::JsonSchema)]
    /// struct Reading {
    ///     degrees: f64,
    /// }
    /// # block_on(async {
    /// # let system = System::builder().workers(1).start().await?;
    /// system.channel("weather").schema_of::<Reading>().create().await?;
    ///
    /// let refused = system.publish("measured", "warm").channel("weather").await.unwrap_err();
    /// assert_eq!(refused.code(), ErrorCode::ValidationFailed);
    /// # system.shutdown(Drain::default()).await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn schema_of<T: JsonSchema>(self) -> Self {
        self.schema(of_input::<T>())
    }

    /// Creates it.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], but not [`ChannelError::Unknown`].
    ///
    /// # Cancel safety
    ///
    /// Once polled it has been created or refused.
    pub async fn create(self) -> Result<(), ChannelError> {
        let name = self.name.parse()?;
        self.create_as(name)
    }

    /// The same under a name of the system's own: a channel that is in no list.
    pub(crate) fn create_private(self) -> Result<(), ChannelError> {
        let name = ChannelName::reserved(&self.name);
        self.create_as(name)
    }

    fn create_as(self, name: ChannelName) -> Result<(), ChannelError> {
        if self.bound == 0 {
            return Err(ChannelError::NoRoom(self.name));
        }
        let schema = self.schema.map(DataSchema::new).transpose();
        let schema = schema.map_err(|fault| ChannelError::InvalidSchema { channel: self.name, fault })?;
        let (created, room) = (self.events.now(), Arc::clone(self.events.directory().room()));
        let queue = Arc::new(Queue::new(self.bound, self.overflow, room));
        self.events.directory().add(Channel { schema, ..Channel::new(name, self.description, queue, created) })
    }
}

impl Channels {
    /// How many channels a system may have.
    pub const MAX: usize = 10_000;
    const DEFAULT_BOUND: usize = 1_000;

    pub(crate) fn new(events: Events) -> Self {
        Self { events }
    }

    /// All of them, by name.
    #[must_use]
    pub fn list(&self) -> Vec<ChannelInfo> {
        let all = self.events.directory().all().into_iter();
        all.filter(|channel| !channel.name.is_reserved()).map(|channel| channel.info()).collect()
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Unknown`].
    pub fn get(&self, name: &str) -> Result<ChannelInfo, ChannelError> {
        let found = self.events.directory().find(name);
        found.map(|channel| channel.info()).ok_or_else(|| ChannelError::Unknown(name.to_owned()))
    }

    /// Takes a channel away. Its subscriptions end; what it holds is dropped, and counted.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Unknown`].
    pub fn remove(&self, name: &str) -> Result<(), ChannelError> {
        let channel = self.events.directory().remove(name).ok_or_else(|| ChannelError::Unknown(name.to_owned()))?;
        self.events.retire_all_of(&channel);
        Ok(())
    }

    /// How many messages all queues together hold: those of the channels, and those of subscriptions that are given
    /// batches or are functions.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.events.directory().room().held()
    }

    /// How many that may be: 10,000 unless it is set. Fewer than there are now throws nothing away.
    pub fn set_limit(&self, messages: usize) {
        self.events.directory().room().set_limit(messages);
    }

    /// Whether publishing on a channel that is not there, or subscribing to it, creates it with the defaults. It does not
    /// unless this is set.
    pub fn set_auto_create(&self, wanted: bool) {
        self.events.directory().creates.store(wanted, Ordering::Relaxed);
    }

    /// How many bytes the data of a message on a channel may have as JSON: 1 MiB unless it is set.
    pub fn set_max_payload(&self, bytes: usize) {
        self.events.directory().max_payload.store(bytes as u64, Ordering::Relaxed);
    }
}

/// One channel.
pub(crate) struct Channel {
    name: ChannelName,
    description: String,
    created: SystemTime,
    pub(crate) queue: Arc<Queue>,
    /// Its part of the table: only the events actor replaces it.
    pub(crate) table: ArcSwap<Table>,
    pub(crate) published: AtomicU64,
    pub(crate) delivered: AtomicU64,
    is_removed: AtomicBool,
    schema: Option<DataSchema>,
}

impl Channel {
    fn new(name: ChannelName, description: String, queue: Arc<Queue>, created: SystemTime) -> Self {
        let (table, is_removed) = (ArcSwap::default(), AtomicBool::new(false));
        let (published, delivered, schema) = (0.into(), 0.into(), None);
        Self { name, description, created, queue, table, published, delivered, is_removed, schema }
    }

    pub(crate) fn name(&self) -> &ChannelName {
        &self.name
    }

    /// Everything for which this data is not what its messages have.
    pub(crate) fn faults(&self, data: &Value) -> Vec<SchemaFault> {
        self.schema.as_ref().map_or_else(Vec::new, |schema| schema.faults(data))
    }

    /// Whether nobody can subscribe to it any more.
    pub(crate) fn is_removed(&self) -> bool {
        self.is_removed.load(Ordering::Acquire)
    }

    pub(crate) fn info(&self) -> ChannelInfo {
        let mut subscribers = 0;
        self.table.load().for_each(&mut |subscriber| subscribers += usize::from(!subscriber.has_ended()));
        ChannelInfo {
            name: self.name.clone(),
            description: self.description.clone(),
            depth: self.queue.depth(),
            bound: self.queue.bound(),
            overflow: self.queue.overflow(),
            subscribers,
            published: self.published.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            created: self.created,
            schema: self.schema.as_ref().map(|schema| Arc::clone(schema.schema())),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name.as_str()).finish_non_exhaustive()
    }
}

/// The channels by name, and what holds for all of them.
#[derive(Debug)]
pub(crate) struct Directory {
    channels: RwLock<BTreeMap<ChannelName, Arc<Channel>>>,
    room: Arc<Room>,
    creates: AtomicBool,
    max_payload: AtomicU64,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            channels: RwLock::default(),
            room: Arc::default(),
            creates: AtomicBool::new(false),
            max_payload: AtomicU64::new(1 << 20),
        }
    }
}

impl Directory {
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    pub(crate) fn max_payload(&self) -> u64 {
        self.max_payload.load(Ordering::Relaxed)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Channel>> {
        self.channels.read().get(name).cloned()
    }

    /// The channel to publish on or to subscribe to, which may be created for that.
    pub(crate) fn find_or_create(&self, name: &str, now: SystemTime) -> Result<Arc<Channel>, ChannelError> {
        if let Some(channel) = self.find(name) {
            return Ok(channel);
        }
        let parsed: ChannelName = name.parse()?;
        if self.creates.load(Ordering::Relaxed) {
            let queue = Queue::new(Channels::DEFAULT_BOUND, ChannelOverflow::default(), Arc::clone(&self.room));
            // Somebody else may have been faster.
            self.add(Channel::new(parsed, String::new(), Arc::new(queue), now)).or_else(|fault| match fault {
                ChannelError::AlreadyExists(_) => Ok(()),
                fault => Err(fault),
            })?;
        }
        self.find(name).ok_or_else(|| ChannelError::Unknown(name.to_owned()))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Channel>> {
        self.channels.read().values().cloned().collect()
    }

    fn add(&self, channel: Channel) -> Result<(), ChannelError> {
        let mut channels = self.channels.write();
        if channels.contains_key(&channel.name) {
            return Err(ChannelError::AlreadyExists(channel.name.to_string()));
        }
        if channels.len() >= Channels::MAX {
            return Err(ChannelError::TooMany);
        }
        channels.insert(channel.name.clone(), Arc::new(channel));
        Ok(())
    }

    fn remove(&self, name: &str) -> Option<Arc<Channel>> {
        let channel = self.channels.write().remove(name)?;
        channel.is_removed.store(true, Ordering::Release);
        Some(channel)
    }

    /// The system has ended.
    pub(crate) fn clear(&self) {
        let channels = std::mem::take(&mut *self.channels.write());
        for channel in channels.values() {
            channel.is_removed.store(true, Ordering::Release);
            channel.table.swap(Arc::default());
        }
    }
}
