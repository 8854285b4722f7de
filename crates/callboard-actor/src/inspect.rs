//! What a system looks like at a moment: a [`Snapshot`] that can be serialised.
//!
//! Reading takes nothing from the actors but a few cache lines: no message is sent and no driver is stopped. The numbers of
//! a running actor belong to slightly different moments.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::Serialize;

use crate::breaker::{BreakerState, BreakerTotals};
use crate::cell::{ActorId, Node};
use crate::fault::Incident;
use crate::gate::ActorState;
use crate::mailbox::LANES;
use crate::message::Priority;
use crate::system::SystemCore;

/// All of a system.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Version of this shape.
    pub version: u32,
    /// Since the system started.
    pub elapsed: Duration,
    /// In start order.
    pub actors: Vec<ActorSnapshot>,
    /// Sums since the start, over the actors that are there and those that have ended.
    pub totals: Totals,
    /// Durations of the turns that were timed.
    pub turns: TurnSnapshot,
    /// Messages that reached nobody, since the start.
    pub dead_letters: u64,
    /// Messages whose turns failed, since the start.
    pub quarantined: u64,
}

/// One actor.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ActorSnapshot {
    /// Its number.
    pub id: ActorId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// Where it is in its life.
    pub state: ActorState,
    /// Which value is in service.
    pub generation: u64,
    /// Its arbiter; `None` when it has a thread of its own.
    pub arbiter: Option<u32>,
    /// Its lanes, most urgent first; lanes that were never used are left out.
    pub lanes: Vec<LaneSnapshot>,
    /// What happened to its messages.
    pub messages: MessageCounts,
    /// Faults, panics and failed starts included.
    pub faults: u64,
    /// Times a new value was made, because of one or because the one before had finished.
    pub restarts: u64,
    /// Its breaker.
    pub breaker: BreakerSnapshot,
    /// What went wrong last.
    pub last_fault: Option<Incident>,
    /// Generations that did not give their thread back.
    pub stuck_generations: Vec<u64>,
}

/// One lane.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LaneSnapshot {
    /// Which.
    pub priority: Priority,
    /// Messages ever enqueued.
    pub sent: u64,
    /// Messages in it now.
    pub queued: u64,
}

/// What happened to the messages of an actor. Each message is in exactly one of the counts but `sent`, which is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MessageCounts {
    /// All that were sent to it.
    pub sent: u64,
    /// Their turns ended well.
    pub handled: u64,
    /// Handed back to the sender.
    pub refused: u64,
    /// Their time was over before their turn.
    pub expired: u64,
    /// Their asker had gone before their turn.
    pub abandoned: u64,
    /// Shed for want of room.
    pub shed: u64,
    /// Became dead letters for another reason.
    pub dead: u64,
    /// Their turns failed.
    pub quarantined: u64,
    /// In the mailbox now.
    pub queued: u64,
    /// In a turn that waits, or between two attempts.
    pub running: u64,
    /// Answers that came after the asker had gone; no count of messages.
    pub late_replies: u64,
}

/// A breaker.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// What it lets through.
    pub state: BreakerState,
    /// What it has seen.
    pub totals: BreakerTotals,
}

/// Sums over actors, each as it is now or was when it ended.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// What happened to their messages; what supervisors are told by the framework is left out.
    pub messages: MessageCounts,
    /// Their faults.
    pub faults: u64,
    /// Their restarts.
    pub restarts: u64,
    /// How often their breakers opened.
    pub breaker_trips: u64,
}

/// Durations of turns.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct TurnSnapshot {
    /// How many were timed.
    pub timed: u64,
    /// The median.
    pub p50: Duration,
    /// 99 of 100 were not longer.
    pub p99: Duration,
}

/// The version of [`Snapshot`]'s shape.
const VERSION: u32 = 1;

pub(crate) fn inspect(core: &SystemCore) -> Snapshot {
    let (nodes, mut totals) = core.directory.all_and_ended();
    nodes.iter().for_each(|node| totals.plus(&totals_of(&**node)));
    let actors = nodes.iter().map(|node| actor(&**node)).collect();
    let (timed, p50, p99) = core.turn_times.summary();
    Snapshot {
        version: VERSION,
        elapsed: core.clock.elapsed(),
        totals,
        actors,
        turns: TurnSnapshot { timed, p50, p99 },
        dead_letters: core.dead_letters.total(),
        quarantined: core.quarantine.total(),
    }
}

impl Snapshot {
    /// The actor with this name.
    #[must_use]
    pub fn actor(&self, name: &str) -> Option<&ActorSnapshot> {
        self.actors.iter().find(|actor| actor.name == name)
    }
}

