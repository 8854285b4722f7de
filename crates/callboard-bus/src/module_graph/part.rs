//! Modules as parts of a system: those that are named to its builder are looked at together before any of them starts.

use std::collections::HashMap;

use callboard_actor::{Actor, Arrangement, Part, SystemBuilder};
use petgraph::Direction::Incoming;
use petgraph::graph::NodeIndex;

use super::{GraphFault, GraphFaults, ModuleGraph, ModuleNode, Severity};
use crate::manifest::Manifest;

/// A module that is to be started, or what is wrong with its manifest.
pub(crate) struct ModulePart(Result<ModuleNode, GraphFault>);

impl ModulePart {
    pub(crate) fn of<A: Actor>(manifest: &Manifest<A>) -> Self {
        Self(manifest.node().map_err(|error| GraphFault::manifest(manifest.name(), &error)))
    }
}

impl Part for ModulePart {
    /// What a module can do without starts before it as well, if it is there.
    fn arrange(parts: &[&Self]) -> Arrangement {
        let (graph, faults) = examine(parts.iter().copied());
        let instances = Instances::of(parts, &graph);
        let needs = (0..parts.len()).map(|place| instances.needed_by(place, &graph)).collect();
        let errors = faults.iter().filter(|fault| fault.severity() == Severity::Error);
        Arrangement { needs, faults: errors.map(GraphFault::to_string).collect() }
    }
}

impl ModuleGraph {
    /// The modules that a builder has been given, see [`module`](crate::module()). What registers itself by other means is not
    /// among them.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them: [`SystemBuilder::start`] would say the same.
    pub fn of(builder: &SystemBuilder) -> Result<Self, GraphFaults> {
        let (graph, faults) = examine(builder.parts());
        graph.judged(faults)
    }
}

/// The graph of the modules of a system that is to be built, which fit together: a test of it is one line.
///
/// ```
/// # use callboard_actor::{System, SystemBuilder};
/// fn app() -> SystemBuilder {
///     System::builder() // .supervise(..)
/// }
///
/// # /*
/// #[test]
/// # */
/// fn the_modules_fit_together() {
///     callboard_bus::module_graph::assert_graph(&app());
/// }
/// # the_modules_fit_together();
/// ```
///
/// # Panics
///
/// When they do not, with everything that is wrong: what [`SystemBuilder::check`] says.
#[track_caller]
pub fn assert_graph(builder: &SystemBuilder) -> ModuleGraph {
    match (ModuleGraph::of(builder), builder.check()) {
        (Ok(graph), Ok(())) => graph,
        (Err(faults), _) => panic!("the modules do not fit together:\n{faults}"),
        (_, Err(faults)) => panic!("the modules cannot be started: {faults}"),
    }
}

fn examine<'p>(parts: impl IntoIterator<Item = &'p ModulePart>) -> (ModuleGraph, Vec<GraphFault>) {
    let (mut nodes, mut broken) = (Vec::new(), Vec::new());
    for part in parts {
        match &part.0 {
            Ok(node) => nodes.push(node.clone()),
            Err(fault) => broken.push(fault.clone()),
        }
    }
    let (graph, faults) = ModuleGraph::examine(nodes);
    broken.extend(faults);
    // The instances of a module have one manifest.
    broken.dedup();
    (graph, broken)
}

/// Which parts are instances of which module.
struct Instances {
    modules: Vec<Option<NodeIndex>>,
    parts: HashMap<NodeIndex, Vec<usize>>,
}

impl Instances {
    fn of(parts: &[&ModulePart], graph: &ModuleGraph) -> Self {
        let modules = &graph.as_petgraph();
        let by_name: HashMap<_, _> = modules.node_indices().map(|index| (modules[index].key(), index)).collect();
        let module = |part: &&ModulePart| by_name.get(&part.0.as_ref().ok()?.key()).copied();
        let modules: Vec<_> = parts.iter().map(module).collect();
        let mut parts: HashMap<_, Vec<_>> = HashMap::new();
        for (place, module) in modules.iter().enumerate() {
            module.iter().for_each(|module| parts.entry(*module).or_default().push(place));
        }
        Self { modules, parts }
    }

    /// All instances of all that it needs.
    fn needed_by(&self, place: usize, graph: &ModuleGraph) -> Vec<usize> {
        let needed = self.modules[place].into_iter();
        let needed = needed.flat_map(|module| graph.as_petgraph().neighbors_directed(module, Incoming));
        needed.flat_map(|module| self.parts.get(&module).into_iter().flatten().copied()).collect()
    }
}
