//! Whether a payload is what a schema describes, with everything that is wrong. Pure.

use std::fmt;
use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde::Serialize;
use serde_json::Value as Json;

use super::closed::known;
use crate::redaction::OneLine;
use crate::value::Value;

/// So many faults of one payload are told at most.
const MOST: usize = 100;

/// One thing in a payload that its schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaFault {
    /// A JSON Pointer into the payload; empty for all of it.
    pub path: String,
    /// What is wrong there. It repeats nothing of the payload but the names of properties.
    pub reason: String,
}

impl SchemaFault {
    /// What cannot be looked at is not let pass.
    fn not_json() -> Self {
        Self { path: String::new(), reason: "it has no form as JSON, as it is nested too deeply".to_owned() }
    }
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        // Names of properties are the sender's, and this may be shown on a terminal.
        OneLine(&format!("{path}: {}", self.reason)).fmt(f)
    }
}

/// One after the other.
pub(crate) struct List<'a>(pub(crate) &'a [SchemaFault]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&faults.join("; "))
    }
}

/// What payloads are held to.
pub(crate) struct Validation {
    /// Compiled when a payload is first held to it; none where the schema is no schema.
    validator: OnceLock<Option<Validator>>,
    says_more: bool,
    /// The only names that are let pass, where the schema is closed and says no more.
    known: Option<Box<[Box<str>]>>,
}

impl Validation {
    pub(crate) fn new(schema: &Json) -> Self {
        Self { validator: OnceLock::new(), says_more: says_more(schema), known: known(schema) }
    }

    /// What every payload is held to, whatever the type says that it becomes.
    pub(crate) const fn always() -> Self {
        Self { validator: OnceLock::new(), says_more: true, known: None }
    }

    /// Whether the schema asks for something that a value of the type need not have.
    #[inline]
    pub(crate) const fn says_more(&self) -> bool {
        self.says_more
    }

    /// Whether a payload that could be read as its type may still not be what the schema describes. Most schemas ask for
    /// no more than their type and a closed list of names, and are asked only to tell everything that is wrong.
    pub(crate) fn doubts(&self, payload: &Value) -> bool {
        self.says_more || self.known.as_ref().is_some_and(|known| has_others(payload, known))
    }

    /// Everything that is wrong, up to a hundred, by its place.
    pub(crate) fn faults(&self, schema: &Json, payload: &Value) -> Vec<SchemaFault> {
        self.faults_but(schema, payload, |_| false)
    }

    /// The same of a message that has its type. What the type sees to is left out: what a message is written as may have other
    /// names and other types than what it is read from.
    pub(crate) fn faults_of_message(&self, schema: &Json, shown: &Value) -> Vec<SchemaFault> {
        self.faults_but(schema, shown, is_of_type)
    }

    fn faults_but(
        &self,
        schema: &Json,
        payload: &Value,
        is_left_out: fn(&ValidationError<'_>) -> bool,
    ) -> Vec<SchemaFault> {
        let Some(validator) = self.validator.get_or_init(|| compiled(schema)) else { return Vec::new() };
        let Ok(payload) = serde_json::to_value(payload) else { return vec![SchemaFault::not_json()] };
        let faults = validator.iter_errors(&payload).filter(|fault| !is_left_out(fault)).take(MOST);
        let mut faults: Vec<_> = faults
            .map(|fault| SchemaFault { path: fault.instance_path().to_string(), reason: reason(&fault, &payload) })
            .collect();
        faults.sort_by(|one, other| one.path.cmp(&other.path));
        faults
    }
}

fn is_of_type(fault: &ValidationError<'_>) -> bool {
    match fault.kind() {
        ValidationErrorKind::Type { .. }
        | ValidationErrorKind::Required { .. }
        | ValidationErrorKind::AdditionalProperties { .. } => true,
        ValidationErrorKind::FalseSchema => is_of_others(fault),
        _ => false,
    }
}

/// Whether it is about a property that has no place there.
fn is_of_others(fault: &ValidationError<'_>) -> bool {
    fault.schema_path().as_str().ends_with("/additionalProperties")
}

fn has_others(payload: &Value, known: &[Box<str>]) -> bool {
    let Value::Object(object) = payload else { return false };
    object.keys().any(|name| known.iter().all(|known| **known != **name))
}

/// What is wrong, in words. Where nothing at all is allowed to be there, they are ours: they name what is.
fn reason(fault: &ValidationError<'_>, payload: &Json) -> String {
    let here = payload.pointer(fault.instance_path().as_str()).and_then(Json::as_object);
    match here.filter(|_| is_of_others(fault) && matches!(fault.kind(), ValidationErrorKind::FalseSchema)) {
        None => fault.masked().to_string(),
        Some(found) => {
            let names: Vec<_> = found.keys().map(|name| format!("'{name}'")).collect();
            format!("no properties are allowed, and there is {}", names.join(", "))
        }
    }
}

/// Dates, addresses and the like have to be what they are called; names that nobody knows say nothing.
fn compiled(schema: &Json) -> Option<Validator> {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).ok()
}

