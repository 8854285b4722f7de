//! The history of events: the last so many, newest first.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_bus::{EventsExt, HistoryQuery, Value};

fn names(query: &HistoryQuery) -> Vec<String> {
    query.list().into_iter().map(|event| event.name.to_string()).collect()
}

/// F-EVT-10: by pattern, channel, time and number.
#[test]
fn the_newest_come_first_and_are_found_by_what_they_are() {
    TestSystem::run(async |t| {
        let (system, history) = (t.system(), t.system().events().history());
        system.channel("c").bound(1).create().await.unwrap();
        system.publish("order.made", 1).await.unwrap();
        t.advance(Duration::from_secs(10)).await;
        system.publish("order.paid", 2).await.unwrap();
        t.advance(Duration::from_secs(10)).await;
        system.publish("mail.sent", 3).channel("c").await.unwrap();
        system.broadcast("all", Value::Null).await.unwrap();
        assert_eq!(names(&history), ["all", "all", "mail.sent", "order.paid", "order.made"]);
        assert_eq!(names(&history.clone().matching("order.*".parse().unwrap())), ["order.paid", "order.made"]);
        assert_eq!(names(&history.clone().on_channel("c")), ["all", "mail.sent"]);
        assert_eq!(names(&history.clone().limit(1)), ["all"]);
        let moment = history.list()[3].time;
        assert_eq!(names(&history.clone().since(moment).limit(9)), ["all", "all", "mail.sent", "order.paid"]);
        assert_eq!(names(&history.until(moment)), ["order.made"]);
        t.shutdown().await;
    });
}

/// F-EVT-10: 1,000 unless told otherwise, and never one more.
#[test]
fn no_more_is_kept_than_may_be() {
    TestSystem::run(async |t| {
        let (system, events) = (t.system(), t.system().events());
        for number in 0..1_200 {
            system.publish("tick", number).await.unwrap();
        }
        let kept = events.history().list();
        assert!(kept.iter().map(|event| event.data.clone()).eq((200..1_200).rev().map(Value::from)));
        events.keep_history(2);
        assert_eq!(events.history().list(), kept[..2]);
        system.publish("tick", Value::Null).await.unwrap();
        assert_eq!(events.history().list().len(), 2);
        events.keep_history(0);
        system.publish("tick", Value::Null).await.unwrap();
        assert_eq!(events.history().list(), []);
        t.shutdown().await;
    });
}
