//! As much of JSON Schema as a mapping can be held against before there are values: types, properties, what is required. Pure.
//!
//! What is not understood (`anyOf`, conditions, references out of the document) is taken to allow anything, so a fault is
//! only found where there surely is one.

use callboard_bus::Value;
use serde_json::Value as Json;

/// References are followed so many times.
const HOPS: usize = 16;

/// Keywords beside which `properties` does not say everything.
const OPEN: [&str; 7] = ["anyOf", "oneOf", "allOf", "if", "$dynamicRef", "patternProperties", "unevaluatedProperties"];

/// A schema inside its document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    document: &'a Json,
    schema: &'a Json,
}

impl<'a> Shape<'a> {
    pub(super) fn new(document: &'a Json) -> Self {
        Self { document, schema: document }.resolved()
    }

    pub(super) fn required(self) -> impl Iterator<Item = &'a str> {
        self.schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str)
    }

    pub(super) fn properties(self) -> impl Iterator<Item = &'a str> {
        self.schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    pub(super) fn property(self, name: &str) -> Option<Self> {
        let schema = self.schema["properties"].get(name)?;
        Some(Self { schema, ..self }.resolved())
    }

    /// Whether properties that are not named are refused.
    pub(super) fn is_closed(self) -> bool {
        self.is_plain() && self.schema["additionalProperties"] == Json::Bool(false)
    }

    /// Whether it names all its properties, as far as one can tell: those of a struct.
    pub(super) fn is_record(self) -> bool {
        let additional = self.schema.get("additionalProperties");
        let names_all = self.schema["properties"].as_object().is_some_and(|properties| !properties.is_empty());
        self.is_plain() && names_all && additional.is_none_or(|additional| *additional == Json::Bool(false))
    }

    /// The types that it allows, if it says so.
    pub(super) fn types(self) -> Option<Vec<&'a str>> {
        match &self.schema["type"] {
            Json::String(one) => Some(vec![one]),
            Json::Array(several) => several.iter().map(Json::as_str).collect(),
            _ => None,
        }
    }

    fn is_plain(self) -> bool {
        OPEN.iter().all(|keyword| self.schema.get(keyword).is_none())
    }

    fn resolved(mut self) -> Self {
        for _ in 0..HOPS {
            let target = self.schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
            let Some(schema) = target.and_then(|pointer| self.document.pointer(pointer)) else { break };
            self.schema = schema;
        }
        self
    }
}

/// The narrowest type of a value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_whole().is_some() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value of one type can be one of the other. A number may be whole, so it fits where an integer is taken.
pub(super) fn fits(found: &str, expected: &str) -> bool {
    found == expected || matches!((found, expected), ("integer", "number") | ("number", "integer"))
}
