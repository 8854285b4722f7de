//! Which steps come before which: a bit per pair. Pure.

use super::{Graph, StepIndex};

/// A row of bits per step.
#[derive(Clone, Debug)]
pub(super) struct Ancestors {
    words: usize,
    rows: Vec<u64>,
}

impl Ancestors {
    pub(super) fn new(graph: &Graph) -> Self {
        let words = graph.len().div_ceil(64);
        let mut own = Self { words, rows: vec![0; words * graph.len()] };
        for &step in graph.topological_order() {
            graph.parents(step).iter().for_each(|parent| own.inherit(step, *parent));
        }
        own
    }

    pub(super) fn contains(&self, ancestor: StepIndex, step: StepIndex) -> bool {
        let word = self.rows.get(step.get() * self.words + ancestor.get() / 64);
        ancestor.get() < self.words * 64 && word.is_some_and(|word| word >> (ancestor.get() % 64) & 1 == 1)
    }

    fn inherit(&mut self, step: StepIndex, parent: StepIndex) {
        let (to, from) = (step.get() * self.words, parent.get() * self.words);
        for word in 0..self.words {
            self.rows[to + word] |= self.rows[from + word];
        }
        self.rows[to + parent.get() / 64] |= 1 << (parent.get() % 64);
    }
}
