//! Conditions over a value: what a workflow step's `when`, a map's `over` and a subscription's filter say.
//!
//! ```
//! use callboard_bus::{Expression, Value};
//!
//! let big = Expression::parse("order.total >= 100 and not (order.country in ['XX', 'YY'])")?;
//! let context = Value::from(serde_json::json!({ "order": { "total": 120, "country": "NL" } }));
//! assert!(big.is_true(&context)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The language
//!
//! ```text
//! expression = all { "or" all }
//! all        = negation { "and" negation }
//! negation   = "not" negation | comparison
//! comparison = operand [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "contains" ) operand ]
//! operand    = literal | path | "len" "(" expression ")" | "(" expression ")" | list
//! literal    = "null" | "true" | "false" | number | text
//! list       = "[" [ expression { "," expression } ] "]"
//! path       = ( word | "$" ) { "." word | "[" position "]" | "[" text "]" }
//! number     = as in JSON
//! text       = as in JSON, in double or single quotes
//! word       = letters, digits, "_" and "-"; the first of a path begins with a letter or "_"
//! ```
//!
//! - A path begins at the keys of the context; `$` is the context itself, so `$["odd key"]` and `$.in` reach keys that
//!   are no words or are words of the language (`and or not in contains null true false`).
//! - A path that leads nowhere is `null`.
//! - `==` and `!=` compare anything: values of different kinds are unequal, 1 equals 1.0, and the order of an object's
//!   keys does not count.
//! - `<`, `<=`, `>` and `>=` order two numbers, or two texts by their letters' codes; anything else is an error.
//! - `x in y`, which is `y contains x`, looks for an item of an array, a key of an object or a part of a text.
//! - `len` counts the items of an array, the entries of an object or the letters of a text.
//! - `and`, `or` and `not` take booleans and nothing else; `and` and `or` look at their right side only when the left
//!   one leaves the outcome open.
//!
//! It is total: it has no loops, no functions of users, no input and no output, so an expression of at most
//! [`MAX_LENGTH`](Expression::MAX_LENGTH) bytes, nested at most [`MAX_DEPTH`](Expression::MAX_DEPTH) deep, ends soon.

mod evaluate;
mod parse;
mod print;
mod token;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

pub use self::evaluate::EvaluationError;
use crate::value::{Path, Value};

/// A condition, or anything else that follows from a context. See the head of this module.
#[derive(Clone, PartialEq, Eq)]
pub struct Expression(Node);

/// A text that is no expression.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpressionError {
    /// Something else should stand there.
    #[error("expected {expected} at byte {at}, found {found}")]
    Unexpected {
        /// The offset in bytes.
        at: usize,
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// Too many brackets or `not`s inside each other.
    #[error("nested deeper than {limit} levels at byte {at}")]
    TooDeep {
        /// The offset in bytes.
        at: usize,
        /// [`Expression::MAX_DEPTH`].
        limit: usize,
    },
    /// Too much text.
    #[error("{length} bytes are more than the {limit} of an expression")]
    TooLong {
        /// How many bytes it has.
        length: usize,
        /// [`Expression::MAX_LENGTH`].
        limit: usize,
    },
}

impl ExpressionError {
    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "validation_failed"
    }

    /// The offset in bytes of what is wrong.
    #[must_use]
    pub const fn at(&self) -> usize {
        match self {
            Self::Unexpected { at, .. } | Self::TooDeep { at, .. } => *at,
            Self::TooLong { limit, .. } => *limit,
        }
    }
}

impl Expression {
    /// How deeply expressions may be nested in each other.
    pub const MAX_DEPTH: usize = 64;
    /// How many bytes an expression may have.
    pub const MAX_LENGTH: usize = 4096;

    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// A text that does not follow the grammar, with the offset and what was expected there; a text that is too long or
    /// nested too deeply.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        parse::parse(text).map(Self)
    }

    /// What it says about a context.
    ///
    /// # Errors
    ///
    /// An operator whose operands are of a kind that it does not take.
    pub fn evaluate(&self, context: &Value) -> Result<Value, EvaluationError> {
        self.0.evaluate(context)
    }

    /// Whether it holds for a context.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate), and a result that is no boolean.
    pub fn is_true(&self, context: &Value) -> Result<bool, EvaluationError> {
        self.0.is_true(context)
    }

    /// The paths in it, in the order in which they are written: what it needs to know of a context.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let mut paths = Vec::new();
        self.0.collect_paths(&mut paths);
        paths.into_iter()
    }
}

/// Chains of `and` and `or` are flat, so that only what is nested in the text is nested here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Literal(Value),
    Path(Path),
    List(Vec<Node>),
    Length(Box<Node>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Compare(Box<Node>, Operator, Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Contains,
}

impl Node {
    fn collect_paths<'a>(&'a self, into: &mut Vec<&'a Path>) {
        match self {
            Self::Literal(_) => {}
            Self::Path(path) => into.push(path),
            Self::List(nodes) | Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter().for_each(|node| node.collect_paths(into));
            }
            Self::Length(inner) | Self::Not(inner) => inner.collect_paths(into),
            Self::Compare(left, _, right) => {
                left.collect_paths(into);
                right.collect_paths(into);
            }
        }
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        Self::parse(text)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({self})")
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
