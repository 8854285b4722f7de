//! `cargo run --release --example ask_cycle`
//!
//! A handler that asks waits for the answer, and its actor with it. Were the asks of several
//! actors to go round in a circle, all would wait for ever; so the ask that would close the
//! circle is refused at once, with the path.

use callboard::AskError;
use callboard::prelude::*;

/// Asks the next one on the list, who is to ask the rest; the answer is who was asked in vain.
#[derive(Message)]
#[message(reply = Result<(), Vec<String>>)]
struct Consult(Vec<ActorRef<Clerk>>);

struct Clerk;

impl Actor for Clerk {}

impl Handler<Consult> for Clerk {
    async fn handle(&mut self, consult: Consult, _: &mut Context<Self>) -> Result<Result<(), Vec<String>>, Fault> {
        let mut others = consult.0;
        if others.is_empty() {
            return Ok(Ok(()));
        }
        let next = others.remove(0);
        match next.ask(Consult(others)).await {
            Err(AskError::AskCycle { path }) => Ok(Err(path)),
            answer => Ok(answer?),
        }
    }
}

async fn show(clerks: &[&ActorRef<Clerk>]) -> anyhow::Result<()> {
    let names: Vec<String> = clerks.iter().map(|clerk| clerk.name()).collect();
    let others = clerks[1..].iter().map(|&clerk| clerk.clone()).collect();
    match clerks[0].ask(Consult(others)).await? {
        Ok(()) => println!("{}: answered", names.join(" asks ")),
        Err(path) => println!("{}: refused, {}", names.join(" asks "), path.join(" -> ")),
    }
    Ok(())
}

#[callboard::main]
async fn main(system: System) -> anyhow::Result<()> {
    let clerk = |name| system.spawn(child(name, || Clerk));
    let (sales, stock, billing) = (clerk("sales"), clerk("stock"), clerk("billing"));

    show(&[&sales, &stock, &billing]).await?;
    show(&[&sales, &sales]).await?;
    show(&[&sales, &stock, &sales]).await?;
    show(&[&sales, &stock, &billing, &sales]).await?;
    // A wait ends with its turn: what was asked before refuses nobody now.
    show(&[&billing, &stock, &sales]).await?;
    Ok(())
}
