//! The driver: what owns the value of an actor, on its arbiter, takes envelopes out of the mailbox and runs their turns one
//! at a time.
//!
//! This file is the loop of a healthy actor. What happens at its start, after a fault and at its end is in
//! `lifecycle`; what it knows of its own health, in `health`; what it hardly ever has, in `extras`; who polls it, in `task`.

mod extras;
mod health;
mod lifecycle;
mod task;

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use self::extras::{Armed, Extras};
pub(crate) use self::task::{DriverTask, Seated, drive, start};
use crate::actor::{Actor, Handler, StopReason};
use crate::actor_ref::Question;
use crate::alarm::Alarm;
use crate::cell::{ActorCell, Core, Node, Remains, Tally};
use crate::child::Interference;
use crate::clock::Nanos;
use crate::context::Context;
use crate::dead_letter::DeadReason;
use crate::envelope::{self, Asked, Asker, Envelope};
use crate::error::{AskFailure, Stage};
use crate::fault::{Fault, FaultClass, FaultKind, Incident, catch, drop_quietly, silence};
use crate::gate::ActorState;
use crate::mailbox::{CONTROL, Private};
use crate::message::{Message, Priority};
use crate::reply::{Answer, reply};
use crate::scope::{self, TurnScope};
use crate::sync::Ordering;
use crate::turn::{Ending, Failure, Held, LocalFuture, Salvage, Turn};

/// Turns per poll, so that neighbours on the same arbiter get theirs.
const BUDGET: u32 = 64;
/// One turn in so many is timed.
const SAMPLE_EVERY: u8 = 64;

/// How many turns a driver has behind it that were neither timed nor limited, when one just was: all but one where each is to be.
fn unwatched(core: &Core) -> u8 {
    let (policy, system) = (&core.policy, &core.system);
    let watches_all = system.times_turns || policy.turn_limit.is_some() || policy.interference.is_some();
    if watches_all { SAMPLE_EVERY - 1 } else { 0 }
}

/// See the head of this module.
pub(crate) struct Driver<A: Actor> {
    cell: Arc<ActorCell<A>>,
    scope: Rc<TurnScope>,
    turn: Turn<A>,
    phase: Phase,
    generation: u32,
    /// A turn that has ended well and waits for its commit.
    held: Option<Box<Held<A>>>,
    extras: Extras<A>,
    /// What is known of the running turn.
    running: Running,
    /// The time, when whoever polls this has just read it; 0 otherwise.
    known_now: Nanos,
    /// Turns since the last one that was timed or limited; see [`unwatched`].
    unsampled: u8,
    /// The lane that the running message came from.
    lane: u8,
    /// The next message was delayed by a test and is not delayed again.
    is_delayed: bool,
    /// The keeper has fenced a turn of this driver.
    is_replaced: bool,
}

/// Where the driver is in the life of its actor. The gate shows the outside the same in the words of [`ActorState`].
/// The explicit tag makes looking at it before every turn a single comparison, and keeps the fields of a variant in the order
/// in which they are written.
#[repr(u8)]
enum Phase {
    /// The factory is to run, or at work.
    Building(Build),
    /// Messages are served.
    Serving,
    /// The same until nothing is queued, and then the end.
    Draining(Box<StopReason>),
    /// The running turn is finished, and then the end.
    Finishing(Box<StopReason>),
    /// The running turn is finished, then the value goes and the supervisor decides.
    Halting { refuse: bool },
    /// Nothing happens until a moment: back-off, or the reset time of the breaker.
    Waiting { then: ActorState, until: Nanos },
    /// Nothing happens until the supervisor says so.
    Halted,
    /// `stopped` of the value is at work.
    Closing(Box<Closing>),
    /// A driver on another thread did not give that back: this one takes over.
    TakingOver(Incident),
    /// All is done.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// The factory has to be called.
    Due,
    /// The factory waits for something.
    Factory,
    /// `started` has to be called.
    Built,
    /// `started` waits for something.
    Started,
}

