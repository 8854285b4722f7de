//! Small modules that several stories use.

use std::time::Duration;

use callboard_actor::{
    Actor, ActorRef, ActorState, Backoff, Child, Context, Fault, Handler, Message, Priority, SyncHandler, System, child,
};
use callboard_bus::{CallError, Manifest, ModulesExt, Registration, from_value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Adds up what it is given, and says who it is.
pub(crate) struct Adder {
    id: u64,
    total: i64,
}

impl Actor for Adder {}

impl Adder {
    pub(crate) fn new(id: u64) -> Self {
        Self { id, total: 0 }
    }
}

#[derive(Message, Debug, Deserialize, Serialize, JsonSchema)]
#[message(reply = i64)]
pub(crate) struct Add {
    pub(crate) amount: i64,
}

impl SyncHandler<Add> for Adder {
    fn handle(&mut self, add: Add, _: &mut Context<Self>) -> Result<i64, Fault> {
        self.total += add.amount;
        Ok(self.total)
    }
}

/// Who answers.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
pub(crate) struct Who {}

impl SyncHandler<Who> for Adder {
    fn handle(&mut self, _: Who, _: &mut Context<Self>) -> Result<u64, Fault> {
        Ok(self.id)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{of} cannot be divided by {by}")]
pub(crate) struct Indivisible {
    of: i64,
    by: i64,
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Result<i64, Indivisible>)]
pub(crate) struct Divide {
    by: i64,
}

impl SyncHandler<Divide> for Adder {
    fn handle(&mut self, Divide { by }: Divide, _: &mut Context<Self>) -> Result<Result<i64, Indivisible>, Fault> {
        Ok(self.total.checked_div(by).ok_or(Indivisible { of: self.total, by }))
    }
}

/// A turn that panics.
#[derive(Message, Deserialize, JsonSchema)]
pub(crate) struct Boom {}

impl SyncHandler<Boom> for Adder {
    fn handle(&mut self, _: Boom, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("boom")
    }
}

/// A turn that takes so many seconds.
#[derive(Message, Deserialize, JsonSchema)]
pub(crate) struct Rest {
    pub(crate) seconds: u64,
}

impl Handler<Rest> for Adder {
    async fn handle(&mut self, rest: Rest, _: &mut Context<Self>) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_secs(rest.seconds)).await;
        Ok(())
    }
}

/// What a turn knows of its asker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Seen {
    pub(crate) seconds: Option<u64>,
    pub(crate) priority: String,
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Seen, priority = Background, timeout = "1h")]
pub(crate) struct Look {}

impl SyncHandler<Look> for Adder {
    fn handle(&mut self, _: Look, cx: &mut Context<Self>) -> Result<Seen, Fault> {
        Ok(seen(cx))
    }
}

pub(crate) fn seen<A: Actor>(cx: &Context<A>) -> Seen {
    Seen {
        seconds: cx.deadline().map(|left| left.as_secs_f64().round() as u64),
        priority: Priority::as_str(cx.priority()).to_owned(),
        idempotency_key: cx.idempotency_key().map(str::to_owned),
    }
}

pub(crate) fn adder(id: u64) -> Child<Adder> {
    child(format!("adder-{id}"), move || Adder::new(id))
}

/// All that an adder offers.
pub(crate) fn offer(version: &str) -> Manifest<Adder> {
    Manifest::new("adder", version)
        .operation::<Add>("add")
        .operation::<Who>("who")
        .fallible::<Divide, _, _>("divide")
        .operation::<Boom>("boom")
        .operation::<Rest>("rest")
        .operation::<Look>("look")
}

/// An adder that can be found.
pub(crate) async fn found(system: &System, version: &str, id: u64) -> (ActorRef<Adder>, Registration) {
    let adder = system.spawn(adder(id));
    let registration = offer(version).register(&adder).await.expect("nothing is wrong with it");
    (adder, registration)
}

/// An adder whose breaker opens with its first fault, for ten seconds.
pub(crate) fn fragile(id: u64) -> Child<Adder> {
    adder(id).backoff(Backoff::none()).intensity(0, 3600 * SECOND).reset(10 * SECOND)
}

/// Opens the breaker of a fragile adder.
pub(crate) async fn break_down(adder: &ActorRef<Adder>) {
    adder.ask(Boom {}).await.expect_err("it panics");
    assert_eq!(adder.state(), ActorState::Failed);
}

/// Who answers a call.
pub(crate) async fn who(system: &System, requirement: &str) -> Result<u64, CallError> {
    let answer = system.call(&format!("adder.who{requirement}"), json!({})).await?;
    Ok(from_value(&answer).expect("it is a number"))
}
