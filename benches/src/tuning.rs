//! What a few settings cost and bring: the tables of `docs/tuning.md`.
//!
//! Most of them are timed, one is weighed, and one is played through on a clock of its own, so that it comes out the same on
//! every machine.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use callboard::{
    Actor, Breaker, BreakerRules, Context, Drain, Fault, Handler, Message, Outcome, SyncHandler, System, Trip,
    block_on,
    bus::{
        Address, BuilderConfigExt, EventsExt, Manifest, Modules, ModulesExt, Object, Value,
        config::{Config, LiveConfig},
        discovery::{Capability, DiscoveryQuery, Permissions},
    },
};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::memory;

/// A row of a table: its cells, as they are shown.
pub type Cells = Vec<String>;

/// A system on one thread with this one setting.
async fn configured(key: &str, value: u32) -> (System, LiveConfig) {
    let loaded = Config::load().set(key, value).finish().expect("the setting is in range");
    let live = LiveConfig::new(loaded);
    let system = System::builder().workers(1).config(live.clone()).start().await;
    (system.expect("the system starts"), live)
}

/// Events a second, of a function that waits a millisecond for something else, by how many it has in hand.
#[must_use]
pub fn concurrency() -> Vec<Cells> {
    [1, 4, 16, 64, 256].map(|at_once| vec![at_once.to_string(), format!("{:.0}", waiting_function(at_once))]).into()
}

fn waiting_function(at_once: usize) -> f64 {
    let events = 500 * at_once.min(16);
    block_on(async {
        let system = System::builder().workers(1).start().await.expect("the system starts");
        let done = Arc::new(Semaphore::new(0));
        let noted = Arc::clone(&done);
        let wait = move |_| {
            let noted = Arc::clone(&noted);
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                noted.add_permits(1);
                Ok(())
            }
        };
        let subscription = system.subscribe_fn("a", wait).concurrency(at_once).await.expect("it can be subscribed");
        let start = Instant::now();
        for number in 0..events {
            // Up to 1,024 wait for a function.
            let ahead = u32::try_from(number.saturating_sub(1_000)).unwrap_or(u32::MAX);
            drop(done.acquire_many(ahead).await);
            system.publish("a", Value::Null).await.expect("there is room");
        }
        let all = u32::try_from(events).unwrap_or(u32::MAX);
        drop(done.acquire_many(all).await);
        let rate = events as f64 / start.elapsed().as_secs_f64();
        subscription.unsubscribe().await;
        system.shutdown(Drain::default()).await;
        rate
    })
}

/// Calls a second and how long a call takes at most of 99 in 100, by how many calls from outside are let in at once: 4,000 that come
/// together, of an operation that waits a millisecond for something else, with 256 instances that take them in turns.
#[must_use]
pub fn calls_from_outside() -> Vec<Cells> {
    [1, 16, 64, 256, 1_000].map(|limit| block_on(calls_let_in(limit))).into()
}

async fn calls_let_in(limit: u32) -> Cells {
    const INSTANCES: usize = 256;
    // One by one they would take four seconds.
    let calls = if limit == 1 { 400 } else { 4_000 };
    let (system, _live) = configured("bus.max_concurrent_messages", limit).await;
    for _ in 0..INSTANCES {
        let actor = system.spawn(|| Patient);
        let manifest = Manifest::new("service", "1.0.0").operation::<Wait>("wait");
        manifest.register(&actor).await.expect("an actor is registered once");
        // As long as only some of them have started, those have all the calls.
        actor.ask(Wait {}).await.expect("it starts");
    }
    let address: Address = "service.wait".parse().expect("it is an address");
    let (modules, start) = (system.modules(), Instant::now());
    let timed = (0..calls).map(async |_| {
        modules.call(&address, Object::default()).await.expect("it has time enough");
        start.elapsed().as_secs_f64() * 1e3
    });
    let mut took = join_all(timed).await;
    let rate = f64::from(calls) / start.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    let most = took[took.len() * 99 / 100];
    system.shutdown(Drain::default()).await;
    vec![limit.to_string(), format!("{rate:.0}"), format!("{most:.0}")]
}

/// An hour of ten calls a second. One in twenty fails at any time, and for a minute of every ten all do. By the threshold: how
/// many calls failed while nothing could go well, how many were refused while most would have, and how often it opened.
#[must_use]
pub fn thresholds() -> Vec<Cells> {
    [1, 2, 3, 5, 10, 20].map(thresholds_of).into()
}