struct Closing {
    future: LocalFuture<()>,
    then: AfterClose,
}

enum AfterClose {
    End(StopReason),
    Halt,
    /// A permanent actor's value has finished: a new one takes its place.
    Replace,
}

/// What is known of the running turn.
#[derive(Default)]
struct Running {
    /// When it began; 0 when it is not timed.
    began: Nanos,
    /// When it has to be over; 0 for never.
    limit: Nanos,
    /// The round of probing whose permit the message used.
    probe: Option<u32>,
}

impl Running {
    /// How long the turn may take.
    fn limit(&self) -> Duration {
        Duration::from_nanos(self.limit.saturating_sub(self.began))
    }
}

/// What the task does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Look again: the phase has changed.
    Again,
    /// Wait to be woken.
    Wait,
    /// Let the neighbours have their turns.
    Yield,
    /// The actor has ended.
    End,
}

impl<A: Actor> Driver<A> {
    /// The first driver of an actor.
    pub(crate) fn new(cell: Arc<ActorCell<A>>) -> Self {
        Self::of_generation(cell, 0)
    }

    /// The driver that takes over from one which does not give its thread back.
    pub(crate) fn replacing(cell: Arc<ActorCell<A>>, generation: u32, incident: Incident) -> Self {
        let mut driver = Self::of_generation(cell, generation);
        driver.extras.go_away();
        driver.phase = Phase::TakingOver(incident);
        driver
    }

    fn of_generation(cell: Arc<ActorCell<A>>, generation: u32) -> Self {
        let context = Context::new(Arc::clone(&cell), generation.into());
        let scope = Rc::clone(context.scope());
        let unsampled = unwatched(&cell.core);
        let extras = Extras::new(&cell.core.policy);
        Self {
            cell,
            scope,
            turn: Turn::new(context),
            phase: Phase::Building(Build::Due),
            generation,
            held: None,
            extras,
            running: Running::default(),
            known_now: 0,
            unsampled,
            lane: CONTROL as u8,
            is_delayed: false,
            is_replaced: false,
        }
    }

    fn generation(&self) -> u64 {
        self.generation.into()
    }

    /// One poll, of at most so many turns.
    #[inline(always)]
    fn go(&mut self, left: &mut u32, task: &mut Task<'_>) -> Flow {
        let flow = scope::within(Rc::clone(&self.scope), || {
            let _silence = silence();
            // Code of users is caught where it is called. What still comes this far is a fault of the framework: the actor
            // ends, and says so, rather than vanish.
            catch(|| self.run(left, task)).unwrap_or_else(|fault| self.collapse(fault))
        });
        self.cell.mailbox.grant_rest();
        flow
    }

    fn run(&mut self, left: &mut u32, task: &mut Task<'_>) -> Flow {
        loop {
            if self.cell.mailbox.is_directed() {
                self.obey();
            }
            let flow = match &mut self.phase {
                Phase::Serving | Phase::Draining(_) | Phase::Finishing(_) | Phase::Halting { .. } => {
                    self.serve(left, task)
                }
                Phase::Building(build) => {
                    let build = *build;
                    self.build(build, task)
                }
                &mut Phase::Waiting { until, then } => self.wait(until, then, task),
                Phase::Halted => Flow::Wait,
                Phase::TakingOver(incident) => {
                    let incident = incident.clone();
                    self.take_over(incident)
                }
                Phase::Closing(_) => self.close(task),
                Phase::Ended => Flow::End,
            };
            if flow != Flow::Again {
                return flow;
            }
        }
    }

    /// Whether nothing but messages keeps it from rest: it serves, and is between turns.
    #[inline]
    fn may_go_on(&self) -> bool {
        let in_turn = self.turn.is_active() || self.held.is_some() || self.extras.has_retry();
        matches!(self.phase, Phase::Serving) && !in_turn
    }

    /// Whether the next turn is timed or limited.
    #[inline]
    fn watches_next(&self) -> bool {
        self.unsampled + 1 >= SAMPLE_EVERY || self.extras.health().is_some()
    }

