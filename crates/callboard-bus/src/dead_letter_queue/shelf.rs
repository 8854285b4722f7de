//! Where the letters lie: [`Shelf`], bounded by their number and by what they hold. Pure. A store that outlives the process
//! would take its place: nothing else knows where a letter lies.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use callboard_actor::MessageId;
use serde::{Deserialize, Serialize};

use super::counts::LetterCounts;
use super::letter::Letter;

/// How many letters are kept, and how much they may hold. When there are more, the oldest leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LetterBounds {
    /// Letters: 1,000.
    pub letters: usize,
    /// Bytes of all their payloads together: 16 MiB.
    pub bytes: u64,
    /// From this number of letters on it is an issue for whoever looks after the system: 100.
    pub alarming: usize,
}

impl Default for LetterBounds {
    fn default() -> Self {
        Self { letters: 1_000, bytes: 16 << 20, alarming: 100 }
    }
}

impl LetterBounds {
    /// At most so many letters; 0 keeps none, and counts all the same.
    #[must_use]
    pub const fn letters(self, letters: usize) -> Self {
        Self { letters, ..self }
    }

    /// Payloads of at most so many bytes together.
    #[must_use]
    pub const fn bytes(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }

    /// From this number on it is an issue.
    #[must_use]
    pub const fn alarming(self, letters: usize) -> Self {
        Self { alarming: letters, ..self }
    }
}

/// A letter, and what was in it.
#[derive(Debug)]
pub(super) struct Filed<C> {
    pub(super) letter: Letter,
    pub(super) content: Option<C>,
}

/// See the head of this file. `C` is what was in a letter.
#[derive(Debug)]
pub(super) struct Shelf<C> {
    bounds: LetterBounds,
    /// By the order in which they failed.
    filed: BTreeMap<u64, Filed<C>>,
    places: HashMap<MessageId, u64>,
    last: u64,
    bytes: u64,
    /// Those that are being delivered again, by id, so that one that fails comes back as itself.
    away: BTreeMap<MessageId, Past>,
    counts: LetterCounts,
    /// Nothing is delivered any more.
    is_closed: bool,
}

/// What is remembered of a letter that is being delivered again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    attempts: u32,
    deliveries: u32,
    first_failure: SystemTime,
}

impl<C> Default for Shelf<C> {
    fn default() -> Self {
        Self {
            bounds: LetterBounds::default(),
            filed: BTreeMap::new(),
            places: HashMap::new(),
            last: 0,
            bytes: 0,
            away: BTreeMap::new(),
            counts: LetterCounts::default(),
            is_closed: false,
        }
    }
}

impl<C> Shelf<C> {
    /// So many letters that are being delivered again are remembered.
    const AWAY: usize = 1_000;

    pub(super) fn bounds(&self) -> LetterBounds {
        self.bounds
    }

    /// What leaves for it is given back, so that it can be dropped outside of a lock.
    pub(super) fn bind(&mut self, bounds: LetterBounds) -> Vec<Filed<C>> {
        self.bounds = bounds;
        self.evict()
    }

    /// Files a letter; one that was away goes on where it left off. What leaves to make room is given back.
    pub(super) fn file(&mut self, mut filed: Filed<C>) -> Vec<Filed<C>> {
        let Letter { id, reason, .. } = filed.letter;
        self.counts.add(reason);
        if let Some(past) = self.away.remove(&id) {
            filed.letter.attempts = filed.letter.attempts.saturating_add(past.attempts);
            filed.letter.deliveries = past.deliveries.saturating_add(1);
            filed.letter.first_failure = past.first_failure;
            self.counts.returned += 1;
        }
        let before = self.take(id);
        self.counts.replaced += u64::from(before.is_some());
        self.last += 1;
        self.bytes = self.bytes.saturating_add(filed.letter.bytes);
        self.places.insert(id, self.last);
        self.filed.insert(self.last, filed);
        before.into_iter().chain(self.evict()).collect()
    }

    fn evict(&mut self) -> Vec<Filed<C>> {
        let mut fallen = Vec::new();
        while self.filed.len() > self.bounds.letters || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.filed.values().next().map(|filed| filed.letter.id) else { break };
            fallen.extend(self.take(oldest));
            self.counts.evicted += 1;
        }
        fallen
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&Filed<C>> {
        self.filed.get(self.places.get(&id)?)
    }

    /// Takes a letter out for good.
    pub(super) fn purge(&mut self, id: MessageId) -> Option<Filed<C>> {
        let filed = self.take(id)?;
        self.counts.purged += 1;
        Some(filed)
    }

    fn take(&mut self, id: MessageId) -> Option<Filed<C>> {
        let filed = self.filed.remove(&self.places.remove(&id)?)?;
        self.bytes -= filed.letter.bytes;
        Some(filed)
    }

    /// Takes a letter out to deliver it again.
    pub(super) fn lend(&mut self, id: MessageId) -> Option<Filed<C>> {
        let filed = self.take(id)?;
        let Letter { attempts, deliveries, first_failure, .. } = filed.letter;
        self.away.insert(id, Past { attempts, deliveries, first_failure });
        if self.away.len() > Self::AWAY {
            self.away.pop_first();
        }
        self.counts.retried += 1;
        Some(filed)
    }

    /// Oldest first.
    pub(super) fn letters(&self) -> impl Iterator<Item = &Letter> {
        self.filed.values().map(|filed| &filed.letter)
    }

    pub(super) fn counts(&self) -> LetterCounts {
        let mut counts = self.counts.clone();
        for letter in self.letters() {
            *counts.kept.entry(letter.reason).or_default() += 1;
        }
        counts.letters = self.filed.len();
        counts.bytes = self.bytes;
        counts.oldest = self.letters().map(|letter| letter.first_failure).min();
        counts
    }

    /// The letter whose content is this one.
    pub(super) fn find(&self, is_meant: impl Fn(&C) -> bool) -> Option<MessageId> {
        let found = self.filed.values().find(|filed| filed.content.as_ref().is_some_and(&is_meant));
        found.map(|filed| filed.letter.id)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Nothing is delivered any more: what all letters hold is given back, and their records stay.
    pub(super) fn close(&mut self) -> Vec<C> {
        self.is_closed = true;
        let letters = self.filed.values_mut();
        let empty = |filed: &mut Filed<C>| {
            filed.letter.is_retriable = false;
            filed.content.take()
        };
        letters.filter_map(empty).collect()
    }
}

#[cfg(test)]
mod tests;
