//! The directed acyclic graph of a definition's steps, and the questions that others ask it. Pure.
//!
//! Steps are numbered in the order of the definition, so everything here is a table by [`StepIndex`] and nobody looks up
//! a name while a run goes on. petgraph finds the knots of steps that wait for
//! each other, if there are any.

mod ancestors;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::OnceLock;
use std::time::Duration;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::Serialize;

use self::ancestors::Ancestors;

/// The number of a step in the order of its definition, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct StepIndex(u32);

impl StepIndex {
    /// The step that is so many-th in its definition, counted from 0; beyond `u32::MAX`, the last.
    #[must_use]
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// As an index of a slice.
    #[must_use]
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// The graph. See the head of this module.
#[derive(Clone, Debug)]
pub struct Graph {
    graph: DiGraph<(), ()>,
    parents: Adjacency,
    children: Adjacency,
    order: Vec<StepIndex>,
    ranks: Vec<u32>,
    ancestors: OnceLock<Ancestors>,
}

/// The steps of a cycle in order, each a parent of the next, the last one of the first.
pub(crate) type Cycle = Vec<StepIndex>;

impl Graph {
    /// The graph over the parents of each step; or a shortest cycle out of every knot of steps that wait for each other.
    pub(crate) fn new(parents: &[Vec<StepIndex>]) -> Result<Self, Vec<Cycle>> {
        let mut graph = DiGraph::with_capacity(parents.len(), parents.iter().map(Vec::len).sum());
        parents.iter().for_each(|_| _ = graph.add_node(()));
        for (child, parents) in parents.iter().enumerate() {
            for parent in parents {
                graph.add_edge(NodeIndex::new(parent.get()), NodeIndex::new(child), ());
            }
        }
        let children = Adjacency::new(&children_of(parents));
        let parents = Adjacency::new(parents);
        let order = order(&parents, &children);
        if order.len() < graph.node_count() {
            return Err(cycles(&graph, &children));
        }
        let mut ranks = vec![0; order.len()];
        (0..).zip(&order).for_each(|(rank, step)| ranks[step.get()] = rank);
        Ok(Self { graph, parents, children, order, ranks, ancestors: OnceLock::new() })
    }

