//! What a sender learns from one atomic load: the state of an actor, and whether its breaker lets a message through.
//!
//! The state table of an actor and the shell of its breaker are the same word, so that they cannot disagree:
//!
//! ```text
//!  bit 0..3   the state            below `BackingOff` everything passes
//!  bit 3      held open by hand
//!  bit 4      an admission hook has to be asked
//!  bit 16..32 probe permits left   meaningful while Probing
//!  bit 32..64 epoch                counts entries into Probing, so that a late permit is not given back to a later one
//! ```

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::breaker::SOONEST;
use crate::clock::Nanos;
use crate::sync::{AtomicU64, Ordering};

/// Where an actor is in its life. See the state diagram in the documentation of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ActorState {
    /// It is being built; messages queue up.
    Starting = 0,
    /// It serves messages.
    Running = 1,
    /// Its value failed and a new one is being built; messages queue up.
    Restarting = 2,
    /// It failed again and waits before it is rebuilt; new messages are refused, queued ones are kept.
    BackingOff = 3,
    /// It failed too often; new messages are refused until the reset time is over, queued ones are kept.
    Failed = 4,
    /// It was rebuilt and one message will show whether it works again; the others are refused or wait.
    Probing = 5,
    /// It is ending; new messages are refused.
    Stopping = 6,
    /// It has ended.
    Stopped = 7,
}

impl ActorState {
    /// The word used in logs and snapshots.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::BackingOff => "backing_off",
            Self::Failed => "failed",
            Self::Probing => "probing",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    const ALL: [Self; 8] = [
        Self::Starting,
        Self::Running,
        Self::Restarting,
        Self::BackingOff,
        Self::Failed,
        Self::Probing,
        Self::Stopping,
        Self::Stopped,
    ];
}

impl fmt::Display for ActorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const STATE: u64 = 0b111;
const FORCED_OPEN: u64 = 1 << 3;
const GUARDED: u64 = 1 << 4;
const LOW: u64 = STATE | FORCED_OPEN | GUARDED;
const PERMIT: u64 = 1 << 16;
const PERMITS: u64 = 0xffff * PERMIT;
const EPOCH: u64 = 1 << 32;

/// The word, and when a closed gate opens again.
#[derive(Debug)]
pub(crate) struct Gate {
    word: AtomicU64,
    reopens: AtomicU64,
}

/// What the gate says to a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It may pass.
    Open,
    /// It may pass as a probe; the permit goes back with [`Gate::give_back`] if it does not arrive.
    Probe { epoch: u32 },
    /// The breaker is open.
    Refused(Duration),
    /// The actor is ending.
    ShuttingDown,
    /// The actor has ended.
    Stopped,
}

impl Gate {
    pub(crate) fn new(guarded: bool) -> Self {
        Self { word: AtomicU64::new(if guarded { GUARDED } else { 0 }), reopens: AtomicU64::new(0) }
    }

