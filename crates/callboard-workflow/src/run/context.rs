//! What a step sees: the input of the run and the results of its ancestors.
//!
//! The context is never put together as a whole while steps run. A key is looked for among the ancestors that wrote
//! something, and what is found is handed on by reference.

use std::sync::Arc;

use callboard_bus::retry::FailureClass;
use callboard_bus::{Array, Expression, Object, Path, Segment, Value};

use super::walk::Walk;
use super::{Body, Cell, Failure, StepState, Task};
use crate::definition::{Definition, STEPS, Source, Step};
use crate::graph::StepIndex;

/// Names that are seen beside the context.
#[derive(Clone, Copy)]
enum Locals<'v> {
    None,
    /// `item` and `index` of a mapped step.
    Item(&'v Value, u32),
    /// `input` and `output` of a step that is being undone.
    Own(&'v Value, &'v Value),
}

#[derive(Clone, Copy)]
struct View<'v> {
    definition: &'v Definition,
    body: &'v Body,
    step: StepIndex,
    locals: Locals<'v>,
}

impl Walk<'_> {
    /// A result that is an object, or that is mapped, is seen by the steps behind.
    pub(super) fn note_writer(&mut self, step: StepIndex) {
        let is_object = self.body.cells[step.get()].output.as_object().is_some_and(|object| !object.is_empty());
        if is_object || self.step(step).output_mapping.is_some() {
            let graph = self.definition.graph();
            let at = self.body.writers.partition_point(|writer| graph.rank(*writer) < graph.rank(step));
            self.body.writers.insert(at, step);
        }
    }

    /// The failure of a step whose reply lacks what its `output_mapping` names. Items are mapped when all are there.
    pub(super) fn lacking_output(&self, task: Task) -> Option<Failure> {
        let (step, output) = (self.step(task.step), &self.body.cell(task)?.output);
        let outputs = step.output_mapping.as_ref().filter(|_| task.item.is_none())?;
        let (key, path) = outputs.iter().find(|(_, path)| output.get(path).is_none())?;
        Some(invalid(step, &format!("output `{key}` has no source: the reply has nothing at `{path}`")))
    }
}

/// Whether the condition of a step holds.
pub(super) fn condition(definition: &Definition, body: &Body, step: StepIndex) -> Result<bool, Failure> {
    let described = &definition.steps()[step.get()];
    let Some(when) = &described.when else { return Ok(true) };
    let view = View { definition, body, step, locals: Locals::None };
    when.is_true(&view.of(when)).map_err(|error| invalid(described, &format!("`when`: {error}")))
}

/// The list that a mapped step is done over.
pub(super) fn list(definition: &Definition, body: &Body, step: StepIndex) -> Result<Array, Failure> {
    let described = &definition.steps()[step.get()];
    let Some(map) = &described.map else { return Ok(Array::default()) };
    let view = View { definition, body, step, locals: Locals::None };
    let fault = |error: &dyn std::fmt::Display| invalid(described, &format!("`map.over`: {error}"));
    let list = map.over.evaluate(&view.of(&map.over)).map_err(|error| fault(&error))?;
    list.as_array().cloned().ok_or_else(|| fault(&format!("{} is no list", list.kind())))
}

/// What the handler is given.
pub(super) fn input(definition: &Definition, body: &Body, task: Task) -> Result<Value, Failure> {
    let step = &definition.steps()[task.step.get()];
    let items = body.cells[task.step.get()].items.as_ref();
    let item = task.item.zip(items).and_then(|(item, items)| Some((items.list.get(item as usize)?, item)));
    let locals = item.map_or(Locals::None, |(value, index)| Locals::Item(value, index));
    View { definition, body, step: task.step, locals }.gather(step, &step.input_mapping)
}

/// What the handler is given that undoes a step.
pub(super) fn undo_input(definition: &Definition, body: &Body, task: Task) -> Result<Value, Failure> {
    let step = &definition.steps()[task.step.get()];
    let nothing = Cell::default();
    let Cell { input, output, .. } = body.cell(task).unwrap_or(&nothing);
    match step.compensate.as_ref().and_then(|undo| undo.input_mapping.as_ref()) {
        Some(mapping) => {
            let locals = Locals::Own(input, output);
            View { definition, body, step: task.step, locals }.gather(step, mapping)
        }
        None => Ok(Object::from([("input", input.clone()), ("output", output.clone())]).into()),
    }
}

/// The input of the run with everything laid over it.
pub(super) fn whole(definition: &Definition, body: &Body) -> Value {
    merged(definition, body, &body.writers)
}

/// A failure that comes of values that are not there or of the wrong kind.
fn invalid(step: &Step, what: &str) -> Failure {
    Failure::new(FailureClass::Permanent, "validation_failed", format!("step `{}`: {what}", step.step_id))
}

