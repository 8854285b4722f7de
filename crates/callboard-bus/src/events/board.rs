//! What publishers, subscriptions and the events actor share.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use callboard_actor::{ActorRef, Overflow, ShutdownPhase, System, WeakRef, child};
use parking_lot::{Mutex, MutexGuard};

use super::actor::EventsActor;
use super::counts::{Counts, End};
use crate::channel::{Channel, Directory};
use crate::dead_letter_queue::Book;
use crate::event::{Event, EventId, EventIds};
use crate::gate::Gatekeeper;
use crate::history::{EventStore, EventStoreError, History};
use crate::matcher::Matcher;
use crate::subscription::{Inbox, Subscriber};
use crate::topic::Topic;

/// The subscriptions of a scope, which is a channel or all that has none.
pub(crate) type Table = Matcher<Arc<Subscriber>>;

/// The extension of a system. It must not keep the system: the actor is known weakly, and the table, whose recipients
/// know the system, is emptied when the system has ended.
pub(crate) struct Board {
    actor: OnceLock<WeakRef<EventsActor>>,
    /// The snapshot that publishers read, who never wait for it. Only the actor replaces it. Each channel has its own.
    table: ArcSwap<Table>,
    pub(super) directory: Directory,
    pub(crate) counts: Counts,
    pub(crate) gate: Gatekeeper,
    /// What has failed for good.
    pub(crate) letters: Arc<Book>,
    /// How many subscribers there have been.
    numbers: AtomicU64,
    /// Subscriptions that have ended and are still in the table; `None` once the system has ended.
    retired: Mutex<Option<Vec<Arc<Subscriber>>>>,
    log: Mutex<Log>,
}

/// What every event passes, so that it takes one lock.
struct Log {
    ids: EventIds,
    history: History,
    store: Option<Arc<dyn EventStore>>,
}

/// The log while somebody writes into it.
pub(crate) struct LogGuard<'b> {
    log: MutexGuard<'b, Log>,
    counts: &'b Counts,
}

impl LogGuard<'_> {
    #[inline]
    pub(crate) fn fresh_id(&mut self, now: Duration) -> EventId {
        self.log.ids.next(now)
    }

    /// An event is published. What the history lets go of is dropped outside of the lock.
    #[inline]
    pub(crate) fn add(mut self, event: &mut Event) {
        let fallen = self.log.add(event, self.counts);
        drop(self.log);
        drop(fallen);
    }
}

impl Log {
    /// An event is published. What the history lets go of is given back.
    #[inline]
    fn add(&mut self, event: &mut Event, counts: &Counts) -> Option<Event> {
        // One of a self test leaves nothing behind.
        if event.name.is_self_test() {
            return None;
        }
        if let Some(store) = &self.store {
            append(&**store, event, counts);
        }
        self.history.push(event)
    }
}

#[cold]
fn append(store: &dyn EventStore, event: &Event, counts: &Counts) {
    if let Err(error) = store.append(event) {
        // One line for each of them would be a flood while a disk is full.
        if counts.miss().is_power_of_two() {
            tracing::error!(target: "callboard::events", message_id = %event.id, %error, "an event was published and not stored");
        }
    }
}

impl Board {
    pub(super) fn new(system: &System) -> Self {
        Self {
            actor: OnceLock::new(),
            table: ArcSwap::default(),
            directory: Directory::default(),
            counts: Counts::default(),
            gate: Gatekeeper::of(system),
            letters: Book::of(system),
            numbers: AtomicU64::new(0),
            retired: Mutex::new(Some(Vec::new())),
            log: Mutex::new(Log { ids: EventIds::default(), history: History::default(), store: None }),
        }
    }

    /// The actor, started when first asked for; `None` when it has ended with its system.
    pub(super) fn actor(self: &Arc<Self>, system: &System) -> Option<ActorRef<EventsActor>> {
        self.actor.get_or_init(|| self.start_actor(system)).upgrade()
    }

    fn start_actor(self: &Arc<Self>, system: &System) -> WeakRef<EventsActor> {
        let last = Arc::clone(self);
        system.on_shutdown(ShutdownPhase::Telemetry, "events", move || async move { last.clear() });
        let shared = Arc::clone(self);
        let events = child("events", move || EventsActor::new(Arc::clone(&shared)));
        system.spawn(events.overflow(Overflow::Wait)).downgrade()
    }

    /// How many subscriptions there are, without those on channels.
    pub(super) fn len(&self) -> usize {
        self.table.load().len()
    }

    /// The subscriptions without a channel.
    pub(crate) fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// A number for a subscriber, higher than all before it.
    pub(super) fn fresh_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn fresh_id(&self, now: Duration) -> EventId {
        self.log().fresh_id(now)
    }

