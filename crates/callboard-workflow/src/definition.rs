//! What a workflow is: steps, what each waits for, what it is given, and what happens when it fails.
//!
//! One model with two faces. [`Definition::builder`] makes one in Rust, [`Definition::read`] from a YAML or JSON text; both
//! are held to the same rules by the same code, and [`Definition::to_json`] gives the text back. A definition never
//! changes and a clone of it is one more reference, so every run holds the one that it was started with.
//!
//! # What a step is given and what it gives
//!
//! A step sees a *context*: the input of the run, with the results of the step's ancestors laid over it in the order of
//! [`Graph::topological_order`](crate::graph::Graph::topological_order). An object that a step replies is laid over whole, or by its
//! `output_mapping` if it has one; any other reply is reached as `steps.<id>.output`. Only ancestors are seen, so
//! what a step is given never hangs on which of two unrelated steps was quicker. Values are shared: mapping and
//! merging copy references and never data.
//!
//! Each entry of `input_mapping` names a parameter of the handler and where in the context it comes from: a dotted path
//! (`order.items[0]`), a JSON pointer (`/order/items/0`), or `{value: ...}` for a constant. A step without it is given an
//! empty object. A step with `map` also sees `item` and `index`.

mod builder;
mod check;
mod draft;
mod export;
mod handler;
mod operations;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::{Expression, Path, RetryPolicy, Value};
use semver::Version;

pub use self::builder::{CompensationBuilder, DefinitionBuilder, StepBuilder};
pub use self::handler::Handler;
pub use self::operations::{Absent, Operations, Signature};
use crate::fault::Faults;
use crate::graph::{Graph, StepIndex};

pub(crate) use self::draft::{CompensationDraft, Draft, FailAfterDraft, JoinDraft, MapDraft, SourceDraft, StepDraft};

/// The key of the context under which the results of steps are reached.
pub(crate) const STEPS: &str = "steps";

/// How many steps a definition may have.
pub const MOST_STEPS: usize = 20_000;

/// A workflow. See the head of this module.
#[derive(Clone, Debug)]
pub struct Definition(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    about: About,
    steps: Vec<Step>,
    ids: HashMap<Arc<str>, StepIndex>,
    graph: Graph,
}

/// The fields of a definition beside its steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct About {
    workflow_id: Arc<str>,
    name: String,
    description: String,
    version: Version,
    trigger_events: Vec<String>,
    timeout: Option<Duration>,
    limits: Vec<Limit>,
}

/// How many calls of one operation may run at once, over all runs of the definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `module.operation`, without a version.
    pub operation: Arc<str>,
    /// How many.
    pub at_once: NonZeroU32,
}

/// One step of a workflow.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// Its name in paths and journals, its own in the definition.
    pub step_id: Arc<str>,
    /// What people call it; the id, unless it was given another.
    pub name: String,
    /// The operation that does the work.
    pub handler: Handler,
    /// The steps that it waits for.
    pub depends_on: Vec<StepIndex>,
    /// The parameters of the handler, and where each comes from.
    pub input_mapping: Vec<(Arc<str>, Source)>,
    /// Keys of the context, and where in the reply each comes from. `None` lays the whole reply over the context.
    pub output_mapping: Option<Vec<(Arc<str>, Path)>>,
    /// How long one attempt may take, from the moment it starts.
    pub timeout: Option<Duration>,
    /// Whether and when a failed attempt is repeated. `None` never does.
    pub retry: Option<RetryPolicy>,
    /// The step is skipped if this is false when its turn comes.
    pub when: Option<Expression>,
    /// How many of the steps that it depends on must have succeeded.
    pub join: Join,
    /// The step is done once for every item of a list.
    pub map: Option<Map>,
    /// How to undo it.
    pub compensate: Option<Compensation>,
    /// How urgent its calls are.
    pub priority: Priority,
}

/// Where a parameter comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// From the context.
    Path(Path),
    /// It is always this.
    Value(Value),
}

/// When a step may start. The rules are those of Airflow's triggers `all_success`, `one_success` and `all_done`, with a number
/// between the first two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// When all that it depends on have succeeded.
    #[default]
    All,
    /// As soon as one has succeeded.
    Any,
    /// As soon as so many have succeeded.
    AtLeast(NonZeroU32),
    /// When none is left to wait for, however they ended.
    AllDone,
}

