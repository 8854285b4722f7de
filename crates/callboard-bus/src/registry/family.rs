//! The instances of one module: a [`Family`].

use std::sync::{Arc, OnceLock};

use super::advertising::Amendment;
use super::entry::Entry;
use super::route::{Offer, Route};
use crate::descriptor::Descriptor;
use crate::discovery::{AdvertiseError, Candidate, Capabilities, CapabilityError};
use crate::near::nearest;

/// The instances of one module, never changed but replaced.
#[derive(Default)]
pub(super) struct Family {
    /// In the order of their arrival.
    entries: Vec<Arc<Entry>>,
    /// In the order of their names.
    routes: Vec<Route>,
    /// What was advertised in the name of the module: instances that come have it too.
    advertised: Capabilities,
    /// What its instances can do; collected when somebody first looks for it.
    candidates: OnceLock<Vec<Arc<Candidate>>>,
}

impl Family {
    pub(super) fn new(entries: Vec<Arc<Entry>>, before: Option<&Self>) -> Self {
        let mut offers: Vec<_> = entries.iter().flat_map(Offer::all_of).collect();
        offers.sort_by(Offer::rank);
        let mut routes = Vec::new();
        while let Some(first) = offers.first() {
            let name = first.name().to_owned();
            let others = offers.split_off(offers.partition_point(|offer| offer.name() == name));
            let before = before.and_then(|family| family.route(&name));
            routes.push(Route::new(std::mem::replace(&mut offers, others), before));
        }
        let advertised = before.map(|family| family.advertised.clone()).unwrap_or_default();
        Self { entries, routes, advertised, candidates: OnceLock::new() }
    }

    /// What its instances can do, as far as they say so themselves.
    pub(super) fn candidates(&self) -> &[Arc<Candidate>] {
        self.candidates.get_or_init(|| self.entries.iter().flat_map(|entry| entry.candidates()).collect())
    }

    /// Whether a change of what the module can do is possible.
    fn check(&self, module: &str, amendment: &Amendment) -> Result<(), AdvertiseError> {
        let capability_id = amendment.capability_id();
        let mut can = self.candidates().iter().map(|candidate| candidate.capability.capability_id.as_str());
        let mut advertised = self.entries.iter().map(|entry| &entry.descriptor().capabilities);
        match amendment {
            Amendment::Advertise(_) if can.any(|known| known == capability_id) => {
                Err(CapabilityError::AlreadyExists { capability_id: capability_id.to_owned() }.into())
            }
            Amendment::Withdraw(_) | Amendment::SetAvailable(..)
                if advertised.all(|known| known.get(capability_id).is_none()) =>
            {
                let near = nearest(capability_id, can);
                let (module, capability_id) = (module.to_owned(), capability_id.to_owned());
                Err(AdvertiseError::UnknownCapability { module, capability_id, near })
            }
            _ => Ok(()),
        }
    }

    /// The same with a change of what the module can do, and the instances that this changes, as they are then.
    pub(super) fn amended(
        &self,
        module: &str,
        amendment: &Amendment,
    ) -> Result<(Self, Vec<Arc<Descriptor>>), AdvertiseError> {
        self.check(module, amendment)?;
        let (mut entries, mut changed) = (self.entries.clone(), Vec::new());
        for entry in &mut entries {
            let before = &entry.descriptor().capabilities;
            let after = amendment.apply_to(before);
            if after != *before {
                *entry = Arc::new(entry.with_capabilities(after));
                changed.push(Arc::clone(entry.descriptor()));
            }
        }
        let advertised = amendment.apply_to(&self.advertised);
        Ok((Self { advertised, ..Self::new(entries, Some(self)) }, changed))
    }

    /// The same entry with what was advertised in the name of the module. What it says itself goes before that.
    pub(super) fn adopted(&self, entry: Entry) -> Entry {
        let descriptor = entry.descriptor();
        let mut capabilities = descriptor.capabilities.clone();
        capabilities.adopt(&self.advertised);
        for operation in &descriptor.operations {
            capabilities.withdraw(&operation.address);
        }
        if capabilities == descriptor.capabilities { entry } else { entry.with_capabilities(capabilities) }
    }

    pub(super) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    pub(super) fn route(&self, operation: &str) -> Option<&Route> {
        let place = self.routes.binary_search_by(|route| route.name().cmp(operation)).ok()?;
        Some(&self.routes[place])
    }
}