    /// The log, for an event that is about to be published.
    #[inline]
    pub(crate) fn log(&self) -> LogGuard<'_> {
        LogGuard { log: self.log.lock(), counts: &self.counts }
    }

    /// An event that has its id already is published.
    pub(crate) fn publish_again(&self, event: &mut Event) {
        self.log().add(event);
    }

    /// Has events kept here, those of the history first.
    pub(super) fn store_in(&self, store: Arc<dyn EventStore>) -> Result<(), EventStoreError> {
        let mut log = self.log.lock();
        let (_, capacity) = log.history.size();
        let earlier = store.last(capacity).map_err(EventStoreError)?;
        log.history.iter().for_each(|event| append(&*store, event, &self.counts));
        log.history.put_before(earlier);
        log.store = Some(store);
        Ok(())
    }

    pub(super) fn keep_history(&self, events: usize) {
        let fallen = self.log.lock().history.resize(events);
        drop(fallen);
    }

    pub(super) fn read_history<T>(&self, read: impl FnOnce(&History) -> T) -> T {
        read(&self.log.lock().history)
    }

    /// Whether anybody wants events of this name that are on no channel.
    pub(super) fn is_wanted(&self, name: &Topic) -> bool {
        self.table.load().find(name).into_iter().any(|subscriber| !subscriber.has_ended())
    }

    /// Ends a subscription, which publishers see at once; false when it has ended already.
    pub(super) fn retire(&self, subscriber: &Arc<Subscriber>) -> bool {
        let is_first = subscriber.end();
        if is_first && let Some(retired) = &mut *self.retired.lock() {
            retired.push(Arc::clone(subscriber));
        }
        is_first
    }

    /// Ends all subscriptions for which `is_over` holds, and says how many there are without them.
    pub(super) fn retire_where(&self, is_over: impl Fn(&Subscriber) -> bool) -> usize {
        let mut left = 0;
        self.for_each(&mut |subscriber| {
            if is_over(subscriber) {
                self.retire(subscriber);
            } else {
                left += 1;
            }
        });
        left
    }

    /// Shows all subscriptions, those on channels included.
    pub(crate) fn for_each(&self, visit: &mut impl FnMut(&Arc<Subscriber>)) {
        self.table.load().for_each(visit);
        for channel in self.directory.all() {
            channel.table.load().for_each(visit);
        }
    }

    /// Takes out who has left and puts in who has come, for all publishers at once.
    pub(super) fn change(&self, newcomer: Option<Arc<Subscriber>>) {
        let retired = self.retired.lock().as_mut().map(std::mem::take).unwrap_or_default();
        // Who asked may have stopped waiting.
        let newcomer = newcomer.filter(|subscriber| !subscriber.has_ended());
        let (on_channels, retired): (Vec<_>, Vec<_>) = retired.into_iter().partition(|one| one.channel().is_some());
        for subscriber in on_channels {
            self.change_channel(std::slice::from_ref(&subscriber), None, subscriber.channel());
        }
        let (newcomer, on_channel) = match newcomer {
            Some(newcomer) if newcomer.channel().is_some() => (None, Some(newcomer)),
            newcomer => (newcomer, None),
        };
        if let Some(newcomer) = &on_channel {
            self.change_channel(&[], Some(newcomer), newcomer.channel());
        }
        if !retired.is_empty() || newcomer.is_some() {
            // Should the table be cleared meanwhile, the cleared one is what changes.
            self.table.rcu(|table| changed(table, &retired, newcomer.as_ref()));
        }
    }

    fn change_channel(
        &self,
        retired: &[Arc<Subscriber>],
        newcomer: Option<&Arc<Subscriber>>,
        channel: Option<&Arc<Channel>>,
    ) {
        let Some(channel) = channel else { return };
        channel.table.rcu(|table| changed(table, retired, newcomer));
        // Whoever removes a channel says so first and then looks for its subscribers: one of the two sees the other.
        if let Some(newcomer) = newcomer.filter(|_| channel.is_removed()) {
            self.retire(newcomer);
        }
    }

    fn clear(&self) {
        self.for_each(&mut |subscriber| {
            let left = subscriber.inbox().filter(|_| subscriber.end()).map(Inbox::leave);
            left.into_iter().flatten().for_each(|_| self.counts.end_of_flight(End::Ended));
        });
        let retired = self.retired.lock().take();
        let table = self.table.swap(Arc::default());
        self.directory.clear();
        drop((table, retired));
    }
}

fn changed(table: &Table, retired: &[Arc<Subscriber>], newcomer: Option<&Arc<Subscriber>>) -> Table {
    let mut table = table.clone();
    for subscriber in retired {
        table = table.without(subscriber.pattern(), subscriber.number()).unwrap_or(table);
    }
    match newcomer {
        Some(subscriber) => table.with(subscriber.pattern(), subscriber.number(), Arc::clone(subscriber)),
        None => table,
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("subscriptions", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use callboard_actor::testing::TestSystem;

    use super::*;
    use crate::subscription::Route;

    /// Its end may come while the actor is about to let it in.
    #[test]
    fn who_has_left_before_it_is_let_in_stays_outside() {
        TestSystem::run(async |t| {
            let board = Board::new(t.system());
            let newcomer = || {
                let route = Route::Actor(t.probe::<Event>().recipient());
                Arc::new(Subscriber::new("a".parse().unwrap(), route, board.fresh_number()))
            };
            let (stays, leaves) = (newcomer(), newcomer());
            assert!(board.retire(&leaves) && !board.retire(&leaves));
            board.change(Some(leaves));
            board.change(Some(Arc::clone(&stays)));
            assert_eq!((board.len(), board.is_wanted(&"a".parse().unwrap())), (1, true));
            board.retire(&stays);
            assert_eq!((board.len(), board.is_wanted(&"a".parse().unwrap())), (1, false));
            board.change(None);
            assert_eq!(board.len(), 0);
            t.shutdown().await;
        });
    }
}
