//! The actor `workflows`: [`Overseer`]. What is registered, what runs, and what has run.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use callboard_actor::{
    Actor, ActorId, Child, Context, Down, Fault, Handler, Message, StopReason, SupervisorRef, SyncHandler, System,
    child_with, one_for_one,
};
use callboard_bus::near::nearest;
use callboard_bus::{Event, EventsExt, Modules, ModulesExt, Subscription, Value};
use semver::Version;

use super::ended::Ended;
use super::error::{FindError, RegisterError, StartError};
use super::registered::Registered;
use super::totals::RunTotals;
use super::{RunName, Shared};
use crate::graph::StepIndex;
use crate::news::{Herald, News};
use crate::record::Record;
use crate::report::RunReport;
use crate::run::Command;
use crate::run_ref::RunError;
use crate::runner::{Outset, Runner, continued};
use crate::seat::Seat;

/// What is registered, by id and version.
pub(crate) type Published = BTreeMap<Arc<str>, BTreeMap<Version, Arc<Registered>>>;

/// See the head of this module.
pub(crate) struct Overseer {
    system: System,
    shared: Arc<Shared>,
    modules: Modules,
    news: News,
    /// That of the runs.
    supervisor: SupervisorRef,
    /// Those that run. Actors are numbered as they are started, so this is the order of the starts.
    running: BTreeMap<ActorId, Arc<Seat>>,
    names: HashMap<RunName, ActorId>,
    ended: Ended<Seat>,
    triggers: HashMap<String, Subscription>,
}

/// Registers a definition.
pub(super) struct Admit(pub(super) Registered);

/// Starts a run, or finds the one that was started by that name.
pub(super) struct Begin {
    pub(super) workflow: Arc<str>,
    /// `None` for a run that is to be named by the system.
    pub(super) run: Option<Arc<str>>,
    pub(super) version: Option<Version>,
    pub(super) input: Value,
}

/// Goes on with a run that has ended.
pub(super) struct Again {
    pub(super) name: RunName,
    pub(super) step: StepIndex,
}

/// Finds a run.
pub(super) struct Find {
    pub(super) workflow: Option<Arc<str>>,
    pub(super) run: Arc<str>,
}

/// All runs.
pub(super) struct List;

/// How many there have been.
pub(super) struct TotalsWanted;

impl Message for Admit {
    type Reply = Result<(), RegisterError>;
}

impl Message for Begin {
    type Reply = Result<Arc<Seat>, StartError>;
}

impl Message for Again {
    type Reply = Result<(), RunError>;
}

impl Message for Find {
    type Reply = Result<Arc<Seat>, FindError>;
}

impl Message for List {
    type Reply = Vec<Arc<Seat>>;
}

impl Message for TotalsWanted {
    type Reply = RunTotals;
}

impl Overseer {
    pub(super) fn child(shared: &Arc<Shared>) -> Child<Self> {
        let shared = Arc::clone(shared);
        child_with("workflows", async move |cx: &mut Context<Self>| Self::start(Arc::clone(&shared), cx).await)
    }

