//! The ways to send without waiting for an answer, and [`Handled`], which waits without a deadline.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use super::ask::why;
use super::{Parcel, Returned, Target};
use crate::clock::Nanos;
use crate::envelope::{Header, Letter};
use crate::error::{AskError, AskFailure, TellError};
use crate::mailbox::Ticket;
use crate::message::{Message, Priority};
use crate::reply::{Answer, reply};
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
    /// may end a little early, by a tick of the system's coarse clock, which is 1 to 10 ms as a rule. None at all is refused
    /// as [`TellError::NoTimeToLive`].
    #[inline]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl<T: Target<M>, M: Message> Tell<'_, T, M> {
    /// Sends it and waits until its turn has ended. Unlike an [`Ask`](crate::Ask) it has no deadline, and so lends none to
    /// the turn: a time to live is over when the turn begins. Sent when first polled.
    ///
    /// # Errors
    ///
    /// [`AskError`]: that there was no turn, as [`AskError::Timeout`] for want of time to live, or that it failed. Of a
    /// receiver that does not give its thread back nothing is known before it does.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the message may or may not have been handled. If its turn has not begun it never
    /// will.
    pub fn handled(self) -> impl Future<Output = Result<M::Reply, AskError<M>>> {
        let Self { target, message, lane, ttl } = self;
        Handled { target, fresh: Some(message), lane, ttl, room: None, answer: None, wait: None }
    }

    /// Sends it now, or gives it back: nobody waits for room. As [`ActorRef::try_tell`](crate::ActorRef::try_tell), with what
    /// was said here of the message.
    ///
    /// # Errors
    ///
    /// As [`ActorRef::try_tell`](crate::ActorRef::try_tell), and [`TellError::NoTimeToLive`].
    pub fn at_once(self) -> Result<(), TellError<M>> {
        if is_over(self.ttl) {
            return Err(TellError::NoTimeToLive(self.message));
        }
        let expires = expiry(self.target, self.ttl);
        let letter = Letter { message: self.message, reply: None, header: None };
        self.target.offer(Parcel { letter, expires, lane: self.lane }).map_err(Returned::into_tell_error)
    }
}

/// Whether a time to live leaves no time at all.
#[inline(always)]
fn is_over(ttl: Option<Duration>) -> bool {
    ttl.is_some_and(|ttl| ttl.is_zero())
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
        if is_over(self.ttl) {
            return Poll::Ready(Err(TellError::NoTimeToLive(message)));
        }
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

/// See [`Tell::handled`].
struct Handled<'a, T: Target<M>, M: Message> {
    target: &'a T,
    /// The message until it is offered.
    fresh: Option<M>,
    lane: usize,
    ttl: Option<Duration>,
    /// The message while it waits for room.
    room: Option<Room<'a, T, M>>,
    answer: Option<Answer<M::Reply>>,
    /// The turn that waits, so that a circle of waits is refused.
    wait: Option<Wait>,
}

/// A message that waits for room, and gives its place away when it is dropped.
struct Room<'a, T: Target<M>, M: Message> {
    target: &'a T,
    parcel: Option<Parcel<M>>,
    ticket: Option<Ticket>,
}

impl<T: Target<M>, M: Message> Unpin for Handled<'_, T, M> {}

impl<T: Target<M>, M: Message> Future for Handled<'_, T, M> {
    type Output = Result<M::Reply, AskError<M>>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if let Some(message) = self.fresh.take() {
            self.send(message)?;
        }
        if let Some(room) = &mut self.room {
            let Poll::Ready(taken) = room.target.poll_offer(&mut room.parcel, &mut room.ticket, task.waker()) else {
                return Poll::Pending;
            };
            self.room = None;
            taken.map_err(Returned::into_tell_error)?;
        }
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        let Poll::Ready(result) = answer.poll(task) else { return Poll::Pending };
        (self.answer, self.wait) = (None, None);
        Poll::Ready(result.map_err(|failure| why(self.target, failure)))
    }
}

impl<T: Target<M>, M: Message> Handled<'_, T, M> {
    fn send(&mut self, message: M) -> Result<(), AskError<M>> {
        if is_over(self.ttl) {
            return Err(AskError::NoTimeToLive(message));
        }
        self.wait = wait_of_this_turn(self.target).map_err(|path| AskError::AskCycle { path })?;
        let (reply, answer) = reply();
        self.answer = Some(answer);
        let expires = expiry(self.target, self.ttl);
        let header = (expires != 0).then(|| Box::new(Header { lends_no_deadline: true, ..Header::default() }));
        let letter = Letter { message, reply: Some(reply), header };
        let Err(returned) = self.target.offer(Parcel { letter, expires, lane: self.lane }) else { return Ok(()) };
        if returned.why != AskFailure::Full || !self.target.waits_for_room() {
            return Err(returned.into_tell_error().into());
        }
        let parcel = Some(Parcel { letter: returned.letter, expires, lane: self.lane });
        self.room = Some(Room { target: self.target, parcel, ticket: None });
        Ok(())
    }
}

impl<T: Target<M>, M: Message> Drop for Room<'_, T, M> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.target.give_up(ticket);
        }
    }
}

/// Registers that the running turn, if there is one, waits for this target.
pub(super) fn wait_of_this_turn<T: Target<M>, M: Message>(target: &T) -> Result<Option<Wait>, Vec<String>> {
    let waiting = scope::current(|scope| {
        scope.has_loose_ends.set(true);
        scope.waits.then(|| std::sync::Arc::clone(&scope.node))
    });
    // Looked for only inside of a turn: to have the actor behind a target means to count a reference to it.
    match waiting.flatten().and_then(|waiting| Some((waiting, target.actor()?))) {
        Some((waiting, target)) => wait_for::wait(waiting, &target).map(Some),
        None => Ok(None),
    }
}
