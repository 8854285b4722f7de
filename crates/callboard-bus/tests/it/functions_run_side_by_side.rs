//! Functions as subscribers: one event at a time, or so many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{DeadReason, ErrorCode, Fault};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::retry::Jitter;
use callboard_bus::{CallSettings, Event, EventsExt, ModulesExt, OperationsExt, RetryPolicy, Value};
use futures::poll;

use crate::trouble::{Script, press, work};

/// How many run now, how many did at most, and how many have ended.
#[derive(Clone, Default)]
struct Gauge(Arc<[AtomicUsize; 3]>);

impl Gauge {
    async fn take_100_ms(self) -> Result<(), Fault> {
        let [now, most, done] = &*self.0;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        now.fetch_sub(1, Ordering::SeqCst);
        done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    fn done(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }
}

/// F-BUS-23: two of 100 ms end together when they may run side by side, and never more run than may.
#[test]
fn so_many_run_at_once() {
    TestSystem::run(async |t| {
        let gauge = Gauge::default();
        let shared = gauge.clone();
        let subscribing = t.system().subscribe_fn("a", move |_| shared.clone().take_100_ms()).concurrency(2);
        let _subscription = subscribing.await.unwrap();
        for _ in 0..6 {
            assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 1);
        }
        t.advance(Duration::from_millis(120)).await;
        assert_eq!((gauge.done(), gauge.most()), (2, 2));
        t.advance(Duration::from_millis(300)).await;
        assert_eq!((gauge.done(), gauge.most()), (6, 2));
        let counts = t.system().events().counts();
        assert_eq!((counts.delivered, counts.in_flight), (6, 0));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-23: without that, strictly one at a time.
#[test]
fn one_at_a_time_unless_told() {
    TestSystem::run(async |t| {
        let gauge = Gauge::default();
        let shared = gauge.clone();
        let _subscription = t.system().subscribe_fn("a", move |_| shared.clone().take_100_ms()).await.unwrap();
        for _ in 0..3 {
            t.system().publish("a", Value::Null).await.unwrap();
        }
        t.advance(Duration::from_millis(120)).await;
        assert_eq!((gauge.done(), gauge.most()), (1, 1));
        t.advance(Duration::from_millis(300)).await;
        assert_eq!((gauge.done(), gauge.most()), (3, 1));
        t.shutdown().await;
    });
}

/// F-BUS-23, F-BUS-09: functions have places among all that is handled at once, as calls from outside have. A function
/// calls in its own place, so one place is enough for all of them to end.
#[test]
fn functions_are_among_what_is_handled_at_once() {
    TestSystem::run(async |t| {
        let operations = t.system().operations();
        operations.set_concurrency(1).unwrap();
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let (gauge, system) = (Gauge::default(), t.system().clone());
        let shared = gauge.clone();
        let function = move |_| {
            let (gauge, system) = (shared.clone(), system.clone());
            async move {
                system.call("press.work", 1).await?;
                gauge.take_100_ms().await
            }
        };
        let _subscription = t.system().subscribe_fn("a", function).concurrency(4).await.unwrap();
        for _ in 0..3 {
            t.system().publish("a", Value::Null).await.unwrap();
        }
        t.settle().await;
        let status = operations.concurrency();
        assert_eq!((status.in_flight, status.waiting, gauge.most()), (1, 2, 1));
        let mut call = Box::pin(work(t));
        assert!(poll!(&mut call).is_pending());
        assert_eq!(operations.concurrency().waiting, 3, "a call from outside waits behind them");
        t.advance(Duration::from_millis(350)).await;
        call.await.unwrap();
        assert_eq!((gauge.done(), gauge.most(), script.calls()), (3, 1, 4));
        t.settle().await;
        assert_eq!(operations.concurrency().in_flight, 0);
        t.shutdown().await;
    });
}

/// F-BUS-23: while a function waits for its next try, another has the place.
#[test]
fn a_pause_needs_no_place() {
    TestSystem::run(async |t| {
        t.system().operations().set_concurrency(1).unwrap();
        let policy =
            RetryPolicy::builder().initial_delay(Duration::from_secs(20)).jitter(Jitter::None).build().unwrap();
        let failing = t.system().subscribe_fn("a", async |_| Err(Fault::retryable("it was to fail"))).retry(policy);
        let _failing = failing.await.unwrap();
        t.system().publish("a", Value::Null).await.unwrap();
        t.settle().await;
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        work(t).await.unwrap();
        t.shutdown().await;
    });
}

/// F-EVT-02: what fails or panics is tried again, and then is a dead letter; the next event is handled.
#[test]
fn a_function_that_fails_is_called_again() {
    TestSystem::run(async |t| {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let function = move |event: Event| {
            let call = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match event.name.as_str() {
                    "fails" => Err(Fault::retryable("it was to fail")),
                    "panics" => panic!("it was to panic"),
                    "fails.once" if call == 6 => Err(Fault::retryable("it was to fail once")),
                    _ => Ok(()),
                }
            }
        };
        let subscription = t.system().subscribe_fn(">", function).await.unwrap();
        for name in ["fails", "panics", "fails.once", "fine"] {
            t.system().publish(name, Value::Null).await.unwrap();
        }
        t.settle().await;
        assert_eq!(calls.load(Ordering::SeqCst), 3 + 3 + 2 + 1);
        let (info, counts) = (subscription.info(), t.system().events().counts());
        assert_eq!((info.delivered, info.errors, counts.failed), (2, 2, 2));
        assert_eq!(t.system().dead_letters().counts()[&DeadReason::Failed], 2);
        let letters = t.system().dead_letter_queue().list(&LetterFilter::all());
        let known: Vec<_> = letters.iter().map(|one| (one.subject.as_str(), one.cause.code, one.actor)).collect();
        let (failed, panicked) = (ErrorCode::HandlerFailed, ErrorCode::HandlerPanicked);
        assert_eq!(known, [("fails", failed, info.actor), ("panics", panicked, info.actor)]);
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-26: what waits for a function is bounded too, and what finds no room is a dead letter.
#[test]
fn what_waits_for_a_function_is_bounded() {
    TestSystem::run(async |t| {
        let subscribing = t.system().subscribe_fn("a", async |_| std::future::pending().await);
        let subscription = subscribing.await.unwrap();
        let mut refused = 0;
        for _ in 0..1_100 {
            refused += t.system().publish("a", Value::Null).await.unwrap().refused;
        }
        t.settle().await;
        assert_eq!((refused, t.system().channels().queued()), (1_100 - 1_024, 1_024));
        assert_eq!(t.system().dead_letters().counts()[&DeadReason::Overflow], 76);
        assert!(t.system().events().counts().adds_up());
        assert_eq!(subscription.info().queued, 1_023);
        drop(subscription);
        let counts = t.system().events().counts();
        assert_eq!(
            (t.system().channels().queued(), counts.ended, counts.in_flight),
            (1, 1_023, 1),
            "what it has in hand"
        );
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

#[test]
fn a_concurrency_of_nothing_is_refused() {
    TestSystem::run(async |t| {
        let subscribing = t.system().subscribe_fn("a", async |_| Ok(())).concurrency(0);
        assert_eq!(subscribing.await.unwrap_err().code(), ErrorCode::InvalidConfig);
        t.shutdown().await;
    });
}
