//! Why a value could not become something else, or something else a value, and where.

use std::error::Error;
use std::fmt;

use serde::{de, ser};

use super::brief::Shortened;
use super::{Path, Segment};
use crate::redaction::OneLine;

/// What does not fit, with the way to it: `at data.items[3].price: expected f64, found string "x"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// From the inside out, as it is found on the way back.
    way: Vec<Segment>,
    reason: String,
}

impl ValueError {
    pub(crate) fn new(reason: impl fmt::Display) -> Self {
        Self { way: Vec::new(), reason: reason.to_string() }
    }

    /// The same fault, seen from one level further out.
    pub(crate) fn inside(mut self, segment: impl Into<Segment>) -> Self {
        self.way.push(segment.into());
        self
    }

    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "validation_failed"
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> Path {
        self.way.iter().rev().cloned().collect()
    }

    /// What it is, without the place.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.way.is_empty() {
            write!(f, "at {}: ", self.path())?;
        }
        OneLine(&self.reason).fmt(f)
    }
}

impl Error for ValueError {}

impl ser::Error for ValueError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason)
    }
}

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format_args!("expected {expected}, found {}", Found(found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format_args!("expected {expected}, found {}", Found(found)))
    }
}

/// A value by its face, but no longer than a line: it may be somebody's whole document.
struct Found<'a>(de::Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            de::Unexpected::Unit => f.write_str("null"),
            de::Unexpected::Map => f.write_str("an object"),
            de::Unexpected::Seq => f.write_str("an array"),
            de::Unexpected::Str(text) => write!(f, "string {}", Shortened(text)),
            other => other.fmt(f),
        }
    }
}
