//! Who has subscribed gets what is published from then on: once, as it was, and no handler is waited for.

use std::time::{Duration, UNIX_EPOCH};

use callboard_actor::testing::{Probe, TestSystem};
use callboard_actor::{ErrorCode, Priority, child};
use callboard_bus::{Event, EventsExt, Object, PublishError, SubscribeError, TopicError, Value};

use crate::listener::{Heard, Hold};

fn names(probe: &Probe<Event>) -> Vec<String> {
    probe.take().into_iter().map(|event| event.name.to_string()).collect()
}

/// F-BUS-02.
#[test]
fn each_of_many_gets_it_once_and_none_has_run_before_publish_returns() {
    TestSystem::run(async |t| {
        let probes: Vec<_> = (0..50).map(|_| t.probe::<Event>()).collect();
        let mut subscriptions = Vec::new();
        for probe in &probes {
            subscriptions.push(t.system().subscribe("data.batch.received", probe.recipient()).await.unwrap());
        }
        let receipt = t.system().publish("data.batch.received", Value::from("rows")).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (50, 0));
        assert!(probes.iter().all(|probe| probe.take().is_empty()), "publish waited for a handler");
        t.settle().await;
        for probe in &probes {
            let got = probe.take();
            assert_eq!(got.iter().map(|event| event.id).collect::<Vec<_>>(), [receipt.id]);
        }
        t.shutdown().await;
    });
}

/// F-BUS-02.
#[test]
fn an_event_for_nobody_is_published_too() {
    TestSystem::run(async |t| {
        let receipt = t.system().publish("nobody.listens", Value::Null).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (0, 0));
        t.shutdown().await;
    });
}

/// F-BUS-02: a subscriber that joins later does not get it.
#[test]
fn who_comes_later_gets_what_comes_later() {
    TestSystem::run(async |t| {
        let probe = t.probe();
        t.system().publish("order.first", Value::Null).await.unwrap();
        let _subscription = t.system().subscribe("order.*", probe.recipient()).await.unwrap();
        t.system().publish("order.second", Value::Null).await.unwrap();
        t.settle().await;
        assert_eq!(names(&probe), ["order.second"]);
        t.shutdown().await;
    });
}

/// F-EVT-02, F-EVT-03.
#[test]
fn names_and_patterns_are_told_apart() {
    TestSystem::run(async |t| {
        let (exact, glob, token, tail) = (t.probe(), t.probe(), t.probe(), t.probe());
        let mut subscriptions = Vec::new();
        for (pattern, probe) in
            [("LabStepStarted", &exact), ("LabStep*", &glob), ("orders.*", &token), ("orders.>", &tail)]
        {
            subscriptions.push(t.system().subscribe(pattern, probe.recipient()).await.unwrap());
        }
        for name in ["LabStepStarted", "LabStepFailed", "LabSte", "XLabStep", "orders", "orders.eu", "orders.eu.paris"]
        {
            t.system().publish(name, Value::Null).await.unwrap();
        }
        t.settle().await;
        assert_eq!(names(&exact), ["LabStepStarted"]);
        assert_eq!(names(&glob), ["LabStepStarted", "LabStepFailed"]);
        assert_eq!(names(&token), ["orders.eu"]);
        assert_eq!(names(&tail), ["orders.eu", "orders.eu.paris"]);
        t.shutdown().await;
    });
}

#[test]
fn an_actor_gets_it_once_per_subscription() {
    TestSystem::run(async |t| {
        let probe = t.probe();
        let _one = t.system().subscribe("a.*", probe.recipient()).await.unwrap();
        let _two = t.system().subscribe("*.b", probe.recipient()).await.unwrap();
        assert_eq!(t.system().publish("a.b", Value::Null).await.unwrap().delivered, 2);
        t.settle().await;
        assert_eq!(names(&probe), ["a.b", "a.b"]);
        t.shutdown().await;
    });
}

/// F-EVT-01, F-EVT-12: name, data, time, source and id; the time is that of the system's clock.
#[test]
fn an_event_is_seen_as_it_was_published() {
    TestSystem::run(async |t| {
        let probe = t.probe();
        let _subscription = t.system().subscribe(">", probe.recipient()).await.unwrap();
        let data = Value::from(Object::from([("rows", 3)]));
        let first = t.system().publish("data.received", data.clone()).await.unwrap();
        t.advance(Duration::from_secs(3600)).await;
        let second = t.system().publish("data.received", data.clone()).await.unwrap();
        let (one, two): (Event, Event) = (probe.next().await, probe.next().await);
        assert_eq!((one.id, one.name.as_str(), &one.data, &*one.source), (first.id, "data.received", &data, "system"));
        assert!(first.id < second.id && two.id == second.id);
        assert_eq!(two.time.duration_since(one.time).unwrap(), Duration::from_secs(3600));
        // The first 48 bits of a UUID of version 7 are milliseconds since the epoch.
        let text = two.id.to_string().replace('-', "");
        let millis = u64::from_str_radix(&text[..12], 16).unwrap();
        assert_eq!(u128::from(millis), two.time.duration_since(UNIX_EPOCH).unwrap().as_millis());
        t.shutdown().await;
    });
}

