//! What somebody looks for: [`DiscoveryQuery`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use semver::{Version, VersionReq};
use thiserror::Error;

use super::{Candidate, Permissions};
use crate::address::Address;

/// What to look for. All that is said must hold; an empty query finds everything that can be used now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "a query finds nothing until it is asked"]
pub struct DiscoveryQuery {
    types: BTreeSet<String>,
    tags: BTreeSet<String>,
    name: Option<String>,
    requirement: Option<Address>,
    version: Option<VersionReq>,
    includes_unavailable: bool,
    limit: Option<usize>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Discovery {
    /// The healthiest first; of those, the highest version; of those, by name.
    pub found: Vec<Arc<Candidate>>,
    /// Whether there were more than the limit of the query.
    pub truncated: bool,
}

/// Why a candidate is not what a query looks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// It is of none of the types.
    #[error("is of the type `{found}`")]
    Type {
        /// Of which it is.
        found: String,
    },
    /// It lacks tags.
    #[error("lacks the {}", Words("tag", missing))]
    Tags {
        /// Which.
        missing: Vec<String>,
    },
    /// It is called something else.
    #[error("is called `{found}`")]
    Name {
        /// Its id.
        found: String,
    },
    /// The module does not offer the operation, or not in such a version.
    #[error("does not offer {requirement}")]
    Requirement {
        /// The operation.
        requirement: Address,
    },
    /// Its version does not match.
    #[error("has the version {found}, and {wanted} is wanted")]
    Version {
        /// Its version.
        found: Version,
        /// What was asked for.
        wanted: VersionReq,
    },
    /// It cannot be used now.
    #[error("{reason}")]
    Unavailable {
        /// Why not.
        reason: String,
    },
}

impl Default for DiscoveryQuery {
    /// Everything that can be used now.
    fn default() -> Self {
        Self {
            types: BTreeSet::new(),
            tags: BTreeSet::new(),
            name: None,
            requirement: None,
            version: None,
            includes_unavailable: false,
            limit: None,
        }
    }
}

impl DiscoveryQuery {
    /// So many are found at most, unless a query says otherwise or the registry has another limit.
    pub const DEFAULT_LIMIT: usize = 100;

    /// Of this type; named several times, of any of them.
    pub fn capability_type(mut self, capability_type: impl Into<String>) -> Self {
        self.types.insert(capability_type.into());
        self
    }

