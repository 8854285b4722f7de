//! Holds a definition against the operations that modules offer. Pure: who knows them is asked.

use std::collections::BTreeMap;

use callboard_bus::near::nearest;
use semver::Version;
use serde_json::Value as Json;

use super::draft::{Draft, SourceDraft};
use super::{Definition, Handler, Source, Step};
use crate::fault::{Fault, FaultKind};
use crate::file::Position;
use crate::graph::StepIndex;

mod schema;

use self::schema::{Shape, type_of};

/// Knows which operations there are.
pub trait Operations {
    /// The JSON Schemas of the operation that the handler names.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn find(&self, handler: &Handler) -> Result<Signature<'_>, Absent>;
}

/// What an operation takes and replies, as JSON Schemas. Without a schema nothing is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signature<'a> {
    /// Of the message.
    pub message: Option<&'a Json>,
    /// Of the reply.
    pub reply: Option<&'a Json>,
}

/// Why an operation is not there. The lists are for the help text, all names that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// No module has that name.
    Module {
        /// `module.operation` of everything that is offered.
        offered: Vec<String>,
    },
    /// The module does not offer the operation.
    Operation {
        /// `module.operation` of everything that is offered.
        offered: Vec<String>,
    },
    /// The operation is there, in other versions.
    Version {
        /// The versions.
        there: Vec<Version>,
    },
}

/// All faults of all steps. The draft says where they stand, if it is that of the definition.
pub(super) fn check(definition: &Definition, draft: &Draft, operations: &dyn Operations) -> Vec<Fault> {
    let signatures = definition.steps().iter().map(|step| operations.find(&step.handler).ok());
    let check = Check { definition, draft, signatures: signatures.collect() };
    let mut faults = Vec::new();
    for (index, step) in definition.steps().iter().enumerate() {
        faults.extend(check.handlers(index, step, operations));
        faults.extend(check.inputs(index, step));
    }
    faults.extend(check.clashes());
    faults
}

struct Check<'a> {
    definition: &'a Definition,
    draft: &'a Draft,
    signatures: Vec<Option<Signature<'a>>>,
}