    /// The turn of a question that comes straight from its asker, past the mailbox.
    #[inline]
    fn answer<M: Message>(
        &mut self,
        question: Question<M>,
        told: &mut Option<Answer<M::Reply>>,
        task: &mut Task<'_>,
    ) -> Option<M::Reply>
    where
        A: Handler<M>,
    {
        scope::within(Rc::clone(&self.scope), || {
            let _silence = silence();
            // As in `go`. The asker is told as well, then.
            catch(|| self.answer_now(question, told, task)).unwrap_or_else(|fault| {
                self.collapse(fault);
                told.get_or_insert_with(|| reply().1);
                None
            })
        })
    }

    #[inline]
    fn answer_now<M: Message>(
        &mut self,
        question: Question<M>,
        told: &mut Option<Answer<M::Reply>>,
        task: &mut Task<'_>,
    ) -> Option<M::Reply>
    where
        A: Handler<M>,
    {
        let Question { message, header, expires, lane, now } = question;
        let lane = self.cell.mailbox.cap(lane);
        self.cell.mailbox.count_passed(lane);
        self.scope.checked.set(now);
        self.unsampled += 1;
        self.take_lane(lane);
        match envelope::ask(message, header, expires, &mut self.turn, task) {
            Asked::Answered(answer) => {
                self.settle(Ending::Done);
                Some(answer)
            }
            Asked::Told(answer, polled) => {
                *told = Some(answer);
                match polled {
                    Poll::Ready(ending) => self.settle(ending),
                    Poll::Pending => drop(self.wait_in_turn(task)),
                }
                None
            }
        }
    }

    /// After a turn that came past the mailbox: whether there is nothing to do but wait, be it in the turn or for messages.
    #[inline]
    fn rests_again(&mut self, private: &RefCell<Private<Envelope<A>>>) -> bool {
        if self.may_go_on() {
            return self.cell.mailbox.park(private);
        }
        matches!(self.phase, Phase::Serving) && self.turn.is_active()
    }

    /// Hops 3 and 4 of a message's way, again and again.
    #[inline]
    fn serve(&mut self, left: &mut u32, task: &mut Task<'_>) -> Flow {
        if self.turn.is_active() || self.held.is_some() {
            match self.go_on(task) {
                Poll::Pending => return Flow::Wait,
                Poll::Ready(ending) => {
                    self.cell.core.in_hand.store(0, Ordering::Relaxed);
                    self.settle(ending);
                }
            }
        }
        while matches!(self.phase, Phase::Serving | Phase::Draining(_)) && !self.cell.mailbox.is_directed() {
            if *left == 0 {
                return Flow::Yield;
            }
            let mut lane = CONTROL;
            let mut next = self.next(&mut lane);
            let Some(envelope) = &mut next else {
                return self.idle();
            };
            *left -= 1;
            let polled = self.run_turn(lane, envelope, task);
            // It has been opened, or taken out, where it lies: nothing is left of it that could be dropped.
            std::mem::forget(next);
            match polled {
                Poll::Pending => return self.wait_in_turn(task),
                Poll::Ready(ending) => self.settle(ending),
            }
            if self.held.is_some() {
                return Flow::Again;
            }
        }
        self.after_serving()
    }

    /// The turn waits for something; its limit runs.
    fn wait_in_turn(&mut self, task: &mut Task<'_>) -> Flow {
        self.cell.core.in_hand.store(1, Ordering::Relaxed);
        if self.running.limit != 0 && self.poll_timer(self.running.limit, task) { Flow::Again } else { Flow::Wait }
    }

    #[inline(always)]
    fn next(&mut self, lane: &mut usize) -> Option<Envelope<A>> {
        if self.extras.has_retry() {
            return self.next_attempt(lane);
        }
        self.cell.mailbox.pop(self.private(), lane)
    }

