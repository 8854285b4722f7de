//! Whatever a file holds is read rightly, or refused with faults that point into it: definitions and imported instances.
//!
//! Each test is a fuzz target: with `cargo install cargo-bolero`, `cargo bolero test -p callboard-workflow
//! any_text_is_read_or_refused::a_definition --rustc-bootstrap` looks for texts, guided by what they reach, until it is
//! stopped. What it finds goes into the folder `__fuzz__` beside this file, where every later `cargo test` tries it again.

use bolero::generator::bolero_generator::one_of::one_of;
use bolero::{ValueGenerator, check, produce};
use callboard_workflow::definition::{Definition, Source};
use callboard_workflow::fault::{Fault, Faults};
use callboard_workflow::wfformat::{HANDLER, WfFormatError, import};
use serde_json::Value as Json;

/// So many texts in a plain test run, which takes about a second.
const TEXTS: usize = 500;

const YAML: &[&str] = &[
    "workflow_id: w\n",
    "version: 1.0.0\n",
    "timeout: 1h\n",
    "trigger_events: [a.b]\n",
    "limits: {m.f: 2}\n",
    "steps:\n",
    "- step_id: a\n",
    "  handler: m.f\n",
    "  input_mapping: {x: a.b, y: {value: 1}}\n",
    "- step_id: b\n",
    "  handler: m.g@^1\n",
    "  depends_on: [a]\n",
    "  when: x > 1\n",
    "  retry: {max_retries: 2}\n",
];

const JSON: &[&str] = &[
    "{\"workflow_id\": ",
    "\"w\", ",
    "\"version\": ",
    "\"1.0.0\", ",
    "\"steps\": ",
    "[",
    "{\"step_id\": \"a\", ",
    "\"handler\": \"m.f\"}, ",
    "{\"step_id\": \"b\", ",
    "\"depends_on\": [\"a\"], ",
    "\"handler\": \"m.g\"}",
    "]",
    "}\n",
];

const INSTANCE: &[&str] = &[
    "{\"name\": \"w\", ",
    "\"schemaVersion\": \"1.5\", ",
    "\"workflow\": {\"specification\": {\"tasks\": [",
    "{\"id\": \"a\", \"name\": \"A\", ",
    "\"children\": [\"b\"]}, ",
    "{\"id\": \"b\", \"name\": \"B\", ",
    "\"parents\": [\"a\"]}",
    "]}, ",
    "\"execution\": {\"tasks\": [{\"id\": \"a\", \"runtimeInSeconds\": ",
    "2.5",
    "}]}",
    "}}",
];

const SCRAPS: &[&str] = &[
    "",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "- ",
    "\n",
    "  ",
    "\t",
    "\"",
    "'",
    "&a ",
    "*a",
    "!!str ",
    "---\n",
    "| \n",
    "> \n",
    "? ",
    "# comment\n",
    "\u{feff}",
    "é",
    "🦀",
    "\\",
    "\0",
    "%",
    "\r",
    "null",
    "~",
    "1e999",
    "-0",
    "-1",
    "3",
    "\"a\"",
    "\"c\"",
    "\"1.4\"",
    "  join: 2\n",
    "  map: {over: x}\n",
    "  timeout: 1s\n",
    "  depends_on: [b]\n",
    "  compensate: m.h\n",
    "<<: *a\n",
    "retry: {factor: .inf}\n",
    "workflow_id: v\n",
    "\"steps\": ",
];

/// Any text, or more likely almost this one.
fn almost(pieces: &'static [&'static str]) -> impl ValueGenerator<Output = String> {
    one_of((produce::<String>(), any_letters(), edited(pieces, 4), edited(pieces, 4), edited(pieces, 20)))
}

