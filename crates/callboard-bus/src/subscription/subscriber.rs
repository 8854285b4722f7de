//! What the table holds of a subscription: [`Subscriber`].

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use callboard_actor::{ActorId, Count, Recipient, TellError, WeakRef};
use tokio::sync::Notify;

use super::ear::{Ear, Mailbox, Pace};
use super::info::SubscriptionId;
use crate::channel::{Channel, Queue};
use crate::courier::{Courier, Wake};
use crate::event::Event;
use crate::filter::{Filter, FilterFailed};
use crate::pattern::Pattern;

/// See the head of this file. What every event looks at comes first and lies in one line of memory.
#[repr(C, align(64))]
pub(crate) struct Subscriber {
    has_ended: AtomicBool,
    has_conditions: bool,
    route: Route,
    stats: Stats,
    pattern: Pattern,
    conditions: Conditions,
    channel: Option<Arc<Channel>>,
    number: u64,
}

/// What an event has to be beyond its name.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) message_type: Option<Arc<str>>,
    pub(crate) filter: Option<Filter>,
}

/// How its events reach it.
pub(crate) enum Route {
    /// Publishers leave them in the mailbox of its actor. Most come this way, so there is no other pointer on it.
    Actor(Recipient<Event>),
    /// The same where the actor gets them as another type of message.
    Mailbox(Box<dyn Mailbox>),
    /// Publishers leave them in a queue, from where a courier brings them.
    Queue(Box<Inbox>),
}

/// A [`Route`] on loan.
#[derive(Clone, Copy)]
pub(crate) enum Way<'r> {
    Mailbox(&'r dyn Mailbox),
    Queue(&'r Inbox),
}

impl Subscriber {
    pub(crate) fn new(pattern: Pattern, route: Route, number: u64) -> Self {
        Self {
            pattern,
            conditions: Conditions::default(),
            has_conditions: false,
            channel: None,
            route,
            number,
            has_ended: AtomicBool::new(false),
            stats: Stats::default(),
        }
    }

    pub(crate) fn on_channel(mut self, channel: Option<Arc<Channel>>) -> Self {
        self.channel = channel;
        self
    }

    pub(crate) fn under(mut self, conditions: Conditions) -> Self {
        self.has_conditions = conditions.message_type.is_some() || conditions.filter.is_some();
        self.conditions = conditions;
        self
    }

    pub(crate) fn id(&self) -> SubscriptionId {
        SubscriptionId(self.number)
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    pub(crate) fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    pub(crate) fn channel(&self) -> Option<&Arc<Channel>> {
        self.channel.as_ref()
    }

    pub(crate) fn route(&self) -> Way<'_> {
        match &self.route {
            Route::Actor(recipient) => Way::Mailbox(recipient),
            Route::Mailbox(mailbox) => Way::Mailbox(&**mailbox),
            Route::Queue(inbox) => Way::Queue(inbox),
        }
    }

    pub(crate) fn inbox(&self) -> Option<&Inbox> {
        match &self.route {
            Route::Actor(_) | Route::Mailbox(_) => None,
            Route::Queue(inbox) => Some(inbox),
        }
    }

    pub(crate) fn ear(&self) -> &dyn Ear {
        match &self.route {
            Route::Actor(recipient) => recipient,
            Route::Mailbox(mailbox) => &**mailbox,
            Route::Queue(inbox) => &*inbox.ear,
        }
    }

    /// The actor that gets the events, or that runs the function which does.
    pub(crate) fn actor(&self) -> Option<ActorId> {
        self.ear().actor().or_else(|| self.inbox()?.courier.get().map(|(_, id)| *id))
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Its place among all subscribers of a pattern.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether an event whose name matches is what it wants.
    #[inline]
    pub(crate) fn wants(&self, event: &Event) -> Result<bool, FilterFailed> {
        self.conditions.accept(event)
    }

    /// Whether it looks at more than the name of an event.
    #[inline]
    pub(crate) fn has_conditions(&self) -> bool {
        self.has_conditions
    }

    /// Whether publishers are to pass it by.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Whether its actor has ended.
    pub(crate) fn is_orphan(&self) -> bool {
        self.ear().has_ended()
    }

    /// Whether nothing can be delivered to it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.has_ended() || self.is_orphan()
    }

    /// Ends it; true for the first who does so.
    pub(crate) fn end(&self) -> bool {
        !self.has_ended.swap(true, Ordering::AcqRel)
    }
}

impl Conditions {
    fn accept(&self, event: &Event) -> Result<bool, FilterFailed> {
        if self.message_type.as_deref().is_some_and(|wanted| wanted != event.message_type()) {
            return Ok(false);
        }
        self.filter.as_ref().map_or(Ok(true), |filter| filter.accepts(event))
    }
}

/// What a subscription has got.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Stats {
    /// Nanoseconds since the Unix epoch; 0 for never.
    last: AtomicU64,
    delivered: Count,
    errors: AtomicU64,
}

