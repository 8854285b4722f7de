//! Schemas of objects that let nothing pass but what they name. Pure.

use serde_json::{Map, Value as Json};

/// Keywords beside which a schema does not show by itself which properties there may be, or says it already.
const SAYS_OTHERWISE: [&str; 11] = [
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "dependentSchemas",
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
];

/// The schema, which refuses properties that it does not name; as it was where it is not plainly one of an object, or says
/// itself what it does with others.
pub(crate) fn closed(mut schema: Json) -> Json {
    if let Some(keywords) = schema.as_object_mut().filter(|keywords| is_open(keywords)) {
        keywords.insert("additionalProperties".to_owned(), false.into());
    }
    schema
}

fn is_open(keywords: &Map<String, Json>) -> bool {
    let is_object = keywords.get("type").is_some_and(|kind| kind == "object");
    is_object && SAYS_OTHERWISE.iter().all(|keyword| !keywords.contains_key(*keyword))
}

/// The names that a closed schema lets pass; nothing where it is not closed.
pub(crate) fn known(schema: &Json) -> Option<Box<[Box<str>]>> {
    let is_closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
    let named = schema.get("properties").and_then(Json::as_object);
    let names = named.into_iter().flat_map(Map::keys).map(|name| name.as_str().into());
    (is_closed && schema.get("patternProperties").is_none()).then(|| names.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;
    use crate::schema::of_message;
    use crate::value::Object;

    #[derive(JsonSchema)]
    struct Nothing {}

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Order {
        item: String,
        #[serde(flatten)]
        place: Place,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Place {
        street: String,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct WithOthers {
        item: String,
        #[serde(flatten)]
        others: BTreeMap<String, u8>,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct WithAnything {
        item: String,
        #[serde(flatten)]
        others: Object,
    }

    #[derive(JsonSchema)]
    #[schemars(extend("additionalProperties" = true))]
    #[allow(dead_code)]
    struct Open {
        item: String,
    }

    #[derive(JsonSchema)]
    #[serde(tag = "kind")]
    #[allow(dead_code)]
    enum Tagged {
        One { item: String },
    }

    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct WithOneOf {
        item: String,
        #[serde(flatten)]
        one: Tagged,
    }

    #[test]
    fn what_names_all_its_fields_lets_no_others_pass() {
        let names =
            |schema: Json| known(&schema).map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(of_message::<Nothing>()), Some(vec![]));
        assert_eq!(names(of_message::<Order>()), Some(vec!["item".to_owned(), "street".to_owned()]));
    }

    #[test]
    fn what_says_that_there_may_be_others_is_left_alone() {
        let open = [
            of_message::<WithOthers>(),
            of_message::<WithAnything>(),
            of_message::<Open>(),
            of_message::<WithOneOf>(),
            of_message::<BTreeMap<String, u8>>(),
            of_message::<Object>(),
            of_message::<Tagged>(),
            of_message::<Option<Order>>(),
            of_message::<u8>(),
            closed(json!(true)),
            json!({ "type": "object", "patternProperties": { "^x": true }, "additionalProperties": false }),
        ];
        for schema in open {
            assert_eq!(known(&schema), None, "{schema:#}");
        }
    }
}
