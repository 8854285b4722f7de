//! What an actor is to everyone but its driver: one shared cell with the gate, the mailbox and the books.
//!
//! References, recipients, the supervisor and the system's directory hold the cell; the driver owns the value. [`Node`]
//! is the cell without the actor's type.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64 as Counter, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use std::task::Wake;

use once_cell::race::OnceBox;
use serde::Serialize;

use crate::actor::{Actor, StopReason};
use crate::bound::Seat;
use crate::breaker::{BreakerMode, BreakerState, BreakerTotals};
use crate::child::Policy;
use crate::clock::Nanos;
use crate::context::Factory;
use crate::dead_letter::{DeadLetter, DeadReason};
use crate::driver::Seated;
use crate::envelope::{Envelope, Header};
use crate::fault::{Fault, Incident, drop_quietly};
use crate::gate::{ActorState, Gate};
use crate::lineage::Lineage;
use crate::mailbox::{LANES, Mailbox};
use crate::message::{MessageId, Priority};
use crate::monitor::Watcher;
use crate::run_queue::{Queued, RunQueue};
use crate::supervisor::{Report, Supervisor, SupervisorRef};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};
use crate::system::{System, SystemCore};
use crate::wait_for::Edge;

/// Identifies an actor in this process; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ActorId(u64);

impl ActorId {
    /// No actor of ours.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn fresh() -> Self {
        static NEXT: Counter = Counter::new(1);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Set in `Core::turns` when a turn that does not give its thread back has been fenced.
pub(crate) const FENCED: u64 = 1 << 63;

/// The cell of one actor. The order is that in memory: what the driver writes at each turn lies in one piece, from the private half of
/// the mailbox to the first fields of the core, and what senders on other threads look at lies on both sides of it, and not near.
#[repr(C)]
pub(crate) struct ActorCell<A: Actor> {
    pub(crate) core: Core,
    pub(crate) mailbox: Mailbox<Envelope<A>>,
    /// Where the driver sits, on its own thread.
    pub(crate) seat: Seat<Seated<A>>,
    pub(crate) factory: Factory<A>,
}

/// The part of a cell that does not depend on the actor's type. What is written at each turn comes first, what each sender
/// looks at comes last, and between the two lies what is neither.
#[derive(Debug)]
#[repr(C)]
pub struct Core {
    pub(crate) tally: Tally,
    /// The deadline of the ask whose turn is running, as its identity; 0 when none is. See `Stage`.
    pub(crate) running: AtomicU64,
    /// Counts the ends and beginnings of turns that have a limit: odd while one is running, and marked with [`FENCED`]
    /// once the supervisor has taken a running one away from its driver.
    pub(crate) turns: AtomicU64,
    pub(crate) queued: Queued,
    /// Messages in the driver's hands between two attempts, or in a turn.
    pub(crate) in_hand: AtomicU32,
    /// Counts values: the driver whose generation is not this one any more has been replaced.
    generation: AtomicU32,
    /// The how many-th actor of its system it is: unlike the id the same in every run.
    nth: u32,
    pub(crate) arbiter: AtomicU32,
    pub(crate) id: ActorId,
    /// Boxed twice, as most actors have none.
    name: Option<Box<Box<str>>>,
    kind: fn() -> &'static str,
    pub(crate) supervisor: Option<SupervisorRef>,
    rare: OnceBox<Rarities>,
    /// The run queue of the driver in the seat.
    pub(crate) home: OnceLock<Arc<RunQueue>>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) system: Arc<SystemCore>,
    pub(crate) gate: Gate,
}

/// What happened to the messages of one actor.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) handled: AtomicU64,
    losses: OnceBox<Losses>,
}

/// Messages that were not handled. Most actors never have any.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    pub(crate) refused: AtomicU64,
    /// Of the refused ones, those that met an open breaker.
    pub(crate) rejected: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) dead: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    /// Answers that came after their asker had gone. Their messages were handled.
    pub(crate) late_replies: AtomicU64,
    /// Messages that became dead letters without having entered a lane.
    pub(crate) never_entered: AtomicU64,
}

impl Tally {
    /// The counters of losses, to count one more.
    pub(crate) fn losses(&self) -> &Losses {
        self.losses.get_or_init(Box::default)
    }

