//! Which step waits for what, and since when (F-WF-08).

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::progress::{RunProgress, RunSummary, TaskProgress, Wait};
use callboard_workflow::run::{Event, StepState, Task};
use serde_json::json;

use crate::driver::{Driver, Reply, read, value};

const STEPS: &str = "steps:
- {step_id: done, handler: m.f}
- {step_id: stuck, handler: lab.run@^1, depends_on: [done]}
- {step_id: again, handler: m.f, retry: {initial_delay: 5s, jitter: none}}
- {step_id: each, handler: m.f, map: {over: list, max_parallel: 1}}
- {step_id: behind, handler: m.f, depends_on: [done, stuck, each]}";

fn reply(name: &str, _: u32, _: &Value) -> Reply {
    match name {
        "stuck" | "each[1]" => Reply::Never,
        "again" => Reply::Fail(3, FailureClass::Transient),
        _ => Reply::Ok(2, Value::Null),
    }
}

/// F-WF-08
#[test]
fn every_step_says_what_it_waits_for_and_since_when() {
    let mut driver = Driver::new(&read(STEPS), value(json!({ "list": [1, 2, 3] })), reply);
    driver.until(100);
    let progress = RunProgress::of(&driver.run);
    let waits: Vec<_> =
        progress.progress.iter().map(|task| (task.task.as_str(), task.since_ms, task.waits_for.clone())).collect();
    let step = |ids: &[&str]| Wait::Steps(ids.iter().map(ToString::to_string).collect());
    assert_eq!(
        waits,
        [
            ("done", 2, None),
            ("stuck", 2, Some(Wait::Reply("lab.run".to_owned()))),
            ("again", 3, Some(Wait::NextAttempt)),
            ("each", 0, Some(Wait::Items)),
            ("behind", 0, Some(step(&["stuck", "each"]))),
        ]
    );
    assert_eq!(
        progress.holdups().iter().map(|task| task.task.as_str()).collect::<Vec<_>>(),
        ["each", "stuck", "again"]
    );
    let item = |item| TaskProgress::of(&driver.run, Task { step: driver.task("each").step, item: Some(item) });
    assert_eq!(item(1).unwrap().waits_for, Some(Wait::Reply("m.f".to_owned())));
    assert_eq!((item(2).unwrap().task, item(2).unwrap().waits_for), ("each[2]".to_owned(), Some(Wait::Turn)));
    assert_eq!(item(3), None);
}

#[test]
fn a_summary_is_plain_data() {
    let mut driver = Driver::new(&read(&format!("timeout: 1m\n{STEPS}")), value(json!({ "list": [1, 2] })), reply);
    driver.until(100);
    driver.apply(Event::PauseRequested);
    let counts = json!({
        "total": 5, "waiting": 1, "active": 3, "succeeded": 1, "failed": 0, "skipped": 0, "cancelled": 0, "compensated": 0
    });
    assert_eq!(
        serde_json::to_value(RunSummary::of(&driver.run)).unwrap(),
        json!({
            "run_id": "run", "workflow_id": "w", "version": "1.0.0", "state": "paused",
            "started_ms": 0, "changed_ms": 100, "deadline_ms": 60_000, "steps": counts,
        })
    );
    let again = TaskProgress::of(&driver.run, driver.task("again")).unwrap();
    assert_eq!(
        serde_json::to_value(again).unwrap(),
        json!({
            "task": "again", "state": "retrying", "since_ms": 3, "waits_for": { "for": "next_attempt" }, "attempt": 1,
            "code": "handler_failed", "message": "it did not work",
        })
    );
    assert_eq!(driver.state("each"), StepState::Running);
}

/// No run that is not over is without a reason that says so: at each moment something is waited for that is no step.
#[test]
fn a_run_that_is_not_over_has_a_holdup() {
    let mut driver = Driver::new(&read(&format!("timeout: 1m\n{STEPS}")), value(json!({ "list": [1, 2] })), reply);
    while driver.finished.is_empty() {
        assert!(!RunProgress::of(&driver.run).holdups().is_empty(), "{}", driver.states());
        assert!(driver.step());
    }
    assert!(RunProgress::of(&driver.run).holdups().is_empty());
}
