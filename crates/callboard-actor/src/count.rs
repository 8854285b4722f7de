//! A counter for what nearly always the same thread counts: [`Count`].

use std::fmt;

use crate::bound::thread_id;
use crate::sync::{AtomicU64, Ordering};

/// A counter that any thread may add to and read. The first that adds to it does so from then on with a load and a store,
/// which costs it a fifth of what a locked instruction does; all others share a second sum.
#[derive(Default)]
pub struct Count {
    /// The thread that added first; 0 for none. Ids of threads are never used twice.
    home: AtomicU64,
    /// What that thread has added: nobody else writes it.
    here: AtomicU64,
    elsewhere: AtomicU64,
}

impl Count {
    /// Adds so many.
    #[inline]
    pub fn add(&self, more: u64) {
        let me = thread_id();
        if self.home.load(Ordering::Relaxed) == me {
            // Only this thread writes it, so nothing can come between the two.
            self.here.store(self.here.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        } else {
            self.add_from(me, more);
        }
    }

    fn add_from(&self, me: u64, more: u64) {
        if self.home.load(Ordering::Relaxed) == 0
            && self.home.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            return self.add(more);
        }
        self.elsewhere.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there are. What other threads add in this very moment may or may not be among them.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.here.load(Ordering::Relaxed).wrapping_add(self.elsewhere.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(all(test, not(callboard_model)))]
mod tests {
    use super::*;

    #[test]
    fn whoever_adds_is_counted() {
        let count = Count::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|more| count.add(more % 3)));
            }
        });
        assert_eq!(count.read(), 4 * 9_999);
    }
}
