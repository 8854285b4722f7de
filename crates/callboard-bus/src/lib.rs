//! Modules as actors that find each other: values, expressions, retry schedules and pictures to begin with.

pub mod codec;
pub mod expression;
pub mod retry;
pub mod value;

pub use self::expression::{EvaluationError, Expression, ExpressionError};
pub use self::retry::{RetryBudget, RetryPolicy};
pub use self::value::{Array, NotFinite, Number, Object, Path, PathError, Segment, Value, ValueError, from_value};
