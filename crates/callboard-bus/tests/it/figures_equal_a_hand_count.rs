//! F-MET-01, F-MET-02, F-MET-05, F-MET-06, F-MET-07, F-BUS-12: what the metrics say is what has happened, in both views.

use std::time::{Duration, UNIX_EPOCH};

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, Priority};
use callboard_bus::dead_letter_queue::LetterReason;
use callboard_bus::monitoring::{TopBy, WorkflowCounts, WorkflowSource};
use callboard_bus::{
    CallSettings, DeadLetterQueueExt, Event, EventsExt, Manifest, ModulesExt, Monitoring, MonitoringExt, Object,
    OperationsExt, Value,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::module_kit::{Add, Adder, adder};
use crate::trouble::{Script, Turn, press, work};

const MILLISECOND: Duration = Duration::from_millis(1);

fn json(view: &impl serde::Serialize) -> Json {
    serde_json::to_value(view).unwrap()
}

/// F-MET-01, F-MET-02: before the first call there is no rate, and that is `null`.
#[test]
fn without_calls_there_are_no_rates() {
    TestSystem::run(async |t| {
        let metrics = t.system().monitoring().metrics();
        let communication = json(&metrics.communication());
        assert_eq!(
            communication,
            json!({
                "messages_sent": 0, "messages_processed": 0, "events_published": 0, "workflows_started": 0,
                "success_rate": null, "average_processing_time_ms": null, "active_workflows": 0,
                "circuit_breakers_open": []
            })
        );
        let performance = json(&metrics.performance());
        assert_eq!(performance["MessageBus"]["TotalChannels"], 0);
        assert_eq!(performance["API"]["TotalAPIs"], 0);
        assert_eq!(performance["API"]["SuccessRate"], Json::Null);
        assert_eq!(performance["Performance"]["AverageAPIExecutionTime"], Json::Null);
        t.shutdown().await;
    });
}

/// Two workflows, one of which still runs.
struct Two;

impl WorkflowSource for Two {
    fn counts(&self) -> WorkflowCounts {
        WorkflowCounts { started: 2, active: 1, failed: 0 }
    }
}

/// F-MET-01, F-MET-02: 6 calls, of which 3 go well and 2 fail, one after 8 ms; 1 is refused by the breaker. 1 message by name,
/// 3 events, of which one has two subscribers, one none, and one does not get through a filter. Both views agree.
#[test]
fn a_scripted_run_is_counted() {
    TestSystem::run(async |t| {
        let (system, script) = (t.system(), Script::default());
        Monitoring::set_workflows(system, Two);
        let _press = press(t, &script, CallSettings::new()).await;
        let probes = [t.probe::<Event>(), t.probe::<Event>()];
        system.channel("c").create().await.unwrap();
        let _all = system.subscribe("a", probes[0].recipient()).await.unwrap();
        let _one = system.subscribe("*", probes[1].recipient()).filter(|event| event.data.is_null()).await.unwrap();
        system.publish("a", Value::Null).await.unwrap();
        system.publish("b", 1).await.unwrap();
        system.publish("b", Value::Null).channel("c").await.unwrap();

        for turn in [Turn::Well, Turn::Long(2 * MILLISECOND), Turn::Wrong, Turn::Long(8 * MILLISECOND), Turn::Busy] {
            script.next(turn, 1);
            let _ = work(t).await;
        }
        system.operations().set_breaker_mode("press.work", callboard_actor::BreakerMode::ForcedOpen).unwrap();
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::CircuitOpen);
        assert_eq!(system.call("press.wrok", 1).await.unwrap_err().code(), ErrorCode::UnknownOperation);
        system.modules().send(&"press.other".parse().unwrap(), crate::trouble::Work(1)).unwrap();
        t.settle().await;

        let metrics = system.monitoring().metrics();
        assert_eq!((metrics.calls.begun, metrics.calls.rejected, metrics.misdirected_calls), (5, 1, 1));
        // 5 calls, 1 by name, 2 deliveries.
        let communication = json(&metrics.communication());
        assert_eq!(
            communication,
            json!({
                "messages_sent": 8, "messages_processed": 6, "events_published": 3, "workflows_started": 2,
                "success_rate": 0.6, "average_processing_time_ms": 2.0, "active_workflows": 1,
                "circuit_breakers_open": ["press.work"]
            })
        );
        let performance = json(&metrics.performance());
        assert_eq!(performance["MessageBus"]["TotalChannels"], 1);
        assert_eq!(performance["API"]["TotalAPIs"], 2);
        assert_eq!(performance["API"]["SuccessRate"], 60.0);
        assert_eq!(performance["Performance"]["AverageAPIExecutionTime"], 2.0);
        t.shutdown().await;
    });
}

