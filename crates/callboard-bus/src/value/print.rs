//! Values as compact JSON text, without recursion.

use std::fmt;
use std::slice::Iter;
use std::sync::Arc;

use super::{Quoted, Value};

impl fmt::Display for Value {
    /// Compact JSON, with the keys in their order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut open = Vec::new();
        let mut next = Some(self);
        loop {
            if let Some(value) = next {
                open.extend(Open::begin(value, f)?);
            }
            let Some(innermost) = open.last_mut() else { return Ok(()) };
            next = innermost.step(f)?;
            if next.is_none() {
                open.pop();
            }
        }
    }
}

impl fmt::Debug for Value {
    /// The same as its `Display`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A container whose opening bracket is printed.
struct Open<'a> {
    rest: Rest<'a>,
    is_first: bool,
}

enum Rest<'a> {
    Array(Iter<'a, Value>),
    Object(Iter<'a, (Arc<str>, Value)>),
}

impl<'a> Open<'a> {
    /// Prints a value that has no children, or the beginning of one that may have some.
    fn begin(value: &'a Value, f: &mut fmt::Formatter<'_>) -> Result<Option<Self>, fmt::Error> {
        let (bracket, rest) = match value {
            Value::Null => return f.write_str("null").map(|()| None),
            Value::Bool(flag) => return write!(f, "{flag}").map(|()| None),
            Value::Number(number) => return write!(f, "{number}").map(|()| None),
            Value::String(text) => return write!(f, "{}", Quoted(text)).map(|()| None),
            Value::Array(items) => ("[", Rest::Array(items.iter())),
            Value::Object(object) => ("{", Rest::Object(object.entries().iter())),
        };
        f.write_str(bracket)?;
        Ok(Some(Self { rest, is_first: true }))
    }

    /// Prints what stands before the next child, or the end.
    fn step(&mut self, f: &mut fmt::Formatter<'_>) -> Result<Option<&'a Value>, fmt::Error> {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        match &mut self.rest {
            Rest::Array(items) => match items.next() {
                Some(value) => f.write_str(comma).map(|()| Some(value)),
                None => f.write_str("]").map(|()| None),
            },
            Rest::Object(entries) => match entries.next() {
                Some((key, value)) => write!(f, "{comma}{}:", Quoted(key)).map(|()| Some(value)),
                None => f.write_str("}").map(|()| None),
            },
        }
    }
}
