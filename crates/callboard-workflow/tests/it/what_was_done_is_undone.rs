//! Compensation: in reverse order, side by side where the graph allows, never silently given up.

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::run::{Event, RunState, StepState, Undo};
use serde_json::json;

use crate::driver::{Driver, Reply, Seen, failing, read, value};

const DIAMOND: &str = "steps:
- {step_id: a, handler: m.f, input_mapping: {x: x}, compensate: m.undo}
- {step_id: b, handler: m.f, depends_on: [a], compensate: m.undo}
- {step_id: c, handler: m.f, depends_on: [a], compensate: m.undo}
- {step_id: d, handler: m.f, depends_on: [b, c], compensate: m.undo}
- {step_id: e, handler: m.f, depends_on: [d]}";

fn input() -> Value {
    value(json!({ "x": 1 }))
}

/// F-WF-12
#[test]
fn a_failure_undoes_what_was_done_in_reverse() {
    let driver = Driver::new(&read(DIAMOND), input(), failing(&["e"])).finish();
    assert_eq!(driver.calls(), ["a", "b", "c", "d", "e", "undo d", "undo c", "undo b", "undo a"]);
    assert_eq!(driver.finished, [RunState::Failed]);
    assert_eq!(driver.states(), "a compensated, b compensated, c compensated, d compensated, e failed");
    let given = value(json!({ "input": { "x": 1 }, "output": {} }));
    assert_eq!(driver.seen.last(), Some(&Seen::Undo("a".to_owned(), 1, given)));
}

#[test]
fn branches_are_undone_side_by_side() {
    let reply = |name: &str, _: u32, _: &Value| match name {
        "e" => Reply::Fail(1, FailureClass::Permanent),
        name if name.starts_with("undo") => Reply::Ok(100, Value::Null),
        _ => Reply::Ok(1, Value::Null),
    };
    let driver = Driver::new(&read(DIAMOND), input(), reply).finish();
    assert_eq!(driver.now.as_millis(), 304);
}

#[test]
fn only_what_succeeded_is_undone() {
    let driver = Driver::new(&read(DIAMOND), input(), failing(&["b"])).finish();
    assert_eq!(driver.calls(), ["a", "b", "c", "undo c", "undo a"]);
    let driver = Driver::new(&read(DIAMOND), input(), failing(&["a"])).finish();
    assert_eq!((driver.calls(), driver.run.state()), (vec!["a".to_owned()], RunState::Failed));
}

/// A step that cannot be undone is tried again, keeps those before it from being undone, and is named.
#[test]
fn what_cannot_be_undone_ends_in_a_state_of_its_own() {
    let definition = read(&DIAMOND.replace(
        "b, handler: m.f, depends_on: [a], compensate: m.undo",
        "b, handler: m.f, depends_on: [a], compensate: {handler: m.undo, retry: {max_retries: 2, jitter: none}}",
    ));
    let reply = |name: &str, _: u32, _: &Value| match name {
        "d" => Reply::Fail(1, FailureClass::Permanent),
        "undo b" => Reply::Fail(1, FailureClass::Transient),
        _ => Reply::Ok(1, Value::Null),
    };
    let mut driver = Driver::new(&definition, input(), reply);
    driver.until(60_000);
    assert_eq!(driver.calls(), ["a", "b", "c", "d", "undo c", "undo b", "undo b", "undo b"]);
    assert_eq!(driver.states(), "a succeeded, b compensation_failed, c compensated, d failed, e skipped");
    assert_eq!(driver.finished, [RunState::CompensationFailed]);
    assert_eq!(driver.run.failure_of(driver.task("b")).unwrap().code, "handler_failed");
}

