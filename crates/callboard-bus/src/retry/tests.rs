use callboard_actor::ErrorClass;
use proptest::prelude::*;

use super::*;
use crate::config::{Config, Profile};

const SECOND: Duration = Duration::from_secs(1);

fn exact(retries: u32, delay: Duration, factor: f64) -> RetryPolicy {
    let builder = RetryPolicy::builder().max_retries(retries).initial_delay(delay).factor(factor);
    builder.jitter(Jitter::None).build().unwrap()
}

fn delays(policy: &RetryPolicy, roll: f64) -> Vec<Duration> {
    (1..100).map_while(|made| policy.delay(made, roll)).collect()
}

fn failed(made: u32) -> Attempt {
    Attempt::new(made, FailureClass::Transient, 100 * SECOND)
}

/// F-RTY-01
#[test]
fn three_retries_wait_one_two_and_four_seconds() {
    let policy = exact(3, SECOND, 2.0);
    assert_eq!(delays(&policy, 0.5), [1, 2, 4].map(Duration::from_secs));
    assert_eq!(policy.max_attempts(), 4);
    assert_eq!(policy.next(&failed(3), 0.0), Retry::At(104 * SECOND));
    assert_eq!(policy.next(&failed(4), 0.0), Retry::GiveUp(WhyNot::Exhausted { attempts: 4 }));
    assert_eq!(WhyNot::Exhausted { attempts: 4 }.to_string(), "all 4 attempts have failed");
    let default = RetryPolicy::default();
    assert_eq!(delays(&default, 1.0), delays(&policy, 1.0));
}

/// F-RTY-02
#[test]
fn five_retries_from_half_a_second_by_one_and_a_half() {
    let policy = exact(5, SECOND / 2, 1.5);
    let micros: Vec<u128> = delays(&policy, 0.0).iter().map(Duration::as_micros).collect();
    assert_eq!(micros, [500_000, 750_000, 1_125_000, 1_687_500, 2_531_250]);
}

/// F-RTY-03, semantics of an ask: what never ran is tried again, what may have run only if it may run twice.
#[test]
fn only_what_can_pass_is_tried_again() {
    let policy = exact(3, SECOND, 2.0);
    let table = [
        (ErrorCode::Timeout, Some(Stage::Queue), FailureClass::Transient),
        (ErrorCode::Timeout, Some(Stage::Handler), FailureClass::Unknown),
        (ErrorCode::Timeout, Some(Stage::Reply), FailureClass::Unknown),
        (ErrorCode::Timeout, None, FailureClass::Unknown),
        (ErrorCode::Connection, Some(Stage::Queue), FailureClass::Transient),
        (ErrorCode::Connection, None, FailureClass::Unknown),
        (ErrorCode::Network, Some(Stage::Queue), FailureClass::Transient),
        (ErrorCode::Network, None, FailureClass::Unknown),
        (ErrorCode::Unavailable, None, FailureClass::Transient),
        (ErrorCode::Busy, None, FailureClass::Transient),
        (ErrorCode::RateLimited, None, FailureClass::Transient),
        (ErrorCode::CircuitOpen, None, FailureClass::Transient),
    ];
    for (code, stage, class) in table {
        assert_eq!(FailureClass::of(code, stage), class, "{code}");
    }
    for &code in ErrorCode::ALL {
        let is_permanent = FailureClass::of(code, None) == FailureClass::Permanent;
        assert_eq!(is_permanent, code.class() == ErrorClass::NonRetryable, "{code}");
    }
    let next = |class, repeatable| policy.next(&Attempt::new(1, class, SECOND).repeatable(repeatable), 0.0);
    assert_eq!(next(FailureClass::Permanent, Repeatable::Yes), Retry::GiveUp(WhyNot::Permanent));
    assert_eq!(next(FailureClass::Unknown, Repeatable::No), Retry::GiveUp(WhyNot::OutcomeUnknown));
    assert_eq!(next(FailureClass::Unknown, Repeatable::Yes), Retry::At(2 * SECOND));
    assert_eq!(next(FailureClass::Transient, Repeatable::No), Retry::At(2 * SECOND));
    assert_eq!(FailureClass::from(FaultClass::Retryable), FailureClass::Transient);
    assert_eq!(FailureClass::from(FaultClass::Permanent), FailureClass::Permanent);
    assert_eq!(
        serde_json::to_string(&[FailureClass::Transient, FailureClass::Unknown]).unwrap(),
        r#"["transient","unknown"]"#
    );
}

