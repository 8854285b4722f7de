//! Whatever bytes a caller sends, the answer is an output or a typed error, and the handler sees only messages.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, System};
use callboard_bus::codec::{Limits, decode_value, encode};
use callboard_bus::{CallError, Manifest, ModulesExt, Value};
use proptest::prelude::*;
use serde_json::json;

use crate::module_kit::{Add, found};

async fn refusal(system: &System, bytes: &[u8], limits: Limits) -> (ErrorCode, String) {
    let error = system.call_packed("adder.add", bytes.to_vec()).limits(limits).await.expect_err("it is refused");
    (error.code(), error.to_string())
}

#[test]
fn each_guard_has_its_code() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let plain = encode(&json!({ "amount": 1 })).unwrap();
        let trailing: Vec<u8> = plain.iter().copied().chain([0xc0]).collect();
        let deep = vec![0x91; 100_000];
        let many = [0xdd, 0xff, 0xff, 0xff, 0xff];
        let twice = b"\x82\xa6amount\x01\xa6amount\x02";
        let small = Limits::default().max_bytes(4);
        let cases: [(&[u8], Limits, ErrorCode, &str); 7] = [
            (&deep, Limits::default(), ErrorCode::NestingTooDeep, "nested deeper than 64 levels at byte 64"),
            (&many, Limits::default(), ErrorCode::PayloadTooLarge, "more than 1000000 elements at byte 0"),
            (&plain, small, ErrorCode::PayloadTooLarge, "9 bytes, more than 4"),
            (&trailing, Limits::default(), ErrorCode::Malformed, "something after the value at byte 9"),
            (twice, Limits::default(), ErrorCode::Malformed, "an object with the key \"amount\" twice at byte 0"),
            (b"", Limits::default(), ErrorCode::Malformed, "an end that comes too soon at byte 0"),
            (
                b"\xc1",
                Limits::default(),
                ErrorCode::Malformed,
                "the byte 0xc1, which MessagePack does not use at byte 0",
            ),
        ];
        for (bytes, limits, code, text) in cases {
            let expected = (code, format!("the input of `adder.add` cannot be read: {text}"));
            assert_eq!(refusal(t.system(), bytes, limits).await, expected);
        }
        let unfit = refusal(t.system(), &encode("text").unwrap(), Limits::default()).await;
        assert_eq!(unfit.0, ErrorCode::ValidationFailed);
        assert_eq!(t.inspect().actor("adder-1").unwrap().messages.sent, 0, "the handler was never called");
        t.shutdown().await;
    });
}

/// A name that leads nowhere is found out before the payload is read.
#[test]
fn a_wrong_name_is_told_before_a_wrong_payload() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let error = t.system().call_packed("adder.sub", vec![0xc1]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownOperation);
        t.shutdown().await;
    });
}

/// An answer that fits the payload, or a fault of the payload.
async fn is_accounted_for(system: &System, bytes: Vec<u8>, total: &mut i64) {
    let read = decode_value(&bytes, &Limits::default()).ok();
    let message = read.filter(names_nothing_else).and_then(|value| callboard_bus::from_value::<Add>(&value).ok());
    match (system.call_packed("adder.add", bytes).await, message) {
        (Ok(output), Some(Add { amount })) => {
            *total = total.wrapping_add(amount);
            assert_eq!(decode_value(&output, &Limits::default()).unwrap(), Value::from(*total));
        }
        (Err(CallError::Bytes { .. } | CallError::Input { .. } | CallError::Invalid { .. }), None) => {}
        (answer, message) => panic!("{answer:?} to {message:?}"),
    }
}

fn names_nothing_else(value: &Value) -> bool {
    !matches!(value, Value::Object(object) if object.keys().any(|name| &**name != "amount"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_are_answered_or_refused(payloads in prop::collection::vec(any::<Vec<u8>>(), 1..32)) {
        TestSystem::run(async |t| {
            let _registration = found(t.system(), "1.0.0", 1).await;
            let mut total = 0;
            for bytes in payloads {
                is_accounted_for(t.system(), bytes, &mut total).await;
            }
            t.shutdown().await;
        });
    }

    /// Flips, cuts and inserts in a payload that was good.
    #[test]
    fn a_mutated_payload_is_answered_or_refused(
        mutations in prop::collection::vec((any::<i32>(), any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..32),
    ) {
        TestSystem::run(async |t| {
            let _registration = found(t.system(), "1.0.0", 1).await;
            let mut total = 0;
            for (amount, place, byte, kind) in mutations {
                let mut bytes = encode(&json!({ "amount": amount })).unwrap();
                let at = place.index(bytes.len());
                match kind {
                    0 => bytes[at] ^= byte,
                    1 => bytes.truncate(at),
                    _ => bytes.insert(at, byte),
                }
                is_accounted_for(t.system(), bytes, &mut total).await;
            }
            t.shutdown().await;
        });
    }
}

#[test]
fn a_value_that_is_nested_too_deeply_is_refused() {
    TestSystem::run(async |t| {
        let _registration = found(t.system(), "1.0.0", 1).await;
        let deep = (0..100_000).fold(Value::Null, |inner, _| Value::from(vec![inner]));
        let input = callboard_bus::Object::from([("amount", deep)]);
        let error = t.system().call("adder.add", input).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed);
        t.shutdown().await;
    });
}

/// A message may be, or hold, any value; so may a reply.
#[test]
fn a_module_may_take_and_answer_anything() {
    use callboard_actor::{Actor, Context, Fault, Message, SyncHandler};
    struct Echo;
    impl Actor for Echo {}
    #[derive(Message, serde::Deserialize, schemars::JsonSchema)]
    #[message(reply = Value)]
    struct Say(Value);
    impl SyncHandler<Say> for Echo {
        fn handle(&mut self, Say(value): Say, _: &mut Context<Self>) -> Result<Value, Fault> {
            Ok(value)
        }
    }
    TestSystem::run(async |t| {
        let echo = t.spawn(|| Echo);
        Manifest::new("echo", "1.0.0").operation::<Say>("say").register(&echo).await.unwrap();
        let input = json!({ "a": [1, null, { "b": "text" }], "c": 2.5 });
        assert_eq!(t.system().call("echo.say", input.clone()).await.unwrap(), Value::from(input));
        t.shutdown().await;
    });
}
