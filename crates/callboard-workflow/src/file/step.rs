//! The steps of a file.

use callboard_actor::Priority;
use callboard_bus::Value;

use super::Reader;
use super::fields::{Field, Fields, named};
use super::node::{Kind, Node};
use super::retry::retry_field;
use super::span::At;
use crate::definition::{CompensationDraft, FailAfterDraft, Join, JoinDraft, MapDraft, SourceDraft, StepDraft};

/// The fields of a step.
pub(super) const STEP_FIELDS: &[Field] = &[
    Field::required("step_id"),
    Field::optional("name"),
    Field::required("handler"),
    Field::optional("depends_on"),
    Field::optional("input_mapping"),
    Field::optional("output_mapping"),
    Field::optional("timeout"),
    Field::optional("retry"),
    Field::optional("when"),
    Field::optional("join"),
    Field::optional("map"),
    Field::optional("compensate"),
    Field::optional("priority"),
];

/// The fields of `map`.
pub(super) const MAP_FIELDS: &[Field] =
    &[Field::required("over"), Field::optional("max_parallel"), Field::optional("fail_after")];

/// The fields of `compensate`.
pub(super) const COMPENSATE_FIELDS: &[Field] = &[
    Field::required("handler"),
    Field::optional("input_mapping"),
    Field::optional("timeout"),
    Field::optional("retry"),
];

/// The field of a parameter that does not come from the context.
pub(super) const CONSTANT_FIELDS: &[Field] = &[Field::required("value")];

const JOINS: [(&str, Join); 3] = [("all", Join::All), ("any", Join::Any), ("all_done", Join::AllDone)];

type Mapping = Vec<(At<String>, At<SourceDraft>)>;

/// Reads a step. What is wrong is left out.
pub(super) fn step(reader: &mut Reader, node: &Node, index: usize) -> StepDraft {
    let of = label(node, index);
    let Some(fields) = reader.fields(node, &of, STEP_FIELDS) else { return StepDraft::default() };
    StepDraft {
        step_id: reader.text_field(&fields, "step_id", &of),
        name: reader.text_field(&fields, "name", &of).map(|name| name.value),
        handler: reader.text_field(&fields, "handler", &of),
        depends_on: reader.texts_field(&fields, "depends_on", &of),
        input_mapping: input_mapping(reader, &fields, &of).unwrap_or_default(),
        output_mapping: output_mapping(reader, &fields, &of),
        timeout: reader.duration_field(&fields, "timeout", &of),
        retry: retry_field(reader, &fields, &of),
        when: expression(reader, &fields, "when", &of),
        join: fields.get("join").and_then(|node| join(reader, node, &of)),
        map: fields.get("map").and_then(|node| map(reader, node, &of)),
        compensate: fields.get("compensate").and_then(|node| compensate(reader, node, &of)),
        priority: fields.get("priority").and_then(|node| priority(reader, node, &of)).unwrap_or_default(),
        at: Some(node.at),
    }
}

/// What the step is called in a fault: its id, or its place in the list.
fn label(node: &Node, index: usize) -> String {
    let Kind::Map(entries) = &node.kind else { return format!("steps[{index}]") };
    let id = entries.iter().find(|(key, _)| key.value == "step_id").and_then(|(_, id)| id.text());
    id.map_or_else(|| format!("steps[{index}]"), |id| format!("step `{}`", id.value))
}

fn input_mapping(reader: &mut Reader, fields: &Fields<'_>, of: &str) -> Option<Mapping> {
    let field = named("input_mapping", of);
    let entries = reader.entries(fields.get("input_mapping")?, &field);
    Some(entries.into_iter().filter_map(|(key, node)| Some((key.clone(), source(reader, node, key, of)?))).collect())
}

fn source(reader: &mut Reader, node: &Node, key: &At<String>, of: &str) -> Option<At<SourceDraft>> {
    let field = format!("input `{}` of {of}", key.value);
    match &node.kind {
        Kind::Text(_) => node.text().map(|text| text.map(SourceDraft::Path)),
        Kind::Map(_) => constant(reader, node, &field),
        _ => reader.wrong(node, &field, "a path, or `{value: ...}` for a constant"),
    }
}

