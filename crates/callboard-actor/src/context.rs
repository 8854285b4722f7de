//! What a handler may do: who it is, what its turn knows, and everything that is bound to the life of its actor.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::actor::{Actor, Handler, StopReason};
use crate::actor_ref::{ActorRef, Target};
use crate::cell::{ActorCell, Directive, Node, Tally};
use crate::child::IntoChild;
use crate::clock::{NEAR, Nanos};
use crate::envelope::Header;
use crate::fault::{Fault, FaultKind, catch, guard, record_backtraces};
use crate::message::{Message, MessageId, Priority};
use crate::monitor::{Down, Restarted, Watcher};
use crate::reply::Reply;
use crate::scope::{self, Along, TurnScope};
use crate::sync::{Ordering, fence};
use crate::system::System;
use crate::timer::{self, TaskHandle};
use crate::turn::LocalFuture;

/// The running turn's view of its actor and of the system.
///
/// `ActorRef::tell` and `ask` act at once. What goes through the context, [`send`](Self::send) and
/// [`schedule`](Self::schedule), is an *effect*: it is kept until the turn ends well, leaves then in order, and is
/// dropped with a turn that fails.
pub struct Context<A: Actor> {
    cell: Arc<ActorCell<A>>,
    scope: Rc<TurnScope>,
    generation: u64,
    /// The number of the running turn, if it has a limit.
    limited: u64,
    attempt: u32,
    pub(crate) leaving: Option<Leaving>,
    extra: Option<Box<Extra>>,
}

/// Work on the pool for blocking code that never begins, unless it has, when nobody waits for it any more.
struct Unbegun<T>(JoinHandle<T>);

impl<T> Drop for Unbegun<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How an actor wants to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// For good.
    Stop,
    /// Its work is done; its restart type decides whether it begins again.
    Exit,
}

/// Work for the end of a turn. What it starts belongs to the value, as all tasks do.
type Effect = Box<dyn FnOnce(&mut JoinSet<()>)>;

/// What few actors use.
#[derive(Default)]
struct Extra {
    effects: Vec<Effect>,
    commit: Option<LocalFuture<Result<(), Fault>>>,
    tasks: JoinSet<()>,
    values: HashMap<TypeId, Box<dyn Any>>,
    idempotency_key: Option<Arc<str>>,
    redelivered_from: Option<MessageId>,
}

impl<A: Actor> Context<A> {
    pub(crate) fn new(cell: Arc<ActorCell<A>>, generation: u64) -> Self {
        let node: Arc<dyn Node> = Arc::clone(&cell) as _;
        let scope = Rc::new(TurnScope::new(node));
        Self { cell, scope, generation, limited: 0, attempt: 1, leaving: None, extra: None }
    }

    /// A reference to this actor.
    #[must_use]
    pub fn me(&self) -> ActorRef<A> {
        ActorRef::new(Arc::clone(&self.cell))
    }

    /// The system that the actor lives in.
    #[must_use]
    pub fn system(&self) -> System {
        System::of(&self.cell.core.system)
    }

    /// How often the running message has been tried, this time included: 1 unless its type is kept, or it is an attempt of a
    /// call that is tried again. More than 1 means that all or a part of it may have been done already; by its
    /// [id](Self::message_id) a receiver that remembers ids can tell.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Which value of the actor this is; the first one is 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The priority of the running message.
    #[must_use]
    pub fn priority(&self) -> Priority {
        Priority::of_lane(usize::from(self.scope.lane.get()))
    }

