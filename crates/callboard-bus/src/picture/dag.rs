//! Neighbours and levels of a directed graph without cycles.

/// A graph of numbered nodes. What it says of levels holds when [`cycle`](Self::cycle) finds none.
#[derive(Clone, Debug)]
pub(super) struct Dag {
    pub(super) parents: Vec<Vec<usize>>,
    pub(super) children: Vec<Vec<usize>>,
    /// Every node after its parents; nodes on a cycle and behind one are left out.
    order: Vec<usize>,
}

impl Dag {
    /// Builds it from the ends of its edges, which must be below `count`.
    pub(super) fn new(count: usize, ends: &[(usize, usize)]) -> Self {
        let (mut parents, mut children) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for &(from, to) in ends {
            children[from].push(to);
            parents[to].push(from);
        }
        let order = topological(&parents, &children);
        Self { parents, children, order }
    }

    /// The nodes of a cycle, if there is one; the first comes again at the end.
    ///
    /// Every node that could not be put in order has a parent of the same sort, so walking up from any of them comes round
    /// to a node that was met before.
    pub(super) fn cycle(&self) -> Option<Vec<usize>> {
        let mut is_stuck = vec![true; self.parents.len()];
        self.order.iter().for_each(|&node| is_stuck[node] = false);
        let mut met_at = vec![None; self.parents.len()];
        let mut path: Vec<usize> = Vec::new();
        let mut node = is_stuck.iter().position(|&stuck| stuck)?;
        loop {
            path.push(node);
            if let Some(start) = met_at[node].replace(path.len() - 1) {
                path.drain(..start);
                path.reverse();
                return Some(path);
            }
            node = self.parents[node].iter().copied().find(|&parent| is_stuck[parent])?;
        }
    }

    /// The number of edges on the longest path to each node, so that no edge joins two nodes of one level.
    pub(super) fn levels(&self) -> Vec<usize> {
        let mut levels = vec![0; self.parents.len()];
        for &node in &self.order {
            let above = self.parents[node].iter().map(|&parent| levels[parent] + 1);
            levels[node] = above.max().unwrap_or(0);
        }
        levels
    }

    /// Levels for drawing: as [`levels`](Self::levels), but a node with more children than parents moves as far
    /// towards its children as they let it, which shortens more edges than it lengthens. (One round of what the network
    /// simplex of Gansner, Koutsofios, North and Vo, *A Technique for Drawing Directed Graphs*, 1993, does in full.)
    pub(super) fn drawn_levels(&self) -> Vec<usize> {
        let mut levels = self.levels();
        for &node in self.order.iter().rev() {
            let lowest = self.children[node].iter().map(|&child| levels[child]).min();
            if let Some(lowest) = lowest.filter(|_| self.children[node].len() > self.parents[node].len()) {
                levels[node] = lowest.saturating_sub(1);
            }
        }
        levels
    }
}

/// Kahn's algorithm (*Topological sorting of large networks*, 1962).
fn topological(parents: &[Vec<usize>], children: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..parents.len()).filter(|&node| missing[node] == 0).collect();
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        next += 1;
        for &child in &children[node] {
            missing[child] -= 1;
            if missing[child] == 0 {
                order.push(child);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edges(count: usize) -> impl Strategy<Value = Vec<(usize, usize)>> {
        prop::collection::vec((0..count, 0..count), 0..40)
    }

    proptest! {
        #[test]
        fn levels_rise_along_every_edge(ends in edges(20)) {
            let ends: Vec<_> = ends.into_iter().filter(|(from, to)| from < to).collect();
            let dag = Dag::new(20, &ends);
            for levels in [dag.levels(), dag.drawn_levels()] {
                prop_assert!(ends.iter().all(|&(from, to)| levels[from] < levels[to]));
            }
        }

        #[test]
        fn a_cycle_is_named_by_its_path(ends in edges(12)) {
            if let Some(path) = Dag::new(12, &ends).cycle() {
                prop_assert!(path.len() >= 2);
                prop_assert_eq!(path.first(), path.last());
                prop_assert!(path.windows(2).all(|step| ends.contains(&(step[0], step[1]))));
            } else {
                prop_assert_eq!(topological_length(&ends), 12);
            }
        }
    }

    fn topological_length(ends: &[(usize, usize)]) -> usize {
        Dag::new(12, ends).order.len()
    }

    #[test]
    fn a_source_moves_down_to_its_only_child() {
        let dag = Dag::new(4, &[(0, 1), (1, 2), (3, 2)]);
        assert_eq!(dag.levels(), [0, 1, 2, 0]);
        assert_eq!(dag.drawn_levels(), [0, 1, 2, 1]);
    }
}
