//! Which module needs which: checked before anything starts, and the order to start and to stop in. Pure.
//!
//! ```
//! use callboard_bus::module_graph::{ModuleGraph, ModuleNode};
//! use semver::Version;
//!
//! let storage = ModuleNode::new("storage", Version::new(1, 2, 0)).provides("put");
//! let processor = ModuleNode::new("processor", Version::new(1, 0, 0)).requires("storage.put@^1".parse()?);
//! let graph = ModuleGraph::new([processor.clone(), storage])?;
//! let names: Vec<_> = graph.start_order().map(|module| module.name.as_str()).collect();
//! assert_eq!(names, ["storage", "processor"]);
//!
//! let alone = ModuleGraph::new([processor]).unwrap_err();
//! assert_eq!(alone.to_string(), "processor 1.0.0 requires storage.put@^1: there is no such module");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Several versions of a module may stand beside each other. Whoever requires an operation needs all that match, as any of
//! them may be asked.
//!
//! # What nobody uses
//!
//! Most operations are called by name from outside: by workflows, by people, by other systems. That no module requires one
//! says nothing, so it is no fault, unless its author says that it is there for other modules alone: see
//! [`ModuleNode::provides_for_modules`].

mod drawing;
mod fault;
mod order;
mod part;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::graph::{DiGraph, NodeIndex};
use semver::Version;

use self::fault::Absence;
pub use self::fault::{GraphFault, GraphFaults, Severity};
pub(crate) use self::part::ModulePart;
pub use self::part::assert_graph;
use crate::address::Address;
use crate::descriptor::Descriptor;
use crate::near::nearest;

/// One module, as far as others depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleNode {
    /// Its name.
    pub name: String,
    /// Its version, which is that of its operations.
    pub version: Version,
    /// What it offers.
    pub provides: Vec<Provided>,
    /// What it needs.
    pub requires: Vec<Required>,
}

/// An operation that a module offers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provided {
    /// The name of the operation, without that of the module.
    pub operation: String,
    /// Whether it is there for other modules alone, so that one which none of them requires is a mistake.
    pub is_for_modules: bool,
}

/// An operation that a module needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Required {
    /// Of which module, in which versions.
    pub address: Address,
    /// Whether the module can do without it.
    pub is_optional: bool,
}

impl ModuleNode {
    /// A module that neither offers nor needs anything.
    #[must_use]
    pub fn new(name: impl Into<String>, version: Version) -> Self {
        Self { name: name.into(), version, provides: Vec::new(), requires: Vec::new() }
    }

    /// Offers an operation, to whoever wants it.
    #[must_use]
    pub fn provides(mut self, operation: impl Into<String>) -> Self {
        self.provides.push(Provided { operation: operation.into(), is_for_modules: false });
        self
    }

    /// Offers an operation to other modules alone: it is a fault if none of them requires it.
    #[must_use]
    pub fn provides_for_modules(mut self, operation: impl Into<String>) -> Self {
        self.provides.push(Provided { operation: operation.into(), is_for_modules: true });
        self
    }

    /// Needs an operation.
    #[must_use]
    pub fn requires(mut self, address: Address) -> Self {
        self.requires.push(Required { address, is_optional: false });
        self
    }

    /// Would use an operation, and can do without it. If it is there, it starts first.
    #[must_use]
    pub fn may_use(mut self, address: Address) -> Self {
        self.requires.push(Required { address, is_optional: true });
        self
    }

    fn offers(&self, operation: &str) -> bool {
        self.provides.iter().any(|provided| provided.operation == operation)
    }

    /// What tells it apart.
    fn key(&self) -> (&str, &Version) {
        (&self.name, &self.version)
    }

    /// `storage 1.2.0`.
    fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

impl From<&Descriptor> for ModuleNode {
    fn from(descriptor: &Descriptor) -> Self {
        let operations = descriptor.operations.iter().map(|operation| operation.name.clone());
        let provides = operations.map(|operation| Provided { operation, is_for_modules: false });
        let requires = descriptor.requires.iter().cloned().map(|address| Required { address, is_optional: false });
        Self {
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            provides: provides.collect(),
            requires: requires.collect(),
        }
    }
}

/// Modules that have what they need. See the head of this module.
#[derive(Clone, Debug)]
pub struct ModuleGraph {
    graph: DiGraph<ModuleNode, Vec<Required>>,
    order: Vec<NodeIndex>,
    warnings: Vec<GraphFault>,
}

impl ModuleGraph {
    /// Checks that all modules have what they need. One that is given twice in the same way, as the instances of a module
    /// are, counts once.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn new(modules: impl IntoIterator<Item = ModuleNode>) -> Result<Self, GraphFaults> {
        let (graph, faults) = Self::examine(modules);
        graph.judged(faults)
    }

    /// As far as the modules fit together, and everything that is wrong.
    fn examine(modules: impl IntoIterator<Item = ModuleNode>) -> (Self, Vec<GraphFault>) {
        let (modules, mut faults) = distinct(modules);
        let needs = Needs::of(&modules, &mut faults);
        faults.extend(unused(&modules, &needs));
        let graph = needs.graph(modules);
        let order = order::topological(&graph);
        if order.len() < graph.node_count() {
            faults.extend(order::cycles(&graph).into_iter().map(|path| cycle(&graph, &path)));
        }
        (Self { graph, order, warnings: Vec::new() }, faults)
    }

    fn judged(self, faults: Vec<GraphFault>) -> Result<Self, GraphFaults> {
        let (warnings, errors): (Vec<_>, Vec<_>) =
            faults.into_iter().partition(|fault| fault.severity() == Severity::Warning);
        if errors.is_empty() { Ok(Self { warnings, ..self }) } else { Err(GraphFaults { errors, warnings }) }
    }

