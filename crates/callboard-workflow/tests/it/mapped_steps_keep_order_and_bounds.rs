//! Steps that are done once for every item of a list.

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::run::{Event, RunState, StepState, Task};
use serde_json::json;

use crate::driver::{Driver, Reply, Seen, read, value};

fn mapped(more: &str) -> callboard_workflow::definition::Definition {
    read(&format!(
        "steps:
- {{step_id: each, handler: m.f, map: {{over: list{more}}}, input_mapping: {{it: item, at: index, all: list}}}}
- {{step_id: next, handler: m.g, depends_on: [each], input_mapping: {{results: steps.each.output}}}}"
    ))
}

fn numbers(count: u32) -> Value {
    value(json!({ "list": (0..count).collect::<Vec<_>>() }))
}

/// The number in `each[7]`.
fn item(name: &str) -> Option<u64> {
    name.strip_prefix("each[")?.strip_suffix(']')?.parse().ok()
}

#[test]
fn a_thousand_items_ten_at_a_time_keep_their_order() {
    // The later an item, the sooner it ends.
    let reply = |name: &str, _: u32, _: &Value| Reply::Ok(2000 - item(name).unwrap_or(0), value(json!(item(name))));
    let driver = Driver::new(&mapped(", max_parallel: 10"), numbers(1000), reply).finish();
    assert_eq!(driver.run.state(), RunState::Completed);
    assert_eq!(driver.widest[&driver.task("each").step], 10);
    let results: Vec<_> = (0..1000).collect();
    let input = value(json!({ "results": results }));
    assert_eq!(driver.seen.last(), Some(&Seen::Call("next".to_owned(), 1, input)));
    assert_eq!(driver.seen.len(), 1001);
    assert_eq!(driver.run.item_count(driver.task("each").step), 1000);
}

#[test]
fn without_a_bound_all_begin_at_once_and_each_sees_its_item() {
    let reply = |_: &str, _: u32, input: &Value| Reply::Ok(5, input.clone());
    let driver = Driver::new(&mapped(""), value(json!({ "list": ["a", "b"] })), reply).finish();
    assert_eq!(driver.now.as_millis(), 10);
    let second = json!({ "all": ["a", "b"], "at": 1, "it": "b" });
    assert_eq!(driver.seen[1], Seen::Call("each[1]".to_owned(), 1, value(second)));
}

#[test]
fn an_empty_list_is_done_at_once() {
    let driver = Driver::new(&mapped(""), numbers(0), |_, _, _| Reply::Ok(1, Value::Null)).finish();
    assert_eq!(driver.calls(), ["next"]);
    assert_eq!(driver.run.output_of(driver.task("each")), Some(&value(json!([]))));
}

#[test]
fn what_is_no_list_fails_the_step() {
    let driver = Driver::new(&mapped(""), value(json!({ "list": "a" })), |_, _, _| unreachable!()).finish();
    let failure = driver.run.failure_of(driver.task("each")).unwrap();
    assert_eq!(&*failure.message, "step `each`: `map.over`: a string is no list");
    assert_eq!(driver.states(), "each failed, next skipped");
}

/// The items `fails` fail; how the step ends, and how many items began.
fn with_failures(more: &str, count: u32, fails: &[u64]) -> (StepState, usize, Option<Value>) {
    let reply = |name: &str, _: u32, _: &Value| match item(name) {
        Some(item) if fails.contains(&item) => Reply::Fail(1, FailureClass::Permanent),
        _ => Reply::Ok(1, value(json!(true))),
    };
    let driver = Driver::new(&mapped(more), numbers(count), reply).finish();
    let began = driver.calls().iter().filter(|name| item(name).is_some()).count();
    (driver.state("each"), began, driver.run.output_of(driver.task("each")).cloned())
}

