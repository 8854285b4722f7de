//! A channel is a scope with a bound: its subscribers get what is published on it, and what it accepts is never more than
//! it may hold.

use std::time::Duration;

use callboard_actor::testing::{Probe, TestSystem};
use callboard_actor::{ActorRef, Backoff, DeadReason, ErrorCode, Priority, child};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::time::show_moment;
use callboard_bus::{
    ChannelError, ChannelOverflow, Event, EventOptions, EventsExt, PublishError, Published, Subscription,
    TurnEventsExt, Value,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold, Listener};

fn names(probe: &Probe<Event>) -> Vec<String> {
    probe.take().into_iter().map(|event| event.name.to_string()).collect()
}

/// A listener on the channel `c`, in the middle of a turn: dropping the sender lets it go on.
async fn held(t: &TestSystem, heard: &Heard) -> (ActorRef<Listener>, Subscription, oneshot::Sender<()>) {
    let listener = t.spawn(child("slow", heard.listener()));
    let subscription = t.system().subscribe(">", listener.recipient()).on_channel("c").await.unwrap();
    let (go, held) = oneshot::channel();
    listener.tell(Hold(held)).await.unwrap();
    t.settle().await;
    (listener, subscription, go)
}

/// F-BUS-13, F-BUS-14: a channel is listed with exactly what it was made with, by name.
#[test]
fn channels_are_listed_as_they_were_made() {
    TestSystem::run(async |t| {
        let system = t.system();
        assert_eq!(system.channels().list(), []);
        system.channel("Updates").create().await.unwrap();
        t.advance(Duration::from_secs(60)).await;
        let made = system.channel("Configuration").description("Configuration updates").bound(7);
        made.overflow(ChannelOverflow::DropOldest).create().await.unwrap();
        let probe = t.probe();
        let _subscription = system.subscribe("*", probe.recipient()).on_channel("Configuration").await.unwrap();
        let _ends =
            system.subscribe("*", probe.recipient()).on_channel("Configuration").await.unwrap().unsubscribe().await;
        system.publish("a", Value::Null).channel("Configuration").await.unwrap();
        t.settle().await;
        let list = system.channels().list();
        let names: Vec<_> = list.iter().map(|channel| channel.name.as_str()).collect();
        assert_eq!(names, ["Configuration", "Updates"]);
        let (one, other) = (&list[0], &list[1]);
        assert_eq!(
            (one.description.as_str(), one.bound, one.overflow),
            ("Configuration updates", 7, ChannelOverflow::DropOldest)
        );
        assert_eq!((one.depth, one.subscribers, one.published, one.delivered), (0, 1, 1, 1));
        assert_eq!((other.bound, other.overflow, other.subscribers), (1_000, ChannelOverflow::Reject, 0));
        assert_eq!(one.created.duration_since(other.created).unwrap(), Duration::from_secs(60));
        assert_eq!(system.channels().get("Updates").as_ref(), Ok(other));
        let shown = json!({
            "name": "Configuration", "description": "Configuration updates", "depth": 0, "bound": 7, "subscribers": 1,
            "overflow": "drop_oldest", "published": 1, "delivered": 1, "created": show_moment(one.created), "schema": null,
        });
        assert_eq!(serde_json::to_value(one).unwrap(), shown);
        t.shutdown().await;
    });
}

/// F-BUS-13: what cannot be a channel says why.
#[test]
fn a_channel_that_cannot_be_is_refused() {
    TestSystem::run(async |t| {
        let system = t.system();
        system.channel("c").create().await.unwrap();
        assert_eq!(system.channel("c").create().await.unwrap_err().code(), ErrorCode::AlreadyExists);
        assert_eq!(system.channel("d").bound(0).create().await.unwrap_err().code(), ErrorCode::InvalidConfig);
        let long = "x".repeat(129);
        for name in ["", " ", "a b", "a*", "a?", ">", "a\u{7}", "$a", &long] {
            let fault = system.channel(name).create().await.expect_err(name);
            assert_eq!(fault.code(), ErrorCode::InvalidName, "{name:?}: {fault}");
        }
        assert_eq!(system.channels().list().len(), 1);
        assert!(system.channel(&long[1..]).create().await.is_ok());
        t.shutdown().await;
    });
}

