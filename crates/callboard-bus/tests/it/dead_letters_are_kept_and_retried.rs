//! F-DLQ-01 to F-DLQ-05, F-BUS-07: what fails for good is in one place, with its cause; it can be looked at, retried by the way
//! that it came, and dropped; and there is never more of it than there may be.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, Admission, AdmissionRequest, Backoff, Child, Context, ErrorCode, Fault, Message, MessageId,
    Overflow, Priority, SyncHandler, child,
};
use callboard_bus::dead_letter_queue::{
    DeadLetterQueueExt, LetterBounds, LetterError, LetterFilter, LetterKind, LetterReason, Payload,
};
use callboard_bus::{
    Address, AuditExt, Batch, BatchOutcome, ChannelOverflow, DeadLetterQueue, Event, EventsExt, Letter, Manifest,
    ModulesExt, Operator, Router, Subscription, Value, module,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::log_lines::lines_of;
use crate::module_kit::{Add, Rest, SECOND, adder, found};

/// What a press was given: the name of the event, which attempt it was, and the letter that it had been.
type Given = (String, u32, Option<MessageId>);

/// A press that has paper or has none, shared by all its values.
#[derive(Clone, Default)]
struct Paper {
    is_there: Arc<AtomicBool>,
    given: Arc<Mutex<Vec<Given>>>,
}

impl Paper {
    fn bring(&self) {
        self.is_there.store(true, Ordering::SeqCst);
    }

    fn take(&self) {
        self.is_there.store(false, Ordering::SeqCst);
    }

    fn given(&self) -> Vec<Given> {
        std::mem::take(&mut *self.given.lock().unwrap())
    }

    fn print(&self, name: &str, attempt: u32, from: Option<MessageId>) -> Result<(), Fault> {
        self.given.lock().unwrap().push((name.to_owned(), attempt, from));
        if self.is_there.load(Ordering::SeqCst) { Ok(()) } else { Err(Fault::retryable("no paper")) }
    }

    fn press(&self, name: &str) -> Child<Press> {
        let paper = self.clone();
        child(name, move || Press(paper.clone())).backoff(Backoff::none()).intensity(1_000, 1_000 * SECOND)
    }
}

struct Press(Paper);

impl Actor for Press {}

impl SyncHandler<Event> for Press {
    fn handle(&mut self, event: Event, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.0.print(event.name.as_str(), cx.attempt(), event.redelivered_from())
    }
}

impl SyncHandler<Batch> for Press {
    fn handle(&mut self, batch: Batch, cx: &mut Context<Self>) -> Result<BatchOutcome, Fault> {
        let mut outcome = BatchOutcome::default();
        for event in &batch.events {
            if let Err(fault) = self.0.print(event.name.as_str(), cx.attempt(), event.redelivered_from()) {
                outcome.fail(event.id, fault);
            }
        }
        Ok(outcome)
    }
}

/// A sheet that is printed again and again until there is paper.
#[derive(Clone, Debug, Message, Deserialize, JsonSchema)]
#[message(keep)]
struct Sheet {
    number: u64,
}

impl SyncHandler<Sheet> for Press {
    fn handle(&mut self, sheet: Sheet, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.0.print(&sheet.number.to_string(), cx.attempt(), cx.redelivered_from())
    }
}

/// One of which no copy is kept.
#[derive(Debug, Message, Deserialize, JsonSchema)]
struct Proof {}

impl SyncHandler<Proof> for Press {
    fn handle(&mut self, _: Proof, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("the press has fallen over")
    }
}

fn letters(t: &TestSystem) -> DeadLetterQueue {
    t.system().dead_letter_queue()
}

fn all(t: &TestSystem) -> Vec<Letter> {
    letters(t).list(&LetterFilter::all())
}

/// The only letter that there is.
fn only(t: &TestSystem) -> Letter {
    let mut all = all(t);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

async fn printing(t: &TestSystem, paper: &Paper) -> (ActorRef<Press>, Subscription) {
    let press = t.spawn(paper.press("press"));
    let subscription = t.system().subscribe("sheet.*", press.recipient::<Event>()).await.unwrap();
    t.settle().await;
    (press, subscription)
}

/// F-DLQ-01, F-BUS-07, F-EVT-02: all that is known of an event is in its letter, and the event itself.
#[test]
fn an_event_that_fails_for_good_is_a_letter() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (press, _subscription) = printing(t, &paper).await;
        t.advance(5 * SECOND).await;
        let publish = t.system().publish("sheet.ready", json!({ "number": 7 })).source("desk").priority(Priority::High);
        let id = publish.await.unwrap().id;
        t.settle().await;
        assert_eq!(paper.given().len(), 3);
        let letter = only(t);
        assert_eq!((letter.reason, letter.kind), (LetterReason::Exhausted, LetterKind::Event));
        assert_eq!((letter.module.as_str(), letter.actor), ("press", Some(press.id())));
        assert_eq!((letter.subject.as_str(), letter.source.as_deref()), ("sheet.ready", Some("desk")));
        assert_eq!(
            (letter.event, letter.message_type.as_str(), letter.channel.as_deref()),
            (Some(id), "sheet.ready", None)
        );
        assert_eq!((letter.priority, letter.attempts, letter.deliveries), (Priority::High, 3, 1));
        assert_eq!((letter.bytes, letter.is_retriable), (json!({ "number": 7 }).to_string().len() as u64, true));
        assert_eq!(
            (letter.cause.code, &letter.cause.chain[..]),
            (ErrorCode::HandlerFailed, &["its handler failed, tried 3 times".to_owned(), "no paper".to_owned()][..])
        );
        assert!(letter.cause.location.as_ref().unwrap().contains("dead_letters_are_kept_and_retried.rs"));
        assert_eq!(letter.first_failure, letter.last_failure);
        assert_eq!(
            letter.first_failure.duration_since(t.system().events().history().list()[0].time).unwrap(),
            Duration::ZERO
        );
        let shown = letters(t).show_redacted(letter.id).unwrap();
        assert_eq!(shown.payload, Payload::Redacted(json!({ "number": 7 }).into()));
        t.shutdown().await;
    });
}

