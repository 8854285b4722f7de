//! Events by name: who publishes knows no subscriber, and who subscribes knows no publisher.
//!
//! ```
//! use callboard_actor::{Actor, Context, Drain, Fault, Handler, Message, System, block_on};
//! use callboard_bus::{Event, EventsExt, Subscription, TurnEventsExt, Value};
//!
//! struct Ledger {
//!     batches: usize,
//!     _subscription: Subscription, // dropped with the ledger, which unsubscribes it
//! }
//! # impl Actor for Ledger {}
//!
//! impl Handler<Event> for Ledger {
//!     async fn handle(&mut self, event: Event, cx: &mut Context<Self>) -> Result<(), Fault> {
//!         self.batches += 1;
//!         // Leaves if this turn ends well.
//!         cx.publish("ledger.entry.written", event.data.clone())?;
//!         Ok(())
//!     }
//! }
//! # struct Batches;
//! # impl Message for Batches { type Reply = usize; }
//! # impl Handler<Batches> for Ledger {
//! #     async fn handle(&mut self, _: Batches, _: &mut Context<Self>) -> Result<usize, Fault> { Ok(self.batches) }
//! # }
//!
//! async fn open(cx: &mut Context<Ledger>) -> Result<Ledger, Fault> {
//!     let me = cx.me().recipient();
//!     Ok(Ledger { batches: 0, _subscription: cx.subscribe("data.*.received", me).await? })
//! }
//!
//! block_on(async {
//!     let system = System::builder().start().await?;
//!     let ledger = system.spawn(callboard_actor::child_with("ledger", open));
//!     assert_eq!(ledger.ask(Batches).await?, 0); // it answers, so it has started and subscribed
//!
//!     let receipt = system.publish("data.batch.received", Value::from("rows 1 to 100")).await?;
//!     assert_eq!(receipt.delivered, 1);
//!     assert_eq!(ledger.ask(Batches).await?, 1);
//!     system.shutdown(Drain::default()).await;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })
//! # .expect("it works");
//! ```
//!
//! # What is promised
//!
//! - A subscription whose [`subscribe`](EventsExt::subscribe) has returned gets every event that is published from then
//!   on, once, while its actor takes messages; an actor with two subscriptions that match gets it twice. It gets no event from before.
//! - Once [`unsubscribe`](crate::Subscription::unsubscribe) has returned, or the [`Subscription`](crate::Subscription)
//!   was dropped, nothing that is published from then on reaches it. An event that was on its way, in the hands of a
//!   publisher or in the mailbox, still does.
//! - Events of one publisher reach one subscriber in the order in which they were published, within a priority.
//! - A publisher waits for no handler. It waits for room in a full mailbox, as `tell` does, for all subscribers at once:
//!   those who have room have the event meanwhile.
//! - What a subscriber does not take, as its breaker is open say, becomes a dead letter and is counted in the
//!   [`Receipt`](crate::Receipt). One that has ended is skipped, and its subscription goes: at once when somebody
//!   publishes to it. Where nobody does, the table is looked through for them whenever as many have come since the last
//!   time as there were subscriptions then, and 1,000.
//! - What became of each event at each subscription is counted, see [`EventCounts`].
//! - While the system ends, events reach those whose actors still take messages. One that drains takes no new ones: for
//!   publishers it has ended. Publishing is no error to the very last, when nobody is left to hear it; subscribing is one
//!   as soon as the actor `events` takes no messages.
//! - A publisher that does not know whether it has published repeats the event under the same [`EventId`]
//!   ([`Publish::id`], [`EventOptions::id`]): then a subscriber may see both.
//!
//! # How it works
//!
//! Subscriptions and their ends go through the mailbox of one actor, `events`. It publishes the table of all patterns as
//! a snapshot, which publishers read without asking it or waiting for it. The next snapshot shares with the last one all
//! but the way to what has changed, so a subscription costs about as many steps as their number has digits.

