//! What is registered at a moment: a [`Snapshot`], which is never changed but replaced.

use std::any::{TypeId, type_name};
use std::cmp::Ordering as Order;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callboard_actor::{ActorId, ActorState, Message, Recipient};
use semver::{Version, VersionReq};

use super::instance::Instance;
use crate::address::Address;
use crate::descriptor::{Descriptor, Health, OperationDescriptor};
use crate::lookup::{LookupError, Unavailable, UnavailableInstance, UnavailableReason};
use crate::near::nearest;
use crate::operation::Operation;

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

/// One instance.
#[derive(Clone)]
pub(crate) struct Entry {
    number: u64,
    descriptor: Arc<Descriptor>,
    operations: Arc<[Arc<dyn Operation>]>,
    instance: Arc<dyn Instance>,
    /// It has not said that it is unhealthy.
    is_willing: bool,
}

/// Everybody who offers one operation.
pub(crate) struct Route {
    /// Highest version first, then in the order of arrival.
    offers: Vec<Offer>,
    /// Whose turn it is; it goes on from one snapshot to the next.
    turn: Arc<AtomicUsize>,
}

/// An operation of an instance.
pub(crate) struct Offer {
    entry: Arc<Entry>,
    operation: Arc<dyn Operation>,
}

/// Instances that were asked in vain, and why.
pub(crate) type Tried = [(u64, UnavailableReason)];

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
        entries.sort_by(|one, other| one.descriptor.name.cmp(&other.descriptor.name).then_with(|| one.rank(other)));
        entries.iter().map(|entry| Arc::clone(&entry.descriptor)).collect()
    }

    /// Everything that is registered, in the order of its arrival.
    pub(crate) fn entries(&self) -> Vec<&Arc<Entry>> {
        let mut entries: Vec<_> = self.modules.values().flat_map(|family| &family.entries).collect();
        entries.sort_unstable_by_key(|entry| entry.number);
        entries
    }

    /// The same with one entry more, and its number.
    pub(crate) fn with(&self, entry: Entry) -> (Self, u64) {
        let number = self.last + 1;
        let name = entry.descriptor.name.as_str().into();
        let mut entries = self.modules.get(&name).map_or_else(Vec::new, |family| family.entries.clone());
        entries.push(Arc::new(Entry { number, ..entry }));
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
        self.modules.values().flat_map(|family| &family.entries).find(|entry| entry.number == number)
    }

    fn changed(&self, entry: &Entry, change: impl Fn(&Arc<Entry>) -> Option<Arc<Entry>>) -> Self {
        let name = &entry.descriptor.name;
        let Some((name, family)) = self.modules.get_key_value(name.as_str()) else { return self.clone() };
        let kept = |other: &Arc<Entry>| if other.number == entry.number { change(other) } else { Some(other.clone()) };
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
        let offers = entries.iter().flat_map(|entry| {
            let offer =
                |operation: &Arc<dyn Operation>| Offer { entry: Arc::clone(entry), operation: operation.clone() };
            entry.operations.iter().map(offer)
        });
        let mut offers: Vec<_> = offers.collect();
        offers.sort_by(|one, other| one.name().cmp(other.name()).then_with(|| one.entry.rank(&other.entry)));
        let mut routes: Vec<Route> = Vec::new();
        for offer in offers {
            match routes.last_mut().filter(|route| route.name() == offer.name()) {
                Some(route) => route.offers.push(offer),
                None => routes.push(Route::new(offer, before)),
            }
        }
        Self { entries, routes }
    }

    fn route(&self, operation: &str) -> Option<&Route> {
        let place = self.routes.binary_search_by(|route| route.name().cmp(operation)).ok()?;
        Some(&self.routes[place])
    }
}

impl Entry {
    pub(crate) fn new(
        descriptor: Descriptor,
        operations: Vec<Arc<dyn Operation>>,
        instance: Arc<dyn Instance>,
    ) -> Self {
        let descriptor = Arc::new(descriptor);
        Self { number: 0, descriptor, operations: operations.into(), instance, is_willing: true }
    }

    /// Tells it apart from every other entry that there was.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn descriptor(&self) -> &Arc<Descriptor> {
        &self.descriptor
    }

    pub(crate) fn instance(&self) -> &dyn Instance {
        &*self.instance
    }

    pub(crate) fn actor(&self) -> ActorId {
        self.descriptor.actor
    }

    fn with_health(&self, health: Health) -> Self {
        let is_willing = !matches!(health, Health::Unhealthy(_));
        let descriptor = Arc::new(Descriptor { health, ..Descriptor::clone(&self.descriptor) });
        Self { descriptor, is_willing, ..self.clone() }
    }

    /// Highest version first, then in the order of arrival. What is said of the build does not count.
    fn rank(&self, other: &Self) -> Order {
        let (one, another) = (&self.descriptor.version, &other.descriptor.version);
        another.cmp_precedence(one).then(self.number.cmp(&other.number))
    }

    /// Whether it serves. One that is being probed does: what it cannot take it hands back, and without a message it
    /// would never come to serve again.
    fn is_ready(&self) -> bool {
        let state = self.instance.state();
        self.is_willing && (state < ActorState::BackingOff || state == ActorState::Probing)
    }

    /// Whether it refuses, with a word about when to come back.
    fn is_waiting(&self) -> bool {
        let state = self.instance.state();
        self.is_willing && matches!(state, ActorState::BackingOff | ActorState::Failed)
    }

    /// Why it is not handed out.
    fn reason(&self) -> UnavailableReason {
        match (self.instance.state(), &self.descriptor.health) {
            (ActorState::Stopping, _) => UnavailableReason::Stopping,
            (ActorState::Stopped, _) => UnavailableReason::Stopped,
            (_, Health::Unhealthy(reason)) => UnavailableReason::Unhealthy(reason.clone()),
            _ => UnavailableReason::BreakerOpen(None),
        }
    }
}