/// F-DLQ-01: what is written of it is read by others.
#[test]
fn a_letter_has_a_form_that_stays() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        t.system().publish("sheet.ready", json!({ "token": "x" })).await.unwrap();
        t.settle().await;
        let shown = serde_json::to_value(letters(t).show(only(t).id).unwrap()).unwrap();
        let keys: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "id",
            "reason",
            "cause",
            "fingerprint",
            "kind",
            "module",
            "actor",
            "subject",
            "source",
            "channel",
            "event",
            "message_type",
            "priority",
            "attempts",
            "deliveries",
            "first_failure",
            "last_failure",
            "bytes",
            "is_retriable",
            "payload",
            "advice",
        ];
        expected.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!((&shown["reason"], &shown["cause"]["code"]), (&json!("exhausted"), &json!("handler_failed")));
        assert!(shown["first_failure"].as_str().unwrap().ends_with('Z'));
        let counts = serde_json::to_value(letters(t).counts()).unwrap();
        assert_eq!((&counts["kept"], &counts["added"]), (&json!({ "exhausted": 1 }), &json!({ "exhausted": 1 })));
        t.shutdown().await;
    });
}

/// F-DLQ-02: it comes to the handler with all its attempts before it, which is told what it was; when it fails again it is the
/// same letter, and when it does not it is gone.
#[test]
fn what_is_retried_and_fails_again_is_the_same_letter() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        let other = t.probe::<Event>();
        let _other = t.system().subscribe("sheet.*", other.recipient()).await.unwrap();
        t.system().publish("sheet.ready", Value::from(7)).await.unwrap();
        t.settle().await;
        let first = only(t);
        paper.given();
        t.advance(60 * SECOND).await;
        let report = letters(t).retry(LetterFilter::all().id(first.id)).await.unwrap();
        assert_eq!((report.delivered, report.left), (vec![first.id], vec![]));
        t.settle().await;
        let tries: Vec<_> = (1..=3).map(|attempt| ("sheet.ready".to_owned(), attempt, Some(first.id))).collect();
        assert_eq!(paper.given(), tries);
        let second = only(t);
        assert_eq!((second.id, second.attempts, second.deliveries), (first.id, 6, 2));
        assert_eq!((second.first_failure, second.event), (first.first_failure, first.event));
        assert!(second.last_failure > first.last_failure);
        assert_eq!(t.system().quarantine().list().len(), 1, "it is not there twice");

        paper.bring();
        letters(t).retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        assert_eq!((paper.given(), all(t).len()), (vec![("sheet.ready".to_owned(), 1, Some(first.id))], 0));
        assert_eq!((t.system().quarantine().list().len(), other.take().len()), (0, 1), "nobody else is given it again");
        let counts = letters(t).counts();
        assert_eq!((counts.retried, counts.returned, counts.letters), (2, 1, 0));
        assert!(counts.adds_up() && t.system().events().counts().adds_up());
        t.shutdown().await;
    });
}

