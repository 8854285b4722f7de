//! A [`System`]: its threads, its actors, and everything they share. Two systems in one process share nothing.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::actor::Actor;
use crate::actor_ref::ActorRef;
use crate::alarm::Alarms;
use crate::bound::Seat;
use crate::cell::{ActorCell, ActorId, Core};
use crate::child::{Child, Defaults, IntoChild, Policy};
use crate::clock::{Clock, Nanos, nanos};
use crate::dead_letter::{DeadLetter, DeadLetters, DeadReason, Quarantine};
use crate::directory::Directory;
use crate::error::StartError;
use crate::host::{Arbiter, Arbiters};
use crate::inspect::Snapshot;
use crate::lineage::Lineage;
use crate::mailbox::Mailbox;
use crate::message::{MessageId, Priority};
use crate::observer::{Observer, Observers};
use crate::part::Part;
use crate::shutdown::{Drain, Phases, ShutdownPhase, ShutdownReport};
use crate::supervisor::{Order, Supervise, SupervisorRef, arrange, one_for_one};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};
use crate::turn_times::TurnTimes;

/// A handle to a running system. Cheap to clone, usable from any thread.
///
/// Dropping the last handle does not end the system: [`shutdown`](Self::shutdown) does.
#[derive(Clone)]
pub struct System(Arc<SystemCore>);

/// A handle that keeps nothing of a system: for what the system itself keeps and what outlives it.
#[derive(Clone)]
pub struct WeakSystem(Weak<SystemCore>);

impl WeakSystem {
    /// The system, unless it is over and every handle to it is gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<System> {
        self.0.upgrade().map(System)
    }
}

impl fmt::Debug for WeakSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSystem").field("is_there", &(self.0.strong_count() > 0)).finish()
    }
}

/// What the actors of a system share.
pub struct SystemCore {
    pub(crate) clock: Clock,
    pub(crate) alarms: Alarms,
    pub(crate) directory: Directory,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) quarantine: Quarantine,
    pub(crate) observers: Arc<Observers>,
    pub(crate) turn_times: TurnTimes,
    pub(crate) policy: Arc<Policy>,
    /// In nanoseconds: what an ask waits that says nothing else.
    ask_timeout: AtomicU64,
    pub(crate) times_turns: bool,
    pub(crate) backtraces: bool,
    pub(crate) seed: u64,
    /// Actors that were ever made.
    pub(crate) started: AtomicU32,
    /// Everything runs on one thread, on virtual time.
    pub(crate) is_virtual: bool,
    /// There are enough cores for threads that stay awake for a moment when they have nothing to do.
    pub(crate) stays_awake: bool,
    pub(crate) phases: Phases,
    /// The threads may end.
    pub(crate) over: Notify,
    threads: OnceLock<Threads>,
    /// The root supervisor, until the system is over: it holds the system in turn.
    root: Mutex<Option<SupervisorRef>>,
    extensions: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

#[derive(Debug)]
struct Threads {
    arbiters: Arbiters,
    keeper: Arbiter,
}

impl System {
    /// A system with all defaults, to be changed and started.
    pub fn builder() -> SystemBuilder {
        SystemBuilder::default()
    }

    /// Starts an actor under the root supervisor: a function that builds it, or a [`Child`]. The reference can be used
    /// at once; messages queue up until the actor has started.
    pub fn spawn<A: Actor>(&self, child: impl IntoChild<A>) -> ActorRef<A> {
        match self.0.root() {
            Some(root) => root.spawn(child),
            None => self.0.stillborn(child.into_child()),
        }
    }

    /// Starts a supervisor under the root supervisor, and waits until its first children have started, or have failed to and
    /// are on the way that every fault takes.
    ///
    /// # Errors
    ///
    /// [`StartError::Invalid`] with everything that cannot work in its settings, and [`StartError::Over`] when the system
    /// has been shut down.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the supervisor has been started or refused, whether or not somebody waits on for its children.
    pub async fn supervise(&self, supervise: Supervise) -> Result<SupervisorRef, StartError> {
        let supervisor = self.0.root().ok_or(StartError::Over)?.supervise(supervise)?;
        supervisor.started().await;
        Ok(supervisor)
    }

    /// The first actor of this type with this name. One that is still in its first start is not found yet.
    #[must_use]
    pub fn find<A: Actor>(&self, name: &str) -> Option<ActorRef<A>> {
        self.0.directory.find(name, |node| node.as_any().downcast::<ActorCell<A>>().ok()).map(ActorRef::new)
    }

