//! The breaker as a state machine against a naive model that keeps the whole history and counts by hand.
//!
//! F-CB-14: window modes, slow calls, manual states; F-CB-03: permits; F-CB-01: what is recorded.

use std::time::Duration;

use callboard_actor::{
    Breaker, BreakerMode, BreakerRules, BreakerState, BreakerTotals, Outcome, Permit, Transition, Trip, Window,
};
use proptest::prelude::*;

use crate::puppet::{ms, s};

/// The shortest time that a refusal names.
const SOONEST: Duration = Duration::from_millis(1);

/// One call that has reported, as the model remembers it.
#[derive(Clone, Copy, Debug)]
struct Call {
    at: Duration,
    failed: bool,
    took: Duration,
}

/// One permit that is out.
#[derive(Clone, Copy, Debug)]
struct Out {
    /// In which of the model's states it was handed out.
    era: usize,
    is_probe: bool,
    begun: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Closed,
    Open { until: Duration },
    Half,
}

/// The breaker as its documentation describes it; slow, and without a single running sum.
#[derive(Debug)]
struct Model {
    rules: BreakerRules,
    mode: BreakerMode,
    gate: Gate,
    era: usize,
    /// Openings since it was last closed.
    openings: u32,
    /// Reports of this era, oldest first.
    calls: Vec<Call>,
    /// Permits that are out, by number.
    out: Vec<Option<Out>>,
    totals: BreakerTotals,
}

impl Model {
    fn new(rules: BreakerRules) -> Self {
        let totals = BreakerTotals::default();
        let (mode, gate) = (BreakerMode::Automatic, Gate::Closed);
        Self { rules, mode, gate, era: 0, openings: 0, calls: Vec::new(), out: Vec::new(), totals }
    }

    fn state(&self) -> BreakerState {
        match (self.mode, self.gate) {
            (BreakerMode::ForcedOpen, _) => BreakerState::ForcedOpen,
            (BreakerMode::Disabled, _) => BreakerState::Disabled,
            (BreakerMode::MetricsOnly, _) => BreakerState::MetricsOnly,
            (BreakerMode::Automatic, Gate::Closed) => BreakerState::Closed,
            (BreakerMode::Automatic, Gate::Open { .. }) => BreakerState::Open,
            (BreakerMode::Automatic, Gate::Half) => BreakerState::HalfOpen,
        }
    }

    fn probes_out(&self) -> impl Iterator<Item = &Out> {
        self.out.iter().flatten().filter(|out| out.is_probe && out.era == self.era)
    }

    fn turn(&mut self, gate: Gate) {
        self.gate = gate;
        self.era += 1;
        self.calls.clear();
    }

    fn close(&mut self) {
        self.openings = 0;
        self.turn(Gate::Closed);
    }

    /// `reset`, times `factor` for each opening before this one, never above the cap, less the share drawn.
    fn open(&mut self, now: Duration, roll: f64) -> Transition {
        let mut reset = self.rules.reset.as_secs_f64();
        for _ in 0..self.openings {
            reset *= self.rules.factor;
        }
        reset = reset.min(self.rules.cap.as_secs_f64()) * (1.0 - self.rules.jitter * roll);
        let reset = Duration::from_secs_f64(reset);
        self.openings += 1;
        self.totals.trips += 1;
        self.turn(Gate::Open { until: now + reset });
        Transition::Opened(reset)
    }

    fn tick(&mut self, now: Duration, roll: f64) -> Option<Transition> {
        match self.gate {
            Gate::Open { until } if now >= until => {
                self.turn(Gate::Half);
                Some(Transition::HalfOpened)
            }
            Gate::Half => {
                let limit = self.rules.probe_limit?;
                let is_overdue = self.probes_out().any(|probe| now >= probe.begun + limit);
                is_overdue.then(|| self.open(now, roll))
            }
            _ => None,
        }
    }

    /// The number of the permit, or how long to wait.
    fn acquire(&mut self, now: Duration, roll: f64) -> (Result<usize, Duration>, Option<Transition>) {
        let transition = self.tick(now, roll);
        (self.permit(now), transition)
    }