    /// How long the asker of the running message still waits; `None` when nobody does.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match self.scope.deadline.get() {
            0 => None,
            deadline => Some(Duration::from_nanos(deadline.saturating_sub(self.cell.core.system.clock.now()))),
        }
    }

    /// The idempotency key that the asker gave the running message.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.extra.as_ref()?.idempotency_key.as_deref()
    }

    /// The id of the running message, the same in all attempts of a call, if its asker has given it one: a call does so that
    /// may be tried again, that goes through middleware, or whose caller wants to know the id. Others are made once.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        self.scope.along(|along| along.message_id).flatten()
    }

    /// The request that the running message belongs to, as far as one with an id is known: of what a turn asks that of the
    /// turn's own message, and so on.
    #[must_use]
    pub fn correlation_id(&self) -> Option<MessageId> {
        self.scope.along(|along| along.correlation).flatten()
    }

    /// What the running message was in the quarantine, if it was put back from there.
    #[must_use]
    pub fn redelivered_from(&self) -> Option<MessageId> {
        self.extra.as_ref()?.redelivered_from
    }

    /// A value that came with the running message, see [`Baggage`](crate::Baggage).
    #[must_use]
    pub fn baggage<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.scope.along(|along| along.baggage.as_ref()?.get()).flatten()
    }

    /// Adds a value to what every ask of this turn takes along.
    pub fn add_baggage<T: Any + Send + Sync>(&mut self, value: T) {
        self.extra();
        self.scope.add_baggage(value);
    }

    /// Ends this actor for good once the turn is over; its restart type does not matter. What is queued becomes dead
    /// letters.
    pub fn stop(&mut self) {
        self.leaving = Some(Leaving::Stop);
    }

    /// Ends this *value* normally once the turn is over, as a process does in OTP: after its
    /// [`stopped`](Actor::stopped) a transient or temporary actor has ended. A permanent one begins anew: its supervisor
    /// restarts it, with its siblings where the strategy says so, and that counts as a restart though not as a fault.
    pub fn exit(&mut self) {
        self.leaving.get_or_insert(Leaving::Exit);
    }

    /// Sends a message when this turn ends well. It does not wait for room then: what finds none becomes a dead letter.
    pub fn send<M: Message, T: Target<M> + Clone + 'static>(&mut self, target: &T, message: M) {
        let target = target.clone();
        self.effect(move || timer::deliver_or_bury(&target, message));
    }

    /// Sends a message `delay` after this turn ends well. The timer belongs to the actor: it is cancelled with its value.
    pub fn schedule<M: Message, T: Target<M> + Clone + 'static>(&mut self, target: &T, delay: Duration, message: M) {
        let target = target.clone();
        let later = watched(Arc::clone(&self.cell), self.generation, async move {
            tokio::time::sleep(delay).await;
            timer::deliver_or_bury(&target, message);
        });
        self.extra().effects.push(Box::new(move |tasks| drop(start(tasks, later))));
    }

    /// Sends this actor a message after `delay`, unless its value is replaced or the handle cancelled before.
    pub fn send_after<M: Message>(&mut self, delay: Duration, message: M) -> TaskHandle
    where
        A: Handler<M>,
    {
        let me = self.me();
        self.spawn(async move {
            tokio::time::sleep(delay).await;
            // An actor that has ended, or refuses at the moment, has no use for its timers.
            let _ = me.tell(message).await;
        })
    }

    /// Sends this actor a message every `period`, the first one after one period. When the mailbox has no room the tick
    /// waits, and the ticks missed meanwhile are left out. A panic in `make` is a fault of the actor.
    pub fn send_every<M: Message>(&mut self, period: Duration, make: impl FnMut() -> M + 'static) -> TaskHandle
    where
        A: Handler<M>,
    {
        let me = self.me();
        self.spawn(timer::tick(me, period, make))
    }

    /// Runs a future beside the turns of this actor, on its thread. It is dropped when the value is replaced or the
    /// actor ends; a panic in it is a fault of the actor. It takes nothing of the turn along, see [`carry`](Self::carry).
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) -> TaskHandle {
        let future = watched(Arc::clone(&self.cell), self.generation, future);
        TaskHandle::new(start(&mut self.extra().tasks, future))
    }

    /// Wraps a future so that its asks inherit from this turn: what is left of the deadline, the priority and the
    /// baggage. The turn does not wait for it, so its asks cannot close a cycle.
    pub fn carry<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F, A> {
        Carried { scope: Rc::new(self.scope.carried()), future: Box::pin(future) }
    }

    /// Runs `work` on the pool for blocking code and sends what it returns to this actor. A panic in it is a fault of
    /// the actor. Work that has begun cannot be cancelled: when the value is replaced its result is dropped.
    pub fn blocking<M: Message>(&mut self, work: impl FnOnce() -> M + Send + 'static) -> TaskHandle
    where
        A: Handler<M>,
    {
        let me = self.me();
        self.spawn(async move {
            let message = match tokio::task::spawn_blocking(move || guard(work)).await {
                Ok(Ok(message)) => message,
                Ok(Err(fault)) => std::panic::resume_unwind(Box::new(fault)),
                Err(_shutting_down) => return,
            };
            // As for a timer.
            let _ = me.tell(message).await;
        })
    }

    /// Runs `work` on the pool for blocking code, for a turn that waits for what comes of it: the turn goes on as any that
    /// awaits something, and the other actors of the thread have theirs meanwhile. The work takes nothing of the turn along.
    ///
    /// # Errors
    ///
    /// A panic in the work, as a fault that is one of the handler when the turn ends with it. And that the system ended before
    /// the work began.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, work that has not begun never does. What has begun goes on to its end, and what comes of it
    /// is dropped; the thread of an actor that is gone waits for it when the system is shut down.
    ///
    /// ```
    /// # use callboard_actor::{Actor, Context, Fault, Handler, Message};
    /// # struct Archive;
    /// # impl Actor for Archive {}
    /// # struct Load(std::path::PathBuf);
    /// # impl Message for Load { type Reply = usize; }
    /// impl Handler<Load> for Archive {
    ///     async fn handle(&mut self, load: Load, cx: &mut Context<Self>) -> Result<usize, Fault> {
    ///         let bytes = cx.run_blocking(move || std::fs::read(load.0)).await??;
    ///         Ok(bytes.len())
    ///     }
    /// }
    /// ```
    pub fn run_blocking<T, F>(&self, work: F) -> impl Future<Output = Result<T, Fault>> + use<T, F, A>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let backtraces = self.system().core().backtraces;
        let guarded = move || {
            record_backtraces(backtraces);
            guard(work)
        };
        let mut work = Unbegun(tokio::task::spawn_blocking(guarded));
        async move { (&mut work.0).await.unwrap_or_else(|_shutting_down| Err(Fault::retryable("the system has ended"))) }
    }

    /// Starts an actor beside this one, under the same supervisor.
    pub fn spawn_actor<B: Actor>(&self, child: impl IntoChild<B>) -> ActorRef<B> {
        match &self.cell.core.supervisor {
            Some(supervisor) => supervisor.spawn(child),
            None => self.system().spawn(child),
        }
    }

    /// Asks to be told, with one [`Down`], when that actor has ended; at once when it already has. A restart is not an
    /// end.
    pub fn monitor<B: Actor>(&self, other: &ActorRef<B>)
    where
        A: Handler<Down>,
    {
        let me = self.me();
        other.watch(Watcher::Down(Box::new(move |down| {
            let _ended = !me.control(down);
        })));
    }

    /// Asks to be told with a [`Restarted`] each time that actor has a new value.
    pub fn monitor_restarts<B: Actor>(&self, other: &ActorRef<B>)
    where
        A: Handler<Restarted>,
    {
        let me = self.me();
        other.watch(Watcher::Restarts(Arc::new(move |restarted| {
            let _ended = !me.control(restarted);
        })));
    }

    /// Ties the ends of two actors together: when one ends abnormally (killed, or by a fault that its restart type does
    /// not forgive), the other is stopped with [`StopReason::Linked`]. A normal end does not propagate.
    pub fn link<B: Actor>(&self, other: &ActorRef<B>) {
        crate::monitor::link(&(Arc::clone(&self.cell) as Arc<dyn Node>), &other.node());
    }

    /// Holds the reply and the effects of this turn until `commit` has ended well. If it fails, the turn has failed: the
    /// effects are dropped and the asker is told. The next turn starts after it. The turn limit covers both.
    ///
    /// # Cancel safety
    ///
    /// `commit` is dropped at an `await` when the actor is killed or the turn limit is over.
    pub fn commit_with(&mut self, commit: impl Future<Output = Result<(), Fault>> + 'static) {
        self.extra().commit = Some(Box::pin(commit));
    }

    /// A slot for a value of any type that lives as long as this value of the actor, for layers above.
    pub fn slot<T: Any + Default>(&mut self) -> &mut T {
        let slot = self.extra().values.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        slot.downcast_mut().expect("the key is the type of the value")
    }

    /// Adds work to be done when this turn ends well: the way for layers above to have effects of their own.
    pub fn effect(&mut self, effect: impl FnOnce() + 'static) {
        self.extra().effects.push(Box::new(|_| effect()));
    }

    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Box::default)
    }

    pub(crate) fn scope(&self) -> &Rc<TurnScope> {
        &self.scope
    }

    pub(crate) fn cell(&self) -> Arc<ActorCell<A>> {
        Arc::clone(&self.cell)
    }

    #[inline]
    pub(crate) fn tally(&self) -> &Tally {
        &self.cell.core.tally
    }

    /// Makes what the turn knows true for a message. `deadline` is that of its asker, if it has one.
    #[inline(always)]
    pub(crate) fn begin_turn(&mut self, asked: bool, deadline: Nanos, header: Option<&Header>) {
        self.attempt = 1;
        let deadline = if asked { deadline } else { 0 };
        self.scope.deadline.set(deadline);
        self.cell.core.running.store(deadline, Ordering::Relaxed);
        if header.is_some() || self.extra.is_some() {
            self.take_header(header);
        }
    }

    fn take_header(&mut self, header: Option<&Header>) {
        self.attempt = header.map_or(0, |header| header.attempts + header.asked_before) + 1;
        let baggage = header.and_then(|header| header.baggage.clone());
        let key = header.and_then(|header| header.idempotency_key.clone());
        let redelivered_from = header.and_then(|header| header.redelivered_from);
        let message_id = header.and_then(|header| header.message_id);
        let correlation = header.and_then(|header| header.correlation_id).or(message_id);
        // With `extra` there, the next turn comes here as well and takes away what it must not see.
        let is_seen = baggage.is_some() || key.is_some() || redelivered_from.is_some() || correlation.is_some();
        if is_seen || self.extra.is_some() {
            let extra = self.extra();
            (extra.idempotency_key, extra.redelivered_from) = (key, redelivered_from);
        }
        let is_along = baggage.is_some() || correlation.is_some();
        self.scope.bring(is_along.then_some(Along { baggage, message_id, correlation }));
    }

    /// Whether the asker has gone, so that the turn need not begin.
    ///
    /// An asker that times out closes its end and then looks whether its turn is running, to learn how far it came; we
    /// say that it is running and then look whether the end is closed. Near the deadline the fence makes sure that at
    /// least one of us sees the other, so that a message that was reported as never begun does not begin.
    #[inline]
    pub(crate) fn is_abandoned<R>(&self, reply: &Reply<R>, deadline: Nanos) -> bool {
        if deadline < self.scope.checked.get().saturating_add(NEAR) {
            fence(Ordering::SeqCst);
        }
        reply.is_abandoned()
    }

    /// Says that the running turn has a limit, and its number; 0 when it has none.
    pub(crate) fn set_limited(&mut self, turn: u64) {
        self.limited = turn;
    }

    /// Whether the keeper has fenced the running turn: nothing of it may reach anyone.
    #[inline(always)]
    pub(crate) fn is_fenced(&self) -> bool {
        self.limited != 0 && self.cell.core.turns.load(Ordering::SeqCst) != self.limited
    }

    #[inline]
    pub(crate) fn holds_commit(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.commit.is_some())
    }

    pub(crate) fn take_commit(&mut self) -> LocalFuture<Result<(), Fault>> {
        let core = &self.cell.core;
        core.running.store(core.running.load(Ordering::Relaxed) | 1, Ordering::Relaxed);
        let commit = self.extra().commit.take();
        commit.unwrap_or_else(|| Box::pin(std::future::ready(Ok(()))))
    }

    /// Whether a turn that has ended well may have left effects, or the wish to end.
    #[inline(always)]
    pub(crate) fn has_afterwork(&self) -> bool {
        self.extra.is_some() || self.leaving.is_some()
    }

    /// The turn has ended well: its effects leave, in order. An effect of a layer above may panic.
    pub(crate) fn release_effects(&mut self) -> Result<(), Fault> {
        let Some(extra) = &mut self.extra else { return Ok(()) };
        let effects = std::mem::take(&mut extra.effects);
        catch(|| effects.into_iter().for_each(|effect| effect(&mut extra.tasks)))
    }

    /// The value is going: its effects, timers and spawned futures go with it.
    pub(crate) fn reset(&mut self) {
        self.leaving = None;
        self.begin_turn(false, 0, None);
        if let Some(extra) = self.extra.take() {
            crate::fault::drop_quietly(extra);
        }
    }

    pub(crate) fn set_generation(&mut self, generation: u64) {
        self.generation = generation;
    }
}

