//! Triggers: one run for each event.

use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_bus::{Event, EventsExt, Value};
use callboard_workflow::run::RunState;
use callboard_workflow::workflows::Memory;
use serde_json::json;

use crate::workshop::{read, step, workshop};

const COPY: &str = "- {step_id: a, handler: work.do, input_mapping: {name: {value: a}, reply: batch}}\n";

fn text(id: &str, topic: &str) -> String {
    format!("workflow_id: {id}\nversion: 1.0.0\ntrigger_events: [{topic}]\nsteps:\n{COPY}")
}

/// F-WF-04, F-EVT-14
#[test]
fn an_event_starts_one_run_of_each_workflow_that_it_triggers() {
    workshop(2, async |shop| {
        shop.register(&text("one", "data.batch.received")).await;
        shop.register(&text("two", "data.batch.received")).await;
        shop.register(&text("three", "data.batch.sent")).await;
        let data = Value::from(json!({ "batch": { "rows": 3 } }));
        let receipt = shop.t.system().publish("data.batch.received", data.clone()).await.unwrap();
        shop.t.settle().await;
        for workflow in ["one", "two"] {
            let run = shop.workflows.run_of_event(workflow, receipt.id).await.unwrap();
            assert_eq!(*run.input(), data);
            let report = run.ended().await;
            assert_eq!(
                (report.state(), report.output_of("a")),
                (RunState::Completed, Some(&json!({ "rows": 3 }).into()))
            );
        }
        let none = shop.workflows.run_of_event("three", receipt.id).await.unwrap_err();
        assert_eq!(none.code(), ErrorCode::UnknownExecution);
        assert_eq!(shop.workflows.totals().await.unwrap().started, 2);
        let keys = shop.book.keys();
        assert_ne!(keys[0], keys[1], "two workflows do not share the keys of their calls");
    });
}

/// F-WF-04
#[test]
fn an_event_that_comes_twice_starts_nothing_more() {
    workshop(1, async |shop| {
        shop.register(&text("w", "data.batch.received")).await;
        let id = shop.t.system().events().fresh_id();
        let publish = || shop.t.system().publish("data.batch.received", Value::from(json!({ "batch": {} }))).id(id);
        for pause in [0, 0, 5000] {
            publish().await.unwrap();
            shop.t.advance(Duration::from_millis(pause)).await;
        }
        shop.workflows.run_of_event("w", id).await.unwrap().ended().await;
        publish().await.unwrap();
        shop.t.settle().await;
        assert_eq!(shop.book.calls("a"), 1);
        assert_eq!(shop.workflows.totals().await.unwrap().started, 1);
    });
}

/// F-WF-04
#[test]
fn the_newest_version_is_triggered() {
    workshop(1, async |shop| {
        let version = |version: &str| read(&text("w", "data.batch.received").replace("1.0.0", version));
        shop.workflows.register(version("1.0.0")).await.unwrap();
        shop.workflows.register(version("1.1.0")).await.unwrap();
        let receipt =
            shop.t.system().publish("data.batch.received", Value::from(json!({ "batch": {} }))).await.unwrap();
        shop.t.settle().await;
        let run = shop.workflows.run_of_event("w", receipt.id).await.unwrap();
        assert_eq!(run.version().to_string(), "1.1.0");
        assert_eq!(shop.workflows.totals().await.unwrap().started, 1);
    });
}

#[test]
fn whoever_has_subscribed_is_told_what_happens_in_runs() {
    workshop(1, async |shop| {
        let probe = shop.t.probe::<Event>();
        let subscription = shop.t.system().subscribe("$workflow.>", probe.recipient()).await.unwrap();
        shop.register(&format!("steps:\n{}", step("a", "wait_ms: {value: 10}", ""))).await;
        let run = shop.start("w").await;
        run.ended().await;
        shop.t.settle().await;
        let events = probe.take();
        let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
        let (steps, runs): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.starts_with("$workflow.step."));
        assert_eq!(steps, ["$workflow.step.running", "$workflow.step.succeeded"]);
        assert_eq!(runs, ["$workflow.run.running", "$workflow.run.completed"]);
        let said = |event: &Event, key: &str| event.data.get(&key.parse().unwrap()).cloned();
        let name = Value::from(run.id().to_string());
        assert!(events.iter().all(|event| said(event, "run_id").as_ref() == Some(&name)));
        assert_eq!(said(&events[1], "task"), Some(Value::from("a")));
        subscription.unsubscribe().await;
        shop.start("w").await.ended().await;
        shop.t.settle().await;
        assert!(probe.take().is_empty());
    });
}

#[test]
fn names_of_ended_runs_are_kept_for_longer_than_the_runs() {
    workshop(1, async |shop| {
        shop.workflows.remember(Memory { names: 3, reports: 1 });
        shop.register(&format!("steps:\n{}", step("a", "", ""))).await;
        let start = |id: &str| shop.workflows.start("w", Value::from(json!({}))).id(id);
        for id in ["1", "2", "3", "4"] {
            start(id).await.unwrap().ended().await;
        }
        assert_eq!(shop.workflows.list().await.unwrap().iter().map(|run| &*run.run_id).collect::<Vec<_>>(), ["4"]);
        let forgotten = start("3").await.unwrap_err();
        assert_eq!(forgotten.to_string(), "run `3` of workflow `w` has ended as completed, and no more is known of it");
        start("1").await.unwrap().ended().await;
        assert_eq!(shop.book.calls("a"), 5, "the first name was forgotten, so it starts another run");
    });
}