    /// With this tag; named several times, with all of them.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.insert(tag.into());
        self
    }

    /// With this id, or called so.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Of the module that offers this operation.
    pub fn requirement(mut self, operation: Address) -> Self {
        self.requirement = Some(operation);
        self
    }

    /// In such a version.
    pub fn version(mut self, version: VersionReq) -> Self {
        self.version = Some(version);
        self
    }

    /// Those too that cannot be used now.
    pub const fn include_unavailable(mut self) -> Self {
        self.includes_unavailable = true;
        self
    }

    /// So many at most.
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// At most so many, whatever it says.
    pub(crate) fn capped(mut self, most: usize) -> Self {
        self.limit = Some(self.limit.map_or(most, |limit| limit.min(most)));
        self
    }

    /// The same question without what changes from moment to moment: who takes calls now, and how many are wanted.
    pub(crate) fn timeless(&self) -> Self {
        Self { includes_unavailable: true, limit: None, ..self.clone() }
    }

    /// Those of the candidates that match and that the caller may use. Of others it is not said that they are there.
    #[must_use]
    pub fn select(&self, permissions: &Permissions, candidates: &[Arc<Candidate>]) -> Discovery {
        self.best(self.matching(permissions, candidates))
    }

    /// Those that match and that the caller may use, in no order and without limit.
    pub(crate) fn matching(&self, permissions: &Permissions, candidates: &[Arc<Candidate>]) -> Vec<Arc<Candidate>> {
        let allowed = candidates.iter().filter(|candidate| permissions.admit(candidate));
        allowed.filter(|candidate| self.mismatch(candidate).is_none()).cloned().collect()
    }

    /// The best of those that match, as they are now.
    pub(crate) fn best(&self, matching: Vec<Arc<Candidate>>) -> Discovery {
        let mut found = matching;
        found.retain(|candidate| self.not_now(candidate).is_none());
        found.sort_by(|one, other| one.rank(other));
        let limit = self.limit.unwrap_or(Self::DEFAULT_LIMIT);
        let truncated = found.len() > limit;
        found.truncate(limit);
        Discovery { found, truncated }
    }

    /// The first reason why this is not what is looked for; nothing when it is.
    #[must_use]
    pub fn mismatch(&self, candidate: &Candidate) -> Option<Mismatch> {
        self.wrong_kind(candidate).or_else(|| self.wrong_version(candidate)).or_else(|| self.not_now(candidate))
    }

    fn wrong_kind(&self, candidate: &Candidate) -> Option<Mismatch> {
        let capability = &candidate.capability;
        if !self.types.is_empty() && !self.types.contains(&capability.capability_type) {
            return Some(Mismatch::Type { found: capability.capability_type.clone() });
        }
        let missing: Vec<_> = self.tags.iter().filter(|tag| !candidate.has_tag(tag)).cloned().collect();
        if !missing.is_empty() {
            return Some(Mismatch::Tags { missing });
        }
        let is_called = |name: &String| *name == capability.capability_id || *name == capability.name;
        let is_other = self.name.as_ref().is_some_and(|name| !is_called(name));
        is_other.then(|| Mismatch::Name { found: capability.capability_id.clone() })
    }

    fn wrong_version(&self, candidate: &Candidate) -> Option<Mismatch> {
        if let Some(requirement) = self.requirement.as_ref().filter(|wanted| !offers(candidate, wanted)) {
            return Some(Mismatch::Requirement { requirement: requirement.clone() });
        }
        let found = &candidate.capability.version;
        let wanted = self.version.as_ref().filter(|wanted| !wanted.matches(found))?;
        Some(Mismatch::Version { found: found.clone(), wanted: wanted.clone() })
    }

    fn not_now(&self, candidate: &Candidate) -> Option<Mismatch> {
        if self.includes_unavailable {
            return None;
        }
        candidate.obstacle().map(|reason| Mismatch::Unavailable { reason })
    }
}

fn offers(candidate: &Candidate, operation: &Address) -> bool {
    candidate.module == operation.module()
        && candidate.operations.contains(operation.operation())
        && operation.requirement().is_none_or(|wanted| wanted.matches(&candidate.module_version))
}

