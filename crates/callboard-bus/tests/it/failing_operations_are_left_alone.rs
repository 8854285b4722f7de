//! F-BUS-05, F-CB-01 to F-CB-14: the breaker of an operation. It counts what may pass and every panic, lets nobody through while it is
//! open, then one, and closes when that goes well; every call of the operation passes by it, and no other.

use std::time::{Duration, SystemTime};

use callboard_actor::testing::TestSystem;
use callboard_actor::{BreakerMode, BreakerRules, BreakerState, ErrorCode, Trip, Window};
use callboard_bus::gate::AuthContext;
use callboard_bus::retry::{FailureClass, Jitter};
use callboard_bus::time::show_moment;
use callboard_bus::{
    CallError, CallSettings, GateExt, ModulesExt, MonitoringExt, OperationsExt, RetryPolicy, SecurityLevel,
};
use futures::future::join_all;
use serde_json::json;

use crate::gatekeeping::{ADA, BOB, Stub, key};
use crate::module_kit::{break_down, fragile, offer, who};
use crate::trouble::{DAY, Script, Turn, press, work};

const SECOND: Duration = Duration::from_secs(1);

fn state(t: &TestSystem) -> Option<BreakerState> {
    t.system().operations().status("press.work").unwrap().breaker
}

/// The default rules, less what is random.
fn steady() -> CallSettings {
    CallSettings::new().breaker(BreakerRules::tripping_on([Trip::Consecutive(5)]).growing(2.0, DAY, 0.0))
}

async fn five_fail(t: &TestSystem) {
    for _ in 0..5 {
        work(t).await.unwrap_err();
    }
}

/// F-CB-04, F-CB-06: with no configuration, on the fifth failure in a row and not on the fourth; one that goes well in between
/// begins the count anew.
#[test]
fn it_opens_on_the_fifth_failure_in_a_row() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Busy, 4);
        script.next(Turn::Well, 1);
        script.next(Turn::Busy, 4);
        for _ in 0..9 {
            let _ = work(t).await;
            assert_eq!(state(t), Some(BreakerState::Closed));
        }
        script.next(Turn::Busy, 1);
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::HandlerFailed);
        assert_eq!(state(t), Some(BreakerState::Open));
        t.shutdown().await;
    });
}

/// Other settings may change while failures count.
#[test]
fn a_success_begins_the_count_anew_whatever_is_set_meanwhile() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 4);
        for _ in 0..4 {
            work(t).await.unwrap_err();
        }
        t.system().operations().set(CallSettings::new().timeout(DAY)).unwrap();
        work(t).await.unwrap();
        script.next(Turn::Busy, 1);
        work(t).await.unwrap_err();
        assert_eq!(state(t), Some(BreakerState::Closed));
        t.shutdown().await;
    });
}

/// F-CB-02, F-CB-07, F-CB-09, F-CB-10: the handler is not called, the caller is told for how long, and other operations do not notice.
#[test]
fn while_it_is_open_nobody_is_asked() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 5);
        assert_eq!(t.system().operations().status("press.work").unwrap().opened_at, None);
        five_fail(t).await;
        let opened = SystemTime::UNIX_EPOCH + t.system().wall();
        t.advance(10 * SECOND).await;
        let refused = work(t).await.unwrap_err();
        assert_eq!((refused.code(), refused.class()), (ErrorCode::CircuitOpen, FailureClass::Transient));
        assert_eq!(refused.retry_after(), Some(20 * SECOND));
        assert_eq!(refused.to_string(), "the breaker of `press.work` is open for 20s");
        assert_eq!(script.calls(), 5);
        assert_eq!(t.system().call("press.other", 2).await.unwrap(), 2.into());
        assert_eq!(t.system().call("press.work", 3).ignore_breaker().await.unwrap(), 3.into());
        let status = t.system().operations().status("press.work").unwrap();
        assert_eq!((status.counts.begun, status.counts.rejected, status.counts.transient), (6, 1, 5));
        assert_eq!((status.opened_at, status.retry_after), (Some(opened), Some(20 * SECOND)));
        let shown = serde_json::to_value(&status).unwrap();
        assert_eq!((&shown["opened_at"], &shown["retry_after"]), (&json!(show_moment(opened)), &json!("20s")));
        let rates = [&shown["failure_rate"], &shown["slow_rate"]];
        assert_eq!((rates, status.success_rate()), ([&json!(null); 2], Some(1.0 / 6.0)), "it looks at no window");
        assert_eq!(shown["success_rate"], json!(1.0 / 6.0));
        assert_eq!(t.system().operations().open_breakers(), ["press.work"]);
        t.shutdown().await;
    });
}

