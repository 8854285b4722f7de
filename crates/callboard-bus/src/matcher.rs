//! Values by pattern: which of many patterns stand for a name. Pure.
//!
//! A tree with a level per token, so that a name meets only the patterns that agree with it so far. Nodes are shared
//! between a matcher and its clones: a clone costs a counter, and a change copies those nodes on its own way that a clone
//! still has, and no others. So one owner may change its matcher while readers look at the clone from before.

use std::collections::HashMap;
use std::sync::Arc;

use crate::pattern::{Pattern, Token, glob};
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
    literals: HashMap<Arc<str>, Arc<Node<T>>>,
    any: Option<Arc<Node<T>>>,
    globs: Vec<(Arc<str>, Arc<Node<T>>)>,
    /// The values of the pattern that ends here.
    here: Vec<T>,
    /// The values of the pattern that goes on with `>`.
    below: Vec<T>,
}

impl<T> Default for Matcher<T> {
    fn default() -> Self {
        Self { root: Arc::default(), len: 0 }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), any: None, globs: Vec::new(), here: Vec::new(), below: Vec::new() }
    }
}

impl<T> Matcher<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The values of all patterns that stand for this name.
    pub(crate) fn find(&self, topic: &Topic) -> Vec<&T> {
        let mut found = Vec::new();
        self.root.find(topic.tokens(), &mut found);
        found
    }
}

impl<T: Clone> Matcher<T> {
    pub(crate) fn insert(&mut self, pattern: &Pattern, value: T) {
        let mut node = Arc::make_mut(&mut self.root);
        for token in pattern.tokens() {
            if token == Token::Tail {
                self.len += 1;
                return node.below.push(value);
            }
            node = node.child(token);
        }
        self.len += 1;
        node.here.push(value);
    }

    /// Takes out the first value of this pattern that `is_it` accepts.
    pub(crate) fn remove(&mut self, pattern: &Pattern, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let removed = Arc::make_mut(&mut self.root).remove(pattern.tokens(), &is_it)?;
        self.len -= 1;
        Some(removed)
    }
}

impl<T> Node<T> {
    /// At most [`Topic::MAX_TOKENS`] levels deep, and each node is met once.
    fn find<'t, 'n>(&'t self, mut names: impl Iterator<Item = &'n str> + Clone, found: &mut Vec<&'t T>) {
        let Some(name) = names.next() else { return found.extend(&self.here) };
        if let Some(child) = self.literals.get(name) {
            child.find(names.clone(), found);
        }
        for (_, child) in self.globs.iter().filter(|(glob, _)| glob::matches(glob, name)) {
            child.find(names.clone(), found);
        }
        // No wildcard stands for the mark of the system.
        if name.starts_with('$') {
            return;
        }
        found.extend(&self.below);
        if let Some(child) = &self.any {
            child.find(names, found);
        }
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty()
            && self.below.is_empty()
            && self.literals.is_empty()
            && self.any.is_none()
            && self.globs.is_empty()
    }
}

impl<T: Clone> Node<T> {
    /// The node one token further, made if it is not there.
    fn child(&mut self, token: Token<'_>) -> &mut Self {
        let child = match token {
            Token::Literal(name) => self.literals.entry(name.into()).or_default(),
            Token::Any | Token::Tail => self.any.get_or_insert_default(),
            Token::Glob(glob) => {
                let known = self.globs.iter().position(|(known, _)| **known == *glob);
                let at = known.unwrap_or_else(|| {
                    self.globs.push((glob.into(), Arc::default()));
                    self.globs.len() - 1
                });
                &mut self.globs[at].1
            }
        };
        Arc::make_mut(child)
    }

