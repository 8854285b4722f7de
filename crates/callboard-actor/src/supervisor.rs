//! The supervisor: an actor that knows its children, decides what the fault of one means for the others, and gives up
//! when faults come too often. Semantics follow the supervisors of Erlang/OTP.
//!
//! A child that fails alone (`one_for_one`) restarts at once under the licence that the supervisor has granted it, and
//! writes that into its books. Everything that concerns more than one child goes through the supervisor's mailbox and is
//! decided here.

mod backoff;
mod group;
mod intensity;
mod order;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::backoff::Backoff;
pub(crate) use self::backoff::roll;
use self::group::{Group, Member, Step};
pub use self::intensity::Intensity;
pub(crate) use self::intensity::Licence;
pub(crate) use self::order::{Order, arrange};
use crate::actor::{Actor, StopReason, SyncHandler};
use crate::actor_ref::ActorRef;
use crate::cell::{ActorId, Directive, Node};
use crate::child::{Child, IntoChild, Policy, Restart};
use crate::context::Context;
use crate::error::StartError;
use crate::fault::{Fault, Incident};
use crate::gate::ActorState;
use crate::message::Message;
use crate::monitor::Watcher;
use crate::part::{AnyPart, Part};
use crate::register::Register;
use crate::sync::Mutex;
use crate::system::{System, SystemCore};

/// Whom the fault of one child concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Nobody else.
    #[default]
    OneForOne,
    /// All children: the others are stopped in reverse start order, then all are started in order.
    OneForAll,
    /// The child and those that were started after it.
    RestForOne,
}

/// What a supervisor does when faults come too often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GiveUp {
    /// It opens the breaker of the child, or of all children of that restart: after the reset time a probe decides.
    #[default]
    OpenBreaker,
    /// It stops its children and fails itself, so that its own supervisor decides, as in OTP.
    Escalate,
}

/// A supervisor to be started: made by [`one_for_one`], [`one_for_all`] and [`rest_for_one`].
#[must_use = "a supervision does nothing until the system runs it"]
pub struct Supervise {
    name: Option<String>,
    strategy: Strategy,
    give_up: GiveUp,
    intensity: Option<Intensity>,
    backoff: Option<Backoff>,
    children: Vec<Named>,
}

/// One of the first children.
struct Named {
    name: Box<str>,
    part: Option<AnyPart>,
    declare: Declare,
}

/// Makes a child known to its supervisor.
type Declare = Box<dyn FnOnce(&SupervisorRef) -> ActorId + Send>;

/// A supervisor whose children fail alone.
pub fn one_for_one() -> Supervise {
    Supervise::new(Strategy::OneForOne)
}

/// A supervisor whose children restart together.
pub fn one_for_all() -> Supervise {
    Supervise::new(Strategy::OneForAll)
}

/// A supervisor whose children restart together with those started after them.
pub fn rest_for_one() -> Supervise {
    Supervise::new(Strategy::RestForOne)
}

impl Supervise {
    fn new(strategy: Strategy) -> Self {
        Self {
            name: None,
            strategy,
            give_up: GiveUp::OpenBreaker,
            intensity: None,
            backoff: None,
            children: Vec::new(),
        }
    }

    /// A name for inspection.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// More than so many restarts in so long are too often: per child, per group restart, or, when it escalates, for all
    /// children together.
    pub fn intensity(mut self, restarts: u32, within: Duration) -> Self {
        self.intensity = Some(Intensity { restarts, within });
        self
    }

    /// How long to wait before a restart.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// What to do when faults come too often.
    pub fn on_give_up(mut self, give_up: GiveUp) -> Self {
        self.give_up = give_up;
        self
    }

    /// A child to be started with the supervisor, when those named before have started. One whose start fails takes the
    /// road of every fault, and the next one is started. One that is a [`Part`] starts when those that it needs have
    /// started, and ends when those that need it have ended.
    pub fn child<A: Actor>(mut self, child: impl IntoChild<A>) -> Self {
        for mut child in child.into_children() {
            let name = child.name.clone().unwrap_or_else(|| std::any::type_name::<A>().into());
            let part = child.part.take();
            self.children.push(Named { name, part, declare: Box::new(|supervisor| supervisor.declare(child)) });
        }
        self
    }

