//! `cargo run --release --example test_kit`
//!
//! How to test actors: on virtual time, with a probe in the place of a neighbour, and with
//! faults injected where they hurt. In your own crate the three functions are `#[test]`s; turn
//! on the feature `test-util` of callboard for that, as a dev-dependency.

use callboard::prelude::*;
use callboard::testing::{Injection, TestSystem};
use std::time::Duration;

/// Sent to the neighbour.
#[derive(Debug, PartialEq, Message)]
struct Reading(u32);

#[derive(Message)]
struct Tick;

/// Sends a reading every minute.
struct Sensor {
    count: u32,
    display: Recipient<Reading>,
}

impl Actor for Sensor {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.send_every(Duration::from_secs(60), || Tick);
        Ok(())
    }
}

impl SyncHandler<Tick> for Sensor {
    fn handle(&mut self, _: Tick, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.count += 1;
        cx.send(&self.display, Reading(self.count));
        Ok(())
    }
}

fn sensor(display: Recipient<Reading>) -> callboard::Child<Sensor> {
    child("sensor", move || Sensor { count: 0, display: display.clone() })
}

fn a_day_passes_in_an_instant() {
    TestSystem::run(async |t| {
        let display = t.probe::<Reading>();
        t.spawn(sensor(display.recipient()));
        t.advance(Duration::from_secs(24 * 60 * 60 + 1)).await;
        println!("a day of readings: {}", display.take().len());
        t.shutdown().await;
    });
}

fn a_probe_sees_what_was_sent_and_when() {
    TestSystem::run(async |t| {
        let display = t.probe::<Reading>();
        t.spawn(sensor(display.recipient()));
        display.expect_none(Duration::from_secs(59)).await;
        println!("first reading: {:?} after {} s", display.next().await, t.now().as_secs());
        t.shutdown().await;
    });
}

fn a_panic_in_the_third_turn_starts_the_count_anew() {
    TestSystem::run(async |t| {
        let display = t.probe::<Reading>();
        t.spawn(sensor(display.recipient()).inject(Injection::new().panic_at(3)));
        t.advance(Duration::from_secs(5 * 60 + 1)).await;
        println!("around a panic: {:?}", display.take());
        t.shutdown().await;
    });
}

fn main() {
    a_day_passes_in_an_instant();
    a_probe_sees_what_was_sent_and_when();
    a_panic_in_the_third_turn_starts_the_count_anew();
}