/// F-BUS-15, F-BUS-24, F-EVT-12: a message is seen as it was published, and both ways to publish it are one.
#[test]
fn a_message_is_seen_as_it_was_published() {
    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        system.channel("c").create().await.unwrap();
        let _subscription = system.subscribe(">", probe.recipient()).on_channel("c").await.unwrap();
        let published = system.publish("config.changed", 10).channel("c").message_type("ConfigChanged");
        let receipt = published.source("ConfigurationCore").priority(Priority::High).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused, receipt.filtered), (1, 0, 0));
        let event = probe.next().await;
        assert_eq!((event.id, event.name.as_str(), &event.data), (receipt.id, "config.changed", &Value::from(10)));
        assert_eq!(
            (event.message_type(), &*event.source, event.priority),
            ("ConfigChanged", "ConfigurationCore", Priority::High)
        );
        assert_eq!(event.channel().map(callboard_bus::ChannelName::as_str), Some("c"));

        let sent = system.send_message("c", "ConfigChanged", 10).source("ConfigurationCore").await.unwrap();
        let as_published = system.publish("ConfigChanged", 10).channel("c").source("ConfigurationCore").await.unwrap();
        assert!(receipt.id < sent.id && sent.id < as_published.id, "ids increase");
        let (one, other): (Event, Event) = (probe.next().await, probe.next().await);
        assert_eq!(one.message_type(), "ConfigChanged");
        let mut expected = Published::clone(&one);
        (expected.id, expected.time) = (other.id, other.time);
        assert_eq!(*other, expected);
        t.shutdown().await;
    });
}

/// F-BUS-15: no channel is made by the way, unless that is set; and no message is larger than may be.
#[test]
fn a_message_that_cannot_be_published_says_why() {
    TestSystem::run(async |t| {
        let system = t.system();
        let publish = |channel: &str| system.publish("a", "12345678").channel(channel);
        assert_eq!(publish("c").await.unwrap_err(), PublishError::Channel(ChannelError::Unknown("c".into())));
        assert_eq!(publish("c").await.unwrap_err().code(), ErrorCode::UnknownChannel);
        let subscribing = system.subscribe("a", t.probe().recipient()).on_channel("c").await;
        assert_eq!(subscribing.unwrap_err().code(), ErrorCode::UnknownChannel);
        assert_eq!(system.channels().get("c").unwrap_err().code(), ErrorCode::UnknownChannel);
        system.channels().set_auto_create(true);
        assert_eq!(publish("c").await.unwrap().delivered, 0);
        assert_eq!(publish("c d").await.unwrap_err().code(), ErrorCode::InvalidName);
        assert_eq!(publish("c d").await.unwrap_err().help(), ErrorCode::InvalidName.help());
        system.channels().set_max_payload(9);
        assert_eq!(publish("c").await.unwrap_err(), PublishError::PayloadTooLarge { limit: 9 });
        assert_eq!(publish("c").await.unwrap_err().code(), ErrorCode::PayloadTooLarge);
        system.channels().set_max_payload(10);
        assert!(publish("c").await.is_ok());
        let long = "x".repeat(129);
        for message_type in ["", "a\n", &long] {
            let fault = publish("c").message_type(message_type).await.unwrap_err();
            assert_eq!(fault.code(), ErrorCode::InvalidName, "{fault}");
        }
        t.shutdown().await;
    });
}