/// F-CB-03, F-CB-05, F-CB-09: of a thousand who come at once one is let through; when it goes well, all are. One that does not
/// go well keeps it open for twice as long. Nobody has to do anything about it.
#[test]
fn when_its_time_is_over_one_call_decides() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 6);
        five_fail(t).await;
        t.advance(Duration::from_millis(29_900)).await;
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::CircuitOpen);
        t.advance(Duration::from_millis(100)).await;
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::HandlerFailed);
        assert_eq!(work(t).await.unwrap_err().retry_after(), Some(60 * SECOND));
        t.advance(60 * SECOND).await;
        script.next(Turn::Long(SECOND), 1);
        let all = join_all((0..1000).map(|_| async { work(t).await })).await;
        assert_eq!((all.iter().filter(|result| result.is_ok()).count(), script.calls()), (1, 7));
        assert!(
            all.iter().flat_map(|result| result.as_ref().err()).all(|error| error.code() == ErrorCode::CircuitOpen)
        );
        assert_eq!(state(t), Some(BreakerState::Closed));
        work(t).await.unwrap();
        t.shutdown().await;
    });
}

/// F-CB-03: a probe that nobody waits for any more gives its permit back.
#[test]
fn a_probe_that_is_dropped_gives_its_permit_back() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 5);
        five_fail(t).await;
        t.advance(30 * SECOND).await;
        script.next(Turn::Long(SECOND), 1);
        {
            let mut probe = std::pin::pin!(work(t));
            assert!(futures::poll!(&mut probe).is_pending());
            assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::CircuitOpen);
        }
        work(t).await.unwrap();
        let counts = t.system().operations().status("press.work").unwrap().counts;
        assert_eq!((counts.abandoned, counts.in_flight), (1, 0));
        t.shutdown().await;
    });
}

/// F-CB-11, F-CB-12: what the caller did wrong is no failure of the operation; a panic always is.
#[test]
fn what_the_caller_did_wrong_does_not_count() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let press = press(t, &script, steady()).await;
        for _ in 0..20 {
            t.system().call("press.work", json!({ "no": "number" })).await.unwrap_err();
            script.next(Turn::Wrong, 1);
            assert_eq!(work(t).await.unwrap_err().class(), FailureClass::Permanent);
            t.system().call("press.work@^2", 1).await.unwrap_err();
        }
        assert_eq!(state(t), Some(BreakerState::Closed));
        script.next(Turn::Panic, 5);
        for _ in 0..5 {
            assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::HandlerPanicked);
            t.settle().await;
        }
        assert_eq!(state(t), Some(BreakerState::Open));
        assert!(t.system().operations().status("press.work").unwrap().last_error.unwrap().contains("fallen over"));
        drop(press);
        t.shutdown().await;
    });
}

/// How many failures in a row bring the breaker from here to being open: fewer than five where something else has counted.
async fn failures_left(t: &TestSystem, call: AuthContext, script: &Script) -> usize {
    script.next(Turn::Busy, 5);
    for count in 1..=5 {
        t.system().call("press.work", 1).auth(call.clone()).await.unwrap_err();
        if state(t) == Some(BreakerState::Open) {
            script.clear();
            return count;
        }
    }
    panic!("it did not open");
}

