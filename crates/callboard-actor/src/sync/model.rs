//! The checker's primitives. shuttle decides which thread takes the next step; what a load may see is decided here,
//! because shuttle itself treats every atomic as sequentially consistent.
//!
//! An atomic keeps all its stores. A load that is weaker than `SeqCst` may see any of them that is not older than one
//! which this thread has seen before, or which happened before the load; which one is drawn at random. What happened
//! before what is told by vector clocks: locks, release and acquire, and the start and end of a thread carry them on.
//! Read-modify-writes and `SeqCst` loads see the newest store, as the hardware's do.
//!
//! What this leaves out: a `fence` is a scheduling point and nothing else, and a store that is not `SeqCst` cannot be
//! seen before an earlier one of the same thread to another atomic is *made*; threads that do not synchronise may well
//! *see* the two in any order.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use shuttle::rand::Rng;
use std::sync::Mutex as Plain;
use std::sync::PoisonError;

use super::Ordering;
pub(crate) use shuttle::thread_local;

/// How far each thread had come, by its number.
pub(crate) type Clock = BTreeMap<u64, u64>;

shuttle::thread_local! {
    /// What happened before this thread's next step.
    static CLOCK: std::cell::RefCell<Clock> = std::cell::RefCell::new(Clock::new());
}

std::thread_local! {
    /// Whether loads may see old stores; all threads of a model run on the one that checks it.
    static STALE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Lets loads see old stores, or not, in the models that the calling thread checks from now on.
pub fn let_loads_be_stale(wanted: bool) {
    STALE.set(wanted);
}

/// What the calling thread hands over to whoever acquires it. Its own later steps are not part of that.
pub(crate) fn release() -> Clock {
    let me = crate::bound::thread_id();
    CLOCK.with(|clock| {
        let mut clock = clock.borrow_mut();
        let released = Clock::clone(&clock);
        *clock.entry(me).or_default() += 1;
        released
    })
}

/// Takes over what somebody has released.
pub(crate) fn acquire(released: &Clock) {
    CLOCK.with(|clock| join(&mut clock.borrow_mut(), released));
}

fn join(clock: &mut Clock, other: &Clock) {
    for (&thread, &time) in other {
        let known = clock.entry(thread).or_default();
        *known = time.max(*known);
    }
}

/// The number of the calling thread, and how far it has come. The first step is 1, so that 0 stands for none.
fn here() -> (u64, u64) {
    let me = crate::bound::thread_id();
    CLOCK.with(|clock| (me, *clock.borrow_mut().entry(me).or_insert(1)))
}

fn has_happened(writer: u64, time: u64) -> bool {
    CLOCK.with(|clock| clock.borrow().get(&writer).is_some_and(|&known| known >= time))
}

/// Lets the scheduler choose who goes on. A load of an atomic that nobody else has does nothing but that.
fn switch() {
    shuttle::sync::atomic::AtomicBool::new(false).load(Ordering::SeqCst);
}

/// The checker's lock with the face of `parking_lot`'s: no poisoning.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T> {
    value: shuttle::sync::Mutex<T>,
    released: Plain<Clock>,
}

/// The right to use what a [`Mutex`] holds.
pub(crate) struct MutexGuard<'a, T> {
    value: shuttle::sync::MutexGuard<'a, T>,
    released: &'a Plain<Clock>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: shuttle::sync::Mutex::new(value), released: Plain::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        acquire(&plain(&self.released));
        MutexGuard { value, released: &self.released }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        *plain(self.released) = release();
    }
}