/// F-BUS-16, F-EVT-11: a subscription is to one channel, with the patterns of all events.
#[test]
fn a_channel_is_a_scope() {
    TestSystem::run(async |t| {
        let system = t.system();
        let (plain, one, orders, other) = (t.probe(), t.probe(), t.probe(), t.probe());
        for name in ["one", "other"] {
            system.channel(name).create().await.unwrap();
        }
        let _plain = system.subscribe(">", plain.recipient()).await.unwrap();
        let _one = system.subscribe(">", one.recipient()).on_channel("one").await.unwrap();
        let _orders = system.subscribe("order.*", orders.recipient()).on_channel("one").await.unwrap();
        let _other = system.subscribe(">", other.recipient()).on_channel("other").await.unwrap();
        assert_eq!(system.publish("order.made", Value::Null).channel("one").await.unwrap().delivered, 2);
        assert_eq!(system.publish("mail.sent", Value::Null).channel("one").await.unwrap().delivered, 1);
        assert_eq!(system.publish("order.paid", Value::Null).await.unwrap().delivered, 1);
        t.settle().await;
        assert_eq!(names(&plain), ["order.paid"]);
        assert_eq!(names(&one), ["order.made", "mail.sent"]);
        assert_eq!(names(&orders), ["order.made"]);
        assert_eq!(names(&other), [""; 0]);
        t.shutdown().await;
    });
}

