//! A call on its way: it waits for its places, and then for its answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::{CallError, CallFuture, Value};

use crate::limits::{Place, Queuing};
use crate::run::{Failure, Task};
use crate::slots::OperationKey;

/// What tells calls apart that are out at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) is_undo: bool,
    pub(super) task: Task,
    pub(super) attempt: u32,
}

/// A call to be made: what it needs, and what it has already.
pub(super) struct Wanted {
    pub(super) key: Key,
    pub(super) input: Value,
    pub(super) priority: Priority,
    pub(super) deadline: Option<Duration>,
    pub(super) queues: [Option<OperationKey>; 2],
    pub(super) places: [Option<Place>; 2],
}

/// A call that is not made yet, or not answered.
pub(super) enum Errand {
    /// The number of the queue, of two, and what is called when it has been waited in.
    Queuing(Queuing, usize, Option<Box<Wanted>>),
    /// The places go when the call has ended.
    Called { call: CallFuture<'static>, _places: [Option<Place>; 2] },
}

/// How an errand ended.
pub(super) enum Outcome {
    Granted(Option<Box<Wanted>>, usize, Place),
    Answered(Result<Value, CallError>),
}

impl Errand {
    /// Whether the call is not made yet.
    pub(super) fn is_queuing(&self) -> bool {
        matches!(self, Self::Queuing(..))
    }

    /// The call that is not made yet.
    pub(super) fn into_wanted(self) -> Option<Wanted> {
        match self {
            Self::Queuing(_, _, wanted) => wanted.map(|wanted| *wanted),
            Self::Called { .. } => None,
        }
    }
}

impl Future for Errand {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Outcome> {
        match self.get_mut() {
            Self::Queuing(queuing, at, wanted) => {
                let place = Pin::new(queuing).poll(task);
                place.map(|place| Outcome::Granted(wanted.take(), *at, place))
            }
            Self::Called { call, .. } => Pin::new(call).poll(task).map(Outcome::Answered),
        }
    }
}

/// Why the run is told that an attempt failed.
pub(super) fn failure(error: &CallError) -> Failure {
    let mut failure = Failure::new(error.class(), error.code().code(), error.to_string());
    failure.retry_after = error.retry_after().unwrap_or_default();
    failure
}
