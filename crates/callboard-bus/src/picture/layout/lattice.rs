//! Nodes and waypoints on layers.

use std::collections::HashMap;

/// Waypoints are given to short edges first, and to no more than this: a graph that needs more is one that no picture can
/// show, and its longest edges are then drawn straight across, behind the boxes.
const MOST_WAYPOINTS: usize = 6_000;

/// Nodes, and behind them in number waypoints, on layers. Edges of the lattice join neighbouring layers only.
#[derive(Debug)]
pub(super) struct Lattice {
    /// The vertices of each layer in order.
    pub(super) layers: Vec<Vec<usize>>,
    pub(super) layer_of: Vec<usize>,
    /// Neighbours on the layer above and below.
    pub(super) above: Vec<Vec<usize>>,
    pub(super) below: Vec<Vec<usize>>,
    /// The vertices on the way of each edge, both ends included.
    pub(super) chains: Vec<Vec<usize>>,
    nodes: usize,
    /// Whether an edge shares its way, or only the end of it, with others that begin where it does; else with those that end
    /// where it does.
    leaves_late: Vec<bool>,
}

/// Whose waypoint it is: those of one node's long edges are shared as long as they go the same way, which turns a comb of
/// lines into one that branches.
#[derive(PartialEq, Eq, Hash)]
struct Owner {
    node: usize,
    leaves: bool,
    is_dashed: bool,
    layer: usize,
}

impl Lattice {
    pub(super) fn new(levels: &[usize], ends: &[(usize, usize)], is_dashed: &[bool]) -> Self {
        let depth = levels.iter().max().map_or(0, |deepest| deepest + 1);
        let mut lattice = Self {
            layers: vec![Vec::new(); depth],
            layer_of: levels.to_vec(),
            above: vec![Vec::new(); levels.len()],
            below: vec![Vec::new(); levels.len()],
            chains: vec![Vec::new(); ends.len()],
            nodes: levels.len(),
            leaves_late: leaves_late(levels, ends),
        };
        for (node, &level) in levels.iter().enumerate() {
            lattice.layers[level].push(node);
        }
        lattice.add_chains(ends, is_dashed);
        lattice
    }

    pub(super) fn len(&self) -> usize {
        self.layer_of.len()
    }

    pub(super) fn is_waypoint(&self, vertex: usize) -> bool {
        vertex >= self.nodes
    }

    /// The edges of the lattice, from upper to lower.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, usize)> {
        self.below.iter().enumerate().flat_map(|(upper, lower)| lower.iter().map(move |&lower| (upper, lower)))
    }

    /// The two vertices between which the text of an edge stands, where it shares its way with no other: first the one that
    /// is the edge's own, then the one where it may part from others or meet them.
    pub(super) fn label_step(&self, edge: usize) -> [usize; 2] {
        match (&self.chains[edge][..], self.leaves_late[edge]) {
            ([.., shared, own], true) | ([own, shared, ..], false) => [*own, *shared],
            _ => [0, 0],
        }
    }

    /// The layer below which the text of an edge stands.
    pub(super) fn label_layer(&self, edge: usize) -> usize {
        self.label_step(edge).map(|vertex| self.layer_of[vertex]).into_iter().min().unwrap_or(0)
    }

    /// The place of each vertex in its layer.
    pub(super) fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.len()];
        for layer in &self.layers {
            layer.iter().enumerate().for_each(|(place, &vertex)| places[vertex] = place);
        }
        places
    }

    fn add_chains(&mut self, ends: &[(usize, usize)], is_dashed: &[bool]) {
        let span = |&edge: &usize| self.layer_of[ends[edge].1] - self.layer_of[ends[edge].0];
        let mut shortest_first: Vec<usize> = (0..ends.len()).collect();
        shortest_first.sort_by_key(span);
        let mut waypoints = HashMap::new();
        for edge in shortest_first {
            let (from, to) = ends[edge];
            let mut chain = vec![from];
            let inner = self.layer_of[from] + 1..self.layer_of[to];
            if self.len() - self.nodes + inner.len() <= MOST_WAYPOINTS {
                let leaves = self.leaves_late[edge];
                let node = if leaves { from } else { to };
                for layer in inner {
                    let owner = Owner { node, leaves, is_dashed: is_dashed[edge], layer };
                    chain.push(*waypoints.entry(owner).or_insert_with(|| self.add_waypoint(layer)));
                }
            }
            chain.push(to);
            self.join(&chain);
            self.chains[edge] = chain;
        }
        self.above.iter_mut().chain(&mut self.below).for_each(|neighbours| {
            neighbours.sort_unstable();
            neighbours.dedup();
        });
    }

    fn add_waypoint(&mut self, layer: usize) -> usize {
        let vertex = self.len();
        self.layer_of.push(layer);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        self.layers[layer].push(vertex);
        vertex
    }

    fn join(&mut self, chain: &[usize]) {
        for step in chain.windows(2) {
            // An edge without waypoints joins distant layers, and says nothing about their orders.
            if self.layer_of[step[0]] + 1 == self.layer_of[step[1]] {
                self.below[step[0]].push(step[1]);
                self.above[step[1]].push(step[0]);
            }
        }
    }
}

