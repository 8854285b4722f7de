//! A watcher of the registry hears first what is there and then of every arrival, change and departure, once and in
//! order, however slowly it listens.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorState, Context, Fault, Handler, Message, Overflow, SyncHandler, child};
use callboard_bus::{Health, Manifest, ModuleChange, ModulesExt};
use proptest::prelude::*;
use serde_json::json;

use crate::module_kit::{SECOND, Who, adder, found, fragile, offer};

fn told(change: &ModuleChange) -> String {
    let instance = &change.descriptor().instance;
    match change {
        ModuleChange::Arrived(_) => format!("+{instance}"),
        ModuleChange::Changed(now) => format!("{instance} is {}", now.health),
        ModuleChange::Departed(_) => format!("-{instance}"),
        _ => "something else".to_owned(),
    }
}

#[test]
fn what_is_there_comes_first_and_what_changes_follows() {
    TestSystem::run(async |t| {
        let (first, _) = found(t.system(), "1.0.0", 1).await;
        let (_second, registration) = found(t.system(), "2.0.0", 2).await;
        let probe = t.probe::<ModuleChange>();
        let _watch = t.system().modules().watch(probe.recipient()).await.unwrap();
        let (_third, third) = found(t.system(), "1.0.0", 3).await;
        third.set_health(Health::Unhealthy("no disk".into())).await.unwrap();
        third.set_health(Health::Unhealthy("no disk".into())).await.unwrap();
        registration.unregister().await.unwrap();
        first.stop();
        first.ended().await;
        t.settle().await;
        let heard: Vec<_> = probe.take().iter().map(told).collect();
        let expected = ["+adder-1", "+adder-2", "+adder-3", "adder-3 is unhealthy: no disk", "-adder-2", "-adder-1"];
        assert_eq!(heard, expected);
        t.shutdown().await;
    });
}

/// Takes a second for each notice.
struct Slow(Vec<String>);

impl Actor for Slow {}

impl Handler<ModuleChange> for Slow {
    async fn handle(&mut self, change: ModuleChange, _: &mut Context<Self>) -> Result<(), Fault> {
        tokio::time::sleep(SECOND).await;
        self.0.push(told(&change));
        Ok(())
    }
}

#[derive(Message)]
#[message(reply = Vec<String>, priority = Low)]
struct Heard;

impl SyncHandler<Heard> for Slow {
    fn handle(&mut self, _: Heard, _: &mut Context<Self>) -> Result<Vec<String>, Fault> {
        Ok(self.0.clone())
    }
}

#[test]
fn one_that_is_slow_misses_nothing_and_holds_nobody_up() {
    TestSystem::run(async |t| {
        let slow = t.spawn(child("slow", || Slow(Vec::new())).bound(1).overflow(Overflow::Reject));
        let _watch = t.system().modules().watch(slow.clone()).await.unwrap();
        let mut expected = Vec::new();
        for id in 1..=20 {
            let (_adder, registration) = found(t.system(), "1.0.0", id).await;
            registration.unregister().await.unwrap();
            expected.extend([format!("+adder-{id}"), format!("-adder-{id}")]);
        }
        assert!(t.now() < SECOND, "nobody waited for it");
        t.advance(60 * SECOND).await;
        assert_eq!(slow.ask(Heard).await.unwrap(), expected);
        t.shutdown().await;
    });
}

#[test]
fn one_that_has_ended_is_forgotten() {
    TestSystem::run(async |t| {
        let slow = t.spawn(child("slow", || Slow(Vec::new())));
        let _watch = t.system().modules().watch(slow.clone()).await.unwrap();
        slow.stop();
        slow.ended().await;
        for id in 1..=20 {
            let _registration = found(t.system(), "1.0.0", id).await;
        }
        t.advance(SECOND).await;
        assert_eq!(t.inspect().actor("registry").unwrap().messages.handled, 21, "nothing is tried again for it");
        t.shutdown().await;
    });
}

/// What happens to the registry.
#[derive(Clone, Debug)]
enum Event {
    Register,
    Unregister(prop::sample::Index),
    SetHealth(prop::sample::Index, bool),
    Stop(prop::sample::Index),
    Watch,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Register),
        1 => any::<prop::sample::Index>().prop_map(Event::Unregister),
        1 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(which, well)| Event::SetHealth(which, well)),
        1 => any::<prop::sample::Index>().prop_map(Event::Stop),
        1 => Just(Event::Watch),
    ]
}