    fn permit(&mut self, now: Duration) -> Result<usize, Duration> {
        let verdict = match (self.mode, self.gate) {
            (BreakerMode::ForcedOpen, _) => Err(Duration::MAX),
            (BreakerMode::Disabled | BreakerMode::MetricsOnly, _) | (_, Gate::Closed) => Ok(false),
            (_, Gate::Open { until }) => Err((until - now).max(SOONEST)),
            (_, Gate::Half) if self.probes_out().count() < self.rules.permits as usize => Ok(true),
            (_, Gate::Half) => Err(SOONEST),
        };
        match verdict {
            Ok(is_probe) => {
                self.out.push(Some(Out { era: self.era, is_probe, begun: now }));
                Ok(self.out.len() - 1)
            }
            Err(wait) => {
                self.totals.rejected += 1;
                Err(wait)
            }
        }
    }

    fn release(&mut self, permit: usize) {
        self.out[permit] = None;
    }

    fn record(&mut self, permit: usize, call: Call, roll: f64) -> Option<Transition> {
        let out = self.out[permit].take().expect("a permit is used once");
        if self.mode == BreakerMode::Disabled {
            return None;
        }
        self.count(call);
        if out.era != self.era || self.mode != BreakerMode::Automatic {
            return None;
        }
        self.calls.push(call);
        match self.gate {
            Gate::Closed if self.is_met() => Some(self.open(call.at, roll)),
            Gate::Half if call.failed => Some(self.open(call.at, roll)),
            Gate::Half if self.calls.len() >= self.rules.close_after as usize => {
                self.close();
                Some(Transition::Closed)
            }
            _ => None,
        }
    }

    fn count(&mut self, call: Call) {
        self.totals.successes += u64::from(!call.failed);
        self.totals.failures += u64::from(call.failed);
        let is_slow = |trip: &Trip| matches!(trip, Trip::Slow { longer_than, .. } if call.took > *longer_than);
        self.totals.slow += u64::from(self.rules.trips.iter().any(is_slow));
    }

    fn is_met(&self) -> bool {
        self.rules.trips.iter().any(|trip| match *trip {
            Trip::Consecutive(limit) => {
                self.calls.iter().rev().take_while(|call| call.failed).count() >= limit as usize
            }
            Trip::Rate { percent, window, minimum } => self.share_is_met(percent, window, minimum, |call| call.failed),
            Trip::Slow { longer_than, percent, window, minimum } => {
                self.share_is_met(percent, window, minimum, |call| call.took > longer_than)
            }
            _ => false,
        })
    }

    fn share_is_met(&self, percent: u8, window: Window, minimum: u32, hit: impl Fn(&Call) -> bool) -> bool {
        let (seen, minimum): (Vec<&Call>, u32) = match window {
            // A window that holds fewer than the minimum would never speak: it does when it is full.
            Window::Count(size) => (self.calls.iter().rev().take(size as usize).collect(), minimum.min(size)),
            Window::Time(span) => (self.calls.iter().filter(|call| self.is_recent(call, span)).collect(), minimum),
        };
        let hits = seen.iter().filter(|call| hit(call)).count();
        seen.len() >= minimum.max(1) as usize && hits * 100 >= seen.len() * percent as usize
    }

    /// A time window moves in ten steps: a call is in it while its step and nine later ones last.
    fn is_recent(&self, call: &Call, span: Duration) -> bool {
        let step = |moment: Duration| moment.as_nanos() * 10 / span.as_nanos();
        let newest = self.calls.last().map_or(Duration::ZERO, |last| last.at);
        step(newest) < step(call.at) + 10
    }

    fn reset(&mut self) -> Option<Transition> {
        self.mode = BreakerMode::Automatic;
        let was_closed = self.gate == Gate::Closed;
        self.close();
        (!was_closed).then_some(Transition::Closed)
    }

    fn set_mode(&mut self, mode: BreakerMode) {
        if mode != self.mode {
            self.mode = mode;
            self.close();
        }
    }

    fn trip(&mut self, now: Duration, roll: f64) -> Option<Transition> {
        (self.mode == BreakerMode::Automatic).then(|| self.open(now, roll))
    }
}

/// One step of a random run.
#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(Duration),
    Acquire {
        roll: f64,
    },
    /// Reports the n-th of the permits that are out.
    Record {
        nth: usize,
        failed: bool,
        took: Duration,
        roll: f64,
    },
    Release {
        nth: usize,
    },
    Tick {
        roll: f64,
    },
    Trip {
        roll: f64,
    },
    Reset,
    Mode(BreakerMode),
}

