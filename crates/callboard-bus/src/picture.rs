//! Pictures of directed graphs without cycles: what runs before what, and how far it has come. Pure.
//!
//! A [`Picture`] is data: nodes with a state, and edges. It is built by hand or from a petgraph graph, brought to a
//! readable size by [`folded`](Picture::folded), and written as [DOT](Picture::to_dot), [Mermaid](Picture::to_mermaid) or
//! a self-contained [SVG](Picture::to_svg). All of them take the looks of a [`State`] from one table. A [`Gantt`]
//! chart shows the same work over time.
//!
//! Pictures stand still: none reacts to a pointer but by showing full texts, and graphs with cycles are refused.
//!
//! ```
//! use callboard_bus::picture::{Edge, Node, Picture, State};
//!
//! let picture = Picture::builder("lunch")
//!     .node(Node::new("cook", "Cook").detail("4.2 s").state(State::Done))
//!     .node(Node::new("eat", "Eat").state(State::Running))
//!     .edge(Edge::new("cook", "eat"))
//!     .build()?;
//! assert!(picture.to_svg().contains("Cook"));
//! # Ok::<(), callboard_bus::picture::PictureError>(())
//! ```

mod builder;
mod critical;
mod dag;
mod dot;
mod edge;
mod face;
mod fold;
mod gantt;
mod layout;
mod mermaid;
mod node;
mod state;
mod svg;
mod text;
mod xml;

use std::collections::HashMap;
use std::hash::Hash;

use petgraph::graph::{DiGraph, IndexType, NodeIndex};

pub use self::builder::{PictureBuilder, PictureError};
use self::dag::Dag;
pub use self::edge::Edge;
pub use self::fold::{Fold, Folding};
pub use self::gantt::{Gantt, GanttError, GanttRow, Span, SpanKind, short_time};
pub use self::node::Node;
pub use self::state::{State, StateCounts, Style};

/// A graph that is known to be drawable: its edges join nodes that exist, and there is no cycle. The default is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    title: String,
    direction: Direction,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// The places of each edge's nodes among the nodes.
    ends: Vec<(usize, usize)>,
}

/// Where edges point to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Down or right, whichever makes better use of a screen.
    #[default]
    Fitting,
    /// From top to bottom.
    Down,
    /// From left to right.
    Right,
}

impl Picture {
    /// An empty builder. The title is what screen readers say first.
    pub fn builder(title: impl Into<String>) -> PictureBuilder {
        PictureBuilder { title: title.into(), direction: Direction::default(), nodes: Vec::new(), edges: Vec::new() }
    }

    /// The picture of a petgraph graph. `node` makes the box of a node; `edge` is given an edge with its ends filled in
    /// and its weight, and may add to it.
    ///
    /// # Errors
    ///
    /// As [`PictureBuilder::build`].
    pub fn from_graph<N, E, Ix: IndexType>(
        title: impl Into<String>,
        graph: &DiGraph<N, E, Ix>,
        mut node: impl FnMut(NodeIndex<Ix>, &N) -> Node,
        mut edge: impl FnMut(Edge, &E) -> Edge,
    ) -> Result<Self, PictureError> {
        let nodes: Vec<Node> = graph.node_indices().map(|index| node(index, &graph[index])).collect();
        let edges = graph.raw_edges().iter().map(|raw| {
            let [from, to] = [raw.source(), raw.target()].map(|end| nodes[end.index()].id.clone());
            edge(Edge::new(from, to), &raw.weight)
        });
        let edges = edges.collect();
        PictureBuilder { nodes, edges, ..Self::builder(title) }.build()
    }

    /// What it shows.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The boxes, in the order in which they were added.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The arrows, in the order in which they were added. Two nodes are joined by one at most.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// How many nodes are in each state; a box that stands for many counts as many.
    #[must_use]
    pub fn counts(&self) -> StateCounts {
        let mut counts = StateCounts::default();
        self.nodes.iter().for_each(|node| counts.merge(&node.counts()));
        counts
    }

    fn dag(&self) -> Dag {
        Dag::new(self.nodes.len(), &self.ends)
    }

    /// The direction in which it is drawn, decided.
    fn drawn_direction(&self) -> Direction {
        match self.direction {
            Direction::Fitting => fitting_direction(&self.dag().drawn_levels()),
            decided @ (Direction::Down | Direction::Right) => decided,
        }
    }
}

/// Groups places by key, in the order in which the keys first occur.
fn grouped<K: Eq + Hash>(keys: impl IntoIterator<Item = K>) -> Vec<Vec<usize>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (member, key) in keys.into_iter().enumerate() {
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(member);
    }
    groups
}

/// The direction in which a usual screen, wider than high, has to shrink the picture less.
fn fitting_direction(levels: &[usize]) -> Direction {
    const SCREEN: (f64, f64) = (1600.0, 1000.0);
    let depth = levels.iter().max().map_or(0, |deepest| deepest + 1) as f64;
    let breadth = grouped(levels).iter().map(Vec::len).max().unwrap_or(0) as f64;
    // Usual boxes with the usual room between them.
    let shrunk = |width: f64, height: f64| (width / SCREEN.0).max(height / SCREEN.1);
    let down = shrunk(breadth * 180.0, depth * 100.0);
    let right = shrunk(depth * 220.0, breadth * 64.0);
    if right < down { Direction::Right } else { Direction::Down }
}

#[cfg(test)]
mod tests;
