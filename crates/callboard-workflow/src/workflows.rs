//! Workflows of a system: definitions that are registered, runs that are started, looked at and remembered.
//!
//! ```
//! use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on};
//! use callboard_bus::{EventsExt, Manifest};
//! use callboard_workflow::definition::Definition;
//! use callboard_workflow::run::RunState;
//! use callboard_workflow::WorkflowsExt;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Count {
//!     rows: Vec<u64>,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Counted {
//!     total: usize,
//! }
//!
//! impl Message for Count {
//!     type Reply = Counted;
//! }
//!
//! struct Counter;
//! impl Actor for Counter {}
//! impl SyncHandler<Count> for Counter {
//!     fn handle(&mut self, count: Count, _: &mut Context<Self>) -> Result<Counted, Fault> {
//!         Ok(Counted { total: count.rows.len() })
//!     }
//! }
//!
//! block_on(async {
//!     let system = System::builder().workers(1).start().await?;
//!     let counter = system.spawn(|| Counter);
//!     Manifest::new("counter", "1.0.0").operation::<Count>("count").register(&counter).await?;
//!
//!     let workflows = system.workflows();
//!     let definition = Definition::read(
//!         "workflow_id: batch
//! version: 1.0.0
//! trigger_events: [data.batch.received]
//! steps:
//! - step_id: count
//!   handler: counter.count@^1
//!   input_mapping: {rows: batch}
//! ",
//!     )?;
//!     workflows.register(definition).strict().await?;
//!
//!     // One run per event; its name is the id of the event.
//!     let receipt = system.publish("data.batch.received", json!({ "batch": [3, 4, 5] })).await?;
//!     let run = workflows.run_of_event("batch", receipt.id).await?;
//!     let report = run.ended().await;
//!     assert_eq!(report.state(), RunState::Completed);
//!     assert_eq!(report.output_of("count"), Some(&json!({ "total": 3 }).into()));
//!
//!     system.shutdown(Drain::default()).await;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })
//! # .expect("it works");
//! ```
//!
//! # Actors
//!
//! Registering, starting and remembering go through the mailbox of one actor, `workflows`. Each run is an actor of its own,
//! `workflow/<workflow id>/<run id>`, under a supervisor `workflow-runs`; it ends with the run. There is no journal: a run
//! whose actor dies before it ends has failed ([`RunReport::died`](crate::RunReport::died)), everybody who waits for it is
//! told, and its places are free again. If the actor `workflows` fails, its runs fail with it, and the definitions
//! stay.
//!
//! # What others can see
//!
//! [`RunRef::show`](crate::RunRef::show) says what each step waits for and since when, and [`RunRef::tail`](crate::RunRef::tail) what
//! happens from now on. The same is published as events `$workflow.run.<state>` and `$workflow.step.<state>`, with the
//! words of [`RunState`](crate::run::RunState) and [`StepState`](crate::run::StepState), for whoever has subscribed: `$workflow.>` gets all of them,
//! and no wildcard in front of the `$` gets any. Nobody else pays for it. They are sent by an actor `workflow-news`, and those
//! that find no room with it, because subscribers are slow, are lost.
//!
//! A run in which nothing changes for long ([`Workflows::stuck_after`]) is told of as `$workflow.run.stuck`, with a warning in
//! the log under `callboard::workflow`; [`Workflows::stuck`] lists all such runs. A [`StuckRun`] says which step waits for
//! what, and what to do.
//!
//! # Names
//!
//! A run has a name that is unique among the runs of its workflow: the one that its start gives it, the id of the event
//! that started it, or a new UUID. Starting it again under the same name with the same input refers to the first run.
//! Names are kept beyond the end of a run, see [`Memory`].
//!
//! # What a step is
//!
//! A call by name, so everything holds for it that holds for calls: breakers, priorities, quarantine. It carries an
//! idempotency key that is the same for all attempts, [`Run::key_of`](crate::run::Run::key_of). Contexts, inputs and replies
//! are shared values that never change: what one step hands to the next is a reference, and nothing is turned into bytes
//! inside the process.

mod ended;
mod error;
mod offered;
mod overseer;
mod register;
mod registered;
mod start;
mod totals;

use std::cmp::Reverse;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Actor, ActorRef, ActorState, Context, Priority, System, WeakRef};
use callboard_bus::{ConfigExt, EventId, Value};
use futures::future::join_all;
use parking_lot::Mutex;
use semver::Version;

