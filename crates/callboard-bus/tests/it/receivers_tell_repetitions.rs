//! F-RTY-06: all attempts of a call have one id and a number each, by which a receiver that remembers ids can tell a repetition.

use std::collections::HashMap;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Context, ErrorCode, Fault, Message, MessageId};
use callboard_bus::middleware::{Next, Request};
use callboard_bus::retry::Jitter;
use callboard_bus::{CallError, CallSettings, Module, ModulesExt, OperationsExt, RetryPolicy, Value, module};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trouble::{Script, Turn, press, work};

fn thrice() -> RetryPolicy {
    RetryPolicy::builder().max_retries(2).jitter(Jitter::None).build().unwrap()
}

/// F-RTY-06: the same id and 1, 2, 3; another call has another id. Who needs no id has none.
#[test]
fn all_attempts_have_one_id() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new().no_breaker()).await;
        for _ in 0..2 {
            script.next(Turn::Busy, 2);
            t.system().call("press.work", 1).retry(thrice()).await.unwrap();
        }
        let seen = script.seen();
        let (first, second) = (seen[0].0, seen[3].0);
        assert!(first.is_some() && second.is_some() && first != second, "{seen:?}");
        assert_eq!(seen[..3], [(first, 1), (first, 2), (first, 3)]);
        assert_eq!(seen[3..], [(second, 1), (second, 2), (second, 3)]);
        work(t).await.unwrap();
        assert_eq!(script.seen(), [(None, 1)]);
        t.shutdown().await;
    });
}

/// Books each amount once, however often it is told to.
#[derive(Default)]
struct Till {
    booked: HashMap<MessageId, u32>,
    total: u32,
}

#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = u32)]
struct Book {
    amount: u32,
}

#[module(name = "till", version = "1.0.0")]
impl Till {
    #[request("book")]
    async fn book(&mut self, book: Book, cx: &mut Context<Self>) -> Result<u32, Fault> {
        let id = cx.message_id().ok_or_else(|| Fault::permanent("who books says what"))?;
        let is_new = self.booked.insert(id, cx.attempt()).is_none();
        assert_eq!(is_new, cx.attempt() == 1, "only a repetition is known");
        self.total += if is_new { book.amount } else { 0 };
        Ok(self.total)
    }
}

/// F-RTY-06: the answer of an attempt is lost on its way back, and the amount is booked once. A call with types has an id as
/// well.
#[test]
fn a_receiver_does_it_once() {
    TestSystem::run(async |t| {
        let till = t.spawn(Till::default);
        let _till = Till::manifest().register(&till).await.unwrap();
        let lost = |request: Request, next: Next| async move {
            let is_last = request.attempt == Some(3);
            let result = next.run(request).await;
            if is_last { result } else { Err(CallError::refused(ErrorCode::Unavailable, "lost")) }
        };
        t.system().operations().middleware("lost").each_attempt().install(lost).unwrap();
        let by_name = t.system().call("till.book", serde_json::json!({ "amount": 5 })).retry(thrice());
        assert_eq!(by_name.await.unwrap(), Value::from(5));
        let typed = till.book(Book { amount: 2 }).retry(thrice()).with_reply().await;
        assert_eq!(typed.result.unwrap(), 7);
        assert_eq!(t.system().operations().status("till.book").unwrap().counts.begun, 6);
        t.shutdown().await;
    });
}
