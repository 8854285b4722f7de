//! Makes a definition of a draft, or says everything that is wrong with it. Pure.
//!
//! First every step is read for itself, then the dependencies are drawn into a graph, and if that is sound, what steps read
//! and write is held against it. A fault of a dependency ends the check there: what would be found behind it would
//! mostly be its echo.

mod flow;
mod parts;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use callboard_bus::Path;
use callboard_bus::near::nearest;

use super::draft::{Draft, StepDraft};
use super::{About, Definition, Inner, Join, MOST_STEPS, Step};
use crate::fault::{Fault, FaultKind};
use crate::file::{At, Position};
use crate::graph::{Graph, StepIndex};

/// The longest id in bytes.
const LONGEST_NAME: usize = 128;

/// Of so many unknown names it is guessed what was meant. A guess looks at all steps, so a large file full of unknown names
/// would otherwise take hours to refuse.
const GUESSES: u32 = 20;

/// The definition if there is no fault, and the faults, those that were given included.
pub(super) fn check(draft: &Draft, faults: Vec<Fault>) -> (Option<Definition>, Vec<Fault>) {
    let mut check = Check { faults, ids: HashMap::new(), references: Vec::new(), guesses: GUESSES };
    if draft.steps.len() > MOST_STEPS {
        check.fault(FaultKind::TooManySteps { found: draft.steps.len(), most: MOST_STEPS }, draft.steps_at);
        return (None, check.faults);
    }
    check.collect_ids(draft);
    let about = check.about(draft);
    let steps: Vec<_> = (0..draft.steps.len()).map(|index| check.step(draft, index)).collect();
    check.limits_are_used(draft);
    let graph = check.graph(draft);
    if let Some(graph) = &graph {
        check.flow(draft, graph);
    }
    let definition = check.definition(about, steps, graph);
    (definition, check.faults)
}

/// A path that a step reads the context by.
struct Reference {
    step: StepIndex,
    field: String,
    path: Path,
    at: Option<Position>,
    /// Whether it may read the result of its own step: that of a compensation may.
    own: bool,
}

struct Check<'a> {
    faults: Vec<Fault>,
    ids: HashMap<&'a str, StepIndex>,
    references: Vec<Reference>,
    /// How many more unknown names are held against all known ones.
    guesses: u32,
}

impl<'a> Check<'a> {
    fn definition(&self, about: Option<About>, steps: Vec<Option<Step>>, graph: Option<Graph>) -> Option<Definition> {
        if !self.faults.is_empty() {
            return None;
        }
        let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
        let ids = (0..).zip(&steps).map(|(index, step)| (step.step_id.clone(), StepIndex::new(index))).collect();
        Some(Definition(Arc::new(Inner { about: about?, steps, ids, graph: graph? })))
    }

    fn fault(&mut self, kind: FaultKind, at: Option<Position>) {
        self.faults.push(Fault::new(kind, at));
    }

    /// Notes a fault and gives what is left: nothing.
    fn or_fault<T>(&mut self, result: Result<T, FaultKind>, at: Option<Position>) -> Option<T> {
        result.map_err(|kind| self.fault(kind, at)).ok()
    }

    fn collect_ids(&mut self, draft: &'a Draft) {
        for (index, step) in draft.steps.iter().enumerate() {
            let Some(id) = &step.step_id else { continue };
            self.name("the step id", id);
            if self.ids.contains_key(id.value.as_str()) {
                self.fault(FaultKind::DuplicateStep { step: id.value.clone() }, id.at);
            } else {
                self.ids.insert(&id.value, StepIndex::new(index));
            }
        }
    }

    /// An id is part of names, paths and journals: it stays in one piece there.
    fn name(&mut self, what: &'static str, name: &At<String>) {
        let strange = |c: char| c.is_whitespace() || c.is_control() || "[]#`\"'".contains(c);
        let reason = match name.value.as_str() {
            "" => "is empty",
            text if text.len() > LONGEST_NAME => "is longer than 128 bytes",
            text if text.contains(strange) => {
                "holds a space, a bracket, a quotation mark, a `#` or a control character"
            }
            text if text.starts_with('$') => "begins with `$`, which is kept for the system",
            _ => return,
        };
        self.fault(FaultKind::BadName { what, found: name.value.clone(), reason }, name.at);
    }

    /// An event has one name, and a run is started by events of that name: patterns are for subscribers.
    fn trigger(&mut self, topic: &At<String>) {
        self.name("the trigger event", topic);
        if topic.value.contains(['*', '?', '>']) {
            let reason = "holds a wildcard: name each event that starts the workflow";
            self.fault(FaultKind::BadName { what: "the trigger event", found: topic.value.clone(), reason }, topic.at);
        }
    }

