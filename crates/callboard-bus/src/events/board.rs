//! What publishers, subscriptions and the events actor share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use callboard_actor::{ActorRef, Overflow, ShutdownPhase, System, WeakRef, child};
use parking_lot::Mutex;

use super::actor::EventsActor;
use crate::event::{EventId, EventIds};
use crate::matcher::Matcher;
use crate::publish::Refusal;
use crate::subscription::Subscriber;
use crate::topic::Topic;

type Table = Matcher<Arc<Subscriber>>;

/// The extension of a system. It must not keep the system: the actor is known weakly, and the table, whose recipients
/// know the system, is emptied when the system has ended.
pub(crate) struct Board {
    actor: OnceLock<WeakRef<EventsActor>>,
    /// The snapshot that publishers read, who never wait for it. Only the actor replaces it.
    table: ArcSwap<Table>,
    /// How many subscribers there have been.
    numbers: AtomicU64,
    /// Subscriptions that have ended and are still in the table; `None` once the system has ended.
    retired: Mutex<Option<Vec<Arc<Subscriber>>>>,
    /// The last events that were not taken, oldest first.
    refusals: Mutex<VecDeque<Refusal>>,
    ids: EventIds,
    /// When the system started, since the Unix epoch: a moment is this and what the system's clock has counted since,
    /// so it is virtual where that clock is.
    started: Duration,
    /// The source of what no turn publishes.
    source: Arc<str>,
}

impl Board {
    pub(super) fn new(system: &System) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            actor: OnceLock::new(),
            table: ArcSwap::default(),
            numbers: AtomicU64::new(0),
            retired: Mutex::new(Some(Vec::new())),
            refusals: Mutex::default(),
            ids: EventIds::new(),
            started: now.saturating_sub(system.elapsed()),
            source: "system".into(),
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

    pub(super) fn len(&self) -> usize {
        self.table.load().len()
    }

    /// A number for a subscriber, higher than all before it.
    pub(super) fn fresh_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Now, since the Unix epoch.
    pub(super) fn wall(&self, system: &System) -> Duration {
        self.started + system.elapsed()
    }

    pub(super) fn fresh_id(&self, now: Duration) -> EventId {
        self.ids.next(now)
    }

    pub(super) fn source(&self) -> Arc<str> {
        Arc::clone(&self.source)
    }

    /// Those who want events of this name now.
    pub(super) fn subscribers(&self, name: &Topic) -> Vec<Arc<Subscriber>> {
        let table = self.table.load();
        table.find(name).into_iter().filter(|subscriber| !subscriber.has_ended()).cloned().collect()
    }

    pub(super) fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().iter().cloned().collect()
    }

    /// Keeps a refusal, and no more than so many.
    pub(super) fn refused(&self, refusal: Refusal) {
        const KEPT: usize = 1_000;
        let mut refusals = self.refusals.lock();
        if refusals.len() == KEPT {
            refusals.pop_front();
        }
        refusals.push_back(refusal);
    }

    /// Ends a subscription, which publishers see at once; false when it has ended already.
    pub(super) fn retire(&self, subscriber: &Arc<Subscriber>) -> bool {
        let is_first = subscriber.end();
        if is_first && let Some(retired) = &mut *self.retired.lock() {
            retired.push(Arc::clone(subscriber));
        }
        is_first
    }

    /// Ends all subscriptions for which `is_over` holds.
    pub(super) fn retire_where(&self, is_over: impl Fn(&Subscriber) -> bool) {
        let table = self.table.load();
        table.for_each(&mut |subscriber| {
            if is_over(subscriber) {
                self.retire(subscriber);
            }
        });
    }

    /// Takes out who has left and puts in who has come, for all publishers at once.
    pub(super) fn change(&self, newcomer: Option<Arc<Subscriber>>) {
        let retired = self.retired.lock().as_mut().map(std::mem::take).unwrap_or_default();
        // Who asked may have stopped waiting.
        let newcomer = newcomer.filter(|subscriber| !subscriber.has_ended());
        if !retired.is_empty() || newcomer.is_some() {
            // Should the table be cleared meanwhile, the cleared one is what changes.
            self.table.rcu(|table| changed(table, &retired, newcomer.as_ref()));
        }
    }

    fn clear(&self) {
        let retired = self.retired.lock().take();
        let table = self.table.swap(Arc::default());
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
    use crate::event::Event;

    /// Its end may come while the actor is about to let it in.
    #[test]
    fn who_has_left_before_it_is_let_in_stays_outside() {
        TestSystem::run(async |t| {
            let board = Board::new(t.system());
            let number = || board.fresh_number();
            let newcomer =
                || Arc::new(Subscriber::new("a".parse().unwrap(), Box::new(t.probe::<Event>().recipient()), number()));
            let (stays, leaves) = (newcomer(), newcomer());
            assert!(board.retire(&leaves) && !board.retire(&leaves));
            board.change(Some(leaves));
            board.change(Some(Arc::clone(&stays)));
            assert_eq!((board.len(), board.subscribers(&"a".parse().unwrap()).len()), (1, 1));
            board.retire(&stays);
            assert_eq!((board.len(), board.subscribers(&"a".parse().unwrap()).len()), (1, 0));
            board.change(None);
            assert_eq!(board.len(), 0);
            t.shutdown().await;
        });
    }
}
