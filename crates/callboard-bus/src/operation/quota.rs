//! Which calls are timed beside one in 64: the first few of every tick. So an operation that is called seldom is timed
//! exactly, and one that is called all the time pays for two looks at the clock next to never.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// So many of each tick.
const MOST: u32 = 64;

/// The tick in the upper half, and how many of it have been timed. Threads that race time a few more or fewer: that is no
/// harm, and cheaper than an addition that is exact.
#[derive(Debug, Default)]
pub(super) struct Quota(AtomicU64);

impl Quota {
    /// Whether one more of this tick is to be timed.
    #[inline]
    pub(super) fn take(&self, tick: u32) -> bool {
        let word = self.0.load(Relaxed);
        let timed = if (word >> 32) as u32 == tick { word as u32 } else { 0 };
        let is_timed = timed < MOST;
        if is_timed {
            self.0.store((u64::from(tick) << 32) | u64::from(timed + 1), Relaxed);
        }
        is_timed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tick_has_its_own() {
        let quota = Quota::default();
        let taken = |tick, calls: u32| (0..calls).filter(|_| quota.take(tick)).count();
        assert_eq!((taken(0, 10), taken(0, 100), taken(0, 1)), (10, 54, 0));
        assert_eq!((taken(1, 65), taken(u32::MAX, 65), taken(0, 3)), (64, 64, 3));
    }
}