/// F-DLQ-02: the receiver is asked as for every message: whether it is there, takes it, and admits it.
#[test]
fn a_retry_goes_the_normal_way() {
    #[derive(Clone, Default)]
    struct Gate(Arc<AtomicBool>, Arc<Mutex<u32>>);
    impl Admission for Gate {
        fn admit(&self, _: &AdmissionRequest<'_>) -> Result<(), String> {
            *self.1.lock().unwrap() += 1;
            if self.0.load(Ordering::SeqCst) { Ok(()) } else { Err("not today".to_owned()) }
        }
    }
    TestSystem::run(async |t| {
        let (paper, gate) = (Paper::default(), Gate::default());
        paper.bring();
        let press = t.spawn(paper.press("press").admission(gate.clone()));
        let subscription = t.system().subscribe("a", press.recipient::<Event>()).await.unwrap();
        t.settle().await;
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().refused, 1);
        let letter = only(t);
        assert_eq!((letter.reason, letter.cause.code), (LetterReason::Rejected, ErrorCode::PermissionDenied));
        let report = letters(t).retry(LetterFilter::all()).await.unwrap();
        assert_eq!((report.left[0].id, report.left[0].code), (letter.id, ErrorCode::PermissionDenied));
        assert_eq!((only(t).id, only(t).deliveries, *gate.1.lock().unwrap()), (letter.id, 2, 2));
        gate.0.store(true, Ordering::SeqCst);
        press.breaker().force_open();
        t.settle().await;
        let report = letters(t).retry(LetterFilter::all()).await.unwrap();
        assert_eq!((report.left[0].code, only(t).deliveries), (ErrorCode::CircuitOpen, 3));
        subscription.unsubscribe().await;
        let report = letters(t).retry(LetterFilter::all()).await.unwrap();
        assert_eq!((report.left[0].code, only(t).deliveries), (ErrorCode::Unavailable, 4));
        assert_eq!(report.left[0].error, "nobody subscribes to it who failed at it then");

        press.stop();
        press.ended().await;
        let successor = t.spawn(paper.press("press"));
        let _subscription = t.system().subscribe("*", successor.recipient::<Event>()).await.unwrap();
        let report = letters(t).retry(LetterFilter::all()).await.unwrap();
        assert_eq!(report.delivered, [letter.id], "one of the same name has taken its place");
        t.settle().await;
        assert_eq!((paper.given().len(), all(t).len()), (1, 0));
        assert!(t.system().events().counts().adds_up(), "{:?}", t.system().events().counts());
        t.shutdown().await;
    });
}

/// F-DLQ-02: each filter by itself, and together; letters with one cause are one group.
#[test]
fn letters_are_found_by_what_they_are() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (press, _subscription) = printing(t, &paper).await;
        for number in 0..3 {
            t.system().publish("sheet.ready", Value::from(number)).await.unwrap();
        }
        t.system().publish("sheet.late", Value::Null).await.unwrap();
        t.settle().await;
        t.advance(60 * SECOND).await;
        press.breaker().force_open();
        t.settle().await;
        t.system().publish("sheet.ready", Value::Null).await.unwrap();
        let _ = t.system().modules().send(&"lab.add".parse().unwrap(), Add { amount: 1 });
        let count = |filter: LetterFilter| letters(t).list(&filter).len();
        assert_eq!(count(LetterFilter::all()), 6);
        assert_eq!(count(LetterFilter::all().reason(LetterReason::Exhausted)), 4);
        assert_eq!(count(LetterFilter::all().module("lab")), 1);
        assert_eq!(count(LetterFilter::all().subject("sheet.ready")), 4);
        assert_eq!(count(LetterFilter::all().older_than(30 * SECOND)), 4);
        assert_eq!(count(LetterFilter::all().module("press").reason(LetterReason::Undeliverable)), 1);
        assert_eq!(count(LetterFilter::all().limit(2)), 2);
        assert_eq!(count(LetterFilter::all().id(all(t)[3].id)), 1);

        let groups = letters(t).groups(&LetterFilter::all());
        let sizes: Vec<_> = groups.iter().map(|group| (group.subject.as_str(), group.letters)).collect();
        assert_eq!((sizes[0], groups.len()), (("sheet.ready", 3), 4));
        assert_eq!(groups[0].error, "its handler failed, tried 3 times: no paper");
        assert_eq!(count(LetterFilter::all().fingerprint(groups[0].fingerprint)), 3);
        t.shutdown().await;
    });
}

