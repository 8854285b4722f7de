//! How long to wait before a restart. Pure; the random roll is an argument.

use std::time::Duration;

/// The delay before the n-th restart in the intensity window. The first one never waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    first: Duration,
    factor: f64,
    cap: Duration,
    jitter: bool,
}

impl Default for Backoff {
    /// 100 ms, doubling up to 30 s, with full jitter.
    fn default() -> Self {
        Self::exponential(Duration::from_millis(100), 2.0, Duration::from_secs(30))
    }
}

impl Backoff {
    /// Never waits.
    #[must_use]
    pub const fn none() -> Self {
        Self::fixed(Duration::ZERO)
    }

    /// Always waits the same from the second restart on.
    #[must_use]
    pub const fn fixed(delay: Duration) -> Self {
        Self { first: delay, factor: 1.0, cap: delay, jitter: false }
    }

    /// Waits `first`, then `factor` times as long each time, never longer than `cap`; with full jitter, which draws
    /// the delay between nothing and that much ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    #[must_use]
    pub const fn exponential(first: Duration, factor: f64, cap: Duration) -> Self {
        Self { first, factor, cap, jitter: true }
    }

    /// The same delays without the draw.
    #[must_use]
    pub const fn without_jitter(mut self) -> Self {
        self.jitter = false;
        self
    }

    /// What cannot work in these settings.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let grows = self.factor.is_finite() && self.factor >= 1.0;
        if grows {
            Vec::new()
        } else {
            vec![format!("back-off: a factor of {} would shrink the delay; use 1 or more", self.factor)]
        }
    }

    /// The delay before restart number `nth` (from 1), with `roll` from 0 to 1 as the draw.
    #[must_use]
    pub fn delay(&self, nth: u32, roll: f64) -> Duration {
        if nth <= 1 || self.first.is_zero() {
            return Duration::ZERO;
        }
        let grown = self.first.as_secs_f64() * self.factor.powi((nth - 2).min(1000).cast_signed());
        let capped = grown.min(self.cap.as_secs_f64());
        Duration::try_from_secs_f64(if self.jitter { capped * roll } else { capped }).unwrap_or(Duration::MAX)
    }
}

/// The `draw`-th number from 0 to 1 of a seed ("SplitMix", Steele, Lea and Flood, OOPSLA 2014).
pub(crate) fn roll(seed: u64, draw: u64) -> f64 {
    let mut z = seed.wrapping_add(draw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolls_are_spread_and_reproducible() {
        let draws: Vec<f64> = (0..1000).map(|draw| roll(7, draw)).collect();
        assert_eq!(draws, (0..1000).map(|draw| roll(7, draw)).collect::<Vec<_>>());
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean) && draws.iter().all(|roll| (0.0..1.0).contains(roll)));
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_delay_doubles_to_the_cap() {
        let delays: Vec<u64> = (1..=12).map(|nth| Backoff::default().delay(nth, 1.0).as_millis() as u64).collect();
        assert_eq!(delays, [0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
    }

    #[test]
    fn jitter_draws_between_nothing_and_the_delay() {
        assert_eq!(Backoff::default().delay(3, 0.0), Duration::ZERO);
        assert_eq!(Backoff::default().delay(3, 0.5), Duration::from_millis(100));
        assert_eq!(Backoff::default().without_jitter().delay(3, 0.0), Duration::from_millis(200));
    }

    #[test]
    fn none_and_huge_counts_are_fine() {
        assert_eq!(Backoff::none().delay(99, 1.0), Duration::ZERO);
        assert_eq!(Backoff::default().delay(u32::MAX, 1.0), Duration::from_secs(30));
    }
}
