//! What is registered at a moment: a [`Snapshot`], which is never changed but replaced.

use std::any::{TypeId, type_name};
use std::fmt;
use std::sync::{Arc, OnceLock};

use callboard_actor::Message;

use super::advertising::Amendment;
use super::catalogue::Catalogue;
use super::entry::Entry;
use super::family::Family;
use super::route::Route;
use crate::address::Address;
use crate::contract::Contracts;
use crate::descriptor::Descriptor;
use crate::discovery::{AdvertiseError, Capability};
use crate::lookup::{Hint, LookupError};
use crate::near::nearest;
use crate::shared_map::SharedMap;

/// Everything that is registered. Reading takes one look-up by the name of the module.
#[derive(Default)]
pub(crate) struct Snapshot {
    modules: SharedMap<Arc<str>, Arc<Family>>,
    /// `module.operation` of everything that is offered, in order; collected when somebody has first asked for what is
    /// not there.
    offered: OnceLock<Arc<[String]>>,
    /// What all modules can do; collected when somebody first looks for it.
    catalogue: OnceLock<Catalogue>,
    /// What modules have agreed on.
    contracts: Arc<Contracts>,
    /// Grows with each change of the modules.
    number: u64,
    /// The system has been shut down.
    is_over: bool,
}

impl Snapshot {
    /// What is there when the system has been shut down.
    pub(crate) fn over() -> Self {
        Self { is_over: true, number: u64::MAX, ..Self::default() }
    }

    /// Everybody who offers the operation, whatever their versions.
    pub(crate) fn route(&self, address: &Address) -> Result<&Route, LookupError> {
        let Some(family) = self.modules.get(address.module()) else { return Err(self.unknown_module(address)) };
        family.route(address.operation()).ok_or_else(|| self.unknown_operation(address))
    }

    /// Everybody who takes this type of message.
    pub(crate) fn route_of<M: Message>(&self) -> Result<&Route, LookupError> {
        let routes = self.modules.values().into_iter().flat_map(|family| family.routes());
        let mut takers: Vec<&Route> = routes.filter(|route| route.takes(TypeId::of::<M>())).collect();
        takers.sort_unstable_by(|one, other| one.address().cmp(other.address()));
        let message = type_name::<M>();
        match takers[..] {
            [] if self.is_over => Err(LookupError::Over),
            [] => Err(LookupError::NobodyTakes { message }),
            [route] => Ok(route),
            _ => {
                let offered = takers.iter().map(|route| route.address().to_string()).collect();
                Err(LookupError::SeveralTake { message, offered })
            }
        }
    }

    /// Everything that is registered, by name, highest version first.
    pub(crate) fn list(&self) -> Vec<Arc<Descriptor>> {
        let mut entries = self.entries();
        entries.sort_by(|one, other| one.descriptor().name.cmp(&other.descriptor().name).then_with(|| one.rank(other)));
        entries.iter().map(|entry| Arc::clone(entry.descriptor())).collect()
    }

    /// Everything that is registered, in the order of its arrival.
    pub(crate) fn entries(&self) -> Vec<&Arc<Entry>> {
        let mut entries: Vec<_> = self.modules.values().into_iter().flat_map(|family| family.entries()).collect();
        entries.sort_unstable_by_key(|entry| entry.number());
        entries
    }