mod actor;
mod board;
mod counts;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callboard_actor::{Actor, ActorRef, Context, Fault, Recipient, System};

use self::actor::EventsActor;
pub(crate) use self::actor::{Admit, Sweep};
use self::board::Board;
pub(crate) use self::board::Table;
pub(crate) use self::counts::End;
pub use self::counts::EventCounts;
use crate::batch::{Batch, BatchEar};
use crate::broadcast::Broadcast;
use crate::channel::{Channel, Channels, Directory, NewChannel, Queue};
use crate::event::{DomainEvent, Event, EventId};
use crate::gate::AuthContext;
use crate::history::{EventStore, EventStoreError, History, HistoryQuery};
use crate::listener::Listener;
use crate::pattern::Pattern;
use crate::publish::{EventOptions, Manner, Publish, PublishError, free_topic, typed};
use crate::subscription::{
    Hearer, Mailbox, Subscribe, Subscriber, SubscriptionId, SubscriptionInfo, UnknownSubscription,
};
use crate::topic::Topic;
use crate::value::Value;

/// Events for whoever has a [`System`].
pub trait EventsExt {
    /// The handle behind the other two, for names that have been read already.
    fn events(&self) -> Events;

    /// Publishes an event when awaited. See [`Publish`] for its errors.
    fn publish(&self, name: &str, data: impl Into<Value>) -> Publish<'static>;

    /// Publishes an event that is a type, under the name that its type has. See [`Publish`] for its errors.
    fn emit<E: DomainEvent>(&self, event: &E) -> Publish<'static>;

    /// Publishes an event without a channel and on every channel that there is, when awaited. See [`Broadcast`].
    fn broadcast(&self, name: &str, data: impl Into<Value>) -> Broadcast;

    /// Publishes a message of a type on a channel, when awaited: [`publish`](Self::publish) under the name of the type, on
    /// that [channel](Publish::channel), in the words of who thinks of channels first.
    fn send_message(&self, channel: &str, message_type: &str, data: impl Into<Value>) -> Publish<'static> {
        self.publish(message_type, data).channel(channel)
    }

    /// Subscribes an actor to all events whose names match, when awaited. See [`Subscribe`] for its errors.
    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe;

    /// Subscribes an actor that takes events by the [`Batch`], up to `most` together. None waits longer than `linger` for
    /// others to come, but while the actor is at work on one batch the next one waits. Up to 1,024 events wait; one more is
    /// a dead letter.
    fn subscribe_batched(&self, pattern: &str, recipient: Recipient<Batch>, most: usize, linger: Duration)
    -> Subscribe;

    /// Subscribes a function. It is given one event at a time, or as many as [`concurrency`](Subscribe::concurrency) says,
    /// all on one thread. Where it fails or panics it is called again, 3 times in all or as [`retry`](Subscribe::retry) says;
    /// then the event is a dead letter. Up to 1,024 events wait; one more is a dead letter. The function lives as long as the subscription.
    ///
    /// ```
    /// # use callboard_actor::{Drain, System, block_on};
    /// # use callboard_bus::{EventsExt, Value};
    /// # block_on(async {
    /// # let system = System::builder().workers(1).start().await?;
    /// let subscription = system.subscribe_fn("mail.*", async |event| {
    ///     println!("{}", event.name);
    ///     Ok(())
    /// });
    /// let subscription = subscription.concurrency(16).await?;
    /// # subscription.unsubscribe().await;
    /// # system.shutdown(Drain::default()).await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    fn subscribe_fn<F, Handling>(&self, pattern: &str, function: F) -> Subscribe
    where
        F: Fn(Event) -> Handling + Send + Sync + 'static,
        Handling: Future<Output = Result<(), Fault>> + 'static;

    /// A channel about to be created, see [`channel`](crate::channel).
    fn channel(&self, name: &str) -> NewChannel;

    /// The channels that there are.
    fn channels(&self) -> Channels;
}

