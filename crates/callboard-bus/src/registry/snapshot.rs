//! What is registered at a moment: a [`Snapshot`], which is never changed but replaced.

use std::any::{TypeId, type_name};
use std::fmt;
use std::sync::{Arc, OnceLock};

use callboard_actor::Message;

use super::entry::Entry;
use super::route::{Offer, Route};
use crate::address::Address;
use crate::descriptor::Descriptor;
use crate::lookup::{Hint, LookupError};
use crate::shared_map::SharedMap;

/// Everything that is registered. Reading takes one look-up by the name of the module.
#[derive(Default)]
pub(crate) struct Snapshot {
    modules: SharedMap<Arc<str>, Arc<Family>>,
    /// `module.operation` of everything that is offered, in order; collected when somebody has first asked for what is
    /// not there.
    offered: OnceLock<Arc<[String]>>,
    /// The system has been shut down.
    is_over: bool,
}

/// The instances of one module.
#[derive(Default)]
struct Family {
    /// In the order of their arrival.
    entries: Vec<Arc<Entry>>,
    /// In the order of their names.
    routes: Vec<Route>,
}

impl Snapshot {
    /// What is there when the system has been shut down.
    pub(crate) fn over() -> Self {
        Self { is_over: true, ..Self::default() }
    }

    /// Everybody who offers the operation, whatever their versions.
    pub(crate) fn route(&self, address: &Address) -> Result<&Route, LookupError> {
        let Some(family) = self.modules.get(address.module()) else { return Err(self.unknown_module(address)) };
        family.route(address.operation()).ok_or_else(|| self.unknown_operation(address))
    }

    /// Everybody who takes this type of message.
    pub(crate) fn route_of<M: Message>(&self) -> Result<&Route, LookupError> {
        let routes = self.modules.values().into_iter().flat_map(|family| &family.routes);
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
        let mut entries: Vec<_> = self.modules.values().into_iter().flat_map(|family| &family.entries).collect();
        entries.sort_unstable_by_key(|entry| entry.number());
        entries
    }

    /// The instances of a module, in the order of their arrival.
    pub(crate) fn instances(&self, module: &str) -> &[Arc<Entry>] {
        self.modules.get(module).map_or(&[], |family| &family.entries)
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
        let modules = match &entries[..] {
            [] => self.modules.without(module),
            [..] => self.modules.with(module.into(), Arc::new(Family::new(entries, before))),
        };
        Self { modules, offered: OnceLock::new(), is_over: self.is_over }
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
            let routes = self.modules.values().into_iter().flat_map(|family| &family.routes);
            let mut names: Vec<_> = routes.map(|route| route.address().to_owned()).collect();
            names.sort_unstable();
            names.into()
        })
    }
}

impl Family {
    fn new(entries: Vec<Arc<Entry>>, before: Option<&Self>) -> Self {
        let mut offers: Vec<_> = entries.iter().flat_map(Offer::all_of).collect();
        offers.sort_by(Offer::rank);
        let mut routes = Vec::new();
        while let Some(first) = offers.first() {
            let name = first.name().to_owned();
            let others = offers.split_off(offers.partition_point(|offer| offer.name() == name));
            let before = before.and_then(|family| family.route(&name));
            routes.push(Route::new(std::mem::replace(&mut offers, others), before));
        }
        Self { entries, routes }
    }

    fn route(&self, operation: &str) -> Option<&Route> {
        let place = self.routes.binary_search_by(|route| route.name().cmp(operation)).ok()?;
        Some(&self.routes[place])
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.offered()[..]).finish()
    }
}
