//! Whether a JSON document is a schema that may be trusted to be one. Pure.

use serde_json::Value as Json;
use thiserror::Error;

use crate::redaction::OneLine;

/// Deeper ones are refused.
const MOST_LEVELS: usize = 64;
/// Larger ones are refused.
const MOST_PARTS: usize = 20_000;

/// Why a document is no JSON Schema of the draft 2020-12 that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {}", OneLine(if path.is_empty() { "/" } else { path }), OneLine(reason))]
#[non_exhaustive]
pub struct InvalidSchema {
    /// A JSON Pointer into the document.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// Whether this is a JSON Schema of the draft 2020-12. One that refers to other documents is refused, as nothing is ever
/// fetched to read a schema.
///
/// # Errors
///
/// The first fault, with its place.
pub fn check(schema: &Json) -> Result<(), InvalidSchema> {
    check_parts(schema)?;
    jsonschema::draft202012::meta::validate(schema).map_err(|fault| {
        // The text must not repeat what is wrong, which may be long.
        InvalidSchema { path: fault.instance_path().to_string(), reason: fault.masked().to_string() }
    })
}

/// Size, depth and references, before anything else looks at it.
fn check_parts(schema: &Json) -> Result<(), InvalidSchema> {
    let mut pending = vec![(String::new(), schema, 0)];
    let mut parts = 0;
    while let Some((path, part, depth)) = pending.pop() {
        parts += 1;
        if depth > MOST_LEVELS || parts > MOST_PARTS {
            let reason = format!("more than {MOST_LEVELS} levels or {MOST_PARTS} parts");
            return Err(InvalidSchema { path, reason });
        }
        if let Some(reason) = foreign_reference(part) {
            return Err(InvalidSchema { path, reason });
        }
        pending.extend(children(part).map(|(step, child)| (format!("{path}/{step}"), child, depth + 1)));
    }
    Ok(())
}

fn foreign_reference(part: &Json) -> Option<String> {
    let keyword = |keyword| part.get(keyword).and_then(Json::as_str);
    let dialect = keyword("$schema").map(|dialect| dialect.trim_end_matches('#'));
    if dialect.is_some_and(|dialect| dialect != super::DIALECT) {
        return Some(format!("it is not written in {}", super::DIALECT));
    }
    let mut references = ["$ref", "$dynamicRef"].into_iter().filter_map(keyword);
    references.any(|target| !target.starts_with('#')).then(|| "it refers to another document".to_owned())
}

fn children(part: &Json) -> Box<dyn Iterator<Item = (String, &Json)> + '_> {
    match part {
        Json::Array(items) => Box::new(items.iter().enumerate().map(|(index, item)| (index.to_string(), item))),
        Json::Object(entries) => {
            Box::new(entries.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)))
        }
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::check;
    use crate::schema::{of_input, of_output};

    fn fault(schema: &Json) -> (String, String) {
        let fault = check(schema).unwrap_err();
        (fault.path, fault.reason)
    }

    #[test]
    fn what_is_derived_is_valid() {
        assert_eq!(check(&of_input::<Vec<Option<u8>>>()), Ok(()));
        assert_eq!(check(&of_output::<Result<String, (u8, bool)>>()), Ok(()));
        assert_eq!(check(&json!(true)), Ok(()));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        assert_eq!(fault(&json!({ "properties": { "a/b": { "type": "text" } } })).0, "/properties/a~1b/type");
        assert_eq!(fault(&json!({ "minimum": "low" })).0, "/minimum");
        assert_eq!(fault(&json!(7)).0, "");
        let away = json!({ "items": [{ "$ref": "http://example.com/other.json" }] });
        assert_eq!(fault(&away), ("/items/0".to_owned(), "it refers to another document".to_owned()));
        let deep = (0..100).fold(json!({}), |inner, _| json!({ "items": inner }));
        assert!(fault(&deep).1.starts_with("more than 64 levels"));
        let away = json!({ "a\nb": { "$ref": "other.json" } });
        assert_eq!(check(&away).unwrap_err().to_string(), "/a\\nb: it refers to another document");
        let old = json!({ "$schema": "http://json-schema.org/draft-07/schema#" });
        assert!(fault(&old).1.starts_with("it is not written in https://json-schema.org/draft/2020-12"));
    }
}
