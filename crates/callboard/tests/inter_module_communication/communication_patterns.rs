//! F-TST-06: request and response, publish and subscribe, broadcast, point to point, jobs.

use callboard::bus::{EventsExt, JobsExt, Value};
use callboard::prelude::*;
use callboard::testing::TestSystem;
use serde_json::json;

use crate::shop::{Take, open, order};

#[test]
fn a_request_has_its_response() {
    TestSystem::run(async |t| {
        open(t).await;
        let sold = order(t, 3).await.unwrap();
        assert_eq!((sold.sold, sold.left), (3, 999_997));
        t.shutdown().await;
    });
}

#[test]
fn an_event_reaches_all_who_subscribed_and_nobody_else() {
    TestSystem::run(async |t| {
        open(t).await;
        let (near, far) = (t.probe::<Event>(), t.probe::<Event>());
        let _near = t.system().subscribe("till.*", near.recipient()).await.unwrap();
        let _far = t.system().subscribe("stock.*", far.recipient()).await.unwrap();
        order(t, 2).await.unwrap();
        t.settle().await;
        let heard = near.take();
        assert_eq!(
            (heard.len(), heard[0].source.as_ref(), &heard[0].data),
            (1, "till", &Value::from(json!({ "pieces": 2 })))
        );
        assert!(far.take().is_empty());
        t.system().publish("stock.delivered", 10).await.unwrap();
        t.settle().await;
        assert_eq!(order(t, 0).await.unwrap().left, 1_000_008);
        t.shutdown().await;
    });
}

#[test]
fn a_broadcast_reaches_every_channel() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        let mut subscriptions = Vec::new();
        for channel in ["north", "south"] {
            system.channel(channel).create().await.unwrap();
            let probe = t.probe::<Event>();
            subscriptions.push((system.subscribe("*", probe.recipient()).on_channel(channel).await.unwrap(), probe));
        }
        let _plain = system.subscribe("*", probe.recipient()).await.unwrap();
        system.broadcast("closing", Value::Null).await.unwrap();
        t.settle().await;
        assert_eq!(probe.take().len(), 1);
        assert!(subscriptions.iter().all(|(_, probe)| probe.take().len() == 1));
        t.shutdown().await;
    });
}

#[test]
fn a_message_goes_to_one_and_nobody_waits() {
    TestSystem::run(async |t| {
        open(t).await;
        t.system().modules().send(&"stock.take@^1".parse().unwrap(), Take { pieces: 5 }).unwrap();
        t.settle().await;
        assert_eq!(order(t, 0).await.unwrap().left, 999_995);
        t.shutdown().await;
    });
}

#[test]
fn a_call_can_be_a_job() {
    TestSystem::run(async |t| {
        open(t).await;
        let job = t.system().jobs().start(t.system().call("till.order", json!({ "pieces": 4 }))).unwrap();
        let found = t.system().jobs().find(job.id()).unwrap();
        let output = found.ended().await.output().cloned().unwrap();
        assert_eq!(output, json!({ "sold": 4, "left": 999_996 }).into());
        t.shutdown().await;
    });
}
