//! F-API-06 to F-API-09, F-API-12: what calls go through on their way, in the order of its numbers, for all calls, for those of
//! a module, or for those of one operation.

use std::sync::{Arc, Mutex};

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::middleware::{MiddlewareError, Next, Request, log_calls, require_user};
use callboard_bus::{CallError, CallSettings, ModulesExt, OperationsExt, RetryPolicy, Value};
use futures::FutureExt;

use crate::trouble::{Script, Turn, press, work};

#[derive(Clone, Default)]
struct Trail(Arc<Mutex<Vec<String>>>);

impl Trail {
    fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Writes down when a call goes in and when it comes out.
fn noting(
    trail: &Trail,
    name: &'static str,
) -> impl Fn(Request, Next) -> callboard_bus::middleware::Answer + Send + Sync + use<> {
    let trail = trail.clone();
    move |request, next| {
        let trail = trail.clone();
        async move {
            trail.note(format!("{name} in"));
            let result = next.run(request).await;
            trail.note(format!("{name} {}", if result.is_ok() { "out" } else { "failed" }));
            result
        }
        .boxed()
    }
}

/// F-API-06, F-API-12
#[test]
fn the_lowest_number_is_outermost() {
    TestSystem::run(async |t| {
        let (script, trail) = (Script::default(), Trail::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        operations.middleware("authentication").priority(20).on_module("press").install(noting(&trail, "b")).unwrap();
        operations.middleware("logging").priority(10).install(noting(&trail, "a")).unwrap();
        operations.middleware("again").priority(20).on_operation("press.work").install(noting(&trail, "c")).unwrap();
        operations.middleware("elsewhere").on_module("pres").install(noting(&trail, "x")).unwrap();
        work(t).await.unwrap();
        assert_eq!(trail.take(), ["a in", "b in", "c in", "c out", "b out", "a out"]);
        t.system().call("press.other", 1).await.unwrap();
        assert_eq!(trail.take(), ["a in", "b in", "b out", "a out"]);
        script.next(Turn::Wrong, 1);
        work(t).await.unwrap_err();
        assert_eq!(trail.take(), ["a in", "b in", "c in", "c failed", "b failed", "a failed"]);
        let pipeline = operations.pipeline("press.work").unwrap();
        let expected = [
            "10 logging (all calls)",
            "20 authentication (module press)",
            "20 again (press.work)",
            "retry: none",
            "breaker: opens for 30s",
        ];
        assert_eq!(pipeline.steps()[..5], expected);
        let twice = operations.middleware("logging").install(log_calls).unwrap_err();
        assert_eq!(
            (&twice, twice.code()),
            (&MiddlewareError::AlreadyExists("logging".into()), ErrorCode::AlreadyExists)
        );
        assert_eq!(operations.middleware(" ").install(log_calls), Err(MiddlewareError::NoName));
        assert!(operations.remove_middleware("logging") && !operations.remove_middleware("logging"));
        work(t).await.unwrap();
        assert_eq!(trail.take(), ["b in", "c in", "c out", "b out"]);
        t.shutdown().await;
    });
}

/// F-API-06: it may answer by itself, and change what goes in and what comes out.
#[test]
fn it_may_answer_by_itself_and_change_what_passes() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let double = |mut request: Request, next: Next| async move {
            let n: u64 = callboard_bus::from_value(&request.input).unwrap_or_default();
            request.input = Value::from(n * 2);
            let output = next.run(request).await?;
            Ok(Value::from(format!("<{output}>")))
        };
        operations.middleware("double").priority(2).install(double).unwrap();
        assert_eq!(t.system().call("press.work", 21).await.unwrap(), Value::from("<42>"));
        let closed =
            |_: Request, _: Next| async { Err::<Value, _>(CallError::refused(ErrorCode::RateLimited, "come back")) };
        operations.middleware("closed").priority(1).install(closed).unwrap();
        let refused = work(t).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.to_string().as_str(), script.calls()),
            (ErrorCode::RateLimited, "come back", 1)
        );
        t.shutdown().await;
    });
}

/// F-API-07, F-API-09
#[test]
fn it_sees_who_calls_and_what_they_say() {
    TestSystem::run(async |t| {
        let (script, trail) = (Script::default(), Trail::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let seen = trail.clone();
        let look = move |request: Request, next: Next| {
            seen.note(format!("{} {} {:?} {:?}", request.module(), request.operation, request.api_key, request.user));
            next.run(request)
        };
        operations.middleware("look").priority(1).install(look).unwrap();
        operations.middleware("user").install(require_user).unwrap();
        let call = || t.system().call("press.work", 1).metadata("requires_auth", true);
        let refused = call().api_key("k").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unauthenticated);
        assert_eq!(refused.to_string(), "Authentication required");
        call().user("ada").await.unwrap();
        work(t).await.unwrap();
        let expected =
            ["press press.work Some(\"k\") None", "press press.work None Some(\"ada\")", "press press.work None None"];
        assert_eq!((trail.take(), script.calls()), (expected.map(str::to_owned).to_vec(), 2));
        t.shutdown().await;
    });
}

/// A retry is behind all of it, and a panic costs the call alone.
#[test]
fn what_is_tried_again_passes_once_and_a_panic_costs_its_call() {
    TestSystem::run(async |t| {
        let (script, trail) = (Script::default(), Trail::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        operations.middleware("a").install(noting(&trail, "a")).unwrap();
        script.next(Turn::Busy, 2);
        t.system().call("press.work", 1).retry(RetryPolicy::default()).await.unwrap();
        assert_eq!((trail.take(), script.calls()), (vec!["a in".to_owned(), "a out".to_owned()], 3));
        async fn broken(_: Request, _: Next) -> Result<Value, CallError> {
            panic!("it broke")
        }
        operations.middleware("broken").install(broken).unwrap();
        let error = work(t).await.unwrap_err();
        assert_eq!(error.to_string(), "a middleware panicked in a call of `press.work`");
        operations.remove_middleware("broken");
        work(t).await.unwrap();
        t.shutdown().await;
    });
}
