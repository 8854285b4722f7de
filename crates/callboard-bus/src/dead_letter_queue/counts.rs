//! How many letters there are, and there were: [`LetterCounts`]; and what that says of the health of the system:
//! [`LetterHealth`]. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::letter::LetterReason;
use super::shelf::LetterBounds;
use crate::time;

/// How many letters there are, and what became of all there ever were. Each that was `added` is there, or was evicted, purged,
/// retried or replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LetterCounts {
    /// Letters there are now.
    pub letters: usize,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Letters there are now, by reason.
    pub kept: BTreeMap<LetterReason, u64>,
    /// All there ever were, by reason; one that came back after a retry counts once more.
    pub added: BTreeMap<LetterReason, u64>,
    /// Those that left as there were too many.
    pub evicted: u64,
    /// Those that somebody had dropped.
    pub purged: u64,
    /// Those that were delivered again, or tried to be.
    pub retried: u64,
    /// Those among the retried ones that failed again.
    pub returned: u64,
    /// Those in whose place a newer one of the same id came.
    pub replaced: u64,
    /// When the first of those that are there failed for the first time.
    #[serde(serialize_with = "time::serialize_past")]
    pub oldest: Option<SystemTime>,
}

impl LetterCounts {
    pub(super) fn add(&mut self, reason: LetterReason) {
        *self.added.entry(reason).or_default() += 1;
    }

    /// All letters there ever were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.added.values().sum()
    }

    /// Whether each letter is in exactly one count.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.total() == self.letters as u64 + self.evicted + self.purged + self.retried + self.replaced
    }
}

/// What the letters say of the health of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LetterHealth {
    /// Letters there are now.
    pub letters: usize,
    /// The same by reason, those without any included.
    pub by_reason: BTreeMap<LetterReason, u64>,
    /// How long ago the first of them failed.
    #[serde(with = "time::optional")]
    pub oldest_age: Option<Duration>,
    /// What is wrong, where there are too many.
    pub issue: Option<String>,
    /// What to do about it.
    pub recommendation: Option<String>,
}

impl LetterHealth {
    pub(super) fn of(counts: &LetterCounts, bounds: LetterBounds, now: SystemTime) -> Self {
        let by_reason = LetterReason::ALL.map(|reason| (reason, counts.kept.get(&reason).copied().unwrap_or_default()));
        let most = by_reason.iter().max_by_key(|(_, letters)| *letters).map_or(LetterReason::Exhausted, |most| most.0);
        let is_alarming = counts.letters > 0 && counts.letters >= bounds.alarming;
        Self {
            letters: counts.letters,
            by_reason: by_reason.into(),
            oldest_age: counts.oldest.map(|oldest| now.duration_since(oldest).unwrap_or_default()),
            issue: is_alarming.then(|| format!("{} dead letters, most of them {most}", counts.letters)),
            recommendation: is_alarming.then(|| most.advice().to_owned()),
        }
    }
}
