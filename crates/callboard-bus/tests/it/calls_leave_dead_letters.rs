//! F-ERR-04: a call that ends by an error of a class that its operation keeps leaves a dead letter, and its caller has the error all
//! the same. What is called again goes by the way of all calls.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, BreakerMode, BreakerRules, Context, ErrorCode, Fault, Handler, Message, Trip, child};
use callboard_bus::dead_letter_queue::{LetterKind, LetterReason, Payload};
use callboard_bus::middleware::{Next, Request, fallback};
use callboard_bus::retry::{FailureClass, Jitter};
use callboard_bus::{
    CallError, CallSettings, DeadLetterQueueExt, Letter, LetterFilter, Manifest, ModulesExt, Operation, OperationsExt,
    RetryPolicy, Value, module, module_from,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::trouble::{Script, Turn, press, work};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn keeps(classes: impl IntoIterator<Item = FailureClass>) -> CallSettings {
    CallSettings::new().dead_letters(classes)
}

fn letters(t: &TestSystem) -> Vec<Letter> {
    t.system().dead_letter_queue().list(&LetterFilter::all())
}

/// F-ERR-04: only of the classes that are named, with the reason, the code and what went in; and it is called again until it
/// goes well.
#[test]
fn what_fails_is_kept_and_called_again() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, keeps([FailureClass::Permanent])).await;
        let queue = t.system().dead_letter_queue();
        script.next(Turn::Busy, 1);
        assert_eq!(work(t).await.unwrap_err().class(), FailureClass::Transient);
        assert!(letters(t).is_empty(), "that may pass, and nobody has asked to keep it");

        script.next(Turn::Wrong, 1);
        let error = t.system().call("press.work@^1", 7).user("ann").await.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (ErrorCode::HandlerFailed, "there is no such paper"));
        let letter = letters(t).remove(0);
        assert_eq!(
            (letter.reason, letter.kind, letter.cause.code),
            (LetterReason::Exhausted, LetterKind::Call, ErrorCode::HandlerFailed)
        );
        assert_eq!((letter.module.as_str(), letter.subject.as_str()), ("press", "press.work"));
        assert_eq!((letter.source.as_deref(), letter.attempts, letter.deliveries), (Some("ann"), 1, 1));
        assert_eq!(letter.cause.to_string(), "the call failed, tried once: there is no such paper");
        assert_eq!(queue.show_redacted(letter.id).unwrap().payload, Payload::Redacted(7.into()));

        // What fails again is the same letter, whatever the class.
        for (turn, code) in [(Turn::Wrong, ErrorCode::HandlerFailed), (Turn::Busy, ErrorCode::HandlerFailed)] {
            script.next(turn, 1);
            let report = queue.retry(LetterFilter::all()).await.unwrap();
            assert_eq!(report.delivered, [letter.id]);
            t.settle().await;
            let again = letters(t).remove(0);
            assert_eq!((again.id, again.cause.code, letters(t).len()), (letter.id, code, 1));
        }
        let again = letters(t).remove(0);
        assert_eq!((again.deliveries, again.attempts, again.first_failure), (3, 3, letter.first_failure));
        assert_eq!((&again.message_type, again.source), (&letter.message_type, letter.source));
        assert!(again.message_type.ends_with("trouble::Work"), "{}", again.message_type);
        let before = script.calls();
        queue.retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        assert_eq!((letters(t).len(), script.calls()), (0, before + 1));
        assert!(queue.counts().adds_up());
        let status = t.system().operations().status("press.work").unwrap();
        assert_eq!(status.counts.succeeded, 1, "a call as any other");
        t.shutdown().await;
    });
}

/// F-ERR-04: it comes last: what is tried again and goes well leaves nothing, nor what something else has answered; that answers
/// while the breaker is open too.
#[test]
fn everything_else_is_done_first() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let policy = RetryPolicy::builder().initial_delay(SECOND).jitter(Jitter::None).max_retries(1).build().unwrap();
        let rules = BreakerRules::tripping_on([Trip::Consecutive(4)]);
        let settings = keeps([FailureClass::Transient]).retry(policy).breaker(rules);
        let _press = press(t, &script, settings).await;
        let operations = t.system().operations();
        script.next(Turn::Busy, 1);
        work(t).await.unwrap();
        assert!(letters(t).is_empty());
        script.next(Turn::Busy, 2);
        work(t).await.unwrap_err();
        let letter = letters(t).remove(0);
        assert_eq!((letter.attempts, letter.cause.chain[0].as_str()), (2, "the call failed, tried twice"));

        script.next(Turn::Busy, 2);
        work(t).await.unwrap_err();
        assert_eq!(operations.open_breakers(), ["press.work"]);
        let open = t.system().call("press.work", 1).timeout(SECOND).await.unwrap_err();
        assert_eq!(open.code(), ErrorCode::CircuitOpen);
        let last = letters(t).pop().unwrap();
        assert_eq!(
            (last.attempts, last.cause.code, last.reason),
            (0, ErrorCode::CircuitOpen, LetterReason::Undeliverable)
        );
        let known = fallback(|_, _| async { Ok::<_, CallError>(Value::from(0)) });
        operations.middleware("known").on_operation("press.work").install(known).unwrap();
        assert_eq!(t.system().call("press.work", 1).timeout(SECOND).await.unwrap(), 0.into());
        assert_eq!(letters(t).len(), 3, "what was answered is not kept");

        assert!(
            operations.pipeline("press.work").unwrap().to_string().starts_with("dead letters: of transient errors\n")
        );
        t.shutdown().await;
    });
}

