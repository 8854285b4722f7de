//! Chaos on purpose: turns that panic, and when they do.
//!
//! Whether a turn panics depends on nothing but the seed, the name of its
//! piece of work and the attempt at it. So a run can be repeated panic by
//! panic, however its threads interleave, and a piece that failed once has a
//! fresh chance at its next attempt.

use std::fmt::Display;

/// How likely a turn panics, and which of all the sequences of panics this run has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chaos {
    pub(crate) probability: f64,
    pub(crate) seed: u64,
}

impl Chaos {
    /// No turn ever panics.
    pub(crate) const NONE: Self = Self { probability: 0.0, seed: 0 };

    /// Panics if the dice have chosen this attempt at this piece of work.
    ///
    /// To be called at the worst moment, when the work is done and nobody
    /// has heard of it yet.
    #[track_caller]
    pub(crate) fn strike(&self, work: impl Display, attempt: u32) {
        assert!(!self.strikes(&work, attempt), "chaos while {work}, attempt {attempt}");
    }

    fn strikes(&self, work: &impl Display, attempt: u32) -> bool {
        if self.probability == 0.0 {
            return false;
        }
        let place = digest(&work.to_string());
        let dice = scramble(scramble(self.seed ^ scramble(place)) ^ u64::from(attempt));
        unit(dice) < self.probability
    }
}

/// FNV-1a. The standard library's hasher may change from release to release,
/// and a seed is to mean the same for good.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The mixing step of SplitMix64: each bit of the result hangs on all bits of the value.
fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The top 53 bits as a fraction from 0 up to, but never, 1.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(chaos: Chaos) -> Vec<bool> {
        let turns = (0..2_000).flat_map(|piece| (1..=5).map(move |attempt| (piece, attempt)));
        turns.map(|(piece, attempt)| chaos.strikes(&format_args!("storing part {piece}"), attempt)).collect()
    }

    #[test]
    fn the_share_of_panics_is_the_probability() {
        let struck = struck(Chaos { probability: 0.2, seed: 7 });
        let share = struck.iter().filter(|struck| **struck).count() as f64 / struck.len() as f64;
        assert!((share - 0.2).abs() < 0.02, "{share} of the turns panic");
    }

    #[test]
    fn the_same_seed_strikes_the_same_turns_and_another_does_not() {
        let turns = |seed| struck(Chaos { probability: 0.2, seed });
        assert_eq!(turns(1), turns(1));
        assert_ne!(turns(1), turns(2));
    }

    #[test]
    fn none_never_strikes() {
        assert!(!struck(Chaos::NONE).contains(&true));
    }

    #[test]
    #[should_panic(expected = "chaos while storing part 3, attempt 1")]
    fn a_strike_says_where_it_was() {
        Chaos { probability: 1.0, seed: 0 }.strike("storing part 3", 1);
    }
}
