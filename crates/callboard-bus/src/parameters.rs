//! What an operation takes, as a table: [`Parameters`]. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::redaction::OneLine;
use crate::schema;
use crate::value::{Array, Object};

/// What an operation takes, as a table instead of as a type: for those whose parameters are only known when the program runs, from
/// a file say. It becomes the same JSON Schema as a type with the same fields, and calls are held to it: what is missing, of
/// another type or not in the table is told all at once, and the handler is not called. See
/// [`Operation::parameters`](crate::Operation::parameters).
///
/// ```
/// use callboard_bus::{ParameterType, Parameters};
///
/// let table = Parameters::new()
///     .required("step_name", ParameterType::String, "Name of the step to execute")
///     .optional("parameters", ParameterType::Object, "What the step is given");
///
/// let written = r#"{
///     "step_name": { "type": "string", "required": true, "description": "Name of the step to execute" },
///     "parameters": { "type": "hashtable", "description": "What the step is given" }
/// }"#;
/// assert_eq!(serde_json::from_str::<Parameters>(written)?.schema(), table.schema());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a table does nothing by itself"]
pub struct Parameters {
    listed: Vec<(String, Parameter)>,
    takes_others: bool,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it has to be.
    #[serde(rename = "type", alias = "Type")]
    pub kind: ParameterType,
    /// Whether it must be there. One that need not be may be null as well.
    #[serde(default, alias = "Required")]
    pub required: bool,
    /// What it is for, in a sentence.
    #[serde(default, alias = "Description")]
    pub description: String,
}

/// What a parameter has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParameterType {
    /// Text: `String`.
    String,
    /// A whole number: `i64`.
    Integer,
    /// A number: `f64`.
    Number,
    /// True or false: `bool`.
    Boolean,
    /// Values of any kind, one after the other: [`Array`].
    Array,
    /// Values of any kind by their names, [`Object`]; also written `hashtable`.
    #[serde(alias = "hashtable")]
    Object,
    /// Anything: [`Value`](crate::Value).
    Any,
    /// A moment, as in RFC 3339: text like `2026-03-01T12:00:00Z`.
    Datetime,
    /// Bytes, `Vec<u8>`: an array of numbers from 0 to 255.
    Bytes,
    /// One of these words. Written `{ "enum": ["red", "green"] }`.
    Enum(Vec<String>),
}

impl Parameters {
    /// A table that says nothing: an operation without parameters.
    pub const fn new() -> Self {
        Self { listed: Vec::new(), takes_others: false }
    }

    /// One that must be there.
    pub fn required(self, name: impl Into<String>, kind: ParameterType, description: impl Into<String>) -> Self {
        self.with(name.into(), Parameter { kind, required: true, description: description.into() })
    }

    /// One that may be left out, or null.
    pub fn optional(self, name: impl Into<String>, kind: ParameterType, description: impl Into<String>) -> Self {
        self.with(name.into(), Parameter { kind, required: false, description: description.into() })
    }

    fn with(mut self, name: String, parameter: Parameter) -> Self {
        self.listed.push((name, parameter));
        self
    }

    /// Lets parameters pass that are not in the table, which are refused otherwise.
    pub fn allow_unknown(self) -> Self {
        Self { takes_others: true, ..self }
    }

    /// All of them, in the order in which they were listed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.listed.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// The JSON Schema (draft 2020-12) of a payload with these parameters.
    #[must_use]
    pub fn schema(&self) -> Json {
        let properties: Map<_, _> =
            self.listed.iter().map(|(name, parameter)| (name.clone(), parameter.schema())).collect();
        let required: Vec<_> = self.iter().filter(|(_, parameter)| parameter.required).map(|(name, _)| name).collect();
        let mut schema = json!({ "$schema": schema::DIALECT, "type": "object" });
        if !properties.is_empty() {
            schema["properties"] = properties.into();
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if !self.takes_others {
            schema["additionalProperties"] = false.into();
        }
        schema
    }

    /// Everything in it that cannot work.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.iter().filter_map(|(name, parameter)| fault(name, parameter, seen.insert(name))).collect()
    }
}

fn fault(name: &str, parameter: &Parameter, is_first: bool) -> Option<String> {
    let why = match &parameter.kind {
        _ if name.is_empty() => "it has no name",
        _ if name.len() > 128 => "its name is longer than 128 bytes",
        _ if name.contains(char::is_control) => "its name has a control character",
        _ if !is_first => "it is listed twice",
        ParameterType::Enum(words) if words.is_empty() => "it has no words to choose from",
        ParameterType::Enum(words) if words.iter().collect::<BTreeSet<_>>().len() < words.len() => {
            "a word stands twice"
        }
        _ => return None,
    };
    Some(format!("parameter `{}`: {why}", OneLine(name)))
}

impl Parameter {
    fn schema(&self) -> Json {
        let mut schema = self.kind.schema();
        if !self.required {
            allow_null(&mut schema);
        }
        if !self.description.is_empty() {
            // What stands for anything has no room for a word.
            schema = if schema == json!(true) { json!({}) } else { schema };
            schema["description"] = self.description.clone().into();
        }
        schema
    }
}