impl Stats {
    #[inline]
    pub(crate) fn deliver(&self, at: Moment) {
        self.delivered.add(1);
        self.last.store(at.0, Ordering::Relaxed);
    }

    pub(crate) fn fail(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.read()
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn last_delivery(&self) -> Option<SystemTime> {
        let last = self.last.load(Ordering::Relaxed);
        (last > 0).then(|| UNIX_EPOCH + Duration::from_nanos(last))
    }
}

/// Nanoseconds since the Unix epoch, reckoned once for all deliveries of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(u64);

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_secs().saturating_mul(1_000_000_000).saturating_add(since.subsec_nanos().into()))
    }
}

/// Where the events of a subscription wait, and who is to get them from there.
pub(crate) struct Inbox {
    pub(crate) queue: Arc<Queue>,
    number: u64,
    pub(crate) pace: Pace,
    pub(crate) ear: Box<dyn Ear>,
    /// Rung when something has come for a courier that is at work.
    pub(crate) bell: Notify,
    /// Whether the courier is at work or has been told to begin.
    is_awake: AtomicBool,
    courier: OnceLock<(WeakRef<Courier>, ActorId)>,
}

impl Inbox {
    pub(crate) fn new(queue: Arc<Queue>, number: u64, pace: Pace, ear: Box<dyn Ear>) -> Self {
        queue.join(number);
        let (bell, is_awake) = (Notify::new(), AtomicBool::new(false));
        Self { queue, number, pace, ear, bell, is_awake, courier: OnceLock::new() }
    }

    pub(crate) fn employ(&self, courier: WeakRef<Courier>, id: ActorId) {
        // It is employed once.
        let _ = self.courier.set((courier, id));
    }

    pub(crate) fn waiting(&self) -> usize {
        self.queue.waiting_for(self.number)
    }

    /// The next event, and its place in the queue.
    pub(crate) fn take(&self) -> Option<(u64, Event)> {
        self.queue.take(self.number)
    }

    /// What still waits when the subscription ends, for nobody.
    pub(crate) fn leave(&self) -> Vec<Event> {
        self.queue.leave(self.number)
    }

    /// Something has come. False when the courier has ended.
    pub(crate) fn wake(&self) -> bool {
        self.bell.notify_one();
        if self.is_awake.swap(true, Ordering::AcqRel) {
            return true;
        }
        let Some(courier) = self.courier.get().and_then(|(courier, _)| courier.upgrade()) else { return false };
        match courier.try_tell(Wake) {
            Ok(()) => true,
            Err(TellError::ShuttingDown(_) | TellError::Stopped(_)) => false,
            Err(_) => {
                // Whoever comes next tries again, and a courier that is made anew looks for itself.
                self.is_awake.store(false, Ordering::Release);
                true
            }
        }
    }

    /// The courier wants to rest. False when something has come meanwhile that nobody else will see to.
    pub(crate) fn may_rest(&self) -> bool {
        self.is_awake.store(false, Ordering::SeqCst);
        self.waiting() == 0 || self.is_awake.swap(true, Ordering::SeqCst)
    }

    /// A new courier begins.
    pub(crate) fn begin(&self) {
        self.is_awake.store(false, Ordering::Release);
        if self.waiting() > 0 {
            // It takes messages: it has just begun.
            let _ = self.wake();
        }
    }

    /// The courier goes when it has finished what it has in hand.
    pub(crate) fn dismiss(&self) {
        self.bell.notify_one();
        if let Some(courier) = self.courier.get().and_then(|(courier, _)| courier.upgrade()) {
            courier.drain();
        }
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").field("pattern", &self.pattern).finish_non_exhaustive()
    }
}
