//! F-BUS-05, F-API-05, F-API-06, F-API-10: the methods of a module's reference are calls of its operations as much as calls by
//! name are: past the same breaker, into the same counts, by the same settings and through the same middleware.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, BreakerRules, BreakerState, Context, ErrorCode, Fault, Message, Trip};
use callboard_bus::middleware::{Next, Request, require_user};
use callboard_bus::retry::Jitter;
use callboard_bus::{
    CallCounts, CallError, CallSettings, Manifest, Module, ModulesExt, OperationsExt, Registration, RetryPolicy, Value,
    module,
};
use futures::poll;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SECOND: Duration = Duration::from_secs(1);

/// Fails as often as it was told to, and counts how often it was asked.
#[derive(Default)]
struct Desk {
    failures: u32,
    asked: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("the desk is {0}")]
struct Refusal(&'static str);

/// Can be copied and shown.
#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = Result<u32, Refusal>)]
struct Work {
    amount: u32,
}

/// Can be neither copied nor shown.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u32)]
struct Drop {
    amount: u32,
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = ())]
struct Wait {}

/// Cannot be copied, and cannot be shown though it says that it can.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u32)]
struct Secret {
    amount: u32,
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is not shown"))
    }
}

/// An output that cannot be read back.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Opaque(u32);

#[derive(Message, Serialize, Deserialize, JsonSchema)]
#[message(reply = Opaque)]
struct Look {}

#[module(name = "desk", version = "1.0.0")]
impl Desk {
    #[request("work")]
    fn work(&mut self, work: Work) -> Result<u32, Refusal> {
        self.asked += 1;
        match self.failures.checked_sub(1) {
            Some(left) => {
                self.failures = left;
                Err(Refusal("busy"))
            }
            None if work.amount == 0 => Err(Refusal("closed")),
            None => Ok(work.amount * 2),
        }
    }

    #[request("drop")]
    fn drop(&mut self, drop: Drop) -> Result<u32, Fault> {
        self.asked += 1;
        match self.failures.checked_sub(1) {
            Some(left) => {
                self.failures = left;
                Err(Fault::retryable("it was to fail"))
            }
            None => Ok(drop.amount),
        }
    }

    #[request("hide")]
    fn hide(&mut self, secret: Secret) -> Result<u32, Fault> {
        self.drop(Drop { amount: secret.amount })
    }

    #[request("wait")]
    async fn wait(&mut self, _: Wait, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.system().sleep(10 * SECOND).await;
        Ok(())
    }

    #[request("look")]
    fn look(&mut self, _: Look) -> Opaque {
        Opaque(self.asked)
    }
}

async fn desk(t: &TestSystem, failures: u32, settings: CallSettings) -> (ActorRef<Desk>, Registration) {
    let desk = t.spawn(move || Desk { failures, asked: 0 });
    let registration = Desk::manifest().register(&desk).await.unwrap();
    t.system().operations().set_of_operation("desk.work", settings.clone()).unwrap();
    t.system().operations().set_of_operation("desk.drop", settings).unwrap();
    (desk, registration)
}

fn counts(t: &TestSystem, operation: &str) -> CallCounts {
    t.system().operations().status(operation).unwrap().counts
}

fn two_retries() -> CallSettings {
    let policy = RetryPolicy::builder().max_retries(2).initial_delay(SECOND).jitter(Jitter::None).build().unwrap();
    CallSettings::new().retry(policy)
}

