//! A shared map from text to values that keeps its order.
//!
//! Entries lie in one list. A handful of keys is found faster by looking at each than by any index; beyond that a second
//! list holds the positions in the order of the keys, for a binary search. Objects never change, so neither has to be
//! kept up to date, and there is no hash that an attacker could aim at.

use std::fmt;
use std::sync::Arc;

use super::{Value, dismantle};

/// Up to this many entries are searched one by one.
const FEW: usize = 8;

/// Values by key, in the order in which the keys were first put in; shared by its clones.
#[derive(Clone, Default)]
pub struct Object(
    /// Nothing is an empty object. The reference is taken out when the object is dropped.
    Option<Arc<Entries>>,
);

struct Entries {
    list: Vec<Entry>,
    /// Positions in the order of their keys; empty for a short list.
    sorted: Box<[u32]>,
}

type Entry = (Arc<str>, Value);

impl Object {
    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entries = self.0.as_ref()?;
        entries.position(key).map(|at| &entries.list[at].1)
    }

    /// Whether there is such a key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> + DoubleEndedIterator {
        self.entries().iter().map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> + DoubleEndedIterator {
        self.entries().iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.entries().iter().map(|(_, value)| value)
    }

    /// The same entries and one more, or another value for a key that is there.
    #[must_use]
    pub fn with(&self, key: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        let more = std::iter::once((key.into(), value.into()));
        self.entries().iter().cloned().chain(more).collect()
    }

    /// The entries of both. Where both have a key it keeps its place, with the value of `other`; nothing below the top
    /// level is merged. The values are shared with the two.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (_, true) => self.clone(),
            (true, false) => other.clone(),
            (false, false) => self.entries().iter().chain(other.entries()).cloned().collect(),
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        self.0.as_ref().map_or(&[], |entries| entries.list.as_slice())
    }

    /// Whether both are the same object in memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// The values, if nobody else holds them; it is empty afterwards.
    pub(super) fn take_last(&mut self) -> impl Iterator<Item = Value> + use<> {
        let last = self.0.take().and_then(Arc::into_inner);
        last.into_iter().flat_map(|entries| entries.list).map(|(_, value)| value)
    }

    /// Entries whose keys may not repeat.
    ///
    /// # Errors
    ///
    /// A key that does.
    pub(crate) fn from_unique(list: Vec<Entry>) -> Result<Self, Arc<str>> {
        let sorted = index(&list);
        match repeated(&list, &sorted).cloned() {
            Some(key) => Err(key),
            None => Ok(Self::from_parts(list, sorted)),
        }
    }

    /// Entries whose keys may repeat.
    fn from_entries(list: Vec<Entry>) -> Self {
        if list.is_empty() {
            return Self::default();
        }
        let sorted = index(&list);
        if repeated(&list, &sorted).is_none() { Self::from_parts(list, sorted) } else { without_repeated(list) }
    }

    fn from_parts(list: Vec<Entry>, sorted: Box<[u32]>) -> Self {
        Self((!list.is_empty()).then(|| Arc::new(Entries { list, sorted })))
    }
}

impl Entries {
    fn position(&self, key: &str) -> Option<usize> {
        if self.sorted.is_empty() {
            return self.list.iter().position(|(known, _)| **known == *key);
        }
        let found = self.sorted.binary_search_by(|&at| (*self.list[at as usize].0).cmp(key)).ok()?;
        Some(self.sorted[found] as usize)
    }
}

/// The positions in the order of their keys, and of equal keys in the order of the list.
fn sort(list: &[Entry]) -> Vec<u32> {
    // A list of four billion entries does not fit into memory that could be addressed by them.
    let mut sorted: Vec<u32> = (0..list.len()).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
    sorted.sort_by(|&one, &other| list[one as usize].0.cmp(&list[other as usize].0));
    sorted
}

/// The index that a list needs; a short one has none.
fn index(list: &[Entry]) -> Box<[u32]> {
    if list.len() > FEW { sort(list).into() } else { Box::default() }
}

/// A key that comes twice.
fn repeated<'a>(list: &'a [Entry], sorted: &[u32]) -> Option<&'a Arc<str>> {
    let mut keys = list.iter().map(|(key, _)| key).enumerate();
    if list.len() <= FEW {
        return keys.find(|(at, key)| list[..*at].iter().any(|(other, _)| other == *key)).map(|(_, key)| key);
    }
    let twice = sorted.windows(2).find(|pair| list[pair[0] as usize].0 == list[pair[1] as usize].0)?;
    Some(&list[twice[0] as usize].0)
}

/// Of each key the first place and the last value.
fn without_repeated(mut list: Vec<Entry>) -> Object {
    let mut kept = vec![true; list.len()];
    for pair in sort(&list).windows(2).rev() {
        let (earlier, later) = (pair[0] as usize, pair[1] as usize);
        if list[earlier].0 == list[later].0 {
            list[earlier].1 = std::mem::take(&mut list[later].1);
            kept[later] = false;
        }
    }
    let mut kept = kept.into_iter();
    list.retain(|_| kept.next().unwrap_or(true));
    let sorted = index(&list);
    Object::from_parts(list, sorted)
}

impl Drop for Object {
    fn drop(&mut self) {
        let Some(Entries { list, .. }) = self.0.take().and_then(Arc::into_inner) else { return };
        // What holds no containers goes no deeper.
        if list.iter().any(|(_, value)| value.is_container()) {
            dismantle(list.into_iter().map(|(_, value)| value));
        }
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// A key that comes again keeps its first place and gets the last value.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::from_entries(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Object {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl PartialEq for Object {
    /// The order of the keys does not count.
    fn eq(&self, other: &Self) -> bool {
        Value::Object(self.clone()) == Value::Object(other.clone())
    }
}

impl Eq for Object {}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Value::Object(self.clone()), f)
    }
}
