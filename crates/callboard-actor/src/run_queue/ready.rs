//! Those on one thread whose drivers have something to do, first come, first served. Pure.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use crate::cell::Node;
use crate::scope::TurnScope;

/// The line. Most stand in it by the scope of their turns, as that is counted without a locked instruction. The others have a
/// line of their own and an empty place here: an entry of one word can be read sooner after it was written than one of two.
#[derive(Debug)]
pub(super) struct Ready<S = Rc<TurnScope>, N = Arc<dyn Node>> {
    places: VecDeque<Option<S>>,
    others: VecDeque<N>,
}

/// Somebody out of the line.
#[derive(Debug, PartialEq)]
pub(super) enum Next<S = Rc<TurnScope>, N = Arc<dyn Node>> {
    Ours(S),
    Other(N),
}

impl Next {
    #[inline(always)]
    pub(super) fn node(&self) -> &Arc<dyn Node> {
        match self {
            Self::Ours(scope) => &scope.node,
            Self::Other(node) => node,
        }
    }
}

impl<S, N> Default for Ready<S, N> {
    fn default() -> Self {
        Self { places: VecDeque::new(), others: VecDeque::new() }
    }
}

impl<S, N> Ready<S, N> {
    #[inline(always)]
    pub(super) fn push(&mut self, scope: S) {
        self.places.push_back(Some(scope));
    }

    pub(super) fn push_other(&mut self, node: N) {
        self.others.push_back(node);
        self.places.push_back(None);
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Next<S, N>> {
        match self.places.pop_front()? {
            Some(scope) => Some(Next::Ours(scope)),
            None => self.others.pop_front().map(Next::Other),
        }
    }

    #[cfg(all(test, not(callboard_model)))]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_one_line(steps in prop::collection::vec(0..4u32, 0..40)) {
            let (mut ready, mut model) = (Ready::<u32, u32>::default(), VecDeque::new());
            for (number, step) in (0..).zip(steps) {
                match step {
                    0 => { ready.push(number); model.push_back(Next::Ours(number)); }
                    1 => { ready.push_other(number); model.push_back(Next::Other(number)); }
                    _ => prop_assert_eq!(ready.pop(), model.pop_front()),
                }
            }
            prop_assert!(std::iter::from_fn(|| ready.pop()).eq(model));
        }
    }
}
