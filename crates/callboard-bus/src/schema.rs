//! The JSON Schemas of messages and replies. Pure.

mod closed;
pub mod compatibility;
mod validation;
pub mod validity;
mod wanted;

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

pub use self::validation::SchemaFault;
pub(crate) use self::validation::{List, Validation};
pub(crate) use self::wanted::WantedObject;
use crate::value::{Array, Object, Value};

/// The draft that all of this is written in.
pub(crate) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What a payload has to look like to become a `T`, as JSON Schema of the draft 2020-12.
pub(crate) fn of_input<T: JsonSchema>() -> Json {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// The same of the message of an operation, whose fields are its parameters: one that is not among them is refused.
pub(crate) fn of_message<T: JsonSchema>() -> Json {
    closed::closed(of_input::<T>())
}

/// The same of a type that is part of another one.
pub(crate) fn inline<T: JsonSchema>() -> Json {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().subschema_for::<T>().to_value()
}

/// What a `T` looks like when it has become a payload.
pub(crate) fn of_output<T: JsonSchema>() -> Json {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// Anything will do.
impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// Values of any kind, one after the other.
impl JsonSchema for Array {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Array".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": true })
    }
}

/// Values of any kind by their names.
impl JsonSchema for Object {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Object".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true })
    }
}
