//! A map in order whose clones share whatever has not changed since. Pure.
//!
//! A tree of nodes that never change, balanced by weight (Adams 1993, with the parameters of Hirai and Yamamoto 2011). A
//! clone costs a counter; a change makes anew the nodes on the way to its place, which are about as many as the length
//! has binary digits. Whoever reads a clone from before is in nobody's way.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::sync::Arc;

/// The map. See the head of this module.
#[derive(Debug)]
pub(crate) struct SharedMap<K, V>(Option<Arc<Node<K, V>>>);

#[derive(Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    /// The entries of the whole tree that begins here.
    len: usize,
    left: SharedMap<K, V>,
    right: SharedMap<K, V>,
}

impl<K, V> Clone for SharedMap<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K, V> SharedMap<K, V> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut at = self;
        while let Some(node) = &at.0 {
            at = match key.cmp(node.key.borrow()) {
                Ordering::Less => &node.left,
                Ordering::Greater => &node.right,
                Ordering::Equal => return Some(&node.value),
            };
        }
        None
    }

    /// Shows all entries, in the order of their keys.
    pub(crate) fn for_each<'a>(&'a self, visit: &mut impl FnMut(&'a K, &'a V)) {
        if let Some(node) = &self.0 {
            node.left.for_each(visit);
            visit(&node.key, &node.value);
            node.right.for_each(visit);
        }
    }

    /// The values, in the order of their keys.
    pub(crate) fn values(&self) -> Vec<&V> {
        let mut values = Vec::with_capacity(self.weight() - 1);
        self.for_each(&mut |_, value| values.push(value));
        values
    }

    /// One more than its entries, so that a tree without any has a weight as well.
    fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.len) + 1
    }
}

impl<K: Clone + Ord, V: Clone> SharedMap<K, V> {
    /// The same with one entry more, or with another value in one.
    #[must_use]
    pub(crate) fn with(&self, key: K, value: V) -> Self {
        let Some(node) = &self.0 else { return joined((key, value), Self::default(), Self::default()) };
        match key.cmp(&node.key) {
            Ordering::Less => balanced(node.entry(), node.left.with(key, value), node.right.clone()),
            Ordering::Greater => balanced(node.entry(), node.left.clone(), node.right.with(key, value)),
            Ordering::Equal => joined((key, value), node.left.clone(), node.right.clone()),
        }
    }

    /// The same without an entry.
    #[must_use]
    pub(crate) fn without<Q: Ord + ?Sized>(&self, key: &Q) -> Self
    where
        K: Borrow<Q>,
    {
        let Some(node) = &self.0 else { return Self::default() };
        match key.cmp(node.key.borrow()) {
            Ordering::Less => balanced(node.entry(), node.left.without(key), node.right.clone()),
            Ordering::Greater => balanced(node.entry(), node.left.clone(), node.right.without(key)),
            Ordering::Equal => match node.right.split_first() {
                Some((next, rest)) => balanced(next, node.left.clone(), rest),
                None => node.left.clone(),
            },
        }
    }

    /// The first entry, and the same without it.
    fn split_first(&self) -> Option<((K, V), Self)> {
        let node = self.0.as_deref()?;
        Some(match node.left.split_first() {
            Some((first, rest)) => (first, balanced(node.entry(), rest, node.right.clone())),
            None => (node.entry(), node.right.clone()),
        })
    }
}

impl<K: Clone, V: Clone> Node<K, V> {
    fn entry(&self) -> (K, V) {
        (self.key.clone(), self.value.clone())
    }
}

/// An entry between two trees that are balanced with each other.
fn joined<K, V>((key, value): (K, V), left: SharedMap<K, V>, right: SharedMap<K, V>) -> SharedMap<K, V> {
    let len = left.weight() + right.weight() - 1;
    SharedMap(Some(Arc::new(Node { key, value, len, left, right })))
}

/// How often one side may weigh as much as the other.
const HEAVIEST: usize = 3;

/// An entry between two trees that were balanced with each other before one of them got an entry more or less.
fn balanced<K: Clone, V: Clone>(entry: (K, V), left: SharedMap<K, V>, right: SharedMap<K, V>) -> SharedMap<K, V> {
    match (&left.0, &right.0) {
        (_, Some(heavy)) if right.weight() > HEAVIEST * left.weight() => lean_left(entry, left, heavy),
        (Some(heavy), _) if left.weight() > HEAVIEST * right.weight() => lean_right(entry, heavy, right),
        _ => joined(entry, left, right),
    }
}

/// Moves entries of the right tree to the left.
fn lean_left<K: Clone, V: Clone>(entry: (K, V), left: SharedMap<K, V>, heavy: &Node<K, V>) -> SharedMap<K, V> {
    match &heavy.left.0 {
        Some(middle) if heavy.left.weight() >= 2 * heavy.right.weight() => {
            let right = joined(heavy.entry(), middle.right.clone(), heavy.right.clone());
            joined(middle.entry(), joined(entry, left, middle.left.clone()), right)
        }
        _ => joined(heavy.entry(), joined(entry, left, heavy.left.clone()), heavy.right.clone()),
    }
}

/// Moves entries of the left tree to the right.
fn lean_right<K: Clone, V: Clone>(entry: (K, V), heavy: &Node<K, V>, right: SharedMap<K, V>) -> SharedMap<K, V> {
    match &heavy.right.0 {
        Some(middle) if heavy.right.weight() >= 2 * heavy.left.weight() => {
            let left = joined(heavy.entry(), heavy.left.clone(), middle.left.clone());
            joined(middle.entry(), left, joined(entry, middle.right.clone(), right))
        }
        _ => joined(heavy.entry(), heavy.left.clone(), joined(entry, heavy.right.clone(), right)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bolero::{ValueGenerator, check, produce};

    use super::*;

    /// Panics where a tree is not in order or not in balance.
    fn check_balance(map: &SharedMap<u8, usize>) {
        let Some(node) = &map.0 else { return };
        let (left, right) = (node.left.weight(), node.right.weight());
        assert!(left.max(right) <= HEAVIEST * left.min(right), "{left} and {right}");
        assert_eq!(node.len, left + right - 1);
        [&node.left, &node.right].into_iter().for_each(check_balance);
    }

    fn entries(map: &SharedMap<u8, usize>) -> Vec<(u8, usize)> {
        let mut entries = Vec::new();
        map.for_each(&mut |key, value| entries.push((*key, *value)));
        assert!(map.values().into_iter().eq(entries.iter().map(|(_, value)| value)));
        entries
    }

    /// After any changes it holds what a map of the library holds, in balance; and a clone from before has not changed.
    #[test]
    fn it_equals_a_map_of_the_library() {
        let steps = produce::<Vec<(bool, u8)>>().with().len(0usize..200);
        check!().with_iterations(500).with_generator(steps.map_gen(|steps| (steps.len() / 2, steps))).for_each(
            |(half, steps)| {
                let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
                let mut before = (map.clone(), model.clone());
                for (number, (adds, key)) in steps.iter().enumerate() {
                    if number == *half {
                        before = (map.clone(), model.clone());
                    }
                    if *adds {
                        map = map.with(*key, number);
                        model.insert(*key, number);
                    } else {
                        map = map.without(key);
                        model.remove(key);
                    }
                    assert_eq!(map.get(key), model.get(key));
                }
                for (map, model) in [(map, model), before] {
                    check_balance(&map);
                    assert_eq!(
                        (entries(&map), map.is_empty()),
                        (model.clone().into_iter().collect(), model.is_empty())
                    );
                }
            },
        );
    }
}
