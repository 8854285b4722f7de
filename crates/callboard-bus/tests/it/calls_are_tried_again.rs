//! F-BUS-06, F-RTY-01 to F-RTY-06: a call is tried again as its policy says: what may pass, never beyond its deadline, within a budget,
//! and what may have been carried out only where that does no harm.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, FaultClass};
use callboard_bus::retry::{FailureClass, Jitter};
use callboard_bus::{CallError, CallSettings, ModulesExt, OperationsExt, RetryPolicy};

use crate::trouble::{Script, Turn, press, work};

const SECOND: Duration = Duration::from_secs(1);

/// 1 s, 2 s, 4 s.
fn exact() -> RetryPolicy {
    RetryPolicy::builder().jitter(Jitter::None).build().unwrap()
}

/// F-RTY-01: after 1 s, 2 s and 4 s; then it is given up, and the error says after how many attempts.
#[test]
fn it_waits_longer_each_time_and_then_gives_up() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().retry(exact()).no_breaker()).await;
        script.next(Turn::Busy, 3);
        let began = t.now();
        work(t).await.unwrap();
        assert_eq!((t.now() - began, script.calls()), (7 * SECOND, 4));
        script.next(Turn::Busy, 4);
        let error = work(t).await.unwrap_err();
        assert_eq!((t.now() - began, script.calls(), error.attempts()), (14 * SECOND, 8, 4));
        assert_eq!((error.code(), error.class()), (ErrorCode::HandlerFailed, FailureClass::Transient));
        assert_eq!(error.to_string(), "the press is BUSY (tried 4 times: all 4 attempts have failed)");
        let counts = t.system().operations().status("press.work").unwrap().counts;
        assert_eq!((counts.begun, counts.succeeded, counts.transient, counts.retried), (8, 1, 7, 6));
        t.shutdown().await;
    });
}

/// F-RTY-03, F-ERR-03: what would fail again is not tried again. Words decide where the failure does not say; others may be
/// put in their place.
#[test]
fn what_would_fail_again_is_not_tried_again() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().retry(exact()).no_breaker()).await;
        script.next(Turn::Wrong, 1);
        assert_eq!((work(t).await.unwrap_err().attempts(), script.calls()), (1, 1));
        t.system().operations().classify_by(|_: &(dyn std::error::Error + 'static)| FaultClass::Permanent);
        script.next(Turn::Busy, 1);
        assert_eq!((work(t).await.unwrap_err().attempts(), script.calls()), (1, 2));
        t.shutdown().await;
    });
}

/// F-RTY-04: the time-out is that of the whole call, and no attempt begins that could not begin before it.
#[test]
fn the_deadline_is_for_all_attempts() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().retry(exact()).no_breaker()).await;
        script.next(Turn::Busy, 4);
        let began = t.now();
        let error = t.system().call("press.work", 1).timeout(5 * SECOND).await.unwrap_err();
        assert_eq!((error.attempts(), t.now() - began), (3, 3 * SECOND), "the fourth would begin after 7 s");
        script.next(Turn::Long(60 * SECOND), 1);
        script.next(Turn::Well, 1);
        let began = t.now();
        let late = t.system().call("press.work", 1).timeout(4 * SECOND).await.unwrap_err();
        assert_eq!((late.code(), t.now() - began), (ErrorCode::Timeout, 4 * SECOND));
        t.shutdown().await;
    });
}

/// F-RTY-05, F-API-05, F-API-12: the call's word goes over that of its operation, that over its module's, that over the system's; each
/// setting by itself.
#[test]
fn the_nearest_word_counts() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let times = |retries| RetryPolicy::builder().max_retries(retries).jitter(Jitter::None).build().unwrap();
        let attempts = async |expected: u64| {
            script.next(Turn::Busy, 10);
            let before = script.calls();
            work(t).await.unwrap_err();
            assert_eq!(script.calls() - before, expected);
            script.clear();
        };
        attempts(1).await;
        operations.set(CallSettings::new().retry(times(1)).no_breaker()).unwrap();
        attempts(2).await;
        operations.set_of_module("press", CallSettings::new().retry(times(2))).unwrap();
        attempts(3).await;
        operations.set_of_operation("press.work", CallSettings::new().retry(times(3)).timeout(60 * SECOND)).unwrap();
        attempts(4).await;
        script.next(Turn::Busy, 10);
        let before = script.calls();
        t.system().call("press.work", 1).retry(RetryPolicy::none()).await.unwrap_err();
        assert_eq!((script.calls() - before, operations.status("press.work").unwrap().breaker), (1, None));
        let steps = operations.pipeline("press.work").unwrap().to_string();
        let limits = "places: 1000 at once (calls from outside)\nbreaker: off\nvalidate, by name: as";
        assert!(steps.starts_with(&format!("time-out: 1m\nretry: 4 attempts at most\n{limits}")), "{steps}");
        t.shutdown().await;
    });
}

/// F-RTY-06: 20 % of the calls, and ten at once.
#[test]
fn retries_have_a_budget() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let once = RetryPolicy::builder().max_retries(1).jitter(Jitter::None).build().unwrap();
        let _press = press(t, &script, CallSettings::new().retry(once).no_breaker()).await;
        script.next(Turn::Busy, 1000);
        let mut refused = 0;
        for _ in 0..100 {
            let error = work(t).await.unwrap_err();
            refused += usize::from(!matches!(error, CallError::GaveUp { .. }));
        }
        let retried = script.calls() - 100;
        assert!((29..=30).contains(&retried), "10 at first and one for every five calls: {retried}");
        assert_eq!(refused as u64, 100 - retried);
        t.shutdown().await;
    });
}

/// What timed out in its handler may have been carried out.
#[test]
fn what_may_have_been_done_is_tried_again_only_where_that_does_no_harm() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().retry(exact()).no_breaker()).await;
        script.next(Turn::Panic, 1);
        assert_eq!((work(t).await.unwrap_err().attempts(), script.calls()), (1, 1));
        t.shutdown().await;
    });
}
