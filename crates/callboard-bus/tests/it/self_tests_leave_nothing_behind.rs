//! F-TST-01, F-TST-02, F-TST-03, F-TST-04, F-TST-05: a running system tests itself, and nobody notices.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, child};
use callboard_bus::middleware::{Next, Request};
use callboard_bus::self_test::Load;
use callboard_bus::{CallSettings, Event, EventsExt, ModulesExt, MonitoringExt, OperationsExt, SelfTestExt, Value};
use serde_json::json;

use crate::listener::Heard;
use crate::module_kit::{SECOND, found};
use crate::trouble::{Script, Turn, press, work};

/// What somebody can see: actors, messages on channels, subscriptions, events that are remembered, what reached nobody, and
/// modules.
type Seen = (Vec<String>, usize, usize, usize, u64, u64, usize);

/// With the actors of the system there, which start when they are first needed.
async fn settled(t: &TestSystem) -> Seen {
    let _started = (t.system().monitoring(), t.system().events(), t.system().modules());
    t.settle().await;
    seen(t)
}

fn seen(t: &TestSystem) -> Seen {
    let (system, inspected) = (t.system(), t.inspect());
    let names = inspected.actors.iter().map(|actor| actor.name.clone()).collect();
    let (channels, events, modules) = (system.channels(), system.events(), system.modules().list().len());
    let subscriptions = events.list_subscriptions().len();
    let history = events.history().list().len();
    let (on_channels, lost) = (channels.list().len() + channels.queued(), inspected.dead_letters);
    (names, on_channels, subscriptions, history, lost, inspected.quarantined, modules)
}

/// F-TST-01: less than 5 s, on channels of its own; what is there before is there after and nothing else.
#[test]
fn a_basic_test_is_quick_and_tidy() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        let (_adder, _registration) = found(system, "1.0.0", 1).await;
        system.channel("real").create().await.unwrap();
        let listener = t.spawn(child("listener", heard.listener()));
        let _all = system.subscribe(">", listener.recipient()).await.unwrap();
        let _real = system.subscribe(">", listener.recipient()).on_channel("real").await.unwrap();
        system.publish("before", Value::Null).await.unwrap();
        let (before, began) = (settled(t).await, t.now());

        let report = system.self_test().basic().await;
        assert!(t.now() - began < 5 * SECOND);
        assert!(report.is_success() && report.pass_rate == 100.0, "{report}");
        let names: Vec<_> = report.tests.iter().map(|test| test.name).collect();
        assert_eq!(names, ["publish and subscribe", "priorities", "filters", "requests", "registry", "metrics"]);
        t.settle().await;
        assert_eq!(seen(t), before);
        assert_eq!(heard.take(), ["before"]);

        let shown = serde_json::to_value(&report).unwrap();
        let keys: Vec<_> = shown["Tests"][0].as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            (keys, &shown["PassRate"]),
            (["Details", "Duration", "Name", "Success"].map(str::to_owned).into(), &json!(100.0))
        );
        t.shutdown().await;
    });
}

/// A test that does not get through says why, in time.
#[test]
fn what_fails_is_told() {
    TestSystem::run(async |t| {
        t.system().channels().set_limit(0);
        let began = t.now();
        let report = t.system().self_test().basic().await;
        assert!(t.now() - began < 5 * SECOND);
        assert!(!report.is_success() && report.pass_rate < 100.0);
        assert!(report.tests[0].details.starts_with("busy: there is no room"), "{report}");
        assert!(report.tests[3].success, "what needs no channel goes well: {report}");
        t.settle().await;
        t.shutdown().await;
    });
}

/// F-TST-02: it takes as long as it is told to, with as many under way; nothing is lost and nothing comes twice.
#[test]
fn a_stress_test_takes_its_time() {
    TestSystem::run(async |t| {
        let (before, began) = (settled(t).await, t.now());
        let load = Load::new(30 * SECOND, 20).pause(Duration::from_millis(20));
        let report = t.system().self_test().stress(load).await.unwrap();
        let took = t.now() - began;
        assert!((29 * SECOND..=31 * SECOND).contains(&took), "{took:?}");
        let figures = report.stress.as_ref().unwrap();
        assert_eq!((figures.concurrency, figures.lost, figures.duplicated), (20, 0, 0));
        assert!((1_400..=1_520).contains(&figures.messages), "{figures}");
        assert!((46.0..51.0).contains(&figures.throughput) && figures.p50 <= figures.p99, "{figures}");
        assert!(report.is_success() && report.tests[0].details.contains("lost 0, duplicated 0"), "{report}");
        let shown = serde_json::to_value(&report).unwrap();
        assert_eq!((&shown["Stress"]["Lost"], &shown["Stress"]["Concurrency"]), (&json!(0), &json!(20)));
        t.settle().await;
        assert_eq!(seen(t), before);
        t.shutdown().await;
    });
}

