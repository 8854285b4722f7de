//! What modules can do and have agreed on, from the registry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Recipient, System};

use super::{ModuleWatch, Modules};
use crate::config::DiscoveryConfig;
use crate::contract::{Agreement, ContractChange, Export, HeldContract, Need, NegotiateError};
use crate::discovery::{
    AdvertiseError, Capability, Discovery, DiscoveryCache, DiscoveryQuery, DiscoveryStatus, Permissions,
};
use crate::registration::RegistryError;
use crate::registry::{Amend, Amendment, Negotiate, WatchContracts};

/// The answers that were given lately, and how many an answer may name.
pub(super) struct Finder {
    cache: DiscoveryCache,
    most: usize,
}

impl Default for Finder {
    fn default() -> Self {
        Self { cache: DiscoveryCache::default(), most: DiscoveryQuery::DEFAULT_LIMIT }
    }
}

impl Modules {
    /// Who can do what the query says, of those that the caller may use: each operation of a registered module, and what
    /// is advertised besides. A change of what is registered is seen at once, and so is a breaker that opens or closes. An
    /// instance that has not started yet is as one that cannot be used now.
    ///
    /// ```
    /// # use callboard_actor::{Actor, Drain, System, child, one_for_one};
    /// use callboard_bus::discovery::{Capability, DiscoveryQuery, Permissions};
    /// use callboard_bus::{Manifest, ModulesExt};
    /// # struct Lab; impl Actor for Lab {}
    /// # callboard_actor::block_on(async {
    /// # let system = System::builder().supervise(one_for_one().child(child("lab", || Lab))).start().await?;
    /// # let lab = system.find::<Lab>("lab").expect("it has started");
    ///
    /// let capability = Capability::builder("data_processor", "1.4.0").required_permission("data:process");
    /// Manifest::new("lab", "2.0.0").tag("analytics").advertises(capability).register(&lab).await?;
    ///
    /// let query = DiscoveryQuery::default().tag("analytics").version("^1".parse()?);
    /// let found = system.modules().discover(&query, &Permissions::of(["data:process"]));
    /// assert_eq!(found.found[0].module, "lab");
    /// assert!(system.modules().discover(&query, &Permissions::default()).found.is_empty());
    /// # system.shutdown(Drain::default()).await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn discover(&self, query: &DiscoveryQuery, permissions: &Permissions) -> Discovery {
        let (snapshot, now) = (self.snapshot(), self.now());
        let (catalogue, timeless) = (snapshot.catalogue(), query.timeless());
        let (matching, most) = {
            let finder = &mut *self.0.finder.lock();
            let find = || catalogue.matching(&timeless, permissions);
            (finder.cache.get_or_find(&timeless, permissions, snapshot.number(), now, find), finder.most)
        };
        query.clone().capped(most).best(catalogue.as_they_are(&matching.found))
    }

    /// How many answers are kept, how long, and how many an answer names at most, instead of 1,000, 300 s and 100. What was kept and
    /// counted is forgotten.
    pub fn set_discovery(&self, config: &DiscoveryConfig) {
        let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let (cache, most) =
            (DiscoveryCache::new(whole(config.cache_size), config.cache_ttl), whole(config.max_results));
        *self.0.finder.lock() = Finder { cache, most };
    }

    /// Lets something be found that a module can do besides its operations: of all its instances, also of those that come
    /// later, until it is withdrawn or the last of them is gone.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`]: no such module, or one that has something of this name.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, it may or may not be found.
    pub async fn advertise(&self, module: &str, capability: Capability) -> Result<(), AdvertiseError> {
        self.amend(module, Amendment::Advertise(Arc::new(capability))).await
    }

    /// Takes away what a module advertises, whether in its manifest or by [`advertise`](Self::advertise). What the manifest
    /// of an instance says that comes later is found again.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`]: no such module or capability.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, it may or may not be found.
    pub async fn withdraw(&self, module: &str, capability_id: &str) -> Result<(), AdvertiseError> {
        self.amend(module, Amendment::Withdraw(capability_id.to_owned())).await
    }

    /// Says whether what a module advertises may be used now. What may not is found by those alone who ask for what is
    /// unavailable too.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`]: no such module or capability.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, it may or may not have been said.
    pub async fn set_available(
        &self,
        module: &str,
        capability_id: &str,
        is_available: bool,
    ) -> Result<(), AdvertiseError> {
        self.amend(module, Amendment::SetAvailable(capability_id.to_owned(), is_available)).await
    }

    /// The best for a need, of those that the caller may use, and a contract with it that the registry keeps: it is looked
    /// at whenever one of the two modules changes, and every 60 s. It lasts until the consumer is gone or makes another
    /// with the same module about the same.
    ///
    /// # Errors
    ///
    /// [`NegotiateError`]: nobody will do, and why not, each of them; or the consumer is not registered.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, there may or may not be a contract.
    pub async fn negotiate(&self, need: Need, permissions: Permissions) -> Result<Agreement, NegotiateError> {
        self.ask(Negotiate { need, permissions }).await?
    }

    /// What modules have agreed on, by consumer, provider and capability, and what of it holds no more.
    #[must_use]
    pub fn contracts(&self) -> Vec<HeldContract> {
        self.snapshot().contracts().iter().cloned().collect()
    }

    /// Has an actor told of every contract that is made, broken, mended and forgotten, in order, beginning with those that
    /// are there. As [`watch`](Self::watch).
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn watch_contracts(
        &self,
        recipient: impl Into<Recipient<ContractChange>>,
    ) -> Result<ModuleWatch, RegistryError> {
        let watch = ModuleWatch(Arc::new(()));
        self.ask(WatchContracts(recipient.into(), Arc::downgrade(&watch.0))).await?;
        Ok(watch)
    }

    /// How discovery is: what the cache has done, and whether contracts hold.
    #[must_use]
    pub fn discovery_status(&self) -> DiscoveryStatus {
        let counts = self.0.finder.lock().cache.counts();
        DiscoveryStatus::new(counts, self.snapshot().contracts(), self.0.board.last_check())
    }

    /// What is offered now, to be kept in a file and held against a later one by [`diff`](crate::contract::diff::diff).
    #[must_use]
    pub fn export(&self) -> Export {
        self.list().into_iter().collect()
    }

    async fn amend(&self, module: &str, amendment: Amendment) -> Result<(), AdvertiseError> {
        self.ask(Amend { module: module.to_owned(), amendment }).await?
    }

    /// The system, unless it is over.
    pub(super) fn system(&self) -> Option<System> {
        self.registry().map(|registry| registry.system())
    }

    /// Since the system started; nothing when it is over, and nothing is found any more.
    pub(super) fn now(&self) -> Duration {
        self.registry().map(|registry| registry.system().elapsed()).unwrap_or_default()
    }
}

impl fmt::Debug for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder").field("cache", &self.cache.counts()).field("most", &self.most).finish()
    }
}