/// Events from within a turn; apart from [`EventsExt`] as publishing is an effect here.
pub trait TurnEventsExt {
    /// As [`EventsExt::events`].
    fn events(&self) -> Events;

    /// Publishes an event when this turn ends well; a turn that fails publishes nothing. Time and id are those of this
    /// call.
    ///
    /// The turn does not wait for room then, as [`Context::send`] does not: what finds none becomes a dead letter. A
    /// turn that would rather wait awaits [`EventsExt::publish`] of its system, which does not wait for its end.
    ///
    /// # Errors
    ///
    /// [`PublishError`], at once.
    fn publish(&mut self, name: &str, data: impl Into<Value>) -> Result<EventId, PublishError>;

    /// As [`publish`](Self::publish), with a priority, under an id, on a channel and so on. An event that finds no room in the lane of its
    /// priority becomes a dead letter, whatever room there is in others. One for which its channel has no room then is counted
    /// as [`rejected`](EventCounts::rejected).
    ///
    /// ```
    /// # use callboard_actor::{Actor, Context, Fault, Priority};
    /// # use callboard_bus::{EventOptions, TurnEventsExt, Value};
    /// # fn in_a_turn<A: Actor>(cx: &mut Context<A>) -> Result<(), Fault> {
    /// cx.publish_with("door.opened", Value::Null, EventOptions::default().priority(Priority::High))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`PublishError`], at once.
    fn publish_with(
        &mut self,
        name: &str,
        data: impl Into<Value>,
        options: EventOptions,
    ) -> Result<EventId, PublishError>;

    /// As [`publish`](Self::publish), of an event that is a type, under the name that its type has.
    ///
    /// # Errors
    ///
    /// [`PublishError`], at once.
    fn emit<E: DomainEvent>(&mut self, event: &E) -> Result<EventId, PublishError>;

    /// As [`EventsExt::subscribe`]: it does not wait for the end of the turn.
    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe;
}

impl EventsExt for System {
    fn events(&self) -> Events {
        Events::of(self)
    }

    fn publish(&self, name: &str, data: impl Into<Value>) -> Publish<'static> {
        Publish::new(Cow::Owned(self.events()), free_topic(name).map(|name| (name, data.into())))
    }

    fn emit<E: DomainEvent>(&self, event: &E) -> Publish<'static> {
        Publish::new(Cow::Owned(self.events()), typed(event))
    }

    fn broadcast(&self, name: &str, data: impl Into<Value>) -> Broadcast {
        Broadcast::new(self.events(), free_topic(name).map(|name| (name, data.into())))
    }

    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe {
        Subscribe::new(self.events(), pattern.parse(), Hearer::Actor(recipient))
    }

    fn subscribe_batched(
        &self,
        pattern: &str,
        recipient: Recipient<Batch>,
        most: usize,
        linger: Duration,
    ) -> Subscribe {
        let ear = BatchEar::new(recipient, most, linger);
        Subscribe::new(self.events(), pattern.parse(), Hearer::Served(Box::new(ear)))
    }

    fn subscribe_fn<F, Handling>(&self, pattern: &str, function: F) -> Subscribe
    where
        F: Fn(Event) -> Handling + Send + Sync + 'static,
        Handling: Future<Output = Result<(), Fault>> + 'static,
    {
        Subscribe::new(self.events(), pattern.parse(), Hearer::Served(Box::new(Listener::new(function))))
    }

    fn channel(&self, name: &str) -> NewChannel {
        NewChannel::new(self.events(), name)
    }

    fn channels(&self) -> Channels {
        Channels::new(self.events())
    }
}

impl<A: Actor> TurnEventsExt for Context<A> {
    fn events(&self) -> Events {
        Events::of(&self.system())
    }

    fn publish(&mut self, name: &str, data: impl Into<Value>) -> Result<EventId, PublishError> {
        self.publish_with(name, data, EventOptions::default())
    }