/// A person looks, mends, and lets it be undone again.
#[test]
fn a_retry_takes_the_undoing_up_again() {
    let reply = |name: &str, attempt: u32, _: &Value| match name {
        "e" => Reply::Fail(1, FailureClass::Permanent),
        "undo d" if attempt == 1 => Reply::Fail(1, FailureClass::Permanent),
        _ => Reply::Ok(1, Value::Null),
    };
    let mut driver = Driver::new(&read(DIAMOND), input(), reply);
    driver.until(100);
    assert_eq!(driver.run.state(), RunState::CompensationFailed);
    let step = driver.task("d").step;
    driver.apply(Event::RetryRequested { step });
    let driver = driver.finish();
    assert_eq!(driver.finished, [RunState::CompensationFailed, RunState::Failed]);
    assert_eq!(driver.states(), "a compensated, b compensated, c compensated, d compensated, e failed");
}

#[test]
fn a_compensation_that_takes_too_long_is_tried_again() {
    let definition = read(
        "steps:
- {step_id: a, handler: m.f, compensate: {handler: m.g, timeout: 1s, retry: {max_retries: 1, initial_delay: 2s, jitter: none}}}
- {step_id: b, handler: m.f, depends_on: [a]}",
    );
    let reply = |name: &str, attempt: u32, _: &Value| match (name, attempt) {
        ("b", _) => Reply::Fail(1, FailureClass::Permanent),
        ("undo a", 1) => Reply::Never,
        _ => Reply::Ok(1, Value::Null),
    };
    let driver = Driver::new(&definition, input(), reply).finish();
    assert_eq!((driver.run.state(), driver.state("a")), (RunState::Failed, StepState::Compensated));
    assert_eq!(driver.calls(), ["a", "b", "undo a", "undo a"]);
}

/// Items of a mapped step are undone one by one, also those of a step that failed in the middle.
#[test]
fn the_items_that_succeeded_are_undone() {
    let definition = read(
        "steps:
- step_id: each
  handler: m.f
  map: {over: list, max_parallel: 1}
  input_mapping: {it: item}
  compensate: {handler: m.undo, input_mapping: {was: input.it, got: output, x: list}}",
    );
    let driver = Driver::new(&definition, value(json!({ "list": [5, 6, 7] })), failing(&["each[2]"])).finish();
    assert_eq!(driver.calls(), ["each[0]", "each[1]", "each[2]", "undo each[0]", "undo each[1]"]);
    let given = value(json!({ "got": {}, "was": 6, "x": [5, 6, 7] }));
    assert_eq!(driver.seen.last(), Some(&Seen::Undo("each[1]".to_owned(), 1, given)));
    assert_eq!((driver.state("each"), driver.run.state()), (StepState::Compensated, RunState::Failed));
}

/// F-WF-07, and the same for a cancelled run.
#[test]
fn a_late_or_cancelled_run_is_undone_too() {
    let slow = |name: &str, _: u32, _: &Value| if name == "d" { Reply::Never } else { Reply::Ok(1, Value::Null) };
    let driver = Driver::new(&read(&format!("timeout: 1s\n{DIAMOND}")), input(), slow).finish();
    assert_eq!(driver.finished, [RunState::TimedOut]);
    assert_eq!(driver.states(), "a compensated, b compensated, c compensated, d cancelled, e skipped");

    let cancel = |undo| Event::CancelRequested { reason: "enough".into(), undo };
    let mut driver = Driver::new(&read(DIAMOND), input(), slow);
    driver.later(50, cancel(Undo::Completed));
    let driver = driver.finish();
    assert_eq!(driver.finished, [RunState::Cancelled]);
    assert_eq!(driver.states(), "a compensated, b compensated, c compensated, d cancelled, e skipped");

    let mut driver = Driver::new(&read(DIAMOND), input(), slow);
    driver.later(50, cancel(Undo::Nothing));
    let driver = driver.finish();
    assert_eq!(driver.states(), "a succeeded, b succeeded, c succeeded, d cancelled, e skipped");
    assert_eq!(driver.run.reason().map(|reason| &**reason), Some("enough"));
}
