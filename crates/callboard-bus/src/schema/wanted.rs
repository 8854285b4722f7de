//! What a schema wants in the place of a payload that is no object: [`WantedObject`]. Pure.

use std::fmt;

use serde_json::Value as Json;

/// An object, with the names of what has to be in it: the words of whoever calls by name, who knows no type of Rust.
pub(crate) struct WantedObject<'s>(Vec<&'s str>);

impl<'s> WantedObject<'s> {
    /// Nothing where the schema does not want an object.
    pub(crate) fn by(schema: &'s Json) -> Option<Self> {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
        (schema["type"] == "object").then(|| Self(required.collect()))
    }
}

/// `an object with `sku` and `pieces``
impl fmt::Display for WantedObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")?;
        match self.0.split_last() {
            None => Ok(()),
            Some((only, [])) => write!(f, " with `{only}`"),
            Some((last, others)) => write!(f, " with `{}` and `{last}`", others.join("`, `")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_names_what_has_to_be_there() {
        let wanted = |schema: Json| WantedObject::by(&schema).map(|wanted| wanted.to_string());
        assert_eq!(wanted(json!({ "type": "object" })).as_deref(), Some("an object"));
        assert_eq!(wanted(json!({ "type": "object", "required": ["a"] })).as_deref(), Some("an object with `a`"));
        let three = wanted(json!({ "type": "object", "required": ["a", "b", "c"] }));
        assert_eq!(three.as_deref(), Some("an object with `a`, `b` and `c`"));
        assert_eq!((wanted(json!({ "type": "integer" })), wanted(json!(true))), (None, None));
    }
}
