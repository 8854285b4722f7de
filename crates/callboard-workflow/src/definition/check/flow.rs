//! What steps read and write, held against the graph.

use std::collections::BTreeMap;

use super::super::STEPS;
use super::super::draft::Draft;
use super::{Check, Reference};
use crate::fault::{Fault, FaultKind};
use crate::file::Position;
use crate::graph::{Graph, StepIndex};

impl Check<'_> {
    pub(super) fn flow(&mut self, draft: &Draft, graph: &Graph) {
        for reference in std::mem::take(&mut self.references) {
            let fault = self.reference(graph, &reference);
            self.faults.extend(fault.map(|kind| Fault::new(kind, reference.at)));
        }
        self.clashes(draft, graph);
    }

    /// Only `steps.<id>` names a step; any other path reads what the input or some ancestor has put there.
    fn reference(&mut self, graph: &Graph, reference: &Reference) -> Option<FaultKind> {
        let [root, id, ..] = reference.path.segments() else { return None };
        if root.key() != STEPS {
            return None;
        }
        let (field, source_step) = (reference.field.clone(), id.key().to_owned());
        let Some(&read) = self.ids.get(id.key()) else {
            let near = self.guess(id.key());
            return Some(FaultKind::UnknownSource { field, source_step, near });
        };
        if read == reference.step {
            return (!reference.own).then_some(FaultKind::ReadsItself { field });
        }
        (!graph.is_ancestor(read, reference.step)).then_some(FaultKind::NotAnAncestor { field, source_step })
    }

    /// Two steps of which neither comes after the other must not map their results to the same key. If one does, what
    /// the later one writes covers what the earlier one wrote, as it was meant.
    fn clashes(&mut self, draft: &Draft, graph: &Graph) {
        let mut writers: BTreeMap<&str, Vec<(StepIndex, Option<Position>)>> = BTreeMap::new();
        for &step in graph.topological_order() {
            for (key, _) in draft.steps[step.get()].output_mapping.iter().flatten() {
                writers.entry(&key.value).or_default().push((step, key.at));
            }
        }
        for (key, writers) in writers {
            self.faults.extend(writers.windows(2).find_map(|pair| clash(draft, graph, key, pair)));
        }
    }
}

/// Whether the order of two writers is open. Writers stand in topological order, and there it is enough to look at
/// neighbours: if each comes after the one before it, each comes after all before it.
fn clash(draft: &Draft, graph: &Graph, key: &str, pair: &[(StepIndex, Option<Position>)]) -> Option<Fault> {
    let [(one, at_one), (other, at_other)] = pair else { return None };
    if graph.is_ancestor(*one, *other) {
        return None;
    }
    let ((first, _), (second, place)) =
        if one < other { ((one, at_one), (other, at_other)) } else { ((other, at_other), (one, at_one)) };
    let id = |step: &StepIndex| draft.steps[step.get()].name_in_fault(step.get());
    let kind = FaultKind::ResultClash { key: key.to_owned(), first: id(first), second: id(second) };
    Some(Fault::new(kind, *place))
}
