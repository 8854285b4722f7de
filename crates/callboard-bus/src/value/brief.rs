//! A value in a line of an error message.

use std::fmt;

use super::Value;

/// Names a value by its kind and, if it is not a container, its beginning: it may be somebody's whole document.
pub(crate) struct Brief<'a>(pub(crate) &'a Value);

/// Letters that are shown.
const LONGEST: usize = 40;

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Number(number) => write!(f, "the number {number}"),
            Value::String(text) => write!(f, "the string {}", Shortened(text)),
            Value::Array(items) => write!(f, "an array of {}", items.len()),
            Value::Object(object) => write!(f, "an object of {}", object.len()),
        }
    }
}

/// A text in quotes, cut short.
pub(super) struct Shortened<'a>(pub(super) &'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{:?} and so on", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}
