//! Messages that are sent later, and again and again; and the handle of what an actor has running beside its turns.

use std::time::Duration;

use crate::actor::Handler;
use crate::actor_ref::{ActorRef, Target};
use crate::error::TellError;
use crate::message::Message;

/// Something that runs beside the turns of an actor: a timer, an interval, a spawned future.
///
/// Dropping the handle does nothing; what it stands for ends with the value that started it.
#[derive(Debug)]
pub struct TaskHandle(tokio::task::AbortHandle);

impl TaskHandle {
    pub(crate) fn new(handle: tokio::task::AbortHandle) -> Self {
        Self(handle)
    }

    /// Ends it; nothing happens when it has ended. What it has already sent stays sent.
    pub fn cancel(&self) {
        self.0.abort();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// Sends a message each `period`; ticks that fell due while one waited for room are left out.
pub(crate) async fn tick<A: Handler<M>, M: Message>(me: ActorRef<A>, period: Duration, mut make: impl FnMut() -> M) {
    let start = tokio::time::Instant::now() + period;
    let mut ticks = tokio::time::interval_at(start, period.max(Duration::from_nanos(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        if matches!(me.tell(make()).await, Err(TellError::Stopped(_) | TellError::ShuttingDown(_))) {
            return;
        }
    }
}

/// Sends a message that nobody can take back any more: when it is not taken it becomes a dead letter.
pub(crate) fn deliver_or_bury<M: Message, T: Target<M>>(target: &T, message: M) {
    if target.offer_plain(message).is_err() {
        target.bury();
    }
}