    #[cold]
    fn next_attempt(&mut self, lane: &mut usize) -> Option<Envelope<A>> {
        self.cell.core.in_hand.store(0, Ordering::Relaxed);
        let (its_lane, envelope) = self.extras.take_retry()?;
        *lane = its_lane;
        Some(envelope)
    }

    #[inline(always)]
    fn private(&self) -> &RefCell<Private<Envelope<A>>> {
        match self.extras.away() {
            None => self.cell.mailbox.private().expect("a driver runs on its home thread"),
            Some(away) => away,
        }
    }

    fn idle(&mut self) -> Flow {
        if let Phase::Draining(reason) = &self.phase {
            let reason = StopReason::clone(reason);
            self.end(reason);
            return Flow::Again;
        }
        self.offer_permits();
        if self.cell.mailbox.park(self.private()) { Flow::Wait } else { Flow::Again }
    }

    /// Runs the turn of one message, as far as it comes without waiting.
    #[inline(always)]
    fn run_turn(&mut self, lane: usize, envelope: &mut Envelope<A>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        trace_hops(envelope, &self.cell);
        if envelope.expires != 0 {
            let known = std::mem::take(&mut self.known_now);
            let now = self.cell.core.system.clock.now_for_since(known, envelope.expires);
            if now >= envelope.expires {
                self.expire(lane, envelope);
                return Poll::Ready(Ending::Expired);
            }
            self.scope.checked.set(now);
        }
        self.take_lane(lane);
        self.unsampled += 1;
        if self.unsampled >= SAMPLE_EVERY || self.extras.health().is_some() {
            self.watch_turn(envelope);
            if self.cell.core.policy.interference.is_some() {
                return self.interfere(lane, envelope, task);
            }
        }
        envelope.open(&mut self.turn, task)
    }

    #[inline(always)]
    fn take_lane(&mut self, lane: usize) {
        // Notices of the framework do not lend their lane to what is asked in their turns.
        let inherited = if lane == CONTROL { Priority::Normal.lane() } else { lane };
        self.scope.lane.set(inherited as u8);
        self.lane = lane as u8;
    }

    /// A test interferes with the message.
    #[cold]
    fn interfere(&mut self, lane: usize, envelope: &mut Envelope<A>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        if lane == CONTROL || std::mem::take(&mut self.is_delayed) {
            return envelope.open(&mut self.turn, task);
        }
        let interference = self.cell.core.policy.interference.as_ref().map(|decide| decide());
        match interference.unwrap_or(Interference::None) {
            Interference::None => envelope.open(&mut self.turn, task),
            Interference::Panic => {
                let fault = Fault::new(FaultKind::Panic, FaultClass::Permanent, "a panic injected by a test");
                Poll::Ready(Ending::Failed(Box::new(Failure { fault, salvage: envelope.take().into_salvage() })))
            }
            Interference::Delay(delay) => {
                self.is_delayed = true;
                self.extras.keep_for_retry(lane, envelope.take());
                self.cell.core.in_hand.store(1, Ordering::Relaxed);
                self.phase =
                    Phase::Waiting { until: self.cell.core.system.clock.after(delay), then: ActorState::Running };
                Poll::Ready(Ending::Expired)
            }
            Interference::Lose => {
                let is_awaited = envelope.is_awaited();
                envelope.fail(AskFailure::Dropped);
                let remains = Remains { content: Some(envelope.content()), is_awaited, header: envelope.peek() };
                self.cell.core.bury(envelope.message(), Priority::of_lane(lane), DeadReason::Lost, remains);
                drop_quietly(envelope.take());
                Poll::Ready(Ending::Expired)
            }
        }
    }