/// Keywords that few types of Rust ask for by themselves. Tuples, arrays, sets and `char` do, and are looked at in vain.
const MORE: [&str; 21] = [
    "multipleOf",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "contains",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "propertyNames",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "not",
    "if",
    "unevaluatedProperties",
];

/// Walks the schema: a keyword that asks for more, anywhere in it. The names of properties are no keywords.
fn says_more(schema: &Json) -> bool {
    let mut pending = vec![schema];
    while let Some(part) = pending.pop() {
        match part {
            Json::Object(keywords) => {
                let is_more = |(keyword, value): (&String, &Json)| {
                    MORE.contains(&keyword.as_str()) || limits(part, keyword, value)
                };
                if keywords.iter().any(is_more) {
                    return true;
                }
                for (keyword, value) in keywords {
                    match (keyword.as_str(), value) {
                        ("properties" | "$defs", Json::Object(named)) => pending.extend(named.values()),
                        ("const" | "enum" | "default" | "examples", _) => {}
                        _ => pending.push(value),
                    }
                }
            }
            Json::Array(parts) => pending.extend(parts),
            _ => {}
        }
    }
    false
}

/// Whether a limit of a number is another one than its type has.
fn limits(part: &Json, keyword: &str, limit: &Json) -> bool {
    let format = part.get("format").and_then(Json::as_str).unwrap_or_default();
    let own = match (keyword, format) {
        ("minimum", "uint" | "uint8" | "uint16" | "uint32" | "uint64" | "uint128") => Some(0.0),
        ("minimum", "int8") => Some(f64::from(i8::MIN)),
        ("minimum", "int16") => Some(f64::from(i16::MIN)),
        ("maximum", "int8") => Some(f64::from(i8::MAX)),
        ("maximum", "int16") => Some(f64::from(i16::MAX)),
        ("maximum", "uint8") => Some(f64::from(u8::MAX)),
        ("maximum", "uint16") => Some(f64::from(u16::MAX)),
        ("minimum" | "maximum", _) => None,
        _ => return false,
    };
    own.is_none() || limit.as_f64() != own
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;
    use crate::schema::of_input;

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Plain {
        byte: u8,
        short: i16,
        number: u64,
        size: Option<usize>,
        text: String,
        list: Vec<i8>,
        pattern: bool,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Narrow {
        #[schemars(range(min = 1, max = 5))]
        stars: u8,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Named {
        #[schemars(length(min = 1), regex(pattern = "^[a-z]+$"))]
        name: String,
        plain: Plain,
    }

    #[test]
    fn a_type_by_itself_asks_for_no_more() {
        assert!(!says_more(&of_input::<Plain>()), "{:#}", of_input::<Plain>());
        assert!(!says_more(&json!(true)));
        assert!(says_more(&of_input::<Narrow>()) && says_more(&of_input::<Named>()));
        assert!(!says_more(&json!({ "properties": { "minLength": true }, "enum": [{ "pattern": 1 }] })));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_its_place() {
        let schema = of_input::<Named>();
        let payload =
            json!({ "name": "A1", "plain": { "byte": 256, "short": "x", "number": 1, "text": "t", "list": [1000] } });
        let faults = Validation::new(&schema).faults(&schema, &payload.into());
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["/name", "/plain", "/plain/byte", "/plain/list/0", "/plain/short"]);
        assert!(faults.iter().all(|fault| !fault.to_string().contains("256")), "{faults:?}");
        let fine = json!({ "name": "a", "plain": { "byte": 1, "short": 1, "number": 1, "text": "t", "list": [], "pattern": true } });
        assert_eq!(Validation::new(&schema).faults(&schema, &fine.into()), []);
    }

    #[test]
    fn no_more_than_a_hundred_are_told() {
        let schema = json!({ "items": { "type": "string" } });
        let payload = Json::from(vec![1; 1000]);
        assert_eq!(Validation::new(&schema).faults(&schema, &payload.into()).len(), MOST);
        assert_eq!(Validation::new(&json!({ "type": 1 })).faults(&json!({ "type": 1 }), &1.into()), []);
    }
}