    /// What is empty afterwards goes too.
    fn remove<'p>(&mut self, mut tokens: impl Iterator<Item = Token<'p>>, is_it: &impl Fn(&T) -> bool) -> Option<T> {
        match tokens.next() {
            None => take(&mut self.here, is_it),
            Some(Token::Tail) => take(&mut self.below, is_it),
            Some(token) => {
                let removed = self.known_child(token)?.remove(tokens, is_it);
                self.prune(token);
                removed
            }
        }
    }

    fn known_child(&mut self, token: Token<'_>) -> Option<&mut Self> {
        let child = match token {
            Token::Literal(name) => self.literals.get_mut(name)?,
            Token::Any | Token::Tail => self.any.as_mut()?,
            Token::Glob(glob) => self.globs.iter_mut().find(|(known, _)| **known == *glob).map(|(_, child)| child)?,
        };
        Some(Arc::make_mut(child))
    }

    fn prune(&mut self, token: Token<'_>) {
        match token {
            Token::Literal(name) if self.literals.get(name).is_some_and(|child| child.is_empty()) => {
                self.literals.remove(name);
            }
            Token::Any if self.any.as_ref().is_some_and(|child| child.is_empty()) => self.any = None,
            Token::Glob(_) => self.globs.retain(|(_, child)| !child.is_empty()),
            Token::Literal(_) | Token::Any | Token::Tail => {}
        }
    }
}

fn take<T>(values: &mut Vec<T>, is_it: &impl Fn(&T) -> bool) -> Option<T> {
    let at = values.iter().position(is_it)?;
    Some(values.remove(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names and patterns of few letters, so that they meet.
    fn topic() -> impl Strategy<Value = Topic> {
        "[$]?[ab]{1,2}(\\.[ab]{1,3}){0,3}".prop_map(|text| text.parse().unwrap())
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        let token = "([ab]|[ab]{1,2}|\\*|[ab]\\*|\\*[ab]|\\?[ab]?)";
        let text = format!("[$]?{token}(\\.{token}){{0,3}}(\\.>)?|>");
        proptest::string::string_regex(&text).unwrap().prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// F-EVT-03: it finds what looking at each pattern finds, after any changes, and a clone from before does not see
        /// them.
        #[test]
        fn a_matcher_equals_a_list(
            steps in prop::collection::vec((any::<bool>(), pattern(), 0usize..20), 1..40),
            topics in prop::collection::vec(topic(), 1..8),
        ) {
            let (mut matcher, mut model) = (Matcher::default(), Vec::new());
            let mut before = (matcher.clone(), model.clone());
            for (number, (adds, pattern, at)) in steps.into_iter().enumerate() {
                if number == 20 {
                    before = (matcher.clone(), model.clone());
                }
                if adds || model.is_empty() {
                    matcher.insert(&pattern, number);
                    model.push((pattern, number));
                } else {
                    let (pattern, number) = model.remove(at % model.len());
                    prop_assert_eq!(matcher.remove(&pattern, |value| *value == number), Some(number));
                    prop_assert_eq!(matcher.remove(&pattern, |value| *value == number), None);
                }
            }
            for (matcher, model) in [(&matcher, &model), (&before.0, &before.1)] {
                prop_assert_eq!(matcher.len(), model.len());
                for topic in &topics {
                    let mut found: Vec<usize> = matcher.find(topic).into_iter().copied().collect();
                    found.sort_unstable();
                    let expected: Vec<_> =
                        model.iter().filter(|(pattern, _)| pattern.matches(topic)).map(|(_, number)| *number).collect();
                    prop_assert_eq!(found, expected, "{}", topic);
                }
            }
        }

        #[test]
        fn what_is_taken_out_leaves_nothing_behind(patterns in prop::collection::vec(pattern(), 1..30)) {
            let mut matcher = Matcher::default();
            for pattern in &patterns {
                matcher.insert(pattern, ());
            }
            for pattern in &patterns {
                prop_assert!(matcher.remove(pattern, |()| true).is_some());
            }
            prop_assert!(matcher.root.is_empty() && matcher.len() == 0);
        }
    }
}
