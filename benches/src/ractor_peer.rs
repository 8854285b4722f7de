//! ractor as its users write it: one message enum per actor, `cast` and
//! `call`, its unbounded mailbox.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::{self, Future},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::Notify;

use crate::{event_loop, peer::Peer};

/// ractor on a tokio runtime of one thread.
#[derive(Debug)]
pub struct Ractor;

impl Peer for Ractor {
    type Home = ();
    type Counter = ActorRef<CounterMessage>;
    type Runner = ActorRef<RunnerMessage>;

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
        event_loop::run_beside(|| start(Counter, ()), work)
    }

    async fn counter((): &()) -> Self::Counter {
        start(Counter, ()).await
    }

    fn tell(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<(), impl Debug>> {
        future::ready(counter.cast(CounterMessage::Add(amount)))
    }

    async fn ask(counter: &Self::Counter, amount: u64) -> Result<u64, impl Debug> {
        let answer = call(counter, |reply| CounterMessage::AddAndGet(amount, reply)).await;
        Ok::<u64, Infallible>(answer)
    }

    async fn greet(counter: &Self::Counter, tally: Arc<AtomicU64>) {
        let sent = counter.cast(CounterMessage::Greet(tally));
        sent.expect("the counter is alive");
    }

    async fn runner((): &(), finish: Arc<Notify>) -> Self::Runner {
        start(Runner, finish).await
    }

    async fn follow(runner: &Self::Runner, next: Self::Runner) {
        let sent = runner.cast(RunnerMessage::Follow(next));
        sent.expect("the runner is alive");
    }

    async fn hop(runner: &Self::Runner, left: u64) {
        let sent = runner.cast(RunnerMessage::Hop(left));
        sent.expect("the runner is alive");
    }

    async fn hops(runner: &Self::Runner) -> u64 {
        call(runner, RunnerMessage::Hops).await
    }
}

/// Adds; the sum is its state.
#[derive(Debug)]
pub struct Counter;

/// What a counter receives.
#[derive(Debug)]
pub enum CounterMessage {
    /// Adds.
    Add(u64),
    /// Adds and answers with the sum.
    AddAndGet(u64, RpcReplyPort<u64>),
    /// Adds one to a shared tally.
    Greet(Arc<AtomicU64>),
}

impl Actor for Counter {
    type Msg = CounterMessage;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<CounterMessage>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<CounterMessage>,
        message: CounterMessage,
        sum: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CounterMessage::Add(amount) => *sum += amount,
            CounterMessage::AddAndGet(amount, reply) => {
                *sum += amount;
                reply.send(*sum)?;
            }
            CounterMessage::Greet(tally) => {
                tally.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// Passes a token on.
#[derive(Debug)]
pub struct Runner;

/// What a runner receives.
#[derive(Debug)]
pub enum RunnerMessage {
    /// Names the next runner.
    Follow(ActorRef<RunnerMessage>),
    /// The token, with the hops that are left.
    Hop(u64),
    /// Asks for the number of hops seen.
    Hops(RpcReplyPort<u64>),
}

/// What a runner remembers.
#[derive(Debug)]
pub struct RunnerState {
    next: Option<ActorRef<RunnerMessage>>,
    finish: Arc<Notify>,
    hops: u64,
}

impl Actor for Runner {
    type Msg = RunnerMessage;
    type State = RunnerState;
    type Arguments = Arc<Notify>;

    async fn pre_start(
        &self,
        _: ActorRef<RunnerMessage>,
        finish: Arc<Notify>,
    ) -> Result<RunnerState, ActorProcessingErr> {
        Ok(RunnerState { next: None, finish, hops: 0 })
    }

    async fn handle(
        &self,
        _: ActorRef<RunnerMessage>,
        message: RunnerMessage,
        state: &mut RunnerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RunnerMessage::Follow(next) => state.next = Some(next),
            RunnerMessage::Hop(left) => {
                state.hops += 1;
                match &state.next {
                    Some(next) if left > 0 => next.cast(RunnerMessage::Hop(left - 1))?,
                    _ => state.finish.notify_one(),
                }
            }
            RunnerMessage::Hops(reply) => reply.send(state.hops)?,
        }
        Ok(())
    }
}

async fn start<A: Actor>(actor: A, arguments: A::Arguments) -> ActorRef<A::Msg> {
    let (reference, _) = Actor::spawn(None, actor, arguments).await.expect("the actor starts");
    reference
}

async fn call<M: ractor::Message>(actor: &ActorRef<M>, message: impl FnOnce(RpcReplyPort<u64>) -> M) -> u64 {
    let Ok(answer) = actor.call(message, None).await else {
        panic!("the actor has stopped");
    };
    answer.expect("the actor answers")
}
