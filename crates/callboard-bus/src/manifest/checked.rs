//! What is wrong with a manifest, if anything is: [`Checked`].

use std::collections::HashSet;

use callboard_actor::Actor;
use semver::Version;

use super::{Manifest, addresses};
use crate::address::{Address, check_module_name, check_name};
use crate::discovery::{Capabilities, CapabilityError};
use crate::operation::Operation;
use crate::pattern::Pattern;
use crate::registration::RegisterError;
use crate::topic::{Topic, TopicError};

/// What a manifest says, once it is found to be good.
pub(crate) struct Checked {
    pub(super) version: Version,
    pub(super) requires: Vec<Address>,
    pub(super) hears: Vec<Pattern>,
    pub(super) publishes: Vec<Topic>,
    pub(super) capabilities: Capabilities,
}

impl<A: Actor> Manifest<A> {
    pub(crate) fn checked(&self) -> Result<Checked, RegisterError> {
        check_module_name(&self.name).map_err(|reason| bad_name("module", &self.name, reason))?;
        self.check_operations()?;
        self.check_periods()?;
        let patterns = self.hearings.iter().map(|hearing| hearing.pattern().parse());
        let topics = self.publishes.iter().map(|name| name.parse());
        Ok(Checked {
            version: self.checked_version()?,
            requires: addresses(&self.requires)?,
            hears: patterns.collect::<Result<_, TopicError>>()?,
            publishes: topics.collect::<Result<_, TopicError>>()?,
            capabilities: self.checked_capabilities()?,
        })
    }

    fn checked_capabilities(&self) -> Result<Capabilities, CapabilityError> {
        let mut capabilities = Capabilities::default();
        for capability in self.capabilities.iter().cloned() {
            let capability = capability.build()?;
            if self.operations.iter().any(|operation| self.address(operation) == capability.capability_id) {
                return Err(CapabilityError::AlreadyExists { capability_id: capability.capability_id });
            }
            capabilities.advertise(capability)?;
        }
        Ok(capabilities)
    }

    fn address(&self, operation: &Operation<A>) -> String {
        format!("{}.{}", self.name, operation.name())
    }

    fn check_operations(&self) -> Result<(), RegisterError> {
        let mut seen = HashSet::new();
        for operation in &self.operations {
            let name = operation.name();
            check_name(name).map_err(|reason| bad_name("operation", name, reason))?;
            operation.check_settings().map_err(|faults| {
                let (module, operation) = (self.name.clone(), name.to_owned());
                RegisterError::Settings { module, operation, faults }
            })?;
            if !seen.insert(name) {
                return Err(RegisterError::OperationTwice { module: self.name.clone(), operation: name.to_owned() });
            }
        }
        Ok(())
    }

    fn check_periods(&self) -> Result<(), RegisterError> {
        let Some(ticking) = self.tickings.iter().find(|ticking| ticking.is_endless()) else { return Ok(()) };
        Err(RegisterError::NoPeriod { module: self.name.clone(), message: ticking.message() })
    }

    fn checked_version(&self) -> Result<Version, RegisterError> {
        let version = Version::parse(&self.version);
        version.map_err(|error| RegisterError::BadVersion {
            module: self.name.clone(),
            version: self.version.clone(),
            reason: error.to_string(),
        })
    }
}

fn bad_name(what: &'static str, name: &str, reason: &'static str) -> RegisterError {
    RegisterError::BadName { what, name: name.to_owned(), reason }
}