impl ParameterType {
    /// That of the type that stands beside it.
    fn schema(&self) -> Json {
        match self {
            Self::String => schema::inline::<String>(),
            Self::Integer => schema::inline::<i64>(),
            Self::Number => schema::inline::<f64>(),
            Self::Boolean => schema::inline::<bool>(),
            Self::Array => schema::inline::<Array>(),
            Self::Object => schema::inline::<Object>(),
            Self::Any => json!(true),
            Self::Datetime => json!({ "type": "string", "format": "date-time" }),
            Self::Bytes => schema::inline::<Vec<u8>>(),
            Self::Enum(words) => json!({ "type": "string", "enum": words }),
        }
    }
}

/// As a type does it of which there may be none.
fn allow_null(schema: &mut Json) {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Json::Array(words)) = schema.get_mut("enum") {
        words.push(Json::Null);
    }
}

/// By their names.
impl Serialize for Parameters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> serde::de::Visitor<'de> for Rows {
            type Value = Parameters;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("parameters by their names")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut rows: A) -> Result<Parameters, A::Error> {
                let mut parameters = Parameters::new();
                while let Some((name, parameter)) = rows.next_entry()? {
                    parameters = parameters.with(name, parameter);
                }
                Ok(parameters)
            }
        }
        deserializer.deserialize_map(Rows)
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;
    use crate::schema::of_message;
    use crate::value::Value;

    #[derive(JsonSchema)]
    #[schemars(inline)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Colour {
        Red,
        Green,
    }

    /// All that a table can say, as a type.
    #[derive(JsonSchema)]
    #[allow(dead_code)]
    struct Everything {
        /// Its text.
        text: String,
        whole: i64,
        number: f64,
        is: bool,
        list: Array,
        /// By name.
        by_name: Object,
        /// Whatever it is.
        anything: Value,
        #[schemars(extend("format" = "date-time"))]
        moment: String,
        bytes: Vec<u8>,
        colour: Colour,
        /// Its text, perhaps.
        maybe_text: Option<String>,
        maybe_whole: Option<i64>,
        maybe_list: Option<Array>,
        maybe_by_name: Option<Object>,
        maybe_anything: Option<Value>,
        maybe_bytes: Option<Vec<u8>>,
        maybe_colour: Option<Colour>,
    }

    fn everything() -> Parameters {
        use ParameterType as P;
        let colour = || P::Enum(vec!["red".to_owned(), "green".to_owned()]);
        let required = Parameters::new()
            .required("text", P::String, "Its text.")
            .required("whole", P::Integer, "")
            .required("number", P::Number, "")
            .required("is", P::Boolean, "")
            .required("list", P::Array, "")
            .required("by_name", P::Object, "By name.")
            .required("anything", P::Any, "Whatever it is.")
            .required("moment", P::Datetime, "")
            .required("bytes", P::Bytes, "")
            .required("colour", colour(), "");
        required
            .optional("maybe_text", P::String, "Its text, perhaps.")
            .optional("maybe_whole", P::Integer, "")
            .optional("maybe_list", P::Array, "")
            .optional("maybe_by_name", P::Object, "")
            .optional("maybe_anything", P::Any, "")
            .optional("maybe_bytes", P::Bytes, "")
            .optional("maybe_colour", colour(), "")
    }

    /// F-API-02: what a type says of itself beside its fields is its name.
    #[test]
    fn f_api_02_a_table_and_an_equal_type_give_the_same_schema() {
        let mut of_type = of_message::<Everything>();
        let spoken = of_type.as_object_mut().unwrap();
        assert_eq!(spoken.remove("title"), Some("Everything".into()));
        spoken.remove("description");
        assert_eq!(everything().schema(), of_type);
        let written = serde_json::to_string(&everything()).unwrap();
        assert_eq!(serde_json::from_str::<Parameters>(&written).unwrap().schema(), of_type);
    }

    #[test]
    fn what_cannot_work_is_told() {
        let words = |words: &[&str]| ParameterType::Enum(words.iter().map(ToString::to_string).collect());
        let table = Parameters::new()
            .required("", ParameterType::Any, "")
            .required("a\nb", ParameterType::Any, "")
            .required("c", words(&[]), "")
            .required("d", words(&["x", "x"]), "")
            .optional("c", ParameterType::Any, "");
        assert_eq!(
            table.faults(),
            [
                "parameter ``: it has no name",
                "parameter `a\\nb`: its name has a control character",
                "parameter `c`: it has no words to choose from",
                "parameter `d`: a word stands twice",
                "parameter `c`: it is listed twice",
            ]
        );
        assert!(everything().faults().is_empty());
        let unknown = serde_json::from_str::<Parameters>(r#"{ "a": { "type": "strnig" } }"#).unwrap_err();
        assert!(unknown.to_string().contains("unknown variant `strnig`"), "{unknown}");
    }
}
