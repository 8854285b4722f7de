//! Instances of one version, and which of them is next: [`Equals`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use semver::Version;

use super::{Offer, Route};
use crate::balance::{Balance, CallKey, instance_seed, spread};

/// Those of one version, who share the calls.
pub(super) struct Equals {
    /// In the order of their arrival.
    pub(super) offers: Vec<Offer>,
    /// Whose turn it is; it goes on from one snapshot to the next.
    pub(super) turn: Arc<AtomicUsize>,
    /// How they share the calls.
    balance: Balance,
    /// What keys are held against, one for each offer, where they are.
    seeds: Box<[u64]>,
}

impl Equals {
    pub(super) fn new(first: Offer, before: Option<&Route>) -> Self {
        let before = before.and_then(|route| route.versions.iter().find(|equals| equals.version_is(&first)));
        let turn = before.map_or_else(Arc::default, |equals| Arc::clone(&equals.turn));
        Self { offers: vec![first], turn, balance: Balance::default(), seeds: Box::default() }
    }

    /// All of them are there: the one that came last says how they share the calls.
    pub(super) fn settle(&mut self) {
        self.balance = self.offers.last().map(|last| last.entry.descriptor().balance).unwrap_or_default();
        if self.balance == Balance::ConsistentHash {
            self.seeds = self.seeds();
        }
    }

    fn seeds(&self) -> Box<[u64]> {
        let mut of_name: HashMap<&str, u64> = HashMap::new();
        let mut seeds = Vec::with_capacity(self.offers.len());
        for name in self.offers.iter().map(Offer::instance) {
            let nth = of_name.entry(name).or_default();
            *nth += 1;
            seeds.push(instance_seed(name, *nth));
        }
        seeds.into()
    }

    /// The next by their balance. One alone costs no counting, and what it does not need stays out of its line.
    #[inline]
    pub(super) fn next(&self, key: Option<CallKey>, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        match &self.offers[..] {
            [only] => Some(only).filter(|only| is_wanted(only)),
            _ => self.next_of_many(key, is_wanted),
        }
    }

    #[inline(never)]
    fn next_of_many(&self, key: Option<CallKey>, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        match (self.balance, key) {
            (Balance::RoundRobin, _) | (Balance::ConsistentHash, None) => self.next_in_turn(is_wanted),
            (Balance::ConsistentHash, Some(key)) => self.next_by_key(key, is_wanted),
            (Balance::LeastLoaded, _) => self.next_by_load(is_wanted),
            (Balance::Weighted, _) => self.next_by_weight(is_wanted),
        }
    }

    fn next_by_key(&self, key: CallKey, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let wanted = self.offers.iter().zip(&self.seeds).filter(|(offer, _)| is_wanted(offer));
        wanted.max_by_key(|(_, seed)| key.score(**seed)).map(|(offer, _)| offer)
    }

    fn next_by_load(&self, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.from(turn).filter(|offer| is_wanted(offer)).min_by_key(|offer| offer.entry.calls())
    }

    fn next_by_weight(&self, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let wanted: Vec<_> = self.offers.iter().filter(|offer| is_wanted(offer)).collect();
        let total = wanted.iter().map(|offer| offer.weight()).sum();
        let mut place = spread(self.turn.fetch_add(1, Ordering::Relaxed) as u64, total);
        wanted.into_iter().find(|offer| {
            let is_here = place < offer.weight();
            place = place.saturating_sub(offer.weight());
            is_here
        })
    }

    /// One whose turn has not come leaves it to the next, so that nobody has to be counted.
    fn next_in_turn(&self, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        // Looking costs nobody a turn.
        self.offers.iter().find(|offer| is_wanted(offer))?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (passed, offer) = self.from(turn).enumerate().find(|(_, offer)| is_wanted(offer))?;
        if passed > 0 {
            // Those that were passed over have had their turns: the next one is not that of the same stand-in.
            self.turn.fetch_add(passed, Ordering::Relaxed);
        }
        Some(offer)
    }

    /// All of them, from the one whose turn it is.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Offer> {
        self.from(self.turn.load(Ordering::Relaxed))
    }

    /// All of them, from the one whose turn this is.
    fn from(&self, turn: usize) -> impl Iterator<Item = &Offer> {
        let (before, behind) = self.offers.split_at(turn % self.offers.len());
        behind.iter().chain(before)
    }

    pub(super) fn version(&self) -> &Version {
        &self.offers[0].entry.descriptor().version
    }

    pub(super) fn version_is(&self, offer: &Offer) -> bool {
        self.offers[0].entry.is_equal(&offer.entry)
    }
}
