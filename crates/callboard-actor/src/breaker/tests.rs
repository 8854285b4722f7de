use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Asks for leave where no change of state matters.
fn acquire(breaker: &mut Breaker, now: Duration) -> Result<Permit, Duration> {
    breaker.try_acquire(now, 0.0).0
}

fn fail(breaker: &mut Breaker, now: Duration) -> Option<Transition> {
    let permit = acquire(breaker, now).expect("it lets calls through");
    breaker.record(permit, Outcome::Failure, Duration::ZERO, now, 0.0)
}

fn succeed(breaker: &mut Breaker, now: Duration) -> Option<Transition> {
    let permit = acquire(breaker, now).expect("it lets calls through");
    breaker.record(permit, Outcome::Success, Duration::ZERO, now, 0.0)
}

#[test]
fn consecutive_failures_open_it_and_a_probe_closes_it() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(2)]));
    assert_eq!(fail(&mut breaker, s(0)), None);
    assert_eq!(succeed(&mut breaker, s(0)), None, "a success in between starts the count anew");
    assert_eq!(fail(&mut breaker, s(0)), None);
    assert_eq!(fail(&mut breaker, s(0)), Some(Transition::Opened(s(30))));
    assert_eq!(acquire(&mut breaker, s(10)), Err(s(20)));
    let probe = acquire(&mut breaker, s(30)).expect("the reset time is over");
    assert_eq!(acquire(&mut breaker, s(30)), Err(SOONEST), "one permit");
    assert_eq!(breaker.record(probe, Outcome::Success, Duration::ZERO, s(31), 0.0), Some(Transition::Closed));
}

#[test]
fn a_failed_probe_doubles_the_reset_time() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(1)]));
    assert_eq!(fail(&mut breaker, s(0)), Some(Transition::Opened(s(30))));
    assert_eq!(fail(&mut breaker, s(30)), Some(Transition::Opened(s(60))));
    assert_eq!(fail(&mut breaker, s(90)), Some(Transition::Opened(s(120))));
}

#[test]
fn a_permit_given_back_lets_the_next_probe_through() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(1)]));
    let _ = fail(&mut breaker, s(0));
    let unused = acquire(&mut breaker, s(30)).expect("a probe");
    breaker.release(unused);
    assert!(acquire(&mut breaker, s(30)).is_ok());
}

#[test]
fn a_probe_that_never_reports_fails_when_its_limit_is_over() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(1)]));
    let _ = fail(&mut breaker, s(0));
    let _lost = acquire(&mut breaker, s(30)).expect("a probe");
    assert_eq!(breaker.tick(s(59), 0.0), None);
    assert_eq!(breaker.tick(s(60), 0.0), Some(Transition::Opened(s(60))));
}

#[test]
fn an_outcome_of_an_earlier_epoch_counts_in_the_totals_only() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(1)]));
    let early = acquire(&mut breaker, s(0)).expect("closed");
    let _ = fail(&mut breaker, s(0));
    let _ = breaker.tick(s(30), 0.0);
    assert_eq!(breaker.record(early, Outcome::Failure, Duration::ZERO, s(30), 0.0), None);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.totals().failures, 2);
}

#[test]
fn a_rate_needs_its_minimum() {
    let rule = Trip::Rate { percent: 50, window: Window::Count(10), minimum: 4 };
    let mut breaker = Breaker::new(BreakerRules::tripping_on([rule]));
    for _ in 0..3 {
        assert_eq!(fail(&mut breaker, s(0)), None);
    }
    assert!(matches!(succeed(&mut breaker, s(0)), Some(Transition::Opened(_))), "3 of 4 failed");
}

#[test]
fn a_time_window_forgets() {
    let rule = Trip::Rate { percent: 100, window: Window::Time(s(10)), minimum: 2 };
    let mut breaker = Breaker::new(BreakerRules::tripping_on([rule]));
    assert_eq!(fail(&mut breaker, s(0)), None);
    assert_eq!(fail(&mut breaker, s(11)), None, "the first one is out of the window");
    assert!(fail(&mut breaker, s(12)).is_some());
}

