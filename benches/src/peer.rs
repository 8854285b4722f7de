//! What a framework must be able to do to take part: the loops of
//! [`crate::traffic`] are written once, against this trait, so every peer runs
//! the very same workload.

use std::{
    fmt::Debug,
    future::Future,
    sync::{Arc, atomic::AtomicU64},
};

use tokio::sync::Notify;

/// The room in the mailbox of everybody who has bounded ones: callboard's
/// default. So 256 asks can be on their way at once everywhere, and a burst
/// waits for room only where the framework itself makes it wait.
pub const BOUND: usize = 1_024;

/// A framework under measurement.
///
/// A *counter* is an actor that adds to a number; a *runner* passes a token on
/// to the next runner and notifies when the last hop is done. Both live on the
/// thread of the home they are made in.
///
/// The sends return the framework's own future wherever it has one, so that
/// the loops await what a user's code would.
pub trait Peer: Debug + 'static {
    /// What is needed to start an actor: the system, or nothing.
    type Home: Clone + 'static;
    /// A reference to a counter.
    type Counter: Clone + Send + 'static;
    /// A reference to a runner.
    type Runner: Clone + Send + 'static;

    /// Runs `work` as a local task of the thread on which the actors of its
    /// home live.
    fn on_one_thread<W, F, T>(work: W) -> T
    where
        W: FnOnce(Self::Home) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static;

    /// Starts a counter on one event loop and runs `work` as a local task of
    /// another, each on its own thread.
    fn across_threads<W, F, T>(work: W) -> T
    where
        W: FnOnce(Self::Counter) -> F + Send + 'static,
        F: Future<Output = T> + 'static,
        T: Send + 'static;

    /// Starts a counter.
    fn counter(home: &Self::Home) -> impl Future<Output = Self::Counter>;

    /// Sends [`Add`](crate::messages::Add) and waits for no answer.
    fn tell(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<(), impl Debug>>;

    /// Sends [`AddAndGet`](crate::messages::AddAndGet) and waits for the sum.
    fn ask(counter: &Self::Counter, amount: u64) -> impl Future<Output = Result<u64, impl Debug>>;

    /// Sends [`Greet`](crate::messages::Greet) and waits for no answer.
    fn greet(counter: &Self::Counter, tally: Arc<AtomicU64>) -> impl Future<Output = ()>;

    /// Starts a runner that notifies `finish` when it receives the last hop.
    fn runner(home: &Self::Home, finish: Arc<Notify>) -> impl Future<Output = Self::Runner>;

    /// Sends [`Follow`](crate::messages::Follow).
    fn follow(runner: &Self::Runner, next: Self::Runner) -> impl Future<Output = ()>;

    /// Sends [`Hop`](crate::messages::Hop) from outside the ring.
    fn hop(runner: &Self::Runner, left: u64) -> impl Future<Output = ()>;

    /// Sends [`Hops`](crate::messages::Hops) and waits for the number.
    fn hops(runner: &Self::Runner) -> impl Future<Output = u64>;
}