/// F-CB-11: a caller who is nobody, or may not, or does not wait has not seen the operation fail; nor has it gone well for them.
#[test]
fn who_is_refused_or_does_not_wait_does_not_count() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let manifest = crate::trouble::manifest(steady()).security_level(SecurityLevel::Authorized);
        let press = t.spawn(crate::trouble::actor(&script));
        let _press = manifest.required_permission("vault:open").register(&press).await.unwrap();
        let gate = Stub::default();
        gate.allow(["api:call"]);
        t.system().guard_by(gate).unwrap();
        let call = |who: AuthContext| t.system().call("press.work", 1).auth(who);
        script.next(Turn::Busy, 4);
        for _ in 0..4 {
            call(key(ADA)).await.unwrap_err();
        }
        for _ in 0..20 {
            assert_eq!(call(AuthContext::default()).await.unwrap_err().code(), ErrorCode::Unauthenticated);
            assert_eq!(call(key(BOB)).await.unwrap_err().code(), ErrorCode::PermissionDenied);
            script.next(Turn::Long(SECOND), 1);
            let mut cancelled = Box::pin(call(key(ADA)).into_future());
            assert!(futures::poll!(&mut cancelled).is_pending());
            t.settle().await;
            drop(cancelled);
            t.advance(2 * SECOND).await;
        }
        let status = t.system().operations().status("press.work").unwrap();
        assert_eq!((status.counts.abandoned, status.counts.rejected), (20, 40));
        assert_eq!((status.breaker_totals.successes, status.breaker_totals.failures), (0, 4));
        assert_eq!(state(t), Some(BreakerState::Closed));
        assert_eq!(failures_left(t, key(ADA), &script).await, 1);
        t.shutdown().await;
    });
}

/// F-CB-11: an open breaker that a call meets on its way speaks against no operation.
#[test]
fn what_an_open_breaker_refuses_does_not_count() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        assert_eq!(failures_left(t, AuthContext::default(), &script).await, 5);
        for _ in 0..20 {
            assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::CircuitOpen);
        }
        let totals = t.system().operations().status("press.work").unwrap().breaker_totals;
        assert_eq!((totals.failures, totals.rejected, totals.trips), (5, 20, 1));

        let adder = t.spawn(fragile(1));
        let _adder = offer("1.0.0").register(&adder).await.unwrap();
        break_down(&adder).await;
        for _ in 0..20 {
            assert_eq!(who(t.system(), "").await.unwrap_err().code(), ErrorCode::CircuitOpen, "that of the module");
        }
        let status = t.system().operations().status("adder.who").unwrap();
        assert_eq!((status.breaker, status.breaker_totals.failures), (Some(BreakerState::Closed), 0));
        t.shutdown().await;
    });
}

/// F-CB-08: a reset forgets the failures that have not opened it yet.
#[test]
fn a_reset_begins_the_count_anew() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 4);
        for _ in 0..4 {
            work(t).await.unwrap_err();
        }
        assert!(t.system().operations().reset_breaker("press.work").unwrap());
        assert_eq!(failures_left(t, AuthContext::default(), &script).await, 5);
        t.shutdown().await;
    });
}

/// F-CB-10: by name, and not in the order in which they opened.
#[test]
fn open_breakers_are_told_by_name() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        assert!(t.system().operations().open_breakers().is_empty());
        script.next(Turn::Busy, 10);
        for operation in ["press.work", "press.other"] {
            for _ in 0..5 {
                t.system().call(operation, 1).await.unwrap_err();
            }
        }
        let names = ["press.other", "press.work"];
        assert_eq!(t.system().operations().open_breakers(), names);
        assert_eq!(t.system().monitoring().metrics().communication().circuit_breakers_open, names);
        t.shutdown().await;
    });
}

