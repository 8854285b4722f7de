//! What all registered modules can do, as those see it who look for something: [`Catalogue`].

use std::fmt;
use std::sync::Arc;

use super::entry::Entry;
use crate::discovery::{Candidate, Discovery, DiscoveryQuery, Permissions};

/// Belongs to one snapshot.
pub(crate) struct Catalogue {
    candidates: Vec<Arc<Candidate>>,
    /// By number.
    entries: Vec<Arc<Entry>>,
}

impl Catalogue {
    pub(super) fn new(candidates: Vec<Arc<Candidate>>, entries: Vec<Arc<Entry>>) -> Self {
        Self { candidates, entries }
    }

    /// Those that match and that the caller may use, whether or not they can be used now: that changes without a change of
    /// what is registered.
    pub(crate) fn matching(&self, query: &DiscoveryQuery, permissions: &Permissions) -> Discovery {
        Discovery { found: query.matching(permissions, &self.candidates), truncated: false }
    }

    /// Everything, as it is at this moment.
    pub(crate) fn now(&self) -> Vec<Arc<Candidate>> {
        self.as_they_are(&self.candidates)
    }

    /// The same candidates as they are at this moment.
    pub(crate) fn as_they_are(&self, candidates: &[Arc<Candidate>]) -> Vec<Arc<Candidate>> {
        candidates.iter().map(|candidate| self.as_it_is(candidate)).collect()
    }

    fn as_it_is(&self, candidate: &Arc<Candidate>) -> Arc<Candidate> {
        let place = self.entries.binary_search_by_key(&candidate.entry, |entry| entry.number());
        let obstacle = place.ok().and_then(|place| self.entries[place].obstacle());
        match obstacle {
            Some(reason) => Arc::new(Candidate { unavailable: Some(reason), ..Candidate::clone(candidate) }),
            None => Arc::clone(candidate),
        }
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("candidates", &self.candidates.len()).finish_non_exhaustive()
    }
}