/// F-RTY-03: an open breaker is not asked before its time. F-RTY-04: the deadline is for the whole call.
#[test]
fn a_retry_is_neither_before_its_time_nor_after_the_deadline() {
    let policy = exact(5, SECOND, 2.0);
    assert_eq!(policy.next(&failed(1).retry_after(30 * SECOND), 0.0), Retry::At(130 * SECOND));
    assert_eq!(policy.next(&failed(3).retry_after(SECOND), 0.0), Retry::At(104 * SECOND));
    let gives_up = Retry::GiveUp(WhyNot::Deadline { attempts: 2 });
    assert_eq!(policy.next(&failed(2).deadline(102 * SECOND), 0.0), gives_up);
    let just_in_time = 102 * SECOND + Duration::from_nanos(1);
    assert_eq!(policy.next(&failed(2).deadline(just_in_time), 0.0), Retry::At(102 * SECOND));
    assert_eq!(policy.next(&failed(2).deadline(just_in_time).retry_after(3 * SECOND), 0.0), gives_up);
}

/// F-RTY-05
#[test]
fn settings_that_cannot_work_name_their_field() {
    for factor in [0.5, 0.999, -2.0, f64::NAN, f64::INFINITY] {
        let fault = RetryPolicy::builder().factor(factor).build().unwrap_err();
        assert_eq!((fault.field(), fault.code().code()), ("factor", "invalid_config"), "{factor}");
    }
    let fault = RetryPolicy::builder().initial_delay(60 * SECOND).build().unwrap_err();
    assert_eq!((fault.field(), fault.code().code()), ("initial_delay", "invalid_config"));
    let text = "initial_delay: 60s is longer than the max_delay of 30s; raise max_delay or lower it";
    assert_eq!(fault.to_string(), text);
}

/// F-RTY-05: per module, operation and call, and the configuration for all others.
#[test]
fn the_nearest_policy_holds() {
    let [call, operation, module, configuration] = [1, 2, 4, 8].map(|retries| exact(retries, SECOND, 2.0));
    for set in 0..16 {
        let given =
            [call, operation, module, configuration].map(|policy| (set & policy.max_retries > 0).then_some(policy));
        let expected = given.into_iter().flatten().next().unwrap_or_default();
        let [call, operation, module, configuration] = given;
        assert_eq!(RetryPolicy::nearest(call, operation, module, configuration), expected);
    }
}

/// F-RTY-01, F-RTY-02: the delays of the base column and of the enhanced one.
#[test]
fn a_configuration_is_a_policy() {
    let of = |profile: Profile| {
        let loaded = Config::load().profile(profile).set("retry.jitter", "none").finish().unwrap();
        RetryPolicy::try_from(loaded.config.retry).unwrap()
    };
    assert_eq!(delays(&of(Profile::Base), 0.5), [1, 2, 4].map(Duration::from_secs));
    assert_eq!(of(Profile::Base).max_attempts(), 4);
    let enhanced = [500_000, 750_000, 1_125_000, 1_687_500, 2_531_250].map(Duration::from_micros);
    assert_eq!(delays(&of(Profile::Enhanced), 0.5), enhanced);
    let drawn = RetryPolicy::try_from(Config::default().retry);
    assert_eq!(drawn, Ok(RetryPolicy::default()), "where nothing is said, the draw takes a share");
}

/// F-RTY-05: what was not checked on its way is not let through either.
#[test]
fn a_configuration_that_cannot_work_is_no_policy() {
    let mut config = Config::default();
    for (factor, initial_delay, field) in
        [(0.5, SECOND, "factor"), (f64::NAN, SECOND, "factor"), (2.0, 31 * SECOND, "initial_delay")]
    {
        (config.retry.factor, config.retry.initial_delay) = (factor, initial_delay);
        let fault = RetryPolicy::try_from(config.retry).unwrap_err();
        assert_eq!((fault.field(), fault.code().code()), (field, "invalid_config"));
    }
}

/// F-RTY-06
#[test]
fn the_draw_takes_any_share_of_the_delay_by_default() {
    let policy = RetryPolicy::default();
    assert_eq!(policy.delay(2, 0.0), Some(Duration::ZERO));
    assert_eq!(policy.delay(2, 0.25), Some(SECOND / 2));
    assert_eq!(policy.delay(2, 1.0), Some(2 * SECOND));
    assert_eq!(policy.delay(2, f64::NAN), Some(2 * SECOND));
}

