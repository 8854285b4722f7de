//! How many calls are under way at once: [`Concurrency`].
//!
//! A place is taken by a call that comes from outside. What a turn calls is part of the call that the turn is for, and takes none: so
//! calls that need one another can never wait for one another's places.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use callboard_actor::is_in_turn;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Semaphore;

/// As many calls at once as a system has by default.
const USUAL: usize = 1_000;

/// The places. Who waits longest is next.
#[derive(Debug)]
pub(crate) struct Concurrency {
    places: Semaphore,
    limit: Mutex<usize>,
    /// Places that are to go when whoever has them leaves. Changed with the limit in hand.
    surplus: AtomicUsize,
    waiting: AtomicUsize,
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

/// A place, which is free again when this is dropped. None for who needs none.
#[derive(Debug)]
pub(crate) struct Place(Option<Arc<Concurrency>>);

impl Place {
    /// Whether it is one of those that there are only so many of.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.is_some()
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        let (waiting, surplus) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { places: Semaphore::new(USUAL), limit: Mutex::new(USUAL), surplus, waiting }
    }
}

impl Concurrency {
    /// A place, if there is one or none is needed.
    #[inline]
    pub(crate) fn try_enter(self: &Arc<Self>) -> Option<Place> {
        if is_in_turn() {
            return Some(Place(None));
        }
        let permit = self.places.try_acquire().ok()?;
        permit.forget();
        Some(Place(Some(Arc::clone(self))))
    }

    /// Waits for a place. Dropped before it has ended, somebody else gets it.
    pub(crate) async fn enter(self: &Arc<Self>) -> Place {
        let _waiting = Waiting::begin(&self.waiting);
        // Nobody closes it.
        if let Ok(permit) = self.places.acquire().await {
            permit.forget();
        }
        Place(Some(Arc::clone(self)))
    }

    /// Lets so many in from now on. Who is in stays.
    pub(crate) fn resize(&self, limit: NonZeroUsize) {
        let mut before = self.limit.lock();
        let (before, limit) = (std::mem::replace(&mut *before, limit.get()), limit.get());
        if limit < before {
            let less = before - limit;
            self.surplus.fetch_add(less - self.places.forget_permits(less), Relaxed);
        } else {
            let more = limit - before;
            let kept = self.surplus.load(Relaxed).min(more);
            self.surplus.fetch_sub(kept, Relaxed);
            self.places.add_permits(more - kept);
        }
    }

    pub(crate) fn status(&self) -> ConcurrencyStatus {
        let limit = self.limit.lock();
        let all = *limit + self.surplus.load(Relaxed);
        let in_flight = all.saturating_sub(self.places.available_permits());
        ConcurrencyStatus { limit: *limit, in_flight, waiting: self.waiting.load(Relaxed) }
    }

    #[cold]
    fn leave_for_good(&self) {
        let _limit = self.limit.lock();
        if self.surplus.load(Relaxed) > 0 {
            self.surplus.fetch_sub(1, Relaxed);
        } else {
            self.places.add_permits(1);
        }
    }
}

impl Drop for Place {
    #[inline]
    fn drop(&mut self) {
        match self.0.take() {
            None => {}
            Some(all) if all.surplus.load(Relaxed) == 0 => all.places.add_permits(1),
            Some(all) => all.leave_for_good(),
        }
    }
}

/// Counts somebody who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter,
        Leave,
        Resize(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![3 => Just(Step::Enter), 2 => Just(Step::Leave), 1 => (1..6_usize).prop_map(Step::Resize)]
    }

    proptest! {
        /// F-BUS-09: whoever comes is let in while there are fewer in than the limit says at that moment.
        #[test]
        fn it_equals_its_model(steps in prop::collection::vec(step(), 1..80)) {
            let (all, mut inside, mut limit) = (Arc::new(Concurrency::default()), VecDeque::new(), 3);
            all.resize(NonZeroUsize::new(limit).unwrap());
            for step in steps {
                match step {
                    Step::Enter => {
                        let place = all.try_enter();
                        prop_assert_eq!(place.is_some(), inside.len() < limit);
                        inside.extend(place);
                    }
                    Step::Leave => drop(inside.pop_front()),
                    Step::Resize(to) => {
                        limit = to;
                        all.resize(NonZeroUsize::new(to).unwrap());
                    }
                }
                let expected = ConcurrencyStatus { limit, in_flight: inside.len(), waiting: 0 };
                prop_assert_eq!(all.status(), expected);
            }
        }
    }
}
