//! actix as its users write it: plain handlers, `do_send` and `send`, actors
//! on actix's own `Context`.

use std::{
    fmt::Debug,
    future::{self, Future},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use actix::{Actor, Addr, Arbiter, Context, Handler, MailboxError, Message, System};
use tokio::sync::Notify;

use crate::{
    messages::{Add, AddAndGet, Follow, Greet, Hop, Hops},
    peer::{BOUND, Peer},
};

/// actix, hosted by its own system and arbiters.
#[derive(Debug)]
pub struct Actix;

impl Peer for Actix {
    type Home = ();
    type Counter = Addr<Counter>;
    type Runner = Addr<Runner>;

    fn on_one_thread<W, F, T>(work: W) -> T
    where
        W: FnOnce(()) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let system = System::new();
        system.block_on(run_as_task(work, ()))
    }

    fn across_threads<W, F, T>(work: W) -> T
    where
        W: FnOnce(Addr<Counter>) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let system = System::new();
        system.block_on(async {
            let other_thread = Arbiter::new();
            let counter = Counter::start_in_arbiter(&other_thread.handle(), |_| Counter::default());
            let result = run_as_task(work, counter).await;
            other_thread.stop();
            other_thread.join().expect("the arbiter's thread ends well");
            result
        })
    }

    async fn counter((): &()) -> Addr<Counter> {
        Counter::default().start()
    }

    fn tell(counter: &Addr<Counter>, amount: u64) -> impl Future<Output = Result<(), impl Debug>> {
        counter.do_send(Add(amount));
        future::ready(Ok::<(), MailboxError>(()))
    }

    fn ask(counter: &Addr<Counter>, amount: u64) -> impl Future<Output = Result<u64, impl Debug>> {
        counter.send(AddAndGet(amount))
    }

    async fn greet(counter: &Addr<Counter>, tally: Arc<AtomicU64>) {
        counter.do_send(Greet(tally));
    }

    async fn runner((): &(), finish: Arc<Notify>) -> Addr<Runner> {
        Runner::new(finish).start()
    }

    async fn follow(runner: &Addr<Runner>, next: Addr<Runner>) {
        runner.do_send(Follow(next));
    }

    async fn hop(runner: &Addr<Runner>, left: u64) {
        runner.do_send(Hop(left));
    }

    async fn hops(runner: &Addr<Runner>) -> u64 {
        runner.send(Hops).await.expect("the runner is alive")
    }
}

async fn run_as_task<A, W, F, T>(work: W, argument: A) -> T
where
    W: FnOnce(A) -> F,
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let task = actix_rt::spawn(work(argument));
    task.await.expect("the workload does not panic")
}

/// Adds.
#[derive(Debug, Default)]
pub struct Counter {
    sum: u64,
}

impl Actor for Counter {
    type Context = Context<Self>;

    /// `send` waits while sixteen messages are queued, unless it is told
    /// otherwise.
    fn started(&mut self, cx: &mut Context<Self>) {
        cx.set_mailbox_capacity(BOUND);
    }
}

impl Message for Add {
    type Result = ();
}

impl Message for AddAndGet {
    type Result = u64;
}

impl Message for Greet {
    type Result = ();
}

impl Handler<Add> for Counter {
    type Result = ();

    fn handle(&mut self, Add(amount): Add, _: &mut Context<Self>) {
        self.sum += amount;
    }
}

impl Handler<AddAndGet> for Counter {
    type Result = u64;

    fn handle(&mut self, AddAndGet(amount): AddAndGet, _: &mut Context<Self>) -> u64 {
        self.sum += amount;
        self.sum
    }
}

impl Handler<Greet> for Counter {
    type Result = ();

    fn handle(&mut self, Greet(tally): Greet, _: &mut Context<Self>) {
        tally.fetch_add(1, Ordering::Relaxed);
    }
}

/// Passes a token on.
#[derive(Debug)]
pub struct Runner {
    next: Option<Addr<Runner>>,
    finish: Arc<Notify>,
    hops: u64,
}

impl Runner {
    fn new(finish: Arc<Notify>) -> Self {
        Self { next: None, finish, hops: 0 }
    }
}

impl Actor for Runner {
    type Context = Context<Self>;
}

impl Message for Follow<Addr<Runner>> {
    type Result = ();
}

impl Message for Hop {
    type Result = ();
}

impl Message for Hops {
    type Result = u64;
}

impl Handler<Follow<Addr<Runner>>> for Runner {
    type Result = ();

    fn handle(&mut self, Follow(next): Follow<Addr<Runner>>, _: &mut Context<Self>) {
        self.next = Some(next);
    }
}

impl Handler<Hop> for Runner {
    type Result = ();

    fn handle(&mut self, Hop(left): Hop, _: &mut Context<Self>) {
        self.hops += 1;
        match &self.next {
            Some(next) if left > 0 => next.do_send(Hop(left - 1)),
            _ => self.finish.notify_one(),
        }
    }
}

impl Handler<Hops> for Runner {
    type Result = u64;

    fn handle(&mut self, Hops: Hops, _: &mut Context<Self>) -> u64 {
        self.hops
    }
}
