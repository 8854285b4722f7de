//! The timed loops, the same for every peer.
//!
//! Each returns the time that its messages took, measured on the thread that
//! sent them: from the first send until the last message is known to be
//! handled. Starting and stopping a system is not counted. Each ends with an
//! assertion on the sum that the actors hold, so a peer that loses a message
//! has no figure.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use tokio::{
    sync::Notify,
    task::{spawn_local, yield_now},
};

use crate::peer::Peer;

/// Messages sent at most between two yields of the sending side.
pub const BURST: u64 = 1_024;
/// Producer tasks of [`fan_in`].
pub const PRODUCERS: u64 = 4;
/// Asks on their way at once in [`ask_256`].
pub const IN_FLIGHT: u64 = 256;
/// Receivers of a [`broadcast`].
pub const AUDIENCE: u64 = 100;

/// One producer task and the actor on one thread.
pub fn tell<P: Peer>(messages: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let counter = P::counter(&home).await;
        let start = Instant::now();
        produce::<P>(&counter, messages, BURST).await;
        finish::<P>(&counter, messages, start).await
    })
}

/// The producer task on another thread than the actor.
pub fn tell_x<P: Peer>(messages: u64) -> Duration {
    P::across_threads(move |counter| async move {
        let start = Instant::now();
        produce::<P>(&counter, messages, BURST).await;
        finish::<P>(&counter, messages, start).await
    })
}

/// Four producer tasks and the actor on one thread. Together the four send one
/// burst between two turns of the actor: what a sender that waits for room
/// costs is the business of [`tell_x`], where the producer runs ahead.
pub fn fan_in<P: Peer>(messages: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let counter = P::counter(&home).await;
        let share = messages / PRODUCERS;
        let start = Instant::now();
        let producers = (0..PRODUCERS).map(|_| {
            let counter = counter.clone();
            spawn_local(async move { produce::<P>(&counter, share, BURST / PRODUCERS).await })
        });
        for producer in producers.collect::<Vec<_>>() {
            producer.await.expect("a producer does not panic");
        }
        finish::<P>(&counter, share * PRODUCERS, start).await
    })
}

/// One ask at a time, on one thread.
pub fn ask<P: Peer>(asks: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let counter = P::counter(&home).await;
        ask_in_turn::<P>(&counter, asks).await
    })
}

/// One ask at a time, across threads.
pub fn ask_x<P: Peer>(asks: u64) -> Duration {
    P::across_threads(move |counter| async move { ask_in_turn::<P>(&counter, asks).await })
}

/// 256 asks in flight, joined by one task, on one thread.
pub fn ask_256<P: Peer>(asks: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let counter = P::counter(&home).await;
        let start = Instant::now();
        for flight in bursts(asks, IN_FLIGHT) {
            join_all((0..flight).map(|_| P::ask(&counter, 1))).await;
        }
        finish::<P>(&counter, asks, start).await
    })
}

/// Two actors that tell each other, on one thread; per hop.
pub fn ping_pong<P: Peer>(hops: u64) -> Duration {
    round_trip::<P>(2, hops)
}

/// A hundred actors that pass one token round, on one thread; per hop.
pub fn ring<P: Peer>(hops: u64) -> Duration {
    round_trip::<P>(100, hops)
}

/// One producer task sends the same to a hundred actors and yields, on one
/// thread; per delivery.
pub fn broadcast<P: Peer>(deliveries: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let mut audience = Vec::with_capacity(AUDIENCE as usize);
        for _ in 0..AUDIENCE {
            audience.push(P::counter(&home).await);
        }
        let start = Instant::now();
        publish::<P>(&audience, deliveries).await;
        let handled = sum_of::<P>(&audience).await;
        let elapsed = start.elapsed();
        assert_eq!(handled, deliveries, "every delivery is handled once");
        elapsed
    })
}

/// Starts so many actors on one thread and lets each handle one message.
pub fn spawn<P: Peer>(actors: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let mut counters = Vec::with_capacity(actors as usize);
        let start = Instant::now();
        populate::<P>(&home, actors, &mut counters).await;
        start.elapsed()
    })
}

/// Starts so many actors on one thread, lets each handle one message, and
/// looks at them when all are idle: `before` is called ahead of the first
/// start, and what `after` returns is returned.
pub fn weigh<P: Peer, T: Send + 'static>(
    actors: u64,
    before: impl FnOnce() + Send + 'static,
    after: impl FnOnce() -> T + Send + 'static,
) -> T {
    P::on_one_thread(move |home| async move {
        let mut counters = Vec::with_capacity(actors as usize);
        before();
        populate::<P>(&home, actors, &mut counters).await;
        after()
    })
}