    /// Whether a message passes without further question: the one load of the fast path.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.word.load(Ordering::Relaxed) & LOW < ActorState::BackingOff as u64
    }

    pub(crate) fn state(&self) -> ActorState {
        ActorState::ALL[(self.word.load(Ordering::Acquire) & STATE) as usize]
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.word.load(Ordering::Relaxed) & GUARDED != 0
    }

    pub(crate) fn is_forced_open(&self) -> bool {
        self.word.load(Ordering::Relaxed) & FORCED_OPEN != 0
    }

    /// Decides about one message, and takes a permit for it while probing.
    pub(crate) fn enter(&self, now: Nanos) -> Entry {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if word & FORCED_OPEN != 0 && word & STATE < ActorState::Stopping as u64 {
                return Entry::Refused(Duration::MAX);
            }
            match ActorState::ALL[(word & STATE) as usize] {
                ActorState::Starting | ActorState::Running | ActorState::Restarting => return Entry::Open,
                ActorState::BackingOff | ActorState::Failed => return Entry::Refused(self.retry_after(now)),
                ActorState::Stopping => return Entry::ShuttingDown,
                ActorState::Stopped => return Entry::Stopped,
                ActorState::Probing if word & PERMITS == 0 => return Entry::Refused(SOONEST),
                ActorState::Probing => {}
            }
            match self.word.compare_exchange(word, word - PERMIT, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Entry::Probe { epoch: (word / EPOCH) as u32 },
                Err(changed) => word = changed,
            }
        }
    }

    /// How long a message that came now would be told to wait, or nothing where it would not be refused. Takes no permit,
    /// and reads the clock only where the answer needs it.
    pub(crate) fn refusal(&self, now: impl FnOnce() -> Nanos) -> Option<Duration> {
        let word = self.word.load(Ordering::Acquire);
        match ActorState::ALL[(word & STATE) as usize] {
            ActorState::Stopping | ActorState::Stopped => None,
            _ if word & FORCED_OPEN != 0 => Some(Duration::MAX),
            ActorState::BackingOff | ActorState::Failed => Some(self.retry_after(now())),
            ActorState::Probing if word & PERMITS == 0 => Some(SOONEST),
            ActorState::Starting | ActorState::Running | ActorState::Restarting | ActorState::Probing => None,
        }
    }

    /// A probe did not arrive, or was dropped before it ran: its permit is free again, unless that round is over.
    pub(crate) fn give_back(&self, epoch: u32) {
        self.change(|word| {
            let same_round = word & STATE == ActorState::Probing as u64 && word / EPOCH == u64::from(epoch);
            if same_round && word & PERMITS != PERMITS { word + PERMIT } else { word }
        });
    }

    /// Moves to another state; `reopens` is when a refused sender should try again.
    pub(crate) fn set_state(&self, state: ActorState, reopens: Nanos) {
        self.reopens.store(reopens, Ordering::Release);
        self.change(|word| (word & !(STATE | PERMITS)) | state as u64);
    }

    /// Starts a round of probing with so many permits.
    pub(crate) fn probe(&self, permits: u32) -> u32 {
        let permits = u64::from(permits.min(0xffff)) * PERMIT;
        let word = self.change(|word| {
            let epoch = (word / EPOCH + 1) & u64::from(u32::MAX);
            (word & LOW & !STATE) | ActorState::Probing as u64 | permits | (epoch * EPOCH)
        });
        (word / EPOCH) as u32
    }

    pub(crate) fn force_open(&self, held: bool) {
        self.change(|word| if held { word | FORCED_OPEN } else { word & !FORCED_OPEN });
    }

    fn retry_after(&self, now: Nanos) -> Duration {
        Duration::from_nanos(self.reopens.load(Ordering::Acquire).saturating_sub(now)).max(SOONEST)
    }

    /// Changes the word and answers with the new one.
    fn change(&self, change: impl Fn(u64) -> u64) -> u64 {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let new = change(word);
            match self.word.compare_exchange(word, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return new,
                Err(changed) => word = changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_decides_who_passes() {
        let gate = Gate::new(false);
        for (state, passes) in
            [(ActorState::Starting, true), (ActorState::Running, true), (ActorState::Restarting, true)]
        {
            gate.set_state(state, 0);
            assert_eq!((gate.is_open(), gate.enter(1), gate.state()), (passes, Entry::Open, state));
        }
        gate.set_state(ActorState::BackingOff, 5_000_000);
        assert_eq!((gate.is_open(), gate.enter(2_000_000)), (false, Entry::Refused(Duration::from_millis(3))));
        assert_eq!(gate.refusal(|| 2_000_000), Some(Duration::from_millis(3)));
        gate.set_state(ActorState::Stopping, 0);
        assert_eq!(gate.enter(1), Entry::ShuttingDown);
        gate.set_state(ActorState::Stopped, 0);
        assert_eq!(gate.enter(1), Entry::Stopped);
    }

    #[test]
    fn permits_are_taken_given_back_and_belong_to_their_round() {
        let gate = Gate::new(false);
        let first = gate.probe(1);
        assert_eq!(gate.enter(1), Entry::Probe { epoch: first });
        assert_eq!(gate.enter(1), Entry::Refused(SOONEST));
        gate.give_back(first);
        assert_eq!(gate.enter(1), Entry::Probe { epoch: first });
        let second = gate.probe(1);
        gate.give_back(first);
        assert_eq!(gate.enter(1), Entry::Probe { epoch: second });
        assert_eq!(gate.enter(1), Entry::Refused(SOONEST), "the late permit of the first round is not added");
    }

    #[test]
    fn held_open_by_hand_it_refuses_a_running_actor() {
        let gate = Gate::new(true);
        gate.set_state(ActorState::Running, 0);
        assert!(!gate.is_open() && gate.is_guarded(), "the hook has to be asked");
        assert_eq!(gate.enter(1), Entry::Open);
        gate.force_open(true);
        assert_eq!(gate.enter(1), Entry::Refused(Duration::MAX));
        gate.force_open(false);
        assert_eq!(gate.enter(1), Entry::Open);
    }

    #[test]
    fn a_refusal_at_the_very_end_of_its_time_names_a_time_all_the_same() {
        let gate = Gate::new(false);
        for state in [ActorState::BackingOff, ActorState::Failed] {
            gate.set_state(state, 5_000_000);
            for now in [4_999_999, 5_000_000, 6_000_000] {
                assert_eq!(gate.enter(now), Entry::Refused(SOONEST), "{state} at {now}");
            }
        }
    }
}