    /// The parts of one type, in the order in which their children were named.
    pub(crate) fn parts<P: Part>(&self) -> impl Iterator<Item = &P> {
        self.children.iter().filter_map(|child| child.part.as_ref()?.get())
    }

    /// What cannot work in these settings.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.backoff.map(|backoff| backoff.faults()).unwrap_or_default()
    }

    /// Starts the supervisor under `parent`, and its first children in this order.
    pub(crate) fn start(self, order: Order, system: &Arc<SystemCore>, parent: Option<&SupervisorRef>) -> SupervisorRef {
        let plan = Arc::new(self.plan(&system.policy));
        let policy = Arc::clone(&plan.policy);
        let name = self.name.unwrap_or_else(|| "supervisor".to_owned());
        let known = Arc::clone(&plan);
        let child = crate::child::child(name, move || Supervisor::new(Arc::clone(&known)));
        let child = child.start_limit(STOP_LIMIT).change(|policy| policy.says_when_started = true);
        let (actor, is_adopted) = prepare(system, parent, child, |_| None);
        let cell = Arc::clone(actor.cell());
        let supervisor = SupervisorRef(Arc::new(Handle { actor, policy, plan: Arc::clone(&plan) }));
        supervisor.0.actor.watch(Watcher::Down(Box::new(move |down| plan.end(&down.reason))));
        supervisor.declare_all(self.children, order);
        if is_adopted {
            crate::host::launch(cell);
        }
        supervisor
    }

    fn plan(&self, base: &Arc<Policy>) -> Plan {
        let mut policy = Policy::clone(base);
        policy.strategy = self.strategy;
        policy.give_up = self.give_up;
        policy.intensity = self.intensity.unwrap_or(policy.intensity);
        policy.backoff = self.backoff.unwrap_or(policy.backoff);
        policy.licence = (self.give_up == GiveUp::Escalate).then(Arc::default);
        let is_default = self.strategy == Strategy::OneForOne
            && policy.licence.is_none()
            && self.intensity.is_none()
            && self.backoff.is_none();
        let policy = if is_default { Arc::clone(base) } else { Arc::new(policy) };
        Plan { policy, roster: Mutex::default(), has_begun: watch::Sender::default() }
    }
}

impl fmt::Debug for Supervise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervise")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .field("children", &self.children.len())
            .finish_non_exhaustive()
    }
}

/// A supervisor's children may take this long to stop one after the other; the system's shutdown has its own limits.
const STOP_LIMIT: Duration = Duration::from_secs(3600);

/// A running supervisor.
#[derive(Clone)]
pub struct SupervisorRef(Arc<Handle>);

struct Handle {
    actor: ActorRef<Supervisor>,
    /// What its children start out with.
    policy: Arc<Policy>,
    plan: Arc<Plan>,
}

impl SupervisorRef {
    /// Starts an actor under it, after the children it has.
    pub fn spawn<A: Actor>(&self, child: impl IntoChild<A>) -> ActorRef<A> {
        spawn(self.system(), Some(self), child.into_child())
    }

    /// Makes the first children known, in this order.
    fn declare_all(&self, children: Vec<Named>, order: Order) {
        let mut children: Vec<Option<Named>> = children.into_iter().map(Some).collect();
        for (place, depth) in order.places.into_iter().zip(order.depths) {
            let Some(child) = children[place].take() else { continue };
            let id = (child.declare)(self);
            if let Some(depth) = depth {
                self.0.plan.roster.lock().depths.insert(id, depth);
            }
        }
    }

    /// Makes a child known that is started when its turn has come.
    fn declare<A: Actor>(&self, child: Child<A>) -> ActorId {
        let launch = |actor: &ActorRef<A>| {
            let cell = Arc::clone(actor.cell());
            Some(Box::new(move || crate::host::launch(cell)) as Launch)
        };
        prepare(self.system(), Some(self), child, launch).0.id()
    }

