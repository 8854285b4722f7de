//! An actor that keeps what it receives, for the test to look at.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::actor::{Actor, SyncHandler};
use crate::actor_ref::{ActorRef, Recipient};
use crate::context::Context;
use crate::fault::Fault;
use crate::message::Message;
use crate::sync::Mutex;
use crate::system::System;

/// The test's end of such an actor. It answers every message with the default of the reply.
pub struct Probe<M: Message> {
    kept: Arc<Kept<M>>,
    actor: ActorRef<ProbeActor<M>>,
}

struct Kept<M> {
    messages: Mutex<VecDeque<M>>,
    arrived: Notify,
}

struct ProbeActor<M>(Arc<Kept<M>>);

impl<M: Message> Actor for ProbeActor<M> {}

impl<M: Message<Reply: Default>> SyncHandler<M> for ProbeActor<M> {
    fn handle(&mut self, message: M, _: &mut Context<Self>) -> Result<M::Reply, Fault> {
        self.0.messages.lock().push_back(message);
        self.0.arrived.notify_one();
        Ok(M::Reply::default())
    }
}

impl<M: Message<Reply: Default>> Probe<M> {
    pub(super) fn new(system: &System) -> Self {
        let kept = Arc::new(Kept { messages: Mutex::default(), arrived: Notify::new() });
        let shared = Arc::clone(&kept);
        let actor = system.spawn(move || ProbeActor(Arc::clone(&shared)));
        Self { kept, actor }
    }

    /// Where to send to.
    #[must_use]
    pub fn recipient(&self) -> Recipient<M> {
        self.actor.recipient()
    }

    /// The next message, oldest first.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, no message is lost.
    pub async fn next(&self) -> M {
        loop {
            if let Some(message) = self.kept.messages.lock().pop_front() {
                return message;
            }
            self.kept.arrived.notified().await;
        }
    }

    /// Everything that has arrived so far.
    #[must_use]
    pub fn take(&self) -> Vec<M> {
        self.kept.messages.lock().drain(..).collect()
    }

    /// Lets virtual time pass.
    ///
    /// # Panics
    ///
    /// If a message arrives meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, no message is lost.
    pub async fn expect_none(&self, within: Duration) {
        let arrived = tokio::time::timeout(within, self.next()).await;
        assert!(arrived.is_err(), "a message of type {} arrived", std::any::type_name::<M>());
    }
}

impl<M: Message> fmt::Debug for Probe<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("kept", &self.kept.messages.lock().len()).finish_non_exhaustive()
    }
}