#[test]
fn f_cb_07_its_rates_are_those_of_the_window_as_it_is_now() {
    let window = Window::Time(s(10));
    let slow = Trip::Slow { longer_than: s(1), percent: 100, window: Window::Count(2), minimum: 2 };
    let rate = Trip::Rate { percent: 100, window, minimum: 9 };
    let mut breaker = Breaker::new(BreakerRules::tripping_on([slow, rate]));
    let rates = |breaker: &Breaker, now| (breaker.failure_rate(now), breaker.slow_rate(now));
    assert_eq!(rates(&breaker, s(0)), (None, None));
    let _ = (fail(&mut breaker, s(0)), succeed(&mut breaker, s(5)));
    assert_eq!(rates(&breaker, s(5)), (Some(0.5), Some(0.0)));
    assert_eq!(rates(&breaker, s(11)), (Some(0.0), Some(0.0)), "the first one is out of the window of time");
    assert_eq!(rates(&breaker, s(16)), (None, Some(0.0)));
    let permit = acquire(&mut breaker, s(16)).expect("closed");
    assert_eq!(breaker.record(permit, Outcome::Success, s(2), s(16), 0.0), None);
    assert_eq!(rates(&breaker, s(16)), (Some(0.0), Some(0.5)));
    let _ = breaker.trip(s(16), 0.0);
    assert_eq!(rates(&breaker, s(16)), (None, None));
}

#[test]
fn slow_calls_open_it_even_when_they_succeed() {
    let rule = Trip::Slow { longer_than: s(1), percent: 100, window: Window::Count(2), minimum: 2 };
    let mut breaker = Breaker::new(BreakerRules::tripping_on([rule]));
    for last in [false, true] {
        let permit = acquire(&mut breaker, s(0)).expect("closed");
        let change = breaker.record(permit, Outcome::Success, s(2), s(0), 0.0);
        assert_eq!(change.is_some(), last);
    }
}

#[test]
fn held_by_hand_no_rule_moves_it() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(1)]));
    breaker.set_mode(BreakerMode::MetricsOnly);
    assert_eq!(fail(&mut breaker, s(0)), None);
    assert_eq!(breaker.totals().failures, 1);
    breaker.set_mode(BreakerMode::Disabled);
    assert_eq!(fail(&mut breaker, s(0)), None);
    assert_eq!(breaker.totals().failures, 1, "disabled counts nothing");
    breaker.set_mode(BreakerMode::ForcedOpen);
    assert_eq!(acquire(&mut breaker, s(0)), Err(Duration::MAX));
    let _ = breaker.reset();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn the_reset_time_is_capped_and_jittered() {
    let rules = BreakerRules::tripping_on([Trip::Consecutive(1)]).growing(10.0, s(100), 0.5);
    let mut breaker = Breaker::new(rules);
    let _ = fail(&mut breaker, s(0));
    let permit = acquire(&mut breaker, s(30)).expect("a probe");
    let change = breaker.record(permit, Outcome::Failure, Duration::ZERO, s(30), 1.0);
    assert_eq!(change, Some(Transition::Opened(s(50))), "capped at 100 s, half of it drawn away");
}

#[test]
fn settings_that_cannot_work_are_all_named() {
    let mut rules = BreakerRules::tripping_on([Trip::Consecutive(0)]).probing(0, 0);
    rules.reset = Duration::ZERO;
    assert_eq!(rules.faults().len(), 4);
    assert!(BreakerRules::default().faults().is_empty());
}

#[test]
fn a_change_of_state_that_asking_brings_about_is_told_with_its_draw() {
    let rules = BreakerRules::tripping_on([Trip::Consecutive(1)]).growing(2.0, s(300), 0.5);
    let mut breaker = Breaker::new(rules);
    let _ = fail(&mut breaker, s(0));
    let (probe, changed) = breaker.try_acquire(s(30), 0.0);
    assert_eq!((probe.is_ok(), changed), (true, Some(Transition::HalfOpened)));
    let (refused, changed) = breaker.try_acquire(s(60), 1.0);
    assert_eq!(
        (refused, changed),
        (Err(s(30)), Some(Transition::Opened(s(30)))),
        "the probe is overdue, half is drawn"
    );
    assert_eq!(breaker.try_acquire(s(60), 0.0).1, None);
}

#[test]
fn a_refusal_never_says_that_now_is_the_time() {
    let mut breaker = Breaker::new(BreakerRules::tripping_on([Trip::Consecutive(1)]));
    let _ = fail(&mut breaker, s(0));
    assert_eq!(acquire(&mut breaker, s(30) - Duration::from_nanos(1)), Err(SOONEST));
}