fn merged(definition: &Definition, body: &Body, writers: &[StepIndex]) -> Value {
    let base = match &body.input {
        Value::Object(object) => object.clone(),
        Value::Null => Object::default(),
        other => Object::from([("input", other.clone())]),
    };
    let layers = writers.iter().map(|step| layer(&definition.steps()[step.get()], &body.cells[step.get()].output));
    layers.fold(base, |below, layer| below.merged(&layer)).into()
}

/// What a step adds to the context.
fn layer(step: &Step, output: &Value) -> Object {
    let Some(outputs) = &step.output_mapping else { return output.as_object().cloned().unwrap_or_default() };
    let entry = |(key, path): &(Arc<str>, Path)| Some((key.clone(), output.get(path)?.clone()));
    outputs.iter().filter_map(entry).collect()
}

impl<'v> View<'v> {
    fn gather(self, step: &Step, mapping: &[(Arc<str>, Source)]) -> Result<Value, Failure> {
        let mut entries = Vec::with_capacity(mapping.len());
        for (key, source) in mapping {
            let value = match source {
                Source::Value(value) => value.clone(),
                Source::Path(path) => self.find(path.segments()).ok_or_else(|| {
                    invalid(step, &format!("input `{key}` has no source: the context has nothing at `{path}`"))
                })?,
            };
            entries.push((key.clone(), value));
        }
        Ok(entries.into_iter().collect::<Object>().into())
    }

    /// A context with as much in it as the expression asks for.
    fn of(self, expression: &Expression) -> Value {
        let (mut entries, mut steps) = (Vec::new(), Vec::new());
        for path in expression.paths() {
            match path.segments() {
                [] => return self.everything(),
                [root, id, ..] if root.key() == STEPS => {
                    steps.extend(self.find(&path.segments()[..2]).map(|step| (id.key().to_owned(), step)));
                }
                [root, ..] => {
                    entries.extend(self.find(&path.segments()[..1]).map(|value| (root.key().to_owned(), value)))
                }
            }
        }
        if !steps.is_empty() {
            entries.push((STEPS.to_owned(), steps.into_iter().collect::<Object>().into()));
        }
        entries.into_iter().collect::<Object>().into()
    }

    fn find(self, path: &[Segment]) -> Option<Value> {
        let Some((root, rest)) = path.split_first() else { return Some(self.everything()) };
        match (root.key(), self.locals) {
            ("item", Locals::Item(item, _)) => item.descend(rest).cloned(),
            ("index", Locals::Item(_, index)) if rest.is_empty() => Some(index.into()),
            ("input", Locals::Own(input, _)) => input.descend(rest).cloned(),
            ("output", Locals::Own(_, output)) => output.descend(rest).cloned(),
            (STEPS, _) => self.result(rest),
            (key, _) => self.key(key)?.descend(rest).cloned(),
        }
    }

    /// `steps.<id>`, `steps.<id>.output...` and `steps.<id>.state`.
    fn result(self, path: &[Segment]) -> Option<Value> {
        let (id, rest) = path.split_first()?;
        let cell = &self.body.cells[self.definition.find(id.key())?.get()];
        let state = || Value::from(cell.state.as_str());
        let has_output = matches!(cell.state, StepState::Succeeded | StepState::Compensated | StepState::Compensating);
        let output = has_output.then_some(&cell.output);
        match rest.split_first() {
            None => {
                let output = output.cloned().unwrap_or_default();
                Some(Object::from([("output", output), ("state", state())]).into())
            }
            Some((field, rest)) if field.key() == "output" => output?.descend(rest).cloned(),
            Some((field, [])) if field.key() == "state" => Some(state()),
            Some(_) => None,
        }
    }

    /// What the last ancestor wrote under the key, or what the run was started with.
    fn key(self, key: &str) -> Option<&'v Value> {
        let graph = self.definition.graph();
        let ancestors = self.body.writers.iter().rev().filter(|writer| graph.is_ancestor(**writer, self.step));
        let found = ancestors.map(|writer| self.written(*writer, key)).find(Option::is_some).flatten();
        found.or_else(|| match &self.body.input {
            Value::Object(object) => object.get(key),
            other => (key == "input").then_some(other),
        })
    }

    fn written(self, writer: StepIndex, key: &str) -> Option<&'v Value> {
        let output = &self.body.cells[writer.get()].output;
        match &self.definition.steps()[writer.get()].output_mapping {
            None => output.as_object()?.get(key),
            Some(outputs) => output.get(&outputs.iter().find(|(written, _)| **written == *key)?.1),
        }
    }

    fn everything(self) -> Value {
        let graph = self.definition.graph();
        let ancestors = self.body.writers.iter().copied().filter(|writer| graph.is_ancestor(*writer, self.step));
        merged(self.definition, self.body, &ancestors.collect::<Vec<_>>())
    }
}