/// A step that is done once for every item of a list. Its output is the list of the items' outputs, in the order of
/// the items, with null for an item that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The list.
    pub over: Expression,
    /// How many items are worked on at once. `None` sets no bound.
    pub max_parallel: Option<NonZeroU32>,
    /// How many failed items fail the step.
    pub fail_after: FailAfter,
}

/// How many failed items fail a mapped step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailAfter {
    /// So many.
    Items(NonZeroU32),
    /// So many of a hundred, but at least one item.
    Percent(NonZeroU32),
}

impl Default for FailAfter {
    /// The first.
    fn default() -> Self {
        Self::Items(NonZeroU32::MIN)
    }
}

/// How a step is undone when the run fails, is cancelled or runs out of time after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Compensation {
    /// The operation that undoes it.
    pub handler: Handler,
    /// The parameters of the handler. Beside what the step itself saw, `input` and `output` are what it was given and what it
    /// replied; without a mapping the handler is given an object of these two.
    pub input_mapping: Option<Vec<(Arc<str>, Source)>>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Whether and when a failed attempt is repeated. `None` never does.
    pub retry: Option<RetryPolicy>,
}

impl Definition {
    /// Begins a definition of version 1.0.0.
    pub fn builder(workflow_id: impl Into<String>) -> DefinitionBuilder {
        DefinitionBuilder::new(workflow_id.into())
    }

    /// Reads a definition from a YAML or JSON text.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each fault with its line and column. A fault of the YAML or JSON itself is
    /// the only one reported.
    pub fn read(text: &str) -> Result<Self, Faults> {
        let (draft, faults) = crate::file::read(text)?;
        let (definition, faults) = check::check(&draft, faults);
        Faults::none_or(faults, definition)
    }

    /// Reads a definition from a YAML or JSON text, and holds its handlers and mappings against the operations that
    /// there are.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), with the faults of [`check`](Self::check) among the others.
    pub fn read_with(text: &str, operations: &dyn Operations) -> Result<Self, Faults> {
        let (draft, faults) = crate::file::read(text)?;
        let (definition, mut faults) = check::check(&draft, faults);
        if let Some(definition) = &definition {
            faults.extend(operations::check(definition, &draft, operations));
        }
        Faults::none_or(faults, definition)
    }

    /// Holds handlers and mappings against the operations that there are.
    ///
    /// # Errors
    ///
    /// Every operation that is missing and every parameter that does not fit, without places.
    pub fn check(&self, operations: &dyn Operations) -> Result<(), Faults> {
        Faults::none_or(operations::check(self, &Draft::default(), operations), Some(()))
    }

    /// The name under which it is started.
    #[must_use]
    pub fn workflow_id(&self) -> &Arc<str> {
        &self.0.about.workflow_id
    }

    /// What people call it; the id, unless it was given another.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.about.name
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.0.about.description
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.0.about.version
    }

    /// The topics whose events start it.
    #[must_use]
    pub fn trigger_events(&self) -> &[String] {
        &self.0.about.trigger_events
    }

    /// How long a run may take.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.0.about.timeout
    }

    /// The same definition, with this timeout if it has none of its own.
    #[must_use]
    pub fn or_timeout(mut self, timeout: Duration) -> Self {
        if self.timeout().is_none() {
            Arc::make_mut(&mut self.0).about.timeout = Some(timeout);
        }
        self
    }

    /// How many calls of an operation may run at once.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.0.about.limits
    }

    /// The steps, in the order in which they were written; a [`StepIndex`] is a place in this list.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0.steps
    }

    /// The step of that number.
    #[must_use]
    pub fn step(&self, step: StepIndex) -> Option<&Step> {
        self.0.steps.get(step.get())
    }

    /// The number of the step with that id.
    #[must_use]
    pub fn find(&self, step_id: &str) -> Option<StepIndex> {
        self.0.ids.get(step_id).copied()
    }

    /// What depends on what.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.0.graph
    }
}

/// Two definitions are equal if they say the same. The graph follows from the steps.
impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.about == other.0.about && self.0.steps == other.0.steps)
    }
}
