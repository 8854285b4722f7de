//! F-MET-09, F-MET-10, F-MET-11, F-CB-12, F-DLQ-04: what is wrong is said, with what to do about it; what is well is tried.

use std::time::{Duration, UNIX_EPOCH};

use callboard_actor::testing::TestSystem;
use callboard_actor::{Backoff, BreakerMode, BreakerState, child};
use callboard_bus::dead_letter_queue::{LetterBounds, LetterReason};
use callboard_bus::discovery::{DiscoveryQuery, Permissions};
use callboard_bus::monitoring::{Component, Issue, Level, Status};
use callboard_bus::time::show_moment;
use callboard_bus::{
    CallSettings, DeadLetterQueueExt, EventsExt, Health, LetterFilter, Manifest, ModulesExt, MonitoringExt,
    OperationsExt, Value,
};
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold};
use crate::module_kit::{Add, Adder, Boom, Rest, SECOND, adder, found};
use crate::trouble::{Script, press, work};

fn texts(status: &Status) -> Vec<&str> {
    status.issues.iter().map(|issue| issue.text.as_str()).collect()
}

/// F-MET-10: these names. Nothing is wrong, and both checks have sent a message that was counted.
#[test]
fn a_healthy_system_says_so() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let monitoring = t.system().monitoring();
        let (published, began) = (t.system().events().counts().published, t.now());
        let status = monitoring.status().details().check_health().await;
        assert_eq!(t.system().events().counts().published, published + 2);
        assert!(t.now() - began < SECOND, "both are bounded in time");
        let shown: Json = serde_json::from_str(&status.to_string()).unwrap();
        let keys: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["Components", "Details", "HealthChecks", "Issues", "OverallHealth", "Recommendations"]);
        let well = json!({ "Health": "Healthy", "Issues": 0 });
        assert_eq!(shown["Components"], json!({ "MessageBus": well, "APIRegistry": well, "Configuration": well }));
        assert_eq!((&shown["OverallHealth"], &shown["Issues"]), (&json!("Healthy"), &json!([])));
        for check in ["MessagingTest", "MetricsTest"] {
            assert_eq!(shown["HealthChecks"][check]["Success"], true, "{shown}");
        }
        let short = serde_json::to_value(monitoring.status().await).unwrap();
        assert!(short.get("HealthChecks").is_none() && short.get("Details").is_none());
        t.settle().await;
        assert_eq!(t.system().channels().list(), []);
        assert!(t.system().events().history().list().is_empty(), "no test is remembered");
        t.shutdown().await;
    });
}

/// F-MET-10: the check of messaging fails in time where no message goes round.
#[test]
fn a_bus_that_brings_nothing_is_unhealthy() {
    TestSystem::run(async |t| {
        let monitoring = t.system().monitoring();
        t.system().channel("full").create().await.unwrap();
        t.system().channels().set_limit(0);
        let began = t.now();
        let status = monitoring.status().check_health().await;
        assert!(t.now() - began <= 5 * SECOND);
        assert_eq!(status.overall_health, Level::Unhealthy);
        let checks = status.health_checks.as_ref().unwrap();
        assert!(!checks.messaging_test.success && !checks.metrics_test.success);
        assert_eq!(checks.messaging_test.error.as_ref().unwrap().code.code(), "busy");
        assert!(texts(&status).iter().any(|text| text.starts_with("the check MessagingTest failed: busy")));
        t.settle().await;
        t.shutdown().await;
    });
}

