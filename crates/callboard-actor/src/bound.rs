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
//!
//! A [`Seat`] holds a value that is not `Send` in such a structure. What it holds is a `Stay`, which may be sent anywhere
//! because it can be opened on the thread that made it alone, and is leaked rather than dropped on any other.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;

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

/// A place for a value that is not `Send`: it is put there, found and taken on the home thread alone. A value
/// that is still there when another thread drops the place is leaked.
pub(crate) struct Seat<T>(Bound<Cell<Option<Stay<T>>>>);

impl<T> Seat<T> {
    pub(crate) fn empty() -> Self {
        Self(Bound::new(Cell::new(None)))
    }

    /// Makes the calling thread the home, if there is none yet.
    pub(crate) fn claim(&self) {
        self.0.claim();
    }

    /// Takes the value out, on the home thread.
    #[inline]
    pub(crate) fn take(&self) -> Option<T> {
        self.0.get()?.take().map(Stay::into_inner)
    }

    /// Puts a value in; handed back on any other thread than the home.
    #[inline]
    pub(crate) fn put(&self, value: T) -> Option<T> {
        let Some(place) = self.0.get() else { return Some(value) };
        place.set(Some(Stay(ManuallyDrop::new(value), thread_id())));
        None
    }
}

/// A value and the thread that it belongs to.
struct Stay<T>(ManuallyDrop<T>, u64);

// SAFETY: the value is reached by the two methods below only: `drop` does nothing on any thread but its own, and
// `into_inner` is called by `Seat::take` alone, which finds it on its home thread alone, where `Seat::put` made it.
unsafe impl<T> Send for Stay<T> {}

impl<T> Stay<T> {
    #[inline]
    fn into_inner(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used again and its destructor does not run.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T> Drop for Stay<T> {
    fn drop(&mut self) {
        if thread_id() == self.1 {
            // SAFETY: this is its destructor, and it has not been taken out: `into_inner` runs no destructor.
            unsafe { ManuallyDrop::drop(&mut self.0) }
        }
    }
}

impl<T> fmt::Debug for Seat<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seat")
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
    fn a_seat_gives_its_value_on_the_home_thread_alone() {
        let seat = std::sync::Arc::new(Seat::empty());
        assert!(seat.put(std::rc::Rc::new(1)).is_some(), "it has no home yet");
        seat.claim();
        assert!(seat.put(std::rc::Rc::new(2)).is_none());
        let far = std::sync::Arc::clone(&seat);
        std::thread::spawn(move || {
            far.claim();
            assert!(far.take().is_none());
            assert!(far.put(std::rc::Rc::new(3)).is_some());
        })
        .join()
        .unwrap();
        assert_eq!(seat.take().as_deref(), Some(&2));
        assert!(seat.take().is_none());
    }

    /// The thread of an actor has ended with a value in the seat, and somebody still held a reference.
    #[test]
    fn a_value_that_is_left_behind_is_dropped_at_home_and_leaked_elsewhere() {
        let value = std::rc::Rc::new(());
        for at_home in [true, false] {
            let seat = Seat::empty();
            seat.claim();
            seat.put(std::rc::Rc::clone(&value));
            if at_home {
                drop(seat);
                assert_eq!(std::rc::Rc::strong_count(&value), 1);
            } else {
                std::thread::spawn(move || drop(seat)).join().unwrap();
                assert_eq!(std::rc::Rc::strong_count(&value), 2, "no other thread has touched the count");
            }
        }
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
