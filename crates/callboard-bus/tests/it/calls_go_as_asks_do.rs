//! A call by name made in a turn is an ask of that turn: it takes the deadline, the priority and the cycle along, and ends
//! with the future that waits for it.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, AskError, Context, ErrorCode, Fault, FaultClass, Handler, Message, Priority, Stage};
use callboard_bus::retry::FailureClass;
use callboard_bus::{CallError, Manifest, ModulesExt, Value, from_value};
use futures::poll;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::module_kit::{Add, Rest, SECOND, Seen, found};

/// Calls others by name.
struct Caller;

impl Actor for Caller {}

/// Calls this, and answers what that answers.
#[derive(Message, Clone, Deserialize, JsonSchema)]
#[message(reply = Value)]
struct Pass {
    to: String,
    input: Value,
    inherits: bool,
}

impl Handler<Pass> for Caller {
    async fn handle(&mut self, pass: Pass, cx: &mut Context<Self>) -> Result<Value, Fault> {
        let call = cx.call(&pass.to, pass.input);
        Ok(if pass.inherits { call.await? } else { call.no_inherit().await? })
    }
}

async fn caller(t: &TestSystem) -> callboard_actor::ActorRef<Caller> {
    let caller = t.spawn(callboard_actor::child("caller", || Caller));
    Manifest::new("caller", "1.0.0").operation::<Pass>("pass").register(&caller).await.unwrap();
    caller
}

fn pass(to: &str, input: serde_json::Value) -> Pass {
    Pass { to: to.to_owned(), input: input.into(), inherits: true }
}

#[test]
fn a_call_in_a_turn_inherits_its_deadline_and_priority() {
    TestSystem::run(async |t| {
        let (caller, _) = (caller(t).await, found(t.system(), "1.0.0", 1).await);
        let look = pass("adder.look", json!({}));
        let answer = caller.ask(look.clone()).timeout(20 * SECOND).priority(Priority::High).await.unwrap();
        let expected = Seen { seconds: Some(20), priority: "high".into(), idempotency_key: None };
        assert_eq!(from_value::<Seen>(&answer).unwrap(), expected);
        let answer = caller.ask(Pass { inherits: false, ..look }).timeout(20 * SECOND).await.unwrap();
        let own = Seen { seconds: Some(3600), priority: "background".into(), idempotency_key: None };
        assert_eq!(from_value::<Seen>(&answer).unwrap(), own, "the message type's own");
        t.shutdown().await;
    });
}

#[test]
fn options_go_with_the_call() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let call = t.system().call("adder.look", json!({}));
        let call = call.priority(Priority::Critical).timeout(5 * SECOND).idempotency_key("order-7");
        let expected = Seen { seconds: Some(5), priority: "critical".into(), idempotency_key: Some("order-7".into()) };
        assert_eq!(from_value::<Seen>(&call.await.unwrap()).unwrap(), expected);
        t.shutdown().await;
    });
}

/// F-BUS-01
#[test]
fn a_handler_that_outlives_the_deadline_is_not_waited_for() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let late = t.system().call("adder.rest", json!({ "seconds": 60 })).timeout(2 * SECOND).await.unwrap_err();
        assert!(matches!(late, CallError::Road { error: AskError::Timeout { stage: Stage::Handler }, .. }), "{late:?}");
        assert_eq!((late.code(), late.class()), (ErrorCode::Timeout, FailureClass::Unknown));
        assert!((2.0..2.05).contains(&t.now().as_secs_f64()), "{:?}", t.now());
        let queued = t.system().call("adder.who", json!({})).timeout(SECOND).await.unwrap_err();
        assert_eq!((queued.code(), queued.class()), (ErrorCode::Timeout, FailureClass::Transient), "it never ran");
        t.advance(60 * SECOND).await;
        assert_eq!(t.inspect().actor("adder-1").unwrap().messages.late_replies, 1, "what it answered is dropped");
        let none = t.system().call("adder.who", json!({})).timeout(Duration::ZERO).await.unwrap_err();
        assert_eq!(none.code(), ErrorCode::InvalidConfig);
        assert_eq!(none.to_string(), "a time-out of zero leaves no time for an answer");
        t.shutdown().await;
    });
}