    async fn start(shared: Arc<Shared>, cx: &mut Context<Self>) -> Result<Self, Fault> {
        let supervisor = cx.system().supervise(one_for_one().name("workflow-runs")).await?;
        let events = cx.system().events();
        let herald = cx.spawn_actor(Herald::child(events.clone()));
        let mut overseer = Self {
            news: News::new(events, herald),
            system: cx.system(),
            modules: cx.modules(),
            shared,
            supervisor,
            running: BTreeMap::new(),
            names: HashMap::new(),
            ended: Ended::default(),
            triggers: HashMap::new(),
        };
        // After a fault the definitions are still there.
        for registered in overseer.newest() {
            overseer.subscribe(&registered, cx).await?;
        }
        Ok(overseer)
    }

    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.shared.published.lock())
    }

    fn newest(&self) -> Vec<Arc<Registered>> {
        self.published().values().filter_map(|versions| versions.values().next_back().cloned()).collect()
    }

    /// One subscription for each topic, however many workflows it starts.
    async fn subscribe(&mut self, registered: &Registered, cx: &Context<Self>) -> Result<(), RegisterError> {
        for topic in registered.definition.trigger_events() {
            if self.triggers.contains_key(topic) {
                continue;
            }
            let subscribed = cx.system().subscribe(topic, cx.me().recipient()).await;
            let refused = |error: callboard_bus::SubscribeError| RegisterError::Trigger {
                workflow_id: registered.definition.workflow_id().to_string(),
                topic: topic.clone(),
                reason: error.to_string(),
            };
            self.triggers.insert(topic.clone(), subscribed.map_err(refused)?);
            self.news.note_trigger();
        }
        Ok(())
    }

    /// What a start wants.
    fn wanted(&self, workflow_id: &str, version: Option<Version>) -> Result<Arc<Registered>, StartError> {
        let published = self.published();
        let unknown = || StartError::UnknownWorkflow {
            workflow_id: workflow_id.to_owned(),
            near: nearest(workflow_id, published.keys().map(|id| &**id)),
        };
        let versions = published.get(workflow_id).ok_or_else(unknown)?;
        let Some(version) = version else { return versions.values().next_back().cloned().ok_or_else(unknown) };
        versions.get(&version).cloned().ok_or_else(|| StartError::UnknownVersion {
            workflow_id: workflow_id.to_owned(),
            there: versions.keys().cloned().collect(),
            version,
        })
    }

    /// The run that has this name already, if it was started with this input.
    fn known(&self, name: &RunName, input: &Value) -> Option<Result<Arc<Seat>, StartError>> {
        let (workflow_id, run_id) = (|| name.workflow.to_string(), || name.run.to_string());
        let seat = match self.names.get(name) {
            Some(actor) => self.running.get(actor)?,
            None => {
                let ended = self.ended.get(name)?;
                let Some(seat) = &ended.whole else {
                    let (workflow_id, run_id, state) = (workflow_id(), run_id(), ended.state);
                    return Some(Err(StartError::Forgotten { workflow_id, run_id, state }));
                };
                seat
            }
        };
        if seat.input == *input {
            return Some(Ok(Arc::clone(seat)));
        }
        Some(Err(StartError::OtherInput { workflow_id: workflow_id(), run_id: run_id() }))
    }

    /// A run that runs, or is remembered whole.
    fn seat(&self, name: &RunName) -> Option<Arc<Seat>> {
        match self.names.get(name) {
            Some(actor) => self.running.get(actor).cloned(),
            None => self.ended.get(name)?.whole.clone(),
        }
    }

    fn begin(&mut self, begin: Begin, cx: &Context<Self>) -> Result<Arc<Seat>, StartError> {
        let registered = self.wanted(&begin.workflow, begin.version)?;
        // The name of the definition, so that all runs share one.
        let workflow = Arc::clone(registered.definition.workflow_id());
        let name = match begin.run {
            Some(run) => {
                let name = RunName { workflow, run };
                if let Some(known) = self.known(&name, &begin.input) {
                    return known;
                }
                name
            }
            // Nobody has a run of a name that is new.
            None => RunName { workflow, run: self.news.fresh_name() },
        };
        let seat = Arc::new(Seat::new(name, registered, begin.input));
        self.launch(&seat, None, cx);
        Ok(seat)
    }

    /// Starts the actor of a run.
    fn launch(&mut self, seat: &Arc<Seat>, continued: Option<(Box<Record>, Vec<Command>)>, cx: &Context<Self>) {
        let (limits, modules, news) = (self.shared.limits.clone(), self.modules.clone(), self.news.clone());
        let stuck_after = self.shared.settings.lock().stuck_after;
        let outset = Outset { seat: Arc::clone(seat), limits, modules, news, stuck_after, continued };
        let actor = self.supervisor.spawn(Runner::child(outset));
        self.running.insert(actor.id(), Arc::clone(seat));
        self.names.insert(seat.name.clone(), actor.id());
        self.shared.totals.lock().begin();
        cx.monitor(&actor);
        seat.open(actor);
    }

    /// The actor of a run has ended, or is about to.
    fn over(&mut self, actor: ActorId, reason: impl FnOnce() -> StopReason, cx: &Context<Self>) {
        let Some(seat) = self.running.remove(&actor) else { return };
        self.names.remove(&seat.name);
        let report = match seat.take_left() {
            Some(record) if record.run.state().is_final() => RunReport::of(record),
            left => RunReport::cut_short(left, reason(), cx.system().elapsed()),
        };
        if report.died().is_some()
            && let Some(summary) = report.summary()
        {
            self.news.tell_run(&summary);
        }
        let (state, memory) = (report.state(), self.shared.settings.lock().memory);
        self.shared.totals.lock().end(state);
        self.ended.add(seat.name.clone(), state, Arc::clone(&seat), memory);
        seat.close(report);
    }

    fn again(&mut self, again: &Again, cx: &Context<Self>) -> Result<(), RunError> {
        // The actor may have come to the end of the run and not yet to its own.
        if let Some(actor) = self.names.get(&again.name).copied() {
            let has_left = self.running.get(&actor).is_some_and(|seat| seat.has_left());
            if !has_left {
                return Err(RunError::Ended);
            }
            self.over(actor, || StopReason::Stopped, cx);
        }
        let seat = self.seat(&again.name).ok_or(RunError::Ended)?;
        let report = seat.report().ok_or(RunError::Ended)?;
        if report.died().is_some() {
            // What its calls have done nobody knows.
            return Err(RunError::NotNow { state: report.state() });
        }
        let record = report.record().ok_or(RunError::Ended)?;
        let continued = continued(record, again.step, cx.system().elapsed())?;
        self.ended.take(&again.name);
        self.launch(&seat, Some(continued), cx);
        Ok(())
    }

    fn find(&self, find: &Find) -> Result<Arc<Seat>, FindError> {
        let published = self.published();
        let named =
            |workflow: &Arc<str>, run: &str| self.seat(&RunName { workflow: Arc::clone(workflow), run: run.into() });
        let unknown = || FindError::UnknownExecution { run_id: find.run.to_string() };
        if let Some(workflow) = &find.workflow {
            return named(workflow, &find.run).ok_or_else(unknown);
        }
        let mut found: Vec<_> = published.keys().filter_map(|workflow| named(workflow, &find.run)).collect();
        if found.len() > 1 {
            let workflows = found.iter().map(|seat| seat.name.workflow.to_string()).collect();
            return Err(FindError::Ambiguous { run_id: find.run.to_string(), workflows });
        }
        let whole_name = |workflow: &Arc<str>| named(workflow, find.run.strip_prefix(&**workflow)?.strip_prefix('/')?);
        found.pop().or_else(|| published.keys().find_map(whole_name)).ok_or_else(unknown)
    }

    /// Starts a run of every workflow that wants it.
    fn trigger(&mut self, event: &Event, cx: &Context<Self>) {
        let run: Arc<str> = event.id.to_string().into();
        for registered in self.newest() {
            let definition = &registered.definition;
            if definition.trigger_events().iter().any(|topic| *topic == *event.name.as_str()) {
                let (workflow, run) = (Arc::clone(definition.workflow_id()), Some(Arc::clone(&run)));
                // An event that comes twice finds its run, or what is remembered of it.
                let _ = self.begin(Begin { workflow, run, version: None, input: event.data.clone() }, cx);
            }
        }
    }
}

