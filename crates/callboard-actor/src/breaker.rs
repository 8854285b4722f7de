//! The circuit breaker: a pure state machine that is told what happened and when.
//!
//! ```text
//!            a trip rule is met                 reset time over
//!   Closed ───────────────────────► Open ─────────────────────────► HalfOpen
//!     ▲                              ▲                                │   │
//!     │                              └────── a probe fails ───────────┘   │
//!     └───────────────────── enough probes succeed ───────────────────────┘
//! ```
//!
//! By hand it can be held in `ForcedOpen`, `Disabled` (lets everything through, counts nothing) and `MetricsOnly`
//! (lets everything through, counts). Time is an argument, measured from any fixed moment of a monotonic clock, and so
//! is the random roll of the jitter. The semantics follow Pekko's breaker and Polly; the epoch in a [`Permit`] keeps
//! the late outcome of a call that began in an earlier state from counting in this one.

mod rules;
mod window;

use std::time::Duration;

use serde::Serialize;

pub use self::rules::{BreakerRules, Trip, Window};
use self::window::Samples;

/// What the breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing until the reset time is over.
    Open,
    /// A few probes.
    HalfOpen,
    /// Nothing, until somebody says otherwise.
    ForcedOpen,
    /// Everything, and nothing is counted.
    Disabled,
    /// Everything; outcomes are counted, but no rule opens it.
    MetricsOnly,
}

impl BreakerState {
    /// The word that stands for it in logs, in serialised snapshots and in the names of events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }
}

/// The shortest time that a refusal names: whoever heeds it does not ask again and again in the same moment.
pub(crate) const SOONEST: Duration = Duration::from_millis(1);

/// Whether rules decide, or a person did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BreakerMode {
    /// The rules decide.
    #[default]
    Automatic,
    /// Held open.
    ForcedOpen,
    /// Held closed, nothing is counted.
    Disabled,
    /// Held closed, outcomes are counted.
    MetricsOnly,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Success,
    /// It failed in a way that the breaker counts.
    Failure,
}

/// Leave for one call. Report it with [`Breaker::record`], or give it back unused with [`Breaker::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a permit that is neither recorded nor released blocks a probe until the probe limit is over"]
pub struct Permit {
    epoch: u64,
    probe: bool,
    begun: Duration,
}

/// A change of state that a call caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// It opened and stays so for the given time.
    Opened(Duration),
    /// It lets probes through.
    HalfOpened,
    /// It closed.
    Closed,
}

/// What a breaker has seen since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BreakerTotals {
    /// Calls that ended well.
    pub successes: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that took longer than the slow rule allows.
    pub slow: u64,
    /// Times it opened.
    pub trips: u64,
    /// Calls it did not let through.
    pub rejected: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { successes: u32 },
}