#[test]
fn so_many_failed_items_fail_the_step() {
    let one = ", max_parallel: 1";
    assert_eq!(with_failures(one, 10, &[2]), (StepState::Failed, 3, Some(Value::Null)));
    let two = ", max_parallel: 1, fail_after: 2";
    let outputs = value(json!([true, true, null, true]));
    assert_eq!(with_failures(two, 4, &[2]), (StepState::Succeeded, 4, Some(outputs)));
    assert_eq!(with_failures(two, 10, &[2, 4]).0, StepState::Failed);
    assert_eq!(with_failures(two, 10, &[2, 4]).1, 5);
    // Of 11 items, 20 % are more than two.
    let share = ", max_parallel: 1, fail_after: 20%";
    assert_eq!(with_failures(share, 11, &[0, 1]).0, StepState::Succeeded);
    assert_eq!(with_failures(share, 11, &[0, 1, 2]).1, 3);
    let all = ", fail_after: 100%";
    assert_eq!(with_failures(all, 3, &[0, 1]).0, StepState::Succeeded);
    assert_eq!(with_failures(all, 3, &[0, 1, 2]).0, StepState::Failed);
}

/// The others are told to stop, and the step ends when they have.
#[test]
fn a_failed_step_stops_its_other_items() {
    let reply = |name: &str, _: u32, _: &Value| match item(name) {
        Some(3) => Reply::Fail(5, FailureClass::Permanent),
        _ => Reply::Never,
    };
    let driver = Driver::new(&mapped(""), numbers(5), reply).finish();
    assert_eq!(driver.run.state(), RunState::Failed);
    let step = driver.task("each").step;
    let state = |item| driver.run.task_state(Task { step, item: Some(item) }).unwrap();
    assert_eq!(driver.run.key_of(Task { step, item: Some(3) }).as_deref(), Some("w#run#each[3]"));
    assert_eq!([0, 3, 4].map(state), [StepState::Cancelled, StepState::Failed, StepState::Cancelled]);
    let message = driver.run.failure_of(step.into()).unwrap().message.to_string();
    assert_eq!(message, "each[3]: it did not work");
}

/// Items that cannot be given their input fail one by one, without a call and without using up the stack.
#[test]
fn many_items_without_input_overflow_nothing() {
    let definition = read(
        "steps:
- {step_id: each, handler: m.f, map: {over: list, fail_after: 100%}, input_mapping: {it: item.gone}}",
    );
    let driver = Driver::new(&definition, numbers(100_000), |_, _, _| unreachable!()).finish();
    assert_eq!(driver.state("each"), StepState::Failed);
}

/// A retry of the step does only the items again that did not succeed.
#[test]
fn a_retry_does_only_what_failed() {
    let reply = |name: &str, attempt: u32, _: &Value| match item(name) {
        Some(1 | 2) if attempt == 1 => Reply::Fail(1, FailureClass::Permanent),
        _ => Reply::Ok(1, value(json!(attempt))),
    };
    let mut driver = Driver::new(&mapped(", fail_after: 2"), numbers(4), reply);
    driver.until(100);
    assert_eq!(driver.states(), "each failed, next skipped");
    let step = driver.task("each").step;
    driver.apply(Event::RetryRequested { step });
    let driver = driver.finish();
    assert_eq!(driver.run.state(), RunState::Completed);
    assert_eq!(driver.run.output_of(step.into()), Some(&value(json!([1, 2, 2, 1]))));
    assert_eq!(driver.finished, [RunState::Failed, RunState::Completed]);
}

/// A pause lets the items that run end, and begins none.
#[test]
fn a_pause_holds_the_items_that_have_not_begun() {
    let reply = |_: &str, _: u32, _: &Value| Reply::Ok(10, Value::Null);
    let mut driver = Driver::new(&mapped(", max_parallel: 2"), numbers(6), reply);
    driver.until(15);
    driver.apply(Event::PauseRequested);
    driver.until(100);
    assert_eq!(driver.calls().len(), 4);
    driver.apply(Event::Resumed);
    let driver = driver.finish();
    assert_eq!((driver.calls().len(), driver.run.state()), (7, RunState::Completed));
    assert_eq!(driver.widest[&driver.task("each").step], 2);
}
