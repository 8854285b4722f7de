//! kameo as its users write it, with its default bounded mailbox.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kameo::{
    Actor,
    actor::{ActorRef, Spawn},
    message::{Context, Message},
};
use tokio::sync::Notify;

use crate::{
    event_loop,
    messages::{Add, AddAndGet, Follow, Greet, Hop, Hops},
    peer::Peer,
};

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
        event_loop::run_beside(|| async { Counter::spawn(Counter::default()) }, work)
    }

    async fn counter((): &()) -> Self::Counter {
        Counter::spawn(Counter::default())
    }

    fn tell(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<(), impl Debug>> {
        counter.tell(Add(amount)).send()
    }

    fn ask(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<u64, impl Debug>> {
        counter.ask(AddAndGet(amount)).send()
    }

    async fn greet(counter: &Self::Counter, tally: Arc<AtomicU64>) {
        let sent = counter.tell(Greet(tally)).await;
        sent.expect("the counter is alive");
    }

    async fn runner((): &(), finish: Arc<Notify>) -> Self::Runner {
        Runner::spawn(Runner { next: None, finish, hops: 0 })
    }

    async fn follow(runner: &Self::Runner, next: Self::Runner) {
        let sent = runner.tell(Follow(next)).await;
        sent.expect("the runner is alive");
    }

    async fn hop(runner: &Self::Runner, left: u64) {
        let sent = runner.tell(Hop(left)).await;
        sent.expect("the runner is alive");
    }

    async fn hops(runner: &Self::Runner) -> u64 {
        runner.ask(Hops).await.expect("the runner answers")
    }
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
                let sent = next.tell(Hop(left - 1)).await;
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
