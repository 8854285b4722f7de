//! The two ways to send without an answer.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use super::{Parcel, Returned, Target};
use crate::clock::Nanos;
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

    /// Becomes a dead letter if its turn has not begun within this time. No turn begins later; a time of a second or more
    /// may end a little early, by a tick of the system's coarse clock, which is 1 to 10 ms as a rule.
    #[inline]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl<T: Target<M>, M: Message> Tell<'_, T, M> {
    /// Sends it now, or gives it back: nobody waits for room. As [`ActorRef::try_tell`](crate::ActorRef::try_tell), with what
    /// was said here of the message.
    ///
    /// # Errors
    ///
    /// As [`ActorRef::try_tell`](crate::ActorRef::try_tell).
    pub fn at_once(self) -> Result<(), TellError<M>> {
        let expires = expiry(self.target, self.ttl);
        let letter = Letter { message: self.message, reply: None, header: None };
        self.target.offer(Parcel { letter, expires, lane: self.lane }).map_err(Returned::into_tell_error)
    }
}

#[inline(always)]
fn expiry<M: Message>(target: &impl Target<M>, ttl: Option<Duration>) -> Nanos {
    match ttl {
        None => 0,
        Some(ttl) => target.system().clock.end_of(ttl),
    }
}

impl<T, M: Message> fmt::Debug for Tell<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tell<{}>", std::any::type_name::<M>())
    }
}

impl<'a, T: Target<M> + Clone, M: Message> IntoFuture for Tell<'a, T, M> {
    type Output = Result<(), TellError<M>>;
    type IntoFuture = TellFuture<'a, T, M>;

    #[inline(always)]
    fn into_future(self) -> TellFuture<'a, T, M> {
        TellFuture { target: self.target, fresh: Some(self.message), lane: self.lane, ttl: self.ttl, waiting: None }
    }
}

/// The future of a [`Tell`].
#[must_use = "a tell is sent when it is awaited"]
pub struct TellFuture<'a, T: Target<M>, M: Message> {
    target: &'a T,
    /// The message until it is sent.
    fresh: Option<M>,
    lane: usize,
    ttl: Option<Duration>,
    waiting: Option<Box<Waiting<T, M>>>,
}

/// A message that waits for room.
struct Waiting<T: Target<M>, M: Message> {
    target: T,
    parcel: Option<Parcel<M>>,
    ticket: Option<Ticket>,
    /// The turn that waits, so that a circle of waits is refused.
    _wait: Option<Wait>,
}

impl<T: Target<M>, M: Message> Unpin for TellFuture<'_, T, M> {}

impl<T: Target<M> + Clone, M: Message> Future for TellFuture<'_, T, M> {
    type Output = Result<(), TellError<M>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let Some(message) = self.fresh.take() else { return self.poll_room(task) };
        let target = self.target;
        let expires = expiry(target, self.ttl);
        let letter = Letter { message, reply: None, header: None };
        match target.offer(Parcel { letter, expires, lane: self.lane }) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(returned) => self.not_taken(returned, expires, task),
        }
    }
}

impl<T: Target<M> + Clone, M: Message> TellFuture<'_, T, M> {
    /// Where there is no room, the sender waits for it, unless its turn is what its receiver waits for, directly or through
    /// others: that would never end.
    #[cold]
    fn not_taken(
        &mut self,
        returned: Returned<M>,
        expires: Nanos,
        task: &mut Task<'_>,
    ) -> Poll<Result<(), TellError<M>>> {
        if returned.why != AskFailure::Full || !self.target.waits_for_room() {
            return Poll::Ready(Err(returned.into_tell_error()));
        }
        let Ok(wait) = wait_of_this_turn(self.target) else { return Poll::Ready(Err(returned.into_tell_error())) };
        let parcel = Some(Parcel { letter: returned.letter, expires, lane: self.lane });
        self.waiting = Some(Box::new(Waiting { target: self.target.clone(), parcel, ticket: None, _wait: wait }));
        self.poll_room(task)
    }

    #[cold]
    fn poll_room(&mut self, task: &mut Task<'_>) -> Poll<Result<(), TellError<M>>> {
        let Some(waiting) = &mut self.waiting else { return Poll::Pending };
        let polled = self.target.poll_offer(&mut waiting.parcel, &mut waiting.ticket, task.waker());
        if polled.is_ready() {
            self.waiting = None;
        }
        polled.map_err(Returned::into_tell_error)
    }
}

impl<T: Target<M>, M: Message> Drop for Waiting<T, M> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
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
    let waiting = scope::current(|scope| {
        scope.has_waited.set(true);
        scope.waits.then(|| std::sync::Arc::clone(&scope.node))
    });
    // Looked for only inside of a turn: to have the actor behind a target means to count a reference to it.
    match waiting.flatten().and_then(|waiting| Some((waiting, target.actor()?))) {
        Some((waiting, target)) => wait_for::wait(waiting, &target).map(Some),
        None => Ok(None),
    }
}