fn thresholds_of(threshold: u32) -> Cells {
    let rules = BreakerRules::tripping_on([Trip::Consecutive(threshold)]).growing(2.0, Duration::from_secs(300), 0.0);
    let (mut breaker, mut draw) = (Breaker::new(rules), 0x9e37_79b9_7f4a_7c15_u64);
    let (mut in_vain, mut missed, mut openings) = (0_u32, 0_u32, 0_u32);
    for tenth in 0..36_000_u64 {
        let now = Duration::from_millis(tenth * 100);
        draw = xorshift(draw);
        let is_down = tenth % 6_000 >= 5_400;
        let fails = is_down || draw.is_multiple_of(20);
        match breaker.try_acquire(now, 0.0).0 {
            Ok(permit) => {
                in_vain += u32::from(is_down);
                let outcome = if fails { Outcome::Failure } else { Outcome::Success };
                let change = breaker.record(permit, outcome, Duration::from_millis(1), now, 0.0);
                openings += u32::from(fails && change.is_some());
            }
            Err(_) => missed += u32::from(!fails),
        }
    }
    [threshold, in_vain, missed, openings].map(|number| number.to_string()).into()
}

fn xorshift(mut bits: u64) -> u64 {
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^ (bits << 17)
}

/// Microseconds for a question among 200 modules, by how long answers are kept, when nothing changes and when a module changes
/// after every tenth.
#[must_use]
pub fn caches() -> Vec<Cells> {
    [0, 300].map(|seconds| block_on(cache_of(seconds))).into()
}

async fn cache_of(seconds: u32) -> Cells {
    let (system, _live) = configured("discovery.cache_ttl", seconds).await;
    for number in 0..200 {
        let actor = system.spawn(|| Idle);
        let manifest = Manifest::new(format!("module{number}"), "1.0.0").operation::<Nothing>("nothing");
        manifest.register(&actor).await.expect("the name is free");
    }
    let modules = system.modules();
    let (query, anybody) = (DiscoveryQuery::default().limit(5), Permissions::default());
    let ask = || drop(black_box(modules.discover(&query, &anybody)));
    let (mut quiet, mut changing) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        (0..1_000).for_each(|_| ask());
        quiet.push(micros_each(start, 1_000));
        let start = Instant::now();
        for _ in 0..100 {
            change(&modules).await;
            (0..10).for_each(|_| ask());
        }
        changing.push(micros_each(start, 1_000));
    }
    system.shutdown(Drain::default()).await;
    vec![format!("{seconds} s"), format!("{:.1}", median(quiet)), format!("{:.1}", median(changing))]
}

/// How often what is timed in microseconds is timed; the median counts.
const ROUNDS: usize = 21;

/// A module can do something more for a moment.
async fn change(modules: &Modules) {
    let extra = Capability::builder("extra", "1.0.0").build().expect("it is a capability");
    modules.advertise("module0", extra).await.expect("there is none of this name");
    modules.withdraw("module0", "extra").await.expect("there is one");
}

fn micros_each(start: Instant, times: u32) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// What is kept of 20,000 events of one KiB, in MiB, by the length of the history.
#[must_use]
pub fn memory() -> Vec<Cells> {
    [0, 1_000, 2_000, 10_000].map(|kept| block_on(memory_of(kept))).into()
}

async fn memory_of(kept: u32) -> Cells {
    let (system, _live) = configured("events.max_history", kept).await;
    system.publish("a", Value::Null).await.expect("nobody is there");
    memory::start_counting();
    for number in 0..20_000_u32 {
        let data = format!("{number:01024}");
        system.publish("a", data).await.expect("nobody is there");
    }
    let bytes = memory::bytes_since_start().unwrap_or_default();
    system.shutdown(Drain::default()).await;
    vec![kept.to_string(), format!("{:.1}", bytes as f64 / f64::from(1 << 20))]
}

/// Waits a millisecond for something else.
#[derive(Debug)]
struct Patient;

impl Actor for Patient {}

#[derive(Debug, Deserialize, JsonSchema)]
struct Wait {}

impl Message for Wait {
    type Reply = ();
}

impl Handler<Wait> for Patient {
    async fn handle(&mut self, _: Wait, _: &mut Context<Self>) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

/// Has an operation and does nothing.
#[derive(Debug)]
struct Idle;

impl Actor for Idle {}

#[derive(Debug, Deserialize, JsonSchema)]
struct Nothing {}

impl Message for Nothing {
    type Reply = ();
}

impl SyncHandler<Nothing> for Idle {
    fn handle(&mut self, _: Nothing, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}