/// F-BUS-05, F-API-10: failures of both kinds of calls count in one breaker, which keeps both kinds away.
#[test]
fn both_kinds_of_calls_share_breaker_and_counts() {
    TestSystem::run(async |t| {
        let rules = BreakerRules::tripping_on([Trip::Consecutive(4)]);
        let (desk, _registration) = desk(t, 4, CallSettings::new().breaker(rules)).await;
        for _ in 0..2 {
            assert!(desk.work(Work { amount: 1 }).await.unwrap().is_err());
            t.system().call("desk.work", serde_json::json!({ "amount": 1 })).await.unwrap_err();
        }
        let refused = desk.work(Work { amount: 1 }).await.unwrap_err();
        assert_eq!((refused.code(), refused.retry_after().is_some()), (ErrorCode::CircuitOpen, true));
        t.system().call("desk.work", serde_json::json!({ "amount": 1 })).await.unwrap_err();
        assert_eq!(t.system().operations().open_breakers(), ["desk.work"]);
        assert_eq!(desk.work(Work { amount: 1 }).ignore_breaker().await.unwrap().unwrap(), 2);
        let counts = counts(t, "desk.work");
        assert_eq!((counts.begun, counts.transient, counts.succeeded, counts.rejected), (5, 4, 1, 2));
        assert_eq!(desk.look(Look {}).await.unwrap(), Opaque(5), "who was kept away did not reach the handler");
        t.shutdown().await;
    });
}

/// What the caller did wrong is in the reply, is counted, and does not speak against the operation.
#[test]
fn a_failure_is_in_the_reply_and_in_the_counts() {
    TestSystem::run(async |t| {
        let rules = BreakerRules::tripping_on([Trip::Consecutive(1)]);
        let (desk, _registration) = desk(t, 0, CallSettings::new().breaker(rules)).await;
        let reply = desk.work(Work { amount: 0 }).await.unwrap();
        assert_eq!(reply.unwrap_err().to_string(), "the desk is closed");
        assert_eq!(counts(t, "desk.work").permanent, 1);
        let status = t.system().operations().status("desk.work").unwrap();
        assert_eq!(status.breaker, Some(BreakerState::Closed));
        t.shutdown().await;
    });
}

/// F-API-06: middleware cannot be passed by. It is shown the message where that can be shown, and may answer by itself.
#[test]
fn middleware_stands_in_the_way() {
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 0, CallSettings::new()).await;
        let operations = t.system().operations();
        operations.middleware("user").install(require_user).unwrap();
        let refused = desk.work(Work { amount: 1 }).metadata("requires_auth", true).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unauthenticated);
        let admitted = desk.work(Work { amount: 1 }).metadata("requires_auth", true).user("ada").await;
        assert_eq!(admitted.unwrap().unwrap(), 2);
        assert_eq!(desk.drop(Drop { amount: 7 }).user("ada").await.unwrap(), 7);
        let reply = desk.work(Work { amount: 0 }).user("ada").await.unwrap();
        assert_eq!(reply.unwrap_err().to_string(), "the desk is closed");
        assert_eq!(desk.look(Look {}).user("ada").await.unwrap(), Opaque(3));
        assert!(operations.remove_middleware("user"));

        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let notes = std::sync::Arc::clone(&seen);
        let note = move |request: Request, next: Next| {
            notes.lock().unwrap().push((request.operation.to_string(), serde_json::to_string(&request.input).unwrap()));
            next.run(request)
        };
        operations.middleware("note").install(note).unwrap();
        desk.work(Work { amount: 3 }).await.unwrap().unwrap();
        desk.drop(Drop { amount: 3 }).await.unwrap();
        let expected = [("desk.work", r#"{"amount":3}"#), ("desk.drop", "null")];
        assert_eq!(*seen.lock().unwrap(), expected.map(|(operation, input)| (operation.to_owned(), input.to_owned())));
        t.shutdown().await;
    });
}

/// F-API-06: what middleware makes of the input goes in, and what it makes of the output comes out, as far as its type can be read.
#[test]
fn middleware_may_change_what_passes() {
    async fn more(mut request: Request, next: Next) -> Result<Value, CallError> {
        request.input = serde_json::json!({ "amount": 50 }).into();
        next.run(request).await
    }
    async fn nothing(_: Request, _: Next) -> Result<Value, CallError> {
        Ok(Value::from(1000))
    }
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 0, CallSettings::new()).await;
        let operations = t.system().operations();
        operations.middleware("more").install(more).unwrap();
        assert_eq!(desk.work(Work { amount: 1 }).await.unwrap().unwrap(), 100);
        assert_eq!(desk.drop(Drop { amount: 1 }).await.unwrap(), 50);
        operations.middleware("nothing").install(nothing).unwrap();
        assert!(operations.remove_middleware("more"));
        assert_eq!(desk.work(Work { amount: 1 }).await.unwrap().unwrap(), 1000);
        assert_eq!(desk.drop(Drop { amount: 1 }).await.unwrap(), 1000);
        let unread = desk.look(Look {}).await.unwrap_err();
        assert!(unread.to_string().contains("a middleware has changed it, and no `"), "{unread}");
        t.shutdown().await;
    });
}