/// F-BUS-13: a full channel tells the publisher, and holds exactly what it may.
#[test]
fn a_full_channel_says_busy() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").bound(3).create().await.unwrap();
        let (_slow, _subscription, go) = held(t, &heard).await;
        for name in ["one", "two", "three"] {
            system.publish(name, Value::Null).channel("c").await.unwrap();
            t.settle().await;
        }
        let fault = system.publish("four", Value::Null).channel("c").await.unwrap_err();
        assert_eq!(fault, PublishError::ChannelFull { channel: "c".into(), bound: 3 });
        assert_eq!((fault.code(), system.channels().get("c").unwrap().depth), (ErrorCode::Busy, 3));
        assert_eq!((system.dead_letters().total(), system.events().counts().rejected), (0, 1));
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["one", "two", "three"]);
        system.publish("four", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        assert_eq!(heard.take(), ["four"]);
        assert!(system.events().counts().adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-13: the oldest that nobody has in hand goes to the dead letters, with its reason.
#[test]
fn the_oldest_makes_room() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").bound(3).overflow(ChannelOverflow::DropOldest).create().await.unwrap();
        let (slow, _subscription, go) = held(t, &heard).await;
        for name in ["in_hand", "two", "three", "four", "five"] {
            system.publish(name, Value::Null).channel("c").await.unwrap();
            t.settle().await;
        }
        assert_eq!(system.channels().get("c").unwrap().depth, 3);
        let dead = system.dead_letters().list();
        assert_eq!(
            dead.iter().map(|dead| (dead.reason, dead.actor.as_str())).collect::<Vec<_>>(),
            [(DeadReason::Overflow, "slow"); 2]
        );
        let letters = system.dead_letter_queue().list(&LetterFilter::all());
        let known: Vec<_> = letters.iter().map(|one| (one.subject.as_str(), one.cause.code, one.actor)).collect();
        assert_eq!(known, ["two", "three"].map(|name| (name, ErrorCode::Busy, Some(slow.id()))));
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["in_hand", "four", "five"]);
        let counts = system.events().counts();
        assert_eq!((counts.overflowed, counts.delivered, counts.in_flight), (2, 3, 0));
        assert!(counts.adds_up() && t.inspect().actor("slow").unwrap().messages.adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-26: all channels together hold no more than may be, and the next one is told.
#[test]
fn all_channels_share_one_bound() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        for name in ["c", "d"] {
            system.channel(name).bound(100).create().await.unwrap();
        }
        let (slow, _subscription, go) = held(t, &heard).await;
        let _on_d = system.subscribe(">", slow.recipient()).on_channel("d").await.unwrap();
        system.channels().set_limit(5);
        for number in 0..5 {
            system.publish("a", number).channel(["c", "d"][number % 2]).await.unwrap();
        }
        for channel in ["c", "d"] {
            let fault = system.publish("a", Value::Null).channel(channel).await.unwrap_err();
            assert_eq!(fault, PublishError::SystemFull { channel: channel.into(), limit: 5 });
            assert_eq!(fault.code(), ErrorCode::Busy);
        }
        assert_eq!(system.channels().queued(), 5);
        drop(go);
        t.settle().await;
        assert_eq!((system.channels().queued(), heard.take().len()), (0, 5));
        system.publish("a", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        assert!(system.events().counts().adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-13: a message counts until the last of its subscribers has handled it, and a slow one keeps nobody waiting.
#[test]
fn a_slow_subscriber_delays_nobody() {
    TestSystem::run(async |t| {
        let (system, heard, probe) = (t.system(), Heard::default(), t.probe::<Event>());
        system.channel("c").bound(4).create().await.unwrap();
        let (_slow, _subscription, go) = held(t, &heard).await;
        let _quick = system.subscribe(">", probe.recipient()).on_channel("c").await.unwrap();
        for name in ["one", "two", "three"] {
            assert_eq!(system.publish(name, Value::Null).channel("c").await.unwrap().delivered, 2);
        }
        t.settle().await;
        assert_eq!((names(&probe).len(), heard.take().len()), (3, 0));
        assert_eq!(system.channels().get("c").unwrap().depth, 3);
        drop(go);
        t.settle().await;
        assert_eq!((heard.take().len(), system.channels().get("c").unwrap().depth), (3, 0));
        t.shutdown().await;
    });
}

/// F-EVT-02: a handler that fails is tried again and puts the event aside; the others and the next event are unaffected.
#[test]
fn who_fails_on_a_channel_harms_nobody() {
    TestSystem::run(async |t| {
        let (system, heard, probe) = (t.system(), Heard::default(), t.probe::<Event>());
        system.channel("c").create().await.unwrap();
        let failing = t.spawn(child("failing", heard.listener()).backoff(Backoff::none()).attempts(2));
        let failing = system.subscribe(">", failing.recipient()).on_channel("c").await.unwrap();
        let _others = system.subscribe(">", probe.recipient()).on_channel("c").await.unwrap();
        for (name, data) in [("bad", true), ("good", false)] {
            system.publish(name, data).channel("c").await.unwrap();
        }
        t.settle().await;
        assert_eq!(heard.take(), ["bad", "bad", "good"]);
        assert_eq!(names(&probe), ["bad", "good"]);
        assert_eq!(system.quarantine().list().len(), 1);
        let (info, counts) = (failing.info(), system.events().counts());
        assert_eq!((info.delivered, info.errors), (1, 1));
        assert_eq!((counts.delivered, counts.failed, counts.unrouted), (3, 1, 0));
        assert!(counts.adds_up());
        t.shutdown().await;
    });
}

/// On a channel, an actor that cannot take messages for a while is waited for.
#[test]
fn an_open_breaker_is_waited_for() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let closed = t.spawn(child("closed", heard.listener()));
        let _subscription = system.subscribe(">", closed.recipient()).on_channel("c").await.unwrap();
        t.settle().await;
        closed.breaker().force_open();
        t.settle().await;
        system.publish("a", Value::Null).channel("c").await.unwrap();
        t.advance(Duration::from_secs(5)).await;
        assert_eq!((heard.take().len(), system.events().counts().in_flight), (0, 1));
        closed.breaker().automatic();
        t.advance(Duration::from_secs(5)).await;
        assert_eq!((heard.take().len(), system.dead_letters().total()), (1, 0));
        assert!(system.events().counts().adds_up());
        t.shutdown().await;
    });
}

/// F-BUS-10: behind a held subscriber the urgent come first, and each priority keeps its order.
#[test]
fn priorities_hold_on_channels() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let (_slow, _subscription, go) = held(t, &heard).await;
        let order =
            [("first", Priority::Low), ("low", Priority::Low), ("high", Priority::High), ("next", Priority::High)];
        for (name, priority) in order {
            system.publish(name, Value::Null).channel("c").priority(priority).await.unwrap();
            t.settle().await;
        }
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["first", "high", "next", "low"], "the first was in hand already");
        t.shutdown().await;
    });
}

