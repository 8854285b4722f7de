//! What an expression says about a context.

use std::cmp::Ordering;

use thiserror::Error;

use super::{Node, Operator};
use crate::value::{Brief, Value};

/// An operator whose operands are of a kind that it does not take. Each names the part of the expression where that
/// happened, and what was found there.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Two values that have no order.
    #[error("no order between {left} and {right} in `{part}`; it takes two numbers or two strings")]
    Unordered {
        /// The part of the expression.
        part: String,
        /// The left side.
        left: String,
        /// The right side.
        right: String,
    },
    /// Something else where a boolean is needed.
    #[error("expected `{part}` to be true or false, found {found}")]
    NotBoolean {
        /// The part of the expression.
        part: String,
        /// What it is.
        found: String,
    },
    /// Something that cannot hold what was looked for.
    #[error(
        "nothing can be looked for in {within} with {item} in `{part}`; it takes an array, or an object or a string with a string"
    )]
    NotSearchable {
        /// The part of the expression.
        part: String,
        /// What was looked for.
        item: String,
        /// Where it was looked for.
        within: String,
    },
    /// Something that has no length.
    #[error("{found} has no length in `{part}`; it takes an array, an object or a string")]
    NoLength {
        /// The part of the expression.
        part: String,
        /// What was found.
        found: String,
    },
}

impl EvaluationError {
    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "validation_failed"
    }
}

type Evaluated = Result<Value, EvaluationError>;

impl Node {
    pub(super) fn evaluate(&self, context: &Value) -> Evaluated {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Path(path) => Ok(context.get(path).cloned().unwrap_or_default()),
            Self::List(items) => items.iter().map(|item| item.evaluate(context)).collect(),
            Self::Length(inner) => self.length(&inner.evaluate(context)?),
            Self::Not(inner) => Ok(Value::Bool(!inner.is_true(context)?)),
            Self::All(parts) => decide(parts, context, false),
            Self::Any(parts) => decide(parts, context, true),
            Self::Compare(left, operator, right) => {
                let (left, right) = (left.evaluate(context)?, right.evaluate(context)?);
                self.compare(&left, *operator, &right).map(Value::Bool)
            }
        }
    }

    pub(super) fn is_true(&self, context: &Value) -> Result<bool, EvaluationError> {
        let value = self.evaluate(context)?;
        value
            .as_bool()
            .ok_or_else(|| EvaluationError::NotBoolean { part: self.to_string(), found: Brief(&value).to_string() })
    }

    fn length(&self, of: &Value) -> Evaluated {
        match of {
            Value::String(text) => Ok(text.chars().count().into()),
            Value::Array(items) => Ok(items.len().into()),
            Value::Object(object) => Ok(object.len().into()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                Err(EvaluationError::NoLength { part: self.to_string(), found: Brief(of).to_string() })
            }
        }
    }

    fn compare(&self, left: &Value, operator: Operator, right: &Value) -> Result<bool, EvaluationError> {
        match operator {
            Operator::Equal => Ok(left == right),
            Operator::Unequal => Ok(left != right),
            Operator::Less => self.order(left, right).map(Ordering::is_lt),
            Operator::LessOrEqual => self.order(left, right).map(Ordering::is_le),
            Operator::Greater => self.order(left, right).map(Ordering::is_gt),
            Operator::GreaterOrEqual => self.order(left, right).map(Ordering::is_ge),
            Operator::In => self.find(left, right),
            Operator::Contains => self.find(right, left),
        }
    }

    fn order(&self, left: &Value, right: &Value) -> Result<Ordering, EvaluationError> {
        match (left, right) {
            (Value::Number(left), Value::Number(right)) => Ok(left.cmp(right)),
            (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
            _ => Err(EvaluationError::Unordered {
                part: self.to_string(),
                left: Brief(left).to_string(),
                right: Brief(right).to_string(),
            }),
        }
    }

    fn find(&self, item: &Value, within: &Value) -> Result<bool, EvaluationError> {
        match (item, within) {
            (_, Value::Array(items)) => Ok(items.contains(item)),
            (Value::String(key), Value::Object(object)) => Ok(object.contains_key(key)),
            (Value::String(part), Value::String(text)) => Ok(text.contains(&**part)),
            _ => Err(EvaluationError::NotSearchable {
                part: self.to_string(),
                item: Brief(item).to_string(),
                within: Brief(within).to_string(),
            }),
        }
    }
}

/// Looks at one part after the other until one decides the whole.
fn decide(parts: &[Node], context: &Value, decisive: bool) -> Evaluated {
    for part in parts {
        if part.is_true(context)? == decisive {
            return Ok(Value::Bool(decisive));
        }
    }
    Ok(Value::Bool(!decisive))
}
