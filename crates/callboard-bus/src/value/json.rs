//! From and to the value of serde_json.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Number, Object, Value, ValueError, from_value};

impl From<Json> for Value {
    /// Takes no stack for depth. A number that is out of the range of an `f64`, which serde_json can hold only with its
    /// feature `arbitrary_precision`, becomes null.
    fn from(json: Json) -> Self {
        let mut open: Vec<Open> = Vec::new();
        let mut next = Some(json);
        loop {
            let done = match next {
                Some(json) => Open::begin(json, &mut open),
                None => open.pop().map(Open::end),
            };
            match (done, open.last_mut()) {
                (Some(value), Some(innermost)) => innermost.put(value),
                (Some(value), None) => return value,
                (None, _) => {}
            }
            next = open.last_mut().and_then(Open::next);
        }
    }
}

impl TryFrom<&Value> for Json {
    type Error = ValueError;

    /// # Errors
    ///
    /// A value nested deeper than [`Value::MAX_DEPTH`].
    fn try_from(value: &Value) -> Result<Self, ValueError> {
        from_value(value)
    }
}

/// A container that is on its way: what is left of the old one, and what is there of the new one.
enum Open {
    Array(std::vec::IntoIter<Json>, Vec<Value>),
    Object(serde_json::map::IntoIter, Option<Arc<str>>, Vec<(Arc<str>, Value)>),
}

impl Open {
    /// A value without children as it is; for another one a container that is open.
    fn begin(json: Json, open: &mut Vec<Self>) -> Option<Value> {
        match json {
            Json::Null => Some(Value::Null),
            Json::Bool(flag) => Some(flag.into()),
            Json::Number(number) => Some(from_number(&number)),
            Json::String(text) => Some(text.into()),
            Json::Array(items) => {
                open.push(Self::Array(items.into_iter(), Vec::new()));
                None
            }
            Json::Object(entries) => {
                open.push(Self::Object(entries.into_iter(), None, Vec::new()));
                None
            }
        }
    }

    fn next(&mut self) -> Option<Json> {
        match self {
            Self::Array(rest, _) => rest.next(),
            Self::Object(rest, key, _) => {
                let (next, value) = rest.next()?;
                *key = Some(next.into());
                Some(value)
            }
        }
    }

    fn put(&mut self, value: Value) {
        match self {
            Self::Array(_, items) => items.push(value),
            Self::Object(_, key, entries) => entries.extend(key.take().map(|key| (key, value))),
        }
    }

    fn end(self) -> Value {
        match self {
            Self::Array(_, items) => items.into(),
            Self::Object(_, _, entries) => Object::from_iter(entries).into(),
        }
    }
}

fn from_number(number: &serde_json::Number) -> Value {
    let whole = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
    let any = whole.or_else(|| number.as_f64().and_then(|float| Number::try_from(float).ok()));
    any.map_or(Value::Null, Value::Number)
}