    /// Grows with each change of the modules.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What all modules can do.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.catalogue.get_or_init(|| {
            let families = self.modules.values().into_iter();
            let candidates = families.flat_map(|family| family.candidates()).cloned().collect();
            Catalogue::new(candidates, self.entries().into_iter().cloned().collect())
        })
    }

    /// The capabilities of a module with this id, of all its instances, highest version first.
    pub(super) fn capabilities(&self, module: &str, capability_id: &str) -> Vec<Arc<Capability>> {
        let candidates = self.modules.get(module).map_or(&[][..], |family| family.candidates());
        let capabilities = candidates.iter().map(|candidate| Arc::clone(&candidate.capability));
        let mut named: Vec<_> = capabilities.filter(|known| known.capability_id == capability_id).collect();
        named.sort_by(|one, other| other.version.cmp(&one.version));
        named
    }

    /// What modules have agreed on.
    pub(crate) fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// The same with other contracts.
    pub(super) fn with_contracts(&self, contracts: Contracts) -> Self {
        Self {
            modules: self.modules.clone(),
            contracts: Arc::new(contracts),
            number: self.number,
            is_over: self.is_over,
            ..Self::default()
        }
    }

    /// The names of modules that are there.
    pub(super) fn near_module(&self, module: &str) -> Option<String> {
        let mut names = Vec::new();
        self.modules.for_each(&mut |name, _| names.push(&**name));
        nearest(module, names)
    }

    /// The same entry with what was advertised in the name of its module.
    pub(super) fn adopted(&self, entry: Entry) -> Entry {
        let Some(family) = self.modules.get(&*entry.descriptor().name) else { return entry };
        family.adopted(entry)
    }

    /// The same with a change of what a module can do, and the instances that this changes, as they are then.
    pub(super) fn amended(
        &self,
        module: &str,
        amendment: &Amendment,
    ) -> Result<(Self, Vec<Arc<Descriptor>>), AdvertiseError> {
        let unknown = || AdvertiseError::UnknownModule { module: module.to_owned(), near: self.near_module(module) };
        let before = self.modules.get(module).ok_or_else(unknown)?;
        let (family, changed) = before.amended(module, amendment)?;
        Ok((self.with_family(module, family), changed))
    }

    /// The instances of a module, in the order of their arrival.
    pub(crate) fn instances(&self, module: &str) -> &[Arc<Entry>] {
        self.modules.get(module).map_or(&[], |family| family.entries())
    }

    /// The same with one entry more.
    pub(crate) fn with(&self, entry: Entry) -> Self {
        let module = &entry.descriptor().name.clone();
        let mut entries = self.instances(module).to_vec();
        entries.push(Arc::new(entry));
        self.replaced(module, entries)
    }

    /// The same without an entry.
    pub(crate) fn without(&self, entry: &Entry) -> Self {
        self.changed(entry, None)
    }

    /// The same with another entry in the place of one of the same module.
    pub(crate) fn with_other(&self, entry: &Entry, other: Entry) -> Self {
        self.changed(entry, Some(&Arc::new(other)))
    }

    fn changed(&self, entry: &Entry, other: Option<&Arc<Entry>>) -> Self {
        let module = &entry.descriptor().name;
        let kept =
            |there: &Arc<Entry>| if there.number() == entry.number() { other.cloned() } else { Some(there.clone()) };
        self.replaced(module, self.instances(module).iter().filter_map(kept).collect())
    }

    fn replaced(&self, module: &str, entries: Vec<Arc<Entry>>) -> Self {
        let before = self.modules.get(module).map(|family| &**family);
        match &entries[..] {
            [] => self.with_modules(self.modules.without(module)),
            [..] => self.with_family(module, Family::new(entries, before)),
        }
    }

    fn with_family(&self, module: &str, family: Family) -> Self {
        self.with_modules(self.modules.with(module.into(), Arc::new(family)))
    }

    fn with_modules(&self, modules: SharedMap<Arc<str>, Arc<Family>>) -> Self {
        let (contracts, number) = (Arc::clone(&self.contracts), self.number.saturating_add(1));
        Self { modules, contracts, number, is_over: self.is_over, ..Self::default() }
    }

    #[cold]
    fn unknown_module(&self, address: &Address) -> LookupError {
        if self.is_over {
            return LookupError::Over;
        }
        LookupError::UnknownModule { module: address.module().to_owned(), hint: self.hint(address) }
    }

    #[cold]
    fn unknown_operation(&self, address: &Address) -> LookupError {
        let (module, operation) = (address.module().to_owned(), address.operation().to_owned());
        LookupError::UnknownOperation { module, operation, hint: self.hint(address) }
    }

    fn hint(&self, address: &Address) -> Hint {
        Hint::new(Arc::clone(address.name()), Arc::clone(self.offered()))
    }

    fn offered(&self) -> &Arc<[String]> {
        self.offered.get_or_init(|| {
            let routes = self.modules.values().into_iter().flat_map(|family| family.routes());
            let mut names: Vec<_> = routes.map(|route| route.address().to_owned()).collect();
            names.sort_unstable();
            names.into()
        })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.offered()[..]).finish()
    }
}