pub use self::ended::Memory;
pub use self::error::{FindError, RegisterError, StartError, Unreachable};
use self::overseer::{Again, Find, List, Overseer, Published, TotalsWanted};
pub use self::register::Register;
pub(crate) use self::registered::Registered;
pub use self::start::Start;
pub use self::totals::RunTotals;
use crate::definition::Definition;
use crate::graph::StepIndex;
use crate::limits::Limits;
use crate::progress::RunSummary;
use crate::run_ref::{RunError, RunRef};
use crate::stuck::StuckRun;

/// How long a run may take whose definition does not say.
const RUN_TIMEOUT: Duration = Duration::from_secs(3600);

/// How long nothing may happen in a run before it is noticed.
const STUCK_AFTER: Duration = Duration::from_secs(600);

/// Workflows for whoever has a [`System`] or the [`Context`] of a turn.
pub trait WorkflowsExt {
    /// The workflows of the system; their actor is started when this is first called.
    fn workflows(&self) -> Workflows;
}

impl WorkflowsExt for System {
    fn workflows(&self) -> Workflows {
        Workflows { system: self.clone(), shared: self.extension(Shared::default) }
    }
}

impl<A: Actor> WorkflowsExt for Context<A> {
    fn workflows(&self) -> Workflows {
        self.system().workflows()
    }
}

/// The workflows of a system. See the head of this module. A clone is one more reference.
#[derive(Clone)]
pub struct Workflows {
    system: System,
    shared: Arc<Shared>,
}

/// What the system keeps. The reference to the actor is weak, as it would keep the system alive that keeps it.
#[derive(Default)]
pub(crate) struct Shared {
    actor: Mutex<Option<WeakRef<Overseer>>>,
    /// What is registered: read by everybody, replaced by the actor alone.
    pub(crate) published: Mutex<Arc<Published>>,
    pub(crate) settings: Mutex<Settings>,
    /// They go on when the actor is started again.
    totals: Mutex<RunTotals>,
    pub(crate) limits: Limits,
}

/// What can be set while the system runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) memory: Memory,
    /// None where nobody has set it: the configuration says it then.
    pub(crate) run_timeout: Option<Duration>,
    pub(crate) stuck_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { memory: Memory::default(), run_timeout: None, stuck_after: STUCK_AFTER }
    }
}

/// The name of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunName {
    pub(crate) workflow: Arc<str>,
    pub(crate) run: Arc<str>,
}

/// Few runs of different workflows have the same id, so the id alone tells them apart well enough.
impl Hash for RunName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.run.hash(state);
    }
}

impl Workflows {
    /// Registers a definition, when awaited. Runs that have been started keep the definition that they were started
    /// with; what is started from now on takes the highest version, unless the start names another.
    ///
    /// See [`Register`] for its errors.
    pub fn register(&self, definition: Definition) -> Register {
        Register::new(self.clone(), definition)
    }

    /// Starts a run, when awaited; see [`Start`] for its errors. The input becomes the context of its steps.
    pub fn start(&self, workflow_id: &str, input: impl Into<Value>) -> Start {
        Start::new(self.clone(), workflow_id.into(), input.into())
    }