/// Instances come and go, with calls that had reached them, and the operation is there all the time.
#[test]
fn an_instance_that_is_told_to_end_is_no_failure() {
    TestSystem::run(async |t| {
        let script = Script::default();
        for _ in 0..10 {
            let actor = t.spawn(crate::trouble::actor(&script));
            let _press = crate::trouble::manifest(steady()).register(&actor).await.unwrap();
            script.next(Turn::Long(60 * SECOND), 1);
            let (mut running, mut waiting) = (std::pin::pin!(work(t)), std::pin::pin!(work(t)));
            assert!(futures::poll!(&mut running).is_pending() && futures::poll!(&mut waiting).is_pending());
            t.settle().await;
            actor.kill();
            assert_eq!(running.await.unwrap_err().code(), ErrorCode::Unavailable);
            assert_eq!(waiting.await.unwrap_err().code(), ErrorCode::Unavailable);
        }
        let _press = press(t, &script, steady()).await;
        assert_eq!((work(t).await.unwrap(), state(t)), (1.into(), Some(BreakerState::Closed)));
        t.shutdown().await;
    });
}

/// F-CB-06, F-CB-08, F-CB-14: by hand.
#[test]
fn a_person_has_the_last_word() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        let operations = t.system().operations();
        assert!(operations.set_breaker_mode("press.work", BreakerMode::ForcedOpen).unwrap());
        let refused = work(t).await.unwrap_err();
        assert_eq!((refused.code(), refused.retry_after()), (ErrorCode::CircuitOpen, None));
        assert_eq!(refused.to_string(), "the breaker of `press.work` is open");
        assert!(operations.reset_breaker("press.work").unwrap());
        work(t).await.unwrap();
        operations.set_breaker_mode("press.work", BreakerMode::Disabled).unwrap();
        script.next(Turn::Busy, 10);
        for _ in 0..10 {
            work(t).await.unwrap_err();
        }
        assert_eq!((script.calls(), state(t)), (11, Some(BreakerState::Disabled)));
        assert_eq!((operations.reset_all_breakers().unwrap(), state(t)), (2, Some(BreakerState::Closed)));
        let unknown = operations.reset_breaker("press.wrok").unwrap_err();
        assert_eq!(unknown.code(), ErrorCode::UnknownOperation);
        operations.set_of_operation("press.work", CallSettings::new().no_breaker()).unwrap();
        assert_eq!((state(t), operations.reset_breaker("press.work").unwrap()), (None, false));
        t.shutdown().await;
    });
}

/// F-CB-01, F-CB-07, F-CB-14, F-API-10: a rule over a window sees every call, and slow ones too.
#[test]
fn a_share_of_slow_calls_opens_it() {
    TestSystem::run(async |t| {
        let (longer_than, window) = (SECOND, Window::Count(4));
        let slow = Trip::Slow { longer_than, percent: 50, window, minimum: 4 };
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().breaker(BreakerRules::tripping_on([slow]))).await;
        let mut slow_rates = Vec::new();
        for turn in [Turn::Well, Turn::Long(2 * SECOND), Turn::Well, Turn::Long(2 * SECOND)] {
            assert_eq!(state(t), Some(BreakerState::Closed));
            script.next(turn, 1);
            work(t).await.unwrap();
            let status = t.system().operations().status("press.work").unwrap();
            slow_rates.push((status.slow_rate, status.failure_rate));
        }
        // The fourth one has opened it, and it begins anew.
        let expected = [Some(0.0), Some(0.5), Some(1.0 / 3.0), None];
        assert_eq!(slow_rates, expected.map(|rate| (rate, None)));
        let status = t.system().operations().status("press.work").unwrap();
        assert_eq!((status.breaker, status.breaker_totals.slow), (Some(BreakerState::Open), 2));
        assert_eq!((status.success_rate(), status.transitions), (Some(1.0), 1));
        assert!(status.times.p99.unwrap() >= 2 * SECOND && status.times.p50.unwrap() < SECOND);
        let shown = serde_json::to_value(&status).unwrap();
        assert_eq!((&shown["breaker"], &shown["descriptor"]["address"]), (&json!("open"), &json!("press.work")));
        assert_eq!((&shown["times"]["timed"], &shown["times"]["mean"]), (&json!(4), &json!("1s")));
        t.shutdown().await;
    });
}

