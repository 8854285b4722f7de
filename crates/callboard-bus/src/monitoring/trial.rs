//! A message that goes round, to see whether messages do: [`Trial`]. It disturbs nobody and leaves nothing behind.

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::{ErrorCode, System};
use futures::future::{Either, select};
use serde::{Serialize, Serializer};
use thiserror::Error;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::call::CallError;
use crate::channel::ChannelError;
use crate::event::Event;
use crate::events::EventsExt;
use crate::gate::AuthContext;
use crate::publish::{Publish, PublishError};
use crate::subscription::{Subscribe, SubscribeError, Subscription};
use crate::time;
use crate::topic::{SELF_TEST, Topic};
use crate::value::Value;

/// So many messages may have come that nobody has looked at.
const ROOM: usize = 1_024;

/// Why a test has failed. In JSON it is its text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code}: {text}")]
#[non_exhaustive]
pub struct TestFault {
    /// The stable code.
    pub code: ErrorCode,
    /// In words.
    pub text: String,
}

impl TestFault {
    pub(crate) fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(crate) fn internal(text: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, text)
    }
}

impl From<ChannelError> for TestFault {
    fn from(error: ChannelError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<PublishError> for TestFault {
    fn from(error: PublishError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SubscribeError> for TestFault {
    fn from(error: SubscribeError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<&CallError> for TestFault {
    fn from(error: &CallError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl Serialize for TestFault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Gives something so much time.
///
/// # Errors
///
/// Its own, and `timeout`.
pub(crate) async fn within<T>(
    system: &System,
    limit: Duration,
    work: impl Future<Output = Result<T, TestFault>>,
) -> Result<T, TestFault> {
    match select(pin!(work), pin!(system.sleep(limit))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => {
            Err(TestFault::new(ErrorCode::Timeout, format!("it was not done within {}", time::show(limit))))
        }
    }
}

/// A listener of its own on a channel, under a name that no pattern of anybody else stands for.
#[derive(Debug)]
pub(crate) struct Trial {
    system: System,
    channel: Place,
    topic: Topic,
    subscription: Subscription,
    heard: mpsc::Receiver<Event>,
}

/// The channel that a trial is on. One of its own goes with it.
#[derive(Debug)]
struct Place {
    system: System,
    name: String,
    is_own: bool,
}

impl Place {
    /// A channel of its own.
    fn fresh(system: &System, bound: usize) -> Result<Self, TestFault> {
        let name = fresh_name();
        system.channel(&name).bound(bound).create_private()?;
        Ok(Self { system: system.clone(), name, is_own: true })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_own {
            // Nobody else knows its name, and with the system it goes by itself.
            let _ = self.system.channels().remove(&self.name);
        }
    }
}

impl Trial {
    /// On a channel of its own, which is in no list.
    pub(crate) async fn private(system: &System) -> Result<Self, TestFault> {
        Self::begin(Place::fresh(system, ROOM)?, ROOM, |subscribe| subscribe).await
    }

    /// The same with a channel that holds so many messages, of which it listens to one at a time.
    pub(crate) async fn bounded(system: &System, bound: usize) -> Result<Self, TestFault> {
        Self::begin(Place::fresh(system, bound)?, 1, |subscribe| subscribe).await
    }

    /// The same with so many messages in hand at once.
    pub(crate) async fn wide(system: &System, messages: usize) -> Result<Self, TestFault> {
        Self::begin(Place::fresh(system, ROOM)?, ROOM, |subscribe| subscribe.concurrency(messages)).await
    }

    /// The same, listening to what an expression lets in.
    pub(crate) async fn filtered(system: &System, expression: &str) -> Result<Self, TestFault> {
        Self::begin(Place::fresh(system, ROOM)?, ROOM, |subscribe| subscribe.filter_expression(expression)).await
    }

    /// On a channel that is there.
    pub(crate) async fn on(system: &System, channel: &str) -> Result<Self, TestFault> {
        system.channels().get(channel)?;
        let place = Place { system: system.clone(), name: channel.to_owned(), is_own: false };
        Self::begin(place, ROOM, |subscribe| subscribe).await
    }

    /// Listens; nobody has to look at up to `room` messages.
    async fn begin(
        channel: Place,
        room: usize,
        condition: impl FnOnce(Subscribe) -> Subscribe,
    ) -> Result<Self, TestFault> {
        let (system, name) = (channel.system.clone(), fresh_name());
        let topic: Topic = name.parse().map_err(PublishError::from)?;
        let (tell, heard) = mpsc::channel(room);
        let listen = move |event| {
            let tell = tell.clone();
            async move {
                // A trial that is over has no use for it.
                let _ = tell.send(event).await;
                Ok(())
            }
        };
        let subscription = condition(system.subscribe_fn(&name, listen).on_channel(&*channel.name))
            .auth(AuthContext::inside())
            .await?;
        Ok(Self { system, channel, topic, subscription, heard })
    }

    pub(crate) fn publish(&self, data: Value) -> Publish<'static> {
        let event = Publish::new(Cow::Owned(self.system.events()), Ok((self.topic.clone(), data)));
        let event = event.channel(&self.channel.name);
        event.source("self_test").auth(AuthContext::inside())
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Result<Event, TestFault> {
        self.heard.recv().await.ok_or_else(|| TestFault::internal("the listener of the test has ended"))
    }

    /// Publishes, and waits until it has come back as it was.
    pub(crate) async fn round_trip(&mut self, data: Value) -> Result<(), TestFault> {
        let receipt = self.publish(data.clone()).await?;
        let event = self.next().await?;
        let is_same = event.id == receipt.id && event.data == data;
        is_same.then_some(()).ok_or_else(|| TestFault::internal("another message came back than was published"))
    }

    /// A message on a channel of its own, there and back.
    pub(crate) async fn go_round(system: &System) -> Result<(), TestFault> {
        let mut trial = Self::private(system).await?;
        let result = trial.round_trip(Value::from("there and back")).await;
        trial.end().await;
        result
    }

    /// The same, and it is counted.
    pub(crate) async fn be_counted(system: &System) -> Result<(), TestFault> {
        let before = system.events().counts();
        Self::go_round(system).await?;
        let after = system.events().counts();
        let is_counted = after.published > before.published && after.delivered > before.delivered;
        is_counted.then_some(()).ok_or_else(|| TestFault::internal("a message went round and was not counted"))
    }

    /// Waits until nothing of it is left to be seen.
    pub(crate) async fn end(self) {
        let Self { subscription, channel, heard, .. } = self;
        drop(heard);
        subscription.unsubscribe().await;
        drop(channel);
    }
}

fn fresh_name() -> String {
    format!("{SELF_TEST}{}", Uuid::now_v7())
}