    fn about(&mut self, draft: &Draft) -> Option<About> {
        let id = draft.workflow_id.as_ref();
        id.into_iter().for_each(|id| self.name("the workflow id", id));
        draft.trigger_events.iter().for_each(|topic| self.trigger(topic));
        self.has_steps(draft);
        let version = draft.version.as_ref().and_then(|version| self.version(version));
        let timeout = self.timeout(draft.timeout.as_ref(), "the definition");
        let limits = self.limits(draft);
        Some(About {
            workflow_id: id?.value.as_str().into(),
            name: draft.name.clone().unwrap_or_else(|| id.map_or_else(String::new, |id| id.value.clone())),
            description: draft.description.clone().unwrap_or_default(),
            version: version?,
            trigger_events: draft.trigger_events.iter().map(|topic| topic.value.clone()).collect(),
            timeout,
            limits,
        })
    }

    fn has_steps(&mut self, draft: &Draft) {
        // A file that has no list of steps at all has been told so by the reader.
        if draft.steps.is_empty() && (draft.steps_at.is_some() || self.faults.is_empty()) {
            self.fault(FaultKind::NoSteps, draft.steps_at);
        }
    }

    fn graph(&mut self, draft: &'a Draft) -> Option<Graph> {
        let before = self.faults.len();
        let parents: Vec<_> = (0..draft.steps.len()).map(|index| self.parents(draft, index)).collect();
        let graph = Graph::new(&parents).map_err(|cycles| {
            cycles.into_iter().for_each(|cycle| self.cycle(draft, cycle));
        });
        graph.ok().filter(|_| self.faults.len() == before)
    }

    fn parents(&mut self, draft: &'a Draft, index: usize) -> Vec<StepIndex> {
        let (step, mut parents, mut seen) = (&draft.steps[index], Vec::new(), HashSet::new());
        for dependency in &step.depends_on {
            let parent = self.parent(step, dependency, index, &mut seen);
            parents.extend(self.or_fault(parent, dependency.at));
        }
        self.join_fits(step, index, parents.len());
        parents
    }

    fn parent(
        &mut self,
        step: &StepDraft,
        dependency: &At<String>,
        index: usize,
        seen: &mut HashSet<StepIndex>,
    ) -> Result<StepIndex, FaultKind> {
        let name = dependency.value.as_str();
        let (own, dependency) = (step.name_in_fault(index), name.to_owned());
        match self.ids.get(name).copied() {
            None => {
                let near = self.guess(name);
                Err(FaultKind::UnknownDependency { step: own, dependency, near })
            }
            Some(parent) if parent.get() == index => Err(FaultKind::SelfDependency { step: own }),
            Some(parent) if !seen.insert(parent) => Err(FaultKind::DuplicateDependency { step: own, dependency }),
            Some(parent) => Ok(parent),
        }
    }

    /// The step that was probably meant; of equally near ones the first of the definition.
    fn guess(&mut self, name: &str) -> Option<String> {
        self.guesses = self.guesses.checked_sub(1)?;
        let mut ids: Vec<_> = self.ids.iter().map(|(id, index)| (*index, *id)).collect();
        ids.sort_unstable();
        nearest(name, ids.into_iter().map(|(_, id)| id))
    }

    fn join_fits(&mut self, step: &StepDraft, index: usize, dependencies: usize) {
        let Some(At { value, at, .. }) = step.join else { return };
        let join = match value {
            super::JoinDraft::Number(number) => number,
            super::JoinDraft::Word(Join::AtLeast(number)) => number.get(),
            super::JoinDraft::Word(_) => return,
        };
        if join as usize > dependencies {
            self.fault(FaultKind::JoinTooLarge { step: step.name_in_fault(index), join, dependencies }, at);
        }
    }

    /// The place is that of the dependency that closes the cycle.
    fn cycle(&mut self, draft: &Draft, mut cycle: Vec<StepIndex>) {
        cycle.reverse();
        let id = |index: &StepIndex| draft.steps[index.get()].name_in_fault(index.get());
        let mut ids: Vec<String> = cycle.iter().map(id).collect();
        ids.rotate_right(1);
        ids.extend(ids.first().cloned());
        let first = ids.first().and_then(|id| self.ids.get(id.as_str()));
        let step = first.map(|first| &draft.steps[first.get()]);
        let closing = step.and_then(|step| step.depends_on.iter().find(|other| ids.get(1) == Some(&other.value)));
        self.fault(FaultKind::Cycle { cycle: ids }, closing.and_then(|other| other.at));
    }
}
