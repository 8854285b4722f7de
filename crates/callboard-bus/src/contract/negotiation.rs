//! Who is to do it: the best of those who can, and why not the others.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use callboard_actor::ErrorCode;
use semver::{Version, VersionReq};
use serde_json::Value as Json;
use thiserror::Error;

use super::{Contract, ContractFault, Violation};
use crate::discovery::{Candidate, Permissions};
use crate::near::nearest;

/// What a module needs of others.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a need is met by negotiating"]
pub struct Need {
    consumer: String,
    capability: String,
    version_req: VersionReq,
    provider: Option<String>,
    tags: Vec<String>,
    input_schema: Json,
    output_schema: Json,
}

/// A contract that holds, and how it came about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// What was agreed on.
    pub contract: Contract,
    /// With whom.
    pub candidate: Arc<Candidate>,
    /// What could not be decided.
    pub doubts: Violation,
    /// The others that offer the capability, the best first.
    pub losers: Vec<Loser>,
}

/// One that offers the capability and was not taken.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Loser {
    /// The name of the module.
    pub module: String,
    /// The name of the actor behind the instance.
    pub instance: String,
    /// The version of the capability.
    pub version: Version,
    /// Why not.
    pub reason: LostReason,
}

/// Why a candidate was not taken.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LostReason {
    /// Another module is wanted.
    #[error("is not the module that is wanted")]
    OtherModule,
    /// It lacks a tag.
    #[error("lacks the tag {0}")]
    Tag(String),
    /// Its version does not match.
    #[error("does not match {0}")]
    Version(VersionReq),
    /// It cannot be used now.
    #[error("{0}")]
    Unavailable(String),
    /// One side writes what the other does not read.
    #[error("does not agree: {0}")]
    Violation(Violation),
    /// It would do, and another is healthier, newer or comes first by its name.
    #[error("would do, and comes after {0}")]
    Outranked(String),
}

/// Nobody will do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NoAgreement {
    /// Who needs it.
    pub consumer: String,
    /// What it needs.
    pub capability: String,
    /// Those that offer it and that the caller may use, and why each will not do.
    pub losers: Vec<Loser>,
    /// What was probably meant, if nobody offers it.
    pub near: Option<String>,
}

impl Need {
    /// A capability by its id.
    pub fn new(consumer: impl Into<String>, capability: impl Into<String>) -> Self {
        Self {
            consumer: consumer.into(),
            capability: capability.into(),
            version_req: VersionReq::STAR,
            provider: None,
            tags: Vec::new(),
            input_schema: Json::Bool(true),
            output_schema: Json::Bool(true),
        }
    }

    /// In these versions.
    pub fn version(mut self, version_req: VersionReq) -> Self {
        self.version_req = version_req;
        self
    }

