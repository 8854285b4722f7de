//! One publisher, and subscribers that count what they hear: callboard's events
//! against actix-broker's system broker, on one thread; and who wants an event, found
//! among many patterns.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix::Actor as _;
use actix_broker::{Broker, BrokerSubscribe as _, SystemBroker};
use callboard::{Actor, Context, Fault, SyncHandler};
use callboard_bus::{Event, EventsExt, Topic};
use tokio::task::yield_now;

use crate::{
    actix_peer::Actix, callboard_peer::Callboard, peer::Peer, size::Size, traffic::bursts, workload::Workload,
};

/// Deliveries between two yields of the publisher: no mailbox fills up.
const BURST: u64 = 1_000;

/// How many subscribers a workload has. `None` for all that do not publish.
pub fn subscribers(workload: Workload) -> Option<u64> {
    match workload {
        Workload::Publish1 => Some(1),
        Workload::Publish10 => Some(10),
        Workload::Publish100 => Some(100),
        _ => None,
    }
}

/// Runs the workload once with callboard: nanoseconds per delivery.
pub fn run(workload: Workload, size: Size) -> Option<f64> {
    if workload == Workload::Match {
        let events = size.operations(workload);
        return Some(find_by_pattern(events).as_nanos() as f64 / events as f64);
    }
    per_delivery(workload, size, by_callboard)
}

/// The same with actix-broker.
pub fn run_broker(workload: Workload, size: Size) -> Option<f64> {
    per_delivery(workload, size, by_broker)
}

fn per_delivery(workload: Workload, size: Size, run: fn(u64, u64) -> Duration) -> Option<f64> {
    let (subscribers, deliveries) = (subscribers(workload)?, size.operations(workload));
    let elapsed = run(deliveries / subscribers, subscribers);
    Some(elapsed.as_nanos() as f64 / (deliveries / subscribers * subscribers) as f64)
}

fn by_callboard(events: u64, subscribers: u64) -> Duration {
    Callboard::on_one_thread(move |system| async move {
        let heard = Arc::new(AtomicU64::new(0));
        let mut subscriptions = Vec::new();
        for _ in 0..subscribers {
            let heard = Arc::clone(&heard);
            let ear = system.spawn(move || Ear(Arc::clone(&heard)));
            subscriptions
                .push(system.subscribe("bench.note", ear.recipient()).await.expect("the pattern is well formed"));
        }
        let (events_of, name) = (system.events(), "bench.note".parse::<Topic>().expect("the name is well formed"));
        let start = Instant::now();
        for burst in bursts(events, (BURST / subscribers).max(1)) {
            for number in 0..burst {
                events_of.publish(name.clone(), number).await.expect("the system runs");
            }
            yield_now().await;
        }
        all_heard(&heard, events * subscribers, start).await
    })
}

fn by_broker(events: u64, subscribers: u64) -> Duration {
    Actix::on_one_thread(move |()| async move {
        let heard = Arc::new(AtomicU64::new(0));
        let ears: Vec<_> = (0..subscribers).map(|_| Listener(Arc::clone(&heard)).start()).collect();
        for ear in &ears {
            ear.send(Ready).await.expect("it has started, and subscribed");
        }
        let start = Instant::now();
        for burst in bursts(events, (BURST / subscribers).max(1)) {
            for number in 0..burst {
                Broker::<SystemBroker>::issue_async(Note(number));
            }
            yield_now().await;
        }
        all_heard(&heard, events * subscribers, start).await
    })
}

/// How many patterns there are to find one among.
const PATTERNS: u64 = 10_000;

/// Events, each of which one of the patterns stands for.
fn find_by_pattern(events: u64) -> Duration {
    Callboard::on_one_thread(move |system| async move {
        let ear = system.spawn(Ear::default);
        let mut subscriptions = Vec::new();
        for number in 0..PATTERNS {
            let pattern = match number % 4 {
                0 => format!("shop.{number}.order.paid"),
                1 => format!("shop.{number}.*.paid"),
                2 => format!("shop.{number}.>"),
                _ => format!("shop.{number}.order.pai*"),
            };
            subscriptions.push(system.subscribe(&pattern, ear.recipient()).await.expect("the pattern is well formed"));
        }
        let named =
            |number: u64| format!("shop.{number}.order.paid").parse::<Topic>().expect("the name is well formed");
        let names: Vec<Topic> = (0..PATTERNS).map(named).collect();
        let publisher = system.events();
        let start = Instant::now();
        for (number, name) in (0..events).zip(names.iter().cycle()) {
            let receipt = publisher.publish(name.clone(), number).await.expect("the system runs");
            assert_eq!(receipt.delivered, 1, "one pattern stands for the name");
            if number % 1_000 == 0 {
                yield_now().await;
            }
        }
        start.elapsed()
    })
}

/// Returns when every delivery has been handled, and says how long that took.
async fn all_heard(heard: &AtomicU64, expected: u64, start: Instant) -> Duration {
    while heard.load(Ordering::Relaxed) < expected {
        yield_now().await;
    }
    let elapsed = start.elapsed();
    assert_eq!(heard.load(Ordering::Relaxed), expected, "every event is heard once by each");
    elapsed
}

/// Counts events.
#[derive(Default)]
struct Ear(Arc<AtomicU64>);

impl Actor for Ear {}

impl SyncHandler<Event> for Ear {
    fn handle(&mut self, event: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        black_box(&event.data);
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// The same, of actix.
struct Listener(Arc<AtomicU64>);

impl actix::Actor for Listener {
    type Context = actix::Context<Self>;

    fn started(&mut self, cx: &mut actix::Context<Self>) {
        self.subscribe_system_async::<Note>(cx);
    }
}

/// What actix-broker carries: a type is the name.
#[derive(Clone, actix::Message)]
#[rtype(result = "()")]
struct Note(u64);

impl actix::Handler<Note> for Listener {
    type Result = ();

    fn handle(&mut self, Note(number): Note, _: &mut actix::Context<Self>) {
        black_box(number);
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(actix::Message)]
#[rtype(result = "()")]
struct Ready;

impl actix::Handler<Ready> for Listener {
    type Result = ();

    fn handle(&mut self, _: Ready, _: &mut actix::Context<Self>) {}
}