    /// The same as petgraph has it, for drawing and for its algorithms: a node per step, an edge from parent to child.
    #[must_use]
    pub fn as_petgraph(&self) -> &DiGraph<(), ()> {
        &self.graph
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no step, which no definition allows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The steps that this one depends on, in the order of the definition.
    #[must_use]
    pub fn parents(&self, step: StepIndex) -> &[StepIndex] {
        self.parents.of(step)
    }

    /// The steps that depend on this one.
    #[must_use]
    pub fn children(&self, step: StepIndex) -> &[StepIndex] {
        self.children.of(step)
    }

    /// The steps in an order in which each comes after its parents, and which otherwise is that of the definition.
    #[must_use]
    pub fn topological_order(&self) -> &[StepIndex] {
        &self.order
    }

    /// The place of the step in that order, from 0; the last place for a step that is not there.
    #[must_use]
    pub fn rank(&self, step: StepIndex) -> u32 {
        self.ranks.get(step.get()).copied().unwrap_or(u32::MAX)
    }

    /// Whether `ancestor` has always been decided before `step` may start. The first question computes the answers to
    /// all, one bit per pair of steps.
    #[must_use]
    pub fn is_ancestor(&self, ancestor: StepIndex, step: StepIndex) -> bool {
        self.ancestors.get_or_init(|| Ancestors::new(self)).contains(ancestor, step)
    }

    /// The steps that can run at the same time at best, from those without parents onwards: a step is one level
    /// below the lowest of its parents.
    #[must_use]
    pub fn levels(&self) -> Vec<Vec<StepIndex>> {
        let mut level = vec![0; self.len()];
        let mut levels: Vec<Vec<StepIndex>> = Vec::new();
        for &step in &self.order {
            let own = self.parents(step).iter().map(|parent| level[parent.get()] + 1).max().unwrap_or(0);
            level[step.get()] = own;
            if levels.len() == own {
                levels.push(Vec::new());
            }
            levels[own].push(step);
        }
        levels
    }

    /// The chain of steps that takes longest, and how long it takes: no run is quicker, whatever runs beside it. A step
    /// without a duration takes none.
    #[must_use]
    pub fn critical_path(&self, durations: &[Duration]) -> (Vec<StepIndex>, Duration) {
        let mut ends = vec![Duration::ZERO; self.len()];
        for &step in &self.order {
            let begin = self.last_parent(step, &ends).map_or(Duration::ZERO, |parent| ends[parent.get()]);
            ends[step.get()] = begin.saturating_add(durations.get(step.get()).copied().unwrap_or_default());
        }
        let last = self.order.iter().copied().max_by_key(|step| ends[step.get()]);
        let mut path: Vec<_> = std::iter::successors(last, |step| self.last_parent(*step, &ends)).collect();
        path.reverse();
        (path, last.map_or(Duration::ZERO, |last| ends[last.get()]))
    }

    fn last_parent(&self, step: StepIndex, ends: &[Duration]) -> Option<StepIndex> {
        self.parents(step).iter().copied().max_by_key(|parent| ends[parent.get()])
    }
}

/// Lists of steps by step, end to end in one piece of memory.
#[derive(Clone, Debug)]
struct Adjacency {
    starts: Vec<u32>,
    steps: Vec<StepIndex>,
}

impl Adjacency {
    fn new(lists: &[Vec<StepIndex>]) -> Self {
        let steps: Vec<_> = lists.iter().flatten().copied().collect();
        let ends = lists.iter().scan(0, |end, list| {
            *end += StepIndex::new(list.len()).0;
            Some(*end)
        });
        Self { starts: std::iter::once(0).chain(ends).collect(), steps }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, step: StepIndex) -> &[StepIndex] {
        let bounds = self.starts.get(step.get()..=step.get() + 1);
        bounds.map_or(&[], |bounds| &self.steps[bounds[0] as usize..bounds[1] as usize])
    }
}

fn children_of(parents: &[Vec<StepIndex>]) -> Vec<Vec<StepIndex>> {
    let mut children = vec![Vec::new(); parents.len()];
    for (child, parents) in parents.iter().enumerate() {
        parents.iter().for_each(|parent| children[parent.get()].push(StepIndex::new(child)));
    }
    children
}

/// Each step after its parents, and otherwise in the order of the definition (Kahn's algorithm with a heap). Steps on a
/// cycle and those behind it are left out.
fn order(parents: &Adjacency, children: &Adjacency) -> Vec<StepIndex> {
    let mut waits: Vec<_> = (0..parents.len()).map(|step| parents.of(StepIndex::new(step)).len()).collect();
    let roots = (0..parents.len()).filter(|step| waits[*step] == 0);
    let mut ready: BinaryHeap<_> = roots.map(|step| Reverse(StepIndex::new(step))).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some(Reverse(step)) = ready.pop() {
        order.push(step);
        for &child in children.of(step) {
            waits[child.get()] -= 1;
            if waits[child.get()] == 0 {
                ready.push(Reverse(child));
            }
        }
    }
    order
}

fn cycles(graph: &DiGraph<(), ()>, children: &Adjacency) -> Vec<Cycle> {
    let knots = kosaraju_scc(graph).into_iter().filter(|knot| knot.len() > 1);
    let mut inside = vec![usize::MAX; graph.node_count()];
    let mut cycles = Vec::new();
    for (number, knot) in knots.enumerate() {
        knot.iter().for_each(|node| inside[node.index()] = number);
        let first = knot.iter().map(|node| StepIndex::new(node.index())).min();
        cycles.extend(first.map(|first| way_back(children, first, |step| inside[step.get()] == number)));
    }
    cycles.sort_unstable();
    cycles
}

/// A shortest way from a step to itself through the steps of its knot, by breadth-first search.
fn way_back(children: &Adjacency, start: StepIndex, is_inside: impl Fn(StepIndex) -> bool) -> Cycle {
    let mut came_from = vec![None; children.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(step) = queue.pop_front() {
        for &child in children.of(step).iter().filter(|child| is_inside(**child)) {
            if child == start {
                let mut cycle: Cycle = std::iter::successors(Some(step), |step| came_from[step.get()]).collect();
                cycle.reverse();
                return cycle;
            }
            if came_from[child.get()].is_none() {
                came_from[child.get()] = Some(step);
                queue.push_back(child);
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
