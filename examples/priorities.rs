//! `cargo run --release --example priorities`
//!
//! A desk is busy while work arrives, and then serves it by priority: first in, first out
//! inside a lane, the most urgent lane first, and no lane waits for ever.

use callboard::prelude::*;
use tokio::sync::oneshot;

#[derive(Message)]
struct Job(String);

/// Keeps the desk busy until the other end says so.
#[derive(Message)]
#[message(priority = Critical)]
struct Call(oneshot::Receiver<()>);

/// Asks what has been done. Even this waits for its turn: in the least urgent lane.
#[derive(Message)]
#[message(reply = Vec<String>, priority = Background)]
struct Report;

#[derive(Default)]
struct Desk {
    done: Vec<String>,
}

impl Actor for Desk {}

impl Handler<Call> for Desk {
    async fn handle(&mut self, Call(hung_up): Call, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(hung_up.await?)
    }
}

impl SyncHandler<Job> for Desk {
    fn handle(&mut self, job: Job, _: &mut Context<Self>) -> Result<(), Fault> {
        self.done.push(job.0);
        Ok(())
    }
}

impl SyncHandler<Report> for Desk {
    fn handle(&mut self, _: Report, _: &mut Context<Self>) -> Result<Vec<String>, Fault> {
        Ok(std::mem::take(&mut self.done))
    }
}

#[callboard::main]
async fn main(system: System) -> anyhow::Result<()> {
    let desk = system.spawn(child("desk", Desk::default));

    let (hang_up, hung_up) = oneshot::channel();
    desk.tell(Call(hung_up)).await?;
    for priority in Priority::ALL.into_iter().rev() {
        for title in ["first", "second"] {
            desk.tell(Job(format!("{title} {priority}"))).priority(priority).await?;
        }
    }
    let _ = hang_up.send(());
    println!("{}", desk.ask(Report).await?.join("\n"));

    let (hang_up, hung_up) = oneshot::channel();
    desk.tell(Call(hung_up)).await?;
    desk.tell(Job("tidy up".to_owned())).priority(Priority::Background).await?;
    for number in 0..100 {
        desk.tell(Job(format!("urgent {number}"))).priority(Priority::High).await?;
    }
    let _ = hang_up.send(());
    let done = desk.ask(Report).await?;
    let before = done.iter().take_while(|title| *title != "tidy up").count();
    println!("the last lane waited for at most 32 of 100 urgent jobs: {}", before <= 32);
    Ok(())
}
