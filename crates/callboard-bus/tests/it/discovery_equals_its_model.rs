//! F-DSC-02, F-DSC-03, F-DSC-07, F-DSC-12, F-DSC-13: whatever happens to modules, what is found is what a look at all of
//! them would find, for every caller and however often the same was asked before.

use std::collections::BTreeMap;

use callboard_actor::ActorRef;
use callboard_actor::testing::TestSystem;
use callboard_bus::discovery::{Capability, DiscoveryQuery, Permissions};
use callboard_bus::{Health, Manifest, Modules, ModulesExt, Registration};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::module_kit::{Adder, Who, fragile};

const MODULES: [&str; 3] = ["a", "b", "c"];
const CAPABILITIES: [&str; 2] = ["count", "sort"];

/// What happens to the registry.
#[derive(Clone, Debug)]
enum Event {
    Register(usize, bool),
    Unregister(Index),
    SetHealth(Index, bool),
    HoldOpen(Index, bool),
    Advertise(usize, usize, bool),
    Withdraw(usize, usize),
    SetAvailable(usize, usize, bool),
}

fn any_event() -> impl Strategy<Value = Event> {
    let (module, capability) = (0..MODULES.len(), 0..CAPABILITIES.len());
    let both = (module.clone(), capability, any::<bool>());
    prop_oneof![
        3 => (module, any::<bool>()).prop_map(|(module, advertises)| Event::Register(module, advertises)),
        1 => any::<Index>().prop_map(Event::Unregister),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(which, well)| Event::SetHealth(which, well)),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(which, open)| Event::HoldOpen(which, open)),
        2 => both.clone().prop_map(|(module, capability, secret)| Event::Advertise(module, capability, secret)),
        1 => both.clone().prop_map(|(module, capability, _)| Event::Withdraw(module, capability)),
        2 => both.prop_map(|(module, capability, well)| Event::SetAvailable(module, capability, well)),
    ]
}

/// A capability as it should be: whether it may be seen by anybody, and whether it may be used.
type Able = (bool, bool);

struct Instance {
    id: u64,
    actor: ActorRef<Adder>,
    registration: Registration,
    module: usize,
    is_well: bool,
    is_open: bool,
    able: BTreeMap<&'static str, Able>,
}

/// The whole of it as lists.
#[derive(Default)]
struct Model {
    instances: Vec<Instance>,
    /// What was advertised in the name of each module.
    advertised: [BTreeMap<&'static str, Able>; 3],
}

impl Model {
    fn of(&mut self, module: usize) -> impl Iterator<Item = &mut Instance> {
        self.instances.iter_mut().filter(move |instance| instance.module == module)
    }

    /// What `list` would find: instance and id.
    fn found(&self, may_all: bool) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for Instance { id, module, is_well, is_open, able, .. } in &self.instances {
            if *is_well && !*is_open {
                found.push((format!("adder-{id}"), format!("{}.who", MODULES[*module])));
                let usable = able.iter().filter(|(_, (secret, usable))| *usable && (may_all || !secret));
                found.extend(usable.map(|(name, _)| (format!("adder-{id}"), (*name).to_owned())));
            }
        }
        found.sort();
        found
    }

    async fn happen(&mut self, t: &TestSystem, modules: &Modules, id: u64, event: Event) {
        match event {
            Event::Register(module, advertises) => self.register(t, id, module, advertises).await,
            _ if self.instances.is_empty() => {}
            Event::Unregister(which) => {
                let gone = self.instances.swap_remove(which.index(self.instances.len()));
                gone.registration.unregister().await.unwrap();
                if self.of(gone.module).next().is_none() {
                    self.advertised[gone.module].clear();
                }
            }
            Event::SetHealth(which, is_well) => {
                let at = which.index(self.instances.len());
                self.instances[at].is_well = is_well;
                let health = if is_well { Health::Healthy } else { Health::Unhealthy("on purpose".into()) };
                self.instances[at].registration.set_health(health).await.unwrap();
            }
            Event::HoldOpen(which, is_open) => {
                let at = which.index(self.instances.len());
                self.instances[at].is_open = is_open;
                let breaker = self.instances[at].actor.breaker();
                if is_open {
                    breaker.force_open()
                } else {
                    breaker.automatic()
                }
                t.settle().await;
            }
            Event::Advertise(module, capability, secret) => self.advertise(modules, module, capability, secret).await,
            Event::Withdraw(module, capability) => {
                let name = CAPABILITIES[capability];
                let is_there = self.of(module).filter_map(|instance| instance.able.remove(name)).count() > 0;
                self.advertised[module].remove(name);
                assert_eq!(modules.withdraw(MODULES[module], name).await.is_ok(), is_there);
            }
            Event::SetAvailable(module, capability, is_available) => {
                let name = CAPABILITIES[capability];
                let mut is_there = false;
                let instances = self.of(module).filter_map(|instance| instance.able.get_mut(name));
                instances.for_each(|able| (able.1, is_there) = (is_available, true));
                self.advertised[module].entry(name).and_modify(|able| able.1 = is_available);
                assert_eq!(modules.set_available(MODULES[module], name, is_available).await.is_ok(), is_there);
            }
        }
    }

    async fn register(&mut self, t: &TestSystem, id: u64, module: usize, advertises: bool) {
        let actor = t.spawn(fragile(id));
        let mut manifest = Manifest::new(MODULES[module], "1.0.0").operation::<Who>("who");
        let mut able = self.advertised[module].clone();
        if advertises {
            manifest = manifest.advertises(Capability::builder(CAPABILITIES[0], "1.0.0"));
            able.insert(CAPABILITIES[0], (false, true));
        }
        let registration = manifest.register(&actor).await.unwrap();
        t.settle().await;
        self.instances.push(Instance { id, actor, registration, module, is_well: true, is_open: false, able });
    }

    async fn advertise(&mut self, modules: &Modules, module: usize, capability: usize, secret: bool) {
        let name = CAPABILITIES[capability];
        let mut builder = Capability::builder(name, "1.0.0");
        if secret {
            builder = builder.required_permission("secret");
        }
        let is_free = self.of(module).next().is_some() && self.of(module).all(|known| !known.able.contains_key(name));
        if is_free {
            self.of(module).for_each(|instance| instance.able.extend([(name, (secret, true))]));
            self.advertised[module].insert(name, (secret, true));
        }
        let advertised = modules.advertise(MODULES[module], builder.build().unwrap()).await;
        assert_eq!(advertised.is_ok(), is_free, "{advertised:?}");
    }
}

/// What is found, as instance and id.
fn found(modules: &Modules, permissions: &Permissions) -> Vec<(String, String)> {
    let found = modules.discover(&DiscoveryQuery::default(), permissions).found;
    let name =
        |found: &callboard_bus::discovery::Candidate| (found.instance.clone(), found.capability.capability_id.clone());
    let mut names: Vec<_> = found.iter().map(|found| name(found)).collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_found_is_what_is_there(events in prop::collection::vec(any_event(), 1..30)) {
        TestSystem::run(async |t| {
            let (modules, mut model) = (t.system().modules(), Model::default());
            for (id, event) in (1..).zip(events) {
                model.happen(t, &modules, id, event).await;
                for _ in 0..2 {
                    assert_eq!(found(&modules, &Permissions::of(["secret"])), model.found(true));
                    assert_eq!(found(&modules, &Permissions::default()), model.found(false));
                }
            }
            let cache = modules.discovery_status().cache;
            assert!(cache.hits >= cache.misses, "the same questions were asked twice: {cache:?}");
            t.shutdown().await;
        });
    }
}
