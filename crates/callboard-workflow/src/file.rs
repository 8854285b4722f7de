//! The face of a definition as a YAML or JSON text: reads it into a draft in which every value knows its place. Pure.
//!
//! The reader looks only at types and names of fields; what the values mean, and whether they fit together, is checked by the
//! same code that checks definitions built in Rust. It goes on after a fault, so that a person sees all of them at
//! once. The shape of the file is published as [`SCHEMA`]; a test holds the two together.

mod fields;
mod node;
mod retry;
mod span;
mod step;

pub(crate) use self::span::At;
pub use self::span::Position;

use self::fields::{Field, Fields};
use self::node::{Kind, Node};
use self::step::step;
use crate::definition::Draft;
use crate::fault::{Fault, FaultKind};

/// The JSON Schema (draft 2020-12) of a definition's file.
pub const SCHEMA: &str = include_str!("../workflow.schema.json");

/// The fields of a definition.
const FIELDS: &[Field] = &[
    Field::required("workflow_id"),
    Field::optional("name"),
    Field::optional("description"),
    Field::required("version"),
    Field::optional("trigger_events"),
    Field::optional("timeout"),
    Field::optional("limits"),
    Field::required("steps"),
];

/// Reads a text into a draft, as far as that is possible, and says everything that is wrong with types and fields.
///
/// # Errors
///
/// A fault of the YAML or JSON itself, behind which nothing can be trusted.
pub(crate) fn read(text: &str) -> Result<(Draft, Vec<Fault>), Fault> {
    let root = node::parse(text)?;
    let mut reader = Reader::default();
    let draft = reader.definition(&root);
    Ok((draft, reader.faults))
}

/// Collects faults while it turns nodes into values.
#[derive(Debug, Default)]
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn definition(&mut self, root: &Node) -> Draft {
        let of = "the definition";
        let Some(fields) = self.fields(root, of, FIELDS) else { return Draft::default() };
        let steps = fields.get("steps").and_then(|node| Some((node.at, self.list(node, "`steps`")?)));
        let (steps_at, nodes) = steps.map_or((None, &[][..]), |(at, nodes)| (Some(at), nodes));
        Draft {
            workflow_id: self.text_field(&fields, "workflow_id", of),
            name: self.text_field(&fields, "name", of).map(|name| name.value),
            description: self.text_field(&fields, "description", of).map(|text| text.value),
            version: self.version(&fields),
            trigger_events: self.texts_field(&fields, "trigger_events", of),
            timeout: self.duration_field(&fields, "timeout", of),
            limits: self.limits(&fields),
            steps: nodes.iter().enumerate().map(|(index, node)| step(self, node, index)).collect(),
            steps_at,
        }
    }

    /// A version such as `1.0` is a number to YAML; what it says is still the best thing to name in the fault.
    fn version(&mut self, fields: &Fields<'_>) -> Option<At<String>> {
        match fields.get("version") {
            Some(Node { at, kind: Kind::Number(number), .. }) => Some(At::place(number.to_string(), *at)),
            _ => self.text_field(fields, "version", "the definition"),
        }
    }

    fn limits(&mut self, fields: &Fields<'_>) -> Vec<(At<String>, At<u32>)> {
        let Some(node) = fields.get("limits") else { return Vec::new() };
        let mut limits = Vec::new();
        for (key, value) in self.entries(node, "`limits`") {
            if let Some(at_once) = self.whole(value, &format!("the limit of `{}`", key.value)) {
                limits.push((key.clone(), at_once));
            }
        }
        limits
    }

    fn fault(&mut self, kind: FaultKind, at: Position) {
        self.faults.push(Fault::new(kind, Some(at)));
    }

    fn wrong<T>(&mut self, node: &Node, field: &str, expected: &'static str) -> Option<T> {
        let found = node.kind.name();
        self.fault(FaultKind::WrongType { field: field.to_owned(), expected, found }, node.at);
        None
    }
}

#[cfg(test)]
mod tests;
