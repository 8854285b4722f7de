//! What is registered at a moment: a [`Snapshot`], which is never changed but replaced.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use callboard_actor::Message;

use super::entry::Entry;
use super::route::{Offer, Route};
use crate::address::Address;
use crate::descriptor::{Descriptor, Health};
use crate::lookup::LookupError;
use crate::near::nearest;

/// Everything that is registered. Reading takes one look-up by the name of the module.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    modules: HashMap<Arc<str>, Arc<Family>>,
    /// The number of the entry that came last.
    last: u64,
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
        let routes = self.modules.values().flat_map(|family| &family.routes);
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
        let mut entries: Vec<_> = self.modules.values().flat_map(|family| &family.entries).collect();
        entries.sort_unstable_by_key(|entry| entry.number());
        entries
    }

    /// The same with one entry more, and its number.
    pub(crate) fn with(&self, entry: Entry) -> (Self, u64) {
        let number = self.last + 1;
        let name = entry.descriptor().name.as_str().into();
        let mut entries = self.modules.get(&name).map_or_else(Vec::new, |family| family.entries.clone());
        entries.push(Arc::new(entry.numbered(number)));
        (Self { last: number, ..self.replaced(name, entries) }, number)
    }

    /// The same without an entry.
    pub(crate) fn without(&self, entry: &Entry) -> Self {
        self.changed(entry, |_| None)
    }

    /// The same with an entry that says something else of its health.
    pub(crate) fn with_health(&self, entry: &Entry, health: &Health) -> Self {
        self.changed(entry, |entry| Some(Arc::new(entry.with_health(health.clone()))))
    }

    /// The entry with this number.
    pub(crate) fn entry(&self, number: u64) -> Option<&Arc<Entry>> {
        self.modules.values().flat_map(|family| &family.entries).find(|entry| entry.number() == number)
    }

    fn changed(&self, entry: &Entry, change: impl Fn(&Arc<Entry>) -> Option<Arc<Entry>>) -> Self {
        let name = &entry.descriptor().name;
        let Some((name, family)) = self.modules.get_key_value(name.as_str()) else { return self.clone() };
        let kept =
            |other: &Arc<Entry>| if other.number() == entry.number() { change(other) } else { Some(other.clone()) };
        self.replaced(Arc::clone(name), family.entries.iter().filter_map(kept).collect())
    }

    fn replaced(&self, name: Arc<str>, entries: Vec<Arc<Entry>>) -> Self {
        let mut changed = self.clone();
        let before = changed.modules.remove(&name);
        if !entries.is_empty() {
            changed.modules.insert(name, Arc::new(Family::new(entries, before.as_deref())));
        }
        changed
    }

    fn unknown_module(&self, address: &Address) -> LookupError {
        if self.is_over {
            return LookupError::Over;
        }
        let offered = self.offered();
        let near = nearest(address.name(), offered.iter().map(String::as_str));
        LookupError::UnknownModule { module: address.module().to_owned(), near, offered }
    }

    fn unknown_operation(&self, address: &Address) -> LookupError {
        let offered = self.offered();
        let near = nearest(address.name(), offered.iter().map(String::as_str));
        let (module, operation) = (address.module().to_owned(), address.operation().to_owned());
        LookupError::UnknownOperation { module, operation, near, offered }
    }

    fn offered(&self) -> Vec<String> {
        let routes = self.modules.values().flat_map(|family| &family.routes);
        let mut names: Vec<_> = routes.map(|route| route.address().to_string()).collect();
        names.sort_unstable();
        names
    }
}

impl Family {
    fn new(entries: Vec<Arc<Entry>>, before: Option<&Self>) -> Self {
        let mut offers: Vec<_> = entries.iter().flat_map(Offer::all_of).collect();
        offers.sort_by(Offer::rank);
        let mut routes: Vec<Route> = Vec::new();
        for offer in offers {
            match routes.last_mut().filter(|route| route.name() == offer.name()) {
                Some(route) => route.add(offer),
                None => {
                    let before = before.and_then(|family| family.route(offer.name()));
                    routes.push(Route::new(offer, before));
                }
            }
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
        f.debug_list().entries(self.offered()).finish()
    }
}
