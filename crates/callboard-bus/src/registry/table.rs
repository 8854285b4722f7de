//! Values by name, made anew at each change without copying them all: [`Table`].

use std::array;
use std::collections::HashMap;
use std::sync::Arc;

/// A change copies one part, and a word for each of the others: with thousands of names that is what it costs, as the
/// whole is not changed while somebody reads it.
const PARTS: usize = 64;

/// A table that is never changed but replaced.
pub(super) struct Table<V> {
    parts: [Arc<Part<V>>; PARTS],
}

type Part<V> = HashMap<Arc<str>, V>;

impl<V: Clone> Table<V> {
    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<&V> {
        self.parts[part(name)].get(name)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.parts.iter().flat_map(|part| part.values())
    }

    /// The same with this value under the name, or with none.
    pub(super) fn with(&self, name: &str, value: Option<V>) -> Self {
        let mut parts = self.parts.clone();
        let changed = Arc::make_mut(&mut parts[part(name)]);
        match value {
            Some(value) => changed.insert(name.into(), value),
            None => changed.remove(name),
        };
        Self { parts }
    }
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { parts: array::from_fn(|_| Arc::default()) }
    }
}

/// Which part a name belongs to; the table within it has the better hash.
#[inline]
fn part(name: &str) -> usize {
    name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % PARTS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Table;

    proptest! {
        #[test]
        fn every_table_stays_as_it_was_when_it_was_made(
            changes in prop::collection::vec(("[a-c]{0,3}", prop::option::of(any::<u8>())), 0..60),
        ) {
            let mut all = vec![(BTreeMap::new(), Table::<u8>::default())];
            for (name, value) in changes {
                let (model, table) = all.last().unwrap();
                let (mut model, table) = (model.clone(), table.with(&name, value));
                match value {
                    Some(value) => model.insert(name, value),
                    None => model.remove(&name),
                };
                all.push((model, table));
            }
            for (model, table) in &all {
                prop_assert!(model.iter().all(|(name, value)| table.get(name) == Some(value)));
                let mut values: Vec<_> = table.values().copied().collect();
                let mut expected: Vec<_> = model.values().copied().collect();
                values.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(values, expected);
            }
        }
    }
}
