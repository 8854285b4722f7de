//! What only callboard has, or hardly anybody else: restarts, priorities, time
//! to live, fairness among neighbours, inspection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use callboard::{Actor, ActorRef, Backoff, Context, Fault, Handler, Message, Priority, System, child};
use tokio::task::yield_now;

use crate::{
    callboard_peer::{Callboard, Counter},
    messages::{Add, AddAndGet, Break, Generation, Greet},
    peer::Peer,
    size::Size,
    spread::Spread,
    traffic::{self, BURST, bursts, finish},
    workload::Workload,
};

/// Longer than any run takes: nothing expires, every check is made.
const TIME_TO_LIVE: Duration = Duration::from_secs(600);
/// Asks of one run at most, behind one backlog.
const ASKS: usize = 100;

/// Runs the workload once: nanoseconds, or per cent for `inspect`. `None` for
/// the workloads that callboard shares with its peers.
pub fn run(workload: Workload, size: Size) -> Option<f64> {
    let operations = size.operations(workload);
    match workload {
        Workload::TellTtl => Some(tell_ttl(operations)),
        Workload::Restart => median(restart(operations)),
        Workload::Priority => median(priority(operations)),
        Workload::Fairness => median(fairness(operations)),
        Workload::Inspect => median(inspect(operations, size.inspection_period())),
        _ => None,
    }
}

/// The tell workload with a TTL on every message; per message.
fn tell_ttl(messages: u64) -> f64 {
    let elapsed = Callboard::on_one_thread(move |system| async move {
        let counter = Callboard::counter(&system).await;
        let start = Instant::now();
        for burst in bursts(messages, BURST) {
            for _ in 0..burst {
                let sent = counter.tell(Add(1)).ttl(TIME_TO_LIVE).await;
                sent.expect("the counter is alive");
            }
            yield_now().await;
        }
        finish::<Callboard>(&counter, messages, start).await
    });
    elapsed.as_nanos() as f64 / messages as f64
}

/// From sending the message that panics until the answer of the new value,
/// back-off 0, on one thread.
fn restart(restarts: u64) -> Vec<f64> {
    Callboard::on_one_thread(move |system| async move {
        let fragile = child("fragile", || Fragile).backoff(Backoff::none()).intensity(u32::MAX, Duration::from_secs(1));
        let fragile = system.spawn(fragile);
        traffic::restarts(restarts, async || {
            fragile.tell(Break).await.expect("the message is taken");
            fragile.ask(Generation).await.expect("the new value answers")
        })
        .await
    })
}

/// A Critical ask to an actor in the middle of its backlog of Normal messages,
/// until its answer, on one thread.
fn priority(backlog: u64) -> Vec<f64> {
    Callboard::on_one_thread(move |system| async move {
        let busy = with_room(&system, backlog);
        let handled = pile_up(&busy, backlog);
        yield_now().await;
        sample_while_behind(&handled, backlog, async || {
            let critical = busy.ask(AddAndGet(0)).priority(Priority::Critical);
            critical.await.expect("the busy actor answers");
        })
        .await
    })
}

/// An ask to an idle actor whose neighbour on the same thread has a backlog,
/// until its answer.
fn fairness(backlog: u64) -> Vec<f64> {
    Callboard::on_one_thread(move |system| async move {
        let busy = with_room(&system, backlog);
        let idle = Callboard::counter(&system).await;
        Callboard::ask(&idle, 0).await.expect("the neighbour answers");
        let handled = pile_up(&busy, backlog);
        sample_while_behind(&handled, backlog, async || {
            Callboard::ask(&idle, 1).await.expect("the neighbour answers");
        })
        .await
    })
}

/// By how many per cent the tell workload slows down beside so many idle
/// actors, when another thread inspects the system once per window.
fn inspect(actors: u64, window: Duration) -> Vec<f64> {
    Callboard::on_one_thread(move |system| async move {
        let crowd = start_crowd(&system, actors).await;
        let counter = Callboard::counter(&system).await;
        let (orders, inspector) = start_inspector(system.clone());
        tells_within(&counter, window / 4).await;
        // The calm windows stand on both sides, so a steady drift of the
        // machine cancels out.
        let before = tells_within(&counter, window).await;
        let mut inspected = 0.0;
        for _ in 0..2 {
            orders.send(()).expect("the inspector waits");
            inspected += tells_within(&counter, window).await;
        }
        let after = tells_within(&counter, window).await;
        drop(orders);
        let least_seen = inspector.join().expect("the inspector ends well");
        assert!(least_seen > crowd.len(), "the snapshots show every actor");
        vec![((before + after) / inspected - 1.0) * 100.0]
    })
}

fn median(figures: Vec<f64>) -> Option<f64> {
    Spread::of(figures).map(|spread| spread.median)
}

fn with_room(system: &System, backlog: u64) -> ActorRef<Counter> {
    system.spawn(child("busy", Counter::default).bound(backlog as u32))
}

/// Fills the mailbox in one go; the number returned counts what is handled.
fn pile_up(busy: &ActorRef<Counter>, backlog: u64) -> Arc<AtomicU64> {
    let handled = Arc::new(AtomicU64::new(0));
    for _ in 0..backlog {
        let sent = busy.try_tell(Greet(Arc::clone(&handled)));
        sent.expect("the bound holds the backlog");
    }
    handled
}

/// Times the ask again and again, and keeps the times of those that were
/// answered while a part of the backlog was still waiting.
async fn sample_while_behind(handled: &AtomicU64, backlog: u64, ask: impl AsyncFn()) -> Vec<f64> {
    let mut times = Vec::with_capacity(ASKS);
    while times.len() < ASKS {
        let start = Instant::now();
        ask().await;
        let elapsed = start.elapsed();
        if handled.load(Ordering::Relaxed) == backlog {
            break;
        }
        times.push(elapsed.as_nanos() as f64);
    }
    assert!(!times.is_empty(), "the answer overtakes the backlog");
    times
}

async fn start_crowd(system: &System, actors: u64) -> Vec<ActorRef<Counter>> {
    let mut crowd = Vec::with_capacity(actors as usize);
    for _ in 0..actors {
        crowd.push(Callboard::counter(system).await);
    }
    for counter in &crowd {
        Callboard::ask(counter, 1).await.expect("the counter answers");
    }
    crowd
}

/// A thread that inspects once per order, until nobody can order any more; it
/// returns the least number of actors it has seen.
fn start_inspector(system: System) -> (mpsc::Sender<()>, thread::JoinHandle<usize>) {
    let (orders, waiting) = mpsc::channel();
    let inspect = move |()| system.inspect().actors.len();
    let inspector = thread::spawn(move || waiting.into_iter().map(inspect).min().unwrap_or(0));
    (orders, inspector)
}

/// How many messages the tell workload handles within the window.
async fn tells_within(counter: &ActorRef<Counter>, window: Duration) -> f64 {
    let start = Instant::now();
    let mut bursts = 0;
    while start.elapsed() < window {
        for _ in 0..BURST {
            Callboard::tell(counter, 1).await.expect("the counter is alive");
        }
        yield_now().await;
        bursts += 1;
    }
    (bursts * BURST) as f64 / start.elapsed().as_secs_f64()
}

/// Panics when told to.
struct Fragile;

impl Actor for Fragile {}

impl Message for Break {
    type Reply = ();
}

impl Message for Generation {
    type Reply = u64;
}

impl Handler<Break> for Fragile {
    async fn handle(&mut self, Break: Break, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("as told");
    }
}

impl Handler<Generation> for Fragile {
    async fn handle(&mut self, Generation: Generation, cx: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(cx.generation())
    }
}
