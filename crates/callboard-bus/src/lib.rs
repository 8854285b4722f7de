//! The parts that modules and workflows share: values, conditions over them, retries, and payloads as bytes.
//!
//! Everything here is pure: time and random draws are arguments, nothing waits, and no input makes it panic.
//!
//! | concept | type |
//! |---|---|
//! | a payload that is shared instead of copied | [`Value`], [`Object`], [`Array`], [`Number`] |
//! | where something lies in it | [`Path`], [`Segment`] |
//! | typed data into a value and out of it | [`Value::from_serialize`], [`from_value`], [`ValueError`] |
//! | a condition over a value | [`Expression`], [`EvaluationError`] |
//! | payloads as MessagePack or JSON, from senders who are not trusted | [`codec`], [`codec::Limits`] |
//! | when to try again | [`RetryPolicy`], [`retry::Retry`], [`RetryBudget`] |
//!
//! ```
//! use callboard_bus::codec::{Limits, decode_value};
//! use callboard_bus::{Expression, Object, Value, from_value};
//!
//! // A step answered in MessagePack: { "rows": [3, 4] }.
//! let output = decode_value(b"\x81\xa4rows\x92\x03\x04", &Limits::default())?;
//! let context = Value::from(Object::from([("output", output)]));
//!
//! assert!(Expression::parse("len(output.rows) > 1 and 4 in output.rows")?.is_true(&context)?);
//! let rows = context.get(&"output.rows".parse()?).cloned().unwrap_or_default();
//! assert_eq!(from_value::<Vec<u8>>(&rows)?, [3, 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What this crate does not do
//!
//! It waits for nothing and sends nothing: who sleeps until a retry is due, or carries bytes to another process, calls
//! it. An [`Expression`] is no programming language, it has no loops and no functions of users. A [`Value`] is no
//! document store: it has no bytes of its own, no dates and no references, and one that is too large for a message
//! belongs into a store. Nothing here migrates one version of a message to another.

pub mod codec;
pub mod expression;
pub mod retry;
pub mod value;

pub use self::codec::CodecError;
pub use self::expression::{EvaluationError, Expression, ExpressionError};
pub use self::retry::{RetryBudget, RetryPolicy};
pub use self::value::{Array, NotFinite, Number, Object, Path, PathError, Segment, Value, ValueError, from_value};
