//! kameo as its users write it, with a bounded mailbox. The default of 64
//! places becomes the bound that the others have. Requests are awaited by
//! `send`, which does not allocate the box that a plain `.await` does.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::Future,
    panic::{self, PanicHookInfo},
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kameo::{
    Actor,
    actor::{ActorRef, Spawn},
    mailbox,
    message::{Context, Message},
};
use tokio::sync::Notify;

use crate::{
    event_loop,
    messages::{Add, AddAndGet, Break, Follow, Generation, Greet, Hop, Hops},
    peer::{BOUND, Peer},
    size::Size,
    spread::Spread,
    traffic,
    workload::Workload,
};

const AS_TOLD: &str = "as told";

/// kameo on a tokio runtime of one thread.
#[derive(Debug)]
pub struct Kameo;

impl Peer for Kameo {
    type Home = ();
    type Counter = ActorRef<Counter>;
    type Runner = ActorRef<Runner>;

    fn on_one_thread<W, F, T>(work: W) -> T
    where
        W: FnOnce(()) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        event_loop::run(move || work(()))
    }

    fn across_threads<W, F, T>(work: W) -> T
    where
        W: FnOnce(Self::Counter) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        event_loop::run_beside(|| async { start_counter() }, work)
    }

    async fn counter((): &()) -> Self::Counter {
        start_counter()
    }

    fn tell(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<(), impl Debug>> {
        counter.tell(Add(amount)).send()
    }

    fn ask(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<u64, impl Debug>> {
        counter.ask(AddAndGet(amount)).send()
    }

    async fn greet(counter: &Self::Counter, tally: Arc<AtomicU64>) {
        let sent = counter.tell(Greet(tally)).send().await;
        sent.expect("the counter is alive");
    }

    async fn runner((): &(), finish: Arc<Notify>) -> Self::Runner {
        Runner::spawn(Runner { next: None, finish, hops: 0 })
    }

    async fn follow(runner: &Self::Runner, next: Self::Runner) {
        let sent = runner.tell(Follow(next)).send().await;
        sent.expect("the runner is alive");
    }

    async fn hop(runner: &Self::Runner, left: u64) {
        let sent = runner.tell(Hop(left)).send().await;
        sent.expect("the runner is alive");
    }

    async fn hops(runner: &Self::Runner) -> u64 {
        runner.ask(Hops).send().await.expect("the runner answers")
    }
}

/// Runs what only callboard and kameo have: nanoseconds. `None` for all other
/// workloads.
pub fn run_alone(workload: Workload, size: Size) -> Option<f64> {
    if workload != Workload::Restart {
        return None;
    }
    keep_quiet_about_what_was_told();
    let times = restart(size.operations(workload));
    Spread::of(times).map(|spread| spread.median)
}

/// From sending the message that panics until the answer of the new value, on
/// one thread. kameo's supervisors know no back-off.
fn restart(restarts: u64) -> Vec<f64> {
    event_loop::run(move || async move {
        let supervisor = Supervisor::spawn(Supervisor);
        let starts = Arc::default();
        let fragile = Fragile::supervise(&supervisor, starts).restart_limit(u32::MAX, Duration::from_secs(1));
        let fragile = fragile.spawn().await;
        // What waits behind a message that panics is lost before that.
        fragile.wait_for_startup().await;
        traffic::restarts(restarts, async || {
            fragile.tell(Break).send().await.expect("the message is taken");
            fragile.ask(Generation).send().await.expect("the new value answers")
        })
        .await
    })
}

/// kameo leaves panics to the hook of the process, which would write each one
/// to standard error; callboard's own hook keeps them for the supervisor.
fn keep_quiet_about_what_was_told() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        let was_told = |info: &PanicHookInfo<'_>| info.payload().downcast_ref() == Some(&AS_TOLD);
        panic::set_hook(Box::new(move |info| {
            if !was_told(info) {
                hook(info)
            }
        }));
    });
}

fn start_counter() -> ActorRef<Counter> {
    Counter::spawn_with_mailbox(Counter::default(), mailbox::bounded(BOUND))
}

/// Adds.
#[derive(Debug, Default)]
pub struct Counter {
    sum: u64,
}

impl Actor for Counter {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(counter: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(counter)
    }
}

impl Message<Add> for Counter {
    type Reply = ();

    async fn handle(&mut self, Add(amount): Add, _: &mut Context<Self, ()>) {
        self.sum += amount;
    }
}

impl Message<AddAndGet> for Counter {
    type Reply = u64;

    async fn handle(&mut self, AddAndGet(amount): AddAndGet, _: &mut Context<Self, u64>) -> u64 {
        self.sum += amount;
        self.sum
    }
}

impl Message<Greet> for Counter {
    type Reply = ();

    async fn handle(&mut self, Greet(tally): Greet, _: &mut Context<Self, ()>) {
        tally.fetch_add(1, Ordering::Relaxed);
    }
}

/// Passes a token on.
#[derive(Debug)]
pub struct Runner {
    next: Option<ActorRef<Runner>>,
    finish: Arc<Notify>,
    hops: u64,
}

impl Actor for Runner {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(runner: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(runner)
    }
}

impl Message<Follow<ActorRef<Runner>>> for Runner {
    type Reply = ();

    async fn handle(&mut self, Follow(next): Follow<ActorRef<Runner>>, _: &mut Context<Self, ()>) {
        self.next = Some(next);
    }
}

impl Message<Hop> for Runner {
    type Reply = ();

    async fn handle(&mut self, Hop(left): Hop, _: &mut Context<Self, ()>) {
        self.hops += 1;
        match &self.next {
            Some(next) if left > 0 => {
                let sent = next.tell(Hop(left - 1)).send().await;
                sent.expect("the next runner is alive");
            }
            _ => self.finish.notify_one(),
        }
    }
}

impl Message<Hops> for Runner {
    type Reply = u64;

    async fn handle(&mut self, Hops: Hops, _: &mut Context<Self, u64>) -> u64 {
        self.hops
    }
}

/// Starts the fragile actor again.
#[derive(Debug)]
pub struct Supervisor;

impl Actor for Supervisor {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(supervisor: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(supervisor)
    }
}

/// Panics when told to.
#[derive(Debug)]
pub struct Fragile {
    generation: u64,
}

impl Actor for Fragile {
    /// How often it has been started.
    type Args = Arc<AtomicU64>;
    type Error = Infallible;

    async fn on_start(starts: Arc<AtomicU64>, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self { generation: starts.fetch_add(1, Ordering::Relaxed) + 1 })
    }
}

impl Message<Break> for Fragile {
    type Reply = ();

    async fn handle(&mut self, Break: Break, _: &mut Context<Self, ()>) {
        panic::panic_any(AS_TOLD);
    }
}

impl Message<Generation> for Fragile {
    type Reply = u64;

    async fn handle(&mut self, Generation: Generation, _: &mut Context<Self, u64>) -> u64 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_actor_answers_again() {
        assert!(run_alone(Workload::Restart, Size::Quick).is_some());
        assert!(run_alone(Workload::Priority, Size::Quick).is_none());
    }
}