    /// Starts a supervisor under it, after the children it has. What the [parts](Part) among its children need of others
    /// may be there already, so only their order is arranged: what is missing is theirs to say when they start.
    ///
    /// # Errors
    ///
    /// [`StartError::Invalid`] with everything that cannot work in its settings.
    pub fn supervise(&self, supervise: Supervise) -> Result<Self, StartError> {
        let faults = supervise.faults();
        if !faults.is_empty() {
            return Err(StartError::Invalid(faults));
        }
        let (mut orders, _) = arrange(std::slice::from_ref(&supervise));
        Ok(self.start(supervise, orders.pop().unwrap_or_default()))
    }

    /// Starts a supervisor under it. One with parts ends by itself, so that those that started before it are still there.
    pub(crate) fn start(&self, supervise: Supervise, order: Order) -> Self {
        let has_parts = order.depths.iter().any(Option::is_some);
        let supervisor = supervise.start(order, self.system(), Some(self));
        if has_parts {
            self.0.plan.roster.lock().end_apart(supervisor.0.actor.id());
        }
        supervisor
    }

    /// Stops it and its children: in reverse start order one after the other where they restart together, those that others
    /// need after these, else all at once. Returns at once, see [`ended`](Self::ended).
    pub fn stop(&self) {
        self.0.actor.stop();
    }

    /// Waits until each of its first children has started, or has failed to and is on the way that every fault takes.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn started(&self) {
        // The sender lives as long as the plan does.
        let _ = self.0.plan.has_begun.subscribe().wait_for(|has_begun| *has_begun).await;
    }

    /// Waits until it has ended.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn ended(&self) -> StopReason {
        self.0.actor.ended().await
    }

    /// Where it is in its life.
    #[must_use]
    pub fn state(&self) -> ActorState {
        self.0.actor.state()
    }

    /// False when it has ended and listens no more.
    pub(crate) fn report(&self, report: Report) -> bool {
        self.0.actor.control(report)
    }

    pub(crate) fn node(&self) -> Arc<dyn Node> {
        self.0.actor.node()
    }

    fn system(&self) -> &Arc<SystemCore> {
        &self.0.actor.cell().core.system
    }
}

impl fmt::Debug for SupervisorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SupervisorRef({})", self.0.actor.name())
    }
}

fn spawn<A: Actor>(system: &Arc<SystemCore>, supervisor: Option<&SupervisorRef>, child: Child<A>) -> ActorRef<A> {
    let (actor, is_adopted) = prepare(system, supervisor, child, |_| None);
    if is_adopted {
        crate::host::launch(Arc::clone(actor.cell()));
    }
    actor
}

/// Makes the cell and puts it on the supervisor's roster before its driver is started, so that the supervisor knows a child
/// before that can report anything. It is not told by a message, which it might not live to read. False when it is ending:
/// the child then never starts.
fn prepare<A: Actor>(
    system: &Arc<SystemCore>,
    supervisor: Option<&SupervisorRef>,
    child: Child<A>,
    waiting: impl FnOnce(&ActorRef<A>) -> Option<Launch>,
) -> (ActorRef<A>, bool) {
    let base = supervisor.map_or(&system.policy, |supervisor| &supervisor.0.policy);
    let actor = system.make_cell(base, supervisor.cloned(), child);
    let is_adopted = supervisor.is_none_or(|supervisor| supervisor.0.plan.adopt(actor.node(), waiting(&actor)));
    if !is_adopted {
        actor.cell().never_start();
    }
    (actor, is_adopted)
}

/// Starts the first driver of a child.
type Launch = Box<dyn FnOnce() + Send>;

/// What survives a restart of the supervisor itself.
struct Plan {
    policy: Arc<Policy>,
    roster: Mutex<Roster>,
    /// Its first children have begun, or it has ended before they had.
    has_begun: watch::Sender<bool>,
}

#[derive(Default)]
struct Roster {
    children: Register<Arc<dyn Node>>,
    /// Those of them that are still to be started for the first time.
    waiting: BTreeMap<ActorId, Launch>,
    /// Of those of them that do not end together with their neighbours; see [`Plan::waves`].
    depths: HashMap<ActorId, usize>,
    /// The supervisor is ending: it takes no more children.
    is_closed: bool,
}

impl Roster {
    /// Lets a child end by itself.
    fn end_apart(&mut self, child: ActorId) {
        let depth = self.depths.values().max().map_or(0, |deepest| deepest + 1);
        self.depths.insert(child, depth);
    }
}