/// Long edges are gathered at the end that has more long ones, or as many and more edges in all. Short ones share no way, only
/// an end: the one with more edges.
fn leaves_late(levels: &[usize], ends: &[(usize, usize)]) -> Vec<bool> {
    let is_long = |&(from, to): &(usize, usize)| levels[to] > levels[from] + 1;
    let mut leaving = [vec![0_usize; levels.len()], vec![0; levels.len()]];
    let mut arriving = leaving.clone();
    for edge in ends {
        for among in 0..=usize::from(is_long(edge)) {
            leaving[among][edge.0] += 1;
            arriving[among][edge.1] += 1;
        }
    }
    let is_late = |edge: &(usize, usize)| {
        let long = |counts: &[Vec<usize>; 2], end: usize| if is_long(edge) { counts[1][end] } else { 0 };
        let [(leaves, from), (arrives, to)] = [(&leaving, edge.0), (&arriving, edge.1)];
        (long(leaves, from), leaves[0][from]) >= (long(arrives, to), arrives[0][to])
    };
    ends.iter().map(is_late).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain, and from each node of its first half an edge over half of it.
    fn long_edges(count: usize) -> Lattice {
        let half = count / 2;
        let ends: Vec<_> = (1..count).map(|at| (at - 1, at)).chain((0..half).map(|at| (at, at + half))).collect();
        Lattice::new(&(0..count).collect::<Vec<_>>(), &ends, &vec![false; ends.len()])
    }

    #[test]
    fn an_edge_has_a_waypoint_on_every_layer_between() {
        let lattice = long_edges(20);
        assert!(lattice.chains[19..].iter().all(|chain| chain.len() == 11));
        assert!(
            lattice.chains[19..].iter().all(|chain| chain[1..10].iter().all(|&vertex| lattice.is_waypoint(vertex)))
        );
    }

    /// It would take a quarter of a million.
    #[test]
    fn waypoints_are_bounded() {
        let lattice = long_edges(1_000);
        assert!((1_001..=1_000 + MOST_WAYPOINTS).contains(&lattice.len()));
        assert!(
            lattice
                .chains
                .iter()
                .any(|chain| chain.len() == 2 && lattice.layer_of[chain[0]] + 1 < lattice.layer_of[chain[1]])
        );
    }

    #[test]
    fn edges_of_one_node_share_their_way() {
        let ends: Vec<_> = (1..5).map(|at| (at - 1, at)).chain([(0, 3), (0, 4)]).collect();
        let lattice = Lattice::new(&[0, 1, 2, 3, 4], &ends, &[false; 6]);
        assert_eq!(lattice.chains[4][..3], lattice.chains[5][..3]);
        assert_eq!(lattice.len(), 8);
    }
}
