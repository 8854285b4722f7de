//! Makes a picture, and says what is wrong with one that cannot be made.

use std::collections::HashMap;

use thiserror::Error;

use super::dag::Dag;
use super::edge::merged;
use super::{Direction, Edge, Node, Picture};

/// Collects what a picture shows. [`build`](Self::build) checks it.
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct PictureBuilder {
    pub(super) title: String,
    pub(super) direction: Direction,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
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

/// The path with its middle left out when it is long.
fn shortened(path: &[String]) -> String {
    const SHOWN: usize = 8;
    if path.len() <= 2 * SHOWN {
        return path.join(" -> ");
    }
    let (head, tail) = (&path[..SHOWN], &path[path.len() - SHOWN..]);
    format!("{} -> ({} more) -> {}", head.join(" -> "), path.len() - 2 * SHOWN, tail.join(" -> "))
}
