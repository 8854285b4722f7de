//! F-API-12, F-ERR-04: an operation lets so many calls through in a while, answers in another way when it cannot, and goes through
//! layers of tower; whichever of that is declared for it.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{BreakerRules, ErrorCode, Trip};
use callboard_bus::middleware::{Passing, fallback, layer};
use callboard_bus::retry::{FailureClass, Jitter};
use callboard_bus::{CallError, CallSettings, ModulesExt, OperationsExt, RetryPolicy, Value};
use futures::future::join_all;
use proptest::prelude::*;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower::util::MapRequestLayer;

use crate::trouble::{DAY, Script, Turn, press, work};

const SECOND: Duration = Duration::from_secs(1);

/// Three at once, and then one each second.
#[test]
fn more_than_the_rate_are_told_how_long_to_wait() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().rate(3, 3 * SECOND)).await;
        for _ in 0..3 {
            work(t).await.unwrap();
        }
        let refused = work(t).await.unwrap_err();
        assert_eq!((refused.code(), refused.class()), (ErrorCode::RateLimited, FailureClass::Transient));
        assert_eq!(refused.retry_after(), Some(SECOND));
        assert_eq!(refused.to_string(), "there are too many calls of `press.work`: wait for 1s");
        t.system().call("press.other", 1).await.unwrap();
        t.advance(SECOND).await;
        work(t).await.unwrap();
        work(t).await.unwrap_err();
        let status = t.system().operations().status("press.work").unwrap();
        assert_eq!((script.calls(), status.counts.begun, status.counts.rejected), (5, 4, 2), "nobody else was asked");
        assert!(status.last_error.is_none(), "it does not speak against the operation");
        t.shutdown().await;
    });
}

/// A refusal says when to come back, and who tries again does so then.
#[test]
fn who_tries_again_waits_as_long() {
    TestSystem::run(async |t| {
        let _press = press(t, &Script::default(), CallSettings::new().rate(1, 10 * SECOND)).await;
        work(t).await.unwrap();
        let policy = RetryPolicy::builder().initial_delay(SECOND).jitter(Jitter::None).max_retries(1).build().unwrap();
        let began = t.now();
        t.system().call("press.work", 1).retry(policy).timeout(DAY).await.unwrap();
        assert_eq!(t.now() - began, 10 * SECOND);
        t.shutdown().await;
    });
}

/// F-API-12: other settings do not make it forget what it has counted; another rate does. One that cannot work is refused.
#[test]
fn a_rate_that_stays_goes_on_counting() {
    TestSystem::run(async |t| {
        let _press = press(t, &Script::default(), CallSettings::new().rate(1, 50 * SECOND)).await;
        let operations = t.system().operations();
        work(t).await.unwrap();
        operations.set(CallSettings::new().timeout(DAY)).unwrap();
        work(t).await.unwrap_err();
        assert!(operations.pipeline("press.work").unwrap().steps().contains(&"rate: 1 calls in 50s".to_owned()));
        operations.set_of_operation("press.work", CallSettings::new().rate(2, DAY)).unwrap();
        work(t).await.unwrap();
        for (calls, per) in [(0, DAY), (1, Duration::ZERO), (2, Duration::from_nanos(1))] {
            let refused = operations.set(CallSettings::new().rate(calls, per)).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidConfig);
            assert!(refused.to_string().contains("would let nothing through, or everything"), "{refused}");
        }
        t.shutdown().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The naive model keeps the moment at which the bucket would be empty.
    #[test]
    fn a_rate_equals_its_model(calls in 1..5_u32, waits in prop::collection::vec(0..4_000_u64, 1..40)) {
        TestSystem::run(async |t| {
            let _press = press(t, &Script::default(), CallSettings::new().rate(calls, 4 * SECOND)).await;
            let share = 4_000_000_000 / u64::from(calls);
            let mut empty_at = 0;
            for wait in waits {
                t.advance(Duration::from_millis(wait)).await;
                let now = u64::try_from(t.system().elapsed().as_nanos()).unwrap();
                let after = empty_at.max(now) + share;
                let passes = after <= now + share * u64::from(calls);
                assert_eq!(work(t).await.is_ok(), passes);
                empty_at = if passes { after } else { empty_at };
            }
            t.shutdown().await;
        });
    }
}

/// F-ERR-04: whatever an operation is declared to do about an error, it does: it is tried again, it fails at once, it opens the
/// breaker, and while that is open something else answers.
#[test]
fn an_error_is_met_as_declared() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let policy = RetryPolicy::builder().initial_delay(SECOND).jitter(Jitter::None).max_retries(1).build().unwrap();
        let rules = BreakerRules::tripping_on([Trip::Consecutive(2)]);
        let _press = press(t, &script, CallSettings::new().retry(policy).breaker(rules)).await;
        let operations = t.system().operations();
        script.next(Turn::Busy, 1);
        work(t).await.unwrap();
        assert_eq!(script.calls(), 2, "what may pass is tried again");
        script.next(Turn::Wrong, 1);
        assert_eq!(work(t).await.unwrap_err().class(), FailureClass::Permanent);
        assert_eq!(script.calls(), 3, "what would fail again is not");

        let known = fallback(|request, error: CallError| async move {
            assert_eq!(&*request.operation, "press.work");
            Ok::<_, CallError>(Value::from(format!("last known, as {}", error.code().code())))
        });
        operations.middleware("last known").on_operation("press.work").install(known).unwrap();
        script.next(Turn::Busy, 2);
        assert_eq!(work(t).await.unwrap(), Value::from("last known, as handler_failed"));
        assert_eq!(operations.open_breakers(), ["press.work"]);
        let open = t.system().call("press.work", 1).timeout(SECOND).await;
        assert_eq!(open.unwrap(), Value::from("last known, as circuit_open"));
        assert_eq!(script.calls(), 5, "while it is open nobody is asked");
        operations.reset_breaker("press.work").unwrap();
        script.next(Turn::Wrong, 1);
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::HandlerFailed, "what would fail again is told");
        assert_ne!(work(t).await.unwrap(), Value::from("last known, as handler_failed"));
        t.shutdown().await;
    });
}

/// F-API-06: a layer counts over all calls, changes what goes in, and ends a call that takes too long.
#[test]
fn layers_of_tower_are_middleware() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        operations.middleware("one").install(layer(GlobalConcurrencyLimitLayer::new(1))).unwrap();
        let more = MapRequestLayer::new(|mut passing: Passing| {
            passing.request.input = Value::from(41);
            passing
        });
        operations.middleware("more").install(layer(more)).unwrap();
        script.next(Turn::Long(SECOND), 2);
        let began = t.now();
        let results = join_all((0..2).map(|_| work(t))).await;
        assert_eq!(t.now() - began, 2 * SECOND, "one after the other");
        assert!(results.into_iter().all(|result| result.unwrap() == Value::from(41)));

        operations.middleware("time").install(layer(TimeoutLayer::new(SECOND))).unwrap();
        script.next(Turn::Long(2 * SECOND), 1);
        let late = work(t).await.unwrap_err();
        assert_eq!((late.code(), late.to_string()), (ErrorCode::Unavailable, "request timed out".to_owned()));
        t.advance(2 * SECOND).await;
        script.next(Turn::Wrong, 1);
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::HandlerFailed, "an error of a call stays what it is");
        t.shutdown().await;
    });
}
