//! `cargo run --release --example supervision`
//!
//! Three children, the middle one fails: who else restarts is the supervisor's strategy.

use callboard::prelude::*;
use callboard::{StopReason, Supervise, one_for_all, rest_for_one};
use std::sync::mpsc::{Sender, channel};

#[derive(Message)]
struct Fail;

/// Which value of the actor answers; the first is 1.
#[derive(Message)]
#[message(reply = u64)]
struct Generation;

struct Worker {
    name: &'static str,
    diary: Sender<String>,
}

impl Worker {
    fn note(&self, what: &str) -> Result<(), Fault> {
        Ok(self.diary.send(format!("{} {what}", self.name))?)
    }
}

impl Actor for Worker {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Fault> {
        self.note("starts")
    }

    /// A value that failed is only dropped; one that makes room for a sibling's sake may say goodbye.
    async fn stopped(self, _: StopReason) {
        let _ = self.note("stops");
    }
}

impl SyncHandler<Fail> for Worker {
    fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), Fault> {
        self.note("fails")?;
        Err(Fault::retryable("the line went dead"))
    }
}

impl SyncHandler<Generation> for Worker {
    fn handle(&mut self, _: Generation, cx: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(cx.generation())
    }
}

async fn show(system: &System, title: &str, strategy: Supervise) -> anyhow::Result<()> {
    let supervisor = system.supervise(strategy.name(title)).await?;
    let (diary, entries) = channel();
    let mut workers = Vec::new();
    for name in ["a", "b", "c"] {
        let diary = diary.clone();
        let worker = supervisor.spawn(child(name, move || Worker { name, diary: diary.clone() }));
        worker.ask(Generation).await?;
        workers.push(worker);
    }
    assert_eq!(entries.try_iter().count(), 3, "all three have started");

    workers[1].tell(Fail).await?;
    // The failed one first: what is asked behind the fault is answered by the new value.
    let b = workers[1].ask(Generation).await?;
    let c = workers[2].ask(Generation).await?;
    let a = workers[0].ask(Generation).await?;
    println!("{title}: {}", entries.try_iter().collect::<Vec<_>>().join(", "));
    println!("  generations: a {a}, b {b}, c {c}");
    Ok(())
}

#[callboard::main]
async fn main(system: System) -> anyhow::Result<()> {
    show(&system, "one_for_one", one_for_one()).await?;
    show(&system, "one_for_all", one_for_all()).await?;
    show(&system, "rest_for_one", rest_for_one()).await?;
    Ok(())
}
