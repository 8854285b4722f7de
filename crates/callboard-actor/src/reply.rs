//! The way back: one answer, or the reason why there is none, from a turn to its asker.

use std::pin::Pin;
use std::task::{Context as Task, Poll};

use crate::error::AskFailure;
use crate::fault::drop_quietly;

/// The receiver's end. Dropped without an answer, it tells the asker [`AskFailure::Dropped`].
#[derive(Debug)]
pub(crate) struct Reply<R>(oneshot::Sender<Result<R, AskFailure>>);

/// The asker's end. It is named by hidden methods of a public trait.
#[allow(unreachable_pub)]
#[derive(Debug)]
pub struct Answer<R>(oneshot::AsyncReceiver<Result<R, AskFailure>>);

/// A new way back.
pub(crate) fn reply<R>() -> (Reply<R>, Answer<R>) {
    let (sender, receiver) = oneshot::async_channel();
    (Reply(sender), Answer(receiver))
}

impl<R> Reply<R> {
    /// Answers. False when the asker has gone: the answer is late.
    pub(crate) fn send(self, answer: R) -> bool {
        match self.0.send(Ok(answer)) {
            Ok(()) => true,
            Err(back) => {
                drop_quietly(back);
                false
            }
        }
    }

    /// Says why there will be no answer.
    pub(crate) fn fail(self, failure: AskFailure) {
        // An asker that has gone does not want to know.
        let _ = self.0.send(Err(failure));
    }

    /// Whether the asker has gone.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}

impl<R> Answer<R> {
    pub(crate) fn poll(&mut self, task: &mut Task<'_>) -> Poll<Result<R, AskFailure>> {
        Pin::new(&mut self.0).poll(task).map(|answer| answer.unwrap_or(Err(AskFailure::Dropped)))
    }
}