    /// Runs a future on the arbiter with this number and waits for its result; the function that makes it is sent
    /// there, so the future itself need not be `Send`.
    ///
    /// # Panics
    ///
    /// If the future panics or the system ends before it is done.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the future goes on and its result is dropped.
    pub async fn run_on<T: Send + 'static, F: Future<Output = T> + 'static>(
        &self,
        arbiter: usize,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> T {
        let (tell, told) = oneshot::async_channel();
        self.0.arbiters().get(arbiter).run(move || {
            tokio::task::spawn_local(async move {
                // Nobody may be left to be told.
                let _ = tell.send(make().await);
            });
        });
        told.await.expect("the future on the arbiter panicked, or the system ended before it was done")
    }

    /// How many arbiters actors are spread over.
    #[must_use]
    pub fn arbiters(&self) -> usize {
        self.0.arbiters().len()
    }

    /// What everything looks like now; can be serialised.
    #[must_use]
    pub fn inspect(&self) -> Snapshot {
        crate::inspect::inspect(&self.0)
    }

    /// The messages that reached nobody.
    #[must_use]
    pub fn dead_letters(&self) -> &DeadLetters {
        &self.0.dead_letters
    }

    /// Records a message that a layer above had for an actor, which has a name and an id, and that never came to its
    /// mailbox. It is in no book of the actor. What has no lineage that is known is told apart by its record.
    pub fn record_dead_letter(
        &self,
        (actor, actor_id): (String, ActorId),
        message: &'static str,
        priority: Priority,
        reason: DeadReason,
        lineage: Option<Lineage>,
    ) {
        let at = self.0.clock.wall();
        let (id, is_awaited) = (MessageId::at(at), false);
        let lineage = lineage.unwrap_or_else(|| Lineage::new(id, None, None));
        self.0.dead_letters.add(DeadLetter { id, at, actor, actor_id, message, priority, reason, is_awaited, lineage });
    }

    /// Has somebody told from now on of messages that fail and of breakers that change. What layers above
    /// [record](Self::record_dead_letter) themselves it is not told.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.0.observers.add(observer);
    }

    /// Now, since the Unix epoch: the wall time when the system started and what its clock has counted since. Virtual in a
    /// test system.
    #[must_use]
    pub fn wall(&self) -> Duration {
        self.0.clock.wall()
    }

    /// A fresh id for something that a layer above has to name.
    #[must_use]
    pub fn fresh_id(&self) -> MessageId {
        MessageId::at(self.wall())
    }

    /// The messages whose turns failed.
    #[must_use]
    pub fn quarantine(&self) -> &Quarantine {
        &self.0.quarantine
    }

    /// Time since the system started: virtual in a test system.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.clock.elapsed()
    }

    /// How long an ask waits when neither the call nor the message type says: what `Defaults` said at the start, until it is
    /// [set](Self::set_ask_timeout).
    #[must_use]
    pub fn ask_timeout(&self) -> Duration {
        Duration::from_nanos(self.0.patience())
    }

    /// Replaces that for every ask that begins from now on, with at least a millisecond.
    pub fn set_ask_timeout(&self, timeout: Duration) {
        self.0.ask_timeout.store(nanos(timeout.max(Duration::from_millis(1))), Ordering::Relaxed);
    }

    /// A handle that does not keep the system.
    #[must_use]
    pub fn downgrade(&self) -> WeakSystem {
        WeakSystem(Arc::downgrade(&self.0))
    }

    /// Adds work to be done when the system shuts down, in a phase. Within a phase the order is that of the calls.
    pub fn on_shutdown<F: Future<Output = ()> + Send + 'static>(
        &self,
        phase: ShutdownPhase,
        name: impl Into<String>,
        work: impl FnOnce() -> F + Send + 'static,
    ) {
        self.0.phases.add(phase, name.into(), work);
    }

    /// Ends the system: runs the phases, drains the actors, then stops, then kills what is left. A second call while the
    /// first is at work kills at once; a call after it has ended changes nothing.
    ///
    /// # Cancel safety
    ///
    /// Once polled the shutdown goes on whether or not this future is dropped.
    pub async fn shutdown(&self, drain: Drain) -> ShutdownReport {
        crate::shutdown::shutdown(&self.0, drain).await
    }

    /// A value of any type that layers above keep with the system; made when first asked for.
    pub fn extension<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let key = TypeId::of::<T>();
        let known = self.0.extensions.lock().get(&key).cloned();
        // Made outside of the lock, as making it may ask for another; whoever is first has made it for all.
        let slot = known.unwrap_or_else(|| {
            let made: Arc<dyn Any + Send + Sync> = Arc::new(make());
            Arc::clone(self.0.extensions.lock().entry(key).or_insert(made))
        });
        slot.downcast().expect("the key is the type of the value")
    }

    pub(crate) fn of(core: &Arc<SystemCore>) -> Self {
        Self(Arc::clone(core))
    }

    pub(crate) fn core(&self) -> &Arc<SystemCore> {
        &self.0
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("actors", &self.0.directory.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for SystemCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemCore").finish_non_exhaustive()
    }
}

