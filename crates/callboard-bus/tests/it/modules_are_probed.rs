//! F-MET-11, F-DSC-12: a module is asked how it is. One that says that it is unhealthy, or says nothing, gets no calls until
//! it does.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Context, Fault, Message};
use callboard_bus::{Health, ModulesExt, Start, module};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::module_kit::SECOND;

#[derive(Message, Deserialize, JsonSchema)]
struct Work {
    seconds: u64,
}

#[derive(Message)]
struct SetFree(u64);

struct Storage {
    free: u64,
}

#[module(name = "storage", version = "1.0.0")]
impl Storage {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self { free: 1 })
    }

    #[request("work")]
    async fn work(&mut self, work: Work) {
        tokio::time::sleep(work.seconds as u32 * SECOND).await;
    }

    #[probe]
    fn health(&mut self) -> Health {
        if self.free > 0 { Health::Healthy } else { Health::Unhealthy("the disk is full".to_owned()) }
    }
}

impl callboard_actor::SyncHandler<SetFree> for Storage {
    fn handle(&mut self, SetFree(free): SetFree, _: &mut Context<Self>) -> Result<(), Fault> {
        self.free = free;
        Ok(())
    }
}

async fn health(t: &TestSystem) -> Health {
    t.system().modules().list()[0].health.clone()
}

fn is_start<M: Start>() {}

#[test]
fn what_a_module_says_of_itself_counts() {
    is_start::<Storage>();
    TestSystem::run(async |t| {
        let storage = t.spawn(module::<Storage>());
        t.settle().await;
        storage.ask(SetFree(0)).await.unwrap();
        assert_eq!(health(t).await, Health::Healthy, "it has not been asked yet");
        t.advance(5 * SECOND).await;
        assert_eq!(health(t).await, Health::Unhealthy("the disk is full".to_owned()));
        let refused = t.system().call("storage.work", json!({ "seconds": 0 })).await.unwrap_err();
        assert_eq!(refused.code().code(), "unavailable");
        assert!(refused.to_string().contains("the disk is full"), "{refused}");
        storage.ask(SetFree(1)).await.unwrap();
        t.advance(5 * SECOND).await;
        assert_eq!(health(t).await, Health::Healthy);
        t.system().call("storage.work", json!({ "seconds": 0 })).await.unwrap();
        t.shutdown().await;
    });
}

#[test]
fn one_whose_handler_is_blocked_is_unhealthy_within_two_periods() {
    TestSystem::run(async |t| {
        let storage = t.spawn(module::<Storage>());
        t.settle().await;
        storage.tell(Work { seconds: 12 }).await.unwrap();
        t.advance(10 * SECOND).await;
        assert_eq!(health(t).await, Health::Unhealthy("it has not answered its probe for 5s".to_owned()));
        t.advance(10 * SECOND).await;
        assert_eq!(health(t).await, Health::Healthy, "it has come back by itself");
        t.shutdown().await;
    });
}