/// F-MET-10: the whole is as its worst component, and each issue has a recommendation in the same place.
#[test]
fn the_worst_component_decides() {
    TestSystem::run(async |t| {
        let (system, script) = (t.system(), Script::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let monitoring = system.monitoring();
        system.operations().set_breaker_mode("press.work", BreakerMode::ForcedOpen).unwrap();
        let status = monitoring.status().await;
        assert_eq!(status.overall_health, Level::Degraded);
        assert_eq!(status.health_of(Component::ApiRegistry), Level::Degraded);
        assert_eq!(status.health_of(Component::MessageBus), Level::Healthy);
        assert_eq!(texts(&status), ["the breaker of `press.work` is held open by hand"]);

        let unreadable = Issue::new(Component::Configuration, Level::Unhealthy, "no file", "write one");
        monitoring.add_check(Component::Configuration, move |_| vec![unreadable.clone()]);
        let status = monitoring.status().await;
        assert_eq!(
            (status.overall_health, status.health_of(Component::Configuration)),
            (Level::Unhealthy, Level::Unhealthy)
        );
        let shown = serde_json::to_value(&status).unwrap();
        assert_eq!(shown["Issues"][0], "no file", "the worst first");
        assert_eq!(shown["Recommendations"][0], "write one");
        assert_eq!(shown["Issues"].as_array().unwrap().len(), shown["Recommendations"].as_array().unwrap().len());
        assert!(status.issues.iter().all(|issue| !issue.recommendation.is_empty()));
        t.shutdown().await;
    });
}

/// F-CB-12: a module whose restarts were too many stays open, and there is an issue about it until it is back.
#[test]
fn a_module_that_has_given_up_is_an_issue() {
    TestSystem::run(async |t| {
        let system = t.system();
        let monitoring = system.monitoring();
        let weak = t.spawn(adder(1).backoff(Backoff::none()).intensity(2, 3600 * SECOND).reset(60 * SECOND));
        let _weak = Manifest::<Adder>::new("weak", "1.0.0").operation::<Boom>("boom").register(&weak).await.unwrap();
        let (_strong, _registration) = found(system, "1.0.0", 2).await;
        for faults in 1..=3 {
            assert_eq!(monitoring.status().await.overall_health, Level::Healthy, "before fault {faults}");
            system.call("weak.boom", json!({})).ignore_breaker().await.unwrap_err();
            t.settle().await;
        }
        let status = monitoring.status().await;
        assert_eq!((status.overall_health, status.issues.len()), (Level::Degraded, 1), "the other one goes on");
        let issue = &status.issues[0];
        assert!(issue.text.starts_with("module `weak` has given up after 3 faults: "), "{}", issue.text);
        assert!(issue.text.contains("boom") && issue.component == Component::ApiRegistry, "{}", issue.text);
        assert_eq!(monitoring.health().breakers["weak"].instances[0].state, BreakerState::Open);
        assert_eq!(monitoring.metrics().open_breakers, ["weak"]);
        weak.breaker().reset();
        t.settle().await;
        assert_eq!(monitoring.status().await.overall_health, Level::Healthy);
        t.shutdown().await;
    });
}

/// F-CB-12: so is an actor that is no module and keeps failing.
#[test]
fn an_actor_that_has_given_up_is_an_issue() {
    TestSystem::run(async |t| {
        let monitoring = t.system().monitoring();
        let worker = t.spawn(adder(1).backoff(Backoff::none()).intensity(0, 3600 * SECOND).reset(60 * SECOND));
        assert_eq!(monitoring.status().await.overall_health, Level::Healthy);
        worker.ask(Boom {}).await.unwrap_err();
        t.settle().await;
        let status = monitoring.status().await;
        assert_eq!((status.overall_health, status.issues.len()), (Level::Degraded, 1));
        let issue = &status.issues[0];
        assert!(issue.text.starts_with("actor `adder-1` has given up after its first fault: "), "{}", issue.text);
        assert!(issue.text.contains("boom") && issue.component == Component::MessageBus, "{}", issue.text);
        worker.breaker().reset();
        t.settle().await;
        worker.breaker().force_open();
        t.settle().await;
        let held = monitoring.status().await.issues.remove(0);
        assert_eq!(held.recommendation, "give the breaker back to its rules", "{}", held.text);
        worker.breaker().automatic();
        t.settle().await;
        assert_eq!(monitoring.status().await.overall_health, Level::Healthy);
        t.shutdown().await;
    });
}

/// Where no module takes calls any more the registry cannot do its work.
#[test]
fn modules_none_of_which_serves_are_unhealthy_together() {
    TestSystem::run(async |t| {
        let (_adder, registration) = found(t.system(), "1.0.0", 1).await;
        registration.set_health(Health::Unhealthy("the disk is full".to_owned())).await.unwrap();
        let status = t.system().monitoring().status().await;
        assert_eq!(status.overall_health, Level::Unhealthy);
        assert_eq!(
            texts(&status),
            ["none of the 1 instances of modules takes calls", "module `adder`: the disk is full"]
        );
        t.shutdown().await;
    });
}

/// F-MET-11: a module that answers no probe and is held up by one message is unhealthy within two periods of 5 s, and well
/// again when it moves.
#[test]
fn a_module_that_is_held_up_is_seen() {
    TestSystem::run(async |t| {
        let monitoring = t.system().monitoring();
        let (adder, _registration) = found(t.system(), "1.0.0", 1).await;
        adder.tell(Rest { seconds: 12 }).await.unwrap();
        let alone = || monitoring.health().breakers["adder"].instances[0].health.clone();
        t.advance(Duration::from_millis(100)).await;
        adder.tell(Add { amount: 1 }).await.unwrap();
        t.advance(10 * SECOND).await;
        assert_eq!(alone().as_str(), "unhealthy");
        let status = monitoring.status().await;
        assert_eq!(texts(&status), ["module `adder`: it has one message in hand for long, and others wait"]);
        t.advance(7 * SECOND).await;
        assert_eq!(alone(), Health::Healthy);
        t.shutdown().await;
    });
}

/// F-MET-11: so is a channel one of whose subscribers handles nothing, and the other subscribers go on.
#[test]
fn a_channel_that_is_held_up_is_seen() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        let monitoring = system.monitoring();
        for name in ["c", "other"] {
            system.channel(name).create().await.unwrap();
        }
        let (slow, quick) = (t.spawn(child("slow", heard.listener())), t.spawn(child("quick", heard.listener())));
        let _slow = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        let _quick = system.subscribe("*", quick.recipient()).on_channel("c").await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        t.settle().await;
        for _ in 0..3 {
            system.publish("a", Value::Null).channel("c").await.unwrap();
        }
        t.advance(Duration::from_millis(10_100)).await;
        let health = |name: &str| monitoring.channel(name).unwrap().health;
        assert_eq!(health("c"), Health::Unhealthy("`slow` handles nothing, and messages wait for it".to_owned()));
        assert_eq!((health("other"), heard.take().len()), (Health::Healthy, 3));
        let status = monitoring.status().await;
        assert_eq!(texts(&status), ["channel `c`: `slow` handles nothing, and messages wait for it"]);
        let stuck = &monitoring.health().queues.stuck;
        assert_eq!((stuck.len(), stuck[0].owner.as_str(), stuck[0].channel.as_deref()), (1, "slow", Some("c")));
        drop(go);
        t.advance(5 * SECOND).await;
        assert_eq!(health("c"), Health::Healthy);
        t.shutdown().await;
    });
}

