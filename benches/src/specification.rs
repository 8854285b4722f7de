//! The benchmark table of the second specification (F-BENCH-01 to 04 and 06), measured.
//!
//! What is timed runs on the clock of the machine. What happens over minutes is played through on a clock of its own, so that it
//! takes no time and comes out the same everywhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use callboard::{
    Breaker, BreakerRules, Drain, Message, Outcome, System, Trip, block_on,
    bus::{Event, EventsExt, Module, ModulesExt, RetryPolicy, module},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// A row of the table: what it is, what the specification has before and after, and what is measured here.
#[derive(Debug)]
pub struct Line {
    /// What is measured.
    pub what: &'static str,
    /// The specification's figure of its first version.
    pub first: &'static str,
    /// The same of its second one.
    pub second: &'static str,
    /// The figure of this run.
    pub measured: String,
}

/// All rows, in the order of the specification.
#[must_use]
pub fn table() -> Vec<Line> {
    let (plain, guarded) = (reliability(0), reliability(3));
    let (usual, tuned) = (recovery(5, Duration::from_secs(30)), recovery(10, Duration::from_secs(10)));
    vec![
        line("message processing", "100/s", "150/s", format!("{:.0}/s", throughput())),
        line("API calls that go well", "95 %", "99.5 %", format!("{plain:.2} % without retries, {guarded:.2} % with")),
        line(
            "error recovery time",
            "30 s",
            "10 s",
            format!("{usual:.1} s at most, {tuned:.1} s where a breaker stays open for 10 s"),
        ),
        line("memory usage", "50 MB", "45 MB", resident().map_or("unknown".to_owned(), |mb| format!("{mb:.1} MB"))),
        line("error recovery", "1x", "3x", format!("{:.1}x, the two of the row above", usual / tuned)),
        line(
            "failures of 1,000 calls",
            "50",
            "5",
            format!("{:.0} without retries, {:.0} with", failures(plain), failures(guarded)),
        ),
    ]
}

/// Of a thousand calls, where this percentage goes well.
fn failures(percent: f64) -> f64 {
    (100.0 - percent) * 10.0
}

const fn line(what: &'static str, first: &'static str, second: &'static str, measured: String) -> Line {
    Line { what, first, second, measured }
}

/// A module that fails once in a while.
#[derive(Default)]
struct Shaky {
    calls: u64,
}

#[derive(Message, Clone, Deserialize, JsonSchema)]
#[message(reply = Result<u64, Busy>)]
struct Work {}

/// It passes.
#[derive(Debug, thiserror::Error)]
#[error("the line is busy")]
struct Busy;

#[module(name = "shaky", version = "1.0.0")]
impl Shaky {
    #[request("work", idempotent)]
    fn work(&mut self, _: Work) -> Result<u64, Busy> {
        self.calls += 1;
        if self.calls.is_multiple_of(20) { Err(Busy) } else { Ok(self.calls) }
    }
}

/// Events from one publisher to one subscriber on a channel, a second; with priorities, a history and counters.
fn throughput() -> f64 {
    const EVENTS: u64 = 200_000;
    block_on(async {
        let system = System::builder().workers(2).start().await.expect("the system starts");
        let heard = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&heard);
        let listen = move |event: Event| {
            let noted = Arc::clone(&noted);
            async move {
                std::hint::black_box(&event.data);
                noted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        };
        system.channel("lab").bound(1_024).create().await.expect("the name is free");
        let subscription =
            system.subscribe_fn(">", listen).on_channel("lab").concurrency(64).await.expect("it can be subscribed");
        let start = Instant::now();
        for number in 0..EVENTS {
            while system.send_message("lab", "LabStepCompleted", number).await.is_err() {
                tokio::task::yield_now().await;
            }
        }
        while heard.load(Ordering::Relaxed) < EVENTS {
            tokio::task::yield_now().await;
        }
        let rate = EVENTS as f64 / start.elapsed().as_secs_f64();
        subscription.unsubscribe().await;
        system.shutdown(Drain::default()).await;
        rate
    })
}

/// Of 20,000 calls of an operation of which one in twenty fails, the percentage that goes well; with three retries and
/// without. The breaker is there in both.
fn reliability(retries: u32) -> f64 {
    const CALLS: u32 = 20_000;
    let policy = RetryPolicy::builder().max_retries(retries).initial_delay(Duration::from_micros(10));
    let policy = policy.build().expect("the policy can work");
    block_on(async {
        let system = System::builder().workers(1).start().await.expect("the system starts");
        let shaky = system.spawn(Shaky::default);
        let _registered = Shaky::manifest().register(&shaky).await.expect("the name is free");
        let mut well = 0;
        for _ in 0..CALLS {
            let called = system.call("shaky.work", serde_json::json!({})).retry(policy).await;
            well += u32::from(called.is_ok());
        }
        system.shutdown(Drain::default()).await;
        100.0 * f64::from(well) / f64::from(CALLS)
    })
}

/// The longest time in seconds from the moment at which the trouble is over to the first call that goes well, over all moments
/// in the cycle of a breaker that stays open for so long, with a call each tenth of a second. The clock is made up.
fn recovery(threshold: u32, open_for: Duration) -> f64 {
    let down = (1..=open_for.as_secs() * 2).map(Duration::from_secs);
    let longest = down.map(|down_for| recovery_after(threshold, open_for, down_for)).max();
    longest.unwrap_or_default().as_secs_f64()
}

fn recovery_after(threshold: u32, open_for: Duration, down_for: Duration) -> Duration {
    const TENTH: Duration = Duration::from_millis(100);
    let rules = BreakerRules::tripping_on([Trip::Consecutive(threshold)]).reset_after(open_for);
    let mut breaker = Breaker::new(rules.growing(1.0, open_for, 0.0));
    let mut now = Duration::ZERO;
    loop {
        if let Ok(permit) = breaker.try_acquire(now, 0.0).0 {
            if now >= down_for {
                return now - down_for;
            }
            breaker.record(permit, Outcome::Failure, Duration::ZERO, now, 0.0);
        }
        now += TENTH;
    }
}

/// What the program has in memory after all that, in megabytes; nothing where the system does not say.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