#[test]
fn a_cycle_of_calls_is_refused() {
    TestSystem::run(async |t| {
        let caller = caller(t).await;
        let inner = json!({ "to": "adder.who", "input": {}, "inherits": true });
        let error = caller.ask(pass("caller.pass", inner)).await.unwrap_err();
        let AskError::Faulted(incident) = error else { panic!("{error:?}") };
        assert!(incident.text().contains("the ask would wait for itself: caller -> caller"), "{incident}");
        assert_eq!(incident.class(), FaultClass::Permanent);
        t.shutdown().await;
    });
}

/// A module whose instances call each other: one that waits for the caller itself is passed over.
#[test]
fn a_call_that_one_instance_would_wait_for_itself_goes_to_another() {
    TestSystem::run(async |t| {
        let mut callers = Vec::new();
        for id in 1..=3 {
            let caller = t.spawn(callboard_actor::child(format!("caller-{id}"), || Caller));
            let module = Manifest::new("caller", "1.0.0").operation::<Pass>("pass");
            module.register(&caller).await.unwrap();
            callers.push(caller);
        }
        let _adder = found(t.system(), "1.0.0", 7).await;
        t.settle().await;
        let innermost = json!({ "to": "adder.who", "input": {}, "inherits": true });
        let inner = json!({ "to": "caller.pass", "input": innermost, "inherits": true });
        for caller in &callers {
            for _ in 0..3 {
                let answer = caller.ask(pass("caller.pass", inner.clone())).await.unwrap();
                assert_eq!(from_value::<u64>(&answer).unwrap(), 7, "each of them has its turn");
            }
        }
        let fourth = json!({ "to": "caller.pass", "input": inner, "inherits": true });
        let error = callers[0].ask(pass("caller.pass", fourth)).await.unwrap_err();
        assert!(error.to_string().contains("the ask would wait for itself"), "{error}");
        t.shutdown().await;
    });
}

/// What `?` makes of a failed call in a handler.
#[test]
fn a_refused_call_is_a_fault_that_may_pass() {
    TestSystem::run(async |t| {
        let caller = caller(t).await;
        let (adder, registration) = found(t.system(), "1.0.0", 1).await;
        registration.set_health(callboard_bus::Health::Unhealthy("no disk".into())).await.unwrap();
        let AskError::Faulted(refused) = caller.ask(pass("adder.who", json!({}))).await.unwrap_err() else {
            panic!("the turn fails")
        };
        let text = "no instance of `adder.who` takes calls now: adder-1 1.0.0 is unhealthy: no disk";
        assert_eq!((refused.text(), refused.class()), (text, FaultClass::Retryable));
        let AskError::Faulted(unknown) = caller.ask(pass("adder.whom", json!({}))).await.unwrap_err() else {
            panic!("the turn fails")
        };
        let text = "`adder` has no operation `whom`, did you mean `adder.who`?";
        assert_eq!((unknown.text(), unknown.class()), (text, FaultClass::Permanent));
        adder.stop();
        t.shutdown().await;
    });
}

#[test]
fn a_call_that_is_dropped_before_its_turn_never_runs() {
    TestSystem::run(async |t| {
        let (adder, _) = found(t.system(), "1.0.0", 1).await;
        adder.tell(Rest { seconds: 10 }).await.unwrap();
        t.settle().await;
        {
            let mut call = pin!(t.system().call("adder.add", json!({ "amount": 5 })).into_future());
            assert!(poll!(&mut call).is_pending());
        }
        drop(t.system().call("adder.add", json!({ "amount": 7 })).into_future());
        t.advance(11 * SECOND).await;
        assert_eq!(adder.ask(Add { amount: 0 }).await.unwrap(), 0);
        assert_eq!(t.inspect().actor("adder-1").unwrap().messages.abandoned, 1);
        t.shutdown().await;
    });
}

#[test]
fn a_killed_instance_leaves_the_outcome_unknown() {
    TestSystem::run(async |t| {
        let (adder, _) = found(t.system(), "1.0.0", 1).await;
        let mut call = pin!(t.system().call("adder.rest", json!({ "seconds": 10 })).into_future());
        assert!(poll!(&mut call).is_pending());
        t.settle().await;
        adder.kill();
        let killed = call.await.unwrap_err();
        assert_eq!((killed.code(), killed.class()), (ErrorCode::Unavailable, FailureClass::Unknown), "{killed}");
        t.shutdown().await;
    });
}
