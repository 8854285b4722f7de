//! An ask with the place that its call has, until its handler has ended: [`Placed`].

use std::borrow::Borrow;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use callboard_actor::{AskError, AskFuture, Message, OwnTarget, Stage, Target};

use crate::concurrency::{Concurrency, Place};

/// Answers with the place beside what came of the ask. Where nobody waits for the handler any more while that goes on, be it
/// that the time is over or that this is dropped, the place stays with the handler until it has ended.
pub(crate) struct Placed<R, M, C = Arc<Concurrency>>
where
    R: Deref<Target: Target<M> + Sized>,
    M: Message,
    C: Borrow<Arc<Concurrency>>,
{
    ask: AskFuture<R, M>,
    place: Option<Place<C>>,
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message, C: Borrow<Arc<Concurrency>>> Placed<R, M, C> {
    #[inline]
    pub(crate) fn new(ask: AskFuture<R, M>, place: Option<Place<C>>) -> Self {
        Self { ask, place }
    }

    /// The same for whoever keeps it longer than what it borrows.
    pub(crate) fn into_owned(mut self) -> Placed<OwnTarget<R::Target>, M>
    where
        R::Target: Clone,
    {
        let place = self.place.take().map(Place::into_owned);
        Placed { ask: self.ask.take_owned(), place }
    }

    /// With this place, before it is first polled.
    #[inline]
    pub(crate) fn seat(&mut self, place: Place<C>) {
        self.place = Some(place);
    }

    /// The message, if this has not been polled.
    pub(crate) fn message(&self) -> Option<&M> {
        self.ask.message()
    }

    /// Takes out the message, if this has not been polled; nothing is asked then any more.
    pub(crate) fn recall(&mut self) -> Option<M> {
        self.ask.recall()
    }

    #[cold]
    fn leave(&mut self, place: Place<C>) {
        // One that is none is no burden to anybody.
        if place.is_taken() {
            self.ask.leave_behind(place.into_owned());
        }
    }
}

/// Nothing in it is pinned.
impl<R: Deref<Target: Target<M> + Sized>, M: Message, C: Borrow<Arc<Concurrency>>> Unpin for Placed<R, M, C> {}

impl<R: Deref<Target: Target<M> + Sized>, M: Message, C: Borrow<Arc<Concurrency>>> Future for Placed<R, M, C> {
    type Output = (Result<M::Reply, AskError<M>>, Option<Place<C>>);

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.ask).poll(task));
        let mut place = self.place.take();
        if let Err(AskError::Timeout { stage: Stage::Handler | Stage::Reply }) = &result
            && let Some(place) = place.take()
        {
            self.leave(place);
        }
        Poll::Ready((result, place))
    }
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message, C: Borrow<Arc<Concurrency>>> Drop for Placed<R, M, C> {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.leave(place);
        }
    }
}