/// F-DLQ-02: what is not there cannot be shown, retried or dropped, and is said so.
#[test]
fn an_unknown_letter_is_named() {
    TestSystem::run(async |t| {
        let id = t.system().fresh_id();
        let by_id = LetterFilter::all().id(id);
        for error in [
            letters(t).show(id).unwrap_err(),
            letters(t).show_redacted(id).unwrap_err(),
            letters(t).retry(by_id.clone()).await.unwrap_err(),
            letters(t).retry(by_id.clone()).dry_run().await.unwrap_err(),
            letters(t).purge(&by_id).unwrap_err(),
        ] {
            assert_eq!((error.code(), &error), (ErrorCode::UnknownMessage, &LetterError::Unknown(id)));
            assert!(error.to_string().contains(&id.to_string()));
        }
        assert_eq!(letters(t).purge(&LetterFilter::all()), Ok(0));
        t.shutdown().await;
    });
}

/// F-DLQ-02: a dry run changes nothing; a rate is kept; what leaves meanwhile is left out.
#[test]
fn letters_are_retried_no_faster_than_told() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        for number in 0..5 {
            t.system().publish("sheet.ready", Value::from(number)).await.unwrap();
        }
        let router = Router::new("orders");
        t.system().modules().route(&router, Value::from(1)).unwrap_err();
        t.settle().await;
        paper.given();
        let before = all(t);
        let report = letters(t).retry(LetterFilter::all()).dry_run().await.unwrap();
        assert!(report.is_dry_run && report.delivered.len() == 5);
        assert_eq!((report.left.len(), report.left[0].code), (1, ErrorCode::InvalidState));
        assert_eq!((all(t), paper.given()), (before.clone(), vec![]));

        paper.bring();
        let slowly = letters(t).retry(LetterFilter::all().subject("sheet.ready")).per_second(NonZero::new(2).unwrap());
        let began = t.now();
        let running = async {
            t.advance(Duration::from_millis(750)).await;
            assert_eq!(paper.given().len(), 2);
            letters(t).purge(&LetterFilter::all().id(before[4].id)).unwrap();
        };
        let (report, ()) = futures::join!(slowly.into_future(), running);
        assert_eq!((report.unwrap().delivered.len(), (t.now() - began).as_millis() / 100), (4, 20));
        t.settle().await;
        assert_eq!((paper.given().len(), all(t).len()), (2, 1));
        t.shutdown().await;
    });
}

/// F-DLQ-02: by id, by fingerprint, by age; what is purged is nowhere any more.
#[test]
fn what_is_purged_is_gone() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        for name in ["sheet.a", "sheet.b", "sheet.b", "sheet.c"] {
            t.system().publish(name, Value::Null).await.unwrap();
            t.advance(10 * SECOND).await;
        }
        assert_eq!((all(t).len(), t.system().quarantine().list().len()), (4, 4));
        assert_eq!(letters(t).purge(&LetterFilter::all().older_than(35 * SECOND)), Ok(1));
        let print = all(t)[0].fingerprint;
        assert_eq!(letters(t).purge(&LetterFilter::all().fingerprint(print)), Ok(2));
        assert_eq!(only(t).subject, "sheet.c");
        assert_eq!(letters(t).purge(&LetterFilter::all().id(only(t).id)), Ok(1));
        assert_eq!((all(t).len(), t.system().quarantine().list().len()), (0, 0));
        let counts = letters(t).counts();
        assert!(counts.purged == 4 && counts.adds_up());
        t.shutdown().await;
    });
}

/// F-DLQ-03: the oldest leave, by number and by size, and are counted; what is too large for all of it is counted too.
#[test]
fn the_oldest_leave_and_are_counted() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        letters(t).set_bounds(LetterBounds::default().letters(3));
        for number in 0..5 {
            t.system().publish(&format!("sheet.{number}"), Value::from("x".repeat(98))).await.unwrap();
        }
        t.settle().await;
        let subjects: Vec<_> = all(t).into_iter().map(|letter| letter.subject).collect();
        assert_eq!(subjects, ["sheet.2", "sheet.3", "sheet.4"]);
        let counts = letters(t).counts();
        assert_eq!((counts.evicted, counts.total(), counts.bytes), (2, 5, 300));
        letters(t).set_bounds(LetterBounds::default().bytes(250));
        assert_eq!((all(t).len(), letters(t).counts().bytes, letters(t).counts().evicted), (2, 200, 3));
        t.system().publish("sheet.large", Value::from("x".repeat(1_000))).await.unwrap();
        t.settle().await;
        let counts = letters(t).counts();
        assert_eq!((counts.letters, counts.bytes, counts.evicted), (0, 0, 6));
        assert!(counts.adds_up());
        assert_eq!(letters(t).bounds().bytes, 250);
        t.shutdown().await;
    });
}

