//! Who may be found: [`Candidate`].

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::sync::Arc;

use semver::Version;
use serde::{Serialize, Serializer};

use super::Capability;
use crate::descriptor::{Descriptor, Health};
use crate::lookup::UnavailableReason;
use crate::protocol::Protocol;

/// A capability of an instance of a module, and how the instance is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The name of the module.
    pub module: String,
    /// Its version.
    pub module_version: Version,
    /// What the module is for.
    pub module_description: String,
    /// Who looks after the module.
    pub module_owner: String,
    /// Words to find the module by. They find all its capabilities.
    pub module_tags: BTreeSet<String>,
    /// Whoever wants to use any of its capabilities needs all of these.
    pub module_permissions: BTreeSet<String>,
    /// The ways in which the module takes part, in order.
    pub protocols: Vec<Protocol>,
    /// The operations that the module offers, without its name.
    pub operations: BTreeSet<String>,
    /// The name of the actor behind the instance.
    pub instance: String,
    /// How it is, by its own account.
    pub health: Health,
    /// Why it takes no calls now, as others see it; nothing when it does.
    pub unavailable: Option<UnavailableReason>,
    /// What it can do.
    #[serde(serialize_with = "serialize_shared")]
    pub capability: Arc<Capability>,
    /// The number of its entry in the registry; 0 for one that does not come from there.
    #[serde(skip)]
    pub(crate) entry: u64,
}

fn serialize_shared<S: Serializer>(capability: &Arc<Capability>, serializer: S) -> Result<S::Ok, S::Error> {
    capability.serialize(serializer)
}

impl Candidate {
    /// A healthy instance, named as its module.
    #[must_use]
    pub fn new(module: impl Into<String>, module_version: Version, capability: impl Into<Arc<Capability>>) -> Self {
        let module = module.into();
        Self {
            instance: module.clone(),
            module,
            module_version,
            module_description: String::new(),
            module_owner: String::new(),
            module_tags: BTreeSet::new(),
            module_permissions: BTreeSet::new(),
            protocols: Vec::new(),
            operations: BTreeSet::new(),
            health: Health::Healthy,
            unavailable: None,
            capability: capability.into(),
            entry: 0,
        }
    }

    /// A capability of a registered module, which need not repeat what is known of the module.
    #[must_use]
    pub fn of(descriptor: &Descriptor, capability: impl Into<Arc<Capability>>) -> Self {
        Self {
            module_description: descriptor.description.clone(),
            module_owner: descriptor.owner.clone(),
            module_tags: descriptor.tags.iter().cloned().collect(),
            module_permissions: descriptor.required_permissions.iter().cloned().collect(),
            protocols: descriptor.protocols.clone(),
            operations: descriptor.operations.iter().map(|operation| operation.name.clone()).collect(),
            instance: descriptor.instance.clone(),
            health: descriptor.health.clone(),
            ..Self::new(descriptor.name.clone(), descriptor.version.clone(), capability)
        }
    }

    /// Why it cannot be used now; nothing when it can.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        if !self.capability.is_available {
            return Some("says that it is not available".to_owned());
        }
        let unhealthy = match &self.health {
            Health::Unhealthy(reason) => Some(UnavailableReason::Unhealthy(reason.clone())),
            Health::Healthy | Health::Degraded(_) => None,
        };
        self.unavailable.clone().or(unhealthy).map(|reason| reason.to_string())
    }

    /// Whether it has a tag, itself or through its module.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.capability.tags.contains(tag) || self.module_tags.contains(tag)
    }

    /// Who is better comes first: by health, then the higher version, then by name.
    pub(crate) fn rank(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    fn key(&self) -> impl Ord + '_ {
        let names = [&self.module, &self.instance, &self.capability.capability_id];
        (self.health_rank(), Reverse(&self.capability.version), names)
    }

    fn health_rank(&self) -> u8 {
        match &self.health {
            _ if !self.capability.is_available || self.unavailable.is_some() => 2,
            Health::Unhealthy(_) => 2,
            Health::Degraded(_) => 1,
            Health::Healthy => 0,
        }
    }
}

/// What a caller is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(BTreeSet<String>);

impl Permissions {
    /// These and no others.
    #[must_use]
    pub fn of<P: Into<String>>(permissions: impl IntoIterator<Item = P>) -> Self {
        Self(permissions.into_iter().map(Into::into).collect())
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn hold(&self, permission: &str) -> bool {
        self.0.contains(permission)
    }

    /// Whether the caller has all permissions that the capability asks for.
    #[must_use]
    pub fn allow(&self, capability: &Capability) -> bool {
        capability.required_permissions.is_subset(&self.0)
    }

    /// Whether the caller has all permissions that the capability and its module ask for.
    #[must_use]
    pub fn admit(&self, candidate: &Candidate) -> bool {
        self.allow(&candidate.capability) && candidate.module_permissions.is_subset(&self.0)
    }
}
