//! The tests that are quick.

use std::time::Duration;

use callboard_actor::{
    Actor, ActorRef, AskError, Context, Fault, Message, Priority, Restart, SyncHandler, System, child,
};

use super::{TestFault, TestResult, Trial, test};
use crate::modules::ModulesExt;
use crate::value::{Object, Value};

/// So long each test may take: with all of them less than 5 s.
const LIMIT: Duration = Duration::from_millis(800);

pub(super) async fn run(system: &System) -> Vec<TestResult> {
    vec![
        test(system, "publish and subscribe", LIMIT, messages(system)).await,
        test(system, "priorities", LIMIT, priorities(system)).await,
        test(system, "filters", LIMIT, filters(system)).await,
        test(system, "requests", LIMIT, requests(system)).await,
        test(system, "registry", LIMIT, registry(system)).await,
        test(system, "metrics", LIMIT, metrics(system)).await,
    ]
}

async fn messages(system: &System) -> Result<String, TestFault> {
    const MESSAGES: u64 = 10;
    let mut trial = Trial::private(system).await?;
    for number in 0..MESSAGES {
        trial.round_trip(Value::from(number)).await?;
    }
    trial.end().await;
    Ok(format!("{MESSAGES} messages came as they were published"))
}

async fn priorities(system: &System) -> Result<String, TestFault> {
    let mut trial = Trial::private(system).await?;
    for priority in Priority::ALL {
        trial.publish(Value::from(priority.as_str())).priority(priority).await?;
    }
    for _ in Priority::ALL {
        let event = trial.next().await?;
        if event.data != Value::from(event.priority.as_str()) {
            return Err(TestFault::internal("a message came with another priority than it was published with"));
        }
    }
    trial.end().await;
    Ok("a message of each priority came".to_owned())
}

async fn filters(system: &System) -> Result<String, TestFault> {
    let mut trial = Trial::filtered(system, "data.wanted").await?;
    for wanted in [false, true] {
        trial.publish(Object::from([("wanted", wanted)]).into()).await?;
    }
    let event = trial.next().await?;
    trial.end().await;
    let is_right = event.data == Object::from([("wanted", true)]).into();
    is_right.then(|| "what was wanted came".to_owned()).ok_or_else(|| TestFault::internal("what nobody wanted came"))
}

async fn requests(system: &System) -> Result<String, TestFault> {
    let echo = Guest::enter(system);
    let answer = echo.ask(7).await?;
    echo.leave().await;
    (answer == (7, 1)).then(|| "an actor answered".to_owned()).ok_or_else(|| TestFault::internal("the answer is wrong"))
}

async fn registry(system: &System) -> Result<String, TestFault> {
    let modules = system.modules();
    let mut operations = 0;
    for instance in modules.list() {
        for operation in &instance.operations {
            let found = operation.address.parse().map_err(crate::lookup::LookupError::from);
            let found = found.and_then(|address| modules.resolve(&address));
            // It may have gone since it was listed.
            if let Err(error) = found.map(drop)
                && modules.list().iter().any(|other| other.actor == instance.actor)
            {
                return Err(TestFault::new(error.code(), error.to_string()));
            }
            operations += 1;
        }
    }
    Ok(format!("{operations} operations are found"))
}

async fn metrics(system: &System) -> Result<String, TestFault> {
    Trial::be_counted(system).await.map(|()| "a message was counted".to_owned())
}

/// An actor for the time of a test. It ends with this.
#[derive(Debug)]
pub(super) struct Guest(ActorRef<Echo>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Guest {
    pub(super) fn enter(system: &System) -> Self {
        Self(system.spawn(child("self_test", || Echo).restart(Restart::Permanent)))
    }

    /// The number again, and which value of the actor has answered.
    pub(super) async fn ask(&self, number: u64) -> Result<(u64, u64), TestFault> {
        self.0.ask(Say(number)).no_inherit().await.map_err(|error| fault(&error))
    }

    /// Has the value end, as one that has finished does.
    pub(super) async fn finish(&self) -> Result<(), TestFault> {
        self.0.ask(Finish).no_inherit().await.map_err(|error| fault(&error))
    }

    pub(super) async fn leave(self) {
        self.0.stop();
        self.0.ended().await;
    }
}

fn fault<M>(error: &AskError<M>) -> TestFault {
    TestFault::new(error.code(), error.to_string())
}

/// Says what it hears.
#[derive(Debug)]
struct Echo;

impl Actor for Echo {}

struct Say(u64);

impl Message for Say {
    type Reply = (u64, u64);
}

impl SyncHandler<Say> for Echo {
    fn handle(&mut self, Say(number): Say, cx: &mut Context<Self>) -> Result<(u64, u64), Fault> {
        Ok((number, cx.generation()))
    }
}

struct Finish;

impl Message for Finish {
    type Reply = ();
}

impl SyncHandler<Finish> for Echo {
    fn handle(&mut self, _: Finish, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.exit();
        Ok(())
    }
}
