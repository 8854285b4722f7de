//! F-CB-13, F-CB-08: every change of a breaker is an event, a line in the log and a count; what somebody does by hand is written
//! down with the name of who did it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::{Probe, TestSystem};
use callboard_actor::{BreakerMode, BreakerRules, ErrorCode, Trip};
use callboard_bus::{
    AuditExt, AuditKind, AuditRecord, AuditSink, CallSettings, Event, EventsExt, ModulesExt, OperationsExt, Operator,
    Subscription, Value,
};
use serde_json::json;

use crate::log_lines::lines_of;
use crate::module_kit::found;
use crate::trouble::{DAY, Script, Turn, press, work};

const SECOND: Duration = Duration::from_secs(1);

/// The default rules, less what is random.
fn steady() -> CallSettings {
    CallSettings::new().breaker(BreakerRules::tripping_on([Trip::Consecutive(5)]).growing(2.0, DAY, 0.0))
}

/// Somebody who hears of all breakers.
async fn listening(t: &TestSystem) -> (Probe<Event>, Subscription) {
    let probe = t.probe::<Event>();
    let subscription = t.system().subscribe("$sys.breaker.>", probe.recipient()).await.unwrap();
    (probe, subscription)
}

fn names(probe: &Probe<Event>) -> Vec<String> {
    probe.take().into_iter().map(|event| event.name.to_string()).collect()
}

/// F-CB-13: it opens, lets a probe through, and closes: an event each, in this order, with all that is to be known.
#[test]
fn every_change_of_an_operation_is_an_event() {
    TestSystem::run(async |t| {
        let (probe, _subscription) = listening(t).await;
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 5);
        for _ in 0..5 {
            work(t).await.unwrap_err();
        }
        t.settle().await;
        let [opened] = &probe.take()[..] else { panic!("it opened once") };
        assert_eq!((opened.name.as_str(), &*opened.source), ("$sys.breaker.open", "system"));
        let data = json!({
            "operation": "press.work", "from": "closed", "to": "open", "retry_after_ms": 30_000, "by": null,
        });
        assert_eq!(opened.data, Value::from(data));
        t.advance(30 * SECOND).await;
        work(t).await.unwrap();
        t.settle().await;
        assert_eq!(names(&probe), ["$sys.breaker.half_open", "$sys.breaker.closed"]);
        let status = t.system().operations().status("press.work").unwrap();
        assert_eq!((status.transitions, t.system().operations().status("press.other").unwrap().transitions), (3, 0));
        assert_eq!(t.system().audit().total(), 0, "nobody did it by hand");
        t.shutdown().await;
    });
}

/// F-CB-13: that of a module's actor, which its supervisor opens; an actor that is no module's is nobody's business.
#[test]
fn every_change_of_a_module_is_an_event() {
    TestSystem::run(async |t| {
        let (probe, _subscription) = listening(t).await;
        let (adder, _registration) = found(t.system(), "1.0.0", 1).await;
        let plain = t.spawn(crate::module_kit::adder(2));
        t.settle().await;
        plain.breaker().force_open();
        adder.breaker().force_open();
        t.settle().await;
        let [forced] = &probe.take()[..] else { panic!("one of them is a module") };
        let data = json!({
            "module": "adder", "instance": "adder-1", "from": "closed", "to": "forced_open", "retry_after_ms": null,
            "by": null,
        });
        assert_eq!((forced.name.as_str(), &forced.data), ("$sys.breaker.forced_open", &Value::from(data)));
        adder.breaker().automatic();
        t.settle().await;
        for _ in 0..7 {
            let _ = t.system().call("adder.boom", json!({})).ignore_breaker().await;
            t.advance(Duration::from_millis(500)).await;
        }
        t.settle().await;
        let changes = probe.take();
        let of_module: Vec<_> =
            changes.iter().filter(|event| event.data.get(&"module".parse().unwrap()).is_some()).collect();
        let states: Vec<_> = of_module.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(states[..1], ["$sys.breaker.closed"], "{changes:?}");
        t.shutdown().await;
    });
}

