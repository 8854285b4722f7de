//! A value that many messages hold, which counts its holders with one locked instruction each instead of two: [`Share`].
//!
//! This is weighted reference counting, of D. I. Bevan, "Distributed Garbage Collection Using Reference Counting", and of
//! P. Watson and I. Watson, "An Efficient Garbage Collection Scheme for Parallel Computer Architectures" (both PARLE 1987).
//! A share has a weight, and the value knows the sum of all of them. A share that is [split](Share::split) hands on a part of its
//! own weight, so the sum stays as it is and nobody has to be told; one that is dropped takes its weight off the sum, and
//! whoever takes off the last of it drops the value.
//!
//! # Safety
//!
//! - The sum is that of the weights of all shares, those that were leaked included, and a share has a weight of at least 1:
//!   while there is a share the sum is not 0, so the value lives. It is dropped by the one share whose weight was all
//!   that was left, and nobody has that share any more.
//! - A share takes its weight off with `Release`, and whoever drops the value acquires what all others released: their
//!   last looks at it happened before.
//! - Of shared values there are shared references only, and they may be dropped by any thread: so a share is `Send` and
//!   `Sync` where its value is both, as an `Arc` is.
//! - The sum cannot overflow: that would take shares that are leaked, more than a process can make, and whoever finds the
//!   sum beyond the half of what it can hold ends the process, as an `Arc` does.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::process::abort;
use std::ptr::NonNull;

use crate::sync::{AtomicU64, Ordering};

/// What a share takes when it has nothing left to hand on: enough for so many splits that what that costs is lost among them.
const PORTION: u32 = 1 << 10;
/// What a split hands on, where there is enough: the new share can be split once more.
const HANDED_ON: u32 = 2;

/// A share of a value that never changes and lives as long as a share of it: an `Arc` for what is handed to many at once.
///
/// [`clone`](Clone::clone) costs a locked instruction, as that of an `Arc` does. [`split`](Self::split) mostly costs none: it
/// is for whoever has a share of its own to hand on from, a publisher say.
///
/// ```
/// use callboard_actor::Share;
///
/// let mut report = Share::new(String::from("rows 1 to 100"));
/// let for_each: Vec<Share<String>> = (0..3).map(|_| report.split()).collect();
/// assert!(for_each.iter().all(|share| share.as_str() == "rows 1 to 100"));
/// ```
pub struct Share<T> {
    whole: NonNull<Whole<T>>,
    weight: u32,
    owns: PhantomData<Whole<T>>,
}

/// Hands on shares of a value that somebody looks at meanwhile, see [`Share::hand_out`].
#[derive(Debug)]
pub struct Giver<'s, T>(&'s mut Share<T>);

impl<T> Giver<'_, T> {
    /// As [`Share::split`].
    #[inline]
    #[must_use]
    pub fn split(&mut self) -> Share<T> {
        self.0.split()
    }
}

struct Whole<T> {
    /// The sum of the weights of all shares.
    weight: AtomicU64,
    value: T,
}

// SAFETY: see the head of this file.
unsafe impl<T: Send + Sync> Send for Share<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Share<T> {}

impl<T> Share<T> {
    /// The first share of a value.
    #[inline]
    pub fn new(value: T) -> Self {
        let whole = Box::new(Whole { weight: AtomicU64::new(PORTION.into()), value });
        Self::weighing(NonNull::from(Box::leak(whole)), PORTION)
    }

    /// One more share, out of the weight of this one.
    #[inline]
    #[must_use]
    pub fn split(&mut self) -> Self {
        if self.weight == 1 {
            self.grow();
        }
        let handed_on = HANDED_ON.min(self.weight - 1);
        self.weight -= handed_on;
        Self::weighing(self.whole, handed_on)
    }

    /// The value, and who hands on shares of it while it is looked at.
    #[inline]
    pub fn hand_out(&mut self) -> (&T, Giver<'_, T>) {
        // SAFETY: the value lives as long as this share, which is borrowed for as long as the reference is used, and it lies
        // apart from the share, of which the giver holds the only reference.
        let whole = unsafe { self.whole.as_ref() };
        (&whole.value, Giver(self))
    }

    #[inline]
    fn weighing(whole: NonNull<Whole<T>>, weight: u32) -> Self {
        Self { whole, weight, owns: PhantomData }
    }

    #[cold]
    fn grow(&mut self) {
        self.add(PORTION);
        self.weight += PORTION;
    }

    /// Adds to the sum what a share is about to weigh more. This one lives, so nobody drops the value meanwhile.
    #[inline]
    fn add(&self, weight: u32) {
        if self.whole().weight.fetch_add(weight.into(), Ordering::Relaxed) > u64::MAX / 2 {
            abort();
        }
    }