    /// Reads the counters of losses, which are all 0 when there are none yet.
    pub(crate) fn with_losses<R>(&self, read: impl FnOnce(&Losses) -> R) -> R {
        match self.losses.get() {
            Some(losses) => read(losses),
            None => read(&Losses::default()),
        }
    }

    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    /// Only the driver counts these, so a plain load and store will do.
    #[inline]
    pub(crate) fn count_handled(&self) {
        self.handled.store(self.handled.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// What most actors never need, behind a lock and not.
#[derive(Debug, Default)]
struct Rarities {
    rare: Mutex<Rare>,
    extension: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// What most actors never need.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    pub(crate) directives: Vec<Directive>,
    pub(crate) watchers: Vec<Watcher>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) faults: FaultBook,
    pub(crate) ended: Option<StopReason>,
    /// The supervisor waits for it to start.
    pub(crate) is_awaited: bool,
}

/// What inspection shows of an actor's faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultBook {
    pub(crate) faults: u64,
    pub(crate) restarts: u64,
    pub(crate) last: Option<Incident>,
    pub(crate) breaker: Option<(BreakerState, BreakerTotals)>,
    /// Generations that did not give their thread back.
    pub(crate) stuck: Vec<u64>,
    /// Tells a fenced generation's asker that its turn will not answer.
    pub(crate) fenced_ask: u64,
}

/// What the driver is told past the lanes; it notices even while a handler waits.
#[derive(Debug)]
pub(crate) enum Directive {
    /// Refuse what is new, finish the queue, then end.
    Drain(StopReason),
    /// Finish the running turn, then end.
    Stop(StopReason),
    /// Drop the running turn and end.
    Kill(StopReason),
    /// A timer, an interval or a spawned future of this generation failed.
    Fault { generation: u64, fault: Fault },
    /// Take the value out of service and report; the queue stays. `refuse` closes the gate meanwhile.
    Halt { refuse: bool },
    /// Build a value again, after the delay.
    Resume { after: std::time::Duration },
    /// Give up until the breaker's reset time is over.
    Fail,
    /// Close the breaker and forget what led to it.
    ResetBreaker,
    /// Put the breaker into the hands of the rules or of a person.
    Breaker(BreakerMode),
    /// The asker with this deadline has gone: keep what it has left behind until its turn has ended, if that runs.
    Keep { asked: Nanos, left: Box<dyn Any + Send> },
}

impl Core {
    pub(crate) fn new<A: Actor>(
        name: Option<Box<str>>,
        policy: Arc<Policy>,
        system: Arc<SystemCore>,
        supervisor: Option<SupervisorRef>,
    ) -> Self {
        Self {
            id: ActorId::fresh(),
            name: name.map(Box::new),
            kind: std::any::type_name::<A>,
            nth: system.started.fetch_add(1, Ordering::Relaxed),
            gate: Gate::new(policy.admission.is_some()),
            generation: AtomicU32::new(0),
            in_hand: AtomicU32::new(0),
            running: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            arbiter: AtomicU32::new(0),
            home: OnceLock::new(),
            queued: Queued::default(),
            tally: Tally::default(),
            policy,
            system,
            supervisor,
            rare: OnceBox::new(),
        }
    }

    /// Where its random draws begin.
    pub(crate) fn seed(&self) -> u64 {
        u64::from(self.nth) ^ self.system.seed
    }

    /// The name it was given, or its type and number.
    pub(crate) fn name(&self) -> String {
        match &self.name {
            Some(name) => str::to_owned(name),
            None => format!("{}{}", short_type_name(self.kind()), self.id),
        }
    }

    pub(crate) fn given_name(&self) -> Option<&str> {
        self.name.as_deref().map(AsRef::as_ref)
    }

    pub(crate) fn kind(&self) -> &'static str {
        (self.kind)()
    }

    /// Whether it is one of the framework's own supervisors.
    pub(crate) fn is_supervisor(&self) -> bool {
        self.kind() == std::any::type_name::<Supervisor>()
    }