    /// The same as petgraph has it: an edge from each module to those that need it, with what they need.
    #[must_use]
    pub fn as_petgraph(&self) -> &DiGraph<ModuleNode, Vec<Required>> {
        &self.graph
    }

    /// Each module after all that it needs, and otherwise in the order in which they were given.
    pub fn start_order(&self) -> impl DoubleEndedIterator<Item = &ModuleNode> {
        self.order.iter().map(|index| &self.graph[*index])
    }

    /// Each module before all that it needs: the other way round.
    pub fn stop_order(&self) -> impl DoubleEndedIterator<Item = &ModuleNode> {
        self.start_order().rev()
    }

    /// What is worth a look and keeps nobody from starting.
    #[must_use]
    pub fn warnings(&self) -> &[GraphFault] {
        &self.warnings
    }
}

/// Who needs what of whom, by their places in the list of modules.
#[derive(Debug, Default)]
struct Needs(BTreeMap<(usize, usize), Vec<Required>>);

impl Needs {
    fn of(modules: &[ModuleNode], faults: &mut Vec<GraphFault>) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, module) in modules.iter().enumerate() {
            by_name.entry(&module.name).or_default().push(place);
        }
        let mut needs = Self::default();
        for (place, module) in modules.iter().enumerate() {
            for required in &module.requires {
                let named = by_name.get(required.address.module()).map_or(&[][..], Vec::as_slice);
                match found(modules, named, place, &required.address) {
                    Ok(providers) => needs.add(place, &providers, required),
                    Err(absence) => faults.push(GraphFault::absent(module, required, absence)),
                }
            }
        }
        needs
    }

    fn add(&mut self, by: usize, providers: &[usize], required: &Required) {
        providers.iter().for_each(|of| self.0.entry((*of, by)).or_default().push(required.clone()));
    }

    fn graph(self, modules: Vec<ModuleNode>) -> DiGraph<ModuleNode, Vec<Required>> {
        let mut graph = DiGraph::with_capacity(modules.len(), self.0.len());
        modules.into_iter().for_each(|module| _ = graph.add_node(module));
        for ((of, by), required) in self.0 {
            graph.add_edge(NodeIndex::new(of), NodeIndex::new(by), required);
        }
        graph
    }
}

/// The places of all that match, among the modules that have the name.
fn found(modules: &[ModuleNode], named: &[usize], own: usize, address: &Address) -> Result<Vec<usize>, Absence> {
    let matches = |place: &usize| address.requirement().is_none_or(|wanted| wanted.matches(&modules[*place].version));
    let offering: Vec<usize> =
        named.iter().copied().filter(|place| modules[*place].offers(address.operation())).collect();
    let matching: Vec<usize> = offering.iter().copied().filter(matches).collect();
    let near = || {
        // Nobody means one of their own.
        let others = modules.iter().filter(|module| module.name != modules[own].name);
        let all = others.flat_map(|module| {
            module.provides.iter().map(|provided| format!("{}.{}", module.name, provided.operation))
        });
        nearest(address.name(), all.collect::<Vec<_>>().iter().map(String::as_str))
    };
    match (named, &*offering, &*matching) {
        ([], ..) => Err(Absence::Module { near: near() }),
        (_, [], _) => Err(Absence::Operation { near: near() }),
        (.., []) => Err(Absence::Version { there: versions(modules, &offering) }),
        (.., matching) if matching.contains(&own) => Err(Absence::Itself),
        _ => Ok(matching),
    }
}

/// Highest first.
fn versions(modules: &[ModuleNode], places: &[usize]) -> Vec<Version> {
    let versions: BTreeSet<_> = places.iter().map(|place| modules[*place].version.clone()).collect();
    versions.into_iter().rev().collect()
}

/// Each module once.
fn distinct(modules: impl IntoIterator<Item = ModuleNode>) -> (Vec<ModuleNode>, Vec<GraphFault>) {
    let mut kept: Vec<ModuleNode> = Vec::new();
    let mut places = HashMap::new();
    let mut faults = Vec::new();
    for module in modules {
        let place = *places.entry((module.name.clone(), module.version.clone())).or_insert(kept.len());
        match kept.get(place) {
            None => kept.push(module),
            Some(known) if *known == module => {}
            Some(_) => faults.push(GraphFault::Twice { module: module.name, version: module.version }),
        }
    }
    (kept, faults)
}

fn unused(modules: &[ModuleNode], needs: &Needs) -> Vec<GraphFault> {
    let used = needs
        .0
        .iter()
        .flat_map(|((of, _), required)| required.iter().map(move |required| (*of, required.address.operation())));
    let used: BTreeSet<(usize, &str)> = used.collect();
    let meant = modules.iter().enumerate().flat_map(|(place, module)| {
        let meant = module.provides.iter().filter(|provided| provided.is_for_modules);
        meant.map(move |provided| (place, module, &*provided.operation))
    });
    let unused = meant.filter(|(place, _, operation)| !used.contains(&(*place, *operation)));
    unused.map(|(_, module, operation)| GraphFault::unused(module, operation)).collect()
}

fn cycle(graph: &DiGraph<ModuleNode, Vec<Required>>, path: &[NodeIndex]) -> GraphFault {
    let ends = path.iter().chain(path.first());
    GraphFault::Cycle { path: ends.map(|index| graph[*index].name.clone()).collect() }
}

#[cfg(test)]
mod tests;