    #[inline]
    fn whole(&self) -> &Whole<T> {
        // SAFETY: the value lives as long as this share.
        unsafe { self.whole.as_ref() }
    }

    #[cold]
    #[inline(never)]
    fn drop_whole(&mut self) {
        // An acquiring load and no fence: it sees what all others have released, as each took its weight off by a
        // read-modify-write.
        self.whole().weight.load(Ordering::Acquire);
        // SAFETY: this was the last share: see the head of this file. The pointer is that of a leaked box.
        drop(unsafe { Box::from_raw(self.whole.as_ptr()) });
    }
}

impl<T> Drop for Share<T> {
    #[inline]
    fn drop(&mut self) {
        let (sum, weight) = (&self.whole().weight, self.weight.into());
        // Where the sum is the weight of this share there is no other, of which one could be made: that is a load for the last
        // holder instead of a locked instruction. A sum that is out of date cannot deceive it. One from before this share
        // is not seen, as whatever it was made of happened before; and if something was added to the sum that is seen, then
        // by a holder whose weight was in it, which leaves this share: all that is done with it happens before its drop.
        if sum.load(Ordering::Relaxed) == weight || sum.fetch_sub(weight, Ordering::Release) == weight {
            self.drop_whole();
        }
    }
}

impl<T> Clone for Share<T> {
    #[inline]
    fn clone(&self) -> Self {
        self.add(1);
        Self::weighing(self.whole, 1)
    }
}

impl<T> Deref for Share<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.whole().value
    }
}

/// Two shares are equal when their values are.
impl<T: PartialEq> PartialEq for Share<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Share<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(callboard_model)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    // An interpreter would take hours for it.
    #[cfg(not(miri))]
    mod as_counted_pointers {
        use proptest::prelude::*;

        use super::*;

        #[derive(Clone, Copy, Debug)]
        enum Step {
            Split(usize),
            Clone(usize),
            Drop(usize),
        }

        fn steps() -> impl Strategy<Value = Vec<Step>> {
            let step = (0..3u8, any::<prop::sample::Index>()).prop_map(|(kind, which)| {
                let which = which.index(64);
                [Step::Split(which), Step::Clone(which), Step::Drop(which)][usize::from(kind)]
            });
            prop::collection::vec(step, 0..200)
        }

        proptest! {
            /// The model is an `Arc` in the place of each share.
            #[test]
            fn the_value_lives_as_long_as_a_share(steps in steps()) {
                let (value, mut shares) = (Arc::new(7), Vec::new());
                shares.push(Share::new(Arc::clone(&value)));
                for step in steps {
                    let count = shares.len().max(1);
                    match step {
                        _ if shares.is_empty() => {}
                        Step::Split(which) => { let share = shares[which % count].split(); shares.push(share); }
                        Step::Clone(which) => { let share = shares[which % count].clone(); shares.push(share); }
                        Step::Drop(which) => drop(shares.swap_remove(which % count)),
                    }
                    prop_assert_eq!(Arc::strong_count(&value), if shares.is_empty() { 1 } else { 2 });
                    let sum: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
                    prop_assert!(shares.first().is_none_or(|share| share.whole().weight.load(Ordering::Relaxed) == sum));
                    prop_assert!(shares.iter().all(|share| share.weight > 0 && ***share == 7));
                }
            }
        }
    }

    /// What is handed on can be split without a word to anybody, and what has nothing left takes a portion.
    #[test]
    fn a_share_of_one_grows_when_it_is_split() {
        let mut first = Share::new('a');
        let mut handed_on = first.split();
        let last = handed_on.split();
        assert_eq!([first.weight, handed_on.weight, last.weight], [PORTION - 2, 1, 1]);
        let more = handed_on.split();
        assert_eq!([handed_on.weight, more.weight], [PORTION - 1, 2]);
        assert_eq!(first.whole().weight.load(Ordering::Relaxed), u64::from(2 * PORTION));
    }

    #[test]
    fn it_is_looked_at_while_it_is_handed_out() {
        let mut letters = Share::new(vec!['a', 'b', 'c']);
        let (seen, mut giver) = letters.hand_out();
        let given: Vec<_> = seen.iter().map(|letter| (*letter, giver.split())).collect();
        drop(letters);
        assert!(given.iter().all(|(letter, share)| share.contains(letter)));
    }

    #[test]
    fn threads_share_it() {
        let value = Arc::new(0);
        let (mut first, rounds) = (Share::new(Arc::clone(&value)), if cfg!(miri) { 50 } else { 10_000 });
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut own = first.split();
                scope.spawn(move || (0..rounds).for_each(|_| drop((own.split(), own.clone()))));
            }
        });
        drop(first);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