/// The instances with their health, as one who has heard all changes knows them.
fn known(changes: &[ModuleChange]) -> BTreeMap<String, Health> {
    let mut known = BTreeMap::new();
    for change in changes {
        let now = change.descriptor();
        let before = match change {
            ModuleChange::Departed(_) => known.remove(&now.instance),
            _ => known.insert(now.instance.clone(), now.health.clone()),
        };
        assert_eq!(before.is_none(), matches!(change, ModuleChange::Arrived(_)), "{}", told(change));
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whoever_has_heard_all_knows_what_is_listed(events in prop::collection::vec(any_event(), 1..40)) {
        TestSystem::run(async |t| {
            let (mut there, mut probes) = (Vec::new(), vec![t.probe::<ModuleChange>()]);
            let mut watches = vec![t.system().modules().watch(probes[0].recipient()).await.unwrap()];
            for (id, event) in (1..).zip(events) {
                match event {
                    Event::Register => there.push(found(t.system(), "1.0.0", id).await),
                    Event::Watch => {
                        let probe = t.probe();
                        watches.push(t.system().modules().watch(probe.recipient()).await.unwrap());
                        probes.push(probe);
                    }
                    _ if there.is_empty() => {}
                    Event::Unregister(which) => {
                        let (_, registration) = there.swap_remove(which.index(there.len()));
                        registration.unregister().await.unwrap();
                    }
                    Event::SetHealth(which, true) => {
                        there[which.index(there.len())].1.set_health(Health::Healthy).await.unwrap();
                    }
                    Event::SetHealth(which, false) => {
                        let ill = Health::Unhealthy(format!("event {id}"));
                        there[which.index(there.len())].1.set_health(ill).await.unwrap();
                    }
                    Event::Stop(which) => {
                        let (adder, _) = there.swap_remove(which.index(there.len()));
                        adder.stop();
                        adder.ended().await;
                        t.settle().await;
                    }
                }
            }
            t.settle().await;
            let listed: BTreeMap<_, _> = t.system().modules().list().iter()
                .map(|module| (module.instance.clone(), module.health.clone()))
                .collect();
            assert_eq!(listed.len(), there.len());
            for probe in &probes {
                assert_eq!(known(&probe.take()), listed);
            }
            t.shutdown().await;
        });
    }
}

#[test]
fn a_module_leaves_with_its_actor_and_stays_through_a_restart() {
    TestSystem::run(async |t| {
        let actor = t.spawn(fragile(1));
        let _registration = offer("1.0.0").register(&actor).await.unwrap();
        let other = Manifest::new("other", "0.1.0").operation::<Who>("who");
        let _other = other.register(&actor).await.unwrap();
        let listed = || t.system().modules().list().iter().map(|module| module.name.clone()).collect::<Vec<_>>();
        crate::module_kit::break_down(&actor).await;
        assert_eq!(listed(), ["adder", "other"], "it will be back");
        actor.breaker().reset();
        t.settle().await;
        assert_eq!(actor.state(), ActorState::Running);
        actor.kill();
        actor.ended().await;
        assert!(t.system().call("other.who", json!({})).await.is_err());
        t.settle().await;
        assert!(listed().is_empty(), "{:?}", listed());
        t.shutdown().await;
    });
}

#[test]
fn a_descriptor_says_all_of_a_module() {
    TestSystem::run(async |t| {
        let actor = t.spawn(adder(1));
        let module = Manifest::new("lab.adder", "1.2.3").description("adds").tag("math").requires("storage.put@^1");
        let _registration = module.requires("lab.adder.who").operation::<Who>("who").register(&actor).await.unwrap();
        let listed = t.system().modules().list();
        let mut shown = serde_json::to_value(&*listed[0]).unwrap();
        assert_eq!(shown["operations"][0]["message_schema"]["title"], "Who");
        assert_eq!(shown["operations"][0]["reply_schema"]["type"], "integer");
        let operation = shown["operations"][0].as_object_mut().unwrap();
        operation.retain(|key, _| !key.ends_with("_schema"));
        let expected = json!({
            "name": "lab.adder", "version": "1.2.3", "description": "adds", "tags": ["math"],
            "owner": "", "protocols": ["request_response", "point_to_point", "workflow"], "security_level": "public",
            "required_permissions": [], "balance": "round_robin", "weight": 1, "capabilities": [],
            "requires": ["storage.put@^1", "lab.adder.who"], "hears": [], "publishes": [],
            "health": { "state": "healthy" }, "actor": shown["actor"], "instance": "adder-1",
            "operations": [{
                "address": "lab.adder.who", "name": "who", "version": "1.2.3", "description": "",
                "is_idempotent": false, "is_blocking": false, "deprecated": null, "priority": "normal", "timeout": null,
                "message": "it::module_kit::Who",
            }],
        });
        assert_eq!(shown, expected);
        let missing: Vec<_> = t.system().modules().missing().iter().map(ToString::to_string).collect();
        assert_eq!(missing, ["lab.adder 1.2.3 requires storage.put@^1: there is no module `storage`"]);
        assert!(Arc::ptr_eq(&listed[0], &t.system().modules().list()[0]), "it is shared");
        t.shutdown().await;
    });
}