/// F-MET-01: what an operation has counted stays counted when its module has gone.
#[test]
fn what_is_gone_stays_counted() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let press = press(t, &script, CallSettings::new()).await;
        work(t).await.unwrap();
        press.unregister().await.unwrap();
        t.settle().await;
        let metrics = t.system().monitoring().metrics();
        assert_eq!((metrics.calls.begun, metrics.operations.len(), metrics.success_rate()), (1, 0, Some(1.0)));
        t.shutdown().await;
    });
}

/// F-MET-05: sorted by count, by time or by errors.
#[test]
fn the_top_operations_are_sorted_as_wanted() {
    TestSystem::run(async |t| {
        let (system, script) = (t.system(), Script::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let _adder = Manifest::<Adder>::new("adder", "1.0.0")
            .operation::<Add>("add")
            .register(&t.spawn(adder(1)))
            .await
            .unwrap();
        for _ in 0..3 {
            system.call("adder.add", json!({ "amount": 1 })).await.unwrap();
        }
        script.next(Turn::Long(4 * MILLISECOND), 1);
        system.call("press.other", 1).await.unwrap();
        script.next(Turn::Wrong, 1);
        script.next(Turn::Long(MILLISECOND), 1);
        work(t).await.unwrap_err();
        work(t).await.unwrap();

        let metrics = system.monitoring().metrics();
        let top = |by| metrics.top_operations(by, 10).iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!(top(TopBy::Count), ["adder.add", "press.work", "press.other"]);
        assert_eq!(top(TopBy::Time), ["press.other", "press.work", "adder.add"]);
        assert_eq!(top(TopBy::Errors), ["press.work", "adder.add", "press.other"]);
        assert_eq!(metrics.top_operations(TopBy::Count, 1).len(), 1);
        let shown = json(&metrics.performance());
        assert_eq!(
            shown["API"]["TopAPIs"][1],
            json!({ "Name": "press.work", "CallCount": 2, "AverageExecutionTime": 0.5, "ErrorCount": 1 })
        );
        t.shutdown().await;
    });
}

/// F-MET-06: the last calls with when, how long and how they ended; those that failed alone if that is wanted.
#[test]
fn the_last_calls_are_remembered() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().no_breaker()).await;
        t.advance(MILLISECOND).await;
        let began = t.now();
        script.next(Turn::Long(3 * MILLISECOND), 1);
        work(t).await.unwrap();
        script.next(Turn::Wrong, 1);
        work(t).await.unwrap_err();

        let monitoring = t.system().monitoring();
        let calls = monitoring.recent_calls(10);
        assert_eq!(calls.iter().map(|call| call.is_success()).collect::<Vec<_>>(), [false, true], "the newest first");
        assert_eq!((calls[1].started, calls[1].took), (began, Some(3 * MILLISECOND)));
        let failed = monitoring.failed_calls(10);
        assert_eq!(failed, calls[..1]);
        let error = failed[0].error.as_ref().unwrap();
        assert_eq!((error.code, error.text.as_str()), (ErrorCode::HandlerFailed, "there is no such paper"));

        let metrics = monitoring.metrics();
        let shown = json(&metrics.performance())["API"]["RecentCalls"][1].clone();
        let keys: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["API", "Duration", "Error", "StartTime", "Success"]);
        assert_eq!(
            (&shown["API"], &shown["Duration"], &shown["Success"]),
            (&json!("press.work"), &json!(3.0), &json!(true))
        );
        let second = metrics.at.duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
        assert!(shown["StartTime"].as_str().is_some_and(|text| text.ends_with('Z')) && second > 19_000, "{shown}");

        script.next(Turn::Wrong, 1_500);
        for _ in 0..1_500 {
            work(t).await.unwrap_err();
        }
        assert_eq!(monitoring.recent_calls(usize::MAX).len(), 1_000, "no more are kept");
        assert_eq!(monitoring.failed_calls(7).len(), 7);
        t.shutdown().await;
    });
}