/// F-API-05: what is said of retries holds for both kinds of calls; of what cannot be copied there is one attempt.
#[test]
fn what_can_be_copied_is_tried_again() {
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 2, two_retries()).await;
        assert_eq!(desk.work(Work { amount: 4 }).await.unwrap().unwrap(), 8);
        assert_eq!((counts(t, "desk.work").begun, counts(t, "desk.work").retried), (3, 2));
        assert_eq!(t.system().elapsed().as_secs(), 3, "1 s and 2 s lie between");
        t.shutdown().await;
    });
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 2, two_retries()).await;
        let error = desk.drop(Drop { amount: 4 }).await.unwrap_err();
        assert_eq!((error.code(), error.attempts()), (ErrorCode::HandlerFailed, 1));
        t.shutdown().await;
    });
}

/// The nearest word counts, and a time-out of nothing is none.
#[test]
fn a_time_out_is_kept() {
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 0, CallSettings::new()).await;
        t.system().operations().set(CallSettings::new().timeout(2 * SECOND)).unwrap();
        assert_eq!(desk.wait(Wait {}).await.unwrap_err().code(), ErrorCode::Timeout);
        assert_eq!(t.system().elapsed().as_secs(), 2);
        assert_eq!(desk.wait(Wait {}).timeout(SECOND).await.unwrap_err().code(), ErrorCode::Timeout);
        assert!(matches!(desk.wait(Wait {}).timeout(Duration::ZERO).await, Err(CallError::NoTime)));
        desk.wait(Wait {}).timeout(20 * SECOND).await.unwrap();
        t.shutdown().await;
    });
}

/// Who does not wait for the end has abandoned the call.
#[test]
fn a_call_that_is_dropped_is_counted() {
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 0, CallSettings::new()).await;
        let mut call = Box::pin(desk.wait(Wait {}).into_future());
        assert!(poll!(&mut call).is_pending());
        assert_eq!(counts(t, "desk.wait").in_flight, 1);
        drop(call);
        let counts = counts(t, "desk.wait");
        assert_eq!((counts.in_flight, counts.abandoned), (0, 1));
        t.shutdown().await;
    });
}

/// A reference to an actor that is no module yet is one to an actor.
#[test]
fn without_a_module_it_is_an_ask() {
    TestSystem::run(async |t| {
        let desk = t.spawn(Desk::default);
        t.system().operations().middleware("user").install(require_user).unwrap();
        assert_eq!(desk.work(Work { amount: 1 }).await.unwrap().unwrap(), 2);
        let _registration =
            Manifest::<Desk>::new("other", "1.0.0").operation::<Look>("look").register(&desk).await.unwrap();
        // What it was registered as has no such operation at this place.
        assert_eq!(desk.work(Work { amount: 1 }).await.unwrap().unwrap(), 2);
        t.shutdown().await;
    });
}

/// What can be neither copied nor shown has one attempt, and the error says why no other.
#[test]
fn what_cannot_be_shown_is_not_tried_again() {
    TestSystem::run(async |t| {
        let (desk, _registration) = desk(t, 5, CallSettings::new()).await;
        let policy = RetryPolicy::builder().max_retries(2).jitter(Jitter::None).build().unwrap();
        let error = desk.hide(Secret { amount: 1 }).retry(policy).await.unwrap_err();
        assert_eq!((error.code(), error.attempts()), (ErrorCode::HandlerFailed, 1), "{error}");
        assert_eq!(counts(t, "desk.hide").begun, 1);
        t.shutdown().await;
    });
}