    fn publish_with(
        &mut self,
        name: &str,
        data: impl Into<Value>,
        options: EventOptions,
    ) -> Result<EventId, PublishError> {
        publish_later(self, free_topic(name)?, data.into(), options)
    }

    fn emit<E: DomainEvent>(&mut self, event: &E) -> Result<EventId, PublishError> {
        let (name, data) = typed(event)?;
        publish_later(self, name, data, EventOptions::default())
    }

    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe {
        Subscribe::new(TurnEventsExt::events(self), pattern.parse(), Hearer::Actor(recipient))
    }
}

/// Publishes when the turn ends well.
fn publish_later<A: Actor>(
    cx: &mut Context<A>,
    name: Topic,
    data: Value,
    options: EventOptions,
) -> Result<EventId, PublishError> {
    let events = TurnEventsExt::events(cx);
    let draft = events.draft(name, data, Some(cx.me().name().as_str().into()), options, Manner::Published)?;
    let channel = draft.channel().cloned();
    let mut event = draft.stamp(&events);
    let id = event.id;
    cx.effect(move || match channel {
        None => {
            events.board.publish_again(&mut event);
            events.deliver_at_once(&mut event);
        }
        // Nobody is there to be told that it is full; it is counted.
        Some(channel) => drop(events.deliver_on(&channel, &mut event, |_| true)),
    });
    Ok(id)
}

/// The events of a system. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    system: System,
    board: Arc<Board>,
}

impl Events {
    fn of(system: &System) -> Self {
        let events = Self { system: system.clone(), board: system.extension(|| Board::new(system)) };
        events.actor();
        events
    }

