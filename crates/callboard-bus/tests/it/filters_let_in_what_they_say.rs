//! Types and filters: a subscription gets exactly what they accept.

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{Event, EventsExt, Object, SubscribeError, Value};

fn of(module: &str) -> Object {
    Object::from([("Module", module)])
}

/// F-BUS-11, F-BUS-17: the example of the specification, as an expression and as a closure, on a channel and without one.
#[test]
fn a_filter_lets_in_exactly_what_it_accepts() {
    TestSystem::run(async |t| {
        let system = t.system();
        system.channel("c").create().await.unwrap();
        for channel in [None, Some("c")] {
            let (by_text, by_closure) = (t.probe::<Event>(), t.probe::<Event>());
            let wanted = Value::from("LabRunner");
            let module = "Module".parse().unwrap();
            let mut subscriptions = vec![
                system.subscribe(">", by_text.recipient()).filter_expression("Data.Module == \"LabRunner\""),
                system
                    .subscribe(">", by_closure.recipient())
                    .filter(move |event| event.data.get(&module) == Some(&wanted)),
            ];
            if let Some(channel) = channel {
                subscriptions = subscriptions.into_iter().map(|one| one.on_channel(channel)).collect();
            }
            let mut made = Vec::new();
            for subscribing in subscriptions {
                made.push(subscribing.await.unwrap());
            }
            for module in ["LabRunner", "BackupManager", "LabRunner"] {
                let publish = system.publish("ConfigChanged", of(module));
                let receipt = match channel {
                    Some(channel) => publish.channel(channel).await.unwrap(),
                    None => publish.await.unwrap(),
                };
                let passes = module == "LabRunner";
                assert_eq!((receipt.delivered, receipt.filtered), if passes { (2, 0) } else { (0, 2) });
            }
            t.settle().await;
            for probe in [by_text, by_closure] {
                assert_eq!(
                    probe.take().into_iter().map(|event| event.data.clone()).collect::<Vec<_>>(),
                    [of("LabRunner").into(), Value::from(of("LabRunner"))]
                );
            }
            assert_eq!(made[0].info().filter.as_deref(), Some(r#"Data.Module == "LabRunner""#));
        }
        let counts = system.events().counts();
        assert_eq!((counts.filtered, counts.filter_errors), (4, 0));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-17: an expression sees all of an event.
#[test]
fn an_expression_sees_the_whole_event() {
    TestSystem::run(async |t| {
        let system = t.system();
        system.channel("c").create().await.unwrap();
        let conditions = [
            "name == 'order.made' and Name == name",
            "data.total > 3 and Data == data",
            "source == 'shop' and Source == source",
            "channel == 'c' and Channel == channel",
            "type == 'Made' and MessageType == type",
            "priority == 'normal' and Priority == priority",
            "len(id) == 36 and Id == id",
            "time > 0 and Timestamp == time",
            "len($) == 8",
            "nothing == null",
        ];
        let mut subscriptions = Vec::new();
        for condition in conditions {
            let subscribing = system.subscribe(">", t.probe().recipient()).on_channel("c");
            subscriptions.push(subscribing.filter_expression(condition).await.unwrap());
        }
        let publish = system.publish("order.made", Object::from([("total", 4)])).channel("c");
        let receipt = publish.message_type("Made").source("shop").await.unwrap();
        assert_eq!((receipt.delivered, receipt.filtered), (conditions.len(), 0));
        t.shutdown().await;
    });
}

/// F-BUS-11: a filter that panics or does not fit the event does not accept it, which is counted, and nobody else loses it.
#[test]
fn a_filter_that_fails_costs_nobody_else() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        let _panics = system.subscribe(">", probe.recipient()).filter(|_| panic!("it was to panic")).await.unwrap();
        let _errs = system.subscribe(">", probe.recipient()).filter_expression("data.total > 3").await.unwrap();
        let _fine = system.subscribe(">", probe.recipient()).await.unwrap();
        let receipt = system.publish("a", "no total").await.unwrap();
        assert_eq!((receipt.delivered, receipt.filtered), (1, 2));
        t.settle().await;
        assert_eq!(probe.take().len(), 1);
        let counts = system.events().counts();
        assert_eq!((counts.filter_errors, counts.filtered), (2, 2));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-17: a text that is no expression says where.
#[test]
fn a_bad_expression_is_refused_with_its_position() {
    TestSystem::run(async |t| {
        let subscribing = t.system().subscribe(">", t.probe().recipient()).filter_expression("data.total >");
        let fault = subscribing.await.unwrap_err();
        assert_eq!(fault.code(), ErrorCode::ValidationFailed);
        let SubscribeError::InvalidFilter(where_) = &fault else { panic!("{fault}") };
        assert_eq!(where_.at(), 12, "{fault}");
        assert!(fault.to_string().contains("at byte 12"), "{fault}");
        t.shutdown().await;
    });
}

/// F-BUS-16: without a type all of them; with one, events that are of no other type are of the type of their name.
#[test]
fn a_type_lets_in_its_own() {
    TestSystem::run(async |t| {
        let (system, all, some) = (t.system(), t.probe::<Event>(), t.probe::<Event>());
        system.channel("c").create().await.unwrap();
        let _all = system.subscribe(">", all.recipient()).on_channel("c").await.unwrap();
        let _some = system.subscribe(">", some.recipient()).on_channel("c").message_type("Changed").await.unwrap();
        for (name, message_type) in
            [("one", Some("Changed")), ("Changed", None), ("Changed", Some("Other")), ("other", None)]
        {
            let publish = system.publish(name, Value::Null).channel("c");
            match message_type {
                Some(given) => publish.message_type(given).await.unwrap(),
                None => publish.await.unwrap(),
            };
        }
        t.settle().await;
        assert_eq!(all.take().len(), 4);
        assert_eq!(some.take().iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["one", "Changed"]);
        t.shutdown().await;
    });
}