#[test]
fn ids_of_a_system_increase() {
    TestSystem::run(async |t| {
        let mut ids = Vec::new();
        for _ in 0..1_000 {
            ids.push(t.system().publish("tick", Value::Null).await.unwrap().id);
        }
        assert!(ids.is_sorted_by(|one, other| one < other));
        t.shutdown().await;
    });
}

/// F-EVT-01, F-EVT-03.
#[test]
fn a_bad_name_is_refused_and_says_why() {
    TestSystem::run(async |t| {
        for name in ["", "a..b", "LabStep*", "orders.>", "a b", "$sys.mine"] {
            let refused = t.system().publish(name, Value::Null).await.expect_err(name);
            assert_eq!(refused.code(), ErrorCode::InvalidName, "{name}");
        }
        let wildcard = t.system().publish("orders.*", Value::Null).await.unwrap_err();
        assert_eq!(wildcard, PublishError::InvalidName(TopicError::Wildcard { text: "orders.*".into(), at: 7 }));
        let reserved = t.system().publish("$sys.mine", Value::Null).await.unwrap_err();
        assert_eq!(reserved.to_string(), "\"$sys.mine\" is reserved for the system: begin the name without `$`");
        for pattern in ["", "a..b", "a.>.b", "a.**"] {
            let refused = t.system().subscribe(pattern, t.probe().recipient()).await.expect_err(pattern);
            assert!(matches!(refused, SubscribeError::InvalidPattern(_)), "{pattern}");
            assert_eq!(refused.code(), ErrorCode::InvalidName);
        }
        assert_eq!(t.system().events().subscriptions(), 0);
        t.shutdown().await;
    });
}

#[test]
fn layers_publish_under_the_names_of_the_system() {
    TestSystem::run(async |t| {
        let (everything, system) = (t.probe(), t.probe());
        let _all = t.system().subscribe(">", everything.recipient()).await.unwrap();
        let _own = t.system().subscribe("$sys.>", system.recipient()).await.unwrap();
        let name = "$sys.registry.changed".parse().unwrap();
        assert_eq!(t.system().events().publish(name, Value::Null).await.unwrap().delivered, 1);
        t.settle().await;
        assert_eq!((names(&everything).len(), names(&system).len()), (0, 1));
        t.shutdown().await;
    });
}

#[test]
fn an_event_may_be_repeated_under_its_id() {
    TestSystem::run(async |t| {
        let probe = t.probe();
        let _subscription = t.system().subscribe("a", probe.recipient()).await.unwrap();
        let id = t.system().events().fresh_id();
        for _ in 0..2 {
            assert_eq!(t.system().publish("a", Value::Null).id(id).await.unwrap().id, id);
        }
        t.settle().await;
        assert_eq!(probe.take().into_iter().map(|event| event.id).collect::<Vec<_>>(), [id, id]);
        t.shutdown().await;
    });
}

#[test]
fn an_urgent_event_overtakes_and_others_keep_their_order() {
    TestSystem::run(async |t| {
        let heard = Heard::default();
        let listener = t.spawn(child("listener", heard.listener()));
        let _subscription = t.system().subscribe("*", listener.recipient()).await.unwrap();
        let (go, held) = tokio::sync::oneshot::channel();
        listener.tell(Hold(held)).await.unwrap();
        t.settle().await;
        for name in ["one", "two"] {
            t.system().publish(name, Value::Null).await.unwrap();
        }
        t.system().publish("urgent", Value::Null).priority(Priority::Critical).await.unwrap();
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["urgent", "one", "two"]);
        t.shutdown().await;
    });
}

#[test]
fn the_actor_behind_it_is_inspected() {
    TestSystem::run(async |t| {
        assert!(t.inspect().actor("events").is_none(), "it is started when first needed");
        let _ = t.system().events();
        t.settle().await;
        assert!(t.inspect().actor("events").is_some());
        t.shutdown().await;
    });
}