    /// Which value is in service; 0 before the first one.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        u64::from(self.generation.load(Ordering::Acquire))
    }

    /// A new value takes over from the one of generation `from`; `None` when somebody else has done so.
    pub(crate) fn next_generation(&self, from: u64) -> Option<u32> {
        let from = u32::try_from(from).ok()?;
        let taken = self.generation.compare_exchange(from, from + 1, Ordering::AcqRel, Ordering::Acquire);
        taken.ok().map(|_| from + 1)
    }

    /// Works on what most actors never need.
    pub(crate) fn with_rare<R>(&self, work: impl FnOnce(&mut Rare) -> R) -> R {
        work(&mut self.rare.get_or_init(Box::default).rare.lock())
    }

    /// Reads what most actors never need, if it is there.
    pub(crate) fn read_rare<R>(&self, read: impl FnOnce(&Rare) -> R) -> Option<R> {
        self.rare.get().map(|rarities| read(&rarities.rare.lock()))
    }

    /// What a layer above keeps with the actor, if it is of this type.
    #[inline]
    pub(crate) fn extension<T: Any>(&self) -> Option<&T> {
        self.rare.get()?.extension.get()?.downcast_ref()
    }

    /// Keeps something with the actor; false when there is something already.
    pub(crate) fn extend(&self, extension: Box<dyn Any + Send + Sync>) -> bool {
        self.rare.get_or_init(Box::default).extension.set(extension).is_ok()
    }

    pub(crate) fn faults(&self) -> FaultBook {
        self.read_rare(|rare| rare.faults.clone()).unwrap_or_default()
    }

    /// A message reached nobody.
    pub(crate) fn bury(
        &self,
        message: &'static str,
        priority: Priority,
        reason: DeadReason,
        Remains { content, is_awaited, header }: Remains<'_>,
    ) {
        match reason {
            DeadReason::Expired => Tally::add(&self.tally.losses().expired, 1),
            DeadReason::Shed => Tally::add(&self.tally.losses().shed, 1),
            // It was counted as handed back, but there is nobody to take it.
            DeadReason::Refused => {
                self.tally.losses().refused.fetch_sub(1, Ordering::Relaxed);
                Tally::add(&self.tally.losses().never_entered, 1);
                Tally::add(&self.tally.losses().dead, 1);
            }
            DeadReason::Stopped | DeadReason::Killed | DeadReason::Fenced | DeadReason::Lost => {
                Tally::add(&self.tally.losses().dead, 1)
            }
            // What has never been in a mailbox is in no book of an actor.
            DeadReason::Overflow | DeadReason::Failed => {}
        }
        let at = self.system.clock.wall();
        let (id, actor, actor_id) = (MessageId::at(at), self.name(), self.id);
        let lineage = Lineage::of(header, id);
        let letter = DeadLetter { id, at, actor, actor_id, message, priority, reason, is_awaited, lineage };
        self.system.observers.tell(|observer| observer.buried(&System::of(&self.system), &letter, content));
        self.system.dead_letters.add(letter);
    }

    /// From now on the supervisor waits for it to start, or does not.
    pub(crate) fn await_start(&self, is_awaited: bool) {
        self.with_rare(|rare| rare.is_awaited = is_awaited);
    }

    /// It has started, or failed to: a supervisor that waits for it need not any more.
    pub(crate) fn tell_started(&self) {
        let is_awaited = self.rare.get().is_some_and(|rarities| std::mem::take(&mut rarities.rare.lock().is_awaited));
        if is_awaited {
            self.report(Report::started(self.id));
        }
    }

    /// Tells the supervisor, past its lanes' bounds.
    pub(crate) fn report(&self, report: Report) {
        if let Some(supervisor) = &self.supervisor {
            // A supervisor that has ended has nothing left to decide.
            let _ = supervisor.report(report);
        }
    }
}

/// What is left of a message that reached nobody.
#[derive(Clone, Copy)]
pub(crate) struct Remains<'m> {
    /// What observers are shown of it.
    pub(crate) content: Option<&'m dyn Any>,
    /// Somebody waited for the end of its turn.
    pub(crate) is_awaited: bool,
    /// What it carried.
    pub(crate) header: Option<&'m Header>,
}

impl Remains<'_> {
    pub(crate) const NONE: Self = Self { content: None, is_awaited: false, header: None };
}

