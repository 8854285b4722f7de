//! The face of a definition in Rust.

use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::{RetryPolicy, Value};

use super::draft::{CompensationDraft, Draft, FailAfterDraft, JoinDraft, MapDraft, SourceDraft, StepDraft};
use super::{Definition, FailAfter, Join, check};
use crate::fault::Faults;

/// A definition that is being written. Nothing is checked before [`build`](Self::build).
#[derive(Clone, Debug)]
#[must_use = "a builder builds nothing until it is told to"]
pub struct DefinitionBuilder(Draft);

/// A step that is being written, for [`DefinitionBuilder::step`].
#[derive(Clone, Debug)]
#[must_use = "a step belongs into a definition"]
pub struct StepBuilder(StepDraft);

/// What undoes a step, for [`StepBuilder::compensate`].
#[derive(Clone, Debug)]
#[must_use = "a compensation belongs into a step"]
pub struct CompensationBuilder(CompensationDraft);

impl DefinitionBuilder {
    pub(super) fn new(workflow_id: String) -> Self {
        Self(Draft {
            workflow_id: Some(workflow_id.into()),
            version: Some("1.0.0".to_owned().into()),
            ..Draft::default()
        })
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// What it is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.0.description = Some(description.into());
        self
    }

    /// Its version, three numbers as in `1.0.0`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = Some(version.into().into());
        self
    }

    /// Events of this topic start it, among others that were named.
    pub fn trigger_event(mut self, topic: impl Into<String>) -> Self {
        self.0.trigger_events.push(topic.into().into());
        self
    }

    /// How long a run may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout.into());
        self
    }

    /// At most so many calls of `module.operation` run at once, over all runs.
    pub fn limit(mut self, operation: impl Into<String>, at_once: u32) -> Self {
        self.0.limits.push((operation.into().into(), at_once.into()));
        self
    }

    /// Adds a step.
    pub fn step(mut self, step: StepBuilder) -> Self {
        self.0.steps.push(step.0);
        self
    }

    /// The definition.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn build(self) -> Result<Definition, Faults> {
        let (definition, faults) = check::check(&self.0, Vec::new());
        Faults::none_or(faults, definition)
    }
}

impl StepBuilder {
    /// A step that calls `module.operation`, or `module.operation@requirement`.
    pub fn new(step_id: impl Into<String>, handler: impl Into<String>) -> Self {
        let (step_id, handler) = (Some(step_id.into().into()), Some(handler.into().into()));
        Self(StepDraft { step_id, handler, ..StepDraft::default() })
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// It waits for these steps, and for those that were named before.
    pub fn after<I: IntoIterator<Item: Into<String>>>(mut self, steps: I) -> Self {
        self.0.depends_on.extend(steps.into_iter().map(|step| step.into().into()));
        self
    }

    /// The parameter `key` of the handler comes from `path` in the context.
    pub fn input(mut self, key: impl Into<String>, path: impl Into<String>) -> Self {
        self.0.input_mapping.push((key.into().into(), SourceDraft::Path(path.into()).into()));
        self
    }

    /// The parameter `key` of the handler is always this.
    pub fn constant(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.input_mapping.push((key.into().into(), SourceDraft::Value(value.into()).into()));
        self
    }

    /// The key `key` of the context becomes what `path` leads to in the reply, and the rest of the reply is not laid
    /// over the context.
    pub fn output(mut self, key: impl Into<String>, path: impl Into<String>) -> Self {
        self.0.output_mapping.get_or_insert_default().push((key.into().into(), path.into().into()));
        self
    }

    /// How long one attempt may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout.into());
        self
    }

    /// Whether and when a failed attempt is repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.0.retry = Some(retry);
        self
    }

    /// The step is skipped if this is false when its turn comes.
    pub fn when(mut self, expression: impl Into<String>) -> Self {
        self.0.when = Some(expression.into().into());
        self
    }

    /// How many of the steps that it waits for must have succeeded.
    pub fn join(mut self, join: Join) -> Self {
        self.0.join = Some(JoinDraft::Word(join).into());
        self
    }

    /// The step is done once for every item of the list that `over` gives.
    pub fn map(mut self, over: impl Into<String>) -> Self {
        self.map_mut().over = Some(over.into().into());
        self
    }

    /// How many items of a mapped step are worked on at once.
    pub fn max_parallel(mut self, items: u32) -> Self {
        self.map_mut().max_parallel = Some(items.into());
        self
    }

    /// How many failed items fail a mapped step.
    pub fn fail_after(mut self, failed: FailAfter) -> Self {
        self.map_mut().fail_after = Some(FailAfterDraft::from(failed).into());
        self
    }

    /// How it is undone.
    pub fn compensate(mut self, compensation: CompensationBuilder) -> Self {
        self.0.compensate = Some(compensation.0);
        self
    }

    /// How urgent its calls are.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.0.priority = priority;
        self
    }

    fn map_mut(&mut self) -> &mut MapDraft {
        self.0.map.get_or_insert(MapDraft { over: None, max_parallel: None, fail_after: None })
    }
}

impl CompensationBuilder {
    /// A call of `module.operation`, or `module.operation@requirement`, undoes the step.
    pub fn new(handler: impl Into<String>) -> Self {
        Self(CompensationDraft { handler: Some(handler.into().into()), ..CompensationDraft::default() })
    }

    /// The parameter `key` of the handler comes from `path` in the context, where `input` and `output` are those of the step.
    pub fn input(mut self, key: impl Into<String>, path: impl Into<String>) -> Self {
        let source = SourceDraft::Path(path.into()).into();
        self.0.input_mapping.get_or_insert_default().push((key.into().into(), source));
        self
    }

    /// The parameter `key` of the handler is always this.
    pub fn constant(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let source = SourceDraft::Value(value.into()).into();
        self.0.input_mapping.get_or_insert_default().push((key.into().into(), source));
        self
    }

    /// How long one attempt may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout.into());
        self
    }

    /// Whether and when a failed attempt is repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.0.retry = Some(retry);
        self
    }
}
