//! F-BUS-01: a call by name answers what the handler returned; a name that leads nowhere says at once which part of it is
//! wrong and what was meant, and a payload that does not fit never reaches the handler.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, ErrorCode};
use callboard_bus::codec::{decode, encode};
use callboard_bus::{Address, CallError, Manifest, ModulesExt, RegisterError, Value, from_value};
use proptest::prelude::*;
use serde_json::json;

use crate::module_kit::{Add, Adder, SECOND, Who, adder, found, offer};

/// F-BUS-01, F-API-03.
#[test]
fn a_call_by_name_answers_what_the_handler_returned() {
    TestSystem::run(async |t| {
        let (adder, _) = found(t.system(), "1.2.0", 7).await;
        assert_eq!(t.system().call("adder.add", json!({ "amount": 3 })).await.unwrap(), Value::from(3));
        assert_eq!(t.system().call("adder.add@^1.1", json!({ "amount": 4 })).await.unwrap(), Value::from(7));
        let address: Address = "adder.who".parse().unwrap();
        let modules = t.system().modules();
        assert_eq!(modules.call(&address, json!({})).await.unwrap(), Value::from(7));
        let packed = t.system().call_packed("adder.add", encode(&json!({ "amount": 1 })).unwrap()).await.unwrap();
        assert_eq!(decode::<i64>(&packed, &callboard_bus::codec::Limits::default()).unwrap(), 8);
        let recipient = t.system().lookup::<Add>("adder.add").await.unwrap();
        assert_eq!(recipient.ask(Add { amount: 2 }).await.unwrap(), 10);
        assert_eq!(modules.find::<Who>().unwrap().ask(Who {}).await.unwrap(), 7);
        assert_eq!(adder.ask(Add { amount: 0 }).await.unwrap(), 10, "it was this one all the time");
        t.shutdown().await;
    });
}

/// Code and text of the failure of a call with nothing in it.
async fn failure(t: &TestSystem, address: &str, input: serde_json::Value) -> (ErrorCode, String) {
    let error = t.system().call(address, input).await.expect_err("it cannot be answered");
    (error.code(), error.to_string())
}

/// F-BUS-01, F-API-03: at once, and not when the time is over.
#[test]
fn a_name_that_leads_nowhere_says_what_was_meant() {
    TestSystem::run(async |t| {
        let nobody = failure(t, "adder.add", json!({})).await;
        assert_eq!(nobody, (ErrorCode::UnknownModule, "there is no module `adder`".to_owned()));
        let _registration = found(t.system(), "1.2.0", 1).await;
        let _other = offer("2.0.0-rc.1").register(&t.spawn(adder(2))).await.unwrap();
        let cases = [
            ("addr.add", ErrorCode::UnknownModule, "there is no module `addr`, did you mean `adder.add`?"),
            ("storage.put", ErrorCode::UnknownModule, "there is no module `storage`"),
            ("adder.ad", ErrorCode::UnknownOperation, "`adder` has no operation `ad`, did you mean `adder.add`?"),
            ("adder.multiply", ErrorCode::UnknownOperation, "`adder` has no operation `multiply`"),
            (
                "adder.add@^3",
                ErrorCode::VersionIncompatible,
                "no version of `adder.add` matches ^3, there is 2.0.0-rc.1, 1.2.0",
            ),
            ("adder", ErrorCode::InvalidName, "`adder` has no dot: an operation is named `module.operation`"),
            ("adder.a b", ErrorCode::InvalidName, "the operation of `adder.a b` has a space in it"),
        ];
        for (address, code, text) in cases {
            assert_eq!(failure(t, address, json!({ "amount": 1 })).await, (code, text.to_owned()));
        }
        assert!(t.now() < SECOND / 100, "at once");
        t.shutdown().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Near ones, far ones, and texts that are no names at all.
    #[test]
    fn any_text_leads_somewhere_or_has_a_code(
        texts in prop::collection::vec(prop_oneof![any::<String>(), r"(adder|m[a-z]{0,3})\.[a-z]{0,5}(@[\^0-9.*]{0,4})?"], 1..32),
    ) {
        TestSystem::run(async |t| {
            let _registration = found(t.system(), "1.0.0", 1).await;
            for text in texts {
                let known = matches!(&*text, "adder.who" | "adder.look");
                match t.system().call(&text, json!({})).await {
                    Ok(_) => assert!(known || text.starts_with("adder.who@") || text.starts_with("adder.look@"), "{text}"),
                    Err(CallError::Lookup(error)) => assert!(!known && !error.to_string().is_empty(), "{text}: {error}"),
                    Err(error) => assert!(text.starts_with("adder."), "{text}: {error}"),
                }
            }
            t.shutdown().await;
        });
    }
}

#[test]
fn a_payload_that_does_not_fit_says_where() {
    TestSystem::run(async |t| {
        let (adder, _) = found(t.system(), "1.0.0", 1).await;
        let (code, text) = failure(t, "adder.add", json!({ "amount": "much" })).await;
        assert_eq!(code, ErrorCode::ValidationFailed);
        assert_eq!(text, "the input of `adder.add` does not fit: at amount: expected i64, found string \"much\"");
        let (code, text) = failure(t, "adder.add", json!({})).await;
        assert_eq!(code, ErrorCode::ValidationFailed);
        assert_eq!(text, "the input of `adder.add` does not fit: missing field `amount`");
        assert_eq!(adder.ask(Add { amount: 0 }).await.unwrap(), 0);
        assert_eq!(t.inspect().actor("adder-1").unwrap().messages.handled, 1, "the handler was never called");
        t.shutdown().await;
    });
}

#[test]
fn a_domain_error_is_a_failure_with_the_words_of_the_error() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        t.system().call("adder.add", json!({ "amount": 6 })).await.unwrap();
        assert_eq!(t.system().call("adder.divide", json!({ "by": 3 })).await.unwrap(), Value::from(2));
        let failed = t.system().call("adder.divide", json!({ "by": 0 })).await.unwrap_err();
        assert!(matches!(failed, CallError::Failed(_)), "{failed:?}");
        assert_eq!((failed.code(), failed.to_string()), (ErrorCode::HandlerFailed, "6 cannot be divided by 0".into()));
        t.shutdown().await;
    });
}