    /// Of this module and no other.
    pub fn of_module(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// With this tag; all that are named.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// What will be sent.
    pub fn sends(mut self, schema: Json) -> Self {
        self.input_schema = schema;
        self
    }

    /// What can be read as an answer.
    pub fn expects(mut self, schema: Json) -> Self {
        self.output_schema = schema;
        self
    }

    /// Who needs it.
    #[must_use]
    pub fn consumer(&self) -> &str {
        &self.consumer
    }

    fn contract(&self, candidate: &Candidate) -> Contract {
        Contract {
            consumer: self.consumer.clone(),
            provider: candidate.module.clone(),
            capability: self.capability.clone(),
            version_req: self.version_req.clone(),
            input_schema: self.input_schema.clone(),
            output_schema: self.output_schema.clone(),
        }
    }

    /// The contract with this candidate and what cannot be decided about it.
    fn agree(&self, candidate: &Candidate) -> Result<(Contract, Violation), LostReason> {
        if self.provider.as_ref().is_some_and(|provider| *provider != candidate.module) {
            return Err(LostReason::OtherModule);
        }
        if let Some(tag) = self.tags.iter().find(|tag| !candidate.has_tag(tag)) {
            return Err(LostReason::Tag(tag.clone()));
        }
        let contract = self.contract(candidate);
        let doubts = contract.check(&candidate.capability).map_err(|error| match *error.reason {
            ContractFault::Violation(violation) => LostReason::Violation(violation),
            ContractFault::Version(_) | ContractFault::OtherCapability(_) => {
                LostReason::Version(self.version_req.clone())
            }
        })?;
        candidate.obstacle().map_or(Ok((contract, doubts)), |reason| Err(LostReason::Unavailable(reason)))
    }
}

/// The best of the candidates that meet the need: the healthiest, of those the highest version, of those the first by
/// name. Candidates that the caller may not use are passed over, and nothing says that they are there. Equal questions
/// have equal answers, whatever the order of the candidates.
///
/// # Errors
///
/// Why each of those that offer the capability will not do.
pub fn negotiate(
    need: &Need,
    permissions: &Permissions,
    candidates: &[Arc<Candidate>],
) -> Result<Agreement, NoAgreement> {
    let allowed = || candidates.iter().filter(|one| permissions.admit(one));
    let mut offering: Vec<_> = allowed().filter(|one| one.capability.capability_id == need.capability).collect();
    offering.sort_by(|one, other| one.rank(other));
    let mut best: Option<Agreement> = None;
    let mut losers = Vec::new();
    for candidate in offering {
        let reason = match (need.agree(candidate), &best) {
            (Err(reason), _) => reason,
            (Ok(_), Some(best)) => LostReason::Outranked(named(&best.candidate)),
            (Ok((contract, doubts)), None) => {
                let candidate = Arc::clone(candidate);
                best = Some(Agreement { contract, candidate, doubts, losers: Vec::new() });
                continue;
            }
        };
        losers.push(Loser::new(candidate, reason));
    }
    match best {
        Some(best) => Ok(Agreement { losers, ..best }),
        None => Err(NoAgreement::new(need, losers, allowed())),
    }
}

impl Loser {
    fn new(candidate: &Candidate, reason: LostReason) -> Self {
        let Candidate { module, instance, capability, .. } = candidate.clone();
        Self { module, instance, version: capability.version.clone(), reason }
    }
}

impl NoAgreement {
    fn new<'a>(need: &Need, losers: Vec<Loser>, allowed: impl Iterator<Item = &'a Arc<Candidate>>) -> Self {
        // In their order, so that of equally near ones the same is named every time.
        let offered: BTreeSet<_> = allowed.map(|one| one.capability.capability_id.as_str()).collect();
        let near = losers.is_empty().then(|| nearest(&need.capability, offered)).flatten();
        Self { consumer: need.consumer.clone(), capability: need.capability.clone(), losers, near }
    }

    /// The stable code: that the version does not match, where nothing else stands against it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        let mut wanted = self.losers.iter().filter(|loser| loser.reason != LostReason::OtherModule).peekable();
        let is_there = wanted.peek().is_some();
        let is_version = wanted.all(|loser| matches!(loser.reason, LostReason::Version(_)));
        if is_there && is_version { ErrorCode::VersionIncompatible } else { ErrorCode::UnknownModule }
    }
}

impl fmt::Display for NoAgreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { consumer, capability, losers, near } = self;
        if losers.is_empty() {
            write!(f, "{consumer} needs `{capability}`, which no module offers")?;
            return near.as_ref().map_or(Ok(()), |near| write!(f, ", did you mean `{near}`?"));
        }
        write!(f, "{consumer} needs `{capability}`, and none that offers it will do: ")?;
        let losers: Vec<_> = losers.iter().map(Loser::to_string).collect();
        f.write_str(&losers.join("; "))
    }
}

impl std::error::Error for NoAgreement {}

impl fmt::Display for Loser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.instance, self.version, self.reason)
    }
}

