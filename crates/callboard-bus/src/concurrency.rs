//! How many calls are under way at once: [`Concurrency`].
//!
//! A place is taken by a call that comes from outside. What a turn calls is part of the call that the turn is for, and takes none: so
//! calls that need one another can never wait for one another's places.
//!
//! How many are in, how many may be and whether anybody waits stand in one word: while nobody waits, who comes and who leaves
//! changes it in one step, and no lock is taken. It says that somebody waits exactly as long as the queue is not empty, as both
//! change with the lock of the queue in hand. So whoever leaves either is seen by the one who queues up, or sees that one.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use callboard_actor::is_in_turn;
use serde::Serialize;
use tokio::sync::oneshot;

use self::sync::{AtomicU64, Mutex, Ordering::Relaxed};

/// As many calls at once as a system has by default.
const USUAL: u64 = 1_000;
const ONE: u64 = 1;
const IN_FLIGHT: u64 = u32::MAX as u64;
const LIMIT_SHIFT: u32 = 32;
const WAITING: u64 = 1 << 63;
/// More than a machine has room for.
const MOST: u64 = (WAITING >> LIMIT_SHIFT) - 1;

/// The places. Who waits longest is next.
#[derive(Debug)]
pub(crate) struct Concurrency {
    /// From bit 0 on the calls that are in, from bit 32 on the limit, at bit 63 whether anybody waits.
    word: AtomicU64,
    queue: Mutex<Queue>,
}

/// Who waits, by the order of coming.
#[derive(Debug, Default)]
struct Queue {
    waiters: BTreeMap<u64, oneshot::Sender<()>>,
    next_ticket: u64,
}

/// How many calls are under way that came from outside, see [`Operations::set_concurrency`](crate::Operations::set_concurrency).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConcurrencyStatus {
    /// How many may be at once.
    pub limit: usize,
    /// How many are. More than the limit only after it was lowered.
    pub in_flight: usize,
    /// How many wait for a place.
    pub waiting: usize,
}

/// A place, which is free again when this is dropped. None for who needs none. A call whose caller holds the operation
/// has it on loan, so that it counts no reference.
#[derive(Debug)]
pub(crate) struct Place<C: Borrow<Arc<Concurrency>> = Arc<Concurrency>>(Option<C>);

impl<C: Borrow<Arc<Concurrency>>> Place<C> {
    /// Whether it is one of those that there are only so many of.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.is_some()
    }

    /// The same place for who outlives the loan.
    pub(crate) fn into_owned(mut self) -> Place {
        Place(self.0.take().map(|all| Arc::clone(all.borrow())))
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { word: AtomicU64::new(USUAL << LIMIT_SHIFT), queue: Mutex::default() }
    }
}

impl Concurrency {
    /// A place, if there is one or none is needed. There is none while somebody waits.
    #[inline]
    pub(crate) fn try_enter(self: &Arc<Self>) -> Option<Place<&Arc<Self>>> {
        if is_in_turn() {
            return Some(Place(None));
        }
        self.take(WAITING).then(|| Place(Some(self)))
    }

    /// Waits for a place. Dropped before it has ended, somebody else gets it.
    pub(crate) async fn enter(self: &Arc<Self>) -> Place {
        self.queue_up().told().await;
        Place(Some(Arc::clone(self)))
    }

    /// Lets so many in from now on. Who is in stays.
    pub(crate) fn resize(&self, limit: NonZeroUsize) {
        let limit = u64::try_from(limit.get()).unwrap_or(MOST).min(MOST) << LIMIT_SHIFT;
        // It never fails, as there is always a new word.
        let _ = self.word.fetch_update(Relaxed, Relaxed, |word| Some(word & (WAITING | IN_FLIGHT) | limit));
        self.admit();
    }

    pub(crate) fn status(&self) -> ConcurrencyStatus {
        let waiting = self.queue.lock().waiters.len();
        let word = self.word.load(Relaxed);
        ConcurrencyStatus { limit: limit(word) as usize, in_flight: in_flight(word) as usize, waiting }
    }

    /// Takes a place, if there is one and none of these `bits` forbids it.
    #[inline]
    fn take(&self, bits: u64) -> bool {
        let one_more = |word| (in_flight(word) < limit(word) && word & bits == 0).then_some(word + ONE);
        self.word.fetch_update(Relaxed, Relaxed, one_more).is_ok()
    }

    #[inline]
    fn leave(&self) {
        if self.word.fetch_sub(ONE, Relaxed) & WAITING != 0 {
            self.admit();
        }
    }