fn plain<T>(lock: &Plain<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Orders nothing here: see the head of this file.
pub(crate) fn fence(order: Ordering) {
    shuttle::sync::atomic::fence(order);
    switch();
}

/// One store to an atomic.
#[derive(Clone, Debug)]
struct Store<T> {
    value: T,
    writer: u64,
    time: u64,
    released: Option<Clock>,
}

/// An atomic with all that was ever stored in it.
struct Atomic<T>(Plain<History<T>>);

#[derive(Debug)]
struct History<T> {
    stores: Vec<Store<T>>,
    /// The newest store that each thread had seen, by its number, and how far it had come then; only grows.
    seen: BTreeMap<u64, Vec<(u64, usize)>>,
}

impl<T: Copy + PartialEq> Atomic<T> {
    fn new(value: T) -> Self {
        let stores = vec![Store { value, writer: 0, time: 0, released: None }];
        Self(Plain::new(History { stores, seen: BTreeMap::new() }))
    }

    fn load(&self, order: Ordering) -> T {
        switch();
        plain(&self.0).load(order)
    }

    fn store(&self, value: T, order: Ordering) {
        switch();
        plain(&self.0).store(value, order, None);
    }

    /// One step that reads the newest value and, if `change` wants one, stores another.
    fn update(&self, order: Ordering, change: impl FnOnce(T) -> Option<T>) -> Result<T, T> {
        switch();
        let mut history = plain(&self.0);
        let newest = history.stores.len() - 1;
        let last = history.see(newest, order);
        let Some(value) = change(last.value) else { return Err(last.value) };
        history.store(value, order, last.released);
        Ok(last.value)
    }
}

impl<T: Copy + PartialEq> History<T> {
    fn load(&mut self, order: Ordering) -> T {
        let newest = self.stores.len() - 1;
        let oldest = if STALE.get() && order != Ordering::SeqCst { self.oldest_visible() } else { newest };
        let at = if oldest < newest { shuttle::rand::thread_rng().gen_range(oldest..=newest) } else { newest };
        self.see(at, order).value
    }

    /// The newest store that the calling thread cannot have missed: it happened before, or somebody saw it before.
    fn oldest_visible(&self) -> usize {
        let made = self.stores.iter().rposition(|store| has_happened(store.writer, store.time));
        let seen_by = |(&thread, seen): (&u64, &Vec<(u64, usize)>)| {
            seen.iter().rev().find(|&&(time, _)| has_happened(thread, time)).map(|&(_, at)| at)
        };
        made.max(self.seen.iter().filter_map(seen_by).max()).unwrap_or(0)
    }

    fn see(&mut self, at: usize, order: Ordering) -> Store<T> {
        self.note(at);
        let store = self.stores[at].clone();
        if let (true, Some(released)) = (acquires(order), &store.released) {
            acquire(released);
        }
        store
    }

    fn note(&mut self, at: usize) {
        let (me, time) = here();
        self.seen.entry(me).or_default().push((time, at));
    }

    /// `continued` is what a release sequence goes on with: a read-modify-write hands on what it read.
    fn store(&mut self, value: T, order: Ordering, continued: Option<Clock>) {
        let (writer, time) = here();
        let mut released = continued;
        if releases(order) {
            join(released.get_or_insert_default(), &release());
        }
        self.note(self.stores.len());
        self.stores.push(Store { value, writer, time, released });
    }
}

fn acquires(order: Ordering) -> bool {
    matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

fn releases(order: Ordering) -> bool {
    matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

macro_rules! atomic {
    ($name:ident, $int:ty) => {
        /// The checker's atomic with the face of the standard one.
        pub(crate) struct $name(Atomic<$int>);

        #[allow(dead_code)]
        impl $name {
            pub(crate) fn new(value: $int) -> Self {
                Self(Atomic::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $int {
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: $int, order: Ordering) {
                self.0.store(value, order);
            }

            pub(crate) fn swap(&self, value: $int, order: Ordering) -> $int {
                self.always(order, |_| value)
            }

            pub(crate) fn fetch_add(&self, by: $int, order: Ordering) -> $int {
                self.always(order, |old| old.wrapping_add(by))
            }

            pub(crate) fn fetch_sub(&self, by: $int, order: Ordering) -> $int {
                self.always(order, |old| old.wrapping_sub(by))
            }

            pub(crate) fn fetch_min(&self, other: $int, order: Ordering) -> $int {
                self.always(order, |old| old.min(other))
            }

            pub(crate) fn fetch_max(&self, other: $int, order: Ordering) -> $int {
                self.always(order, |old| old.max(other))
            }

            pub(crate) fn fetch_or(&self, bits: $int, order: Ordering) -> $int {
                self.always(order, |old| old | bits)
            }

            pub(crate) fn fetch_and(&self, bits: $int, order: Ordering) -> $int {
                self.always(order, |old| old & bits)
            }

            pub(crate) fn compare_exchange(
                &self,
                old: $int,
                new: $int,
                then: Ordering,
                or: Ordering,
            ) -> Result<$int, $int> {
                let _ = or;
                self.0.update(then, |now| (now == old).then_some(new))
            }

            fn always(&self, order: Ordering, change: impl FnOnce($int) -> $int) -> $int {
                match self.0.update(order, |old| Some(change(old))) {
                    Ok(old) | Err(old) => old,
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&plain(&self.0.0).stores.last().map(|store| store.value), f)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);
