//! Values by pattern: which of many patterns stand for a name. Pure.
//!
//! A tree with a level per token, so that a name meets only the patterns that agree with it so far. It never changes:
//! with a value more or less it is another one, which shares all but the way to that value with the one before. So
//! readers look at the one that there was when they came, and nobody waits for anybody.

use std::sync::{Arc, OnceLock};

use crate::pattern::{Pattern, Token, glob};
use crate::shared_map::SharedMap;
use crate::topic::Topic;

/// The table. See the head of this module.
#[derive(Clone, Debug)]
pub(crate) struct Matcher<T> {
    root: Arc<Node<T>>,
    len: usize,
}

/// All patterns that begin with the same tokens.
#[derive(Clone, Debug)]
struct Node<T> {
    literals: Children<T>,
    any: Option<Arc<Node<T>>>,
    globs: Children<T>,
    /// The values of the pattern that ends here.
    here: Values<T>,
    /// The values of the pattern that goes on with `>`.
    below: Values<T>,
}

type Children<T> = SharedMap<Arc<str>, Arc<Node<T>>>;

type ByNumber<T> = SharedMap<u64, T>;

/// Values by number: those that came first come first.
#[derive(Clone, Debug)]
struct Values<T> {
    by_number: ByNumber<T>,
    /// All of them beside each other, listed by the first who wants all of them: to walk a tree of so many takes a line of
    /// memory or two for each.
    listed: OnceLock<Arc<[T]>>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self::of(ByNumber::default())
    }
}

impl<T> Values<T> {
    fn of(by_number: ByNumber<T>) -> Self {
        Self { by_number, listed: OnceLock::new() }
    }
}

impl<T: Clone> Values<T> {
    #[inline]
    fn all(&self) -> &[T] {
        if self.by_number.is_empty() {
            return &[];
        }
        self.listed.get_or_init(|| self.by_number.values().into_iter().cloned().collect())
    }
}

impl<T> Default for Matcher<T> {
    fn default() -> Self {
        Self { root: Arc::default(), len: 0 }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self {
            literals: SharedMap::default(),
            any: None,
            globs: SharedMap::default(),
            here: Values::default(),
            below: Values::default(),
        }
    }
}

impl<T> Matcher<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Shows all values.
    pub(crate) fn for_each<'t>(&'t self, visit: &mut impl FnMut(&'t T)) {
        self.root.for_each(visit);
    }
}

impl<T: Clone> Matcher<T> {
    /// The values of all patterns that stand for this name.
    pub(crate) fn find(&self, topic: &Topic) -> Vec<&T> {
        let mut found = Vec::new();
        self.for_each_of(topic, &mut |value| found.push(value));
        found
    }

    /// Shows the values of all patterns that stand for this name.
    #[inline]
    pub(crate) fn for_each_of<'t>(&'t self, topic: &Topic, visit: &mut impl FnMut(&'t T)) {
        self.root.find(topic.tokens(), visit);
    }

    /// The same with a value more, under a number that no value of this pattern has.
    #[must_use]
    pub(crate) fn with(&self, pattern: &Pattern, number: u64, value: T) -> Self {
        let root = self.root.changed(pattern.tokens(), |values| values.with(number, value));
        Self { root: Arc::new(root), len: self.len + 1 }
    }

    /// The same without the value of this number; `None` when there is none.
    #[must_use]
    pub(crate) fn without(&self, pattern: &Pattern, number: u64) -> Option<Self> {
        let mut is_there = false;
        let root = self.root.changed(pattern.tokens(), |values| {
            is_there = values.get(&number).is_some();
            values.without(&number)
        });
        is_there.then(|| Self { root: Arc::new(root), len: self.len - 1 })
    }
}

impl<T> Node<T> {
    fn for_each<'t>(&'t self, visit: &mut impl FnMut(&'t T)) {
        for values in [&self.here, &self.below] {
            values.by_number.for_each(&mut |_, value| visit(value));
        }
        for children in [&self.literals, &self.globs] {
            children.for_each(&mut |_, child| child.for_each(visit));
        }
        if let Some(child) = &self.any {
            child.for_each(visit);
        }
    }

    fn is_empty(&self) -> bool {
        self.here.by_number.is_empty()
            && self.below.by_number.is_empty()
            && self.literals.is_empty()
            && self.any.is_none()
            && self.globs.is_empty()
    }
}

impl<T: Clone> Node<T> {
    /// At most [`Topic::MAX_TOKENS`] levels deep, and each node is met once.
    fn find<'t, 'n>(&'t self, mut names: impl Iterator<Item = &'n str> + Clone, visit: &mut impl FnMut(&'t T)) {
        let Some(name) = names.next() else { return self.here.all().iter().for_each(visit) };
        if let Some(child) = self.literals.get(name) {
            child.find(names.clone(), visit);
        }
        if !self.globs.is_empty() {
            self.globs.for_each(&mut |glob, child| {
                if glob::matches(glob, name) {
                    child.find(names.clone(), visit);
                }
            });
        }
        // No wildcard stands for the mark of the system.
        if name.starts_with('$') {
            return;
        }
        self.below.all().iter().for_each(&mut *visit);
        if let Some(child) = &self.any {
            child.find(names, visit);
        }
    }

    /// The same with other values of one pattern. What is empty then is left out.
    fn changed<'p>(
        &self,
        mut tokens: impl Iterator<Item = Token<'p>>,
        change: impl FnOnce(&ByNumber<T>) -> ByNumber<T>,
    ) -> Self {
        let mut changed = self.clone();
        match tokens.next() {
            None => changed.here = Values::of(change(&self.here.by_number)),
            Some(Token::Tail) => changed.below = Values::of(change(&self.below.by_number)),
            Some(Token::Any) => changed.any = changed_child(self.any.as_ref(), tokens, change),
            Some(Token::Literal(name)) => changed.literals = changed_in(&self.literals, name, tokens, change),
            Some(Token::Glob(glob)) => changed.globs = changed_in(&self.globs, glob, tokens, change),
        }
        changed
    }
}

fn changed_in<'p, T: Clone>(
    children: &Children<T>,
    name: &str,
    tokens: impl Iterator<Item = Token<'p>>,
    change: impl FnOnce(&ByNumber<T>) -> ByNumber<T>,
) -> Children<T> {
    match changed_child(children.get(name), tokens, change) {
        Some(child) => children.with(name.into(), child),
        None => children.without(name),
    }
}

/// A child that need not be there before, nor afterwards.
fn changed_child<'p, T: Clone>(
    child: Option<&Arc<Node<T>>>,
    tokens: impl Iterator<Item = Token<'p>>,
    change: impl FnOnce(&ByNumber<T>) -> ByNumber<T>,
) -> Option<Arc<Node<T>>> {
    let changed = match child {
        Some(child) => child.changed(tokens, change),
        None => Node::default().changed(tokens, change),
    };
    (!changed.is_empty()).then(|| Arc::new(changed))
}

#[cfg(test)]
mod tests;