impl Plan {
    /// False when the supervisor is ending, so that nobody would look after the child.
    fn adopt(&self, child: Arc<dyn Node>, waiting: Option<Launch>) -> bool {
        let mut roster = self.roster.lock();
        if roster.is_closed {
            return false;
        }
        let id = child.core().id;
        roster.children.insert(id, child);
        roster.waiting.extend(waiting.map(|launch| (id, launch)));
        true
    }

    /// Those that are still to be started, in start order.
    fn waiting(&self) -> Vec<ActorId> {
        self.roster.lock().waiting.keys().copied().collect()
    }

    /// Hands a directive to a child. One that waits to be started is started by it: nobody else would obey.
    fn direct(&self, child: &Arc<dyn Node>, directive: Directive) {
        child.direct(directive);
        let launch = self.roster.lock().waiting.remove(&child.core().id);
        if let Some(launch) = launch {
            launch();
        }
    }

    /// Children in start order.
    fn children(&self) -> Vec<Arc<dyn Node>> {
        self.roster.lock().children.values().cloned().collect()
    }

    /// Children in start order, those together that end together: neighbours of one depth, and neighbours that are no
    /// parts. Where children restart together each is alone.
    fn waves(&self) -> Vec<Vec<Arc<dyn Node>>> {
        let roster = self.roster.lock();
        let children = roster.children.iter().map(|(id, child)| (roster.depths.get(&id), Arc::clone(child)));
        let children: Vec<_> = children.collect();
        let is_alone = self.policy.strategy != Strategy::OneForOne;
        let waves = children.chunk_by(|(depth, _), (next, _)| !is_alone && depth == next);
        waves.map(|wave| wave.iter().map(|(_, child)| Arc::clone(child)).collect()).collect()
    }

    fn ids(&self) -> Vec<ActorId> {
        self.roster.lock().children.iter().map(|(id, _)| id).collect()
    }

    /// Takes no more children. True when that is new.
    fn close(&self) -> bool {
        !std::mem::replace(&mut self.roster.lock().is_closed, true)
    }

    fn forget(&self, child: ActorId) {
        let mut roster = self.roster.lock();
        roster.depths.remove(&child);
        let gone = roster.children.remove(child);
        drop(roster);
        // Outside of the lock: it may have been the last reference.
        drop(gone);
    }

    /// The supervisor has ended. Where it could not see to its children's end itself, as it failed or was killed, they are
    /// told now; those that it had told and that are still there were given their time.
    fn end(&self, why: &StopReason) {
        let is_new = self.close();
        self.has_begun.send_replace(true);
        let left = std::mem::take(&mut self.roster.lock().children);
        for child in left.values().rev() {
            let directive = match why {
                StopReason::Shutdown => directive_for(why),
                StopReason::Killed => Directive::Kill(StopReason::Killed),
                _ if is_new => directive_for(why),
                _ => Directive::Kill(StopReason::Killed),
            };
            self.direct(child, directive);
        }
    }
}

/// The supervisor actor, reached through [`SupervisorRef`].
pub(crate) struct Supervisor {
    plan: Arc<Plan>,
    licence: Licence,
    group: Option<Group>,
    /// It has begun, and not all of its children have yet.
    is_starting: bool,
    draws: u64,
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("children", &self.plan.roster.lock().children.len()).finish_non_exhaustive()
    }
}

/// What a child tells its supervisor.
#[derive(Debug)]
pub(crate) struct Report {
    child: ActorId,
    what: What,
}

#[derive(Debug)]
enum What {
    /// It serves messages, or has failed to and is on the way that every fault takes. Said to a supervisor that waits for it.
    Started,
    /// It failed, is out of service, and waits for a decision.
    Fault(Incident),
    /// It is out of service, as it was told to be.
    Halted,
    /// It restarted too often.
    GaveUp(Incident),
    /// It has ended.
    Ended,
    /// The supervisor itself has begun again.
    Resumed,
}

impl Message for Report {
    type Reply = ();
}

impl Report {
    pub(crate) fn started(child: ActorId) -> Self {
        Self { child, what: What::Started }
    }

    pub(crate) fn fault(child: ActorId, incident: Incident) -> Self {
        Self { child, what: What::Fault(incident) }
    }