/// F-MET-09: breakers of each module, queues with rates, dead letters, the store of events, and the cache of discovery.
#[test]
fn health_has_five_sections() {
    TestSystem::run(async |t| {
        let (system, script) = (t.system(), Script::default());
        let monitoring = system.monitoring();
        let _press = press(t, &script, CallSettings::new()).await;
        system.channel("c").create().await.unwrap();
        let slow = t.spawn(child("slow", Heard::default().listener()));
        let _slow = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        t.settle().await;
        let shown = serde_json::to_value(monitoring.health()).unwrap();
        assert_eq!(shown["queues"]["processed_per_second"], Json::Null, "nobody knows yet");
        for _ in 0..2 {
            assert!(!system.modules().discover(&DiscoveryQuery::default(), &Permissions::default()).found.is_empty());
            t.advance(SECOND).await;
            for _ in 0..3 {
                work(t).await.unwrap();
            }
            system.publish("a", Value::Null).channel("c").ttl(SECOND / 2).await.unwrap();
            t.advance(2 * SECOND).await;
        }
        let health = monitoring.health();
        let shown = serde_json::to_value(&health).unwrap();
        let sections: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
        assert_eq!(sections, ["breakers", "dead_letters", "discovery", "event_store", "queues"]);
        let press = &shown["breakers"]["press"];
        assert_eq!(
            (&press["instances"][0]["state"], &press["operations"]["work"]),
            (&json!("closed"), &json!("closed"))
        );
        // The first waits in the mailbox, in the hand of the channel, the second was swept.
        assert_eq!(health.queues.by_priority.total(), 1);
        let rates = (health.queues.processed_per_second.unwrap(), health.queues.sent_per_second.unwrap());
        assert!(rates.0 > 0.9 && rates.0 < rates.1 && rates.1 < 2.0, "{rates:?}");
        assert_eq!((health.dead_letters.total, health.dead_letters.last.len()), (1, 1));
        assert_eq!(shown["dead_letters"]["by_reason"], json!({ "expired": 1 }));
        let (last, shown_last) = (&health.dead_letters.last[0], &shown["dead_letters"]["last"][0]);
        assert_eq!(
            (&shown_last["actor"], &shown_last["at"]),
            (&json!("slow"), &json!(show_moment(UNIX_EPOCH + last.at))),
            "the moment is written as that of every letter"
        );
        let store = &health.event_store;
        assert_eq!((store.store, store.events, store.capacity), ("memory", 2, 1_000));
        assert!(store.appended_per_second.unwrap() > 0.2);
        assert_eq!((health.discovery.hit_rate, shown["discovery"]["cache"]["misses"].clone()), (Some(0.5), json!(1)));
        drop(go);
        t.shutdown().await;
    });
}

/// F-DLQ-04: letters are in the health report by reason, with the age of the oldest, and are an issue when there are too many.
#[test]
fn too_many_dead_letters_are_an_issue() {
    TestSystem::run(async |t| {
        let (system, monitoring) = (t.system(), t.system().monitoring());
        let (_adder, _registration) = found(system, "1.0.0", 1).await;
        let letters = system.dead_letter_queue();
        letters.set_bounds(LetterBounds::default().alarming(2));
        let lose = || system.modules().send(&"adder.gone".parse().unwrap(), Boom {}).unwrap_err();
        lose();
        assert_eq!(monitoring.status().await.overall_health, Level::Healthy);
        t.advance(3 * SECOND).await;
        lose();
        let kept = monitoring.health().dead_letters.kept;
        assert_eq!(
            (kept.letters, kept.by_reason[&LetterReason::Undeliverable], kept.oldest_age),
            (2, 2, Some(3 * SECOND))
        );
        let status = monitoring.status().await;
        assert_eq!(status.health_of(Component::MessageBus), Level::Degraded);
        assert_eq!(texts(&status), ["2 dead letters, most of them undeliverable"]);
        assert_eq!(status.issues[0].recommendation, LetterReason::Undeliverable.advice());
        letters.purge(&LetterFilter::default()).unwrap();
        assert_eq!(monitoring.status().await.overall_health, Level::Healthy);
        t.shutdown().await;
    });
}