#[test]
fn a_panic_is_told_to_the_caller() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let (code, text) = failure(t, "adder.boom", json!({})).await;
        assert_eq!(code, ErrorCode::HandlerPanicked);
        assert!(text.starts_with("the turn failed: adder-1: boom at "), "{text}");
        let who = t.system().call("adder.who", json!({})).await.unwrap();
        assert_eq!(from_value::<u64>(&who).unwrap(), 1, "its next value serves");
        t.shutdown().await;
    });
}

/// Code and text of a registration that is refused.
async fn refused(module: Manifest<Adder>, actor: &ActorRef<Adder>) -> (ErrorCode, String) {
    let error = module.register(actor).await.expect_err("it cannot be registered");
    (error.code(), error.to_string())
}

/// F-API-01.
#[test]
fn what_is_wrong_with_a_module_comes_out_when_it_is_registered() {
    TestSystem::run(async |t| {
        let actor = t.spawn(adder(1));
        let _registration = offer("1.0.0").register(&actor).await.unwrap();
        let twice = refused(offer("1.1.0"), &actor).await;
        assert_eq!(
            twice,
            (ErrorCode::AlreadyExists, "`adder-1` is registered as an instance of `adder` already".into())
        );
        let named = |name: &str| Manifest::new(name, "1.0.0");
        let cases = [
            (named("a b"), ErrorCode::InvalidName, "the name of the module `a b` has a space in it"),
            (
                named("b").operation::<Who>("a.b"),
                ErrorCode::InvalidName,
                "the name of the operation `a.b` has a dot in it",
            ),
            (
                named("b").operation::<Who>("who").operation::<Who>("who"),
                ErrorCode::AlreadyExists,
                "module `b` has two operations `who`",
            ),
            (
                Manifest::new("b", "one"),
                ErrorCode::InvalidConfig,
                "the version `one` of module `b` cannot be read: unexpected character 'o' while parsing major version number",
            ),
            (Manifest::new("b", "1.0.0").requires("put"), ErrorCode::InvalidName, "a requirement cannot be read"),
        ];
        for (module, code, text) in cases {
            assert_eq!(refused(module, &actor).await, (code, text.to_owned()));
        }
        actor.stop();
        actor.ended().await;
        let late = refused(offer("1.0.0"), &actor).await;
        assert_eq!(late, (ErrorCode::Unavailable, "`adder-1` is ending and cannot be an instance of `adder`".into()));
        t.shutdown().await;
        let over = offer("1.0.0").register(&actor).await.unwrap_err();
        assert!(matches!(over, RegisterError::Registry(_)), "{over:?}");
        assert_eq!(over.code(), ErrorCode::Unavailable);
    });
}

#[test]
fn the_registry_is_an_actor_like_any_other() {
    TestSystem::run(async |t| {
        let (adder, registration) = found(t.system(), "1.0.0", 1).await;
        assert_eq!(t.inspect().actor("registry").unwrap().messages.handled, 1);
        registration.unregister().await.unwrap();
        assert_eq!(t.system().call("adder.who", json!({})).await.unwrap_err().code(), ErrorCode::UnknownModule);
        assert_eq!(adder.ask(Who {}).await.unwrap(), 1, "the actor itself lives on");
        let _again = offer("1.0.0").register(&adder).await.unwrap();
        t.shutdown().await;
    });
}
