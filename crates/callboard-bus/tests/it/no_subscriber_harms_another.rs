//! Subscribers that are slow, closed, failing or gone: the others do not notice, and nothing is lost silently.

use std::future::IntoFuture;
use std::pin::pin;

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, Backoff, DeadReason, Drain, Overflow, ShutdownPhase, System, block_on, child};
use callboard_bus::dead_letter_queue::{DeadLetterQueueExt, LetterFilter};
use callboard_bus::{Event, EventsExt, Value};
use futures::poll;
use tokio::sync::oneshot;

use crate::listener::{Heard, Hold, Listener, Seen, Witness};

/// A listener in the middle of a turn, whose mailbox has one place; dropping the sender lets it go on.
async fn held(t: &TestSystem, name: &str) -> (ActorRef<Listener>, oneshot::Sender<()>) {
    let listener = t.spawn(child(name, Heard::default().listener()).bound(1));
    let (go, held) = oneshot::channel();
    listener.tell(Hold(held)).await.unwrap();
    t.settle().await;
    (listener, go)
}

/// What a handle on loan has made goes on without it.
#[test]
fn a_publisher_can_be_moved_to_another_task() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Event>();
        let _subscription = t.system().subscribe("a", probe.recipient()).await.unwrap();
        let publishing = t.system().events().publish("a".parse().unwrap(), 1).into_owned();
        assert_eq!(tokio::task::spawn_local(publishing.into_future()).await.unwrap().unwrap().delivered, 1);
        t.settle().await;
        assert_eq!(probe.take().len(), 1);
        t.shutdown().await;
    });
}

/// F-BUS-02: the publisher waits as `tell` does, and those with room have the event meanwhile.
#[test]
fn who_is_slow_makes_the_publisher_wait_and_nobody_else() {
    TestSystem::run(async |t| {
        let (heard, probe) = (Heard::default(), t.probe::<Event>());
        let slow: Vec<_> = (0..2).map(|_| t.spawn(child("slow", heard.listener()).bound(1))).collect();
        let (mut go, mut subscriptions) = (Vec::new(), Vec::new());
        for slow in &slow {
            subscriptions.push(t.system().subscribe("a", slow.recipient()).await.unwrap());
            let (sender, held) = oneshot::channel();
            slow.tell(Hold(held)).await.unwrap();
            go.push(sender);
        }
        subscriptions.push(t.system().subscribe("a", probe.recipient()).await.unwrap());
        t.settle().await;
        assert_eq!(t.system().publish("a", Value::from(1)).await.unwrap().delivered, 3, "one place each is free");
        let mut publishing = pin!(t.system().publish("a", Value::from(2)).into_future());
        assert!(poll!(&mut publishing).is_pending());
        t.settle().await;
        assert_eq!(probe.take().len(), 2, "it has room, and does not wait for those who have none");
        go.pop();
        t.settle().await;
        assert!(poll!(&mut publishing).is_pending());
        t.settle().await;
        assert_eq!(heard.take().len(), 2, "they do not wait for each other either");
        go.clear();
        assert_eq!(publishing.await.unwrap().delivered, 3);
        t.settle().await;
        assert_eq!((heard.take().len(), t.system().dead_letters().total()), (2, 0));
        t.shutdown().await;
    });
}

#[test]
fn who_has_stopped_is_passed_by_and_leaves_the_table() {
    TestSystem::run(async |t| {
        let (heard, probe) = (Heard::default(), t.probe::<Event>());
        let stopped = t.spawn(heard.listener());
        let _one = t.system().subscribe("a", stopped.recipient()).await.unwrap();
        let _two = t.system().subscribe("*", stopped.recipient()).await.unwrap();
        let _three = t.system().subscribe("a", probe.recipient()).await.unwrap();
        stopped.stop();
        stopped.ended().await;
        let receipt = t.system().publish("a", Value::Null).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (1, 0));
        t.settle().await;
        assert_eq!((t.system().events().subscriptions(), probe.take().len()), (1, 1));
        assert_eq!(t.system().dead_letters().total(), 0);
        t.shutdown().await;
    });
}

