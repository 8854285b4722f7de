//! Definitions and runs as pictures: what depends on what, how far it has come, and what decided how long it took. Pure.
//!
//! A picture has a box for every step; one of a large workflow is brought to a readable size by
//! [`Picture::folded`](callboard_bus::picture::Picture::folded) and written as SVG, DOT or Mermaid by
//! [`callboard_bus::picture`]. Arrows to a step that does not need all that it depends on are dashed.
//!
//! | step | box |
//! |---|---|
//! | waiting, held, retrying | waiting |
//! | queued | ready |
//! | running, cancelling, compensating | running |
//! | succeeded | done |
//! | failed, compensation_failed | failed |
//! | skipped, cancelled, compensated | the same |
//!
//! ```
//! use callboard_bus::picture::Folding;
//! use callboard_workflow::definition::{Definition, StepBuilder};
//!
//! let fetch = StepBuilder::new("fetch", "web.get");
//! let store = StepBuilder::new("store", "storage.put").after(["fetch"]);
//! let definition = Definition::builder("copy").step(fetch).step(store).build()?;
//! let picture = definition.picture().folded(Folding::default());
//! assert!(picture.to_mermaid().contains("fetch"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chart;

use std::collections::{HashMap, HashSet};

use callboard_bus::picture::{Edge, Node, Picture, State, StateCounts, short_time};

use crate::definition::{Definition, Join, Step};
use crate::graph::StepIndex;
use crate::history::{History, Stage, Stages};
use crate::run::{Run, StepState, Task};

impl Definition {
    /// Its steps, each with its handler, and what each waits for.
    #[must_use]
    pub fn picture(&self) -> Picture {
        drawn(self, self.name(), |_, node| node, |_, edge| edge)
    }
}

impl Run {
    /// Its steps in the colours of their states, mapped ones with the states of their items.
    #[must_use]
    pub fn picture(&self) -> Picture {
        drawn(self.definition(), &title(self), |step, node| self.marked(step, node, None), |_, edge| edge)
    }

    fn marked(&self, step: StepIndex, node: Node, time: Option<String>) -> Node {
        let Some(state) = self.task_state(step.into()) else { return node };
        let described = self.definition().step(step);
        let attempts = self.attempt_of(step.into());
        let counts = item_states(self, step);
        let words = [
            described.map(|step| step.handler.name().to_string()),
            counts.map(|counts| format!("{} items: {}", counts.total(), counts.summary())),
            (attempts > 1).then(|| format!("attempt {attempts}")),
            time,
        ];
        let node = node.state(colour(state)).detail(words.into_iter().flatten().collect::<Vec<_>>().join(" · "));
        counts.into_iter().fold(node, Node::items)
    }
}

impl History {
    /// The picture of the run with the time that each step took from the moment its turn came, and with the critical path
    /// of a run that is over. See [`critical_path`](Self::critical_path).
    #[must_use]
    pub fn picture(&self, run: &Run) -> Picture {
        let stages = Stages::new(self, run, self.started());
        let path = stages.critical_steps();
        let (steps, pairs): (HashSet<_>, HashSet<_>) =
            (path.iter().copied().collect(), path.windows(2).map(|pair| (pair[0], pair[1])).collect());
        let node = |step: StepIndex, node: Node| {
            let is_over = run.task_state(step.into()).is_some_and(StepState::is_settled);
            let extent = stages.extent(Stage { is_undo: false, step }).filter(|extent| extent.was_called && is_over);
            let node = run.marked(step, node, extent.map(|extent| short_time(extent.end.saturating_sub(extent.begin))));
            if steps.contains(&step) { node.critical() } else { node }
        };
        let edge = |ends, edge: Edge| if pairs.contains(&ends) { edge.critical() } else { edge };
        drawn(run.definition(), &title(run), node, edge)
    }
}

/// The picture of a definition, with each box and arrow as the functions make it.
fn drawn(
    definition: &Definition,
    title: &str,
    node: impl Fn(StepIndex, Node) -> Node,
    edge: impl Fn((StepIndex, StepIndex), Edge) -> Edge,
) -> Picture {
    let labels = labels(definition);
    let steps = definition.steps();
    let nodes = (0..).map(StepIndex::new).zip(steps.iter().zip(labels));
    let nodes = nodes.map(|(index, (step, label))| node(index, boxed(step, label)));
    let edges = (0..).map(StepIndex::new).zip(steps).flat_map(|(index, step)| {
        let parents = step.depends_on.iter().filter_map(|parent| Some((*parent, definition.step(*parent)?)));
        parents.map(move |(parent, above)| ((parent, index), arrow(above, step)))
    });
    let picture = Picture::builder(title).nodes(nodes).edges(edges.map(|(ends, arrow)| edge(ends, arrow))).build();
    // A definition has no two steps of one id, no edge to nowhere and no cycle, so that nothing can be refused.
    picture.unwrap_or_default()
}

fn boxed(step: &Step, label: String) -> Node {
    let over = step.map.as_ref().map_or_else(String::new, |map| format!(" · each of {}", map.over));
    let node = Node::new(&*step.step_id, label).detail(format!("{}{over}", step.handler.name()));
    if *step.name == *step.step_id { node } else { node.kind(&step.name) }
}

fn arrow(parent: &Step, child: &Step) -> Edge {
    let edge = Edge::new(&*parent.step_id, &*child.step_id);
    if child.join == Join::All { edge } else { edge.dashed() }
}

/// What people call each step; the id where others are called the same.
fn labels(definition: &Definition) -> Vec<String> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    definition.steps().iter().for_each(|step| *uses.entry(&step.name).or_default() += 1);
    let label = |step: &Step| if uses[step.name.as_str()] == 1 { step.name.clone() } else { step.step_id.to_string() };
    definition.steps().iter().map(label).collect()
}

fn title(run: &Run) -> String {
    format!("{} · {} · {}", run.definition().name(), run.state(), run.id())
}

fn item_states(run: &Run, step: StepIndex) -> Option<StateCounts> {
    let items = 0..run.item_count(step);
    let states = items.map(|item| run.task_state(Task { step, item: Some(item) }).map_or(State::Plain, colour));
    Some(states.collect()).filter(|counts: &StateCounts| counts.total() > 0)
}

/// The table at the head of this module.
fn colour(state: StepState) -> State {
    match state {
        StepState::Waiting | StepState::Held | StepState::Retrying => State::Waiting,
        StepState::Queued => State::Ready,
        StepState::Running | StepState::Cancelling | StepState::Compensating => State::Running,
        StepState::Succeeded => State::Done,
        StepState::Failed | StepState::CompensationFailed => State::Failed,
        StepState::Cancelled => State::Cancelled,
        StepState::Skipped => State::Skipped,
        StepState::Compensated => State::Compensated,
    }
}