/// F-BUS-16: nothing is begun after the end of a subscription, and what waited for it is counted.
#[test]
fn what_waits_for_one_who_leaves_is_dropped_and_counted() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let (slow, subscription, go) = held(t, &heard).await;
        for name in ["in_hand", "two", "three"] {
            system.publish(name, Value::Null).channel("c").await.unwrap();
            t.settle().await;
        }
        let id = subscription.id();
        assert_eq!(system.events().unsubscribe(id), Ok(()));
        assert_eq!(system.events().unsubscribe(id).unwrap_err().code(), ErrorCode::UnknownSubscription);
        assert_eq!(system.publish("four", Value::Null).channel("c").await.unwrap().delivered, 0);
        drop(go);
        t.settle().await;
        assert_eq!(heard.take(), ["in_hand"]);
        subscription.unsubscribe().await;
        let (counts, channel) = (system.events().counts(), system.channels().get("c").unwrap());
        assert_eq!((counts.delivered, counts.ended, channel.depth, channel.subscribers), (1, 2, 0, 0));
        assert!(counts.adds_up());

        // The same when the actor ends.
        let _again = system.subscribe(">", slow.recipient()).on_channel("c").await.unwrap();
        slow.stop();
        slow.ended().await;
        system.publish("five", Value::Null).channel("c").await.unwrap();
        t.settle().await;
        assert_eq!(system.events().list_subscriptions(), []);
        let counts = system.events().counts();
        assert_eq!((counts.ended, counts.in_flight, system.channels().queued()), (3, 0, 0));
        t.shutdown().await;
    });
}

#[test]
fn a_channel_that_is_taken_away_takes_its_subscriptions_along() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let (_slow, subscription, go) = held(t, &heard).await;
        for name in ["in_hand", "two"] {
            system.publish(name, Value::Null).channel("c").await.unwrap();
            t.settle().await;
        }
        assert_eq!(system.channels().remove("c"), Ok(()));
        assert_eq!(system.channels().remove("c").unwrap_err().code(), ErrorCode::UnknownChannel);
        assert!(!subscription.info().is_active);
        drop(go);
        t.settle().await;
        let counts = system.events().counts();
        assert_eq!((heard.take(), counts.ended, counts.in_flight), (vec!["in_hand".to_owned()], 1, 0));
        // Another one may take the name.
        system.channel("c").create().await.unwrap();
        assert_eq!(system.channels().get("c").unwrap().subscribers, 0);
        t.shutdown().await;
    });
}

/// A turn publishes on a channel too, when it ends well.
#[test]
fn a_turn_publishes_on_a_channel() {
    use callboard_actor::{Actor, Context, Fault, Message, SyncHandler};

    struct Clerk;
    impl Actor for Clerk {}
    #[derive(Message)]
    struct Work;
    impl SyncHandler<Work> for Clerk {
        fn handle(&mut self, _: Work, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.publish_with("work.done", Value::Null, EventOptions::default().channel("c").message_type("Done"))?;
            Ok(())
        }
    }

    TestSystem::run(async |t| {
        let (system, probe) = (t.system(), t.probe::<Event>());
        system.channel("c").create().await.unwrap();
        let _subscription =
            system.subscribe(">", probe.recipient()).on_channel("c").message_type("Done").await.unwrap();
        t.spawn(child("clerk", || Clerk)).ask(Work).await.unwrap();
        t.settle().await;
        let got = probe.take();
        assert_eq!(
            got.iter().map(|event| (event.name.as_str(), &*event.source)).collect::<Vec<_>>(),
            [("work.done", "clerk")]
        );
        t.shutdown().await;
    });
}

/// What a channel has accepted when the system ends is handled before the end, as it would be from a mailbox.
#[test]
fn a_drain_finishes_what_was_accepted() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system(), Heard::default());
        system.channel("c").create().await.unwrap();
        let listener = t.spawn(child("listener", heard.listener()));
        let _subscription = system.subscribe(">", listener.recipient()).on_channel("c").await.unwrap();
        system.publish("a", Value::Null).channel("c").await.unwrap();
        t.shutdown().await;
        let counts = system.events().counts();
        assert_eq!((heard.take().len() as u64, counts.in_flight), (counts.delivered, 0));
        assert!(counts.adds_up(), "{counts:?}");
    });
}