/// It takes nothing new, so that for publishers it has ended; what it has got it still handles.
#[test]
fn who_drains_is_passed_by_and_handles_what_it_has() {
    TestSystem::run(async |t| {
        let (slow, go) = held(t, "slow").await;
        let _subscription = t.system().subscribe("a", slow.recipient()).await.unwrap();
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 1);
        slow.drain();
        t.settle().await;
        let receipt = t.system().publish("a", Value::Null).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (0, 0));
        drop(go);
        slow.ended().await;
        t.settle().await;
        assert_eq!((t.system().dead_letters().total(), t.system().events().subscriptions()), (0, 0));
        t.shutdown().await;
    });
}

/// Before the actors end everything is as ever; afterwards nobody is left to hear it.
#[test]
fn publishing_goes_on_while_the_system_ends() {
    TestSystem::run(async |t| {
        let (system, heard) = (t.system().clone(), Heard::default());
        let listener = t.spawn(heard.listener());
        let _subscription = system.subscribe("a", listener.recipient()).await.unwrap();
        let ending = system.clone();
        system.on_shutdown(ShutdownPhase::Workflows, "last words", move || async move {
            assert_eq!(ending.publish("a", Value::Null).await.unwrap().delivered, 1);
        });
        t.shutdown().await;
        assert_eq!(heard.take().len(), 1);
        assert_eq!(system.publish("a", Value::Null).await.unwrap().delivered, 0);
    });
}

#[test]
fn who_stops_while_the_publisher_waits_is_waited_for_no_longer() {
    TestSystem::run(async |t| {
        let (slow, _held) = held(t, "slow").await;
        let _subscription = t.system().subscribe("a", slow.recipient()).await.unwrap();
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 1);
        let mut publishing = pin!(t.system().publish("a", Value::Null).into_future());
        assert!(poll!(&mut publishing).is_pending());
        slow.kill();
        slow.ended().await;
        let receipt = publishing.as_mut().await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (0, 0));
        assert!(poll!(publishing).is_pending(), "what has ended does not begin again");
        t.settle().await;
        assert_eq!(t.system().events().subscriptions(), 0);
        t.shutdown().await;
    });
}

#[test]
fn a_publisher_that_gives_up_has_served_who_had_room() {
    TestSystem::run(async |t| {
        let (slow, go) = held(t, "slow").await;
        let probe = t.probe::<Event>();
        let _slow = t.system().subscribe("a", slow.recipient()).await.unwrap();
        let _quick = t.system().subscribe("a", probe.recipient()).await.unwrap();
        t.system().publish("a", Value::Null).await.unwrap();
        {
            let mut publishing = pin!(t.system().publish("a", Value::Null).into_future());
            assert!(poll!(&mut publishing).is_pending());
        }
        drop(go);
        t.settle().await;
        let counts = t.inspect().actor("slow").unwrap().messages;
        assert!(counts.adds_up(), "{counts:?}");
        assert_eq!((probe.take().len(), counts.handled), (2, 2), "one event, and the turn that was held");
        t.shutdown().await;
    });
}