#[test]
fn configuration_is_text_and_is_checked() {
    let read = |text: &str| serde_json::from_str::<RetryPolicy>(text);
    assert_eq!(read("{}").unwrap(), RetryPolicy::default());
    let text = r#"{"max_retries":5,"initial_delay":"500ms","factor":1.5,"max_delay":"1m30s","jitter":"none"}"#;
    let policy = read(text).unwrap();
    assert_eq!(policy.max_delay, 90 * SECOND);
    assert_eq!(delays(&policy, 0.0), delays(&exact(5, SECOND / 2, 1.5), 0.0));
    assert_eq!(read(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
    let faults = [
        (r#"{"factor":0.5}"#, "factor: 0.5 does not let the delay grow; use a number from 1 on"),
        (r#"{"initial_delay":"2m"}"#, "initial_delay: 120s is longer than the max_delay of 30s"),
        (r#"{"retries":1}"#, "unknown field `retries`, expected one of `max_retries`"),
        (r#"{"initial_delay":"soon"}"#, "expected a duration"),
        (r#"{"initial_delay":"18446744073709551615s 1000000000ns"}"#, "is longer than the max_delay of 30s"),
        (r#"{"max_retries":-1}"#, "expected u32"),
    ];
    for (text, fault) in faults {
        let found = read(text).unwrap_err().to_string();
        assert!(found.contains(fault), "{text}: {found}");
    }
}

proptest! {
    #[test]
    fn a_retry_keeps_every_promise(
        policy in (0u32..8, 0u64..10_000, 1.0f64..9.0, 0u64..100_000, any::<bool>()),
        made in 0u32..12,
        times in (0u64..1_000_000, 0u64..20_000, prop::option::of(0u64..1_100_000)),
        roll in 0.0f64..=1.0,
        repeatable: bool,
        unknown: bool,
    ) {
        let (retries, initial, factor, more, exact) = policy;
        let jitter = if exact { Jitter::None } else { Jitter::Full };
        let (initial, max) = (Duration::from_millis(initial), Duration::from_millis(initial + more));
        let builder = RetryPolicy::builder().max_retries(retries).initial_delay(initial).factor(factor);
        let policy = builder.max_delay(max).jitter(jitter).build().unwrap();
        let (now, after) = (Duration::from_millis(times.0), Duration::from_millis(times.1));
        let class = if unknown { FailureClass::Unknown } else { FailureClass::Transient };
        let repeat = if repeatable { Repeatable::Yes } else { Repeatable::No };
        let mut failed = Attempt::new(made, class, now).retry_after(after).repeatable(repeat);
        if let Some(deadline) = times.2 { failed = failed.deadline(Duration::from_millis(deadline)); }
        match policy.next(&failed, roll) {
            Retry::At(moment) => {
                prop_assert!(made <= retries && (repeatable || !unknown));
                prop_assert!(moment >= now + after && moment <= now + after.max(max));
                prop_assert!(times.2.is_none_or(|deadline| moment < Duration::from_millis(deadline)));
            }
            Retry::GiveUp(WhyNot::OutcomeUnknown) => prop_assert!(unknown && !repeatable),
            Retry::GiveUp(WhyNot::Exhausted { attempts }) => prop_assert!(attempts == made && made.max(1) > retries),
            Retry::GiveUp(WhyNot::Deadline { .. }) => {
                prop_assert!(now + after.max(max) >= Duration::from_millis(times.2.unwrap()));
            }
            Retry::GiveUp(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_delay_never_shrinks_and_no_figure_is_too_large(made: u32, factor in 1.0f64..f64::MAX, millis: u64, roll: f64) {
        let (first, most) = (Duration::from_millis(millis), Duration::MAX);
        let builder = RetryPolicy::builder().max_retries(u32::MAX).initial_delay(first).factor(factor).max_delay(most);
        let (exact, drawn) = (builder.jitter(Jitter::None).build().unwrap(), builder.build().unwrap());
        let (this, next) = (exact.delay(made, 0.0).unwrap(), exact.delay(made.saturating_add(1), 0.0).unwrap());
        prop_assert!(this <= next);
        prop_assert!(drawn.delay(made, roll).unwrap() <= this);
        let last = Attempt::new(made, FailureClass::Transient, Duration::MAX).retry_after(most);
        prop_assert_eq!(exact.next(&last, roll), Retry::At(Duration::MAX));
    }
}