fn steps() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        4 => (0u64..2_000).prop_map(ms),
        2 => (0u64..12).prop_map(s),
        1 => Just(s(30)),
        1 => Just(s(200))
    ];
    let record = (any::<usize>(), any::<bool>(), 0u64..4_000, 0.0..1.0f64)
        .prop_map(|(nth, failed, took, roll)| Step::Record { nth, failed, took: ms(took), roll });
    let mode = prop_oneof![
        3 => Just(BreakerMode::Automatic),
        1 => Just(BreakerMode::ForcedOpen),
        1 => Just(BreakerMode::Disabled),
        1 => Just(BreakerMode::MetricsOnly)
    ];
    prop_oneof![
        20 => wait.prop_map(Step::Wait),
        40 => (0.0..1.0f64).prop_map(|roll| Step::Acquire { roll }),
        40 => record,
        4 => any::<usize>().prop_map(|nth| Step::Release { nth }),
        4 => (0.0..1.0f64).prop_map(|roll| Step::Tick { roll }),
        1 => (0.0..1.0f64).prop_map(|roll| Step::Trip { roll }),
        1 => Just(Step::Reset),
        2 => mode.prop_map(Step::Mode),
    ]
}

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![(1u32..12).prop_map(Window::Count), (1u64..20).prop_map(|span| Window::Time(s(span)))]
}

fn trips() -> impl Strategy<Value = Trip> {
    prop_oneof![
        Just(Trip::Intensity),
        (1u32..6).prop_map(Trip::Consecutive),
        (1u8..=100, windows(), 0u32..8).prop_map(|(percent, window, minimum)| Trip::Rate { percent, window, minimum }),
        (1u64..3, 1u8..=100, windows(), 0u32..8).prop_map(|(longer, percent, window, minimum)| Trip::Slow {
            longer_than: s(longer),
            percent,
            window,
            minimum
        }),
    ]
}

fn rules() -> impl Strategy<Value = BreakerRules> {
    let growth = (1.0..4.0f64, 40u64..200, 0.0..1.0f64);
    let probes = (1u32..4, 1u32..4, prop::option::of(1u64..40));
    (prop::collection::vec(trips(), 1..4), 1u64..40, growth, probes).prop_map(
        |(trips, reset, (factor, cap, jitter), (permits, close_after, limit))| {
            let rules = BreakerRules::tripping_on(trips).reset_after(s(reset));
            let mut rules = rules.growing(factor, s(cap), jitter).probing(permits, close_after);
            rules.probe_limit = limit.map(s);
            rules
        },
    )
}

/// The breaker and the model side by side, at one clock.
struct Pair {
    breaker: Breaker,
    model: Model,
    permits: Vec<(usize, Permit)>,
    now: Duration,
}

impl Pair {
    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(time) => self.now += time,
            Step::Acquire { roll } => self.acquire(roll)?,
            Step::Record { nth, failed, took, roll } => self.record(nth, failed, took, roll)?,
            Step::Release { nth } => {
                if let Some((number, permit)) = self.any_permit(nth) {
                    self.breaker.release(permit);
                    self.model.release(number);
                }
            }
            Step::Tick { roll } => same(self.breaker.tick(self.now, roll), self.model.tick(self.now, roll))?,
            Step::Trip { roll } => same(self.breaker.trip(self.now, roll), self.model.trip(self.now, roll))?,
            Step::Reset => same(self.breaker.reset(), self.model.reset())?,
            Step::Mode(mode) => {
                self.breaker.set_mode(mode);
                self.model.set_mode(mode);
            }
        }
        prop_assert_eq!(self.breaker.state(), self.model.state());
        prop_assert_eq!(self.breaker.mode(), self.model.mode);
        prop_assert_eq!(self.breaker.totals(), self.model.totals);
        Ok(())
    }

    fn acquire(&mut self, roll: f64) -> Result<(), TestCaseError> {
        let (acquired, transition) = self.breaker.try_acquire(self.now, roll);
        let (expected, its_transition) = self.model.acquire(self.now, roll);
        match (acquired, expected) {
            (Ok(permit), Ok(number)) => self.permits.push((number, permit)),
            (Err(wait), Err(expected)) => prop_assert!(is_close(wait, expected), "{wait:?} is not {expected:?}"),
            (left, right) => prop_assert!(false, "{left:?} is not {right:?}"),
        }
        same(transition, its_transition)
    }

    fn record(&mut self, nth: usize, failed: bool, took: Duration, roll: f64) -> Result<(), TestCaseError> {
        let Some((number, permit)) = self.any_permit(nth) else { return Ok(()) };
        let outcome = if failed { Outcome::Failure } else { Outcome::Success };
        let transition = self.breaker.record(permit, outcome, took, self.now, roll);
        same(transition, self.model.record(number, Call { at: self.now, failed, took }, roll))
    }

    fn any_permit(&mut self, nth: usize) -> Option<(usize, Permit)> {
        (!self.permits.is_empty()).then(|| self.permits.swap_remove(nth % self.permits.len()))
    }
}