/// F-ERR-04: what is called again passes by breaker, middleware and validation as at first, and what does not come to its operation
/// at all is the same letter too.
#[test]
fn what_is_called_again_goes_the_way_of_all_calls() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let settings = keeps([FailureClass::Transient, FailureClass::Permanent]);
        let registration = press(t, &script, settings).await;
        let (operations, queue) = (t.system().operations(), t.system().dead_letter_queue());
        let with_key = async |request: Request, next: Next| match request.api_key.as_deref() {
            Some("sesame") => next.run(request).await,
            _ => Err(CallError::refused(ErrorCode::Unauthenticated, "this needs a key")),
        };
        operations.middleware("key").install(with_key).unwrap();
        let unfit = t.system().call("press.work", "one").api_key("sesame").await.unwrap_err();
        assert_eq!((unfit.code(), letters(t).remove(0).reason), (ErrorCode::ValidationFailed, LetterReason::Poison));
        queue.purge(&LetterFilter::all()).unwrap();
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::Unauthenticated);
        assert_eq!(letters(t).remove(0).reason, LetterReason::Rejected);
        queue.purge(&LetterFilter::all()).unwrap();

        script.next(Turn::Wrong, 1);
        t.system().call("press.work", 1).api_key("sesame").await.unwrap_err();
        let id = letters(t).remove(0).id;
        operations.set_breaker_mode("press.work", BreakerMode::ForcedOpen).unwrap();
        let again = async |code| {
            queue.retry(LetterFilter::all()).await.unwrap();
            t.settle().await;
            let letter = letters(t).remove(0);
            assert_eq!((letter.id, letter.cause.code), (id, code));
        };
        again(ErrorCode::CircuitOpen).await;
        operations.set_breaker_mode("press.work", BreakerMode::Automatic).unwrap();
        registration.unregister().await.unwrap();
        again(ErrorCode::UnknownModule).await;
        let _press = press(t, &script, CallSettings::new()).await;
        queue.retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        assert!(letters(t).is_empty(), "the key was kept");
        t.shutdown().await;
    });
}

#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = Result<u64, Torn>)]
struct Fold {
    sheets: u64,
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Result<u64, Torn>)]
struct Hidden {}

#[derive(Debug, thiserror::Error)]
#[error("it is torn")]
struct Torn;

struct Folder {
    is_torn: bool,
}

#[module(name = "folder", version = "1.0.0")]
impl Folder {
    #[request("fold", dead_letters(Permanent))]
    fn fold(&mut self, fold: Fold) -> Result<u64, Torn> {
        if std::mem::take(&mut self.is_torn) { Err(Torn) } else { Ok(fold.sheets) }
    }

    #[request("hidden", dead_letters(Permanent))]
    fn hidden(&mut self, _: Hidden) -> Result<u64, Torn> {
        Err(Torn)
    }
}

/// F-ERR-04: a call with types leaves one as well, with its message where that has a form as a value; a test leaves nothing.
#[test]
fn calls_with_types_leave_them_too() {
    TestSystem::run(async |t| {
        let folder = t.spawn(module_from(|| Folder { is_torn: true }));
        t.settle().await;
        let queue = t.system().dead_letter_queue();
        folder.hidden(Hidden {}).test().await.unwrap().unwrap_err();
        assert!(letters(t).is_empty());
        assert!(folder.fold(Fold { sheets: 3 }).await.unwrap().is_err(), "the reply is the caller's");
        folder.hidden(Hidden {}).await.unwrap().unwrap_err();
        let [fold, hidden] = &letters(t)[..] else { panic!("two letters") };
        let shown = queue.show_redacted(fold.id).unwrap().payload;
        assert_eq!(shown, Payload::Redacted(json!({ "sheets": 3 }).into()));
        assert_eq!((hidden.is_retriable, queue.show(hidden.id).unwrap().payload), (false, Payload::Absent));
        let report = queue.retry(LetterFilter::all()).await.unwrap();
        assert_eq!((report.delivered, report.left.len()), (vec![fold.id], 1));
        t.settle().await;
        assert_eq!(letters(t).len(), 1);
        t.shutdown().await;
    });
}

/// A call again that never ends.
struct Sleeper;

impl Actor for Sleeper {}

#[derive(Message, Deserialize, JsonSchema)]
struct Sleep(bool);

impl Handler<Sleep> for Sleeper {
    async fn handle(&mut self, Sleep(forever): Sleep, _: &mut Context<Self>) -> Result<(), Fault> {
        if forever { std::future::pending().await } else { Err(Fault::permanent("awake")) }
    }
}

/// F-ERR-04: a call again that the end of the system comes before is a letter again: nothing is lost without a word.
#[test]
fn what_is_under_way_at_the_end_is_a_letter_again() {
    TestSystem::run(async |t| {
        let sleeper = t.spawn(child("sleeper", || Sleeper));
        let sleep = Operation::new::<Sleep>("sleep").settings(keeps([FailureClass::Unknown, FailureClass::Permanent]));
        let _registered = Manifest::new("sleeper", "1.0.0").offer(sleep).register(&sleeper).await.unwrap();
        let late = t.system().call("sleeper.sleep", true).timeout(SECOND).await.unwrap_err();
        assert_eq!(late.code(), ErrorCode::Timeout);
        let queue = t.system().dead_letter_queue();
        let letter = letters(t).remove(0);
        assert_eq!((letter.reason, letter.cause.code), (LetterReason::Exhausted, ErrorCode::Timeout));
        queue.retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        assert_eq!(queue.counts().letters, 0);
        t.shutdown().await;
        let counts = queue.counts();
        assert!(counts.letters == 1 && counts.returned == 1 && counts.adds_up(), "{counts:?}");
    });
}