/// Keeps what it is told.
#[derive(Default)]
struct Sink(Mutex<Vec<AuditRecord>>);

impl AuditSink for Sink {
    fn record(&self, record: &AuditRecord) {
        self.0.lock().unwrap().push(record.clone());
    }
}

/// F-CB-08, F-CB-13: what is done by hand is an event and a record with the name of who did it, even where it changes nothing;
/// what is unknown is neither.
#[test]
fn what_is_done_by_hand_is_written_down() {
    TestSystem::run(async |t| {
        let (probe, _subscription) = listening(t).await;
        let sink = Arc::<Sink>::default();
        t.system().audit().add_sink(Arc::clone(&sink) as _);
        let _press = press(t, &Script::default(), steady()).await;
        let ann = t.system().operations().by(&Operator::new("ann"));
        ann.set_breaker_mode("press.work", BreakerMode::ForcedOpen).unwrap();
        ann.reset_breaker("press.work").unwrap();
        t.system().operations().reset_breaker("press.work").unwrap();
        assert_eq!(ann.reset_breaker("press.wrok").unwrap_err().code(), ErrorCode::UnknownOperation);
        t.settle().await;
        let events = probe.take();
        let told: Vec<_> = events.iter().map(|event| (event.name.as_str(), by(event))).collect();
        let closed = "$sys.breaker.closed";
        assert_eq!(told, [("$sys.breaker.forced_open", "ann"), (closed, "ann"), (closed, "system")]);
        assert_eq!(t.system().operations().reset_all_breakers().unwrap(), 2);
        t.settle().await;
        assert_eq!(names(&probe), [closed, closed]);

        let records = t.system().audit().list();
        let acts: Vec<_> =
            records.iter().map(|record| (record.act.as_str(), record.target.as_str(), record.by.as_str())).collect();
        let by_system = ["press.other", "press.work"].map(|target| ("reset", target, "system"));
        assert_eq!(
            acts[..3],
            [("hold open", "press.work", "ann"), ("reset", "press.work", "ann"), ("reset", "press.work", "system")]
        );
        assert_eq!(acts[3..], by_system);
        assert!(records.iter().all(|record| record.kind == AuditKind::Breaker));
        assert_eq!((*sink.0.lock().unwrap()).clone(), records);
        t.shutdown().await;
    });
}

fn by(event: &Event) -> &str {
    event.data.get(&"by".parse().unwrap()).and_then(Value::as_str).unwrap_or_default()
}

/// F-CB-13: in the log, with the operation and the states.
#[test]
fn every_change_is_in_the_log() {
    let lines = lines_of(|| {
        TestSystem::run(async |t| {
            let script = Script::default();
            let _press = press(t, &script, steady()).await;
            script.next(Turn::Busy, 5);
            for _ in 0..5 {
                work(t).await.unwrap_err();
            }
            t.system().operations().by(&Operator::new("ann")).reset_breaker("press.work").unwrap();
            t.shutdown().await;
        });
    });
    let of_breaker: Vec<_> = lines.iter().filter(|line| line.contains("callboard::breaker")).collect();
    assert_eq!(of_breaker.len(), 2, "{lines:#?}");
    assert!(of_breaker[0].contains(r#"a breaker has changed of="press.work" from="closed" to="open""#), "{lines:#?}");
    assert!(of_breaker[1].contains(r#"to="closed" by="ann""#), "{lines:#?}");
    let audit = lines.iter().find(|line| line.contains("callboard::audit")).unwrap();
    assert!(audit.contains(r#"by="ann""#), "{audit}");
}

/// F-CB-13: the names are the system's own.
#[test]
fn nobody_else_tells_of_breakers() {
    TestSystem::run(async |t| {
        let (probe, _subscription) = listening(t).await;
        let refused = t.system().publish("$sys.breaker.open", Value::Null).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidName);
        t.settle().await;
        assert!(probe.take().is_empty());
        t.shutdown().await;
    });
}