impl Route {
    fn new(first: Offer, before: Option<&Family>) -> Self {
        let before = before.and_then(|family| family.route(first.name()));
        let turn = before.map_or_else(Arc::default, |route| Arc::clone(&route.turn));
        Self { offers: vec![first], turn }
    }

    /// The next instance to ask: of those that serve, the highest version, and of equals the one whose turn it is. When
    /// there is none, one whose breaker is open, as it knows when to come back.
    #[inline]
    pub(crate) fn choose(&self, requirement: Option<&VersionReq>, tried: &Tried) -> Option<&Offer> {
        let is_new = |offer: &Offer| tried.iter().all(|(number, _)| *number != offer.entry.number);
        self.ready(requirement, is_new)
            .or_else(|| self.fitting(requirement).find(|offer| offer.entry.is_waiting() && is_new(offer)))
    }

    /// A reference to the instance whose turn it is.
    pub(crate) fn recipient<M: Message>(&self, requirement: Option<&VersionReq>) -> Result<Recipient<M>, LookupError> {
        self.check_versions(requirement)?;
        let offer = self.ready(requirement, |_| true).ok_or_else(|| self.unavailable(requirement, &[]))?;
        offer.operation.recipient().downcast_ref().cloned().ok_or_else(|| LookupError::MessageType {
            name: self.address().to_string(),
            takes: offer.operation.descriptor().message,
            asked: type_name::<M>(),
        })
    }

    /// What the highest version that matches says of the operation, whether or not it serves now.
    pub(crate) fn describe(&self, requirement: Option<&VersionReq>) -> Result<Arc<OperationDescriptor>, LookupError> {
        self.check_versions(requirement)?;
        let offer = self.fitting(requirement).next();
        Ok(Arc::clone(offer.unwrap_or(&self.offers[0]).operation.descriptor()))
    }

    /// Why nobody was found who takes the call.
    #[cold]
    pub(crate) fn refusal(&self, requirement: Option<&VersionReq>, tried: &Tried) -> LookupError {
        self.check_versions(requirement).err().unwrap_or_else(|| self.unavailable(requirement, tried).into())
    }

    fn ready(&self, requirement: Option<&VersionReq>, suits: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let is_ready = |offer: &&Offer| offer.entry.is_ready() && suits(offer);
        let first = self.fitting(requirement).find(is_ready)?;
        if self.offers.len() == 1 {
            return Some(first);
        }
        let equals = || self.fitting(requirement).filter(|offer| offer.entry.is_equal(&first.entry)).filter(is_ready);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(equals().count()).unwrap_or(0);
        // States change meanwhile; whoever was ready first will do then.
        equals().nth(turn).or(Some(first))
    }

    fn fitting(&self, requirement: Option<&VersionReq>) -> impl Iterator<Item = &Offer> {
        let fits = move |version| requirement.is_none_or(|requirement| requirement.matches(version));
        self.offers.iter().filter(move |offer| fits(&offer.entry.descriptor.version))
    }

    fn check_versions(&self, requirement: Option<&VersionReq>) -> Result<(), LookupError> {
        match requirement {
            Some(requirement) if self.fitting(Some(requirement)).next().is_none() => Err(LookupError::Version {
                name: self.address().to_string(),
                requirement: requirement.clone(),
                there: self.versions(),
            }),
            _ => Ok(()),
        }
    }

    fn versions(&self) -> Vec<Version> {
        let mut versions: Vec<_> = self.offers.iter().map(|offer| offer.entry.descriptor.version.clone()).collect();
        versions.dedup();
        versions
    }

    fn unavailable(&self, requirement: Option<&VersionReq>, tried: &Tried) -> Unavailable {
        let instances = self.fitting(requirement).map(|offer| {
            let entry = &offer.entry;
            let known = tried.iter().find(|(number, _)| *number == entry.number);
            UnavailableInstance {
                name: entry.descriptor.instance.clone(),
                version: entry.descriptor.version.clone(),
                reason: known.map_or_else(|| entry.reason(), |(_, reason)| reason.clone()),
            }
        });
        Unavailable::new(self.address().to_string(), instances.collect())
    }

    fn takes(&self, message: TypeId) -> bool {
        self.offers.iter().any(|offer| offer.operation.message() == message)
    }

    /// `module.operation`.
    fn address(&self) -> &str {
        &self.offers[0].operation.descriptor().address
    }

    /// The name of the operation alone.
    fn name(&self) -> &str {
        self.offers[0].name()
    }
}

impl Offer {
    pub(crate) fn operation(&self) -> &dyn Operation {
        &*self.operation
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    fn name(&self) -> &str {
        &self.operation.descriptor().name
    }
}

impl Entry {
    fn is_equal(&self, other: &Self) -> bool {
        self.descriptor.version.cmp_precedence(&other.descriptor.version) == Order::Equal
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.offered()).finish()
    }
}