/// F-MET-07: indented JSON, whose keys are sorted all the way down, and the same for the same figures.
#[test]
fn as_json_they_are_stable() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        work(t).await.unwrap();
        t.advance(Duration::from_secs(3)).await;
        let metrics = t.system().monitoring().metrics_with_history();
        let texts = [metrics.to_string(), metrics.communication().to_string(), metrics.performance().to_string()];
        for text in texts {
            assert!(text.starts_with("{\n  \""), "{text}");
            let sorted = serde_json::from_str::<Json>(&text).unwrap();
            assert_eq!(text, serde_json::to_string_pretty(&sort(sorted)).unwrap());
        }
        assert_eq!(metrics.to_string(), metrics.clone().to_string());
        t.shutdown().await;
    });
}

/// The same with the keys of every object put in in their order.
fn sort(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(entries.into_iter().map(|(key, value)| (key, sort(value))).collect())
        }
        Json::Array(all) => Json::Array(all.into_iter().map(sort).collect()),
        other => other,
    }
}

/// What may be done with the bus.
#[derive(Clone, Debug)]
enum Action {
    Call(bool),
    Abandon,
    Misdirect,
    Send(bool),
    Publish(bool),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        any::<bool>().prop_map(Action::Call),
        Just(Action::Abandon),
        Just(Action::Misdirect),
        any::<bool>().prop_map(Action::Send),
        any::<bool>().prop_map(Action::Publish),
    ];
    prop::collection::vec(action, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// F-BUS-12: whatever is done moves a counter, and the sums of calls and of deliveries add up.
    #[test]
    fn every_action_moves_a_counter(actions in actions()) {
        TestSystem::run(async |t| {
            let (system, script) = (t.system(), Script::default());
            let _press = press(t, &script, CallSettings::new().no_breaker()).await;
            let probe = t.probe::<Event>();
            let _wanted = system.subscribe("a", probe.recipient()).await.unwrap();
            let monitoring = system.monitoring();
            let mut before = moved(&monitoring, system);
            for action in &actions {
                act(t, &script, action).await;
                t.settle().await;
                let after = moved(&monitoring, system);
                assert_eq!(after, before + 1, "{action:?}");
                before = after;
            }
            let metrics = monitoring.metrics();
            let calls = metrics.calls;
            let ended = calls.succeeded + calls.transient + calls.unknown + calls.permanent + calls.abandoned;
            assert_eq!((calls.begun, calls.in_flight), (ended, 0));
            assert!(metrics.events.adds_up() && metrics.messages_processed() <= metrics.messages_sent());
            t.shutdown().await;
        });
    }
}

/// What all actions together have moved.
fn moved(monitoring: &Monitoring, system: &callboard_actor::System) -> u64 {
    let metrics = monitoring.metrics();
    let letters = system.dead_letter_queue().counts();
    let undelivered = letters.added.get(&LetterReason::Undeliverable).copied().unwrap_or_default();
    metrics.calls.begun + metrics.misdirected_calls + metrics.sent_by_name + undelivered + metrics.events.published
}

async fn act(t: &TestSystem, script: &Script, action: &Action) {
    let system = t.system();
    // Of a call that nobody waited for something may be left.
    script.clear();
    match action {
        Action::Call(goes_well) => {
            script.next(if *goes_well { Turn::Well } else { Turn::Busy }, 1);
            assert_eq!(work(t).await.is_ok(), *goes_well);
        }
        Action::Abandon => {
            script.next(Turn::Long(MILLISECOND), 1);
            let call = std::pin::pin!(work(t));
            assert!(futures::poll!(call).is_pending());
        }
        Action::Misdirect => drop(system.call("press.wrok", 1).await.unwrap_err()),
        Action::Send(is_known) => {
            let address = if *is_known { "press.work" } else { "nobody.work" }.parse().unwrap();
            assert_eq!(system.modules().send(&address, crate::trouble::Work(1)).is_ok(), *is_known);
        }
        Action::Publish(is_wanted) => {
            let name = if *is_wanted { "a" } else { "b" };
            system.publish(name, Object::default()).priority(Priority::High).await.unwrap();
        }
    }
}
