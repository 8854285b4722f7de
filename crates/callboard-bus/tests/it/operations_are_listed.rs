//! F-API-10, F-API-11: every operation is listed with what it is, what it takes, and how its calls have gone.

use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{CallSettings, Manifest, ModulesExt, Operation, OperationsExt};
use serde_json::json;

use crate::module_kit::{Add, Adder, Divide, SECOND, adder};
use crate::trouble::{Script, Turn, press, work};

/// F-API-11
#[test]
fn each_is_described_with_its_figures() {
    TestSystem::run(async |t| {
        let add = Operation::new::<Add>("add").description("adds up").idempotent();
        let divide = Operation::fallible::<Divide, _, _>("divide").deprecated("use `share`");
        let manifest = Manifest::<Adder>::new("adder", "1.2.0").offer(add).offer(divide);
        let registration = manifest.register(&t.spawn(adder(1))).await.unwrap();
        t.system().call("adder.add", json!({ "amount": 3 })).await.unwrap();
        let list = t.system().operations().list();
        let names: Vec<_> = list.iter().map(|status| status.descriptor.address.as_str()).collect();
        assert_eq!(names, ["adder.add", "adder.divide"]);
        let (add, divide) = (&list[0], &list[1]);
        assert_eq!(
            (add.descriptor.description.as_str(), add.descriptor.version.to_string()),
            ("adds up", "1.2.0".into())
        );
        assert_eq!(add.descriptor.message_schema["properties"]["amount"]["type"], "integer");
        assert_eq!((divide.descriptor.deprecated.as_deref(), divide.counts.begun), (Some("use `share`"), 0));
        assert_eq!((add.counts.begun, add.counts.succeeded, add.success_rate()), (1, 1, Some(1.0)));
        registration.unregister().await.unwrap();
        assert!(t.system().operations().list().is_empty());
        let gone = t.system().operations().status("adder.add").unwrap_err();
        assert_eq!(gone.code(), ErrorCode::UnknownModule);
        t.shutdown().await;
    });
}

/// F-API-10: every attempt that has begun is in one count, and failures are told apart by class.
#[test]
fn what_becomes_of_calls_is_counted_by_class() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().no_breaker()).await;
        for turn in [Turn::Well, Turn::Busy, Turn::Wrong, Turn::Busy] {
            script.next(turn, 1);
            let _ = work(t).await;
        }
        let status = t.system().operations().status("press.work").unwrap();
        let counts = status.counts;
        assert_eq!((counts.begun, counts.succeeded, counts.transient, counts.permanent), (4, 1, 2, 1));
        assert_eq!((counts.in_flight, status.success_rate()), (0, Some(0.25)));
        assert_eq!((status.last_error.as_deref(), status.times.timed), (Some("the press is BUSY"), 4));
        t.shutdown().await;
    });
}

/// F-API-10: of twenty calls that take one second, two, and so on to twenty, the mean is exact; the others are never too small, and
/// at most an eighth too large.
#[test]
fn how_long_calls_take_is_told_as_mean_and_shares() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        for seconds in 1..=20 {
            script.next(Turn::Long(seconds * SECOND), 1);
            work(t).await.unwrap();
        }
        let times = t.system().operations().status("press.work").unwrap().times;
        assert_eq!((times.timed, times.mean), (20, Some(Duration::from_millis(10_500))));
        for (found, seconds) in [(times.p50, 10), (times.p95, 19), (times.p99, 20)] {
            let (found, exact) = (found.unwrap(), seconds * SECOND);
            assert!(exact <= found && found <= exact + exact / 8, "{found:?} and not {exact:?}");
        }
        t.shutdown().await;
    });
}