#[test]
fn what_an_open_breaker_refuses_is_counted_and_a_dead_letter() {
    TestSystem::run(async |t| {
        let (heard, probe) = (Heard::default(), t.probe::<Event>());
        let closed = t.spawn(child("closed", heard.listener()));
        let _one = t.system().subscribe("a", closed.recipient()).await.unwrap();
        let _two = t.system().subscribe("a", probe.recipient()).await.unwrap();
        closed.breaker().force_open();
        t.settle().await;
        let receipt = t.system().publish("a", Value::Null).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (1, 1));
        let dead = t.system().dead_letters().list();
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].actor.as_str(), dead[0].reason), ("closed", DeadReason::Refused));
        assert!(dead[0].message.ends_with("::Event"));
        let letters = t.system().dead_letter_queue().list(&LetterFilter::all());
        assert_eq!(letters.len(), 1);
        let known = (letters[0].event, letters[0].actor, letters[0].subject.as_str());
        assert_eq!(known, (Some(receipt.id), Some(closed.id()), "a"));
        closed.breaker().automatic();
        t.settle().await;
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 2, "it is still subscribed");
        t.settle().await;
        let counts = t.inspect().actor("closed").unwrap().messages;
        assert!(counts.adds_up(), "{counts:?}");
        assert_eq!((heard.take().len(), counts.refused, counts.dead), (1, 0, 1));
        t.shutdown().await;
    });
}

#[test]
fn what_a_mailbox_rejects_is_counted_and_a_dead_letter() {
    TestSystem::run(async |t| {
        let small = t.spawn(child("small", Heard::default().listener()).bound(1).overflow(Overflow::Reject));
        let _subscription = t.system().subscribe("a", small.recipient()).await.unwrap();
        let (go, held) = oneshot::channel();
        small.tell(Hold(held)).await.unwrap();
        t.settle().await;
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 1);
        let receipt = t.system().publish("a", Value::Null).await.unwrap();
        assert_eq!((receipt.delivered, receipt.refused), (0, 1));
        assert_eq!(t.system().dead_letters().total(), 1);
        drop(go);
        t.settle().await;
        assert!(t.inspect().actor("small").unwrap().messages.adds_up());
        t.shutdown().await;
    });
}

/// F-EVT-02: it is tried again, then put aside; other subscribers are unaffected.
#[test]
fn a_handler_that_fails_is_given_the_event_again() {
    TestSystem::run(async |t| {
        let (heard, probe) = (Heard::default(), t.probe::<Event>());
        let failing = t.spawn(child("failing", heard.listener()).backoff(Backoff::none()).attempts(2));
        let _one = t.system().subscribe("*", failing.recipient()).await.unwrap();
        let _two = t.system().subscribe("*", probe.recipient()).await.unwrap();
        t.system().publish("bad", Value::from(true)).await.unwrap();
        t.system().publish("good", Value::Null).await.unwrap();
        t.settle().await;
        assert_eq!(heard.take(), ["bad", "bad", "good"]);
        assert_eq!(probe.take().len(), 2);
        let put_aside = t.system().quarantine().list();
        assert_eq!((put_aside.len(), put_aside[0].attempts, put_aside[0].is_kept), (1, 2, true));
        t.shutdown().await;
    });
}

/// F-BUS-02: under load from several threads a small mailbox makes publishers wait, and neither loses nor reorders.
#[test]
fn a_small_mailbox_loses_nothing_and_keeps_the_order_of_each_publisher() {
    const EVENTS: u64 = 400;
    const THREADS: u64 = 3;
    let system = block_on(System::builder().workers(2).start()).unwrap();
    let witness = system.spawn(child("witness", Witness::default).bound(2));
    let _subscription = block_on(system.subscribe("load", witness.recipient()).into_future()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let system = &system;
            scope.spawn(move || {
                for number in 0..EVENTS {
                    let data = Value::from(thread * EVENTS + number);
                    let receipt = block_on(system.publish("load", data).into_future()).unwrap();
                    assert_eq!((receipt.delivered, receipt.refused), (1, 0));
                }
            });
        }
    });
    block_on(async {
        let seen = witness.ask(Seen).await.unwrap();
        for thread in 0..THREADS {
            let own: Vec<_> = (thread * EVENTS..(thread + 1) * EVENTS).map(Value::from).collect();
            assert!(seen.iter().filter(|data| own.contains(data)).eq(&own), "publisher {thread}");
        }
        assert_eq!(seen.len() as u64, THREADS * EVENTS);
        system.shutdown(Drain::default()).await;
    });
}
