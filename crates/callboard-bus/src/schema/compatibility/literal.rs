//! An output of which the value is known.

use std::ptr;

use serde_json::{Map, Value as Json};

use super::types::Types;
use crate::value::{Number, Value};

#[derive(Clone, Copy, Debug)]
pub(super) enum Literal<'a> {
    Value(&'a Json),
    /// The name of a property.
    Name(&'a str),
}

impl<'a> Literal<'a> {
    pub(super) fn types(self) -> Types {
        match self {
            Self::Value(value) => Types::of(value),
            Self::Name(_) => Types::STRING,
        }
    }

    /// What tells it from any other while the documents are there.
    pub(super) fn key(self) -> usize {
        match self {
            Self::Value(value) => ptr::from_ref(value).addr(),
            Self::Name(name) => name.as_ptr().addr(),
        }
    }

    /// Numbers are the same by what they are worth.
    pub(super) fn is(self, value: &Json) -> bool {
        match self {
            Self::Value(own) => own == value || Value::from(own.clone()) == Value::from(value.clone()),
            Self::Name(name) => value.as_str() == Some(name),
        }
    }

    pub(super) fn is_the_same_as(self, other: Self) -> bool {
        match other {
            Self::Value(value) => self.is(value),
            Self::Name(name) => self.text() == Some(name),
        }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Name(name) => Some(name),
        }
    }

    pub(super) fn number(self) -> Option<Number> {
        if let Self::Value(value) = self { number(value) } else { None }
    }

    pub(super) fn items(self) -> Option<&'a [Json]> {
        if let Self::Value(Json::Array(items)) = self { Some(items) } else { None }
    }

    pub(super) fn entries(self) -> Option<&'a Map<String, Json>> {
        if let Self::Value(Json::Object(entries)) = self { Some(entries) } else { None }
    }
}

/// The number, exact.
pub(super) fn number(value: &Json) -> Option<Number> {
    let Json::Number(number) = value else { return None };
    let whole = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
    whole.or_else(|| Number::try_from(number.as_f64()?).ok())
}

/// A count; it may be written as a float.
pub(super) fn count(value: &Json) -> Option<u64> {
    let float = |value: f64| (value.fract() == 0.0 && (0.0..=1e15).contains(&value)).then_some(value as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(float))
}