/// The state machine. See the head of this module.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: BreakerRules,
    mode: BreakerMode,
    phase: Phase,
    /// Counts changes of phase, so that an outcome can be told to belong to an earlier one.
    epoch: u64,
    /// How often it has opened since it was last closed; the reset time grows with it.
    openings: u32,
    consecutive: u32,
    /// What each rule that looks at a window has seen in its own.
    samples: Vec<Samples>,
    /// When the probes that are out were let through, oldest first.
    probes: Vec<Duration>,
    totals: BreakerTotals,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(rules: BreakerRules) -> Self {
        let samples = rules.trips.iter().filter_map(Samples::of).collect();
        Self {
            rules,
            mode: BreakerMode::Automatic,
            phase: Phase::Closed,
            epoch: 0,
            openings: 0,
            consecutive: 0,
            samples,
            probes: Vec::new(),
            totals: BreakerTotals::default(),
        }
    }

    /// The state as a caller would meet it, were it to call now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match (self.mode, self.phase) {
            (BreakerMode::ForcedOpen, _) => BreakerState::ForcedOpen,
            (BreakerMode::Disabled, _) => BreakerState::Disabled,
            (BreakerMode::MetricsOnly, _) => BreakerState::MetricsOnly,
            (BreakerMode::Automatic, Phase::Closed) => BreakerState::Closed,
            (BreakerMode::Automatic, Phase::Open { .. }) => BreakerState::Open,
            (BreakerMode::Automatic, Phase::HalfOpen { .. }) => BreakerState::HalfOpen,
        }
    }

    /// What it has seen since it was made.
    #[must_use]
    pub fn totals(&self) -> BreakerTotals {
        self.totals
    }

    /// Whether a rule needs to be told of successes, and of how long calls took.
    #[must_use]
    pub fn needs_successes(&self) -> bool {
        self.rules.needs_successes()
    }

    /// Asks for leave to make one call, after it has let time pass as [`tick`](Self::tick) does: with the change of state
    /// that this brought about. `roll` is the random draw of that change.
    ///
    /// # Errors
    ///
    /// How long until it is worth asking again, at least a millisecond; `Duration::MAX` while it is held open by hand.
    pub fn try_acquire(&mut self, now: Duration, roll: f64) -> (Result<Permit, Duration>, Option<Transition>) {
        let transition = self.tick(now, roll);
        (self.acquire(now), transition)
    }

    fn acquire(&mut self, now: Duration) -> Result<Permit, Duration> {
        let verdict = match (self.mode, self.phase) {
            (BreakerMode::ForcedOpen, _) => Err(Duration::MAX),
            (BreakerMode::Disabled | BreakerMode::MetricsOnly, _) | (_, Phase::Closed) => Ok(false),
            (_, Phase::Open { until }) => Err(until.saturating_sub(now).max(SOONEST)),
            (_, Phase::HalfOpen { .. }) if self.probes.len() < self.rules.permits as usize => {
                self.probes.push(now);
                Ok(true)
            }
            (_, Phase::HalfOpen { .. }) => Err(SOONEST),
        };
        match verdict {
            Ok(probe) => Ok(Permit { epoch: self.epoch, probe, begun: now }),
            Err(after) => {
                self.totals.rejected += 1;
                Err(after)
            }
        }
    }

    /// Gives back a permit whose call was never made.
    pub fn release(&mut self, permit: Permit) {
        if permit.probe && permit.epoch == self.epoch {
            self.take_back(permit);
        }
    }

    /// Tells how the call of `permit` ended. An outcome of an earlier state counts in the totals only.
    pub fn record(
        &mut self,
        permit: Permit,
        outcome: Outcome,
        took: Duration,
        now: Duration,
        roll: f64,
    ) -> Option<Transition> {
        if self.mode == BreakerMode::Disabled {
            return None;
        }
        self.count(outcome, self.rules.is_slow(took));
        if permit.epoch != self.epoch || self.mode != BreakerMode::Automatic {
            return None;
        }
        match self.phase {
            Phase::Closed => self.record_closed(outcome, took, now, roll),
            Phase::HalfOpen { .. } => self.record_probe(permit, outcome, now, roll),
            Phase::Open { .. } => None,
        }
    }

    /// Opens it now, whatever the rules say: the restart intensity is a rule that the supervisor counts. Nothing
    /// happens while it is held by hand.
    pub fn trip(&mut self, now: Duration, roll: f64) -> Option<Transition> {
        if self.mode != BreakerMode::Automatic {
            return None;
        }
        self.totals.trips += 1;
        let reset = self.rules.reset_time(self.openings, roll);
        self.openings = self.openings.saturating_add(1);
        self.enter(Phase::Open { until: now.saturating_add(reset) });
        Some(Transition::Opened(reset))
    }

    /// Lets time pass: open becomes half-open when the reset time is over, and a probe that never reported counts as
    /// a failure when the probe limit is over.
    pub fn tick(&mut self, now: Duration, roll: f64) -> Option<Transition> {
        match self.phase {
            Phase::Open { until } if now >= until => {
                self.enter(Phase::HalfOpen { successes: 0 });
                Some(Transition::HalfOpened)
            }
            Phase::HalfOpen { .. } if self.is_overdue(now) => self.trip(now, roll),
            _ => None,
        }
    }

    /// Begins a round of probes now, whatever is left of the reset time or of an earlier round; a closed one stays closed.
    pub(crate) fn begin_probing(&mut self) {
        if self.phase != Phase::Closed {
            self.enter(Phase::HalfOpen { successes: 0 });
        }
    }

    /// Closes it and forgets what led here.
    pub fn reset(&mut self) -> Option<Transition> {
        self.mode = BreakerMode::Automatic;
        let was_closed = self.phase == Phase::Closed;
        self.close();
        (!was_closed).then_some(Transition::Closed)
    }

    /// Puts it into the hands of the rules or of a person.
    pub fn set_mode(&mut self, mode: BreakerMode) {
        if mode != self.mode {
            self.mode = mode;
            self.close();
        }
    }

    /// Who decides.
    #[must_use]
    pub fn mode(&self) -> BreakerMode {
        self.mode
    }

    /// When it will let probes through, while it is open.
    #[must_use]
    pub fn opens_until(&self) -> Option<Duration> {
        if let Phase::Open { until } = self.phase { Some(until) } else { None }
    }

    /// The share of calls that failed, from 0 to 1, in the window of the first rule about that. Nothing where there is no such rule,
    /// and while the window is empty: it is filled while the breaker is closed and its rules decide.
    #[must_use]
    pub fn failure_rate(&self, now: Duration) -> Option<f64> {
        self.samples.iter().find(|samples| !samples.is_of_slow())?.rate(now)
    }

    /// The share of calls that took long, in the same way.
    #[must_use]
    pub fn slow_rate(&self, now: Duration) -> Option<f64> {
        self.samples.iter().find(|samples| samples.is_of_slow())?.rate(now)
    }

    fn count(&mut self, outcome: Outcome, slow: bool) {
        match outcome {
            Outcome::Success => self.totals.successes += 1,
            Outcome::Failure => self.totals.failures += 1,
        }
        self.totals.slow += u64::from(slow);
    }

    fn record_closed(&mut self, outcome: Outcome, took: Duration, now: Duration, roll: f64) -> Option<Transition> {
        let failed = outcome == Outcome::Failure;
        self.consecutive = if failed { self.consecutive + 1 } else { 0 };
        self.samples.iter_mut().for_each(|samples| samples.add(failed, took, now));
        let met = self.rules.too_many(self.consecutive) || self.samples.iter().any(Samples::is_met);
        met.then(|| self.trip(now, roll)).flatten()
    }

    fn record_probe(&mut self, permit: Permit, outcome: Outcome, now: Duration, roll: f64) -> Option<Transition> {
        if outcome == Outcome::Failure {
            return self.trip(now, roll);
        }
        self.take_back(permit);
        let Phase::HalfOpen { successes } = &mut self.phase else { return None };
        *successes += 1;
        if *successes < self.rules.close_after {
            return None;
        }
        self.close();
        Some(Transition::Closed)
    }

    /// A probe is no longer out.
    fn take_back(&mut self, probe: Permit) {
        if let Some(at) = self.probes.iter().position(|&begun| begun == probe.begun) {
            self.probes.remove(at);
        }
    }

    /// Whether a probe has been out for longer than it may.
    fn is_overdue(&self, now: Duration) -> bool {
        let oldest = self.probes.first().zip(self.rules.probe_limit);
        oldest.is_some_and(|(&begun, limit)| now >= begun.saturating_add(limit))
    }

    fn close(&mut self) {
        self.openings = 0;
        self.enter(Phase::Closed);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
        self.consecutive = 0;
        self.probes.clear();
        self.samples.iter_mut().for_each(Samples::clear);
    }
}

#[cfg(test)]
mod tests;
