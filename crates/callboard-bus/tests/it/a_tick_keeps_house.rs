//! F-BUS-20, F-MET-03: the tick sweeps, opens new windows and keeps the figures. Nothing waits for it.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{DeadReason, ErrorCode, child};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::{CallSettings, EventsExt, MonitoringExt, OperationsExt, PublishError, Value};
use serde_json::json;
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold};
use crate::module_kit::SECOND;
use crate::trouble::{Script, Turn, press, work};

/// F-BUS-20: what has expired leaves its queue at the tick, is a dead letter, and makes room.
#[test]
fn what_is_over_leaves_its_queue() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").bound(3).create().await.unwrap();
        let slow = t.spawn(child("slow", heard.listener()));
        let _subscription = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        t.settle().await;
        let short = Duration::from_millis(150);
        system.publish("in_hand", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        system.publish("short", Value::Null).channel("c").ttl(short).await.unwrap();
        system.publish("long", Value::Null).channel("c").ttl(10 * SECOND).await.unwrap();
        let full = system.publish("more", Value::Null).channel("c").await.unwrap_err();
        assert!(matches!(full, PublishError::ChannelFull { .. }), "{full}");

        t.advance(3 * short).await;
        assert_eq!(system.channels().get("c").unwrap().depth, 2, "nobody had to take it from there");
        assert_eq!(system.dead_letters().counts()[&DeadReason::Expired], 1);
        assert_eq!(system.dead_letter_queue().list(&LetterFilter::all())[0].cause.code, ErrorCode::Expired);
        system.publish("more", Value::Null).channel("c").await.unwrap();
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["in_hand", "long", "more"]);
        let counts = system.events().counts();
        assert_eq!((counts.expired, counts.delivered), (1, 3));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-20: each tick brings an operation 64 calls that are timed; of the others it is one in 64.
#[test]
fn each_tick_opens_a_window() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let _monitoring = t.system().monitoring();
        let timed = async || {
            for _ in 0..200 {
                work(t).await.unwrap();
            }
            t.system().operations().status("press.work").unwrap().times.timed
        };
        // Of those from 0 to 199 these are the first 64, and 64, 128 and 192.
        assert_eq!(timed().await, 64 + 3);
        t.advance(Duration::from_millis(150)).await;
        // Of those from 200 to 399 these are the first 64, and 320 and 384.
        assert_eq!(timed().await, 64 + 3 + 64 + 2);
        t.shutdown().await;
    });
}

/// F-BUS-20: with an interval of 10 s a message is handled all the same, within 50 ms, on a channel and without one.
#[test]
fn delivery_does_not_wait_for_it() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.monitoring().set_interval(10 * SECOND).unwrap();
        system.channel("c").create().await.unwrap();
        let listener = t.spawn(child("listener", heard.listener()));
        let _plain = system.subscribe("*", listener.recipient()).await.unwrap();
        let _on_c = system.subscribe("*", listener.recipient()).on_channel("c").await.unwrap();
        t.advance(SECOND).await;
        let began = t.now();
        system.publish("plain", Value::Null).await.unwrap();
        system.publish("on_c", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        assert!(t.now() - began < Duration::from_millis(50));
        assert_eq!(heard.take(), ["plain", "on_c"]);
        t.shutdown().await;
    });
}

/// F-BUS-20: an interval of nothing is none.
#[test]
fn an_interval_that_cannot_work_is_refused() {
    TestSystem::run(async |t| {
        let monitoring = t.system().monitoring();
        for interval in [Duration::ZERO, Duration::from_micros(999), 3_601 * SECOND, Duration::MAX] {
            let refused = monitoring.set_interval(interval).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidConfig, "{refused}");
        }
        let refused = monitoring.set_interval(Duration::ZERO).unwrap_err();
        assert_eq!(refused.to_string(), "the interval of the maintenance cannot be 0s: it is from 1ms to 1h");
        monitoring.set_interval(Duration::from_millis(1)).unwrap();
        let refused = monitoring.keep_history(Duration::ZERO).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidConfig);
        t.shutdown().await;
    });
}

/// F-BUS-20, F-MET-03: a sample a second for an hour, and none farther back; they show how the figures have grown.
#[test]
fn the_figures_of_the_last_hour_are_kept() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let monitoring = t.system().monitoring();
        assert!(monitoring.metrics().history.is_none(), "only who asks for it gets it");
        t.advance(Duration::from_millis(1_050)).await;
        script.next(Turn::Wrong, 1);
        let _ = work(t).await;
        work(t).await.unwrap();
        t.advance(2 * SECOND).await;

        let history = monitoring.metrics_with_history().history.unwrap();
        let sent: Vec<_> = history.iter().map(|sample| (sample.messages_sent, sample.calls_failed)).collect();
        assert_eq!(sent, [(0, 0), (2, 1), (2, 1)]);
        assert!(history.windows(2).all(|two| two[1].at.duration_since(two[0].at).unwrap() >= SECOND));
        let shown = serde_json::to_value(monitoring.metrics_with_history().performance()).unwrap();
        assert_eq!(shown["History"][1]["messages_processed"], json!(1));

        t.advance(3_700 * SECOND).await;
        let history = monitoring.history();
        assert!((3_598..=3_600).contains(&history.len()), "{}", history.len());
        let (first, last) = (history.first().unwrap().at, history.last().unwrap().at);
        assert!(last.duration_since(first).unwrap() < 3600 * SECOND);
        monitoring.keep_history(60 * SECOND).unwrap();
        assert!(monitoring.history().len() <= 60);
        t.shutdown().await;
    });
}
