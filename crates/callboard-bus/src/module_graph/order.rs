//! Orders and cycles of a graph, without recursion.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::iter;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// Each node after those with edges to it, and otherwise in their order (Kahn's algorithm with a heap). Nodes on a cycle
/// and those behind one are left out.
pub(super) fn topological<N, E>(graph: &DiGraph<N, E>) -> Vec<NodeIndex> {
    let mut waits: Vec<usize> =
        graph.node_indices().map(|node| graph.neighbors_directed(node, Incoming).count()).collect();
    let mut ready: BinaryHeap<_> = graph.node_indices().filter(|node| waits[node.index()] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for next in graph.neighbors_directed(node, Outgoing) {
            waits[next.index()] -= 1;
            if waits[next.index()] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}

/// A shortest cycle through the first node of every knot, against the edges: each node has an edge from the next.
pub(super) fn cycles<N, E>(graph: &DiGraph<N, E>) -> Vec<Vec<NodeIndex>> {
    let knots = kosaraju_scc(graph).into_iter().filter(|knot| knot.len() > 1);
    let mut cycles: Vec<_> = knots.filter_map(|knot| way_back(graph, &knot)).collect();
    cycles.sort_unstable();
    cycles
}

/// By breadth-first search inside the knot.
fn way_back<N, E>(graph: &DiGraph<N, E>, knot: &[NodeIndex]) -> Option<Vec<NodeIndex>> {
    let start = *knot.iter().min()?;
    let inside: HashSet<_> = knot.iter().copied().collect();
    let mut came_from = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        let mut next: Vec<_> = graph.neighbors_directed(node, Incoming).filter(|next| inside.contains(next)).collect();
        next.sort_unstable();
        if next.contains(&start) {
            let mut path: Vec<_> = iter::successors(Some(node), |node| came_from.get(node).copied()).collect();
            path.reverse();
            return Some(path);
        }
        for next in next {
            came_from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                node
            });
        }
    }
    None
}
