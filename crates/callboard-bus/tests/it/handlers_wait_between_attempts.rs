//! F-EVT-02, F-BUS-06: a handler that fails is tried again by a policy, with a pause before each attempt, and then its event is a dead
//! letter; others are not kept waiting.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Backoff, Context, ErrorCode, Fault, SyncHandler, System, child};
use callboard_bus::dead_letter_queue::DeadLetterQueueExt;
use callboard_bus::retry::Jitter;
use callboard_bus::{Batch, BatchOutcome, Event, EventsExt, LetterFilter, RetryPolicy, SubscribeError, Value};

const SECOND: Duration = Duration::from_secs(1);

/// When somebody was tried, in seconds since it was first.
#[derive(Clone, Default)]
struct Tries(Arc<Mutex<Vec<Duration>>>);

impl Tries {
    fn fail(&self, system: &System) -> Fault {
        self.0.lock().unwrap().push(system.elapsed());
        Fault::permanent("it was to fail")
    }

    fn seconds(&self) -> Vec<u64> {
        let tries = self.0.lock().unwrap();
        tries.iter().map(|at| (*at - tries[0]).as_secs_f64().round() as u64).collect()
    }
}

struct Failing(Tries);

impl Actor for Failing {}

impl SyncHandler<Event> for Failing {
    fn handle(&mut self, _: Event, cx: &mut Context<Self>) -> Result<(), Fault> {
        Err(self.0.fail(&cx.system()))
    }
}

impl SyncHandler<Batch> for Failing {
    fn handle(&mut self, batch: Batch, cx: &mut Context<Self>) -> Result<BatchOutcome, Fault> {
        let mut outcome = BatchOutcome::default();
        for event in batch.events.iter().filter(|event| event.data == Value::from(true)) {
            outcome.fail(event.id, self.0.fail(&cx.system()));
        }
        Ok(outcome)
    }
}

/// Retries after 1, 2 and 4 seconds.
fn policy() -> RetryPolicy {
    RetryPolicy::builder().max_retries(3).initial_delay(SECOND).factor(2.0).jitter(Jitter::None).build().unwrap()
}

/// How often each was tried whose event is a dead letter.
fn attempts(t: &TestSystem) -> Vec<u32> {
    t.system().dead_letter_queue().list(&LetterFilter::all()).into_iter().map(|letter| letter.attempts).collect()
}

#[test]
fn a_function_is_tried_as_its_policy_says() {
    TestSystem::run(async |t| {
        let (tries, other) = (Tries::default(), t.probe::<Event>());
        let (system, shared) = (t.system().clone(), tries.clone());
        let fail = move |_| {
            let fault = shared.fail(&system);
            async move { Err(fault) }
        };
        let _subscription = t.system().subscribe_fn("a", fail).retry(policy()).await.unwrap();
        let _other = t.system().subscribe("a", other.recipient()).await.unwrap();
        t.system().publish("a", Value::Null).await.unwrap();
        t.advance(6 * SECOND).await;
        assert_eq!((tries.seconds(), other.take().len(), attempts(t)), (vec![0, 1, 3], 1, vec![]));
        t.advance(2 * SECOND).await;
        assert_eq!((tries.seconds(), attempts(t)), (vec![0, 1, 3, 7], vec![4]));
        assert!(t.system().events().counts().adds_up());
        t.shutdown().await;
    });
}

/// What has failed of a batch alone waits; what its time to live does not last for is not tried.
#[test]
fn what_failed_of_a_batch_is_tried_as_its_policy_says() {
    TestSystem::run(async |t| {
        let tries = Tries::default();
        let shared = tries.clone();
        let failing = t.spawn(child("failing", move || Failing(shared.clone())));
        let subscribing = t.system().subscribe_batched("a", failing.recipient::<Batch>(), 2, SECOND).retry(policy());
        let subscription = subscribing.await.unwrap();
        for fails in [true, false] {
            t.system().publish("a", Value::from(fails)).await.unwrap();
        }
        t.advance(10 * SECOND).await;
        assert_eq!((tries.seconds(), attempts(t)), (vec![0, 1, 3, 7], vec![4]));
        assert_eq!((subscription.info().delivered, subscription.info().errors), (1, 1));
        t.system().publish("a", Value::from(true)).ttl(3 * SECOND).await.unwrap();
        t.advance(10 * SECOND).await;
        assert_eq!(
            (tries.seconds().len(), attempts(t).len()),
            (4 + 2, 2),
            "at once, when it has lingered, and a second later"
        );
        assert_eq!(t.system().events().counts().expired, 1);
        t.shutdown().await;
    });
}

/// An actor has the pauses of its own restarts.
#[test]
fn an_actor_waits_as_its_backoff_says() {
    TestSystem::run(async |t| {
        let tries = Tries::default();
        let shared = tries.clone();
        let backoff = Backoff::exponential(2 * SECOND, 2.0, 60 * SECOND).without_jitter();
        let failing = child("failing", move || Failing(shared.clone())).backoff(backoff).attempts(3);
        let failing = t.spawn(failing);
        let _subscription = t.system().subscribe("a", failing.recipient::<Event>()).await.unwrap();
        t.system().publish("a", Value::Null).await.unwrap();
        t.advance(60 * SECOND).await;
        assert_eq!((tries.seconds(), attempts(t)), (vec![0, 0, 2], vec![3]), "the first restart is at once");
        let refused = t.system().subscribe("a", failing.recipient::<Event>()).retry(policy()).await.unwrap_err();
        assert_eq!((&refused, refused.code()), (&SubscribeError::RetryOfActor, ErrorCode::InvalidConfig));
        t.shutdown().await;
    });
}
