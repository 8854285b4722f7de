//! Subscribers that take batches.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Backoff, Context, DeadReason, ErrorCode, Fault, Handler, Message, child};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::{Batch, BatchOutcome, EventsExt, Subscription, Value};
use tokio::sync::oneshot;

type Batches = Arc<Mutex<Vec<Vec<String>>>>;

/// Writes down the names of each batch. An event named `bad` fails, one named `worse` fails the whole turn.
struct Store(Batches);

impl Actor for Store {}

impl Handler<Batch> for Store {
    async fn handle(&mut self, batch: Batch, _: &mut Context<Self>) -> Result<BatchOutcome, Fault> {
        let mut outcome = BatchOutcome::default();
        self.0.lock().unwrap().push(batch.events.iter().map(|event| event.name.to_string()).collect());
        for event in &batch.events {
            match event.name.as_str() {
                "bad" => outcome.fail(event.id, Fault::retryable("it was to fail")),
                "worse" => return Err(Fault::permanent("all of it was to fail")),
                _ => {}
            }
        }
        Ok(outcome)
    }
}

#[derive(Message)]
struct Hold(oneshot::Receiver<()>);

impl Handler<Hold> for Store {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        let _ = hold.0.await;
        Ok(())
    }
}

async fn store(t: &TestSystem, most: usize, linger: Duration) -> (Batches, Subscription) {
    let batches = Batches::default();
    let kept = Arc::clone(&batches);
    let store = child("store", move || Store(Arc::clone(&kept))).backoff(Backoff::none()).attempts(2);
    let store = t.spawn(store);
    let subscription = t.system().subscribe_batched(">", store.recipient(), most, linger).await.unwrap();
    (batches, subscription)
}

async fn publish(t: &TestSystem, names: &[&str]) {
    for name in names {
        t.system().publish(name, Value::Null).await.unwrap();
    }
}

fn sizes(batches: &Batches) -> Vec<usize> {
    batches.lock().unwrap().drain(..).map(|batch| batch.len()).collect()
}

/// F-BUS-22: never more than asked for, and none waits longer than it may.
#[test]
fn a_batch_is_full_or_its_time_is_over() {
    TestSystem::run(async |t| {
        let (batches, _subscription) = store(t, 3, Duration::from_millis(50)).await;
        publish(t, &["a"; 7]).await;
        t.settle().await;
        assert_eq!(sizes(&batches), [3, 3], "the last one waits for others");
        t.advance(Duration::from_millis(40)).await;
        publish(t, &["b"]).await;
        t.settle().await;
        assert_eq!(sizes(&batches), [0; 0]);
        t.advance(Duration::from_millis(10)).await;
        assert_eq!(sizes(&batches), [2], "50 ms after the first of the two");
        let counts = t.system().events().counts();
        assert_eq!((counts.delivered, counts.in_flight), (8, 0));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-22: what fails is a single event, which comes again and then is a dead letter.
#[test]
fn one_event_of_a_batch_fails_alone() {
    TestSystem::run(async |t| {
        let (batches, subscription) = store(t, 3, Duration::ZERO).await;
        let (system, probe) = (t.system(), t.probe());
        let _other = system.subscribe("*", probe.recipient()).await.unwrap();
        system.channel("c").create().await.unwrap();
        publish(t, &["one"]).await;
        t.settle().await;
        batches.lock().unwrap().clear();
        publish(t, &["one", "bad", "two"]).await;
        t.settle().await;
        let tries: Vec<_> =
            batches.lock().unwrap().drain(..).filter(|batch| batch.contains(&"bad".to_owned())).collect();
        assert_eq!(tries.len(), 3);
        assert!(tries[1..].iter().all(|again| *again == ["bad"]), "{tries:?}");
        let counts = system.events().counts();
        assert_eq!((counts.failed, counts.delivered), (1, 3 + 4));
        assert!(counts.adds_up());
        assert_eq!(
            system.dead_letters().list().iter().map(|dead| dead.reason).collect::<Vec<_>>(),
            [DeadReason::Failed]
        );
        let letters = system.dead_letter_queue().list(&LetterFilter::all());
        assert_eq!((letters[0].subject.as_str(), letters[0].cause.code), ("bad", ErrorCode::HandlerFailed));
        assert_eq!((subscription.info().delivered, subscription.info().errors), (3, 1));
        assert_eq!(probe.take().len(), 4, "who takes them one by one has not noticed");
        t.shutdown().await;
    });
}

/// A turn that fails fails as every turn does: again by the supervisor, then in quarantine, and the next batch is served.
#[test]
fn a_batch_whose_turn_fails_goes_to_the_quarantine() {
    TestSystem::run(async |t| {
        let (batches, subscription) = store(t, 3, Duration::ZERO).await;
        publish(t, &["worse"]).await;
        t.settle().await;
        publish(t, &["fine"]).await;
        t.settle().await;
        assert_eq!(*batches.lock().unwrap(), [["worse"], ["worse"], ["fine"]]);
        assert_eq!((t.system().quarantine().total(), subscription.info().errors), (1, 1));
        assert!(t.system().events().counts().adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-19, F-BUS-22: what is over when its batch would begin is not in it.
#[test]
fn what_has_expired_is_in_no_batch() {
    TestSystem::run(async |t| {
        let batches = Batches::default();
        let kept = Arc::clone(&batches);
        let store = t.spawn(child("store", move || Store(Arc::clone(&kept))));
        let subscribing = t.system().subscribe_batched(">", store.recipient(), 8, Duration::from_millis(10));
        let _subscription = subscribing.await.unwrap();
        let (go, held) = oneshot::channel();
        store.tell(Hold(held)).await.unwrap();
        t.system().publish("short", Value::Null).ttl(Duration::from_millis(100)).await.unwrap();
        t.system().publish("long", Value::Null).await.unwrap();
        t.advance(Duration::from_millis(200)).await;
        drop(go);
        t.settle().await;
        assert_eq!(*batches.lock().unwrap(), [["long"]]);
        let counts = t.system().events().counts();
        assert_eq!((counts.expired, counts.delivered), (1, 1));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

#[test]
fn batches_of_nothing_are_refused() {
    TestSystem::run(async |t| {
        let store = t.spawn(child("store", || Store(Batches::default())));
        let subscribing = t.system().subscribe_batched(">", store.recipient(), 0, Duration::ZERO);
        assert_eq!(subscribing.await.unwrap_err().code(), ErrorCode::InvalidConfig);
        t.shutdown().await;
    });
}
