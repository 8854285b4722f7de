//! What came of a call, with the request that it belongs to: [`Reply`].

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use callboard_actor::MessageId;

use super::CallError;

/// What came of a call, and of which. As a [`Response`](crate::Response) it is JSON.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The id of the request.
    pub correlation_id: MessageId,
    /// The output, or why there is none.
    pub result: Result<T, CallError>,
}

/// A call about to be made that is answered by a [`Reply`]: see [`Call::with_reply`](crate::Call::with_reply).
///
/// # Cancel safety
///
/// As that of the call.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct WithReply<C> {
    call: C,
    id: MessageId,
}

impl<C> WithReply<C> {
    pub(crate) const fn new(call: C, id: MessageId) -> Self {
        Self { call, id }
    }
}

impl<C, T> IntoFuture for WithReply<C>
where
    C: IntoFuture<Output = Result<T, CallError>>,
    C::IntoFuture: Unpin,
{
    type Output = Reply<T>;
    type IntoFuture = ReplyFuture<C::IntoFuture>;

    fn into_future(self) -> Self::IntoFuture {
        ReplyFuture { call: self.call.into_future(), id: self.id }
    }
}

/// The future of a [`WithReply`].
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct ReplyFuture<F> {
    call: F,
    id: MessageId,
}

impl<F: Future<Output = Result<T, CallError>> + Unpin, T> Future for ReplyFuture<F> {
    type Output = Reply<T>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Reply<T>> {
        let correlation_id = self.id;
        Pin::new(&mut self.call).poll(task).map(|result| Reply { correlation_id, result })
    }
}