    fn queue_up(&self) -> Waiter<'_> {
        let (sender, told) = oneshot::channel();
        let mut queue = self.queue.lock();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiters.insert(ticket, sender);
        self.word.fetch_or(WAITING, Relaxed);
        drop(queue);
        // Somebody may have left before it was said that somebody waits.
        self.admit();
        Waiter { all: self, ticket, told }
    }

    /// Gives what is free to who waits. To wake somebody runs code of others, so it is not done with the lock in hand.
    #[cold]
    fn admit(&self) {
        while let Some(waiter) = self.next() {
            if waiter.send(()).is_err() {
                // It has gone meanwhile. The place is given to the next one by this very loop.
                self.word.fetch_sub(ONE, Relaxed);
            }
        }
    }

    /// Who is next, with a place taken for it.
    fn next(&self) -> Option<oneshot::Sender<()>> {
        let mut queue = self.queue.lock();
        let first = queue.waiters.first_entry()?;
        let waiter = self.take(0).then(|| first.remove());
        self.show(&queue);
        waiter
    }

    /// Lets those who come see whether anybody waits.
    fn show(&self, queue: &Queue) {
        if queue.waiters.is_empty() {
            self.word.fetch_and(!WAITING, Relaxed);
        }
    }
}

const fn in_flight(word: u64) -> u64 {
    word & IN_FLIGHT
}

const fn limit(word: u64) -> u64 {
    (word & !WAITING) >> LIMIT_SHIFT
}

impl<C: Borrow<Arc<Concurrency>>> Drop for Place<C> {
    #[inline]
    fn drop(&mut self) {
        if let Some(all) = self.0.take() {
            all.borrow().leave();
        }
    }
}

/// Somebody in the queue, who leaves it when this is dropped.
struct Waiter<'a> {
    all: &'a Concurrency,
    ticket: u64,
    told: oneshot::Receiver<()>,
}

impl Waiter<'_> {
    /// Waits until it has a place, which is the caller's from then on.
    async fn told(mut self) {
        // The sender is in the queue until it is used, or until this is dropped.
        let _ = (&mut self.told).await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut queue = self.all.queue.lock();
        let sender = queue.waiters.remove(&self.ticket);
        self.all.show(&queue);
        drop(queue);
        drop(sender);
        // Whoever sends from now on sees that it has gone; what was sent before and not heard is a place that nobody has.
        self.told.close();
        if self.told.try_recv().is_ok() {
            self.all.leave();
        }
    }
}

/// Under `--cfg callboard_model` the lock and the atomic are those of the model checker.
mod sync {
    #[cfg(not(callboard_model))]
    pub(super) use parking_lot::Mutex;
    #[cfg(callboard_model)]
    pub(super) use shuttle::sync::atomic::AtomicU64;
    #[cfg(not(callboard_model))]
    pub(super) use std::sync::atomic::AtomicU64;
    pub(super) use std::sync::atomic::Ordering;

    /// The checker's lock with the face of `parking_lot`'s.
    #[cfg(callboard_model)]
    #[derive(Debug, Default)]
    pub(super) struct Mutex<T>(shuttle::sync::Mutex<T>);

    #[cfg(callboard_model)]
    impl<T> Mutex<T> {
        pub(super) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}

#[cfg(all(test, not(callboard_model)))]
mod tests {
    use std::collections::VecDeque;
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context as Task, Poll, Waker};

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter,
        Wait,
        GiveUp(prop::sample::Index),
        Leave(prop::sample::Index),
        Resize(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Enter),
            3 => Just(Step::Wait),
            1 => any::<prop::sample::Index>().prop_map(Step::GiveUp),
            3 => any::<prop::sample::Index>().prop_map(Step::Leave),
            1 => (1..6_usize).prop_map(Step::Resize),
        ]
    }

    type Waiting = Pin<Box<dyn Future<Output = Place>>>;

    fn wait(all: &Arc<Concurrency>) -> Waiting {
        let all = Arc::clone(all);
        Box::pin(async move { all.enter().await })
    }

    fn poll(waiting: &mut Waiting) -> Option<Place> {
        match waiting.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    proptest! {
        /// F-BUS-09: whoever comes is let in while there are fewer in than the limit says at that moment and nobody waits, and who
        /// waits is let in by the order of coming.
        #[test]
        fn it_equals_its_model(steps in prop::collection::vec(step(), 1..80)) {
            let (all, mut inside, mut waiting, mut limit) = (Arc::new(Concurrency::default()), vec![], VecDeque::new(), 3);
            all.resize(NonZeroUsize::new(limit).unwrap());
            for step in steps {
                match step {
                    Step::Enter => {
                        let place = all.try_enter();
                        prop_assert_eq!(place.is_some(), waiting.is_empty() && inside.len() < limit);
                        inside.extend(place.map(Place::into_owned));
                    }
                    Step::Wait => {
                        let mut one = wait(&all);
                        match poll(&mut one) {
                            Some(place) => inside.push(place),
                            None => waiting.push_back(one),
                        }
                    }
                    Step::GiveUp(which) if !waiting.is_empty() => drop(waiting.remove(which.index(waiting.len()))),
                    Step::Leave(which) if !inside.is_empty() => drop(inside.swap_remove(which.index(inside.len()))),
                    Step::Resize(to) => {
                        limit = to;
                        all.resize(NonZeroUsize::new(to).unwrap());
                    }
                    Step::GiveUp(_) | Step::Leave(_) => {}
                }
                while inside.len() < limit && let Some(mut first) = waiting.pop_front() {
                    inside.push(poll(&mut first).expect("whoever came first has been let in"));
                }
                let expected = ConcurrencyStatus { limit, in_flight: inside.len(), waiting: waiting.len() };
                prop_assert_eq!(all.status(), expected);
                prop_assert!(waiting.iter_mut().all(|one| poll(one).is_none()));
            }
        }
    }
}

