//! `cargo run --release --example actix_interop`
//!
//! Plain actix actors beside ours, in both directions: an actix actor that we ask, and an actor
//! of ours that actix asks. The message implements both `Message` traits, with the same answer.

use actix::Actor as _;
use callboard::prelude::*;

#[derive(Message)]
#[message(reply = u64)]
struct Double(u64);

impl actix::Message for Double {
    type Result = u64;
}

/// Written long ago, for actix.
struct Legacy;

impl actix::Actor for Legacy {
    type Context = actix::Context<Self>;
}

impl actix::Handler<Double> for Legacy {
    type Result = u64;

    fn handle(&mut self, Double(number): Double, _: &mut actix::Context<Self>) -> u64 {
        2 * number
    }
}

/// Written today.
#[derive(Default)]
struct Modern {
    asked: u64,
}

impl Actor for Modern {}

impl Handler<Double> for Modern {
    async fn handle(&mut self, Double(number): Double, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.asked += 1;
        Ok(2 * number + self.asked)
    }
}

#[callboard::main]
async fn main(system: System) -> anyhow::Result<()> {
    // An arbiter of ours is one of actix's, so actix actors can live there.
    let legacy = system.run_on(0, || async { Legacy.start().recipient() }).await;
    let legacy: Recipient<Double> = system.actix_recipient(legacy);
    println!("actix answers us: {}", legacy.ask(Double(21)).await?);

    // And an actor of ours is a recipient for whatever is written for actix.
    let modern = system.spawn(child("modern", Modern::default));
    let modern: actix::Recipient<Double> = modern.to_actix().await;
    println!("we answer actix: {}", modern.send(Double(21)).await?);
    Ok(())
}
