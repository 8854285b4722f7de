//! Instances of WfFormat: small ones of our own, and those of a folder if `CALLBOARD_WFINSTANCES` names one.

use std::error::Error;

use callboard_bus::Value;
use callboard_workflow::run::RunState;
use callboard_workflow::wfformat::{TaskFault, WfFormatError, import};
use serde_json::{Value as Json, json};

use crate::driver::{Driver, fine};

fn instance(tasks: &Json) -> Json {
    let times = json!([{ "id": "split.1", "runtimeInSeconds": 2.5 }, { "id": "work/2", "runtimeInSeconds": 0 }]);
    json!({
        "name": "a small one", "schemaVersion": "1.5", "author": { "name": "nobody" },
        "workflow": { "specification": { "tasks": tasks, "files": [] }, "execution": { "makespanInSeconds": 3, "tasks": times } },
    })
}

fn task(id: &str, parents: &[&str], children: &[&str]) -> Json {
    json!({ "id": id, "name": "kind", "parents": parents, "children": children, "inputFiles": ["a/b"] })
}

fn faults(tasks: &Json) -> Vec<TaskFault> {
    match import(&instance(tasks).to_string(), 1.0) {
        Err(WfFormatError::Tasks(faults)) => faults,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tasks_become_steps_that_sleep() {
    let tasks = json!([
        task("split.1", &[], &["work/2", "work:3"]),
        task("work/2", &["split.1"], &[]),
        task("work:3", &["split.1"], &[]),
        task("alone", &[], &[]),
    ]);
    let definition = import(&instance(&tasks).to_string(), 2.0).unwrap();
    assert_eq!(definition.workflow_id().as_ref(), "a-small-one");
    assert_eq!((definition.name(), definition.steps().len()), ("a small one", 4));
    let step = &definition.steps()[0];
    assert_eq!((&*step.step_id, step.name.as_str(), &**step.handler.name()), ("split.1", "kind", "sim.sleep"));
    let driver = Driver::new(&definition, Value::Null, fine).finish();
    assert_eq!(driver.run.state(), RunState::Completed);
    let slept: Vec<_> = driver.seen.iter().map(|seen| format!("{seen:?}")).collect();
    assert_eq!(slept[0], r#"Call("split.1", 1, {"seconds":5.0})"#);
    assert_eq!(definition, import(&instance_again(&definition), 2.0).unwrap());
}

/// The same graph with its tasks in the same order.
fn instance_again(definition: &callboard_workflow::definition::Definition) -> String {
    assert_eq!(definition.graph().levels().len(), 2);
    let tasks = json!([
        task("split.1", &[], &["work:3", "work/2"]),
        task("work/2", &["split.1"], &[]),
        task("work:3", &["split.1"], &[]),
        task("alone", &[], &[]),
    ]);
    instance(&tasks).to_string()
}

#[test]
fn both_sides_of_an_edge_must_be_there() {
    let tasks = json!([
        task("a", &[], &["b", "gone"]),
        task("b", &[], &[]),
        task("c", &["b", "lost"], &[]),
        task("c", &[], &[]),
    ]);
    let said: Vec<_> = faults(&tasks).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "two tasks are called `c`",
            "`c` has the parent `b`, which does not have that child",
            "`c` names `lost`, which is no task",
            "`a` has the child `b`, which does not have that parent",
            "`a` names `gone`, which is no task",
        ]
    );
}

#[test]
fn what_is_no_instance_is_refused() {
    let said = |text: &str, scale: f64| {
        let error = import(text, scale).unwrap_err();
        let source = error.source().map_or_else(String::new, |source| format!(": {source}"));
        format!("{error}{source}")
    };
    assert_eq!(said("{}", 1.0), "not an instance of WfFormat: missing field `name` at line 1 column 2");
    let older = instance(&json!([])).to_string().replace("1.5", "1.4");
    assert_eq!(said(&older, 1.0), "the instance is of WfFormat 1.4, and only 1.5 is understood");
    let empty = instance(&json!([])).to_string();
    assert_eq!(said(&empty, 1.0), "the instance makes no valid definition: the workflow has no steps");
    let one = instance(&json!([task("split.1", &[], &[])])).to_string();
    assert_eq!(said(&one, -1.0), "task `split.1` takes -2.5 s at this scale; use a scale from 0 on");
    assert!(import(&one, f64::NAN).is_err());
    let ring = instance(&json!([task("a", &["b"], &["b"]), task("b", &["a"], &["a"])])).to_string();
    let ring = said(&ring, 1.0);
    assert_eq!(ring, "the instance makes no valid definition: steps wait for each other: a → b → a");
}

/// F-WF-03: every step exactly once and only after all that it depends on.
#[test]
fn instances_of_the_folder_are_done_once_and_in_order() {
    let Some(folder) = std::env::var_os("CALLBOARD_WFINSTANCES") else { return };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert!(!files.is_empty());
    for file in files {
        let definition = import(&std::fs::read_to_string(&file).unwrap(), 0.0).unwrap();
        let driver = Driver::new(&definition, Value::Null, fine).finish();
        assert_eq!(driver.run.state(), RunState::Completed, "{}", file.display());
        let calls = driver.calls();
        let place = |step: usize| calls.iter().position(|name| **name == *definition.steps()[step].step_id).unwrap();
        assert_eq!(calls.len(), definition.steps().len());
        for (index, step) in definition.steps().iter().enumerate() {
            assert!(step.depends_on.iter().all(|parent| place(parent.get()) < place(index)));
        }
    }
}