impl SystemCore {
    /// How long an ask waits when neither the call nor the message type says.
    #[inline]
    pub(crate) fn patience(&self) -> Nanos {
        self.ask_timeout.load(Ordering::Relaxed)
    }

    pub(crate) fn arbiters(&self) -> &Arbiters {
        &self.threads.get().expect("the threads are started before anything runs").arbiters
    }

    /// The thread that keeps time and starts others.
    pub(crate) fn keeper(&self) -> &Arbiter {
        &self.threads.get().expect("the threads are started before anything runs").keeper
    }

    /// The root supervisor, unless the system is over.
    pub(crate) fn root(&self) -> Option<SupervisorRef> {
        self.root.lock().clone()
    }

    /// The system is over: nothing is to be started any more, and the circle through the root supervisor is broken.
    pub(crate) fn forget_root(&self) {
        let root = self.root.lock().take();
        drop(root);
    }

    /// An actor of a system that is over: it has ended before it began, and hands every message back.
    fn stillborn<A: Actor>(self: &Arc<Self>, child: Child<A>) -> ActorRef<A> {
        let actor = self.make_cell(&self.policy, None, child);
        actor.cell().never_start();
        actor
    }

    /// The cell of a new actor, known to the directory and not yet driven.
    pub(crate) fn make_cell<A: Actor>(
        self: &Arc<Self>,
        base: &Arc<Policy>,
        supervisor: Option<SupervisorRef>,
        child: Child<A>,
    ) -> ActorRef<A> {
        let (name, factory, policy) = child.apply(base);
        let mailbox = Mailbox::new(policy.bounds);
        let core = Core::new::<A>(name, policy, Arc::clone(self), supervisor);
        let cell = Arc::new(ActorCell { core, mailbox, factory, seat: Seat::empty() });
        let node = Arc::downgrade(&cell);
        self.directory.add(cell.core.id, node);
        ActorRef::new(cell)
    }

    pub(crate) fn set_threads(&self, arbiters: Vec<Arbiter>, keeper: Arbiter) {
        let threads = Threads { arbiters: Arbiters::new(arbiters), keeper };
        self.threads.set(threads).expect("a system starts once");
    }

    pub(crate) fn start_root(self: &Arc<Self>) {
        let root = one_for_one().name("root").start(Order::default(), self, None);
        *self.root.lock() = Some(root);
    }

    /// Ends the threads of the actors; the keeper's ends last, as the others were started from it.
    pub(crate) fn stop_arbiters(&self) {
        self.arbiters().all().iter().for_each(Arbiter::stop);
    }
}

/// The settings of a system to be started.
#[must_use = "a builder does nothing until it is started"]
pub struct SystemBuilder {
    workers: usize,
    defaults: Defaults,
    times_turns: bool,
    backtraces: bool,
    seed: u64,
    prepare: Vec<Prepare>,
    supervise: Vec<Supervise>,
}

type Prepare = Box<dyn FnOnce(&System) + Send>;

/// What is done before anybody has a handle to the system.
pub(crate) struct Beginning {
    prepare: Vec<Prepare>,
    supervise: Vec<Supervise>,
}

impl Default for SystemBuilder {
    fn default() -> Self {
        let workers = cores();
        Self {
            workers,
            defaults: Defaults::default(),
            times_turns: false,
            backtraces: false,
            seed: 0,
            prepare: Vec::new(),
            supervise: Vec::new(),
        }
    }
}

impl SystemBuilder {
    /// How many arbiters (threads) actors are spread over; by default one per core.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// What every actor starts out with.
    pub fn defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// Times every turn instead of one in 64, at the price of reading the clock twice each.
    pub fn time_turns(mut self, every: bool) -> Self {
        self.times_turns = every;
        self
    }

    /// Records the stack of a panic with its incident.
    pub fn backtraces(mut self, wanted: bool) -> Self {
        self.backtraces = wanted;
        self
    }

    /// Where the random draws of back-off and breakers begin; the same seed draws the same.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What a layer above does with the system before the first children start, after what was said before. It runs on a
    /// thread of the system, so it must not wait.
    pub fn prepare(mut self, work: impl FnOnce(&System) + Send + 'static) -> Self {
        self.prepare.push(Box::new(work));
        self
    }

    /// A supervisor to be started with the system, after those named before.
    pub fn supervise(mut self, supervise: Supervise) -> Self {
        self.supervise.push(supervise);
        self
    }