/// `RUSTFLAGS="--cfg callboard_model" cargo test -p callboard-bus --lib concurrency --release --target-dir target/model`
///
/// The word is the only atomic, and all that is concluded from it is in the order of its changes, so it is enough to try the orders
/// in which steps can fall.
#[cfg(all(test, callboard_model))]
mod model {
    use std::pin::pin;

    use shuttle::future::block_on;
    use shuttle::sync::atomic::AtomicUsize;
    use shuttle::thread;

    use super::*;

    fn limited(limit: usize) -> Arc<Concurrency> {
        let all = Arc::new(Concurrency::default());
        all.resize(NonZeroUsize::new(limit).unwrap());
        all
    }

    /// Is in for a moment, together with no more than `limit` in all.
    fn call(all: &Arc<Concurrency>, inside: &AtomicUsize, limit: usize) {
        let place = all.try_enter().map(Place::into_owned).unwrap_or_else(|| block_on(all.enter()));
        assert!(inside.fetch_add(1, Relaxed) < limit);
        inside.fetch_sub(1, Relaxed);
        drop(place);
    }

    /// Waits until it is asked once, and goes.
    fn give_up(all: &Arc<Concurrency>) {
        block_on(async {
            let mut waiting = pin!(all.enter());
            _ = futures::poll!(waiting.as_mut());
        });
    }

    fn check(model: impl Fn() + Send + Sync + Clone + 'static) {
        shuttle::check_random(model.clone(), 5_000);
        shuttle::check_pct(model, 5_000, 3);
    }

    fn ends_empty(all: &Concurrency, limit: usize) {
        assert_eq!(all.status(), ConcurrencyStatus { limit, in_flight: 0, waiting: 0 });
        assert_eq!(all.word.load(Relaxed) & WAITING, 0);
    }

    /// Protects that the bit is set with the lock in hand, and that `enter` looks for a place again after it: a model in which
    /// somebody waits for ever is a deadlock.
    #[test]
    fn everybody_gets_in_and_never_too_many() {
        check(|| {
            let (all, inside) = (limited(2), Arc::new(AtomicUsize::new(0)));
            let calls = (0..4).map(|_| {
                let (all, inside) = (Arc::clone(&all), Arc::clone(&inside));
                thread::spawn(move || call(&all, &inside, 2))
            });
            calls.collect::<Vec<_>>().into_iter().for_each(|call| call.join().unwrap());
            ends_empty(&all, 2);
        });
    }

    /// Protects that who leaves the queue takes its sender out, and the place that was sent to somebody who had gone.
    #[test]
    fn who_gives_up_keeps_nobody_out() {
        check(|| {
            let (all, inside) = (limited(1), Arc::new(AtomicUsize::new(0)));
            let (here, gone) = (Arc::clone(&all), Arc::clone(&all));
            let gone = thread::spawn(move || give_up(&gone));
            let calls: Vec<_> = (0..2)
                .map(|_| {
                    let (all, inside) = (Arc::clone(&all), Arc::clone(&inside));
                    thread::spawn(move || call(&all, &inside, 1))
                })
                .collect();
            calls.into_iter().for_each(|call| call.join().unwrap());
            gone.join().unwrap();
            ends_empty(&here, 1);
        });
    }

    #[test]
    fn a_higher_limit_lets_in_who_waits() {
        check(|| {
            let all = limited(1);
            let held = all.try_enter();
            let far = Arc::clone(&all);
            let waits = thread::spawn(move || drop(block_on(far.enter())));
            all.resize(NonZeroUsize::new(2).unwrap());
            waits.join().unwrap();
            drop(held);
            ends_empty(&all, 2);
        });
    }
}
