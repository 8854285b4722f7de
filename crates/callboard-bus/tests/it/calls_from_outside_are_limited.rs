//! F-BUS-09: so many calls from outside are under way at once and no more; the others wait, and what a turn calls goes on in the
//! place of the call that the turn is for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, AskError, BreakerMode, Context, ErrorCode, Fault, Message, Stage};
use callboard_bus::{Call, CallError, Module, ModulesExt, OperationsExt, Registration, Value, module};
use futures::future::{Either, join_all, select};
use futures::{FutureExt, poll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

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

    fn now(&self) -> usize {
        self.0[0].load(SeqCst)
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
        assert!(matches!(late, CallError::Road { error: AskError::Timeout { stage: Stage::Queue }, .. }), "{late}");
        let late = desks[1].0.work(Work {}).timeout(SECOND / 4).await.unwrap_err();
        assert!(matches!(late, CallError::Road { error: AskError::Timeout { stage: Stage::Queue }, .. }), "{late}");
        first.await.unwrap();
        assert_eq!(gauge.most(), 1);
        assert_eq!(t.system().operations().concurrency().in_flight, 0, "a place is given back however a call ends");
        t.shutdown().await;
    });
}

/// F-BUS-09, F-API-12: a place is waited for before the breaker is asked, and stands there in the pipeline.
#[test]
fn the_pipeline_says_where_a_place_is_taken() {
    TestSystem::run(async |t| {
        let (_, _desks) = desks(t, 1).await;
        let operations = t.system().operations();
        operations.set_concurrency(1).unwrap();
        let pipeline = operations.pipeline("desk.work").unwrap();
        let printed = [
            "time-out: 1m (that of the message)",
            "retry: none",
            "places: 1 at once (calls from outside)",
            "breaker: ",
        ];
        for (step, expected) in pipeline.steps().iter().zip(printed) {
            assert!(step.starts_with(expected), "{pipeline}");
        }
        let (mut first, mut second) = (Box::pin(work(t)), Box::pin(work(t)));
        assert!(poll!(&mut first).is_pending());
        operations.set_breaker_mode("desk.work", BreakerMode::ForcedOpen).unwrap();
        assert!(poll!(&mut second).is_pending());
        first.await.unwrap();
        assert_eq!(second.await.unwrap_err().code(), ErrorCode::CircuitOpen);
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

/// Does not end before somebody says so.
struct Vault {
    gauge: Gauge,
    gate: Arc<Semaphore>,
}

#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = (), timeout = "60s")]
struct Open {}

#[module(name = "vault", version = "1.0.0")]
impl Vault {
    #[request("open")]
    async fn open(&mut self, _: Open, _: &mut Context<Self>) -> Result<(), Fault> {
        self.gauge.begin();
        // Nobody closes it.
        self.gate.acquire().await.unwrap().forget();
        self.gauge.end();
        Ok(())
    }
}

struct Vaults {
    gauge: Gauge,
    gate: Arc<Semaphore>,
    all: Vec<(ActorRef<Vault>, Registration)>,
}

async fn vaults(t: &TestSystem, count: usize) -> Vaults {
    let (gauge, gate) = (Gauge::default(), Arc::new(Semaphore::new(0)));
    let mut all = Vec::new();
    for _ in 0..count {
        let theirs = (gauge.clone(), Arc::clone(&gate));
        let vault = t.spawn(move || Vault { gauge: theirs.0.clone(), gate: Arc::clone(&theirs.1) });
        all.push((vault.clone(), Vault::manifest().register(&vault).await.unwrap()));
    }
    t.settle().await;
    Vaults { gauge, gate, all }
}

fn open(t: &TestSystem) -> Call<'static> {
    t.system().call("vault.open", serde_json::json!({}))
}

/// F-BUS-09: handlers that go on though nobody waits for them any more, be it that the time of the caller was over or that the
/// caller was dropped, keep their places until they end: never more than the limit, by the gauge and by the count.
#[test]
fn a_handler_keeps_its_place_though_nobody_waits() {
    TestSystem::run(async |t| {
        let Vaults { gauge, gate, all } = vaults(t, 9).await;
        let operations = t.system().operations();
        operations.set_concurrency(8).unwrap();
        let typed = |at: usize| all[at].0.open(Open {});
        let calls = [
            open(t).into_future().map(|it| it.is_ok()).boxed_local(),
            open(t).user("ada").into_future().map(|it| it.is_ok()).boxed_local(),
            open(t).timeout(SECOND).into_future().map(|it| it.is_ok()).boxed_local(),
            open(t).timeout(SECOND).user("ada").into_future().map(|it| it.is_ok()).boxed_local(),
            typed(4).into_future().map(|it| it.is_ok()).boxed_local(),
            typed(5).user("ada").into_future().map(|it| it.is_ok()).boxed_local(),
            typed(6).timeout(SECOND).into_future().map(|it| it.is_ok()).boxed_local(),
            typed(7).timeout(SECOND).user("ada").into_future().map(|it| it.is_ok()).boxed_local(),
        ];
        let mut waiting = Box::pin(join_all(calls));
        assert!(poll!(&mut waiting).is_pending());
        t.settle().await;
        assert_eq!((gauge.now(), operations.concurrency().in_flight), (8, 8));
        let over = async { t.advance(2 * SECOND).await };
        assert!(
            matches!(select(&mut waiting, Box::pin(over)).await, Either::Right(_)),
            "those without a time-out wait"
        );
        drop(waiting);
        t.settle().await;
        assert_eq!((gauge.now(), operations.concurrency().in_flight), (8, 8), "nobody waits, and all go on");

        let mut next = Box::pin(typed(8).into_future());
        assert!(poll!(&mut next).is_pending());
        t.advance(5 * SECOND).await;
        assert!(poll!(&mut next).is_pending());
        assert_eq!((gauge.now(), operations.concurrency().waiting), (8, 1), "one too many");
        gate.add_permits(1);
        t.settle().await;
        assert!(poll!(&mut next).is_pending());
        t.settle().await;
        let status = operations.concurrency();
        assert_eq!((gauge.now(), status.in_flight, status.waiting), (8, 8, 0), "one has ended, and the next begins");
        gate.add_permits(8);
        next.await.unwrap();
        t.settle().await;
        assert_eq!((gauge.now(), gauge.most(), operations.concurrency().in_flight), (0, 8, 0));
        t.shutdown().await;
    });
}

/// F-BUS-09: what has not begun never will, and so has no place from the moment on at which nobody waits for it; nor has a
/// handler that is no more.
#[test]
fn what_never_begins_or_is_killed_has_no_place() {
    TestSystem::run(async |t| {
        let Vaults { gauge, gate, all } = vaults(t, 1).await;
        let operations = t.system().operations();
        let mut both = [open(t).into_future(), open(t).into_future()];
        for call in &mut both {
            assert!(poll!(call).is_pending());
        }
        t.settle().await;
        assert_eq!((gauge.now(), operations.concurrency().in_flight), (1, 2));
        let [first, second] = both;
        drop(second);
        assert_eq!(operations.concurrency().in_flight, 1, "it waited in the mailbox");
        drop(first);
        t.settle().await;
        assert_eq!(operations.concurrency().in_flight, 1);
        all[0].0.kill();
        t.settle().await;
        assert_eq!((operations.concurrency().in_flight, gate.available_permits()), (0, 0));
        t.shutdown().await;
    });
}