    /// The parts of one type among the first children of all supervisors, in the order in which they were named.
    pub fn parts<P: Part>(&self) -> impl Iterator<Item = &P> {
        self.supervise.iter().flat_map(Supervise::parts)
    }

    /// Starts the threads and the supervisors, and waits until their first children have started, or have failed to and are
    /// on the way that every fault takes.
    ///
    /// # Errors
    ///
    /// [`StartError`]: everything that cannot work in the settings, or a thread that did not start.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, a system may have been started that nobody has a handle to.
    pub async fn start(self) -> Result<System, StartError> {
        self.check()?;
        let core = Arc::new(self.core(Clock::real(), false));
        let (tell, told) = oneshot::async_channel();
        let (shared, workers, beginning) = (Arc::clone(&core), self.workers, self.beginning());
        let keep = move || crate::host::keep(&shared, workers, beginning, tell);
        std::thread::Builder::new().name("callboard-keeper".to_owned()).spawn(keep).map_err(StartError::Thread)?;
        told.await.map_err(|_| StartError::Lost)?;
        Ok(System(core))
    }

    /// Starts a system, runs `main` with it on the calling thread as [`block_on`] does, and shuts it down with all defaults
    /// when that has ended, well or not: actors that have started handle first what was sent to them. Where `main` panics
    /// nothing is shut down.
    ///
    /// ```
    /// use callboard_actor::{Actor, StartError, System, child};
    ///
    /// struct Clerk;
    /// impl Actor for Clerk {}
    ///
    /// let name = System::builder().workers(1).run(async |system: System| system.spawn(child("clerk", || Clerk)).name())?;
    /// assert_eq!(name, "clerk");
    /// # Ok::<(), StartError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); `main` is not run then.
    pub fn run<R>(self, main: impl AsyncFnOnce(System) -> R) -> Result<R, StartError> {
        block_on(async {
            let system = self.start().await?;
            let result = main(system.clone()).await;
            system.shutdown(Drain::default()).await;
            Ok(result)
        })
    }

    /// Looks at the settings and at what the [parts](Part) need of each other, and starts nothing.
    ///
    /// # Errors
    ///
    /// [`StartError::Invalid`] with everything that [`start`](Self::start) would say of it.
    pub fn check(&self) -> Result<(), StartError> {
        let mut faults = self.defaults.faults();
        if self.workers == 0 {
            faults.push("workers: actors need at least one thread".to_owned());
        }
        faults.extend(self.supervise.iter().flat_map(Supervise::faults));
        faults.extend(arrange(&self.supervise).1);
        if faults.is_empty() { Ok(()) } else { Err(StartError::Invalid(faults)) }
    }

    pub(crate) fn beginning(self) -> Beginning {
        Beginning { prepare: self.prepare, supervise: self.supervise }
    }

    pub(crate) fn core(&self, clock: Clock, is_virtual: bool) -> SystemCore {
        let observers = Arc::<Observers>::default();
        SystemCore {
            clock,
            alarms: Alarms::new(),
            directory: Directory::default(),
            dead_letters: DeadLetters::new(self.defaults.dead_letters),
            quarantine: Quarantine::new(self.defaults.quarantine, Arc::clone(&observers)),
            observers,
            turn_times: TurnTimes::new(),
            policy: Arc::new(Policy::new(&self.defaults)),
            ask_timeout: AtomicU64::new(nanos(self.defaults.ask_timeout)),
            times_turns: self.times_turns,
            backtraces: self.backtraces,
            seed: self.seed,
            started: AtomicU32::new(0),
            is_virtual,
            stays_awake: !is_virtual && (2..=cores()).contains(&self.workers.max(2)),
            phases: Phases::default(),
            over: Notify::new(),
            threads: OnceLock::new(),
            root: Mutex::default(),
            extensions: Mutex::default(),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Lets the layers above prepare the system, and starts the first supervisors, each when the children of the one before have started.
pub(crate) async fn start_all(core: &Arc<SystemCore>, beginning: Beginning) {
    let Beginning { prepare, supervise } = beginning;
    prepare.into_iter().for_each(|work| work(&System::of(core)));
    // The builder has checked the settings, and whether the parts fit together.
    let (orders, _) = arrange(&supervise);
    for (supervise, order) in supervise.into_iter().zip(orders) {
        let Some(root) = core.root() else { return };
        root.start(supervise, order).started().await;
    }
}

impl fmt::Debug for SystemBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemBuilder").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// Runs a future to its end on the calling thread, which may be any that is not inside a runtime. On an arbiter, in a
/// handler say, it would keep the thread from all its actors, and for ever if it waits for one of them.
///
/// There is no runtime on that thread either: what needs tokio's, as its timers do, panics here and works in handlers. To wait, take
/// [`System::sleep`].
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut task = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut task) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