/// F-DLQ-04: what health says: how many by reason, how old, and from a number on that it is an issue, with what to do.
#[test]
fn health_says_what_is_there() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        letters(t).set_bounds(LetterBounds::default().alarming(3));
        let health = letters(t).health();
        assert_eq!((health.letters, health.oldest_age, health.issue), (0, None, None));
        t.system().publish("sheet.a", Value::Null).await.unwrap();
        t.advance(60 * SECOND).await;
        t.system().modules().send(&"lab.add".parse().unwrap(), Add { amount: 1 }).unwrap_err();
        assert_eq!(letters(t).health().issue, None, "two are fewer than three");
        t.system().publish("sheet.a", Value::Null).await.unwrap();
        t.settle().await;
        let health = serde_json::to_value(letters(t).health()).unwrap();
        assert_eq!(health["issue"], "3 dead letters, most of them exhausted");
        assert_eq!(health["recommendation"], LetterReason::Exhausted.advice());
        let by_reason =
            json!({ "exhausted": 2, "expired": 0, "overflow": 0, "undeliverable": 1, "rejected": 0, "poison": 0 });
        assert_eq!(health["by_reason"], by_reason);
        assert!(health["oldest_age"].as_str().unwrap().starts_with("1m"), "{health}");
        t.shutdown().await;
    });
}

/// F-DLQ-05: what is in a letter is shown as a hash, with what is secret hidden, or as it is to whoever may see it.
#[test]
fn payloads_are_shown_to_whoever_may_see_them() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let (_press, _subscription) = printing(t, &paper).await;
        let payload = json!({ "user": "zoe", "api_key": "k-1", "nested": { "Password": "p" } });
        for number in 0..2 {
            let payload = if number == 0 { payload.clone() } else { json!({ "user": "bob" }) };
            t.system().publish("sheet.a", payload).await.unwrap();
        }
        t.system().publish("sheet.b", payload.clone()).await.unwrap();
        t.settle().await;
        let ids: Vec<_> = all(t).iter().map(|letter| letter.id).collect();
        let hashes: Vec<_> = ids.iter().map(|id| letters(t).show(*id).unwrap().payload).collect();
        assert!(matches!(&hashes[0], Payload::Hash(hash) if hash.len() == 16));
        assert!(hashes[0] == hashes[2] && hashes[0] != hashes[1]);
        let text = serde_json::to_string(&letters(t).show(ids[0]).unwrap()).unwrap();
        assert!(!text.contains("k-1") && !text.contains("zoe"), "{text}");

        let hidden = json!({ "user": "zoe", "api_key": "***", "nested": { "Password": "***" } });
        assert_eq!(letters(t).show_redacted(ids[0]).unwrap().payload, Payload::Redacted(hidden.into()));

        let denied = letters(t).reveal(ids[0], &Operator::new("eve").scope("dlq:read")).unwrap_err();
        assert_eq!(denied.code(), ErrorCode::PermissionDenied);
        assert_eq!(denied.to_string(), "`eve` may not see what is in a dead letter: the scope `dlq:reveal` is missing");
        let ann = Operator::new("ann").scope(DeadLetterQueue::REVEAL);
        assert_eq!(letters(t).reveal(ids[0], &ann).unwrap().payload, Payload::Full(payload.into()));
        let records = t.system().audit().list();
        let acts: Vec<_> = records.iter().map(|record| (record.by.as_str(), record.act.as_str())).collect();
        assert_eq!(acts, [("eve", "reveal (denied)"), ("ann", "reveal")]);
        assert!(records.iter().all(|record| record.target == ids[0].to_string()));
        t.shutdown().await;
    });
}

