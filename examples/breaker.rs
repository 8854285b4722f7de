//! `cargo run --release --example breaker`
//!
//! A terminal that fails each time its bank does not answer. More than five restarts within
//! 30 seconds open its breaker: senders are refused at once, with their message handed back,
//! until a probe shows that it works again.
//!
//! It runs on the virtual time of the test kit, which makes the minutes pass at once; the
//! settings are the defaults, but for the random parts of back-off and reset time.

use callboard::prelude::*;
use callboard::testing::TestSystem;
use callboard::{AskError, Backoff, BreakerRules};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Message)]
#[message(reply = &'static str)]
struct Charge;

static BANK_ANSWERS: AtomicBool = AtomicBool::new(false);

struct Terminal;

impl Actor for Terminal {}

impl SyncHandler<Charge> for Terminal {
    fn handle(&mut self, _: Charge, _: &mut Context<Self>) -> Result<&'static str, Fault> {
        if BANK_ANSWERS.load(Ordering::Relaxed) {
            Ok("charged")
        } else {
            Err(Fault::retryable("the bank does not answer"))
        }
    }
}

/// Tries once and prints what came of it.
async fn charge(t: &TestSystem, terminal: &ActorRef<Terminal>) {
    let answer = match terminal.ask(Charge).await {
        Ok(answer) => answer.to_owned(),
        Err(AskError::Faulted(incident)) => format!("failed, {}", incident.text()),
        Err(AskError::Refused { retry_after, .. }) => {
            format!("refused, try again in {} s", retry_after.as_secs_f64().round())
        }
        Err(error) => format!("{error}"),
    };
    println!("{:>3} s  {answer}; the terminal is {}", t.now().as_secs(), terminal.state());
}

fn main() {
    let exact = BreakerRules::default().growing(2.0, Duration::from_secs(300), 0.0);
    TestSystem::run(async |t| {
        let terminal = t.spawn(child("terminal", || Terminal).breaker(exact).backoff(Backoff::none()));
        for _ in 0..7 {
            charge(t, &terminal).await;
        }
        t.advance(Duration::from_secs(10)).await;
        charge(t, &terminal).await;
        t.advance(Duration::from_secs(21)).await;
        println!("{:>3} s  the terminal is {}", t.now().as_secs(), terminal.state());
        charge(t, &terminal).await;

        BANK_ANSWERS.store(true, Ordering::Relaxed);
        t.advance(Duration::from_secs(61)).await;
        charge(t, &terminal).await;
        let snapshot = t.inspect();
        println!("restarts: {}, trips: {}", snapshot.totals.restarts, snapshot.totals.breaker_trips);
        t.shutdown().await;
    });
}
