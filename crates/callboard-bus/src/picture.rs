//! Pictures of directed graphs without cycles: what runs before what, and how far it has come. Pure.
//!
//! A [`Picture`] is data: nodes with a state, and edges. It is built by hand or from a petgraph graph, brought to a
//! readable size by [`folded`](Picture::folded), and written as [DOT](Picture::to_dot), [Mermaid](Picture::to_mermaid) or
//! a self-contained [SVG](Picture::to_svg). All of them take the looks of a [`State`] from one table. A [`Gantt`]
//! chart shows the same work over time.
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

mod dag;
mod dot;
mod face;
mod fold;
mod gantt;
mod layout;
mod mermaid;
mod state;
mod svg;
mod text;
mod xml;

use std::collections::HashMap;
use std::hash::Hash;

use petgraph::graph::{DiGraph, IndexType, NodeIndex};
use thiserror::Error;

use self::dag::Dag;
pub use self::fold::{Fold, Folding};
pub use self::gantt::{Gantt, GanttError, GanttRow, Span, SpanKind};
pub use self::state::{State, StateCounts, Style};

/// A graph that is known to be drawable: its edges join nodes that exist, and there is no cycle.
#[derive(Clone, Debug, PartialEq)]
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

/// One box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    id: String,
    label: String,
    detail: Option<String>,
    kind: Option<String>,
    state: State,
    fold: Option<Fold>,
}

/// One arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    from: String,
    to: String,
    label: Option<String>,
    is_dashed: bool,
    count: usize,
}

/// Collects what a picture shows. [`build`](Self::build) checks it.
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct PictureBuilder {
    title: String,
    direction: Direction,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// Why something cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Two nodes have the same id.
    #[error("there are two nodes with the id `{id}`: give each its own")]
    DuplicateNode {
        /// The id.
        id: String,
    },
    /// An edge names a node that does not exist.
    #[error("the edge from `{from}` to `{to}` names `{missing}`, which is no node: add it or drop the edge")]
    UnknownNode {
        /// Where the edge begins.
        from: String,
        /// Where it ends.
        to: String,
        /// The end that does not exist.
        missing: String,
    },
    /// Edges lead in a circle.
    #[error("edges lead in a circle, {}: drop one of them", shortened(path))]
    Cycle {
        /// The ids on the way round; the first comes again at the end.
        path: Vec<String>,
    },
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

impl PictureBuilder {
    /// Adds a box.
    pub fn node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// Adds boxes.
    pub fn nodes(mut self, nodes: impl IntoIterator<Item = Node>) -> Self {
        self.nodes.extend(nodes);
        self
    }

    /// Adds an arrow.
    pub fn edge(mut self, edge: Edge) -> Self {
        self.edges.push(edge);
        self
    }

    /// Adds arrows.
    pub fn edges(mut self, edges: impl IntoIterator<Item = Edge>) -> Self {
        self.edges.extend(edges);
        self
    }

    /// Sets where edges point to.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Checks it all. Edges between the same two nodes become one that counts them.
    ///
    /// # Errors
    ///
    /// Ids that are not unique, edges that lead nowhere, edges that lead in a circle.
    pub fn build(self) -> Result<Picture, PictureError> {
        let Self { title, direction, nodes, edges } = self;
        let mut places = HashMap::with_capacity(nodes.len());
        for (place, node) in nodes.iter().enumerate() {
            if places.insert(node.id.as_str(), place).is_some() {
                return Err(PictureError::DuplicateNode { id: node.id.clone() });
            }
        }
        let ends = edges.iter().map(|edge| edge.ends(&places)).collect::<Result<Vec<_>, _>>()?;
        let (edges, ends) = merged(edges, &ends);
        if let Some(path) = Dag::new(nodes.len(), &ends).cycle() {
            return Err(PictureError::Cycle { path: path.into_iter().map(|place| nodes[place].id.clone()).collect() });
        }
        Ok(Picture { title, direction, nodes, edges, ends })
    }
}

impl Node {
    /// A plain box. The id is unique in a picture, the label is what people read.
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), detail: None, kind: None, state: State::Plain, fold: None }
    }

    /// Adds a second line of text.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what it is one of: nodes of one kind are folded together. Without a kind it is the label without its number.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Sets how far it has come.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Its unique name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people read.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The nodes that it stands for, when it stands for more than one.
    #[must_use]
    pub fn fold(&self) -> Option<&Fold> {
        self.fold.as_ref()
    }

    /// How many nodes that it stands for are in each state.
    #[must_use]
    pub fn counts(&self) -> StateCounts {
        self.fold.as_ref().map_or_else(|| [self.state].into_iter().collect(), |fold| fold.counts)
    }
}

impl Edge {
    /// An arrow from one node to another, by their ids.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into(), label: None, is_dashed: false, count: 1 }
    }

    /// Adds a text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Draws it dashed.
    #[must_use]
    pub fn dashed(mut self) -> Self {
        self.is_dashed = true;
        self
    }

    /// The id of the node where it begins.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The id of the node that it points to.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// How many edges it stands for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    fn ends(&self, places: &HashMap<&str, usize>) -> Result<(usize, usize), PictureError> {
        let place = |id: &String| {
            let Self { from, to, .. } = self.clone();
            places.get(id.as_str()).copied().ok_or_else(|| PictureError::UnknownNode { from, to, missing: id.clone() })
        };
        Ok((place(&self.from)?, place(&self.to)?))
    }

    /// Takes in another edge between the same nodes. A text is kept when both say the same.
    fn absorb(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.is_dashed &= other.is_dashed;
        if self.label != other.label {
            self.label = None;
        }
    }
}

/// One edge per pair of nodes, in the order in which the pairs first occur.
fn merged(edges: Vec<Edge>, ends: &[(usize, usize)]) -> (Vec<Edge>, Vec<(usize, usize)>) {
    let mut places = HashMap::new();
    let mut kept: Vec<Edge> = Vec::new();
    let mut kept_ends = Vec::new();
    for (edge, &pair) in edges.into_iter().zip(ends) {
        let place = *places.entry(pair).or_insert(kept.len());
        if let Some(first) = kept.get_mut(place) {
            first.absorb(&edge);
        } else {
            kept.push(edge);
            kept_ends.push(pair);
        }
    }
    (kept, kept_ends)
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

/// The path with its middle left out when it is long.
fn shortened(path: &[String]) -> String {
    const SHOWN: usize = 8;
    if path.len() <= 2 * SHOWN {
        return path.join(" -> ");
    }
    let (head, tail) = (&path[..SHOWN], &path[path.len() - SHOWN..]);
    format!("{} -> ({} more) -> {}", head.join(" -> "), path.len() - 2 * SHOWN, tail.join(" -> "))
}

#[cfg(test)]
mod tests;
