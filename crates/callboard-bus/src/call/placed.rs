//! An ask with the place that its call has, until its handler has ended: [`Placed`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use callboard_actor::{ActorRef, AskError, AskFuture, Handler, Message, Stage};

use crate::concurrency::Place;

/// Answers with the place beside what came of the ask. Where nobody waits for the handler any more while that goes on, be it
/// that the time is over or that this is dropped, the place stays with the handler until it has ended.
pub(crate) struct Placed<'a, A: Handler<M>, M: Message> {
    ask: AskFuture<'a, ActorRef<A>, M>,
    place: Option<Place>,
}

impl<'a, A: Handler<M>, M: Message> Placed<'a, A, M> {
    #[inline]
    pub(crate) fn new(ask: AskFuture<'a, ActorRef<A>, M>, place: Option<Place>) -> Self {
        Self { ask, place }
    }

    #[cold]
    fn leave(&mut self, place: Place) {
        // One that is none is no burden to anybody.
        if place.is_taken() {
            self.ask.leave_behind(place);
        }
    }
}

impl<A: Handler<M>, M: Message> Future for Placed<'_, A, M> {
    type Output = (Result<M::Reply, AskError<M>>, Option<Place>);

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

impl<A: Handler<M>, M: Message> Drop for Placed<'_, A, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.leave(place);
        }
    }
}
