//! callboard as its users write it: plain `async fn handle`, `tell` and `ask`,
//! the default bounded mailbox, with supervision, the breaker's check and the
//! counters on, since they cannot be left out.

use std::{
    fmt::Debug,
    future::{Future, IntoFuture},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callboard::{Actor, ActorRef, Context, Drain, Fault, Handler, Message, System, child};
use tokio::sync::Notify;

use crate::{
    messages::{Add, AddAndGet, Follow, Greet, Hop, Hops},
    peer::Peer,
};

/// callboard, hosted by its own system.
#[derive(Debug)]
pub struct Callboard;

impl Peer for Callboard {
    type Home = System;
    type Counter = ActorRef<Counter>;
    type Runner = ActorRef<Runner>;

    fn on_one_thread<W, F, T>(work: W) -> T
    where
        W: FnOnce(System) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        with_system(1, async |system: &System| {
            let home = system.clone();
            system.run_on(0, move || work(home)).await
        })
    }

    fn across_threads<W, F, T>(work: W) -> T
    where
        W: FnOnce(ActorRef<Counter>) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        with_system(2, async |system: &System| {
            let counter = system.spawn(child("counter", Counter::default).pinned(0));
            system.run_on(1, move || work(counter)).await
        })
    }

    async fn counter(home: &System) -> ActorRef<Counter> {
        home.spawn(Counter::default)
    }

    fn tell(counter: &ActorRef<Counter>, amount: u64) -> impl Future<Output = Result<(), impl Debug>> {
        counter.tell(Add(amount)).into_future()
    }

    fn ask(counter: &ActorRef<Counter>, amount: u64) -> impl Future<Output = Result<u64, impl Debug>> {
        counter.ask(AddAndGet(amount)).into_future()
    }

    async fn greet(counter: &ActorRef<Counter>, tally: Arc<AtomicU64>) {
        let sent = counter.tell(Greet(tally)).await;
        sent.expect("the counter is alive");
    }

    async fn runner(home: &System, finish: Arc<Notify>) -> ActorRef<Runner> {
        home.spawn(move || Runner::new(Arc::clone(&finish)))
    }

    async fn follow(runner: &ActorRef<Runner>, next: ActorRef<Runner>) {
        let sent = runner.tell(Follow(next)).await;
        sent.expect("the runner is alive");
    }

    async fn hop(runner: &ActorRef<Runner>, left: u64) {
        let sent = runner.tell(Hop(left)).await;
        sent.expect("the runner is alive");
    }

    async fn hops(runner: &ActorRef<Runner>) -> u64 {
        runner.ask(Hops).await.expect("the runner answers")
    }
}

/// Starts a system with so many arbiters, works with it from outside and shuts
/// it down.
pub(crate) fn with_system<T>(arbiters: usize, work: impl AsyncFnOnce(&System) -> T) -> T {
    callboard::block_on(async {
        let system = System::builder().workers(arbiters).start().await.expect("the system starts");
        let result = work(&system).await;
        system.shutdown(Drain::within(Duration::from_secs(10))).await;
        result
    })
}

/// Adds.
#[derive(Debug, Default)]
pub struct Counter {
    sum: u64,
}

impl Actor for Counter {}

impl Message for Add {
    type Reply = ();
}

impl Message for AddAndGet {
    type Reply = u64;
}

impl Message for Greet {
    type Reply = ();
}

impl Handler<Add> for Counter {
    async fn handle(&mut self, Add(amount): Add, _: &mut Context<Self>) -> Result<(), Fault> {
        self.sum += amount;
        Ok(())
    }
}

impl Handler<AddAndGet> for Counter {
    async fn handle(&mut self, AddAndGet(amount): AddAndGet, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.sum += amount;
        Ok(self.sum)
    }
}

impl Handler<Greet> for Counter {
    async fn handle(&mut self, Greet(tally): Greet, _: &mut Context<Self>) -> Result<(), Fault> {
        tally.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Passes a token on.
#[derive(Debug)]
pub struct Runner {
    next: Option<ActorRef<Runner>>,
    finish: Arc<Notify>,
    hops: u64,
}

impl Runner {
    fn new(finish: Arc<Notify>) -> Self {
        Self { next: None, finish, hops: 0 }
    }
}

impl Actor for Runner {}

impl Message for Follow<ActorRef<Runner>> {
    type Reply = ();
}

impl Message for Hop {
    type Reply = ();
}

impl Message for Hops {
    type Reply = u64;
}

impl Handler<Follow<ActorRef<Runner>>> for Runner {
    async fn handle(&mut self, Follow(next): Follow<ActorRef<Runner>>, _: &mut Context<Self>) -> Result<(), Fault> {
        self.next = Some(next);
        Ok(())
    }
}

impl Handler<Hop> for Runner {
    async fn handle(&mut self, Hop(left): Hop, _: &mut Context<Self>) -> Result<(), Fault> {
        self.hops += 1;
        match &self.next {
            Some(next) if left > 0 => next.tell(Hop(left - 1)).await?,
            _ => self.finish.notify_one(),
        }
        Ok(())
    }
}

impl Handler<Hops> for Runner {
    async fn handle(&mut self, Hops: Hops, _: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(self.hops)
    }
}