    /// The run of that name: `run`, or `workflow/run` where runs of several workflows have it.
    ///
    /// # Errors
    ///
    /// [`FindError`]: that there is none, or more than one.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn run(&self, run_id: &str) -> Result<RunRef, FindError> {
        self.find(None, run_id).await
    }

    /// The run of the workflow that the event started. To be asked after [`publish`](callboard_bus::EventsExt::publish)
    /// has returned.
    ///
    /// # Errors
    ///
    /// [`FindError`]: that there is none.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn run_of_event(&self, workflow_id: &str, event: EventId) -> Result<RunRef, FindError> {
        self.find(Some(workflow_id), &event.to_string()).await
    }

    /// All runs that run, in the order in which they were started, and then those that have ended and are remembered whole,
    /// in the order in which they ended.
    ///
    /// # Errors
    ///
    /// [`Unreachable`].
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn list(&self) -> Result<Vec<RunSummary>, Unreachable> {
        let runs = self.runs().await?;
        // A run that left nothing behind has nothing to say.
        Ok(join_all(runs.iter().map(RunRef::summary)).await.into_iter().flatten().collect())
    }

    /// The runs in which nothing has happened for so long that somebody should look, with what to do about each; the longest
    /// first. See [`stuck_after`](Self::stuck_after). A run whose thread is held up by a handler that never waits does not
    /// answer and is left out, after the time that an ask has by default: [`System::inspect`] shows that turn.
    ///
    /// # Errors
    ///
    /// [`Unreachable`].
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn stuck(&self) -> Result<Vec<StuckRun>, Unreachable> {
        let runs = self.runs().await?;
        let mut found: Vec<_> = join_all(runs.iter().map(RunRef::stuck))
            .await
            .into_iter()
            .filter_map(|stuck| stuck.ok().flatten())
            .collect();
        found.sort_by_key(|run| Reverse(run.stuck_ms));
        Ok(found)
    }

    async fn runs(&self) -> Result<Vec<RunRef>, Unreachable> {
        let seats = self.actor().ask(List).await?;
        Ok(seats.into_iter().map(|seat| RunRef::new(seat, self.clone())).collect())
    }

    /// What is registered, by id and version.
    #[must_use]
    pub fn definitions(&self) -> Vec<Definition> {
        let published = Arc::clone(&self.shared.published.lock());
        let versions = published.values().flat_map(|versions| versions.values());
        versions.map(|registered| registered.definition.clone()).collect()
    }

    /// What is registered under this id: the highest version, or the one that is named.
    #[must_use]
    pub fn definition(&self, workflow_id: &str, version: Option<&Version>) -> Option<Definition> {
        let published = Arc::clone(&self.shared.published.lock());
        let versions = published.get(workflow_id)?;
        let registered = match version {
            Some(version) => versions.get(version)?,
            None => versions.values().next_back()?,
        };
        Some(registered.definition.clone())
    }

    /// How many runs there have been (F-WF-11).
    ///
    /// # Errors
    ///
    /// [`Unreachable`].
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn totals(&self) -> Result<RunTotals, Unreachable> {
        Ok(self.actor().ask(TotalsWanted).await?)
    }

    /// At most so many calls of `module.operation` that steps make, over all workflows; `None` lifts the limit. Where a
    /// definition has a limit of its own, both hold. Calls that went out before the first limit are not counted.
    pub fn limit(&self, operation: &str, at_once: Option<NonZeroU32>) {
        self.shared.limits.set(operation, at_once);
    }

    /// How much is remembered of runs that have ended; counts from the next end on.
    pub fn remember(&self, memory: Memory) {
        self.shared.settings.lock().memory = memory;
    }

    /// How long runs may take whose definition does not say, if it is registered from now on: an hour by default (F-WF-07), or
    /// what the [configuration](callboard_bus::ConfigExt) says.
    pub fn run_timeout(&self, timeout: Duration) {
        self.shared.settings.lock().run_timeout = Some(timeout);
    }

    /// The nearest word on that.
    fn patience(&self) -> Duration {
        let configured = || self.system.config().map(|config| config.current().workflow.timeout);
        let said = self.shared.settings.lock().run_timeout;
        said.or_else(configured).unwrap_or(RUN_TIMEOUT)
    }

    /// After how long without any change a run is stuck, if it is started from now on: ten minutes by default (F-WF-08). It is
    /// told of once, and again if it goes on and gets stuck once more; see the head of this module. A run that is paused is
    /// not stuck. What takes long by its nature wants more; `Duration::MAX` turns it off.
    pub fn stuck_after(&self, after: Duration) {
        self.shared.settings.lock().stuck_after = after;
    }

    /// The actor; another one if the last has ended and the system has not.
    pub(crate) fn actor(&self) -> ActorRef<Overseer> {
        let mut actor = self.shared.actor.lock();
        if let Some(there) = actor.as_ref().and_then(WeakRef::upgrade)
            && there.state() != ActorState::Stopped
        {
            return there;
        }
        let new = self.system.spawn(Overseer::child(&self.shared));
        *actor = Some(new.downgrade());
        new
    }

    /// Time since the system started.
    pub(crate) fn now(&self) -> Duration {
        self.system.elapsed()
    }

    pub(crate) async fn again(&self, name: RunName, step: StepIndex) -> Result<(), RunError> {
        match self.actor().ask(Again { name, step }).await {
            Ok(again) => again,
            Err(error) => Err(RunError::Unreachable { code: error.code(), reason: error.to_string() }),
        }
    }

    async fn find(&self, workflow_id: Option<&str>, run_id: &str) -> Result<RunRef, FindError> {
        let find = Find { workflow: workflow_id.map(Arc::from), run: run_id.into() };
        // Behind everything that was said before, in whatever turn this is asked: an event that has been published, too.
        let actor = self.actor();
        let found = actor.ask(find).priority(Priority::Background).no_inherit().await;
        let seat = found.map_err(Unreachable::from)??;
        Ok(RunRef::new(seat, self.clone()))
    }
}

impl fmt::Debug for Workflows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workflows").field("registered", &self.shared.published.lock().len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings.lock()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
