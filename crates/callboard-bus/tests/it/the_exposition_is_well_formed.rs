//! F-MET-13: the text format of Prometheus is kept, whatever names have in them; Prometheus' own checker and the page on metrics
//! agree with it.

use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{BreakerRules, Trip, Window};
use callboard_bus::monitoring::{WorkflowCounts, WorkflowSource};
use callboard_bus::{
    CallSettings, Event, EventsExt, Manifest, ModulesExt, Monitoring, MonitoringExt, Operation, Registration,
    Subscription, Value,
};
use proptest::prelude::*;

use crate::prometheus_text::{Exposed, exposed, text};
use crate::trouble::{self, DAY, Script, Turn, Work};

/// One of three runs goes on, and one has failed.
pub(crate) struct Three;

impl WorkflowSource for Three {
    fn counts(&self) -> WorkflowCounts {
        WorkflowCounts { started: 3, active: 1, failed: 1 }
    }
}

/// Names that have to be escaped.
const CHANNEL: &str = r#"c"\n\"#;
const MODULE: &str = r#"\"press\""#;

/// A system that has something of everything.
struct Busy {
    _press: Registration,
    _subscriptions: Vec<Subscription>,
}

async fn busy(t: &TestSystem) -> Busy {
    let (system, script, probe) = (t.system(), Script::default(), t.probe::<Event>());
    Monitoring::set_workflows(system, Three);
    system.channel(CHANNEL).create().await.unwrap();
    let on_channel = system.subscribe("*", probe.recipient()).on_channel(CHANNEL).await.unwrap();
    let filtered = system.subscribe("*", probe.recipient()).filter(|_| panic!("it was to panic")).await.unwrap();
    system.publish("a", Value::Null).channel(CHANNEL).await.unwrap();
    system.publish("b", Value::Null).await.unwrap();
    let window = Window::Count(10);
    let failures = Trip::Rate { percent: 100, window, minimum: 10 };
    let slow = Trip::Slow { longer_than: DAY, percent: 100, window, minimum: 10 };
    let settings = CallSettings::new().breaker(BreakerRules::tripping_on([failures, slow]));
    let work = Operation::fallible::<Work, _, _>("wo\"rk").settings(settings);
    let press = t.spawn(trouble::actor(&script));
    let _press = Manifest::new(MODULE, "1.0.0").offer(work).register(&press).await.unwrap();
    for turn in [Turn::Well, Turn::Wrong, Turn::Long(Duration::from_millis(1))] {
        script.next(turn, 1);
        let _ = system.call(&format!("{MODULE}.wo\"rk"), 1).await;
    }
    system.modules().send(&"nobody.work".parse().unwrap(), Work(1)).unwrap_err();
    t.settle().await;
    Busy { _press, _subscriptions: vec![on_channel, filtered] }
}

/// F-MET-13: whatever names have in them, the text is read as it was meant, and is the same for the same figures.
#[test]
fn a_busy_system_is_read_as_it_was_meant() {
    TestSystem::run(async |t| {
        let _busy = busy(t).await;
        let metrics = t.system().monitoring().metrics();
        let text = metrics.exposition().to_string();
        assert_eq!(text, metrics.clone().exposition().to_string());
        let read = Exposed::read(&text);
        let operation = format!("{MODULE}.wo\"rk");
        let labels = [("module", MODULE), ("operation", &operation), ("outcome", "succeeded")];
        assert_eq!(read.value("callboard_api_calls_total", &labels), Some(2.0));
        let labels = [("channel", CHANNEL), ("module", ""), ("priority", "normal")];
        assert_eq!(read.value("callboard_queue_depth", &labels), Some(0.0));
        let communication = metrics.communication();
        assert_eq!(read.value("callboard_messages_sent_total", &[]), Some(communication.messages_sent as f64));
        assert_eq!(
            read.value("callboard_messages_processed_total", &[]),
            Some(communication.messages_processed as f64)
        );
        assert_eq!(read.value("callboard_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
        assert_eq!(read.value("callboard_uptime_seconds", &[]), Some(t.now().as_secs_f64()));
        t.shutdown().await;
    });
}

/// F-MET-13: the page lists each name with its type and its labels, and no other; a system has them in the order of the page.
#[test]
fn the_page_lists_what_is_exposed() {
    let page = include_str!("../../../../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `callboard_"));
    let rows: Vec<(&str, &str, BTreeSet<&str>)> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`'), cells[2], cells[3].split('`').skip(1).step_by(2).collect())
        })
        .collect();
    TestSystem::run(async |t| {
        let _busy = busy(t).await;
        let read = exposed(t);
        let found: Vec<_> =
            read.families.iter().map(|family| (&*family.name, &*family.kind, of_owner(family.labels()))).collect();
        assert_eq!(found, rows);
        t.shutdown().await;
    });
}

/// Without the label that is that of a bucket.
fn of_owner(mut labels: BTreeSet<&str>) -> BTreeSet<&str> {
    labels.remove("le");
    labels
}

/// F-MET-13: Prometheus' own checker takes it, and has nothing to say to it.
#[test]
fn promtool_has_nothing_to_say() {
    let text = TestSystem::run(async |t| {
        let _busy = busy(t).await;
        let text = text(t);
        t.shutdown().await;
        text
    });
    match promtool() {
        Some(promtool) => assert_eq!(said(promtool, &text), "", "{text}"),
        None => println!("promtool is not installed, so it was not asked"),
    }
}

/// That of `CALLBOARD_PROMTOOL`, which `.ci/run` sets and which has to be there, or else the one that is installed, if it is.
fn promtool() -> Option<Child> {
    let told = env::var_os("CALLBOARD_PROMTOOL");
    let mut promtool = Command::new(told.as_deref().unwrap_or("promtool".as_ref()));
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match promtool.spawn() {
        Ok(promtool) => Some(promtool),
        Err(fault) if told.is_some() => panic!("CALLBOARD_PROMTOOL is {told:?}: {fault}"),
        Err(_) => None,
    }
}

/// What it says of a text: nothing where all is well.
fn said(mut promtool: Child, text: &str) -> String {
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = promtool.wait_with_output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    if status.success() { said } else { format!("{status}: {said}") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// F-MET-13: every name that a channel may have comes back.
    #[test]
    fn any_name_comes_back(names in prop::collection::btree_set(r#"(\PC|[\\"n{},=]){1,12}"#, 1..10)) {
        TestSystem::run(async |t| {
            let mut made = BTreeSet::new();
            for name in names {
                if t.system().channel(&name).create().await.is_ok() {
                    made.insert(name);
                }
            }
            let read = exposed(t);
            let depths = read.family("callboard_queue_depth").unwrap();
            let channels = depths.series.iter().map(|series| series.labels["channel"].clone());
            assert_eq!(channels.filter(|channel| !channel.is_empty()).collect::<BTreeSet<_>>(), made);
            t.shutdown().await;
        });
    }
}
