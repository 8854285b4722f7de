//! F-MET-04, F-MET-08: what waits, by priority; of all, and of one channel.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ErrorCode, Priority, child};
use callboard_bus::{EventsExt, MonitoringExt, Value};
use serde_json::json;
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold};

/// F-MET-08: all five priorities are there, those of which nothing waits with a zero; mailboxes count and queues do.
#[test]
fn all_five_priorities_are_there() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        let monitoring = system.monitoring();
        let sizes = || monitoring.queue_status().iter().collect::<Vec<_>>();
        assert_eq!(sizes(), Priority::ALL.map(|priority| (priority, 0)));

        system.channel("c").create().await.unwrap();
        let slow = t.spawn(child("slow", heard.listener()));
        let _plain = system.subscribe("plain", slow.recipient()).await.unwrap();
        let _on_c = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        let (go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        t.settle().await;
        for priority in [Priority::High, Priority::High, Priority::Background] {
            system.publish("plain", Value::Null).priority(priority).await.unwrap();
        }
        // Of the first on the channel it is the mailbox that it waits in.
        for priority in [Priority::Critical, Priority::Low, Priority::Low] {
            system.publish("on_c", Value::Null).channel("c").priority(priority).await.unwrap();
            t.settle().await;
        }
        let wanted = [(1, Priority::Critical), (2, Priority::High), (0, Priority::Normal), (2, Priority::Low)];
        let wanted: Vec<_> = wanted.into_iter().chain([(1, Priority::Background)]).map(|(n, of)| (of, n)).collect();
        assert_eq!(sizes(), wanted);
        let status = monitoring.queue_status();
        assert_eq!(status.total(), 6);
        let shown = json!({ "critical": 1, "high": 2, "normal": 0, "low": 2, "background": 1 });
        assert_eq!(serde_json::to_value(status).unwrap(), shown);
        drop(go);
        t.settle().await;
        assert_eq!(monitoring.queue_status().total(), 0);
        t.shutdown().await;
    });
}

/// F-MET-04: only that channel; one that is not there is an error.
#[test]
fn a_channel_has_figures_of_its_own() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        let monitoring = system.monitoring();
        for name in ["c", "other"] {
            system.channel(name).bound(10).create().await.unwrap();
        }
        let slow = t.spawn(child("slow", heard.listener()));
        let _on_c = system.subscribe("*", slow.recipient()).on_channel("c").await.unwrap();
        system.publish("a", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        let (_go, held) = oneshot::channel();
        slow.tell(Hold(held)).await.unwrap();
        for _ in 0..3 {
            system.publish("a", Value::Null).channel("c").priority(Priority::High).await.unwrap();
            t.settle().await;
        }
        let figures = monitoring.channel("c").unwrap();
        assert_eq!((figures.published, figures.delivered, figures.depth, figures.bound), (4, 1, 3, 10));
        assert_eq!((figures.queues.high, figures.queues.total(), figures.subscribers), (2, 2, 1), "one is in hand");
        let other = monitoring.channel("other").unwrap();
        assert_eq!((other.published, other.depth, other.subscribers), (0, 0, 0));
        assert_eq!(monitoring.channel("d").unwrap_err().code(), ErrorCode::UnknownChannel);
        t.shutdown().await;
    });
}