impl Check<'_> {
    fn handlers(&self, index: usize, step: &Step, operations: &dyn Operations) -> Vec<Fault> {
        let draft = self.draft.steps.get(index);
        let undo = step.compensate.as_ref().map(|undo| &undo.handler);
        let at = draft.and_then(|step| step.handler.as_ref()?.at);
        let undo_at = draft.and_then(|step| step.compensate.as_ref()?.handler.as_ref()?.at);
        let own = (format!("the handler of step `{}`", step.step_id), Some(&step.handler), at);
        let undo = (format!("the handler of the compensation of step `{}`", step.step_id), undo, undo_at);
        let missing = |(field, handler, at): (String, Option<&Handler>, Option<Position>)| {
            let handler = handler?;
            let absent = operations.find(handler).err()?;
            Some(Fault::new(unknown_operation(field, handler, absent), at))
        };
        [own, undo].into_iter().filter_map(missing).collect()
    }

    fn inputs(&self, index: usize, step: &Step) -> Vec<Fault> {
        let Some(message) = self.signatures[index].and_then(|signature| signature.message) else { return Vec::new() };
        let shape = Shape::new(message);
        let mut faults = self.unmapped(index, step, shape);
        for (key, source) in &step.input_mapping {
            let kind = self.input(index, step, shape, key, source);
            faults.extend(kind.map(|kind| {
                let at = self.place_of_input(index, key, &kind);
                Fault::new(kind, at)
            }));
        }
        faults
    }

    fn unmapped(&self, index: usize, step: &Step, shape: Shape<'_>) -> Vec<Fault> {
        let at = self.draft.steps.get(index).and_then(|step| step.at);
        let is_mapped = |parameter: &&str| step.input_mapping.iter().any(|(key, _)| **key == **parameter);
        let missing = shape.required().filter(|parameter| !is_mapped(parameter));
        let fault = |parameter: &str| FaultKind::UnmappedInput {
            step: step.step_id.to_string(),
            parameter: parameter.to_owned(),
            operation: step.handler.name().to_string(),
        };
        missing.map(|parameter| Fault::new(fault(parameter), at)).collect()
    }

    fn input(&self, index: usize, step: &Step, shape: Shape<'_>, key: &str, source: &Source) -> Option<FaultKind> {
        let (id, operation, parameter) = (step.step_id.to_string(), step.handler.name().to_string(), key.to_owned());
        let Some(expected) = shape.property(key) else {
            let near = nearest(key, shape.properties());
            let kind = FaultKind::UnknownInput { step: id, parameter, operation, near };
            return shape.is_closed().then_some(kind);
        };
        let expected = expected.types()?;
        let found = match source {
            Source::Value(value) => vec![type_of(value)],
            Source::Path(path) => match self.result(index, key, step, path) {
                Ok(found) => found?,
                Err(kind) => return Some(kind),
            },
        };
        let fits = found.iter().any(|found| expected.iter().any(|expected| schema::fits(found, expected)));
        let (expected, found) = (expected.join(" or "), found.join(" or "));
        (!fits).then_some(FaultKind::TypeMismatch { step: id, parameter, operation, expected, found })
    }

    /// The types at a path `steps.<id>.output...`, as far as the schema of the reply says.
    fn result(
        &self,
        index: usize,
        key: &str,
        step: &Step,
        path: &callboard_bus::Path,
    ) -> Result<Option<Vec<&str>>, FaultKind> {
        let [root, id, output, fields @ ..] = path.segments() else { return Ok(None) };
        if root.key() != super::STEPS || output.key() != "output" {
            return Ok(None);
        }
        let Some(source) = self.definition.find(id.key()) else { return Ok(None) };
        let is_list = self.definition.step(source).is_some_and(|source| source.map.is_some());
        let reply = self.signatures[source.get()].and_then(|signature| signature.reply);
        let Some(reply) = reply.filter(|_| source.get() != index && !is_list) else { return Ok(None) };
        let mut shape = Shape::new(reply);
        for field in fields {
            let Some(inner) = shape.property(field.key()) else {
                let kind = FaultKind::UnknownResult {
                    field: format!("input `{key}` of step `{}`", step.step_id),
                    source_step: id.key().to_owned(),
                    source_field: field.key().to_owned(),
                    near: nearest(field.key(), shape.properties()),
                };
                return if shape.is_record() { Err(kind) } else { Ok(None) };
            };
            shape = inner;
        }
        Ok(shape.types())
    }

    /// Two steps that may end in any order and whose replies are laid over the context with a key in common. Steps that
    /// both map their results have been looked at already.
    fn clashes(&self) -> Vec<Fault> {
        let graph = self.definition.graph();
        let mut writers: BTreeMap<&str, Vec<StepIndex>> = BTreeMap::new();
        for &step in graph.topological_order() {
            self.written(step).into_iter().for_each(|key| writers.entry(key).or_default().push(step));
        }
        let is_open = |pair: &&[StepIndex]| {
            let maps = |step: StepIndex| self.definition.steps()[step.get()].output_mapping.is_some();
            let is_known = maps(pair[0]) && maps(pair[1]);
            !is_known && !graph.is_ancestor(pair[0], pair[1])
        };
        let open = writers.iter().filter_map(|(key, steps)| Some((key, steps.windows(2).find(is_open)?)));
        open.map(|(key, pair)| self.clash(key, pair)).collect()
    }

    fn clash(&self, key: &str, pair: &[StepIndex]) -> Fault {
        let (first, second) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        let id = |step: StepIndex| self.definition.steps()[step.get()].step_id.to_string();
        let kind = FaultKind::ResultClash { key: key.to_owned(), first: id(first), second: id(second) };
        Fault::new(kind, self.draft.steps.get(second.get()).and_then(|step| step.at))
    }

    /// The keys that a step surely may write into the context.
    fn written(&self, step: StepIndex) -> Vec<&str> {
        let described = &self.definition.steps()[step.get()];
        match (&described.output_mapping, self.signatures[step.get()].and_then(|signature| signature.reply)) {
            (Some(outputs), _) => outputs.iter().map(|(key, _)| &**key).collect(),
            (None, Some(reply)) if described.map.is_none() => Shape::new(reply).properties().collect(),
            _ => Vec::new(),
        }
    }

    /// A path is wrong where it stands; a constant or an unknown parameter where the parameter is named.
    fn place_of_input(&self, index: usize, key: &str, kind: &FaultKind) -> Option<Position> {
        let step = self.draft.steps.get(index)?;
        let (key, source) = step.input_mapping.iter().find(|(other, _)| other.value == key)?;
        match (&source.value, kind) {
            (SourceDraft::Path(_), FaultKind::TypeMismatch { .. } | FaultKind::UnknownResult { .. }) => source.at,
            _ => key.at,
        }
    }
}

fn unknown_operation(field: String, handler: &Handler, absent: Absent) -> FaultKind {
    let name = handler.name();
    let (reason, near) = match absent {
        Absent::Module { offered } => {
            (format!("there is no module `{}`", handler.module()), nearest(name, offered.iter().map(String::as_str)))
        }
        Absent::Operation { offered } => {
            let reason = format!("`{}` has no operation `{}`", handler.module(), handler.operation());
            (reason, nearest(name, offered.iter().map(String::as_str)))
        }
        Absent::Version { there } => {
            let there: Vec<_> = there.iter().map(Version::to_string).collect();
            (format!("there is only {}", there.join(", ")), None)
        }
    };
    FaultKind::UnknownOperation { field, handler: handler.to_string(), reason, near }
}