    /// As [`EventsExt::publish`], with this handle on loan ([`Publish::into_owned`] gives it back). Takes a name that begins with
    /// `$` as well: layers of the system publish this way.
    #[inline]
    pub fn publish(&self, name: Topic, data: impl Into<Value>) -> Publish<'_> {
        Publish::new(Cow::Borrowed(self), Ok((name, data.into())))
    }

    /// As [`EventsExt::subscribe`].
    pub fn subscribe(&self, pattern: Pattern, recipient: Recipient<Event>) -> Subscribe {
        Subscribe::new(self.clone(), Ok(pattern), Hearer::Actor(recipient))
    }

    /// For a module that hears what it says that it does.
    pub(crate) fn subscribe_ear(&self, pattern: Pattern, mailbox: Box<dyn Mailbox>) -> Subscribe {
        Subscribe::new(self.clone(), Ok(pattern), Hearer::Mailbox(mailbox)).auth(AuthContext::inside())
    }

    /// How many subscriptions there are, without those on channels.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.board.len()
    }

    /// All subscriptions, those on channels included, by their ids.
    #[must_use]
    pub fn list_subscriptions(&self) -> Vec<SubscriptionInfo> {
        let mut list = Vec::new();
        self.board.for_each(&mut |subscriber| list.push(SubscriptionInfo::of(subscriber)));
        list.retain(|subscription| subscription.is_active);
        list.sort_unstable_by_key(|subscription| subscription.id);
        list
    }

    /// Ends a subscription that somebody else holds: it gets nothing that is published from now on.
    ///
    /// # Errors
    ///
    /// [`UnknownSubscription`]: it has ended, or there never was one.
    pub fn unsubscribe(&self, id: SubscriptionId) -> Result<(), UnknownSubscription> {
        let mut found = None;
        self.board.for_each(&mut |subscriber| {
            if subscriber.id() == id {
                found = Some(Arc::clone(subscriber));
            }
        });
        let has_ended = found.is_some_and(|subscriber| self.retire(&subscriber));
        has_ended.then_some(()).ok_or(UnknownSubscription(id))
    }

    /// What became of all events so far.
    #[must_use]
    pub fn counts(&self) -> EventCounts {
        self.board.counts.read()
    }

    /// The events that were published last: 1,000 unless [`keep_history`](Self::keep_history) says otherwise.
    pub fn history(&self) -> HistoryQuery {
        HistoryQuery::new(self.clone())
    }

    /// Keeps so many events from now on; 0 keeps none. What is kept holds its data in memory.
    pub fn keep_history(&self, events: usize) {
        self.board.keep_history(events);
    }

    /// Has every event from now on kept here as well. The history begins with what is there already; of what was published before,
    /// it is given what the history has.
    ///
    /// # Errors
    ///
    /// [`EventStoreError`]: it cannot be read. Nothing has changed then.
    pub fn store_in(&self, store: impl EventStore) -> Result<(), EventStoreError> {
        self.board.store_in(Arc::new(store))
    }

    /// Whether anybody has subscribed to events of this name that are on no channel, so that one who publishes much can leave out what nobody wants.
    #[must_use]
    pub fn is_wanted(&self, name: &Topic) -> bool {
        self.board.is_wanted(name)
    }

    /// An id for an event to be published, so that it can be published again under the same one.
    #[must_use]
    pub fn fresh_id(&self) -> EventId {
        self.board.fresh_id(self.wall())
    }

    /// The actor, unless the system is over.
    pub(crate) fn actor(&self) -> Option<ActorRef<EventsActor>> {
        self.board.actor(&self.system)
    }

    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.board.directory
    }

    /// Shows all subscriptions, those on channels included.
    pub(crate) fn for_each_subscriber(&self, visit: &mut impl FnMut(&Arc<Subscriber>)) {
        self.board.for_each(visit);
    }

    /// Shows all queues: those of channels, and those that subscriptions have of their own.
    pub(crate) fn for_each_queue(&self, visit: &mut impl FnMut(&Queue)) {
        self.directory().all().iter().for_each(|channel| visit(&channel.queue));
        self.for_each_own_queue(visit);
    }

    /// Shows the queues that subscriptions have of their own.
    pub(crate) fn for_each_own_queue(&self, visit: &mut impl FnMut(&Queue)) {
        self.board.for_each(&mut |subscriber| {
            if let Some(inbox) = subscriber.inbox().filter(|_| subscriber.channel().is_none()) {
                visit(&inbox.queue);
            }
        });
    }

    pub(crate) fn read_history<T>(&self, read: impl FnOnce(&History) -> T) -> T {
        self.board.read_history(read)
    }

    /// Now, since the Unix epoch.
    pub(crate) fn wall(&self) -> Duration {
        self.system.wall()
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.wall()
    }

    /// How long an event may still be handled, if it has a time to live; nothing when that is over.
    #[inline]
    pub(crate) fn time_left(&self, event: &Event) -> Option<Option<Duration>> {
        match event.expires() {
            None => Some(None),
            Some(expires) => expires.duration_since(self.now()).ok().filter(|left| !left.is_zero()).map(Some),
        }
    }

    /// A number for a subscriber, higher than all before it.
    pub(crate) fn fresh_number(&self) -> u64 {
        self.board.fresh_number()
    }

    /// Ends a subscription, and what waits for it; false when it has ended already.
    pub(crate) fn retire(&self, subscriber: &Arc<Subscriber>) -> bool {
        let is_first = self.board.retire(subscriber);
        if is_first {
            self.forget(subscriber);
            self.sweep_later();
        }
        is_first
    }

    /// Ends all subscriptions of a channel that has been taken away.
    pub(crate) fn retire_all_of(&self, channel: &Channel) {
        channel.table.load().for_each(&mut |subscriber| {
            self.retire(subscriber);
        });
    }

    /// Has ended subscriptions taken out of the table some time soon.
    pub(crate) fn sweep_later(&self) {
        if let Some(actor) = self.actor() {
            // A full mailbox holds messages whose turns will sweep.
            let _ = actor.try_tell(Sweep);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("subscriptions", &self.subscriptions()).finish_non_exhaustive()
    }
}
