//! F-API-06 to F-API-09, F-API-12: what calls go through on their way, in the order of its numbers, for all calls, for those of
//! a module, or for those of one operation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

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
            "time-out: 30s (that of the system)",
            "retry: none",
            "places: 1000 at once (calls from outside)",
            "breaker: opens for 30s",
        ];
        assert_eq!(pipeline.steps()[..7], expected);
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

/// F-BUS-01, F-API-07, F-API-09: who calls, what, with what, until when; and what they say besides.
#[test]
fn it_sees_who_calls_and_what_they_say() {
    TestSystem::run(async |t| {
        let (script, trail) = (Script::default(), Trail::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let seen = trail.clone();
        let look = move |request: Request, next: Next| {
            let Request { operation, input, api_key, user, metadata, deadline, .. } = &request;
            let said = (input, metadata.get("requires_auth"), deadline.map(|deadline| deadline.as_secs()));
            seen.note(format!("{} {operation} {api_key:?} {user:?} {said:?}", request.module()));
            next.run(request)
        };
        operations.middleware("look").priority(1).install(look).unwrap();
        operations.middleware("user").install(require_user).unwrap();
        let yes = Value::from(true);
        let call = || t.system().call("press.work", 1).metadata("requires_auth", true).timeout(Duration::from_secs(7));
        let (end, usual) =
            ((t.now() + Duration::from_secs(7)).as_secs(), (t.now() + Duration::from_secs(30)).as_secs());
        let refused = call().api_key("k").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unauthenticated);
        assert_eq!(refused.to_string(), "Authentication required");
        call().user("ada").await.unwrap();
        work(t).await.unwrap();
        let (said, silent) = ((Value::from(1), Some(&yes), Some(end)), (Value::from(1), None::<&Value>, Some(usual)));
        let expected = [
            format!("press press.work Some(\"k\") None {said:?}"),
            format!("press press.work None Some(\"ada\") {said:?}"),
            format!("press press.work None None {silent:?}"),
        ];
        assert_eq!((trail.take(), script.calls()), (expected.to_vec(), 2));
        t.shutdown().await;
    });
}

/// F-API-07: all that can be said of a call can be said of one with MessagePack.
#[test]
fn packed_calls_say_as_much() {
    TestSystem::run(async |t| {
        let (script, trail) = (Script::default(), Trail::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let seen = trail.clone();
        let look = move |request: Request, next: Next| {
            seen.note(format!("{:?} {:?} {:?}", request.api_key, request.user, request.metadata.get("test")));
            next.run(request)
        };
        operations.middleware("look").install(look).unwrap();
        script.next(Turn::Busy, 1);
        let call = t.system().call_packed("press.work", vec![7]).retry(RetryPolicy::default()).api_key("k").user("ada");
        assert_eq!(call.test().await.unwrap(), [7]);
        assert_eq!(trail.take(), ["Some(\"k\") Some(\"ada\") Some(true)"]);
        assert_eq!(
            (script.calls(), operations.status("press.work").unwrap().counts.begun),
            (2, 0),
            "a test is not counted"
        );
        t.shutdown().await;
    });
}

/// F-API-07, F-API-12: the id of the call, which its handler sees as well; its trace, whether the call says it or the turn that it is
/// made in; and for what each attempt goes through the number of it. Printed is the time that calls have in truth.
#[test]
fn it_sees_ids_and_attempts() {
    TestSystem::run(async |t| {
        let (script, trail) = (Script::default(), Trail::default());
        let _press = press(t, &script, CallSettings::new()).await;
        let operations = t.system().operations();
        let look = |place: &'static str| {
            let trail = trail.clone();
            move |request: Request, next: Next| {
                let (lineage, attempt) = (request.lineage, request.attempt);
                let trace = lineage.trace.map(|trace| trace.to_string());
                trail.note(format!("{place} {} {attempt:?} {trace:?}", lineage.message_id));
                next.run(request)
            }
        };
        operations.middleware("each").priority(1).each_attempt().install(look("each")).unwrap();
        operations.middleware("around").priority(2).install(look("around")).unwrap();
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        script.next(Turn::Busy, 1);
        let call = t.system().call("press.work", 1).retry(RetryPolicy::default()).trace(text.parse().unwrap());
        call.await.unwrap();
        let seen = script.seen();
        let (Some(id), [1, 2]) = (seen[0].0, [seen[0].1, seen[1].1]) else { panic!("{seen:?}") };
        let trace = Some(text);
        let expected = [
            format!("around {id} None {trace:?}"),
            format!("each {id} Some(1) {trace:?}"),
            format!("each {id} Some(2) {trace:?}"),
        ];
        assert_eq!(trail.take(), expected);
        work(t).await.unwrap();
        let (seen, trail) = (script.seen(), trail.take());
        let other = seen[0].0.unwrap();
        assert_ne!(other, id);
        assert_eq!(trail, [format!("around {other} None None"), format!("each {other} Some(1) None")]);
        let steps = operations.pipeline("press.work").unwrap();
        let expected = [
            "2 around (all calls)",
            "time-out: 30s (that of the system)",
            "retry: none",
            "1 each (all calls, each attempt)",
            "places: 1000 at once (calls from outside)",
        ];
        assert_eq!(steps.steps()[..5], expected);
        t.system().set_ask_timeout(Duration::from_secs(7));
        assert_eq!(operations.pipeline("press.work").unwrap().steps()[1], "time-out: 7s (that of the system)");
        t.shutdown().await;
    });
}

/// F-API-07: one that is for each attempt may change what goes in, and answer an attempt by itself.
#[test]
fn each_attempt_may_be_changed() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let sign = |mut request: Request, next: Next| async move {
            if request.attempt == Some(1) {
                return Err(CallError::refused(ErrorCode::Unavailable, "not yet"));
            }
            request.input = Value::from(request.attempt.unwrap_or_default() * 10);
            next.run(request).await
        };
        t.system().operations().middleware("sign").each_attempt().install(sign).unwrap();
        let output = t.system().call("press.work", 1).retry(RetryPolicy::default()).await.unwrap();
        assert_eq!((output, script.calls()), (Value::from(20), 1));
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