impl<A: Actor> fmt::Debug for Context<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("actor", &self.cell.core.name())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A future of an actor: a panic in it becomes a fault of the generation that started it.
async fn watched<A: Actor>(cell: Arc<ActorCell<A>>, generation: u64, future: impl Future<Output = ()> + 'static) {
    let mut future = Box::pin(future);
    let polled = std::future::poll_fn(|task| match guard(|| future.as_mut().poll(task)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
        Err(fault) => Poll::Ready(Err(fault)),
    });
    if let Err(fault) = polled.await {
        let node: Arc<dyn Node> = cell;
        node.direct(Directive::Fault { generation, fault: fault.seen_as(FaultKind::Task) });
    }
}

/// Runs a future among the tasks of a value, and forgets those that have ended.
fn start(tasks: &mut JoinSet<()>, future: impl Future<Output = ()> + 'static) -> AbortHandle {
    while tasks.try_join_next().is_some() {}
    tasks.spawn_local(future)
}

/// A future within the scope of the turn that it was carried out of.
struct Carried<F> {
    scope: Rc<TurnScope>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let _entered = scope::enter(Rc::clone(&self.scope));
        self.future.as_mut().poll(task)
    }
}

/// How the value of an actor is built, at every start, on its own thread.
pub(crate) trait Build<A: Actor>: Send + Sync {
    /// The value, where it is there at once.
    fn at_once(&self) -> Option<A>;

