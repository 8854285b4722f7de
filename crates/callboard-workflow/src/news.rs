//! What happens in runs, published as events for whoever has subscribed: [`News`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callboard_actor::{Actor, ActorRef, Child, Context, Fault, Handler, Message, child};
use callboard_bus::{Events, Topic, Value};
use serde::Serialize;

use crate::progress::{RunSummary, TaskProgress};
use crate::run::{RunState, StepState};
use crate::stuck::StuckRun;
use crate::workflows::RunName;

/// Publishes what happens in runs. Where nobody has subscribed to anything but triggers this costs the look at a number.
#[derive(Clone)]
pub(crate) struct News(Arc<Inner>);

struct Inner {
    events: Events,
    herald: ActorRef<Herald>,
    /// How many subscriptions are those of triggers, which want none of this.
    triggers: AtomicUsize,
    runs: Vec<(RunState, Topic)>,
    stuck: Option<Topic>,
    steps: Vec<(StepState, Topic)>,
}

/// The actor `workflow-news`. It waits for room in the mailboxes of subscribers, so that no run has to.
pub(crate) struct Herald(Events);

/// An event to be published.
struct Item {
    topic: Topic,
    data: Value,
}

/// What is said of a step.
#[derive(Serialize)]
struct StepNews<'n> {
    workflow_id: &'n str,
    run_id: &'n str,
    #[serde(flatten)]
    step: &'n TaskProgress,
}

impl Message for Item {
    type Reply = ();
}

impl Actor for Herald {}

impl Handler<Item> for Herald {
    async fn handle(&mut self, item: Item, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.publish(item.topic, item.data).await?;
        Ok(())
    }
}

impl Herald {
    /// So much news wait for slow subscribers; what comes then is lost.
    const BOUND: u32 = 16_384;

    pub(crate) fn child(events: Events) -> Child<Self> {
        child("workflow-news", move || Self(events.clone())).bound(Self::BOUND)
    }
}

impl News {
    pub(crate) fn new(events: Events, herald: ActorRef<Herald>) -> Self {
        let topic = |of: &str, state: &str| format!("$workflow.{of}.{state}").parse().ok();
        let runs = RunState::ALL.iter().filter_map(|state| Some((*state, topic("run", state.as_str())?)));
        let steps = StepState::ALL.iter().filter_map(|state| Some((*state, topic("step", state.as_str())?)));
        let (runs, steps) = (runs.collect(), steps.collect());
        let stuck = topic("run", "stuck");
        Self(Arc::new(Inner { events, herald, triggers: AtomicUsize::new(0), runs, stuck, steps }))
    }

    /// Nothing is told any more.
    pub(crate) fn stop(&self) {
        self.0.herald.stop();
    }

    /// A name for a run: a UUID of the system's own clock, so that names sort by the time of the start.
    pub(crate) fn fresh_name(&self) -> Arc<str> {
        self.0.events.fresh_id().to_string().into()
    }

    /// Takes note of a subscription that is a trigger.
    pub(crate) fn note_trigger(&self) {
        self.0.triggers.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether anybody might have subscribed to this.
    pub(crate) fn may_be_wanted(&self) -> bool {
        self.0.events.subscriptions() > self.0.triggers.load(Ordering::Relaxed)
    }

    /// A run has come into a state.
    pub(crate) fn tell_run(&self, summary: &RunSummary) {
        let topic = self.0.runs.iter().find(|(state, _)| *state == summary.state);
        self.publish(topic.map(|(_, topic)| topic), summary);
    }

    /// Nothing happens in a run.
    pub(crate) fn tell_stuck(&self, stuck: &StuckRun) {
        self.publish(self.0.stuck.as_ref(), stuck);
    }

    /// A step of a run has come into a state, or an item of a mapped step.
    pub(crate) fn tell_step(&self, run: &RunName, step: &TaskProgress) {
        let topic = self.0.steps.iter().find(|(state, _)| *state == step.state);
        let news = StepNews { workflow_id: &run.workflow, run_id: &run.run, step };
        self.publish(topic.map(|(_, topic)| topic), &news);
    }

    fn publish(&self, topic: Option<&Topic>, data: &impl Serialize) {
        let Some(topic) = topic.filter(|topic| self.0.events.is_wanted(topic)) else { return };
        if let Ok(data) = Value::from_serialize(data) {
            // A herald that has no room or has ended tells nobody: no run waits for those who watch it.
            let _ = self.0.herald.try_tell(Item { topic: topic.clone(), data });
        }
    }
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News").field("events", &self.0.events).finish_non_exhaustive()
    }
}
