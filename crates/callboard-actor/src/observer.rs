//! Who is told of what goes wrong in a system: an [`Observer`], for a layer above that knows what the messages mean.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::BreakerState;
use crate::cell::ActorId;
use crate::dead_letter::{DeadLetter, Quarantined};
use crate::message::MessageId;
use crate::sync::Mutex;
use crate::system::System;

/// Is told of messages that failed and of breakers that changed, at once and on the thread where that happened: of an
/// arbiter as a rule, so it must neither wait nor panic. What it keeps of the system it keeps for as long as the system lives.
pub trait Observer: Send + Sync + 'static {
    /// A message has reached nobody. `content` is what [`Message::CONTENT`](crate::Message::CONTENT) shows of it, or else the
    /// message itself, where it is still there.
    fn buried(&self, system: &System, letter: &DeadLetter, content: Option<&dyn Any>) {
        let _ = (system, letter, content);
    }

    /// A message has gone into the quarantine; `content` as in [`buried`](Self::buried).
    fn quarantined(&self, system: &System, record: &Quarantined, content: Option<&dyn Any>) {
        let _ = (system, record, content);
    }

    /// A message has left the quarantine and is tried again; should it fail, it comes back under the same id.
    fn put_back(&self, id: MessageId) {
        let _ = id;
    }

    /// A message has left the quarantine for good.
    fn discarded(&self, id: MessageId) {
        let _ = id;
    }

    /// The breaker of an actor is in another state.
    fn breaker_changed(&self, system: &System, change: &BreakerChange) {
        let _ = (system, change);
    }
}

/// The breaker of an actor has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerChange {
    /// The name of the actor.
    pub actor: String,
    /// Its id.
    pub actor_id: ActorId,
    /// What its breaker let through before.
    pub from: BreakerState,
    /// What it lets through now.
    pub to: BreakerState,
    /// How long until it lets a probe through; nothing where it is not open.
    pub retry_after: Option<Duration>,
}

/// All observers of a system.
#[derive(Default)]
pub(crate) struct Observers(Mutex<Arc<[Arc<dyn Observer>]>>);

impl Observers {
    pub(crate) fn add(&self, observer: Arc<dyn Observer>) {
        let mut all = self.0.lock();
        *all = all.iter().cloned().chain([observer]).collect();
    }

    /// Tells each of them, outside of the lock.
    pub(crate) fn tell(&self, tell: impl Fn(&dyn Observer)) {
        let all = Arc::clone(&*self.0.lock());
        all.iter().for_each(|observer| tell(&**observer));
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observers").field(&self.0.lock().len()).finish()
    }
}
