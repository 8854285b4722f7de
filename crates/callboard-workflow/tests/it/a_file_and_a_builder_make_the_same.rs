//! One model, two faces (F-WF-01).

use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::RetryPolicy;
use callboard_workflow::definition::{CompensationBuilder, Definition, FailAfter, Join, StepBuilder};

/// The pipeline of the specification.
pub(crate) const PIPELINE: &str = "
workflow_id: data_processing_pipeline
name: Data Processing Pipeline
description: Complete data processing workflow
version: 1.0.0
trigger_events: [data.batch.received]
steps:
  - step_id: validate
    name: Validate Data
    handler: validator_module.validate_data
    input_mapping: {data: batch_data}
  - step_id: process
    name: Process Data
    handler: processor_module.process_data
    depends_on: [validate]
    input_mapping: {data: validated_data}
  - step_id: store
    name: Store Results
    handler: storage_module.store_data
    depends_on: [process]
    input_mapping: {data: processed_data}
";

const EVERYTHING: &str = r#"
workflow_id: everything
version: 2.3.4-rc.1
timeout: 1h
limits: {lab.run: 2, stock.take: 10}
steps:
  - step_id: first
    handler: stock.take@^1.2
    input_mapping:
      what: order.items[0].name
      pointer: /order/0
      much: {value: {of: [1, 2.5, null]}}
      nothing: {value: null}
    output_mapping: {taken: $, price: price.net}
    timeout: 500ms
    retry: {max_retries: 5, initial_delay: 2s, factor: 1.5, max_delay: 1m, jitter: none}
    compensate:
      handler: stock.give
      input_mapping: {what: output.taken}
      timeout: 3
      retry: {}
  - step_id: second
    handler: lab.run
    depends_on: [first]
    when: taken.count > 0 and not (price in [1, 2])
    map: {over: taken.list, max_parallel: 3, fail_after: 20%}
    priority: high
    compensate: lab.clean
  - {step_id: third, handler: lab.run, depends_on: [first, second], join: any}
  - {step_id: fourth, handler: lab.run, depends_on: [first, second], join: 2}
  - {step_id: fifth, handler: lab.run, depends_on: [fourth], join: all_done, when: true}
"#;

fn everything() -> Definition {
    let retry = RetryPolicy::builder().max_retries(5).initial_delay(Duration::from_secs(2)).factor(1.5);
    let retry = retry.max_delay(Duration::from_secs(60)).jitter(callboard_bus::retry::Jitter::None);
    let give = CompensationBuilder::new("stock.give").input("what", "output.taken");
    let give = give.timeout(Duration::from_secs(3)).retry(RetryPolicy::default());
    let first = StepBuilder::new("first", "stock.take@^1.2")
        .input("what", "order.items[0].name")
        .input("pointer", "/order/0")
        .constant("much", serde_json::json!({ "of": [1, 2.5, null] }))
        .constant("nothing", serde_json::Value::Null)
        .output("taken", "$")
        .output("price", "price.net")
        .timeout(Duration::from_millis(500))
        .retry(retry.build().unwrap())
        .compensate(give);
    let second = StepBuilder::new("second", "lab.run")
        .after(["first"])
        .when("taken.count > 0 and not (price in [1, 2])")
        .map("taken.list")
        .max_parallel(3)
        .fail_after(FailAfter::Percent(20.try_into().unwrap()))
        .priority(Priority::High)
        .compensate(CompensationBuilder::new("lab.clean"));
    let both = ["first", "second"];
    Definition::builder("everything")
        .version("2.3.4-rc.1")
        .timeout(Duration::from_secs(3600))
        .limit("lab.run", 2)
        .limit("stock.take", 10)
        .step(first)
        .step(second)
        .step(StepBuilder::new("third", "lab.run").after(both).join(Join::Any))
        .step(StepBuilder::new("fourth", "lab.run").after(both).join(Join::AtLeast(2.try_into().unwrap())))
        .step(StepBuilder::new("fifth", "lab.run").after(["fourth"]).join(Join::AllDone).when("true"))
        .build()
        .unwrap()
}

/// F-WF-01
#[test]
fn the_specifications_pipeline_is_read_as_written() {
    let pipeline = Definition::read(PIPELINE).unwrap();
    let step = |id: &str, name: &str, handler: &str| StepBuilder::new(id, handler).name(name);
    let built = Definition::builder("data_processing_pipeline")
        .name("Data Processing Pipeline")
        .description("Complete data processing workflow")
        .trigger_event("data.batch.received")
        .step(step("validate", "Validate Data", "validator_module.validate_data").input("data", "batch_data"))
        .step(
            step("process", "Process Data", "processor_module.process_data")
                .after(["validate"])
                .input("data", "validated_data"),
        )
        .step(
            step("store", "Store Results", "storage_module.store_data")
                .after(["process"])
                .input("data", "processed_data"),
        );
    assert_eq!(pipeline, built.build().unwrap());
    assert_eq!(pipeline.version().to_string(), "1.0.0");
    assert_eq!(pipeline.trigger_events(), ["data.batch.received"]);
}

/// F-WF-01
#[test]
fn every_field_is_the_same_from_both_faces() {
    let read = Definition::read(EVERYTHING).unwrap();
    assert_eq!(read, everything());
    assert_ne!(read, Definition::read(PIPELINE).unwrap());
}

/// F-WF-01: as YAML and as JSON.
#[test]
fn what_is_written_is_read_back() {
    for definition in [everything(), Definition::read(PIPELINE).unwrap()] {
        let text = serde_json::to_string_pretty(&definition.to_json()).unwrap();
        assert_eq!(Definition::read(&text).unwrap(), definition);
        assert_eq!(Definition::read(&text.replace("  ", "\t")).unwrap(), definition);
    }
}

/// The rules are those of the file, without places.
#[test]
fn a_builder_names_the_same_faults() {
    let faults = Definition::builder("w")
        .step(StepBuilder::new("a", "m.f").after(["b"]).max_parallel(0))
        .step(StepBuilder::new("b", "f").after(["a"]))
        .build()
        .unwrap_err();
    let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "`max_parallel` of step `a` is 0 and must be at least 1",
            "the handler of step `b` is `f`, without a dot between module and operation",
            "steps wait for each other: a → b → a",
        ]
    );
    assert_eq!(faults.code(), "workflow_invalid");
    assert_eq!(Definition::builder("w").build().unwrap_err().to_string(), "the workflow has no steps");
}

/// Large definitions are made, larger ones refused, and those full of faults refused soon.
#[test]
fn size_is_bounded() {
    let many = |count: usize, parent: &str| {
        let steps =
            (0..count).map(|step| StepBuilder::new(format!("s{step}"), "m.f").after((step > 0).then_some(parent)));
        steps.fold(Definition::builder("w"), callboard_workflow::definition::DefinitionBuilder::step).build()
    };
    assert_eq!(many(20_000, "s0").unwrap().graph().levels().len(), 2);
    assert_eq!(many(20_001, "s0").unwrap_err().to_string(), "the workflow has 20001 steps and may have 20000");
    assert_eq!(many(20_000, "x0").unwrap_err().iter().count(), 19_999);
}