/// F-TST-02: no time, or nothing under way, is an error of whoever asks.
#[test]
fn a_load_that_cannot_be_is_refused() {
    TestSystem::run(async |t| {
        let tests = t.system().self_test();
        for load in [Load::new(Duration::ZERO, 20), Load::new(SECOND, 0), Load::new(SECOND, 1_001)] {
            assert_eq!(tests.stress(load).await.unwrap_err().code(), ErrorCode::InvalidConfig);
            assert_eq!(tests.full(load).await.unwrap_err().code(), ErrorCode::InvalidConfig);
        }
        let refused = tests.stress(Load::new(SECOND, 0)).await.unwrap_err();
        assert_eq!(refused.to_string(), "a stress test has 1 to 1000 messages under way, not 0");
        t.shutdown().await;
    });
}

/// F-TST-03: basic, stress, security as far as there is one, overload and recovery.
#[test]
fn a_full_test_has_all_parts() {
    TestSystem::run(async |t| {
        let before = settled(t).await;
        let load = Load::new(SECOND, 5).pause(Duration::from_millis(10));
        let report = t.system().self_test().full(load).await.unwrap();
        assert!(report.is_success(), "{report}");
        let names: Vec<_> = report.tests.iter().map(|test| test.name).collect();
        let more = ["stress", "security: reserved names", "security: hostile payloads", "overload", "recovery"];
        assert_eq!(names[6..], more);
        t.settle().await;
        assert_eq!(seen(t), before);
        t.shutdown().await;
    });
}

/// F-TST-04: a message goes round on a channel that is there, beside its subscribers; one that is not there says so.
#[test]
fn a_channel_is_tested_without_its_subscribers() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        system.channel("Configuration").create().await.unwrap();
        let _all = system.subscribe(">", probe.recipient()).on_channel("Configuration").await.unwrap();
        let outcome = system.self_test().channel("Configuration", 10 * SECOND).await;
        assert!(outcome.success && outcome.errors.is_empty(), "{outcome:?}");
        let outcome = system.self_test().channel("Configuratoin", 10 * SECOND).await;
        assert_eq!((outcome.success, outcome.errors[0].code), (false, ErrorCode::UnknownChannel));
        let shown = serde_json::to_value(&outcome).unwrap();
        assert_eq!(shown["Success"], false);
        let told = shown["Errors"][0].as_str().unwrap();
        assert!(told.starts_with("unknown_channel: there is no channel \"Configuratoin\": create it"), "{told}");
        let outcome = system.self_test().channel("Configuration", Duration::ZERO).await;
        assert_eq!(outcome.errors[0].code, ErrorCode::InvalidConfig);
        t.settle().await;
        assert!(probe.take().is_empty());
        assert_eq!(system.events().list_subscriptions().len(), 1);
        t.shutdown().await;
    });
}

/// Keeps from a call what it says that it is no test.
async fn only_tests(request: Request, next: Next) -> Result<Value, callboard_bus::CallError> {
    if request.metadata.get("test") != Some(&Value::from(true)) {
        return Err(callboard_bus::CallError::refused(ErrorCode::PermissionDenied, "it is no test"));
    }
    next.run(request).await
}

/// F-TST-05: the operation is really called, and marked as a test; no figure knows it, and its breaker does not learn.
#[test]
fn an_operation_is_tested_and_not_counted() {
    TestSystem::run(async |t| {
        let (system, script) = (t.system(), Script::default());
        let _press = press(t, &script, CallSettings::new()).await;
        work(t).await.unwrap();
        system.operations().middleware("only tests").install(only_tests).unwrap();
        let (monitoring, tests) = (system.monitoring(), system.self_test());
        let before = monitoring.metrics();

        let outcome = tests.operation("press", "work", 7).await;
        assert_eq!((outcome.success, outcome.output, script.calls()), (true, Some(Value::from(7)), 2));
        script.next(Turn::Busy, 10);
        for _ in 0..10 {
            let outcome = tests.operation("press", "work", 7).await;
            assert_eq!((outcome.success, outcome.errors[0].code), (false, ErrorCode::HandlerFailed));
        }
        assert_eq!(tests.operation("press", "wrok", 7).await.errors[0].code, ErrorCode::UnknownOperation);
        assert_eq!(tests.operation("press", "work", "x").await.errors[0].code, ErrorCode::ValidationFailed);

        let after = monitoring.metrics();
        assert_eq!((after.calls, after.recent_calls), (before.calls, before.recent_calls));
        assert_eq!((after.operations, after.open_breakers), (before.operations, before.open_breakers));
        assert!(system.call("press.work", 1).await.is_err_and(|error| error.code() == ErrorCode::PermissionDenied));
        t.shutdown().await;
    });
}
