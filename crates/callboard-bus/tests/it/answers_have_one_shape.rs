//! F-MOD-07: what came of a call is told to others in one shape, and an error with what they need to act on it.

use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::retry::Jitter;
use callboard_bus::{CallError, CallSettings, ModulesExt, OperationsExt, Response, RetryPolicy, Value};
use serde_json::{Value as Json, json};

use crate::trouble::{Script, Turn, press, work};

fn told(result: Result<Value, CallError>) -> Json {
    serde_json::to_value(Response::new(result)).unwrap()
}

/// F-MOD-07: nothing but `status` and `result`, and the result is what the handler returned.
#[test]
fn what_went_well_is_success() {
    TestSystem::run(async |t| {
        let _press = press(t, &Script::default(), CallSettings::new()).await;
        assert_eq!(told(work(t).await), json!({ "status": "success", "result": 1 }));
        assert_eq!(told(Ok(Value::Null)), json!({ "status": "success", "result": null }));
        assert_eq!(Response::new(work(t).await).into_result().unwrap(), 1.into());
        t.shutdown().await;
    });
}

/// F-BUS-01: the reply carries the id of its request, which is the one that the handler saw; and says so in its JSON, however the
/// call has ended.
#[test]
fn a_reply_names_its_request() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let reply = t.system().call("press.work", 7).with_reply().await;
        let (id, seen) = (reply.correlation_id, script.seen());
        assert_eq!((seen, reply.result.as_ref().unwrap()), (vec![(Some(id), 1)], &Value::from(7)));
        let json = serde_json::to_value(Response::from(reply)).unwrap();
        assert_eq!(json, json!({ "status": "success", "result": 7, "correlation_id": id.to_string() }));

        let own = t.system().fresh_id();
        let unknown = t.system().call("pres.work", 1).message_id(own).with_reply().await;
        assert_eq!(unknown.correlation_id, own, "the caller may choose it");
        let json = serde_json::to_value(Response::from(unknown)).unwrap();
        assert_eq!(
            (&json["error"]["code"], &json["correlation_id"]),
            (&json!("unknown_module"), &json!(own.to_string()))
        );

        let packed = t.system().call_packed("press.work", vec![9]).message_id(own).with_reply().await;
        assert_eq!(
            (packed.result.unwrap(), packed.correlation_id, script.seen()),
            (vec![9], own, vec![(Some(own), 1)])
        );
        t.shutdown().await;
    });
}

/// F-MOD-07: nothing but `status` and `error`, with the stable code and the words of the error.
#[test]
fn what_did_not_is_an_error_with_its_code() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Wrong, 2);
        let help = ErrorCode::HandlerFailed.help();
        let error =
            json!({ "code": "handler_failed", "message": "there is no such paper", "help": help, "retryable": false });
        assert_eq!(told(work(t).await), json!({ "status": "error", "error": error }));
        assert_eq!(work(t).await.unwrap_err().help(), help, "as the error itself says");

        script.next(Turn::Busy, 2);
        let policy = RetryPolicy::builder().max_retries(1).jitter(Jitter::None).build().unwrap();
        let gave_up = told(t.system().call("press.work", 1).retry(policy).await);
        let error = &gave_up["error"];
        assert_eq!((&error["attempts"], &error["retryable"]), (&json!(2), &json!(true)));

        script.next(Turn::Busy, 3);
        for _ in 0..3 {
            work(t).await.unwrap_err();
        }
        t.advance(Duration::from_secs(1)).await;
        let open = told(work(t).await);
        assert_eq!(open["error"]["code"], "circuit_open");
        assert_eq!(open["error"]["retry_after"], told_wait(t), "as the breaker says");

        let unfit = told(t.system().call("press.other", json!("x")).await);
        assert_eq!(unfit["error"]["code"], "validation_failed");
        let unknown = told(t.system().call("pres.work", 1).await);
        assert_eq!(unknown["error"]["code"], "unknown_module");
        assert!(unknown["error"]["message"].as_str().unwrap().contains("did you mean `press."));
        t.shutdown().await;
    });
}

fn told_wait(t: &TestSystem) -> Json {
    let status = t.system().operations().status("press.work").unwrap();
    serde_json::to_value(status).unwrap()["retry_after"].clone()
}
