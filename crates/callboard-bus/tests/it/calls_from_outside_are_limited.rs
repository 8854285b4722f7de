//! F-BUS-09: so many calls from outside are under way at once and no more; the others wait, and what a turn calls goes on in the
//! place of the call that the turn is for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, AskError, Context, ErrorCode, Fault, Message, Stage};
use callboard_bus::{CallError, CallSettings, Module, ModulesExt, OperationsExt, Registration, Value, module};
use futures::future::join_all;
use futures::{FutureExt, poll};
use schemars::JsonSchema;
use serde::Deserialize;

const SECOND: Duration = Duration::from_secs(1);

/// How many handlers run, and how many ever did at once.
#[derive(Clone, Default)]
struct Gauge(Arc<[AtomicUsize; 2]>);

impl Gauge {
    fn begin(&self) {
        let now = self.0[0].fetch_add(1, SeqCst) + 1;
        self.0[1].fetch_max(now, SeqCst);
    }

    fn end(&self) {
        self.0[0].fetch_sub(1, SeqCst);
    }

    fn most(&self) -> usize {
        self.0[1].swap(0, SeqCst)
    }
}

struct Desk {
    gauge: Gauge,
}

/// Takes a second.
#[derive(Message, Clone, Deserialize, JsonSchema)]
#[message(reply = (), timeout = "60s")]
struct Work {}

/// Calls another desk, and that takes a second.
#[derive(Message, Clone, Deserialize, JsonSchema)]
#[message(reply = (), timeout = "60s")]
struct Delegate {}

#[module(name = "desk", version = "1.0.0")]
impl Desk {
    #[request("work")]
    async fn work(&mut self, _: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.gauge.begin();
        cx.system().sleep(SECOND).await;
        self.gauge.end();
        Ok(())
    }

    #[request("delegate")]
    async fn delegate(&mut self, _: Delegate, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.system().call("back_desk.work", Value::from_serialize(&serde_json::json!({}))?).await?;
        Ok(())
    }
}

/// What the desks delegate to.
struct BackDesk;

#[module(name = "back_desk", version = "1.0.0")]
impl BackDesk {
    #[request("work")]
    async fn work(&mut self, _: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.system().sleep(SECOND).await;
        Ok(())
    }
}

async fn desks(t: &TestSystem, count: usize) -> (Gauge, Vec<(ActorRef<Desk>, Registration)>) {
    let gauge = Gauge::default();
    let mut desks = Vec::new();
    for _ in 0..count {
        let theirs = gauge.clone();
        let desk = t.spawn(move || Desk { gauge: theirs.clone() });
        desks.push((desk.clone(), Desk::manifest().register(&desk).await.unwrap()));
    }
    t.settle().await;
    (gauge, desks)
}

async fn work(t: &TestSystem) -> Result<Value, CallError> {
    t.system().call("desk.work", serde_json::json!({})).await
}

/// F-BUS-09: never more than three, whichever way they are called, and everybody is served.
#[test]
fn no_more_than_the_limit_are_under_way() {
    TestSystem::run(async |t| {
        let (gauge, desks) = desks(t, 8).await;
        let operations = t.system().operations();
        operations.set_concurrency(3).unwrap();
        let by_name = (0..8).map(|_| work(t).map(|result| result.is_ok()).boxed_local());
        let typed = desks.iter().map(|(desk, _)| desk.work(Work {}).into_future().map(|it| it.is_ok()).boxed_local());
        let mut all = Box::pin(join_all(by_name.chain(typed)));
        assert!(poll!(&mut all).is_pending());
        let status = operations.concurrency();
        assert_eq!((status.limit, status.in_flight, status.waiting), (3, 3, 13));
        assert!(all.await.into_iter().all(|went_well| went_well));
        assert_eq!(gauge.most(), 3);
        assert_eq!(operations.concurrency().in_flight, 0);
        t.shutdown().await;
    });
}

/// F-BUS-09: as many calls as there are places, each of which needs another one.
#[test]
fn a_call_within_a_call_needs_no_place() {
    TestSystem::run(async |t| {
        let (_, _desks) = desks(t, 4).await;
        let back = t.spawn(|| BackDesk);
        let _back = BackDesk::manifest().register(&back).await.unwrap();
        t.system().operations().set_concurrency(4).unwrap();
        let calls = (0..4).map(|_| t.system().call("desk.delegate", serde_json::json!({})).into_future());
        for result in join_all(calls).await {
            result.unwrap();
        }
        t.shutdown().await;
    });
}

/// F-BUS-09: who waits longer than its time-out has not been asked.
#[test]
fn a_wait_ends_with_the_deadline() {
    TestSystem::run(async |t| {
        let (gauge, desks) = desks(t, 2).await;
        t.system().operations().set_concurrency(1).unwrap();
        let mut first = Box::pin(work(t));
        assert!(poll!(&mut first).is_pending());
        let late = t.system().call("desk.work", serde_json::json!({})).timeout(SECOND / 2).await.unwrap_err();
        assert!(matches!(late, CallError::Road(AskError::Timeout { stage: Stage::Queue })), "{late}");
        let late = desks[1].0.work(Work {}).timeout(SECOND / 4).await.unwrap_err();
        assert!(matches!(late, CallError::Road(AskError::Timeout { stage: Stage::Queue })), "{late}");
        first.await.unwrap();
        assert_eq!(gauge.most(), 1);
        t.system().operations().set(CallSettings::new().timeout(SECOND / 2)).unwrap();
        assert_eq!(work(t).await.unwrap_err().code(), ErrorCode::Timeout, "the handler takes longer");
        assert_eq!(t.system().operations().concurrency().in_flight, 0, "a place is given back however a call ends");
        t.shutdown().await;
    });
}

/// F-BUS-09, F-CFG-17: another limit holds for whoever comes next.
#[test]
fn the_limit_can_change_at_any_time() {
    TestSystem::run(async |t| {
        let (gauge, _desks) = desks(t, 8).await;
        let operations = t.system().operations();
        let refused = operations.set_concurrency(0).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidConfig);
        assert_eq!(operations.concurrency().limit, 1_000);
        operations.set_concurrency(4).unwrap();
        let mut four = Box::pin(join_all((0..4).map(|_| work(t))));
        assert!(poll!(&mut four).is_pending());
        operations.set_concurrency(2).unwrap();
        assert_eq!(operations.concurrency().in_flight, 4, "who is in stays");
        let mut more = Box::pin(join_all((0..4).map(|_| work(t))));
        assert!(poll!(&mut more).is_pending());
        assert_eq!(operations.concurrency().waiting, 4);
        four.await;
        assert_eq!(gauge.most(), 4);
        more.await;
        assert_eq!(gauge.most(), 2);
        operations.set_concurrency(8).unwrap();
        join_all((0..8).map(|_| work(t))).await;
        assert_eq!(gauge.most(), 8);
        t.shutdown().await;
    });
}
