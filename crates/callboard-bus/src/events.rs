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
//!         cx.publish("ledger.entry.written", event.data)?;
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
//!   publishes to it. Where nobody does, the table is looked through for them whenever it has grown since the last time by
//!   as many as there were subscriptions then, and by 1,000.
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

use std::fmt;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use callboard_actor::{Actor, ActorRef, Context, Recipient, System};

use self::actor::EventsActor;
pub(crate) use self::actor::{Admit, Sweep};
use self::board::Board;
use crate::event::{DomainEvent, Event, EventId};
use crate::pattern::Pattern;
use crate::publish::{EventOptions, Publish, PublishError, Refusal, free_topic, typed};
use crate::subscription::{Ear, Subscribe, Subscriber};
use crate::topic::Topic;
use crate::value::Value;

/// Events for whoever has a [`System`].
pub trait EventsExt {
    /// The handle behind the other two, for names that have been read already.
    fn events(&self) -> Events;

    /// Publishes an event when awaited. See [`Publish`] for its errors.
    fn publish(&self, name: &str, data: impl Into<Value>) -> Publish;

    /// Publishes an event that is a type, under the name that its type has. See [`Publish`] for its errors.
    fn emit<E: DomainEvent>(&self, event: &E) -> Publish;

    /// Subscribes an actor to all events whose names match, when awaited. See [`Subscribe`] for its errors.
    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe;
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

    /// As [`publish`](Self::publish), with a priority or under an id. An event that finds no room in the lane of its
    /// priority becomes a dead letter, whatever room there is in others.
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

    fn publish(&self, name: &str, data: impl Into<Value>) -> Publish {
        Publish::new(self.events(), free_topic(name).map(|name| (name, data.into())))
    }

    fn emit<E: DomainEvent>(&self, event: &E) -> Publish {
        Publish::new(self.events(), typed(event))
    }

    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe {
        Subscribe::new(self.events(), pattern.parse(), Box::new(recipient))
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
        Ok(publish_later(self, free_topic(name)?, data.into(), options))
    }

    fn emit<E: DomainEvent>(&mut self, event: &E) -> Result<EventId, PublishError> {
        let (name, data) = typed(event)?;
        Ok(publish_later(self, name, data, EventOptions::default()))
    }

    fn subscribe(&self, pattern: &str, recipient: Recipient<Event>) -> Subscribe {
        Subscribe::new(TurnEventsExt::events(self), pattern.parse(), Box::new(recipient))
    }
}

/// Publishes when the turn ends well.
fn publish_later<A: Actor>(cx: &mut Context<A>, name: Topic, data: Value, options: EventOptions) -> EventId {
    let events = TurnEventsExt::events(cx);
    let event = events.event(name, data, cx.me().name().into(), options.id);
    let id = event.id;
    cx.effect(move || events.deliver_at_once(&event, options.priority));
    id
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

    /// As [`EventsExt::publish`]. Takes a name that begins with `$` as well: layers of the system publish this way.
    pub fn publish(&self, name: Topic, data: impl Into<Value>) -> Publish {
        Publish::new(self.clone(), Ok((name, data.into())))
    }

    /// As [`EventsExt::subscribe`].
    pub fn subscribe(&self, pattern: Pattern, recipient: Recipient<Event>) -> Subscribe {
        Subscribe::new(self.clone(), Ok(pattern), Box::new(recipient))
    }

    pub(crate) fn subscribe_ear(&self, pattern: Pattern, ear: Box<dyn Ear>) -> Subscribe {
        Subscribe::new(self.clone(), Ok(pattern), ear)
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.board.len()
    }

    /// The last 1,000 times that a subscriber did not take an event, oldest first: what their dead letters do not say.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.board.refusals()
    }

    /// Whether anybody has subscribed to events of this name, so that one who publishes much can leave out what nobody wants.
    #[must_use]
    pub fn is_wanted(&self, name: &Topic) -> bool {
        !self.subscribers(name).is_empty()
    }

    /// An id for an event to be published, so that it can be published again under the same one.
    #[must_use]
    pub fn fresh_id(&self) -> EventId {
        self.board.fresh_id(self.board.wall(&self.system))
    }

    /// The actor, unless the system is over.
    pub(crate) fn actor(&self) -> Option<ActorRef<EventsActor>> {
        self.board.actor(&self.system)
    }

    /// An event of this moment, under a fresh id if it is given none.
    pub(crate) fn event(&self, name: Topic, data: Value, source: Arc<str>, id: Option<EventId>) -> Event {
        let now = self.board.wall(&self.system);
        let id = id.unwrap_or_else(|| self.board.fresh_id(now));
        Event { id, name, data, time: UNIX_EPOCH + now, source }
    }

    /// The source of what no turn publishes.
    pub(crate) fn source(&self) -> Arc<str> {
        self.board.source()
    }

    /// A number for a subscriber, higher than all before it.
    pub(crate) fn fresh_number(&self) -> u64 {
        self.board.fresh_number()
    }

    /// Those who want events of this name now.
    pub(crate) fn subscribers(&self, name: &Topic) -> Vec<Arc<Subscriber>> {
        self.board.subscribers(name)
    }

    /// Keeps the record of an event that was not taken.
    pub(crate) fn refused(&self, refusal: Refusal) {
        self.board.refused(refusal);
    }

    /// Ends a subscription; false when it has ended already.
    pub(crate) fn retire(&self, subscriber: &Arc<Subscriber>) -> bool {
        self.board.retire(subscriber)
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