impl Totals {
    pub(crate) fn plus(&mut self, other: &Self) {
        self.messages.plus(&other.messages);
        self.faults += other.faults;
        self.restarts += other.restarts;
        self.breaker_trips += other.breaker_trips;
    }
}

impl MessageCounts {
    /// Whether each message is accounted for exactly once. True whenever the actor is at rest.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let ended =
            self.handled + self.refused + self.expired + self.abandoned + self.shed + self.dead + self.quarantined;
        self.sent == ended + self.queued + self.running
    }

    fn plus(&mut self, other: &Self) {
        self.sent += other.sent;
        self.handled += other.handled;
        self.refused += other.refused;
        self.expired += other.expired;
        self.abandoned += other.abandoned;
        self.shed += other.shed;
        self.dead += other.dead;
        self.quarantined += other.quarantined;
        self.queued += other.queued;
        self.running += other.running;
        self.late_replies += other.late_replies;
    }
}

pub(crate) fn actor(node: &dyn Node) -> ActorSnapshot {
    let core = node.core();
    let faults = core.faults();
    let arbiter = core.arbiter.load(Relaxed);
    let lanes = node.lanes();
    ActorSnapshot {
        id: core.id,
        name: core.name(),
        kind: core.kind(),
        state: core.gate.state(),
        generation: core.generation(),
        arbiter: (arbiter != crate::host::DEDICATED).then_some(arbiter),
        messages: messages(node, &lanes),
        lanes: used_lanes(&lanes),
        faults: faults.faults,
        restarts: faults.restarts,
        breaker: breaker(node, faults.breaker),
        last_fault: faults.last,
        stuck_generations: faults.stuck,
    }
}

fn used_lanes(lanes: &[(u64, u64); LANES]) -> Vec<LaneSnapshot> {
    let used = Priority::ALL.into_iter().map(|priority| (priority, lanes[priority.lane()]));
    used.filter(|(_, (sent, _))| *sent > 0)
        .map(|(priority, (sent, queued))| LaneSnapshot { priority, sent, queued })
        .collect()
}

fn messages(node: &dyn Node, lanes: &[(u64, u64); LANES]) -> MessageCounts {
    let tally = &node.core().tally;
    let entered: u64 = lanes.iter().map(|(sent, _)| sent).sum();
    tally.with_losses(|losses| {
        let refused = losses.refused.load(Relaxed);
        MessageCounts {
            sent: entered + refused + losses.never_entered.load(Relaxed),
            handled: tally.handled.load(Relaxed),
            refused,
            expired: losses.expired.load(Relaxed),
            abandoned: losses.abandoned.load(Relaxed),
            shed: losses.shed.load(Relaxed),
            dead: losses.dead.load(Relaxed),
            quarantined: losses.quarantined.load(Relaxed),
            queued: lanes.iter().map(|(_, queued)| queued).sum(),
            running: u64::from(node.core().in_hand.load(Relaxed)),
            late_replies: losses.late_replies.load(Relaxed),
        }
    })
}

/// Before the first fault an actor has no breaker of its own yet; a gate held open by hand shows all the same.
fn breaker(node: &dyn Node, known: Option<(BreakerState, BreakerTotals)>) -> BreakerSnapshot {
    let (state, mut totals) = known.unwrap_or((BreakerState::Closed, BreakerTotals::default()));
    // The gate turns senders away without asking the breaker.
    totals.rejected = node.core().tally.with_losses(|losses| losses.rejected.load(Relaxed));
    let state = match node.state() {
        _ if node.core().gate.is_forced_open() => BreakerState::ForcedOpen,
        ActorState::BackingOff | ActorState::Failed => BreakerState::Open,
        ActorState::Probing => BreakerState::HalfOpen,
        _ => state,
    };
    BreakerSnapshot { state, totals }
}

/// What an actor has contributed to the totals. What the framework says to itself, in the mailboxes of its supervisors, is
/// no message of the program's.
pub(crate) fn totals_of(node: &dyn Node) -> Totals {
    let core = node.core();
    let messages = if core.is_supervisor() { MessageCounts::default() } else { messages(node, &node.lanes()) };
    let mut totals = Totals { messages, ..Totals::default() };
    core.read_rare(|rare| {
        totals.faults = rare.faults.faults;
        totals.restarts = rare.faults.restarts;
        totals.breaker_trips = rare.faults.breaker.map_or(0, |(_, seen)| seen.trips);
    });
    totals
}