    pub(crate) fn halted(child: ActorId) -> Self {
        Self { child, what: What::Halted }
    }

    pub(crate) fn gave_up(child: ActorId, incident: Incident) -> Self {
        Self { child, what: What::GaveUp(incident) }
    }

    pub(crate) fn ended(child: ActorId) -> Self {
        Self { child, what: What::Ended }
    }
}

impl Actor for Supervisor {
    /// Its first children are started in order, each when the one before has started. After a restart of its own it puts all
    /// its children back to work in the same way; they do not notice. Only then is its own start over for its supervisor.
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        let is_first = cx.generation() == 1;
        // What led to an escalation is its parent's business now: it counts anew, as in OTP.
        if !is_first && let Some(shared) = &self.plan.policy.licence {
            shared.lock().renew();
        }
        let to_start = if is_first { self.plan.waiting() } else { self.plan.ids() };
        self.is_starting = true;
        self.begin(Group::start(to_start));
        // The turn of this message ends a start that waits for nobody, and it is the probe when this supervisor's own
        // breaker was open: nobody else need send it one.
        cx.me().control(Report { child: cx.me().id(), what: What::Resumed });
        Ok(())
    }

    /// Its children go with it, in reverse start order: one after the other when they depend on each other, else all
    /// at once. When it only makes room for a new value, they wait for that.
    async fn stopped(self, why: StopReason) {
        if why != StopReason::Restart {
            self.plan.close();
        }
        for wave in self.plan.waves().into_iter().rev() {
            let leaving: Vec<_> = wave.into_iter().rev().map(|child| take_out(&self.plan, child, &why)).collect();
            for out in leaving {
                out.await;
            }
        }
    }
}

/// Tells a child to end, or to make room, and then waits until it is out of service. One that was told to stop and takes
/// longer for it than its turn and its `stopped` together may is killed.
fn take_out(plan: &Plan, child: Arc<dyn Node>, why: &StopReason) -> impl Future<Output = ()> + use<> {
    let policy = &child.core().policy;
    let makes_room = *why == StopReason::Restart && policy.restart != Restart::Temporary;
    let directive = if makes_room { Directive::Halt { refuse: false } } else { directive_for(why) };
    let limit = match directive {
        Directive::Stop(_) => policy.start_limit.saturating_mul(2),
        _ => Duration::MAX,
    };
    let (tell, mut told) = oneshot::async_channel();
    crate::monitor::watch(&*child, Watcher::Out(tell));
    plan.direct(&child, directive);
    async move {
        // Told or dropped: either way it is out of service.
        if tokio::time::timeout(limit, &mut told).await.is_err() {
            child.direct(Directive::Kill(StopReason::Killed));
            let _ = told.await;
        }
    }
}

/// How the children end when their supervisor does.
fn directive_for(why: &StopReason) -> Directive {
    match why {
        StopReason::Drained | StopReason::Shutdown => Directive::Drain(StopReason::Shutdown),
        _ => Directive::Stop(StopReason::Stopped),
    }
}

impl SyncHandler<Report> for Supervisor {
    fn handle(&mut self, report: Report, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.take_note(report, &cx.system())?;
        if self.group.is_none() && std::mem::take(&mut self.is_starting) {
            cx.me().cell().core.tell_started();
            self.plan.has_begun.send_replace(true);
        }
        Ok(())
    }
}

impl Supervisor {
    fn new(plan: Arc<Plan>) -> Self {
        Self { plan, licence: Licence::default(), group: None, is_starting: false, draws: 0 }
    }

    fn take_note(&mut self, report: Report, system: &System) -> Result<(), Fault> {
        let child = report.child;
        match report.what {
            What::Started => self.advance(Step::Started(child)),
            // It begins again with the others anyway: one restart, counted once.
            What::Fault(_) | What::GaveUp(_) if self.group.as_ref().is_some_and(|group| group.brings_back(child)) => {}
            What::Fault(incident) => return self.restart_group(child, &incident, system),
            What::Halted => self.halted(child),
            What::Resumed => {}
            What::GaveUp(incident) => return self.give_up(child, incident),
            What::Ended => {
                self.plan.forget(child);
                self.advance(Step::Ended(child));
            }
        }
        self.finish_group()
    }

