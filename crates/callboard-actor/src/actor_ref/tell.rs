//! The two ways to send without an answer.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use super::{Parcel, Target};
use crate::envelope::Letter;
use crate::error::{AskFailure, TellError};
use crate::mailbox::Ticket;
use crate::message::{Message, Priority};
use crate::scope;
use crate::wait_for::{self, Wait};

/// A message about to be sent: `.await` sends it.
#[must_use = "a tell is sent when it is awaited"]
pub struct Tell<'a, T, M: Message> {
    target: &'a T,
    message: M,
    lane: usize,
    ttl: Option<Duration>,
}

impl<'a, T, M: Message> Tell<'a, T, M> {
    #[inline]
    pub(super) fn new(target: &'a T, message: M) -> Self {
        Self { target, message, lane: M::PRIORITY.lane(), ttl: None }
    }

    /// Sends it with this priority instead of the message type's own.
    #[inline]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.lane = priority.lane();
        self
    }

    /// Becomes a dead letter if its turn has not begun within this time.
    #[inline]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl<T, M: Message> fmt::Debug for Tell<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tell<{}>", std::any::type_name::<M>())
    }
}

impl<'a, T: Target<M>, M: Message> IntoFuture for Tell<'a, T, M> {
    type Output = Result<(), TellError<M>>;
    type IntoFuture = TellFuture<'a, T, M>;

    #[inline]
    fn into_future(self) -> TellFuture<'a, T, M> {
        let letter = Letter { message: self.message, reply: None, header: None };
        let state = State::Fresh { letter, lane: self.lane, ttl: self.ttl };
        TellFuture { target: self.target, state }
    }
}

/// The future of a [`Tell`].
#[must_use = "a tell is sent when it is awaited"]
pub struct TellFuture<'a, T: Target<M>, M: Message> {
    target: &'a T,
    state: State<M>,
}

enum State<M: Message> {
    Fresh { letter: Letter<M>, lane: usize, ttl: Option<Duration> },
    Waiting(Box<Waiting<M>>),
    Done,
}

struct Waiting<M: Message> {
    parcel: Option<Parcel<M>>,
    ticket: Option<Ticket>,
    /// The turn that waits, so that a circle of waits is refused.
    _wait: Option<Wait>,
}

impl<T: Target<M>, M: Message> Unpin for TellFuture<'_, T, M> {}

impl<T: Target<M>, M: Message> Future for TellFuture<'_, T, M> {
    type Output = Result<(), TellError<M>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let target = self.target;
        match std::mem::replace(&mut self.state, State::Done) {
            State::Fresh { letter, lane, ttl } => {
                let expires = ttl.map_or(0, |ttl| target.system().clock.after(ttl));
                match target.offer(Parcel { letter, expires, lane }) {
                    Ok(()) => Poll::Ready(Ok(())),
                    Err(returned) if returned.why == AskFailure::Full && target.waits_for_room() => {
                        let parcel = Parcel { letter: returned.letter, expires, lane };
                        self.wait_for_room(parcel, task)
                    }
                    Err(returned) => Poll::Ready(Err(returned.into_tell_error())),
                }
            }
            State::Waiting(waiting) => self.poll_room(waiting, task),
            State::Done => Poll::Pending,
        }
    }
}

impl<T: Target<M>, M: Message> TellFuture<'_, T, M> {
    /// A turn that its receiver waits for, directly or through others, would wait for ever.
    #[cold]
    fn wait_for_room(&mut self, parcel: Parcel<M>, task: &mut Task<'_>) -> Poll<Result<(), TellError<M>>> {
        match wait_of_this_turn(self.target) {
            Ok(wait) => self.poll_room(Box::new(Waiting { parcel: Some(parcel), ticket: None, _wait: wait }), task),
            Err(_circle) => Poll::Ready(Err(TellError::Full(parcel.letter.message))),
        }
    }

    fn poll_room(&mut self, mut waiting: Box<Waiting<M>>, task: &mut Task<'_>) -> Poll<Result<(), TellError<M>>> {
        let polled = self.target.poll_offer(&mut waiting.parcel, &mut waiting.ticket, task.waker());
        if polled.is_pending() {
            self.state = State::Waiting(waiting);
            return Poll::Pending;
        }
        polled.map_err(super::Returned::into_tell_error)
    }
}

impl<T: Target<M>, M: Message> Drop for TellFuture<'_, T, M> {
    #[inline]
    fn drop(&mut self) {
        if let State::Waiting(waiting) = &mut self.state
            && let Some(ticket) = waiting.ticket.take()
        {
            self.target.give_up(ticket);
        }
    }
}

impl<T: Target<M>, M: Message> fmt::Debug for TellFuture<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TellFuture<{}>", std::any::type_name::<M>())
    }
}

/// Registers that the running turn, if there is one, waits for this target.
pub(super) fn wait_of_this_turn<T: Target<M>, M: Message>(target: &T) -> Result<Option<Wait>, Vec<String>> {
    let waiting = scope::current(|scope| scope.waits.then(|| std::sync::Arc::clone(&scope.node))).flatten();
    match (waiting, target.actor()) {
        (Some(waiting), Some(target)) => wait_for::wait(waiting, &target).map(Some),
        _ => Ok(None),
    }
}