/// F-BUS-04, F-DLQ-01, F-DLQ-02: a message for a module that has stopped is a letter with the message in it, and arrives when
/// there is one again.
#[test]
fn a_message_that_nobody_took_can_be_sent_again() {
    TestSystem::run(async |t| {
        let to: Address = "adder.add@^1".parse().unwrap();
        let (first, registration) = found(t.system(), "1.0.0", 1).await;
        t.settle().await;
        first.tell(Rest { seconds: 5 }).await.unwrap();
        t.settle().await;
        first.drain();
        t.settle().await;
        let refused = t.system().modules().send(&to, Add { amount: 4 }).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unavailable);
        let letter = only(t);
        assert_eq!((letter.reason, letter.kind), (LetterReason::Undeliverable, LetterKind::Message));
        assert_eq!((letter.module.as_str(), letter.subject.as_str()), ("adder", "adder.add"));
        assert_eq!((letter.cause.code, letter.cause.to_string()), (ErrorCode::Unavailable, refused.to_string()));
        assert!(letter.message_type.ends_with("module_kit::Add") && letter.is_retriable);
        assert_eq!(letters(t).show(letter.id).unwrap().payload, Payload::Absent);
        let report = letters(t).retry(LetterFilter::all()).await.unwrap();
        assert_eq!((report.left[0].code, only(t).id, only(t).deliveries), (ErrorCode::Unavailable, letter.id, 2));
        registration.unregister().await.unwrap();
        let (second, _registration) = found(t.system(), "1.1.0", 2).await;
        t.settle().await;
        assert_eq!(letters(t).retry(LetterFilter::all()).await.unwrap().delivered, [letter.id]);
        assert_eq!((second.ask(Add { amount: 0 }).await.unwrap(), all(t).len()), (4, 0));
        t.shutdown().await;
    });
}

/// F-BUS-04, F-DLQ-01: one that was taken and failed is a letter too, of which there is as much as was kept; one that somebody
/// waits for is none.
#[test]
fn a_message_whose_turn_fails_is_a_letter() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let press = t.spawn(paper.press("press-1"));
        let manifest = Manifest::new("press", "1.0.0").operation::<Sheet>("print").operation::<Proof>("proof");
        let _registration = manifest.register(&press).await.unwrap();
        t.settle().await;
        let modules = t.system().modules();
        t.system().call("press.print", json!({ "number": 1 })).await.unwrap_err();
        assert_eq!(all(t).len(), 0, "whoever calls has the error");
        paper.given();
        modules.send(&"press.print".parse().unwrap(), Sheet { number: 7 }).unwrap();
        t.settle().await;
        let letter = only(t);
        assert_eq!((letter.module.as_str(), letter.subject.as_str(), letter.attempts), ("press", "press.print", 3));
        paper.given();
        letters(t).retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        let again = only(t);
        assert_eq!((again.id, again.attempts, again.deliveries), (letter.id, 6, 2));
        assert_eq!(
            paper.given(),
            (1..=3).map(|attempt| ("7".to_owned(), attempt, Some(letter.id))).collect::<Vec<_>>()
        );
        paper.bring();
        t.system().quarantine().retry(letter.id).unwrap();
        t.settle().await;
        assert_eq!((all(t).len(), paper.given().len()), (0, 1), "whoever retries it, it is gone");

        modules.send(&"press.proof".parse().unwrap(), Proof {}).unwrap();
        t.settle().await;
        let letter = only(t);
        assert_eq!((letter.cause.code, letter.is_retriable), (ErrorCode::HandlerPanicked, false));
        assert_eq!(letter.cause.chain[1], "the press has fallen over");
        let report = letters(t).retry(LetterFilter::all()).await.unwrap();
        assert_eq!((report.left[0].code, only(t).deliveries), (ErrorCode::InvalidState, 1));
        t.shutdown().await;
    });
}

/// F-BUS-04: what waits in the mailbox of a module that is stopped, and what its mailbox sheds.
#[test]
fn what_is_left_in_a_mailbox_is_a_letter() {
    TestSystem::run(async |t| {
        let narrow = t.spawn(adder(1).bound(1).overflow(Overflow::DropOldest));
        let offered = crate::module_kit::offer("1.0.0").register(&narrow).await.unwrap();
        t.settle().await;
        narrow.tell(Rest { seconds: 5 }).await.unwrap();
        t.settle().await;
        let send = |amount| t.system().modules().send(&"adder.add".parse().unwrap(), Add { amount }).unwrap();
        (1..=2).for_each(send);
        narrow.stop();
        narrow.ended().await;
        let reasons: Vec<_> = all(t).iter().map(|letter| (letter.reason, letter.cause.code)).collect();
        let (shed, stopped) =
            ((LetterReason::Overflow, ErrorCode::Busy), (LetterReason::Undeliverable, ErrorCode::Unavailable));
        assert_eq!(reasons, [shed, stopped]);
        assert!(all(t).iter().all(|letter| letter.subject == "adder.add" && letter.module == "adder"));
        drop(offered);
        t.shutdown().await;
    });
}

