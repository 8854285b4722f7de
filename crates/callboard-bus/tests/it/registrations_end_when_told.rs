//! A registration that did not come to its end leaves nothing behind, and one that its actor makes again takes the place of
//! the one before.

use std::task::Poll;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorState, Context, Drain, ErrorCode, Fault, Message, SyncHandler, System, block_on};
use callboard_bus::{Health, LookupError, Manifest, ModuleChange, ModulesExt};
use futures::poll;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::module_kit::{SECOND, Who, adder, found, offer, who};

/// Registers itself whenever it starts.
struct SelfMade {
    starts: u64,
}

impl Actor for SelfMade {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        let module = Manifest::new("self_made", "1.0.0").operation::<Starts>("starts");
        module.operation::<Fall>("fall").register(&cx.me()).await?;
        Ok(())
    }
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Starts {}

impl SyncHandler<Starts> for SelfMade {
    fn handle(&mut self, _: Starts, _: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(self.starts)
    }
}

#[derive(Message, Deserialize, JsonSchema)]
struct Fall {}

impl SyncHandler<Fall> for SelfMade {
    fn handle(&mut self, _: Fall, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("on purpose")
    }
}

#[test]
fn an_actor_registers_itself_at_each_start() {
    TestSystem::run(async |t| {
        let probe = t.probe::<ModuleChange>();
        let _watch = t.system().modules().watch(probe.recipient()).await.unwrap();
        let starts = std::sync::atomic::AtomicU64::new(0);
        let actor = t.spawn(move || SelfMade { starts: starts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1 });
        t.settle().await;
        assert_eq!(t.system().call("self_made.starts", json!({})).await.unwrap(), 1.into());
        t.system().call("self_made.fall", json!({})).await.unwrap_err();
        t.advance(60 * SECOND).await;
        assert_eq!(actor.state(), ActorState::Running);
        assert_eq!(t.system().call("self_made.starts", json!({})).await.unwrap(), 2.into());
        assert_eq!(t.system().modules().list().len(), 1, "once");
        let heard = probe.take();
        assert!(matches!(heard[..], [ModuleChange::Arrived(_), ModuleChange::Changed(_)]), "{heard:?}");
        t.shutdown().await;
    });
}

/// What takes the place of another can be taken back, and the one before cannot any more.
#[test]
fn the_latest_registration_is_the_one_that_counts() {
    TestSystem::run(async |t| {
        let actor = t.spawn(adder(1));
        drop(offer("1.0.0").register(&actor).await.unwrap());
        let held = offer("1.1.0").register(&actor).await.unwrap();
        assert_eq!(who(t.system(), "@=1.1.0").await.unwrap(), 1);
        let twice = offer("1.2.0").register(&actor).await.unwrap_err();
        assert_eq!(twice.code(), ErrorCode::AlreadyExists);
        held.unregister().await.unwrap();
        assert!(t.system().modules().list().is_empty());
        t.shutdown().await;
    });
}

#[test]
fn a_cancelled_registration_leaves_nothing() {
    let system = block_on(System::builder().workers(2).start()).unwrap();
    let adders: Vec<_> = (0..200).map(|id| system.spawn(adder(id))).collect();
    block_on(async {
        let (_, last) = found(&system, "1.0.0", 1000).await;
        for adder in &adders {
            let mut registered = Box::pin(offer("1.0.0").register(adder));
            // The registry is on another thread, so the first look comes before the answer, more often than not.
            if let Poll::Ready(done) = poll!(&mut registered) {
                done.unwrap().unregister().await.unwrap();
            }
            // The registry has seen to the registration when it has seen to this.
            last.set_health(Health::Healthy).await.unwrap();
            drop(registered);
        }
        last.unregister().await.unwrap();
        // What takes back is more urgent than what is asked. Only once in 32 turns something less urgent may go first, so what
        // is asked next comes after it.
        let (_, after) = found(&system, "1.0.0", 1001).await;
        after.unregister().await.unwrap();
        assert!(system.modules().list().is_empty(), "{:?}", system.modules().list());
        for adder in &adders {
            let again = offer("1.0.0").register(adder).await.unwrap();
            drop(again);
        }
        assert_eq!(system.modules().list().len(), 200);
        system.shutdown(Drain::default()).await;
    });
}

#[test]
fn a_watch_ends_when_it_is_dropped() {
    TestSystem::run(async |t| {
        let probe = t.probe::<ModuleChange>();
        let watch = t.system().modules().watch(probe.recipient()).await.unwrap();
        let _first = found(t.system(), "1.0.0", 1).await;
        t.settle().await;
        drop(watch);
        let _second = found(t.system(), "1.0.0", 2).await;
        t.settle().await;
        assert_eq!(probe.take().len(), 1);
        t.shutdown().await;
    });
}

#[test]
fn a_system_that_is_over_says_so_though_nobody_ever_asked_for_a_module() {
    let system = block_on(System::builder().workers(1).start()).unwrap();
    block_on(system.shutdown(Drain::default()));
    let error = block_on(system.lookup::<Who>("adder.who")).unwrap_err();
    assert!(matches!(error, LookupError::Over), "{error:?}");
    let refused = block_on(offer("1.0.0").register(&system.spawn(adder(1)))).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
}