/// Breaks an actor so many times: nanoseconds from the message that panics
/// until the new value has answered with its generation.
pub(crate) async fn restarts(restarts: u64, break_and_ask: impl AsyncFn() -> u64) -> Vec<f64> {
    let mut times = Vec::with_capacity(restarts as usize);
    for generation in 1..=restarts {
        let start = Instant::now();
        let answer = break_and_ask().await;
        times.push(start.elapsed().as_nanos() as f64);
        assert!(answer > generation, "each panic makes a new generation");
    }
    times
}

/// Sends `messages` ones and yields after each burst.
async fn produce<P: Peer>(counter: &P::Counter, messages: u64, burst: u64) {
    for burst in bursts(messages, burst) {
        for _ in 0..burst {
            P::tell(counter, 1).await.expect("the counter is alive");
        }
        yield_now().await;
    }
}

/// Waits until everything before it is handled, and checks the sum: an ask of
/// the same priority comes behind all that was sent.
pub(crate) async fn finish<P: Peer>(counter: &P::Counter, expected: u64, start: Instant) -> Duration {
    let sum = P::ask(counter, 0).await.expect("the counter answers");
    let elapsed = start.elapsed();
    assert_eq!(sum, expected, "every message is handled once");
    elapsed
}

/// Returns when each of the new actors has handled its message.
async fn populate<P: Peer>(home: &P::Home, actors: u64, counters: &mut Vec<P::Counter>) {
    let tally = Arc::new(AtomicU64::new(0));
    for burst in bursts(actors, BURST) {
        for _ in 0..burst {
            let counter = P::counter(home).await;
            P::greet(&counter, Arc::clone(&tally)).await;
            counters.push(counter);
        }
        yield_now().await;
    }
    while tally.load(Ordering::Relaxed) < actors {
        yield_now().await;
    }
}

async fn ask_in_turn<P: Peer>(counter: &P::Counter, asks: u64) -> Duration {
    let start = Instant::now();
    for expected in 1..=asks {
        let sum = P::ask(counter, 1).await.expect("the counter answers");
        assert_eq!(sum, expected, "every ask is handled in its turn");
    }
    start.elapsed()
}

async fn publish<P: Peer>(audience: &[P::Counter], deliveries: u64) {
    for burst in bursts(deliveries, AUDIENCE) {
        for counter in &audience[..burst as usize] {
            P::tell(counter, 1).await.expect("the counter is alive");
        }
        yield_now().await;
    }
}

async fn sum_of<P: Peer>(counters: &[P::Counter]) -> u64 {
    let mut sum = 0;
    for counter in counters {
        sum += P::ask(counter, 0).await.expect("the counter answers");
    }
    sum
}

fn round_trip<P: Peer>(runners: usize, hops: u64) -> Duration {
    P::on_one_thread(move |home| async move {
        let finish = Arc::new(Notify::new());
        let ring = form_ring::<P>(&home, runners, &finish).await;
        let start = Instant::now();
        P::hop(&ring[0], hops - 1).await;
        finish.notified().await;
        let elapsed = start.elapsed();
        let mut seen = 0;
        for runner in &ring {
            seen += P::hops(runner).await;
        }
        assert_eq!(seen, hops, "every hop is handled once");
        elapsed
    })
}

async fn form_ring<P: Peer>(home: &P::Home, runners: usize, finish: &Arc<Notify>) -> Vec<P::Runner> {
    let mut ring = Vec::with_capacity(runners);
    for _ in 0..runners {
        ring.push(P::runner(home, Arc::clone(finish)).await);
    }
    for (index, runner) in ring.iter().enumerate() {
        P::follow(runner, ring[(index + 1) % runners].clone()).await;
        P::hops(runner).await;
    }
    ring
}

/// So many messages in bursts of at most `burst`. The loops count bursts and
/// what is in one, since a division per message would show in the figures.
pub(crate) fn bursts(messages: u64, burst: u64) -> impl Iterator<Item = u64> {
    let rest = messages % burst;
    let whole = iter::repeat_n(burst, (messages / burst) as usize);
    whole.chain((rest > 0).then_some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_hold_every_message_once() {
        assert_eq!(bursts(2_500, 1_024).collect::<Vec<_>>(), [1_024, 1_024, 452]);
        assert_eq!(bursts(200, 100).collect::<Vec<_>>(), [100, 100]);
        assert_eq!(bursts(0, 100).count(), 0);
    }
}
