//! A JSON value that is shared instead of copied: what a call by name carries and what workflow steps hand on.
//!
//! A clone of a [`Value`] is one more reference to the same text, array or object, whatever its size. Values never
//! change; [`Object::with`] and [`Object::merged`] make a new object that shares its entries with the old ones.
//!
//! ```
//! use callboard_bus::{Value, from_value};
//!
//! let order = Value::from_serialize(&serde_json::json!({ "items": [{ "price": 3 }, { "price": 4 }] }))?;
//! let path = "items[1].price".parse()?;
//! assert_eq!(order.get(&path), Some(&Value::from(4)));
//! let fault = from_value::<String>(&order).expect_err("an object is no text");
//! assert_eq!(fault.to_string(), "expected a string, found an object");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Depth
//!
//! A value built by hand may be nested as deeply as memory allows: dropping, comparing and printing one takes no stack.
//! What follows the types of serde cannot do without, so reading, serialising and converting end with an error at more
//! than [`Value::MAX_DEPTH`] levels.
//!
//! # Numbers
//!
//! Whole numbers from `i64::MIN` to `u64::MAX` are exact; all others are finite `f64`. Equality and order are those of
//! the numbers, not of their forms: 1 equals 1.0. JSON has no words for infinity and "not a number", and neither has a
//! [`Value`]: they are refused where they appear.

mod array;
mod brief;
mod depth;
mod fault;
mod json;
mod number;
mod object;
mod path;
mod print;
mod quoted;
mod read;
mod receive;
mod same;
mod write;

use std::sync::Arc;

pub use self::array::Array;
pub(crate) use self::brief::Brief;
pub use self::fault::ValueError;
pub use self::number::{NotFinite, Number};
pub use self::object::Object;
pub(crate) use self::path::word_length;
pub use self::path::{Path, PathError, Segment};
use self::quoted::Quoted;
pub(crate) use self::quoted::read_quoted;
pub use self::read::from_value;
pub(crate) use self::receive::{Intake, Refusal};

/// A JSON value. See the head of this module.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`, and what a path leads to that leads nowhere.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text.
    String(Arc<str>),
    /// A list.
    Array(Array),
    /// Entries by key, in the order in which they were put in.
    Object(Object),
}

impl Value {
    /// How deeply a value may be nested that is read, serialised or converted; a value without arrays and objects has
    /// depth 0. It is as deep as serde_json reads.
    pub const MAX_DEPTH: usize = 127;

    /// The entry that `path` leads to. An array is entered by position, an object by key; null and a wrong kind lead
    /// nowhere.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Self> {
        self.descend(path.segments())
    }

    /// The same for some steps of a path.
    #[must_use]
    pub fn descend(&self, segments: &[Segment]) -> Option<&Self> {
        segments.iter().try_fold(self, |value, segment| value.child(segment))
    }

    /// What kind of value it is, as error messages name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean that it is.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The number that it is.
    #[must_use]
    pub const fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The text that it is.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The list that it is.
    #[must_use]
    pub const fn as_array(&self) -> Option<&Array> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The object that it is.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    fn child(&self, segment: &Segment) -> Option<&Self> {
        match self {
            Self::Array(items) => items.get(segment.index()?),
            Self::Object(object) => object.get(segment.key()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => None,
        }
    }

    const fn is_container(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Takes the children out of a container that nobody else holds, and leaves it empty.
    fn take_children(&mut self, into: &mut Vec<Self>) {
        match self {
            Self::Array(items) => into.extend(items.take_last().into_iter().filter(Self::is_container)),
            Self::Object(object) => into.extend(object.take_last().filter(Self::is_container)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
        }
    }
}

/// Drops the children of a container one level at a time, so that depth costs memory and no stack.
fn dismantle(children: impl Iterator<Item = Value>) {
    let mut pending: Vec<Value> = children.filter(Value::is_container).collect();
    while let Some(mut value) = pending.pop() {
        value.take_children(&mut pending);
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}

impl From<Array> for Value {
    fn from(items: Array) -> Self {
        Self::Array(items)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::Array(items.into())
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl<N: Into<Number>> From<N> for Value {
    fn from(number: N) -> Self {
        Self::Number(number.into())
    }
}

impl TryFrom<f64> for Value {
    type Error = NotFinite;

    fn try_from(number: f64) -> Result<Self, NotFinite> {
        Number::try_from(number).map(Self::Number)
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
