//! A shared list of values.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{Value, dismantle};

/// A list of values that is shared by its clones; read it as a slice.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Array(
    /// Nothing is an empty list. The reference is taken out when the list is dropped.
    Option<Arc<Vec<Value>>>,
);

impl Array {
    /// Whether both are the same list in memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// The items, if nobody else holds them; it is empty afterwards.
    pub(super) fn take_last(&mut self) -> Vec<Value> {
        self.0.take().and_then(Arc::into_inner).unwrap_or_default()
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        dismantle(self.take_last().into_iter());
    }
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.0.as_ref().map_or(&[], |items| items.as_slice())
    }
}

impl From<Vec<Value>> for Array {
    fn from(items: Vec<Value>) -> Self {
        Self((!items.is_empty()).then(|| Arc::new(items)))
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Value::Array(self.clone()), f)
    }
}
