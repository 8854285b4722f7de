//! Writes a definition in the words of its file.

use std::sync::Arc;

use callboard_actor::Priority;
use callboard_bus::{Path, RetryPolicy, time};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Compensation, Definition, FailAfter, Join, Map, Source, Step};

impl Definition {
    /// The definition as its file has it. Reading that text gives an equal definition.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut fields = JsonMap::new();
        fields.insert("workflow_id".into(), (**self.workflow_id()).into());
        fields.insert("name".into(), self.name().into());
        put(&mut fields, "description", (!self.description().is_empty()).then(|| self.description().into()));
        fields.insert("version".into(), self.version().to_string().into());
        put(&mut fields, "trigger_events", list(self.trigger_events().iter().map(|topic| topic.as_str().into())));
        put(&mut fields, "timeout", self.timeout().map(|timeout| time::show(timeout).into()));
        let limits = self.limits().iter().map(|limit| (limit.operation.to_string(), limit.at_once.get().into()));
        put(&mut fields, "limits", object(limits));
        fields.insert("steps".into(), self.steps().iter().map(|step| self.step_to_json(step)).collect());
        fields.into()
    }

    fn step_to_json(&self, step: &Step) -> Json {
        let mut fields = JsonMap::new();
        fields.insert("step_id".into(), (*step.step_id).into());
        fields.insert("name".into(), step.name.as_str().into());
        fields.insert("handler".into(), step.handler.to_string().into());
        let parents = step.depends_on.iter().filter_map(|parent| self.step(*parent));
        put(&mut fields, "depends_on", list(parents.map(|parent| (*parent.step_id).into())));
        put(&mut fields, "input_mapping", object(step.input_mapping.iter().map(entry)));
        let outputs = step.output_mapping.as_ref();
        put(&mut fields, "output_mapping", outputs.map(|outputs| outputs.iter().map(output).collect()));
        put(&mut fields, "timeout", step.timeout.map(|timeout| time::show(timeout).into()));
        put(&mut fields, "retry", step.retry.as_ref().map(retry));
        put(&mut fields, "when", step.when.as_ref().map(|when| when.to_string().into()));
        put(&mut fields, "join", join(step.join));
        put(&mut fields, "map", step.map.as_ref().map(map));
        put(&mut fields, "compensate", step.compensate.as_ref().map(compensation));
        put(&mut fields, "priority", (step.priority != Priority::Normal).then(|| step.priority.as_str().into()));
        fields.into()
    }
}

fn put(fields: &mut JsonMap<String, Json>, name: &str, value: Option<Json>) {
    fields.extend(value.map(|value| (name.to_owned(), value)));
}

/// A list, unless it is empty.
fn list(items: impl Iterator<Item = Json>) -> Option<Json> {
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then(|| items.into())
}

/// A map, unless it is empty.
fn object(entries: impl Iterator<Item = (String, Json)>) -> Option<Json> {
    let entries: JsonMap<_, _> = entries.collect();
    (!entries.is_empty()).then(|| entries.into())
}

fn entry((key, source): &(Arc<str>, Source)) -> (String, Json) {
    let source = match source {
        Source::Path(path) => path.to_string().into(),
        Source::Value(value) => json!({ "value": value }),
    };
    (key.to_string(), source)
}

fn output((key, path): &(Arc<str>, Path)) -> (String, Json) {
    (key.to_string(), path.to_string().into())
}

/// A policy is plain data, so this cannot fail; if it did, the step would be read back without one.
fn retry(policy: &RetryPolicy) -> Json {
    serde_json::to_value(policy).unwrap_or_default()
}

fn join(join: Join) -> Option<Json> {
    Some(match join {
        Join::All => return None,
        Join::Any => "any".into(),
        Join::AtLeast(number) => number.get().into(),
        Join::AllDone => "all_done".into(),
    })
}

fn map(map: &Map) -> Json {
    let fail_after = match map.fail_after {
        FailAfter::Items(items) => items.get().into(),
        FailAfter::Percent(percent) => format!("{percent}%").into(),
    };
    let mut fields = JsonMap::new();
    fields.insert("over".into(), map.over.to_string().into());
    put(&mut fields, "max_parallel", map.max_parallel.map(|most| most.get().into()));
    fields.insert("fail_after".into(), fail_after);
    fields.into()
}

fn compensation(undo: &Compensation) -> Json {
    let mut fields = JsonMap::new();
    fields.insert("handler".into(), undo.handler.to_string().into());
    let inputs = undo.input_mapping.as_ref();
    put(&mut fields, "input_mapping", inputs.map(|inputs| inputs.iter().map(entry).collect()));
    put(&mut fields, "timeout", undo.timeout.map(|timeout| time::show(timeout).into()));
    put(&mut fields, "retry", undo.retry.as_ref().map(retry));
    fields.into()
}