    fn child(&self, id: ActorId) -> Option<Arc<dyn Node>> {
        self.plan.roster.lock().children.get(id).cloned()
    }

    /// A child failed whose fault concerns others.
    fn restart_group(&mut self, failed: ActorId, incident: &Incident, system: &System) -> Result<(), Fault> {
        let (policy, now) = (Arc::clone(&self.plan.policy), system.core().clock.elapsed());
        self.draws += 1;
        let granted = match &policy.licence {
            Some(shared) => shared.lock().take(policy.intensity, now),
            None => self.licence.take(policy.intensity, now),
        };
        let Some(nth) = granted else {
            return self.give_up(failed, incident.clone());
        };
        let roll = roll(system.core().seed, self.draws);
        let affected = self.affected(|id| self.concerns(failed, id));
        self.begin(Group::restart(affected, failed, policy.backoff.delay(nth, roll)));
        self.finish_group()
    }

    /// Too many restarts.
    fn give_up(&mut self, failed: ActorId, incident: Incident) -> Result<(), Fault> {
        let escalates = self.plan.policy.give_up == GiveUp::Escalate;
        let affected = self.affected(|id| escalates || self.concerns(failed, id));
        tracing::warn!(target: "callboard::supervisor", %incident, escalates, "too many restarts");
        self.licence.renew();
        self.begin(if escalates { Group::escalate(affected, failed, incident) } else { Group::fail(affected, failed) });
        self.finish_group()
    }

    /// Whether the fault of one child is the business of another.
    fn concerns(&self, failed: ActorId, other: ActorId) -> bool {
        match self.plan.policy.strategy {
            Strategy::OneForOne => other == failed,
            Strategy::OneForAll => true,
            Strategy::RestForOne => other >= failed,
        }
    }

    /// The children that are concerned, in start order.
    fn affected(&self, is_concerned: impl Fn(ActorId) -> bool) -> Vec<Member> {
        let concerned = self.plan.children().into_iter().filter(|child| is_concerned(child.core().id));
        let member = |child: Arc<dyn Node>| {
            let core = child.core();
            Member { id: core.id, begins_again: core.policy.restart != Restart::Temporary }
        };
        concerned.map(member).collect()
    }

    /// A group restart takes the place of one that is under way. Children that only the earlier one would have started are
    /// started at once.
    fn begin(&mut self, group: Group) {
        let earlier = self.group.take().map(Group::into_left).unwrap_or_default();
        let left: Vec<_> = earlier.into_iter().filter(|&child| !group.concerns(child)).collect();
        self.group = Some(group);
        self.act();
        for child in left.into_iter().filter_map(|child| self.child(child)) {
            self.plan.direct(&child, Directive::Resume { after: Duration::ZERO });
        }
    }

    /// A child is out of service. When no group restart is under way it was told so by an earlier value of this
    /// supervisor, and goes on.
    fn halted(&mut self, child: ActorId) {
        if self.group.is_some() {
            return self.advance(Step::Halted(child));
        }
        if let Some(child) = self.child(child) {
            child.direct(Directive::Resume { after: Duration::ZERO });
        }
    }

    fn advance(&mut self, step: Step) {
        if let Some(group) = &mut self.group
            && group.note(step)
        {
            self.act();
        }
    }

    /// Gives the directive that is next in the group restart.
    fn act(&mut self) {
        while let Some((child, directive)) = self.group.as_mut().and_then(Group::next) {
            match self.child(child) {
                Some(node) => {
                    node.core().await_start(matches!(directive, Directive::Resume { .. }));
                    self.plan.direct(&node, directive);
                }
                None => {
                    if let Some(group) = &mut self.group {
                        group.note(Step::Ended(child));
                    }
                }
            }
        }
    }

    /// A group restart that has come to its end is forgotten; one that escalates fails this supervisor.
    fn finish_group(&mut self) -> Result<(), Fault> {
        if !self.group.as_ref().is_some_and(Group::is_over) {
            return Ok(());
        }
        match self.group.take().and_then(Group::into_escalation) {
            Some(incident) => Err(incident.escalate()),
            None => Ok(()),
        }
    }
}