    /// Goes on with a turn that waited.
    fn go_on(&mut self, task: &mut Task<'_>) -> Poll<Ending<A>> {
        let polled = match &mut self.held {
            None => self.turn.poll(task),
            Some(held) => match catch(|| held.commit.as_mut().poll(task)) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(committed)) => Poll::Ready(self.finish_held(committed)),
                Err(fault) => Poll::Ready(self.finish_held(Err(fault))),
            },
        };
        if polled.is_pending() && self.running.limit != 0 && self.poll_timer(self.running.limit, task) {
            return Poll::Ready(self.cut_short());
        }
        polled
    }

    /// The commit of a turn has ended, or will not: the turn ends with it.
    fn finish_held(&mut self, committed: Result<(), Fault>) -> Ending<A> {
        match self.held.take() {
            Some(held) => {
                let Held { commit, finish } = *held;
                drop_quietly(commit);
                finish(committed)
            }
            None => Ending::Done,
        }
    }

    /// The turn took too long at an await: it is dropped, and fails.
    fn cut_short(&mut self) -> Ending<A> {
        let text = match &self.phase {
            Phase::Halting { .. } => {
                "the turn did not end when a sibling's fault asked its actor to make room".to_owned()
            }
            _ => format!("the turn took longer than its limit of {:?}", self.running.limit()),
        };
        let fault = Fault::new(FaultKind::TurnTimeout, FaultClass::Retryable, text);
        if self.held.is_some() {
            return self.finish_held(Err(fault));
        }
        Ending::Failed(Box::new(Failure { fault, salvage: self.turn.abandon() }))
    }

    /// What a turn's ending means for its actor.
    #[inline(always)]
    fn settle(&mut self, ending: Ending<A>) {
        // A turn that waits for its commit is still running, and its limit goes on.
        if self.scope.has_loose_ends.get() {
            self.tie_loose_ends(matches!(ending, Ending::Held(_)));
        }
        if self.running.began != 0 && !matches!(ending, Ending::Held(_)) {
            self.unwatch_turn();
        }
        if self.is_fenced() {
            return self.leave_fenced(ending);
        }
        if let Ending::Done = ending {
            return self.done();
        }
        self.settle_rarer(ending);
    }

    /// What ends with a turn does; what its asker has left not before the commit has ended.
    #[cold]
    fn tie_loose_ends(&mut self, is_held: bool) {
        crate::wait_for::end_waits(&*self.cell);
        let goes_on = is_held && self.extras.has_left();
        self.scope.has_loose_ends.set(goes_on);
        if !goes_on {
            drop_quietly(self.extras.take_left());
        }
    }

    /// What any other ending than a good one means.
    fn settle_rarer(&mut self, ending: Ending<A>) {
        match ending {
            // Seen to in `settle`.
            Ending::Done | Ending::Fenced(_) => {}
            Ending::Abandoned => {
                Tally::add(&self.cell.core.tally.losses().abandoned, 1);
                self.not_begun();
            }
            Ending::Expired => self.not_begun(),
            Ending::Held(held) => {
                self.cell.core.in_hand.store(1, Ordering::Relaxed);
                self.held = Some(held);
            }
            Ending::Failed(failure) => self.fail(*failure),
            // Only a factory builds, and it is not served.
            Ending::Built(value) => self.turn.install(*value),
        }
    }

    #[inline(always)]
    fn done(&mut self) {
        if self.turn.context().has_afterwork()
            && let Err(fault) = self.see_to_afterwork()
        {
            return self.fail(Failure { fault, salvage: Salvage::nothing() });
        }
        if self.extras.health().is_some() {
            self.succeeded();
        }
    }

    fn see_to_afterwork(&mut self) -> Result<(), Fault> {
        self.turn.context().release_effects()?;
        if let Some(leaving) = self.turn.context().leaving.take() {
            self.leave(leaving);
        }
        Ok(())
    }

    /// The message was dropped before its turn began.
    fn not_begun(&mut self) {
        if let Some(health) = self.extras.health_mut() {
            health.release();
        }
        self.return_permit();
    }

    /// The driver itself failed.
    #[cold]
    fn collapse(&mut self, fault: Fault) -> Flow {
        let name = self.cell.core.name();
        tracing::error!(target: "callboard::supervisor", actor = %name, %fault, "the driver failed");
        let incident = Incident::new(name, self.generation(), None, fault);
        self.finalize(&StopReason::Faulted(incident));
        Flow::End
    }

    fn expire(&mut self, lane: usize, envelope: &mut Envelope<A>) {
        match envelope.asker() {
            Asker::Gone => Tally::add(&self.cell.core.tally.losses().abandoned, 1),
            Asker::None | Asker::Waiting => {
                let is_awaited = envelope.is_awaited();
                envelope.fail(AskFailure::Timeout(Stage::Queue));
                let remains = Remains { content: Some(envelope.content()), is_awaited, header: envelope.peek() };
                self.cell.core.bury(envelope.message(), Priority::of_lane(lane), DeadReason::Expired, remains);
            }
        }
        self.running.probe = envelope.header().as_ref().and_then(|header| header.probe);
        drop_quietly(envelope.take());
    }

    /// Times a turn, and sets the alarm of its limit.
    #[cold]
    fn watch_turn(&mut self, envelope: &mut Envelope<A>) {
        let core = &self.cell.core;
        self.unsampled = unwatched(core);
        self.running.began = core.system.clock.now();
        self.running.probe = envelope.header().as_mut().and_then(|header| header.probe.take());
        let Some(limit) = self.begin_watched(self.running.began) else { return };
        let core = &self.cell.core;
        self.running.limit = self.running.began.saturating_add(crate::clock::nanos(limit));
        let turn = core.turns.fetch_add(1, Ordering::SeqCst) + 1;
        self.turn.context().set_limited(turn);
        // A handler that waits is cut short by its own driver at the limit; whoever is still running a good while later
        // does not give its thread back.
        let grace = crate::clock::nanos(limit / 2).max(GRACE);
        let node: Arc<dyn Node> = Arc::clone(&self.cell) as _;
        let alarm = Alarm::Turn { node: Arc::downgrade(&node), turn };
        let alarm = core.system.alarms.set(self.running.limit.saturating_add(grace), alarm);
        self.extras.arm(alarm, turn);
    }

    fn unwatch_turn(&mut self) {
        let began = std::mem::take(&mut self.running.began);
        self.running.limit = 0;
        self.extras.forget_timer();
        if began != 0 {
            let system = &self.cell.core.system;
            let now = system.clock.now();
            let took = now.saturating_sub(began);
            system.turn_times.record(took);
            self.took(took, now);
        }
        let core = &self.cell.core;
        if let Some(Armed { alarm, turn }) = self.extras.disarm() {
            core.system.alarms.clear(alarm);
            // Whoever changes the word first decides: we end the turn, or the keeper fences it.
            let ended = core.turns.compare_exchange(turn, turn + 1, Ordering::SeqCst, Ordering::SeqCst);
            self.is_replaced |= ended.is_err();
            self.turn.context().set_limited(0);
        }
        drop_quietly(self.extras.take_left());
    }

    /// Waits for a moment on the arbiter's timer. True once it has come.
    fn poll_timer(&mut self, due: Nanos, task: &mut Task<'_>) -> bool {
        let clock = &self.cell.core.system.clock;
        let timer = self.extras.timer(due, || clock.sleep_until(due));
        timer.sleep.as_mut().poll(task).is_ready()
    }
}

/// Hops 3 to 5 of a message's way; costs one relaxed load when nobody listens.
#[inline]
fn trace_hops<A: Actor>(envelope: &Envelope<A>, cell: &ActorCell<A>) {
    if crate::actor_ref::is_traced() {
        for (hop, place) in [(3, "mailbox::pop"), (4, "driver::run_turn"), (5, "envelope::open")] {
            crate::actor_ref::print_hop(hop, place, envelope.message(), &cell.core.name());
        }
    }
}

/// How long after its limit a turn is suspected, at least.
const GRACE: Nanos = 50_000_000;

impl<A: Actor> Drop for Driver<A> {
    /// The arbiter goes before the actor has ended: what is left is accounted for all the same.
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Ended) {
            let _silence = silence();
            self.finalize(&StopReason::Shutdown);
        }
    }
}
