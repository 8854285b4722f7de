//! An actor answers, survives a panic, and ends.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorState, AskError, Context, Drain, Fault, Handler, Message, System, block_on, child};
use std::time::Duration;

#[derive(Default)]
struct Counter(u64);
impl Actor for Counter {}

#[derive(Message)]
#[message(reply = u64)]
struct Add(u64);

#[derive(Message)]
struct Boom;

impl Handler<Add> for Counter {
    async fn handle(&mut self, add: Add, _: &mut Context<Self>) -> Result<u64, Fault> {
        self.0 += add.0;
        Ok(self.0)
    }
}

impl Handler<Boom> for Counter {
    async fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        tokio::task::yield_now().await;
        panic!("boom")
    }
}

#[test]
fn it_answers_survives_and_ends() {
    block_on(async {
        let system = System::builder().workers(2).start().await.unwrap();
        let counter = system.spawn(child("counter", Counter::default));
        for _ in 0..1000 {
            counter.tell(Add(1)).await.unwrap();
        }
        assert_eq!(counter.ask(Add(0)).await.unwrap(), 1000);
        assert!(matches!(counter.ask(Boom).await, Err(AskError::Faulted(incident)) if incident.text() == "boom"));
        assert_eq!(counter.ask(Add(5)).await.unwrap(), 5, "a new value");
        let snapshot = system.inspect();
        let seen = snapshot.actor("counter").unwrap();
        assert_eq!((seen.restarts, seen.state), (1, ActorState::Running));
        assert!(seen.messages.adds_up(), "{:?}", seen.messages);
        let report = system.shutdown(Drain::default()).await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(counter.state(), ActorState::Stopped);
    });
}

#[test]
fn it_runs_on_virtual_time() {
    TestSystem::run(async |t| {
        let counter = t.spawn(Counter::default);
        t.advance(Duration::from_secs(3600)).await;
        assert_eq!(counter.ask(Add(5)).await.unwrap(), 5);
        assert!(t.now() >= Duration::from_secs(3600));
        let _ = counter.ask(Boom).await;
        assert_eq!(counter.ask(Add(7)).await.unwrap(), 7);
        t.shutdown().await;
    });
}