/// F-CB-07: the share of failures is that of the window as it is when it is asked for, and when the breaker opened is that of the
/// last time, whoever opened it.
#[test]
fn it_says_how_near_it_is_and_when_it_opened() {
    TestSystem::run(async |t| {
        let rate = Trip::Rate { percent: 60, window: Window::Time(10 * SECOND), minimum: 4 };
        let rules = BreakerRules::tripping_on([rate]).growing(2.0, DAY, 0.0);
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().breaker(rules)).await;
        let operations = t.system().operations();
        let status = || operations.status("press.work").unwrap();
        let now = || Some(SystemTime::UNIX_EPOCH + t.system().wall());
        assert_eq!((status().failure_rate, status().opened_at), (None, None));
        script.next(Turn::Busy, 1);
        work(t).await.unwrap_err();
        work(t).await.unwrap();
        assert_eq!((status().failure_rate, status().slow_rate), (Some(0.5), None));
        t.advance(11 * SECOND).await;
        assert_eq!((status().failure_rate, status().retry_after), (None, None));
        script.next(Turn::Busy, 4);
        for _ in 0..4 {
            work(t).await.unwrap_err();
        }
        let opened = now();
        assert_eq!((status().breaker, status().opened_at), (Some(BreakerState::Open), opened));
        t.advance(30 * SECOND).await;
        assert_eq!(status().retry_after, Some(Duration::ZERO));
        work(t).await.unwrap();
        assert_eq!((status().breaker, status().opened_at), (Some(BreakerState::Closed), opened));
        assert_eq!(status().retry_after, None);
        operations.set_breaker_mode("press.work", BreakerMode::ForcedOpen).unwrap();
        assert_eq!((status().opened_at, status().retry_after), (now(), None));
        t.shutdown().await;
    });
}

/// F-API-05, F-CB-04: what cannot work is said at once, and changes nothing.
#[test]
fn settings_that_cannot_work_are_refused() {
    TestSystem::run(async |t| {
        let operations = t.system().operations();
        let never =
            CallSettings::new().timeout(Duration::ZERO).breaker(BreakerRules::tripping_on([Trip::Consecutive(0)]));
        let error = operations.set(never.clone()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidConfig);
        assert_eq!(error.to_string().matches(';').count(), 1, "{error}");
        let intensity = CallSettings::new().breaker(BreakerRules::default());
        assert!(operations.set_of_module("press", intensity).is_err());
        let script = Script::default();
        let refused =
            crate::trouble::manifest(never).register(&t.spawn(crate::trouble::actor(&script))).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.to_string()),
            (ErrorCode::InvalidConfig, "module `press`, operation `work`".to_owned())
        );
        assert!(t.system().modules().list().is_empty() && operations.list().is_empty());
        t.shutdown().await;
    });
}

/// F-RTY-03: nobody comes back before the breaker lets them.
#[test]
fn a_refused_call_is_not_tried_before_its_time() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, steady()).await;
        script.next(Turn::Busy, 5);
        five_fail(t).await;
        let began = t.now();
        let policy = RetryPolicy::builder().initial_delay(SECOND).jitter(Jitter::None).max_retries(1).build().unwrap();
        t.system().call("press.work", 1).retry(policy).timeout(60 * SECOND).await.unwrap();
        assert_eq!(t.now() - began, 30 * SECOND);
        let result: Result<_, CallError> = work(t).await;
        assert!(result.is_ok());
        t.shutdown().await;
    });
}
