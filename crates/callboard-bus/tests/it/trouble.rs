//! A module that does what it is told to, badly if need be, and counts how often it was called.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Backoff, Child, Context, Fault, Handler, Message, MessageId, child};
use callboard_bus::{CallError, CallSettings, Manifest, ModulesExt, Operation, Registration, Value};
use schemars::JsonSchema;
use serde::Deserialize;

/// How a call goes; one that is told nothing goes well.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    Well,
    Busy,
    Wrong,
    Panic,
    Long(Duration),
}

/// The id of a message and the number of its attempt.
pub(crate) type Seen = (Option<MessageId>, u32);

/// What is to come, and how often it was called: shared by all values of the actor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    turns: Arc<Mutex<VecDeque<Turn>>>,
    calls: Arc<AtomicU64>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    /// The next so many calls go like this.
    pub(crate) fn next(&self, turn: Turn, times: usize) {
        self.turns.lock().unwrap().extend(std::iter::repeat_n(turn, times));
    }

    /// Nothing is to come any more.
    pub(crate) fn clear(&self) {
        self.turns.lock().unwrap().clear();
    }

    /// The id and the number of the attempt that its handler saw, each time since this was last asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// How often its handler ran.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

pub(crate) struct Trouble(Script);

impl Actor for Trouble {}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Work(pub(crate) u64);

impl Message for Work {
    type Reply = Result<u64, Woe>;
}

/// A failure that says nothing of its class but by its words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Woe(&'static str);

impl Handler<Work> for Trouble {
    async fn handle(&mut self, Work(n): Work, cx: &mut Context<Self>) -> Result<Result<u64, Woe>, Fault> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        self.0.seen.lock().unwrap().push((cx.message_id(), cx.attempt()));
        let turn = self.0.turns.lock().unwrap().pop_front().unwrap_or(Turn::Well);
        match turn {
            Turn::Well => {}
            Turn::Busy => return Ok(Err(Woe("the press is BUSY"))),
            Turn::Wrong => return Ok(Err(Woe("there is no such paper"))),
            Turn::Panic => panic!("the press has fallen over"),
            Turn::Long(time) => tokio::time::sleep(time).await,
        }
        Ok(Ok(n))
    }
}

pub(crate) fn actor(script: &Script) -> Child<Trouble> {
    let script = script.clone();
    child("press", move || Trouble(script.clone())).intensity(1000, DAY).backoff(Backoff::none())
}

/// `press.work`, and beside it `press.other`, which has everything of its own.
pub(crate) fn manifest(settings: CallSettings) -> Manifest<Trouble> {
    let work = Operation::fallible::<Work, _, _>("work").settings(settings);
    Manifest::new("press", "1.0.0").offer(work).fallible::<Work, _, _>("other")
}

pub(crate) async fn press(t: &TestSystem, script: &Script, settings: CallSettings) -> Registration {
    manifest(settings).register(&t.spawn(actor(script))).await.unwrap()
}

pub(crate) async fn work(t: &TestSystem) -> Result<Value, CallError> {
    t.system().call("press.work", 1).await
}

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