    /// Where it is not: by code that may wait and may fail.
    fn build<'a>(&'a self, context: &'a mut Context<A>) -> Pin<Box<dyn Future<Output = Result<A, Fault>> + 'a>>;
}

/// Any build, without its type.
pub(crate) type Factory<A> = Box<dyn Build<A>>;

/// Builds at once.
pub(crate) struct Plain<F>(pub(crate) F);

impl<A: Actor, F: Fn() -> A + Send + Sync> Build<A> for Plain<F> {
    fn at_once(&self) -> Option<A> {
        Some((self.0)())
    }

    fn build<'a>(&'a self, _: &'a mut Context<A>) -> Pin<Box<dyn Future<Output = Result<A, Fault>> + 'a>> {
        Box::pin(async { Ok((self.0)()) })
    }
}

/// Builds by code that may wait.
pub(crate) struct Waiting<F>(pub(crate) F);

impl<A: Actor, F: AsyncFn(&mut Context<A>) -> Result<A, Fault> + Send + Sync> Build<A> for Waiting<F> {
    fn at_once(&self) -> Option<A> {
        None
    }

    fn build<'a>(&'a self, context: &'a mut Context<A>) -> Pin<Box<dyn Future<Output = Result<A, Fault>> + 'a>> {
        Box::pin((self.0)(context))
    }
}

/// The reason that goes with leaving by oneself.
impl Leaving {
    pub(crate) fn reason(self) -> StopReason {
        match self {
            Self::Stop => StopReason::Stopped,
            Self::Exit => StopReason::Finished,
        }
    }
}

/// The earlier of two moments of which 0 means never.
pub(crate) fn earlier(one: Nanos, other: Nanos) -> Nanos {
    match (one, other) {
        (0, moment) | (moment, 0) => moment,
        (one, other) => one.min(other),
    }
}