impl Actor for Overseer {
    /// Its runs end before it does, so that what they leave behind is in their reports.
    async fn stopped(mut self, why: StopReason) {
        self.supervisor.stop();
        self.supervisor.ended().await;
        self.close_all(&why);
    }
}

/// Without this actor nobody would notice the end of its runs: they end with it, and whoever waits is told.
impl Drop for Overseer {
    fn drop(&mut self) {
        self.supervisor.stop();
        self.news.stop();
        self.close_all(&StopReason::Stopped);
    }
}

impl Overseer {
    fn close_all(&mut self, why: &StopReason) {
        for seat in std::mem::take(&mut self.running).into_values() {
            let report = match seat.take_left() {
                Some(record) if record.run.state().is_final() => RunReport::of(record),
                left => RunReport::cut_short(left, why.clone(), self.system.elapsed()),
            };
            self.shared.totals.lock().end(report.state());
            seat.close(report);
        }
    }
}

impl Handler<Admit> for Overseer {
    async fn handle(&mut self, admit: Admit, cx: &mut Context<Self>) -> Result<Result<(), RegisterError>, Fault> {
        let Admit(registered) = admit;
        let (id, version) = (registered.definition.workflow_id(), registered.definition.version());
        let mut published = Published::clone(&self.published());
        if published.get(id).is_some_and(|versions| versions.contains_key(version)) {
            let (workflow_id, version) = (id.to_string(), version.clone());
            return Ok(Err(RegisterError::AlreadyExists { workflow_id, version }));
        }
        if let Err(error) = self.subscribe(&registered, cx).await {
            return Ok(Err(error));
        }
        let (id, version) = (Arc::clone(id), version.clone());
        published.entry(id).or_default().insert(version, registered.limited(&self.shared.limits));
        *self.shared.published.lock() = Arc::new(published);
        Ok(Ok(()))
    }
}

impl SyncHandler<Begin> for Overseer {
    fn handle(&mut self, begin: Begin, cx: &mut Context<Self>) -> Result<Result<Arc<Seat>, StartError>, Fault> {
        Ok(self.begin(begin, cx))
    }
}

impl SyncHandler<Again> for Overseer {
    fn handle(&mut self, again: Again, cx: &mut Context<Self>) -> Result<Result<(), RunError>, Fault> {
        Ok(self.again(&again, cx))
    }
}

impl SyncHandler<Find> for Overseer {
    fn handle(&mut self, find: Find, _: &mut Context<Self>) -> Result<Result<Arc<Seat>, FindError>, Fault> {
        Ok(self.find(&find))
    }
}

impl SyncHandler<List> for Overseer {
    fn handle(&mut self, _: List, _: &mut Context<Self>) -> Result<Vec<Arc<Seat>>, Fault> {
        Ok(self.running.values().chain(self.ended.wholes()).cloned().collect())
    }
}

impl SyncHandler<TotalsWanted> for Overseer {
    fn handle(&mut self, _: TotalsWanted, _: &mut Context<Self>) -> Result<RunTotals, Fault> {
        Ok(*self.shared.totals.lock())
    }
}

impl SyncHandler<Down> for Overseer {
    fn handle(&mut self, down: Down, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.over(down.id, || down.reason, cx);
        Ok(())
    }
}

impl SyncHandler<Event> for Overseer {
    fn handle(&mut self, event: Event, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.trigger(&event, cx);
        Ok(())
    }
}

impl fmt::Debug for Overseer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overseer").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
