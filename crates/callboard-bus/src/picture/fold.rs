//! Brings a picture to a readable size: boxes that look alike become one that stands for all of them. Pure.
//!
//! Whatever is put together is of one level (the number of edges on the longest path to it), and no edge joins two nodes of a
//! level, so every edge still points from a lower level to a higher one: folding makes no cycle. Only when there are
//! more levels than boxes allowed are neighbouring levels put together too; their inner edges are then left out.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::edge::merged;
use super::{Edge, Node, Picture, StateCounts, grouped};

/// The nodes that one box stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Their ids, in the order in which they were added.
    pub members: Vec<String>,
    /// How many of them are in each state.
    pub counts: StateCounts,
}

/// How far to fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Folding {
    /// The most boxes that may be left; zero is taken for one.
    pub max_boxes: usize,
    /// Siblings that have the same parents, children and kind are folded when there are more than so many of them, even
    /// when they would fit.
    pub max_siblings: usize,
}

impl Default for Folding {
    /// 200 boxes, fans of 24.
    fn default() -> Self {
        Self { max_boxes: 200, max_siblings: 24 }
    }
}

impl Folding {
    /// Sets the most boxes that may be left.
    #[must_use]
    pub fn max_boxes(self, max_boxes: usize) -> Self {
        Self { max_boxes, ..self }
    }

    /// Sets the most equal siblings that are not folded.
    #[must_use]
    pub fn max_siblings(self, max_siblings: usize) -> Self {
        Self { max_siblings, ..self }
    }
}

impl Picture {
    /// The same graph in at most so many boxes. Equal siblings are put together first, then nodes of one level and kind, then
    /// of one level, then neighbouring levels; each only until it fits, largest groups first, and groups of one size
    /// alike. Every node is in exactly one box. What is on the critical path stays apart as long as that fits.
    #[must_use]
    pub fn folded(&self, folding: Folding) -> Self {
        let max = folding.max_boxes.max(1);
        let folded = self.folded_siblings(|group, boxes| group > folding.max_siblings || boxes > max);
        let folded = folded.folded_levels(max, |node, level| (level, node.look()));
        let folded = folded.folded_levels(max, |_, level| level);
        folded.folded_bands(max)
    }

    /// Folds groups of equal siblings for which `must` is true, given the size of the group and how many boxes are left.
    fn folded_siblings(&self, must: impl Fn(usize, usize) -> bool) -> Self {
        let dag = self.dag();
        let sorted = |nodes: &[usize]| nodes.iter().copied().collect::<BTreeSet<_>>();
        let keys = self
            .nodes
            .iter()
            .enumerate()
            .map(|(place, node)| (sorted(&dag.parents[place]), sorted(&dag.children[place]), node.look()));
        self.folded_where(grouped(keys), must)
    }

    fn folded_levels<'a, K: Eq + std::hash::Hash>(&'a self, max: usize, key: impl Fn(&'a Node, usize) -> K) -> Self {
        let levels = self.dag().levels();
        let groups = grouped(self.nodes.iter().zip(levels).map(|(node, level)| key(node, level)));
        self.folded_where(groups, |_, boxes| boxes > max)
    }

    /// By now every level is one box, or it fits.
    fn folded_bands(&self, max: usize) -> Self {
        if self.nodes.len() <= max {
            return self.clone();
        }
        let levels = self.dag().levels();
        let depth = levels.iter().max().map_or(1, |deepest| deepest + 1);
        self.merged_into(&grouped(levels.iter().map(|level| level * max / depth)))
    }

    /// Groups of one size are all folded or none: of things that look alike, none should be shown in another way.
    fn folded_where(&self, mut groups: Vec<Vec<usize>>, must: impl Fn(usize, usize) -> bool) -> Self {
        groups.sort_by_key(|group| Reverse(group.len()));
        let mut boxes = self.nodes.len();
        let mut kept = Vec::with_capacity(groups.len());
        for alike in groups.chunk_by(|one, other| one.len() == other.len()) {
            let size = alike.first().map_or(0, Vec::len);
            if size > 1 && must(size, boxes) {
                boxes -= (size - 1) * alike.len();
                kept.extend_from_slice(alike);
            } else {
                kept.extend(alike.iter().flatten().map(|&member| vec![member]));
            }
        }
        kept.sort_by_key(|group| group.first().copied());
        self.merged_into(&kept)
    }

    /// The picture in which each group is one box. Every node is in one group.
    fn merged_into(&self, groups: &[Vec<usize>]) -> Self {
        let mut group_of = vec![0; self.nodes.len()];
        for (place, group) in groups.iter().enumerate() {
            group.iter().for_each(|&member| group_of[member] = place);
        }
        let nodes: Vec<Node> = groups.iter().map(|group| self.merged_node(group)).collect();
        let outer = self.edges.iter().zip(&self.ends).filter_map(|(edge, &(from, to))| {
            let (from, to) = (group_of[from], group_of[to]);
            let [from_id, to_id] = [from, to].map(|end| nodes[end].id.clone());
            (from != to).then(|| (Edge { from: from_id, to: to_id, ..edge.clone() }, (from, to)))
        });
        let (edges, ends): (Vec<Edge>, Vec<_>) = outer.unzip();
        let (edges, ends) = merged(edges, &ends);
        Self { title: self.title.clone(), direction: self.direction, nodes, edges, ends }
    }

    fn merged_node(&self, group: &[usize]) -> Node {
        let nodes: Vec<&Node> = group.iter().map(|&member| &self.nodes[member]).collect();
        if let [only] = nodes[..] {
            return only.clone();
        }
        let mut counts = StateCounts::default();
        nodes.iter().for_each(|node| counts.merge(&node.counts()));
        let members: Vec<String> = nodes.iter().flat_map(|node| node.members()).collect();
        let kinds: BTreeSet<&str> = nodes.iter().map(|node| node.kind_or_stem()).collect();
        let kind = kinds.first().filter(|_| kinds.len() == 1).map(|kind| (*kind).to_owned());
        let name = kind.clone().unwrap_or_else(|| format!("{} kinds", kinds.len()));
        let summary = counts.short_summary();
        Node {
            id: members.first().cloned().unwrap_or_default(),
            label: format!("{name} ×{}", members.len()),
            detail: (!summary.is_empty()).then_some(summary),
            kind,
            state: counts.most_urgent(),
            fold: Some(Fold { members, counts }),
            items: None,
            is_critical: nodes.iter().any(|node| node.is_critical),
        }
    }
}

impl Node {
    /// The ids of the nodes that it stands for.
    fn members(&self) -> Vec<String> {
        self.fold.as_ref().map_or_else(|| vec![self.id.clone()], |fold| fold.members.clone())
    }

    /// What nodes have in common that may be put together before all others.
    fn look(&self) -> (&str, bool) {
        (self.kind_or_stem(), self.is_critical)
    }

    /// Its kind, or else its label without the number at its end.
    fn kind_or_stem(&self) -> &str {
        self.kind.as_deref().unwrap_or_else(|| stem(&self.label))
    }
}

/// "resize" of "resize[12]" and of "resize_0012"; all of it when nothing else is left.
fn stem(label: &str) -> &str {
    let is_number = |character: char| character.is_ascii_digit() || "_-.:#()[]{} /×".contains(character);
    let stem = label.trim_end_matches(is_number);
    if stem.is_empty() { label } else { stem }
}

#[cfg(test)]
mod tests;
