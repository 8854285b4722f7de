//! Which of several equal instances is to be called: [`Balance`]. Pure.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// How calls are spread over the instances of a module that have the same version. One that takes no calls now is always
/// passed over.
///
/// ```
/// # use callboard_actor::Actor;
/// # use callboard_bus::{Balance, Manifest};
/// # struct Renderer; impl Actor for Renderer {}
/// # fn manifest() -> Manifest<Renderer> {
/// Manifest::new("renderer", "1.0.0").balance(Balance::LeastLoaded)
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Balance {
    /// Each in its turn.
    #[default]
    RoundRobin,
    /// The one with the fewest calls that somebody waits for, by name or by the methods of its reference; of equals each in its
    /// turn. What else is sent to its actor is not counted.
    LeastLoaded,
    /// In turns, as many as the [weight](crate::Manifest::weight) of each says, evenly mixed.
    Weighted,
    /// Calls with the same key go to the same instance. When one comes or goes, only the keys move that it gets or had
    /// (rendezvous hashing, by the names of the instances). Without a key each in its turn.
    ConsistentHash,
}

impl Balance {
    /// The word, as serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastLoaded => "least_loaded",
            Self::Weighted => "weighted",
            Self::ConsistentHash => "consistent_hash",
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a call is about, as far as the choice of an instance goes. Not zero, so that a call without one is no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallKey(NonZeroU64);

impl CallKey {
    pub(crate) fn of(key: &[u8]) -> Self {
        Self(NonZeroU64::MIN | digest(key))
    }

    /// How well an instance suits: the highest gets the call.
    pub(crate) fn score(self, instance: u64) -> u64 {
        mix(self.0.get() ^ instance)
    }
}

/// An instance as a number: by its name, so that a key finds it again when all are started anew. Of several with one name
/// the how many-th it is.
pub(crate) fn instance_seed(name: &str, nth: u64) -> u64 {
    mix(digest(name.as_bytes()).wrapping_add(nth))
}

/// A place below `total` for each turn: as often in every part of it as the part is long, and never many times in one part
/// in a row (the multiples of the golden ratio).
pub(crate) fn spread(turn: u64, total: u64) -> u64 {
    let fraction = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // Below `total`, so it fits.
    ((u128::from(fraction) * u128::from(total)) >> 64) as u64
}

/// FNV-1a. That of the standard library may change from release to release, and a key is to mean the same for good.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The end of SplitMix64: each bit of the outcome depends on every bit that goes in.
const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Balance, CallKey, instance_seed, spread};

    /// Whether each share is within 5 % of what it should be.
    fn is_fair(counts: &[u64], weights: &[u64]) -> bool {
        let (calls, total) = (counts.iter().sum::<u64>() as f64, weights.iter().sum::<u64>() as f64);
        counts.iter().zip(weights).all(|(count, weight)| {
            let wanted = calls * *weight as f64 / total;
            (*count as f64 - wanted).abs() <= wanted * 0.05
        })
    }

    proptest! {
        /// F-FUT-03
        #[test]
        fn turns_are_spread_by_weight(weights in prop::collection::vec(1_u64..20, 1..12), first in any::<u64>()) {
            let total = weights.iter().sum();
            let mut counts = vec![0_u64; weights.len()];
            for turn in 0..20_000 {
                let mut place = spread(first.wrapping_add(turn), total);
                let at = weights.iter().position(|weight| {
                    let is_here = place < *weight;
                    place = place.saturating_sub(*weight);
                    is_here
                });
                counts[at.unwrap()] += 1;
            }
            prop_assert!(is_fair(&counts, &weights), "{counts:?} of {weights:?}");
        }
    }

    /// Which of the instances gets the key.
    fn chosen(key: usize, instances: &[u64]) -> usize {
        let key = CallKey::of(format!("customer-{key}").as_bytes());
        (0..instances.len()).max_by_key(|at| key.score(instances[*at])).unwrap()
    }

    /// F-FUT-03
    #[test]
    fn keys_are_spread_evenly_and_few_move() {
        let five: Vec<_> = (1..=5).map(|number| instance_seed(&format!("lab-{number}"), 0)).collect();
        let mut counts = [0; 5];
        for key in 0..100_000 {
            let at = chosen(key, &five);
            counts[at] += 1;
            assert!(at == 4 || chosen(key, &five[..4]) == at, "only those of the fifth move when it goes");
        }
        assert!(is_fair(&counts, &[1; 5]), "{counts:?}");
    }

    #[test]
    fn instances_of_one_name_are_told_apart() {
        let three: Vec<_> = (0..3).map(|nth| instance_seed("lab", nth)).collect();
        let mut counts = [0; 3];
        (0..30_000).for_each(|key| counts[chosen(key, &three)] += 1);
        assert!(is_fair(&counts, &[1; 3]), "{counts:?}");
    }

    #[test]
    fn the_words_are_those_that_are_serialised() {
        for balance in [Balance::RoundRobin, Balance::LeastLoaded, Balance::Weighted, Balance::ConsistentHash] {
            assert_eq!(serde_json::to_value(balance).unwrap(), balance.to_string());
        }
    }
}
