//! No framework at all: a task that receives an enum from a channel with the
//! same bound as callboard's default mailbox. The floor that a framework's
//! convenience is paid on top of.

use std::{
    fmt::Debug,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::spawn_local,
};

use crate::{
    event_loop,
    peer::{BOUND, Peer},
};

/// Plain tokio tasks and channels.
#[derive(Debug)]
pub struct Tokio;

impl Peer for Tokio {
    type Home = ();
    type Counter = mpsc::Sender<CounterMessage>;
    type Runner = mpsc::Sender<RunnerMessage>;

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
        counter.send(CounterMessage::Add(amount))
    }

    async fn ask(counter: &Self::Counter, amount: u64) -> Result<u64, impl Debug> {
        let (reply, answer) = oneshot::channel();
        put(counter, CounterMessage::AddAndGet(amount, reply)).await;
        answer.await
    }

    async fn greet(counter: &Self::Counter, tally: Arc<AtomicU64>) {
        put(counter, CounterMessage::Greet(tally)).await;
    }

    async fn runner((): &(), finish: Arc<Notify>) -> Self::Runner {
        let (inbox, messages) = mpsc::channel(BOUND);
        spawn_local(run(messages, finish));
        inbox
    }

    async fn follow(runner: &Self::Runner, next: Self::Runner) {
        put(runner, RunnerMessage::Follow(next)).await;
    }

    async fn hop(runner: &Self::Runner, left: u64) {
        put(runner, RunnerMessage::Hop(left)).await;
    }

    async fn hops(runner: &Self::Runner) -> u64 {
        let (reply, answer) = oneshot::channel();
        put(runner, RunnerMessage::Hops(reply)).await;
        answer.await.expect("the runner answers")
    }
}

/// What a counter's task receives.
#[derive(Debug)]
pub enum CounterMessage {
    /// Adds.
    Add(u64),
    /// Adds and answers with the sum.
    AddAndGet(u64, oneshot::Sender<u64>),
    /// Adds one to a shared tally.
    Greet(Arc<AtomicU64>),
}

/// What a runner's task receives.
#[derive(Debug)]
pub enum RunnerMessage {
    /// Names the next runner.
    Follow(mpsc::Sender<RunnerMessage>),
    /// The token, with the hops that are left.
    Hop(u64),
    /// Asks for the number of hops seen.
    Hops(oneshot::Sender<u64>),
}

fn start_counter() -> mpsc::Sender<CounterMessage> {
    let (inbox, messages) = mpsc::channel(BOUND);
    spawn_local(count(messages));
    inbox
}

async fn put<M>(inbox: &mpsc::Sender<M>, message: M) {
    let sent = inbox.send(message).await;
    assert!(sent.is_ok(), "the receiving task is alive");
}

async fn count(mut messages: mpsc::Receiver<CounterMessage>) {
    let mut sum = 0;
    while let Some(message) = messages.recv().await {
        match message {
            CounterMessage::Add(amount) => sum += amount,
            CounterMessage::AddAndGet(amount, reply) => {
                sum += amount;
                reply.send(sum).ok();
            }
            CounterMessage::Greet(tally) => {
                tally.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

async fn run(mut messages: mpsc::Receiver<RunnerMessage>, finish: Arc<Notify>) {
    let (mut next, mut hops) = (None, 0);
    while let Some(message) = messages.recv().await {
        match message {
            RunnerMessage::Follow(runner) => next = Some(runner),
            RunnerMessage::Hop(left) => {
                hops += 1;
                match &next {
                    Some(next) if left > 0 => put(next, RunnerMessage::Hop(left - 1)).await,
                    _ => finish.notify_one(),
                }
            }
            RunnerMessage::Hops(reply) => {
                reply.send(hops).ok();
            }
        }
    }
}
