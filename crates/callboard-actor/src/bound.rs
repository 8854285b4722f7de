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
//! A [`Homed`] value need not even be `Send`. It is handed in by the thread that becomes its home, so it never belongs to any
//! other; and dropped on any other thread it is leaked rather than dropped there.
#![allow(unsafe_code)]

use std::cell::{RefCell, RefMut, UnsafeCell};
use std::fmt;
use std::mem::MaybeUninit;

use crate::sync::{AtomicU64, Ordering};

/// No thread has claimed the value yet.
const NOBODY: u64 = 0;

/// A value of which only its home thread may take a reference. The home stands before it in memory.
#[repr(C)]
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

/// A place for a value that is not `Send`, of which only its home thread may take a reference. There is a value in it from the
/// claim on. When another thread drops the place, the value is leaked.
pub(crate) struct Homed<T> {
    home: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is handed in by the home thread, and the home thread alone reaches or drops it: `get` and `drop` look
// whether they run there.
unsafe impl<T> Send for Homed<T> {}
// SAFETY: as above. `claim` writes the value once, before `get` on the same thread can have handed out a reference.
unsafe impl<T> Sync for Homed<T> {}

impl<T> Homed<T> {
    /// No thread's yet.
    pub(crate) fn empty() -> Self {
        Self { home: AtomicU64::new(NOBODY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Makes the calling thread the home of this value. When another thread (or this one) already is, the value is dropped.
    pub(crate) fn claim(&self, value: T) {
        if self.home.compare_exchange(NOBODY, thread_id(), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // SAFETY: nobody has claimed the place before, so there is no reference to it, and only this thread can take one.
            unsafe { (*self.value.get()).write(value) };
        }
    }

    /// The value, on its home thread; `None` anywhere else.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: the home thread has written the value when it became the home, and nobody has written since.
        self.is_home().then(|| unsafe { (*self.value.get()).assume_init_ref() })
    }

    /// A relaxed load suffices, see [`Bound::get`].
    #[inline]
    fn is_home(&self) -> bool {
        self.home.load(Ordering::Relaxed) == thread_id()
    }
}

impl<T> Drop for Homed<T> {
    fn drop(&mut self) {
        if self.is_home() {
            // SAFETY: this is the home thread, where there is a value, and nobody uses it again.
            unsafe { self.value.get_mut().assume_init_drop() }
        }
    }
}

/// A place for a value that is not `Send`: it is put there, borrowed and taken on the home thread alone.
pub(crate) struct Seat<T>(Homed<RefCell<Option<T>>>);

impl<T> Seat<T> {
    pub(crate) fn empty() -> Self {
        Self(Homed::empty())
    }

    /// Makes the calling thread the home, if there is none yet.
    pub(crate) fn claim(&self) {
        self.0.claim(RefCell::new(None));
    }

    /// The place and what is in it, on the home thread and unless it is borrowed already.
    #[inline]
    pub(crate) fn borrow(&self) -> Option<RefMut<'_, Option<T>>> {
        self.0.get()?.try_borrow_mut().ok()
    }

    /// Looks at the value, on the home thread and unless it is borrowed.
    #[inline]
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.get()?.try_borrow().ok()?.as_ref().map(look)
    }

    /// Takes the value out, on the home thread and unless it is borrowed.
    pub(crate) fn take(&self) -> Option<T> {
        self.borrow()?.take()
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
    fn a_seat_gives_its_value_on_the_home_thread_alone_and_to_one_at_a_time() {
        let seat = std::sync::Arc::new(Seat::empty());
        assert!(seat.borrow().is_none(), "it has no home yet");
        seat.claim();
        *seat.borrow().unwrap() = Some(std::rc::Rc::new(2));
        let far = std::sync::Arc::clone(&seat);
        std::thread::spawn(move || {
            far.claim();
            assert!(far.borrow().is_none() && far.take().is_none());
        })
        .join()
        .unwrap();
        let borrowed = seat.borrow();
        assert!(seat.borrow().is_none() && seat.take().is_none(), "it is in use");
        drop(borrowed);
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
            *seat.borrow().unwrap() = Some(std::rc::Rc::clone(&value));
            if at_home {
                drop(seat);
                assert_eq!(std::rc::Rc::strong_count(&value), 1);
            } else {
                std::thread::spawn(move || drop(seat)).join().unwrap();
                assert_eq!(std::rc::Rc::strong_count(&value), 2, "no other thread has touched the count");
                // SAFETY: this is the count of the clone that was leaked.
                unsafe { std::rc::Rc::decrement_strong_count(std::rc::Rc::as_ptr(&value)) }
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
