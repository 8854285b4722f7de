//! One event without a channel and on every channel.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, child};
use callboard_bus::{Event, EventsExt, Value};
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold};

/// F-BUS-03: every channel, once for each actor, with the count of each channel.
#[test]
fn every_channel_has_it_and_nobody_twice() {
    TestSystem::run(async |t| {
        let system = t.system();
        for name in ["a", "b", "empty"] {
            system.channel(name).create().await.unwrap();
        }
        let (everywhere, plain, on_b) = (t.probe::<Event>(), t.probe::<Event>(), t.probe::<Event>());
        let mut subscriptions = Vec::new();
        for channel in ["a", "b"] {
            subscriptions.push(system.subscribe(">", everywhere.recipient()).on_channel(channel).await.unwrap());
        }
        subscriptions.push(system.subscribe(">", on_b.recipient()).on_channel("b").await.unwrap());
        subscriptions.push(system.subscribe("other", on_b.recipient()).on_channel("b").await.unwrap());
        subscriptions.push(system.subscribe("system.*", plain.recipient()).await.unwrap());
        let receipt = system.broadcast("system.shutdown", "maintenance").source("operator").await.unwrap();
        let channels: Vec<_> =
            receipt.channels.iter().map(|(name, count)| (name.as_str(), count.clone().unwrap())).collect();
        assert_eq!(channels, [("a", 1), ("b", 1), ("empty", 0)]);
        assert_eq!((receipt.delivered, receipt.refused), (1, 0));
        t.settle().await;
        for (probe, channel) in [(everywhere, Some("a")), (on_b, Some("b")), (plain, None)] {
            let got = probe.take();
            assert_eq!(got.len(), 1, "{channel:?}");
            assert_eq!((got[0].id, &*got[0].source), (receipt.id, "operator"));
            assert_eq!(got[0].channel().map(ToString::to_string).as_deref(), channel);
        }
        assert!(system.events().counts().adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-03: a channel that is full says so, and keeps it from nobody else.
#[test]
fn a_full_channel_keeps_it_from_nobody_else() {
    TestSystem::run(async |t| {
        let (system, heard, probe) = (t.system(), Heard::default(), t.probe::<Event>());
        system.channel("full").bound(1).create().await.unwrap();
        system.channel("z").create().await.unwrap();
        let slow = t.spawn(child("slow", heard.listener()));
        let _full = system.subscribe(">", slow.recipient()).on_channel("full").await.unwrap();
        let _other = system.subscribe(">", probe.recipient()).on_channel("z").await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        t.settle().await;
        system.publish("a", Value::Null).channel("full").await.unwrap();
        let receipt = system.broadcast("b", Value::Null).await.unwrap();
        let by_channel: Vec<_> =
            receipt.channels.values().map(|one| one.clone().map_err(|fault| fault.code())).collect();
        assert_eq!(by_channel, [Err(ErrorCode::Busy), Ok(1)]);
        drop(go);
        t.settle().await;
        assert_eq!((heard.take(), probe.take().len()), (vec!["a".to_owned()], 1));
        let fault = system.broadcast("b.*", Value::Null).await.unwrap_err();
        assert_eq!(fault.code(), ErrorCode::InvalidName);
        t.shutdown().await;
    });
}