struct Words<'a>(&'static str, &'a [String]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.1.len() == 1 { "" } else { "s" };
        write!(f, "{}{plural} {}", self.0, self.1.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Discovery, DiscoveryQuery};
    use crate::descriptor::Health;
    use crate::discovery::{Candidate, Capability, Permissions};
    use crate::lookup::UnavailableReason;

    fn candidate(module: &str, capability: &str, version: &str) -> Candidate {
        let (id, kind) = capability.split_once(':').unwrap_or((capability, ""));
        let capability = Capability::builder(id, version).capability_type(kind).tag(id).tag("all").build().unwrap();
        Candidate::new(module, "1.2.0".parse().unwrap(), capability)
    }

    fn select(query: &DiscoveryQuery, candidates: &[Candidate]) -> Discovery {
        let candidates: Vec<_> = candidates.iter().cloned().map(Arc::new).collect();
        query.select(&Permissions::default(), &candidates)
    }

    fn found(query: &DiscoveryQuery, candidates: &[Candidate]) -> Vec<String> {
        let found = select(query, candidates).found;
        found.iter().map(|found| format!("{} {}", found.module, found.capability.version)).collect()
    }

    #[test]
    fn f_dsc_03_all_that_is_said_must_hold() {
        let mut web = candidate("web", "get:reader", "1.0.0");
        web.operations.insert("get".to_owned());
        web.module_tags.insert("fast".to_owned());
        let candidates = [web, candidate("disk", "put:writer", "1.0.0"), candidate("net", "get:writer", "2.0.0")];
        let query = DiscoveryQuery::default;
        assert_eq!(found(&query(), &candidates), ["net 2.0.0", "disk 1.0.0", "web 1.0.0"]);
        assert_eq!(found(&query().capability_type("reader").capability_type("writer"), &candidates).len(), 3);
        assert_eq!(found(&query().capability_type("writer").tag("get"), &candidates), ["net 2.0.0"]);
        assert_eq!(found(&query().tag("all").tag("fast"), &candidates), ["web 1.0.0"]);
        assert_eq!(found(&query().name("get").version("^1".parse().unwrap()), &candidates), ["web 1.0.0"]);
        assert_eq!(found(&query().requirement("web.get@^1".parse().unwrap()), &candidates), ["web 1.0.0"]);
        assert!(found(&query().requirement("web.get@^2".parse().unwrap()), &candidates).is_empty());
        let why = query().tag("fast").tag("all").tag("new").mismatch(&candidates[1]).unwrap();
        assert_eq!(why.to_string(), "lacks the tags fast, new");
    }

    #[test]
    fn f_dsc_03_the_healthiest_comes_first_and_what_cannot_be_used_is_left_out() {
        let mut candidates = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"].map(|version| candidate("a", "x", version));
        candidates[1].health = Health::Degraded("slow".to_owned());
        candidates[2].health = Health::Unhealthy("no disk".to_owned());
        candidates[3].unavailable = Some(UnavailableReason::BreakerOpen(None));
        Arc::make_mut(&mut candidates[4].capability).is_available = false;
        let query = DiscoveryQuery::default();
        assert_eq!(found(&query, &candidates), ["a 1.0.0", "a 1.1.0"]);
        let all = found(&query.clone().include_unavailable(), &candidates);
        assert_eq!(all, ["a 1.0.0", "a 1.1.0", "a 1.4.0", "a 1.3.0", "a 1.2.0"]);
        let why: Vec<_> = candidates.iter().filter_map(|one| query.mismatch(one)).map(|why| why.to_string()).collect();
        assert_eq!(why, ["is unhealthy: no disk", "has an open breaker", "says that it is not available"]);
    }

    #[test]
    fn f_dsc_04_a_caret_takes_what_is_compatible() {
        let candidates = ["1.2.0", "1.9.0", "2.0.0", "1.3.0-rc.1"].map(|version| candidate("a", "x", version));
        let versions = |wanted: &str| found(&DiscoveryQuery::default().version(wanted.parse().unwrap()), &candidates);
        assert_eq!(versions("^1.2"), ["a 1.9.0", "a 1.2.0"]);
        assert!(versions("^3").is_empty());
    }

    #[test]
    fn f_dsc_08_more_than_the_limit_is_cut_off_and_said() {
        let candidates: Vec<_> = (0..150).map(|at| candidate(&format!("m{at:03}"), "x", "1.0.0")).collect();
        let cut = select(&DiscoveryQuery::default(), &candidates);
        assert_eq!((cut.found.len(), cut.truncated, cut.found[99].module.as_str()), (100, true, "m099"));
        let whole = select(&DiscoveryQuery::default().limit(150), &candidates);
        assert_eq!((whole.found.len(), whole.truncated), (150, false));
    }

    /// F-DSC-01
    #[test]
    fn what_the_module_says_of_itself_is_found_with_its_capabilities() {
        let mut known = candidate("lab", "x", "1.0.0");
        known.module_description = "counts cells".to_owned();
        known.module_tags.insert("biology".to_owned());
        assert_eq!(found(&DiscoveryQuery::default().tag("biology").tag("x"), &[known]), ["lab 1.0.0"]);
    }

    proptest! {
        /// F-DSC-03
        #[test]
        fn the_answer_does_not_depend_on_the_order_of_candidates(
            shuffled in prop::collection::vec((0..4usize, 0..3usize, 0..3u8), 0..12).prop_shuffle(),
        ) {
            let make = |(module, version, health): &(usize, usize, u8)| {
                let mut made = candidate(["a", "b", "c", "d"][*module], "x", ["1.0.0", "1.1.0", "2.0.0"][*version]);
                made.health = match health {
                    0 => Health::Healthy,
                    1 => Health::Degraded("slow".to_owned()),
                    _ => Health::Unhealthy("gone".to_owned()),
                };
                made
            };
            let mut sorted = shuffled.clone();
            sorted.sort_unstable();
            let query = DiscoveryQuery::default().include_unavailable().limit(8);
            let [one, other] = [&shuffled, &sorted].map(|all| select(&query, &all.iter().map(make).collect::<Vec<_>>()));
            prop_assert_eq!(one, other);
        }
    }
}