/// F-FUT-03: a payload that no rule holds for is a letter, and can be seen.
#[test]
fn what_no_rule_holds_for_is_a_letter() {
    TestSystem::run(async |t| {
        let router = Router::new("orders").rule("total >= 1000".parse().unwrap(), "review.check".parse().unwrap());
        let unrouted = t.system().modules().route(&router, json!({ "total": 7 })).unwrap_err();
        let letter = only(t);
        assert_eq!((letter.reason, letter.module.as_str()), (LetterReason::Undeliverable, "orders"));
        assert_eq!((letter.cause.code, letter.cause.to_string()), (unrouted.code(), unrouted.to_string()));
        let shown = letters(t).show_redacted(letter.id).unwrap();
        assert_eq!((shown.payload, letter.is_retriable), (Payload::Redacted(json!({ "total": 7 }).into()), false));
        t.shutdown().await;
    });
}

/// F-BUS-13, F-BUS-19: on a channel: what made room, what waited too long, and what failed; each comes back on it.
#[test]
fn what_a_channel_drops_is_a_letter() {
    TestSystem::run(async |t| {
        let (system, paper) = (t.system(), Paper::default());
        system.channel("c").bound(2).overflow(ChannelOverflow::DropOldest).create().await.unwrap();
        let busy = Arc::new(AtomicBool::new(true));
        let (is_busy, shared) = (Arc::clone(&busy), paper.clone());
        let print = move |event: Event| {
            let (is_busy, paper) = (Arc::clone(&is_busy), shared.clone());
            async move {
                if is_busy.load(Ordering::SeqCst) {
                    tokio::time::sleep(10 * SECOND).await;
                }
                paper.print(event.name.as_str(), 1, event.redelivered_from())
            }
        };
        let _subscription = system.subscribe_fn(">", print).on_channel("c").await.unwrap();
        paper.bring();
        for name in ["in.hand", "oldest"] {
            system.publish(name, Value::Null).channel("c").await.unwrap();
            t.settle().await;
        }
        system.publish("late", Value::Null).channel("c").ttl(5 * SECOND).await.unwrap();
        t.advance(11 * SECOND).await;
        let (overflow, expired) = (&all(t)[0], &all(t)[1]);
        assert_eq!((overflow.reason, overflow.subject.as_str()), (LetterReason::Overflow, "oldest"));
        assert_eq!((expired.reason, expired.subject.as_str()), (LetterReason::Expired, "late"));
        assert!(
            [overflow, expired].iter().all(|letter| letter.channel.as_deref() == Some("c") && letter.attempts == 0)
        );
        assert_eq!((system.events().counts().expired, paper.given().len()), (1, 1), "no handler was given it");
        busy.store(false, Ordering::SeqCst);
        letters(t).retry(LetterFilter::all()).await.unwrap();
        t.settle().await;
        let names: Vec<_> = paper.given().into_iter().map(|(name, ..)| name).collect();
        assert_eq!((names, all(t).len()), (vec!["oldest".to_owned(), "late".to_owned()], 0));

        paper.take();
        system.publish("fails", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        let letter = only(t);
        assert_eq!(
            (letter.reason, letter.attempts, letter.cause.chain[1].as_str()),
            (LetterReason::Exhausted, 3, "no paper")
        );
        let counts = system.events().counts();
        assert!(counts.adds_up(), "{counts:?}");
        t.shutdown().await;
    });
}

/// F-BUS-19: in the mailbox of an actor, whatever the reason for the wait; it never runs, and is a letter.
#[test]
fn what_expires_in_a_mailbox_is_a_letter() {
    TestSystem::run(async |t| {
        let (adder, _registration) = found(t.system(), "1.0.0", 1).await;
        let press = t.spawn(Paper::default().press("press"));
        let _subscription = t.system().subscribe("a", press.recipient::<Event>()).await.unwrap();
        t.settle().await;
        adder.tell(Rest { seconds: 10 }).await.unwrap();
        t.settle().await;
        adder.tell(Add { amount: 1 }).ttl(SECOND).await.unwrap();
        t.advance(11 * SECOND).await;
        let letter = only(t);
        assert_eq!((letter.reason, letter.subject.as_str()), (LetterReason::Expired, "adder.add"));
        assert_eq!(letters(t).counts().added[&LetterReason::Expired], 1);
        t.shutdown().await;
    });
}

/// F-DLQ-01: single events of a batch, with what their handler said of each, and all of one that fails as a whole.
#[test]
fn events_of_a_batch_are_letters_of_their_own() {
    TestSystem::run(async |t| {
        let paper = Paper::default();
        let press = t.spawn(paper.press("press"));
        let subscribing = t.system().subscribe_batched("sheet.*", press.recipient::<Batch>(), 10, SECOND);
        let _subscription = subscribing.await.unwrap();
        for name in ["sheet.a", "sheet.b"] {
            t.system().publish(name, Value::Null).await.unwrap();
        }
        t.advance(2 * SECOND).await;
        let failed: Vec<_> = all(t).into_iter().map(|letter| (letter.subject, letter.attempts)).collect();
        assert_eq!(failed, [("sheet.a".to_owned(), 3), ("sheet.b".to_owned(), 3)]);
        assert_eq!(all(t)[0].cause.chain[1], "no paper");
        paper.given();
        paper.bring();
        letters(t).retry(LetterFilter::all().subject("sheet.b")).await.unwrap();
        t.advance(2 * SECOND).await;
        assert_eq!((paper.given().len(), only(t).subject.as_str()), (1, "sheet.a"));
        t.shutdown().await;
    });
}

/// What is too old or unreadable for a method of a module, and what its turn fails at.
struct Reader;

#[module(name = "reader", version = "1.0.0")]
impl Reader {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[event("number")]
    fn number(&mut self, number: u64) -> Result<(), Fault> {
        if number == 13 { Err(Fault::permanent("not that one")) } else { Ok(()) }
    }
}

/// F-DLQ-01: of modules: the letter names the module, and what it heard is there.
#[test]
fn what_a_module_cannot_read_or_fails_at_is_a_letter() {
    TestSystem::run(async |t| {
        t.system().supervise(callboard_actor::one_for_one().child(callboard_bus::module::<Reader>())).await.unwrap();
        t.settle().await;
        t.system().publish("number", Value::from("many")).await.unwrap();
        t.system().publish("number", Value::from(13)).await.unwrap();
        t.system().publish("number", Value::from(7)).await.unwrap();
        t.advance(60 * SECOND).await;
        let found: Vec<_> = all(t).into_iter().map(|letter| (letter.reason, letter.module, letter.attempts)).collect();
        let module = || "reader".to_owned();
        assert_eq!(found, [(LetterReason::Poison, module(), 1), (LetterReason::Exhausted, module(), 3)]);
        let payloads: Vec<_> =
            all(t).iter().map(|letter| letters(t).show_redacted(letter.id).unwrap().payload).collect();
        assert_eq!(payloads, [Payload::Redacted("many".into()), Payload::Redacted(13.into())]);
        t.shutdown().await;
    });
}

/// When the system is over the records stay, and what messages refer to is let go.
#[test]
fn letters_outlive_what_was_in_them() {
    TestSystem::run(async |t| {
        let shared = Arc::new(());
        struct Holds(#[allow(dead_code, reason = "it is only held")] Arc<()>);
        impl Message for Holds {
            type Reply = ();
        }
        t.system().modules().send(&"lab.hold".parse().unwrap(), Holds(Arc::clone(&shared))).unwrap_err();
        assert_eq!(Arc::strong_count(&shared), 2);
        t.shutdown().await;
        assert_eq!((Arc::strong_count(&shared), only(t).is_retriable), (1, false));
        t.system().modules().send(&"lab.hold".parse().unwrap(), Holds(Arc::clone(&shared))).unwrap_err();
        assert_eq!(Arc::strong_count(&shared), 1);
    });
}

/// F-ERR-02: each line about a message that failed says which one it was, whose, and with what code.
#[test]
fn every_line_names_the_message() {
    let mut id = String::new();
    let lines = lines_of(|| {
        TestSystem::run(async |t| {
            let _subscription =
                t.system().subscribe_fn("a", async |_| Err(Fault::retryable("no paper"))).await.unwrap();
            id = t.system().publish("a", json!({ "token": "k-1" })).await.unwrap().id.to_string();
            t.settle().await;
            t.shutdown().await;
        });
    });
    let about: Vec<_> = lines.iter().filter(|line| line.contains(" WARN ") && line.contains("module=")).collect();
    assert_eq!(about.len(), 5, "three attempts, the dead letter and that of the queue: {lines:#?}");
    for line in about {
        let (correlation, trace) = (format!("correlation_id={id}"), format!("trace_id={}", id.replace('-', "")));
        let message = format!("message_id={id}");
        for said in [message, correlation, trace, "operation=".to_owned(), r#"code="handler_failed""#.to_owned()] {
            assert!(line.contains(&said), "{line} does not say {said}");
        }
        assert!(!line.contains("k-1"), "{line}");
    }
}
