//! A value that lives on one thread, inside a structure that every thread may hold.
//!
//! # Safety
//!
//! [`Bound`] is `Sync` although its content is not. This is sound because a shared reference to the content is
//! handed out only on the *home* thread, so no two threads ever hold one at the same time:
//!
//! - the home is claimed at most once, by the thread that becomes it, and never changes afterwards;
//! - thread ids come from a counter and are never used twice, so a thread that has ended cannot be impersonated;
//! - the content is `Send`, so whichever thread drops the structure last may drop the content: by then it has
//!   exclusive access.
#![allow(unsafe_code)]

use std::fmt;

use crate::sync::{AtomicU64, Ordering};

/// No thread has claimed the value yet.
const NOBODY: u64 = 0;

/// A value of which only its home thread may take a reference.
pub(crate) struct Bound<T> {
    home: AtomicU64,
    value: T,
}

// SAFETY: see the head of this file; `get` is the only way to a reference and answers on the home thread alone.
unsafe impl<T: Send> Sync for Bound<T> {}

impl<T> Bound<T> {
    /// Wraps `value`; until [`claim`](Self::claim) no thread can reach it.
    pub(crate) fn new(value: T) -> Self {
        Self { home: AtomicU64::new(NOBODY), value }
    }

    /// Makes the calling thread the home. False when another thread (or this one) already is.
    pub(crate) fn claim(&self) -> bool {
        self.home.compare_exchange(NOBODY, thread_id(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The value, on its home thread; `None` anywhere else.
    ///
    /// A relaxed load suffices: only the home thread itself ever writes its own id, and a thread always sees its own
    /// writes; any other value, stale or not, differs from the caller's id.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        (self.home.load(Ordering::Relaxed) == thread_id()).then_some(&self.value)
    }
}

impl<T> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("home", &self.home.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

crate::sync::thread_local! {
    static THREAD_ID: std::cell::Cell<u64> = const { std::cell::Cell::new(NOBODY) };
}

/// The number of the calling thread: unique in the process, never used again, never 0.
#[inline]
pub(crate) fn thread_id() -> u64 {
    THREAD_ID.with(|id| match id.get() {
        NOBODY => first_id(id),
        known => known,
    })
}

#[cold]
fn first_id(id: &std::cell::Cell<u64>) -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let fresh = NEXT.fetch_add(1, Ordering::Relaxed);
    id.set(fresh);
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_home_thread_gets_the_value() {
        let bound = std::sync::Arc::new(Bound::new(std::cell::Cell::new(7)));
        assert!(bound.get().is_none(), "nobody before the claim");
        assert!(bound.claim());
        assert_eq!(bound.get().map(std::cell::Cell::get), Some(7));
        let far = std::sync::Arc::clone(&bound);
        std::thread::spawn(move || {
            assert!(far.get().is_none());
            assert!(!far.claim(), "the home never changes");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn thread_ids_are_never_used_twice() {
        let ids: Vec<u64> = (0..8).map(|_| std::thread::spawn(thread_id).join().unwrap()).collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len());
    }
}
