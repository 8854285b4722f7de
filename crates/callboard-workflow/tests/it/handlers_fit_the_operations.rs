//! What can be held against the schemas of operations before anything runs (F-WF-02).

use callboard_workflow::definition::{Absent, Definition, Handler, Operations, Signature};
use serde_json::{Value as Json, json};

/// Operations of version 1.2.0 by name, with the schemas of message and reply.
struct Table(Vec<(&'static str, Json, Json)>);

impl Operations for Table {
    fn find(&self, handler: &Handler) -> Result<Signature<'_>, Absent> {
        let version = "1.2.0".parse().unwrap();
        let offered = || self.0.iter().map(|(name, ..)| (*name).to_owned()).collect();
        let Some((_, message, reply)) = self.0.iter().find(|(name, ..)| *name == &**handler.name()) else {
            let is_module = self.0.iter().any(|(name, ..)| name.split_once('.').unwrap().0 == handler.module());
            let offered = offered();
            return Err(if is_module { Absent::Operation { offered } } else { Absent::Module { offered } });
        };
        match handler.requirement() {
            Some(requirement) if !requirement.matches(&version) => Err(Absent::Version { there: vec![version] }),
            _ => Ok(Signature { message: Some(message), reply: Some(reply) }),
        }
    }
}

fn table() -> Table {
    let data = json!({
        "type": "object",
        "properties": { "data": { "$ref": "#/$defs/list" }, "limit": { "type": ["integer", "null"] } },
        "required": ["data"],
        "additionalProperties": false,
        "$defs": { "list": { "type": "array" } },
    });
    let reply =
        json!({ "type": "object", "properties": { "rows": { "type": "array" }, "count": { "type": "integer" } } });
    Table(vec![("lab.check", data.clone(), reply.clone()), ("lab.store", data, json!({ "type": "object" }))])
}

fn said(steps: &str) -> Vec<String> {
    let text = format!("workflow_id: w\nversion: 1.0.0\nsteps:\n{steps}");
    let faults = Definition::read_with(&text, &table()).err();
    let help =
        |kind: &callboard_workflow::fault::FaultKind| kind.help().map_or_else(String::new, |h| format!(" ({h})"));
    faults.iter().flatten().map(|fault| format!("{fault}{}", help(&fault.kind))).collect()
}

#[test]
fn what_fits_is_accepted() {
    let chain = "
- {step_id: a, handler: lab.check@^1, input_mapping: {data: rows, limit: {value: 3}}}
- {step_id: b, handler: lab.store, depends_on: [a], input_mapping: {data: steps.a.output.rows, limit: steps.a.output.count}}
- {step_id: c, handler: lab.store, depends_on: [b], input_mapping: {data: steps.b.output.anything}}
";
    assert_eq!(said(chain), [""; 0]);
}

#[test]
fn an_operation_that_is_not_there_is_named() {
    let missing = "
- {step_id: a, handler: labs.check, input_mapping: {data: x}}
- {step_id: b, handler: lab.chekc, input_mapping: {data: x}}
- {step_id: c, handler: lab.check@^2, input_mapping: {data: x}}
- {step_id: d, handler: lab.check, input_mapping: {data: x}, compensate: lab.undo}
";
    assert_eq!(
        said(missing),
        [
            "line 5, column 25: the handler of step `a` is `labs.check`, which is not offered: there is no module `labs` (did you \
         mean `lab.check`?)",
            "line 6, column 25: the handler of step `b` is `lab.chekc`, which is not offered: `lab` has no operation `chekc` (did \
         you mean `lab.check`?)",
            "line 7, column 25: the handler of step `c` is `lab.check@^2`, which is not offered: there is only 1.2.0",
            "line 8, column 74: the handler of the compensation of step `d` is `lab.undo`, which is not offered: `lab` has no \
         operation `undo`",
        ]
    );
}

#[test]
fn parameters_are_held_against_the_schema() {
    let wrong = "
- {step_id: a, handler: lab.store}
- {step_id: b, handler: lab.store, input_mapping: {data: x, limits: y}}
- {step_id: c, handler: lab.check, input_mapping: {data: {value: text}}}
- {step_id: d, handler: lab.store, depends_on: [c], input_mapping: {data: steps.c.output.count}}
- {step_id: e, handler: lab.store, depends_on: [c], input_mapping: {data: steps.c.output.row}}
";
    assert_eq!(
        said(wrong),
        [
            "line 5, column 3: step `a` does not map `data`, which `lab.store` needs (add it to `input_mapping`)",
            "line 6, column 61: step `b` maps `limits`, which `lab.store` does not know (did you mean `limit`?)",
            "line 7, column 52: step `c` gives string for `data`, where `lab.check` takes array",
            "line 8, column 75: step `d` gives integer for `data`, where `lab.store` takes array",
            "line 9, column 75: input `data` of step `e` reads `row` of step `c`, which its operation does not reply (did you \
         mean `rows`?)",
        ]
    );
}

/// Without a file the same is said without places.
#[test]
fn a_definition_is_checked_again_when_it_is_started() {
    let step = callboard_workflow::definition::StepBuilder::new("a", "lab.gone");
    let definition = Definition::builder("w").step(step).build().unwrap();
    let faults = definition.check(&table()).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "the handler of step `a` is `lab.gone`, which is not offered: `lab` has no operation `gone`"
    );
}

/// F-WF-05: replies that are laid over the context by steps that may end in any order.
#[test]
fn replies_that_would_cover_each_other_are_seen() {
    let side_by_side = "
- {step_id: a, handler: lab.check, input_mapping: {data: x}}
- {step_id: b, handler: lab.check, input_mapping: {data: x}}
";
    let help = "(let one wait for the other, or map them to different names with `output_mapping`)";
    let fault =
        |key| format!("line 6, column 3: the steps `a` and `b` may end in any order and both write `{key}` {help}");
    assert_eq!(said(side_by_side), [fault("count"), fault("rows")]);
    assert_eq!(said(&side_by_side.replace("b, handler", "b, depends_on: [a], handler")), [""; 0]);
    assert_eq!(said(&side_by_side.replace("b, handler", "b, output_mapping: {other: rows}, handler")), [""; 0]);
}
