//! The types of JSON Schema.

use std::fmt;

use serde_json::Value as Json;

/// Some of the types of JSON Schema. A number is an integer when it has no fraction, however it is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Types(u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    /// A number that is no integer.
    pub(super) const FRACTION: Self = Self(8);
    pub(super) const NUMBER: Self = Self(12);
    pub(super) const STRING: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);
    pub(super) const ALL: Self = Self(127);

    const EACH: [Self; 7] =
        [Self::NULL, Self::BOOLEAN, Self::INTEGER, Self::FRACTION, Self::STRING, Self::ARRAY, Self::OBJECT];

    /// What stands beside `type`; nothing when that is neither a type nor a list of types.
    pub(super) fn read(types: &Json) -> Option<Self> {
        let one = |name: &Json| name.as_str().and_then(Self::named);
        match types {
            Json::Array(several) => several.iter().try_fold(Self(0), |all, name| Some(Self(all.0 | one(name)?.0))),
            name => one(name),
        }
    }

    pub(super) fn of(value: &Json) -> Self {
        match value {
            Json::Null => Self::NULL,
            Json::Bool(_) => Self::BOOLEAN,
            Json::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => Self::FRACTION,
            Json::Number(_) => Self::INTEGER,
            Json::String(_) => Self::STRING,
            Json::Array(_) => Self::ARRAY,
            Json::Object(_) => Self::OBJECT,
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether there is one of these among them.
    pub(super) const fn meets(self, other: Self) -> bool {
        !self.and(other).is_empty()
    }

    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        Self::EACH.into_iter().filter(move |one| self.meets(*one))
    }

    /// Whether they have so few values that a list holds them all.
    pub(super) fn are_listed_in(self, values: &[Json]) -> bool {
        self.each().all(|one| match one {
            Self::NULL => values.contains(&Json::Null),
            Self::BOOLEAN => [true, false].iter().all(|truth| values.contains(&Json::Bool(*truth))),
            _ => false,
        })
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::NULL => "null",
            Self::BOOLEAN => "boolean",
            Self::INTEGER => "integer",
            Self::STRING => "string",
            Self::ARRAY => "array",
            Self::OBJECT => "object",
            _ => "number",
        }
    }
}

/// `integer or null`.
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who takes numbers takes integers.
        let shown = if self.meets(Self::FRACTION) { self.without(Self::INTEGER) } else { *self };
        match shown {
            Self(0) => f.write_str("nothing"),
            _ if *self == Self::ALL => f.write_str("anything"),
            _ => f.write_str(&shown.each().map(Self::name).collect::<Vec<_>>().join(" or ")),
        }
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Types({self})")
    }
}
