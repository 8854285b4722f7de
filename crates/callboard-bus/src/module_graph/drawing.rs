//! The graph as a picture.

use std::collections::BTreeSet;

use super::{ModuleGraph, ModuleNode, Required};
use crate::picture::{Edge, Node, Picture};

impl ModuleGraph {
    /// The modules, each with its version and how much it offers, and arrows to those that need it, with the operations
    /// that they need. What a module can do without is dashed. Written as SVG, DOT or Mermaid by
    /// [`picture`](crate::picture).
    #[must_use]
    pub fn picture(&self, title: impl Into<String>) -> Picture {
        let picture =
            Picture::from_graph(title, &self.graph, |_, module| boxed(module), |edge, needs| arrow(edge, needs));
        // No two modules have one name and version, and there is no cycle, so that nothing can be refused.
        picture.unwrap_or_default()
    }
}

fn boxed(module: &ModuleNode) -> Node {
    let detail = match module.provides.len() {
        0 => module.version.to_string(),
        1 => format!("{} · 1 operation", module.version),
        count => format!("{} · {count} operations", module.version),
    };
    Node::new(module.label(), &module.name).detail(detail).kind(&module.name)
}

fn arrow(edge: Edge, needs: &[Required]) -> Edge {
    let operations: BTreeSet<_> = needs.iter().map(|required| required.address.operation()).collect();
    let edge = edge.label(operations.into_iter().collect::<Vec<_>>().join(", "));
    if needs.iter().all(|required| required.is_optional) { edge.dashed() } else { edge }
}