/// Its letters are the bytes of the fuzzer, who so can write a word that it has seen compared.
fn any_letters() -> impl ValueGenerator<Output = String> {
    let bytes = produce::<Vec<u8>>().with().len(0usize..200);
    bytes.map_gen(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Puts scraps between the pieces and in the place of some. With few edits most of a text stays right, and with many a search
/// that is guided goes on from what it has found.
fn edited(pieces: &'static [&'static str], most: usize) -> impl ValueGenerator<Output = String> {
    let edit = (produce::<usize>(), 0..SCRAPS.len(), produce::<bool>());
    let edits = produce::<Vec<(usize, usize, bool)>>().with().values(edit).len(0..most);
    edits.map_gen(|edits| {
        let mut pieces = pieces.to_vec();
        for (place, scrap, stays) in edits {
            let place = place % pieces.len();
            pieces.splice(place..place + usize::from(!stays), [SCRAPS[scrap]]);
        }
        pieces.concat()
    })
}

/// F-WF-01: written as its file and read again it is the same, and its steps come in an order that their parents allow.
fn is_sound(definition: &Definition) {
    assert_eq!(Definition::read(&definition.to_json().to_string()).as_ref(), Ok(definition));
    let order = definition.graph().topological_order();
    assert_eq!(order.len(), definition.steps().len());
    for (place, step) in order.iter().enumerate() {
        let parents = definition.graph().parents(*step);
        assert!(parents.iter().all(|parent| order[..place].contains(parent)));
    }
}

/// Each fault has a stable code, is told on one line, and stands where the text has something, or at its end.
fn point_into(text: &str, faults: &Faults) {
    assert!(faults.iter().next().is_some() && faults.iter().is_sorted_by_key(|fault| fault.at));
    let lines: Vec<usize> = text.replace("\r\n", "\n").split(['\n', '\r']).map(|line| line.chars().count()).collect();
    for fault @ Fault { kind, at } in faults {
        assert!(!kind.code().is_empty() && !fault.to_string().contains(char::is_control), "{fault}");
        let Some(at) = at else { continue };
        let (line, column) = (at.line as usize, at.column as usize);
        // For the reader of YAML the end of a text is a line of its own.
        let length = if line == lines.len() + 1 { Some(&0) } else { lines.get(line.wrapping_sub(1)) };
        assert!(length.is_some_and(|length| (1..=length + 1).contains(&column)), "{fault}: {lines:?}");
    }
}

#[test]
fn a_definition() {
    let text = one_of((almost(YAML), almost(JSON)));
    check!().with_iterations(TEXTS).with_generator(text).for_each(|text| match Definition::read(text) {
        Ok(definition) => is_sound(&definition),
        Err(faults) => point_into(text, &faults),
    });
}

/// Every task is a step with the same parents, and takes its time.
fn has_the_tasks(definition: &Definition, instance: &Json) {
    let tasks = instance["workflow"]["specification"]["tasks"].as_array().unwrap();
    assert_eq!(definition.steps().len(), tasks.len());
    for (step, task) in definition.steps().iter().zip(tasks) {
        assert_eq!((&*step.step_id, &**step.handler.name()), (task["id"].as_str().unwrap(), HANDLER));
        let parents = task["parents"].as_array().into_iter().flatten().map(|parent| parent.as_str().unwrap());
        let known = step.depends_on.iter().map(|parent| &*definition.step(*parent).unwrap().step_id);
        assert!(known.eq(parents), "{}", step.step_id);
        assert!(matches!(&step.input_mapping[..], [(_, Source::Value(seconds))] if seconds.as_number().is_some()));
    }
}

#[test]
fn an_instance_of_wfformat() {
    let scale = one_of((0.0f64..10.0, produce::<f64>()));
    check!().with_iterations(TEXTS).with_generator((almost(INSTANCE), scale)).for_each(|(text, scale)| {
        match import(text, *scale) {
            Ok(definition) => {
                is_sound(&definition);
                has_the_tasks(&definition, &serde_json::from_str(text).unwrap());
            }
            Err(WfFormatError::Shape(fault)) => assert!(fault.line() <= text.split('\n').count(), "{fault}"),
            Err(WfFormatError::Runtime { seconds, .. }) => {
                assert!(seconds.is_nan() || seconds < 0.0 || seconds.is_infinite())
            }
            Err(WfFormatError::Version { found }) => assert_ne!(found, "1.5"),
            Err(WfFormatError::Tasks(faults)) => assert!(!faults.is_empty()),
            Err(WfFormatError::Definition(faults)) => assert!(faults.iter().all(|fault| fault.at.is_none())),
            Err(other) => panic!("{other}"),
        }
    });
}