/// `lab-1 1.2.0`.
fn named(candidate: &Candidate) -> String {
    format!("{} {}", candidate.instance, candidate.capability.version)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use callboard_actor::ErrorCode;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::{Agreement, Loser, Need, NoAgreement, negotiate};
    use crate::descriptor::Health;
    use crate::discovery::{Candidate, Capability, Permissions};
    use crate::lookup::UnavailableReason;

    fn candidate(module: &str, version: &str, kind: &str) -> Candidate {
        let schema = json!({ "type": kind });
        let capability = Capability::builder("add", version).input_schema(schema.clone()).output_schema(schema);
        Candidate::new(module, "1.0.0".parse().unwrap(), capability.tag("sums").build().unwrap())
    }

    fn agree(need: &Need, candidates: &[Candidate]) -> Result<Agreement, NoAgreement> {
        let candidates: Vec<_> = candidates.iter().cloned().map(Arc::new).collect();
        negotiate(need, &Permissions::default(), &candidates)
    }

    fn need() -> Need {
        Need::new("web", "add").sends(json!({ "type": "integer" })).expects(json!({ "type": "integer" }))
    }

    fn told(losers: &[Loser]) -> Vec<String> {
        losers.iter().map(Loser::to_string).collect()
    }

    fn several() -> Vec<Candidate> {
        let [mut ill, mut open, mut secret] = ["ill", "open", "secret"].map(|name| candidate(name, "1.9.0", "integer"));
        ill.health = Health::Unhealthy("no disk".to_owned());
        open.unavailable = Some(UnavailableReason::BreakerOpen(None));
        Arc::make_mut(&mut secret.capability).required_permissions.insert("admin".to_owned());
        let mut slow = candidate("slow", "1.9.0", "integer");
        slow.health = Health::Degraded("busy".to_owned());
        let rest = [
            ("b", "1.2.0", "integer"),
            ("a", "1.2.0", "integer"),
            ("c", "1.1.0", "integer"),
            ("d", "2.0.0", "integer"),
            ("e", "1.3.0", "string"),
        ];
        let rest = rest.map(|(name, version, kind)| candidate(name, version, kind));
        [ill, open, secret, slow].into_iter().chain(rest).collect()
    }

    #[test]
    fn f_dsc_06_the_best_is_taken_and_it_is_said_why_not_the_others() {
        let agreement = agree(&need().version("^1".parse().unwrap()), &several()).unwrap();
        assert_eq!((agreement.contract.provider.as_str(), agreement.contract.capability.as_str()), ("a", "add"));
        assert!(agreement.contract.check(&agreement.candidate.capability).unwrap().is_empty());
        assert_eq!(
            told(&agreement.losers),
            [
                "d 2.0.0 does not match ^1",
                "e 1.3.0 does not agree: sent /: it is integer, where string is taken; \
                 answered /: it is string, where integer is taken",
                "b 1.2.0 would do, and comes after a 1.2.0",
                "c 1.1.0 would do, and comes after a 1.2.0",
                "slow 1.9.0 would do, and comes after a 1.2.0",
                "ill 1.9.0 is unhealthy: no disk",
                "open 1.9.0 has an open breaker",
            ]
        );
    }

    #[test]
    fn f_dsc_06_when_none_will_do_each_has_its_reason() {
        let fault = agree(&need().tag("sums").tag("fast"), &several()[..2]).unwrap_err();
        assert_eq!(fault.code(), ErrorCode::UnknownModule);
        assert_eq!(
            fault.to_string(),
            "web needs `add`, and none that offers it will do: ill 1.9.0 lacks the tag fast; open 1.9.0 lacks the tag fast"
        );
        let fault = agree(&Need::new("web", "ad"), &several()).unwrap_err();
        assert_eq!(fault.to_string(), "web needs `ad`, which no module offers, did you mean `add`?");
        assert_eq!(fault.code(), ErrorCode::UnknownModule);
    }

    #[test]
    fn f_dsc_04_a_module_that_is_named_says_which_versions_there_are() {
        let fault = agree(&need().of_module("d").version("^1".parse().unwrap()), &several()).unwrap_err();
        assert_eq!(fault.code(), ErrorCode::VersionIncompatible);
        assert!(fault.to_string().contains("d 2.0.0 does not match ^1"), "{fault}");
    }

    #[test]
    fn who_may_not_use_it_does_not_learn_of_it() {
        let secret = &several()[2..3];
        assert_eq!(agree(&need(), secret).unwrap_err().to_string(), "web needs `add`, which no module offers");
        let candidates = [Arc::new(secret[0].clone())];
        assert!(negotiate(&need(), &Permissions::of(["admin"]), &candidates).is_ok());
    }

    proptest! {
        /// F-DSC-06
        #[test]
        fn equal_questions_have_equal_answers(shuffled in Just(several()).prop_shuffle(), wanted in "\\^[12]") {
            let need = need().version(wanted.parse().unwrap());
            let outcome = |candidates: &[Candidate]| agree(&need, candidates);
            prop_assert_eq!(outcome(&shuffled), outcome(&several()));
        }
    }

    #[test]
    fn a_need_that_sends_anything_is_met_by_whoever_takes_anything() {
        let open = Capability::builder("add", "1.0.0").input_schema(Json::Bool(true)).build().unwrap();
        let open = Candidate::new("open", "1.0.0".parse().unwrap(), open);
        assert!(agree(&Need::new("web", "add"), &[open]).is_ok());
    }
}