/// `{value: ...}`, where null is a value like any other.
fn constant(reader: &mut Reader, node: &Node, field: &str) -> Option<At<SourceDraft>> {
    let value = match &node.kind {
        Kind::Map(entries) => match entries.as_slice() {
            [(key, Node { kind: Kind::Null, .. })] if key.value == "value" => Value::Null,
            _ => Value::from(reader.fields(node, field, CONSTANT_FIELDS)?.get("value")?.to_json()),
        },
        _ => return None,
    };
    Some(At::place(SourceDraft::Value(value), node.at))
}

fn output_mapping(reader: &mut Reader, fields: &Fields<'_>, of: &str) -> Option<Vec<(At<String>, At<String>)>> {
    let field = named("output_mapping", of);
    let entries = reader.entries(fields.get("output_mapping")?, &field);
    let path = |(key, node): &(At<String>, Node)| {
        let path = reader.text(node, &format!("output `{}` of {of}", key.value))?;
        Some((key.clone(), path))
    };
    Some(entries.into_iter().filter_map(path).collect())
}

/// An expression is a text; the words `true` and `false` alone are expressions too.
fn expression(reader: &mut Reader, fields: &Fields<'_>, name: &str, of: &str) -> Option<At<String>> {
    let node = fields.get(name)?;
    match &node.kind {
        Kind::Bool(value) => Some(At::place(value.to_string(), node.at)),
        _ => reader.text(node, &named(name, of)),
    }
}

fn join(reader: &mut Reader, node: &Node, of: &str) -> Option<At<JoinDraft>> {
    let field = named("join", of);
    let join = match &node.kind {
        Kind::Number(_) => JoinDraft::Number(reader.whole(node, &field)?.value),
        _ => JoinDraft::Word(reader.word(node, &field, &JOINS, "all, any, all_done or a number")?),
    };
    Some(At::place(join, node.at))
}

fn map(reader: &mut Reader, node: &Node, of: &str) -> Option<MapDraft> {
    let of = named("map", of);
    let fields = reader.fields(node, &of, MAP_FIELDS)?;
    Some(MapDraft {
        over: reader.text_field(&fields, "over", &of),
        max_parallel: reader.whole_field(&fields, "max_parallel", &of),
        fail_after: fields.get("fail_after").and_then(|node| fail_after(reader, node, &of)),
    })
}

/// A number of items, or a share of them such as `10%`.
fn fail_after(reader: &mut Reader, node: &Node, of: &str) -> Option<At<FailAfterDraft>> {
    let field = named("fail_after", of);
    let Kind::Text(text) = &node.kind else {
        return reader.whole(node, &field).map(|items| items.map(FailAfterDraft::Items));
    };
    match text.strip_suffix('%').and_then(|percent| percent.parse().ok()) {
        Some(percent) => Some(At::place(FailAfterDraft::Percent(percent), node.at)),
        None => reader.wrong(node, &field, "a whole number, or a share such as `10%`"),
    }
}

/// The name of a handler alone, or a map with more.
fn compensate(reader: &mut Reader, node: &Node, of: &str) -> Option<CompensationDraft> {
    let of = named("compensate", of);
    if let Kind::Text(_) = node.kind {
        return Some(CompensationDraft { handler: node.text(), ..CompensationDraft::default() });
    }
    let fields = reader.fields(node, &of, COMPENSATE_FIELDS)?;
    Some(CompensationDraft {
        handler: reader.text_field(&fields, "handler", &of),
        input_mapping: input_mapping(reader, &fields, &of),
        timeout: reader.duration_field(&fields, "timeout", &of),
        retry: retry_field(reader, &fields, &of),
    })
}

fn priority(reader: &mut Reader, node: &Node, of: &str) -> Option<Priority> {
    let words = Priority::ALL.map(|priority| (priority.as_str(), priority));
    reader.word(node, &named("priority", of), &words, "critical, high, normal, low or background")
}
