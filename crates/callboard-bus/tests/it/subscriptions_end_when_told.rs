//! A subscription lasts from its `await` to its end, whatever happens on other threads.

use std::future::IntoFuture;
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Drain, System, block_on};
use callboard_bus::{Event, EventsExt, SubscribeError, Value};
use futures::poll;

use crate::listener::{Heard, Seen, Witness};

#[test]
fn nothing_comes_after_the_end() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Event>();
        let told = t.system().subscribe("a", probe.recipient()).await.unwrap();
        let dropped = t.system().subscribe("*", probe.recipient()).await.unwrap();
        assert_eq!((told.pattern().as_str(), dropped.pattern().as_str()), ("a", "*"));
        told.unsubscribe().await;
        assert_eq!(t.system().events().subscriptions(), 1);
        drop(dropped);
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 0, "a drop counts at once");
        t.settle().await;
        assert_eq!((t.system().events().subscriptions(), probe.take().len()), (0, 0));
        t.shutdown().await;
    });
}

#[test]
fn a_subscription_that_nobody_waited_for_is_none() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Event>();
        let system = t.system();
        drop(system.subscribe("a", probe.recipient()));
        {
            let mut subscribing = pin!(system.subscribe("a", probe.recipient()).into_future());
            assert!(poll!(&mut subscribing).is_pending(), "the actor has not started yet");
        }
        t.settle().await;
        assert_eq!(system.events().subscriptions(), 0);
        assert_eq!(system.publish("a", Value::Null).await.unwrap().delivered, 0);
        t.shutdown().await;
    });
}

/// More than the mailbox of the actor holds.
#[test]
fn however_many_leave_at_once_the_table_forgets_them_all() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Event>();
        let mut subscriptions = Vec::new();
        for number in 0..3_000 {
            let pattern = ["a".to_owned(), format!("a.{number}"), format!("{number}*.>")][number % 3].clone();
            subscriptions.push(t.system().subscribe(&pattern, probe.recipient()).await.unwrap());
        }
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 1_000);
        drop(subscriptions);
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 0);
        t.settle().await;
        assert_eq!(t.system().events().subscriptions(), 0);
        t.shutdown().await;
    });
}

/// Nobody publishes to them, and nobody drops their subscriptions.
#[test]
fn subscriptions_of_ended_actors_do_not_pile_up() {
    TestSystem::run(async |t| {
        let other = System::builder().workers(1).start().await.unwrap();
        let stays = [t.spawn(Witness::default).recipient(), other.spawn(Witness::default).recipient()];
        let mut kept = Vec::new();
        for stays in stays {
            kept.push(t.system().subscribe("never.*", stays).await.unwrap());
        }
        for _ in 0..2_500 {
            let listener = t.spawn(Heard::default().listener());
            kept.push(t.system().subscribe("never", listener.recipient()).await.unwrap());
            listener.stop();
            listener.ended().await;
        }
        let left = t.system().events().subscriptions();
        assert!(left < 1_100, "{left} subscriptions");
        let receipt = t.system().publish("never.a", Value::Null).await.unwrap();
        assert_eq!(receipt.delivered, 2, "who lives has stayed, here and in another system");
        other.shutdown(Drain::default()).await;
        t.shutdown().await;
    });
}

#[test]
fn a_system_that_is_over_takes_no_subscriptions() {
    TestSystem::run(async |t| {
        let heard = Heard::default();
        let listener = t.spawn(heard.listener());
        let before = t.system().subscribe("a", listener.recipient()).await.unwrap();
        t.shutdown().await;
        let after = t.system().subscribe("a", listener.recipient()).await;
        assert_eq!(after.unwrap_err(), SubscribeError::Over);
        assert_eq!(t.system().publish("a", Value::Null).await.unwrap().delivered, 0);
        before.unsubscribe().await;
    });
}

/// Neither table nor extension keeps actors, and through them the system, when it is over.
#[test]
fn nothing_is_kept_when_the_system_is_over() {
    let (kept, gone) = mpsc::channel::<()>();
    block_on(async move {
        let system = System::builder().workers(1).start().await.unwrap();
        let make = Heard::default().listener();
        let listener = system.spawn(move || {
            let _kept = &kept;
            make()
        });
        let outlives = system.subscribe("a", listener.recipient()).await.unwrap();
        drop(system.subscribe("b", listener.recipient()).await.unwrap());
        drop(listener);
        system.shutdown(Drain::default()).await;
        drop(outlives);
    });
    // The threads of the system end by themselves, and then nobody has the factory of the listener any more.
    assert_eq!(gone.recv_timeout(Duration::from_secs(60)), Err(RecvTimeoutError::Disconnected));
}

/// A subscriber comes, gets what is published while it is there, and goes.
async fn come_and_go(system: &System, mine: u64, late: u64) {
    let witness = system.spawn(Witness::default);
    let subscription = system.subscribe("race.*", witness.recipient()).await.unwrap();
    system.publish("race.mine", Value::from(mine)).await.unwrap();
    subscription.unsubscribe().await;
    system.publish("race.late", Value::from(late)).await.unwrap();
    let seen = witness.ask(Seen).await.unwrap();
    assert_eq!(seen.iter().filter(|data| **data == Value::from(mine)).count(), 1, "it was there, once");
    assert!(!seen.contains(&Value::from(late)), "it had gone");
    witness.stop();
}

/// Everybody who is subscribed when a publish begins gets it, and nobody gets what is published after `unsubscribe` has
/// returned, while others come, go and publish.
#[test]
fn threads_agree_about_who_is_subscribed() {
    const ROUNDS: u64 = 150;
    const THREADS: u64 = 3;
    let system = block_on(System::builder().workers(2).start()).unwrap();
    let stays = system.spawn(Witness::default);
    let staying = block_on(system.subscribe("race.>", stays.recipient()).into_future()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let system = &system;
            let number = move |round| 2 * (thread * ROUNDS + round);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    block_on(come_and_go(system, number(round), number(round) + 1));
                }
            });
        }
    });
    block_on(async {
        let mut seen = stays.ask(Seen).await.unwrap();
        seen.sort_by_key(|data| data.as_number().and_then(|number| number.as_u64()));
        assert!(seen.into_iter().eq((0..2 * THREADS * ROUNDS).map(Value::from)), "who stays gets everything once");
        staying.unsubscribe().await;
        assert_eq!(system.events().subscriptions(), 0);
        system.shutdown(Drain::default()).await;
    });
}
