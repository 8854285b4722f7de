//! F-TST-06: failures, time-outs, breakers; and the rest goes on.

use callboard::ErrorCode;
use callboard::bus::monitoring::Level;
use callboard::bus::{DeadLetterQueueExt, EventsExt, LetterFilter, MonitoringExt, RetryPolicy, Value};
use callboard::prelude::*;
use callboard::testing::TestSystem;
use callboard::workflow::definition::Definition;
use callboard::workflow::run::RunState;
use serde_json::json;

use crate::shop::{SECOND, Stock, StockOperations, Take, open, order};

#[test]
fn after_a_panic_a_module_serves_again() {
    TestSystem::run(async |t| {
        open(t).await;
        order(t, 1).await.unwrap();
        let failed = t.system().call("stock.fail", json!("Panic")).await.unwrap_err();
        assert_eq!(failed.code(), ErrorCode::HandlerPanicked);
        t.settle().await;
        assert_eq!(order(t, 1).await.unwrap().left, 999_999, "with a new value");
        assert_eq!(t.inspect().totals.restarts, 1);
        t.shutdown().await;
    });
}

#[test]
fn a_call_ends_in_time_whatever_its_module_does() {
    TestSystem::run(async |t| {
        open(t).await;
        let began = t.now();
        let failed = t.system().call("stock.fail", json!({ "Hang": 60 })).timeout(2 * SECOND).await.unwrap_err();
        assert_eq!((failed.code(), t.now() - began), (ErrorCode::Timeout, 2 * SECOND));
        t.shutdown().await;
    });
}

#[test]
fn a_breaker_opens_refuses_at_once_and_closes_again() {
    TestSystem::run(async |t| {
        open(t).await;
        let monitoring = t.system().monitoring();
        let hang = async |seconds: u64| t.system().call("stock.fail", json!({ "Hang": seconds })).timeout(SECOND).await;
        for _ in 0..5 {
            assert_eq!(hang(8).await.unwrap_err().code(), ErrorCode::Timeout);
        }
        let began = t.now();
        let refused = hang(0).await.unwrap_err();
        assert_eq!((refused.code(), t.now()), (ErrorCode::CircuitOpen, began));
        assert!(refused.retry_after().is_some_and(|wait| wait <= 40 * SECOND));
        assert_eq!(monitoring.metrics().communication().circuit_breakers_open, ["stock.fail"]);
        assert_eq!(monitoring.status().await.overall_health, Level::Degraded);
        assert!(order(t, 1).await.is_ok(), "the rest goes on");

        t.advance(40 * SECOND).await;
        hang(0).await.unwrap();
        assert!(monitoring.metrics().open_breakers.is_empty());
        assert_eq!(monitoring.status().await.overall_health, Level::Healthy);
        t.shutdown().await;
    });
}

#[test]
fn what_may_pass_is_tried_again() {
    TestSystem::run(async |t| {
        open(t).await;
        let policy = RetryPolicy::builder().max_retries(2).initial_delay(SECOND).build().unwrap();
        let began = t.now();
        let answer = t.system().call("stock.knock", json!(null)).retry(policy).await.unwrap();
        assert_eq!(answer, 3.into());
        assert!(t.now() - began <= 3 * SECOND, "it waits a second at most, and then two");
        let failed = t.system().call("stock.fail", json!("Panic")).retry(policy).await.unwrap_err();
        assert_eq!((failed.code(), failed.attempts()), (ErrorCode::HandlerPanicked, 1), "that would fail again");
        t.shutdown().await;
    });
}

#[test]
fn what_reaches_nobody_is_kept_for_whoever_looks() {
    TestSystem::run(async |t| {
        open(t).await;
        let lost = t.system().modules().send(&"stock.gone".parse().unwrap(), Take { pieces: 1 });
        assert_eq!(lost.unwrap_err().code(), ErrorCode::UnknownOperation);
        let letters = t.system().dead_letter_queue().list(&LetterFilter::default());
        assert_eq!(letters.len(), 1);
        assert_eq!(t.system().monitoring().health().dead_letters.kept.letters, 1);
        t.shutdown().await;
    });
}

#[test]
fn one_subscriber_that_fails_costs_the_others_nothing() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        let fails = async |_| Err(Fault::permanent("it always does"));
        let _fails = system.subscribe_fn("a", fails).await.unwrap();
        let _well = system.subscribe("a", probe.recipient()).await.unwrap();
        for _ in 0..10 {
            system.publish("a", Value::Null).await.unwrap();
        }
        t.advance(60 * SECOND).await;
        let counts = system.events().counts();
        assert_eq!((probe.take().len(), counts.failed, counts.delivered), (10, 10, 10));
        t.shutdown().await;
    });
}

/// F-BUS-05: while the breaker of a module is open nothing reaches it, on whatever way it comes; afterwards everything does.
#[test]
fn every_way_to_a_module_passes_its_breaker() {
    TestSystem::run(async |t| {
        open(t).await;
        let (system, workflows) = (t.system(), t.system().workflows());
        workflows.register(Definition::read(COUNT).unwrap()).await.unwrap();
        let stock = system.find::<Stock>("stock").unwrap();
        let address = "stock.take".parse().unwrap();
        let ways = async || {
            let sent = system.modules().send(&address, Take { pieces: 1 }).is_ok();
            let published = system.publish("stock.delivered", 1).await.unwrap();
            [
                stock.ask(Take { pieces: 1 }).await.is_ok(),
                stock.tell(Take { pieces: 1 }).await.is_ok(),
                stock.take(Take { pieces: 1 }).await.is_ok(),
                system.call("stock.take", json!({ "pieces": 1 })).await.is_ok(),
                sent,
                published.refused == 0,
                workflows.start("count", json!({ "pieces": 1 })).await.unwrap().ended().await.state()
                    == RunState::Completed,
            ]
        };
        stock.breaker().force_open();
        t.settle().await;
        assert_eq!(ways().await, [false; 7]);
        stock.breaker().automatic();
        t.settle().await;
        assert_eq!(ways().await, [true; 7]);
        let left = stock.ask(Take { pieces: 0 }).await.unwrap();
        assert_eq!(left, 1_000_000 - 6 + 1, "nothing of before was handled later");
        t.shutdown().await;
    });
}

const COUNT: &str = "workflow_id: count
version: 1.0.0
steps:
- step_id: take
  handler: stock.take
  input_mapping: {pieces: pieces}
";
