//! F-ERR-02: every line of the log that is about a message which failed says which one, what it belongs to, where, and the code.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Context, ErrorCode, Fault, Message};
use callboard_bus::retry::Jitter;
use callboard_bus::{CallSettings, EventsExt, Module, ModulesExt, RetryPolicy, module};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::log_lines::{Log, said};
use crate::trouble::{Script, Turn, press, work};

const NAMES: [&str; 6] = ["message_id", "correlation_id", "trace_id", "module", "operation", "code"];
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// The lines that tell of errors, each of which has all of it.
fn complete(log: &Log) -> Vec<String> {
    let lines: Vec<_> =
        log.lines().into_iter().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
    for line in &lines {
        for name in NAMES {
            assert!(said(line, name).is_some_and(|said| !said.is_empty()), "{line} has no {name}");
        }
    }
    lines
}

/// Everything that fails in it fails below.
#[derive(Default)]
struct Desk;

#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = ())]
struct Delegate {}

/// Nobody waits for it.
#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = ())]
struct Break {}

#[module(name = "desk", version = "1.0.0")]
impl Desk {
    /// Calls what fails, and tells of it.
    #[request("delegate")]
    async fn delegate(&mut self, _: Delegate, cx: &mut Context<Self>) -> Result<(), Fault> {
        let failed = cx.system().call("press.work", 1).await;
        cx.system().publish("desk.failed", json!({})).await?;
        failed?;
        Ok(())
    }

    #[request("break")]
    fn break_down(&mut self, _: Break) -> Result<(), Fault> {
        Err(Fault::permanent("it broke"))
    }
}

/// F-ERR-02: calls with one attempt and with several, the fault of a turn, a function that fails at an event, dead letters:
/// all of it belongs to one request and one trace.
#[test]
fn what_belongs_together_says_so() {
    let (log, mut id) = (Log::default(), String::new());
    log.during(|| {
        TestSystem::run(async |t| {
            let script = Script::default();
            let _press = press(t, &script, CallSettings::new().no_breaker()).await;
            let desk = t.spawn(Desk::default);
            let _desk = Desk::manifest().register(&desk).await.unwrap();
            let subscribing = t.system().subscribe_fn("desk.failed", async |_| Err(Fault::retryable("no paper")));
            let _subscription = subscribing.await.unwrap();
            script.next(Turn::Busy, 1);
            let call = t.system().call("desk.delegate", json!({})).trace(TRACE.parse().unwrap()).with_reply();
            let reply = call.await;
            id = reply.correlation_id.to_string();
            reply.result.unwrap_err();
            t.settle().await;
            t.shutdown().await;
        });
    });
    let lines = complete(&log);
    for line in &lines {
        assert_eq!(said(line, "correlation_id"), Some(&*id), "{line}");
        assert_eq!(said(line, "trace_id"), Some(TRACE_ID), "{line}");
    }
    let of =
        |target: &str, text: &str| lines.iter().filter(|line| line.contains(target) && line.contains(text)).count();
    assert_eq!(of("callboard::supervisor", "fault"), 1, "the turn that failed: {lines:#?}");
    assert_eq!(of("callboard::call", r#"operation="press.work" code="handler_failed""#), 1, "{lines:#?}");
    assert_eq!(of("callboard::call", r#"operation="desk.delegate""#), 1, "{lines:#?}");
    assert_eq!(of("callboard::events", "operation=desk.failed"), 3, "{lines:#?}");
    assert_eq!(of("callboard::dlq", "a message reached nobody"), 1, "{lines:#?}");
    assert_eq!(of("callboard::dlq", "a message has failed for good"), 1, "{lines:#?}");
}

/// F-ERR-02: attempts say which they are, of one message; where no trace travels along its id is that of the correlation.
#[test]
fn attempts_are_of_one_message() {
    let (log, mut id) = (Log::default(), String::new());
    log.during(|| {
        TestSystem::run(async |t| {
            let script = Script::default();
            let _press = press(t, &script, CallSettings::new().no_breaker()).await;
            script.next(Turn::Busy, 3);
            let policy = RetryPolicy::builder().max_retries(2).jitter(Jitter::None).build().unwrap();
            let reply = t.system().call("press.work", 1).retry(policy).with_reply().await;
            assert_eq!(reply.result.unwrap_err().code(), ErrorCode::HandlerFailed);
            id = reply.correlation_id.to_string();
            t.shutdown().await;
        });
    });
    let lines = complete(&log);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, attempt) in lines.iter().zip(["1", "2", "3"]) {
        assert_eq!((said(line, "message_id"), said(line, "attempt")), (Some(&*id), Some(attempt)), "{line}");
        assert_eq!(said(line, "correlation_id"), Some(&*id), "{line}");
        assert_eq!(said(line, "trace_id"), Some(&*id.replace('-', "")), "{line}");
    }
}

/// F-ERR-02: a message that nobody waits for: its fault and its letter.
#[test]
fn a_letter_names_its_message() {
    let log = Log::default();
    log.during(|| {
        TestSystem::run(async |t| {
            let desk = t.spawn(Desk::default);
            let _desk = Desk::manifest().register(&desk).await.unwrap();
            t.system().modules().send(&"desk.break".parse().unwrap(), Break {}).unwrap();
            t.settle().await;
            t.shutdown().await;
        });
    });
    let lines = complete(&log);
    let letter = lines.iter().find(|line| line.contains("a message has failed for good")).unwrap();
    assert!(letter.contains("module=desk operation=desk.break"), "{letter}");
    assert!(lines.iter().any(|line| line.contains(r#"module="desk" "#) || line.contains("callboard::supervisor")));
}

/// F-ERR-02: calls that fail in masses are a line a second of each operation; it says how many were left out. What callers
/// do wrong is no line.
#[test]
fn a_storm_is_a_line_a_second() {
    let log = Log::default();
    log.during(|| {
        TestSystem::run(async |t| {
            let script = Script::default();
            let _press = press(t, &script, CallSettings::new().no_breaker()).await;
            script.next(Turn::Wrong, 1);
            work(t).await.unwrap_err();
            script.next(Turn::Busy, 101);
            for _ in 0..100 {
                work(t).await.unwrap_err();
            }
            t.advance(Duration::from_secs(1)).await;
            work(t).await.unwrap_err();
            t.shutdown().await;
        });
    });
    let lines = complete(&log);
    let [first, last] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!((said(first, "unlogged"), said(last, "unlogged")), (Some("0"), Some("99")));
}