/// Powers and repeated products of fractions may differ in the last bits.
fn is_close(left: Duration, right: Duration) -> bool {
    left.abs_diff(right) <= Duration::from_micros(1)
}

fn same(left: Option<Transition>, right: Option<Transition>) -> Result<(), TestCaseError> {
    match (left, right) {
        (Some(Transition::Opened(left)), Some(Transition::Opened(right))) => {
            prop_assert!(is_close(left, right), "{left:?} is not {right:?}");
        }
        (left, right) => prop_assert_eq!(left, right),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn over_random_runs(rules in rules(), steps in prop::collection::vec(steps(), 1..150)) {
        prop_assert!(rules.faults().is_empty(), "{:?}", rules.faults());
        let (breaker, model) = (Breaker::new(rules.clone()), Model::new(rules));
        let mut pair = Pair { breaker, model, permits: Vec::new(), now: Duration::ZERO };
        for step in steps {
            pair.take(step)?;
        }
    }

    /// Whatever happens, there are never more probes out than permits.
    #[test]
    fn there_are_never_more_probes_than_permits(
        permits in 1u32..5,
        ends in prop::collection::vec(prop::option::of(any::<bool>()), 1..60),
    ) {
        let rules = BreakerRules::tripping_on([Trip::Consecutive(1)]).growing(1.0, s(30), 0.0).probing(permits, 10);
        let mut breaker = Breaker::new(rules);
        let mut now = Duration::ZERO;
        let _ = breaker.trip(now, 0.0);
        for end in ends {
            now += s(31);
            let probes: Vec<_> = std::iter::from_fn(|| breaker.try_acquire(now, 0.0).0.ok()).take(100).collect();
            prop_assert_eq!(probes.len(), permits as usize, "all permits are free again");
            for probe in probes {
                match end {
                    None => breaker.release(probe),
                    Some(true) => drop(breaker.record(probe, Outcome::Failure, Duration::ZERO, now, 0.0)),
                    Some(false) => drop(breaker.record(probe, Outcome::Success, Duration::ZERO, now, 0.0)),
                }
            }
            if breaker.state() == BreakerState::Closed {
                let _ = breaker.trip(now, 0.0);
            }
        }
    }
}

#[test]
fn a_limit_is_that_of_each_probe_and_not_of_the_round() {
    let rules = BreakerRules::tripping_on([Trip::Consecutive(1)]).growing(2.0, s(300), 0.0).probing(1, 2);
    let mut breaker = Breaker::new(rules);
    let _ = breaker.trip(s(0), 0.0);
    let first = breaker.try_acquire(s(30), 0.0).0.expect("a probe");
    assert_eq!(breaker.record(first, Outcome::Success, s(25), s(55), 0.0), None);
    let second = breaker.try_acquire(s(56), 0.0).0.expect("a second probe");
    assert_eq!(breaker.tick(s(60), 0.0), None, "the second one has been out for 4 s");
    assert_eq!(breaker.record(second, Outcome::Success, s(25), s(81), 0.0), Some(Transition::Closed));
}

#[test]
fn settings_that_cannot_work_are_named() {
    let works = BreakerRules::default();
    assert!(works.faults().is_empty());
    let broken: [(&str, fn(&mut BreakerRules)); 11] = [
        ("reset", |rules| rules.reset = Duration::ZERO),
        ("factor", |rules| rules.factor = 0.5),
        ("factor", |rules| rules.factor = f64::NAN),
        ("factor", |rules| rules.factor = f64::INFINITY),
        ("jitter", |rules| rules.jitter = -0.1),
        ("jitter", |rules| rules.jitter = f64::NAN),
        ("permit", |rules| rules.permits = 0),
        ("succeed", |rules| rules.close_after = 0),
        ("trip rule", |rules| rules.trips = vec![Trip::Consecutive(0)]),
        ("trip rule", |rules| rules.trips = vec![Trip::Rate { percent: 101, window: Window::Count(1), minimum: 1 }]),
        ("trip rule", |rules| rules.trips = vec![Trip::Rate { percent: 0, window: Window::Time(s(1)), minimum: 1 }]),
    ];
    for (word, breaks) in broken {
        let mut rules = works.clone();
        breaks(&mut rules);
        assert!(rules.faults().iter().any(|fault| fault.contains(word)), "{word}: {:?}", rules.faults());
    }
}