/// The cell of some actor.
pub trait Node: Send + Sync {
    #[doc(hidden)]
    fn core(&self) -> &Core;
    /// Tells the driver to look at its directives.
    fn poke(&self);
    /// It has left the queue of its own thread: polls the driver in the seat, for at most so many turns, and answers how many
    /// it took.
    fn drive(&self, turns: u32) -> u32;
    /// Ends the driver that sits on this thread: its arbiter is going.
    fn evict(&self);
    /// The turn with this number has run out of time. If it is still running it is fenced, and a driver of a new
    /// generation takes over on another arbiter. The keeper does this itself: the supervisor may live on the very thread
    /// that does not come back; the new driver's fault then takes the supervised path.
    fn suspect(self: Arc<Self>, turn: u64);
    /// Messages per lane: ever enqueued, and queued now.
    fn lanes(&self) -> [(u64, u64); LANES];
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl fmt::Debug for dyn Node + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.core().name())
    }
}

impl dyn Node + '_ {
    /// Hands a directive to the driver.
    pub(crate) fn direct(&self, directive: Directive) {
        let refused = self.core().with_rare(|rare| match rare.ended {
            Some(_) => Some(directive),
            None => {
                rare.directives.push(directive);
                None
            }
        });
        // What is in it is dropped outside of the lock.
        match refused {
            Some(directive) => drop_quietly(directive),
            None => self.poke(),
        }
    }

    pub(crate) fn state(&self) -> ActorState {
        self.core().gate.state()
    }
}

impl<A: Actor> ActorCell<A> {
    /// Ends an actor that was spawned after its supervisor had ended: every message to it is handed back.
    pub(crate) fn never_start(&self) {
        self.core.gate.set_state(ActorState::Stopped, 0);
        self.core.system.directory.remove(self);
        crate::monitor::announce_end(self, &StopReason::Shutdown);
    }
}

impl<A: Actor> Node for ActorCell<A> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn poke(&self) {
        self.mailbox.direct();
    }

    fn drive(&self, turns: u32) -> u32 {
        crate::driver::drive(self, turns)
    }

    fn evict(&self) {
        drop(self.seat.take());
    }

    fn suspect(self: Arc<Self>, turn: u64) {
        // Whoever changes the word first decides: the driver ends the turn, or it is fenced here.
        let fenced = self.core.turns.compare_exchange(turn, turn | FENCED, Ordering::SeqCst, Ordering::SeqCst);
        if fenced.is_ok() {
            crate::host::replace(self);
        }
    }

    fn lanes(&self) -> [(u64, u64); LANES] {
        std::array::from_fn(|lane| (self.mailbox.sent(lane), self.mailbox.queued(lane)))
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<A: Actor> ActorCell<A> {
    /// A sender on the home thread has found the driver parked: it goes into the run queue.
    #[inline(always)]
    pub(crate) fn rouse(&self) {
        match self.core.home.get() {
            Some(home) if home.push_here(&self.core.queued, || self.seat.look(Seated::scope)) => {}
            _ => self.mailbox.wake_driver(),
        }
    }
}

/// The waker of the driver in the seat.
impl<A: Actor> Wake for ActorCell<A> {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(home) = self.core.home.get() {
            home.push(&self.core.queued, || Arc::clone(self) as _);
        }
    }
}

/// `my_app::billing::Invoice<my_app::Eur>` without the paths.
pub(crate) fn short_type_name(full: &str) -> String {
    let mut short = String::with_capacity(full.len());
    let mut start = 0;
    for (at, sign) in full.char_indices() {
        if !(sign.is_alphanumeric() || sign == '_' || sign == ':') {
            short.push_str(last_segment(&full[start..at]));
            short.push(sign);
            start = at + sign.len_utf8();
        }
    }
    short.push_str(last_segment(&full[start..]));
    short
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::Core;

    /// Memory comes at multiples of 16, so 48 bytes always have a border between two cache lines in them.
    #[test]
    fn what_senders_look_at_is_in_no_cache_line_that_the_driver_writes() {
        let written_until = offset_of!(Core, generation);
        assert!(offset_of!(Core, gate) - written_until.next_multiple_of(16) >= 48);
    }

    #[test]
    fn type_names_lose_their_paths() {
        assert_eq!(super::short_type_name("my_app::billing::Invoice<my_app::Eur, u8>"), "Invoice<Eur, u8>");
        assert_eq!(super::short_type_name("Plain"), "Plain");
    }
}
