//! What steps are given and what becomes of what they reply (F-WF-05, F-WF-10).

use callboard_workflow::definition::Definition;
use callboard_workflow::run::RunState;
use serde_json::json;

use crate::a_file_and_a_builder_make_the_same::PIPELINE;
use crate::driver::{Driver, Reply, Seen, read, value};

/// F-WF-05, F-WF-10: `validated_data` and `processed_data` come out of the replies.
#[test]
fn the_specifications_pipeline_hands_its_data_on() {
    let pipeline = Definition::read(PIPELINE).unwrap();
    let reply = |name: &str, _: u32, _: &_| {
        Reply::Ok(
            1,
            value(match name {
                "validate" => json!({ "validated_data": [1, 2] }),
                "process" => json!({ "processed_data": { "sum": 3 }, "status": "ok" }),
                _ => json!("stored"),
            }),
        )
    };
    let driver = Driver::new(&pipeline, value(json!({ "batch_data": "raw" })), reply).finish();
    let call = |name: &str, input| Seen::Call(name.to_owned(), 1, value(input));
    assert_eq!(
        driver.seen,
        [
            call("validate", json!({ "data": "raw" })),
            call("process", json!({ "data": [1, 2] })),
            call("store", json!({ "data": { "sum": 3 } })),
        ]
    );
    let all = json!({ "batch_data": "raw", "validated_data": [1, 2], "processed_data": { "sum": 3 }, "status": "ok" });
    assert_eq!(driver.run.context(), value(all));
    assert_eq!(driver.run.output_of(driver.task("store")), Some(&value(json!("stored"))));
}

/// F-WF-05
#[test]
fn a_missing_source_fails_the_step_before_its_handler_is_called() {
    let definition = read("steps:\n- {step_id: a, handler: m.f, input_mapping: {data: batch.rows}}");
    let driver = Driver::new(&definition, value(json!({ "batch": {} })), |_, _, _| unreachable!()).finish();
    assert_eq!(driver.run.state(), RunState::Failed);
    let failure = driver.run.failure_of(driver.task("a")).unwrap();
    assert_eq!(failure.code, "validation_failed");
    assert_eq!(&*failure.message, "step `a`: input `data` has no source: the context has nothing at `batch.rows`");
}

/// F-WF-05: pointers, constants, results by step, results that are no objects, results by another name.
#[test]
fn every_kind_of_source_is_found() {
    let definition = read(
        "steps:
- {step_id: a, handler: m.f, output_mapping: {first: 'list[0]'}}
- {step_id: b.c, handler: m.f}
- step_id: d
  handler: m.f
  depends_on: [a, b.c]
  input_mapping:
    pointer: /deep/0/x
    mapped: first
    plain: 'steps[\"b.c\"].output'
    state: steps.a.state
    whole: steps.a.output
    constant: {value: [1]}",
    );
    let reply = |name: &str, _: u32, _: &_| {
        Reply::Ok(1, value(if name == "a" { json!({ "list": [7], "deep": 0 }) } else { json!(42) }))
    };
    let driver = Driver::new(&definition, value(json!({ "deep": [{ "x": true }] })), reply).finish();
    let input = json!({
        "constant": [1], "mapped": 7, "plain": 42, "pointer": true, "state": "succeeded",
        "whole": { "list": [7], "deep": 0 },
    });
    assert_eq!(driver.seen.last(), Some(&Seen::Call("d".to_owned(), 1, value(input))), "{}", driver.states());
}

/// Only ancestors are seen, the later over the earlier, whoever was quicker.
#[test]
fn what_a_step_sees_does_not_hang_on_who_was_quicker() {
    let definition = read(
        "steps:
- {step_id: a, handler: m.f}
- {step_id: b, handler: m.f, depends_on: [a]}
- {step_id: stranger, handler: m.f}
- {step_id: late, handler: m.f, depends_on: [b], input_mapping: {x: x}}
- {step_id: apart, handler: m.f, input_mapping: {x: x}, depends_on: [stranger]}",
    );
    for slow in ["a", "b", "stranger"] {
        let reply =
            |name: &str, _: u32, _: &_| Reply::Ok(if name == slow { 50 } else { 1 }, value(json!({ "x": name })));
        let driver = Driver::new(&definition, value(json!({ "x": "input" })), reply).finish();
        assert!(driver.seen.contains(&Seen::Call("late".to_owned(), 1, value(json!({ "x": "b" })))));
        assert!(driver.seen.contains(&Seen::Call("apart".to_owned(), 1, value(json!({ "x": "stranger" })))));
    }
}

/// A reply that lacks what its mapping names fails the step.
#[test]
fn a_reply_without_what_is_mapped_fails() {
    let definition = read("steps:\n- {step_id: a, handler: m.f, output_mapping: {x: result.x}}");
    let driver = Driver::new(&definition, value(json!(3)), |_, _, _| Reply::Ok(1, value(json!({})))).finish();
    let message = &driver.run.failure_of(driver.task("a")).unwrap().message;
    assert_eq!(&**message, "step `a`: output `x` has no source: the reply has nothing at `result.x`");
    assert_eq!(driver.run.context(), value(json!({ "input": 3 })));
}

/// A condition that compares what cannot be compared fails its step and says where.
#[test]
fn a_condition_that_cannot_be_decided_fails_the_step() {
    let definition = read("steps:\n- {step_id: a, handler: m.f, when: x > 3}");
    let driver = Driver::new(&definition, value(json!({ "x": "four" })), |_, _, _| unreachable!()).finish();
    let failure = driver.run.failure_of(driver.task("a")).unwrap();
    assert!(failure.message.starts_with("step `a`: `when`: "), "{}", failure.message);
    assert_eq!(failure.code, "validation_failed");
}
