//! The placing of futures in boxes of their own: what `in_place` does, without a buffer, for tests to compare with. Chosen
//! by `--cfg callboard_boxed_turns`.
//!
//! # Safety
//!
//! Only the context that a future borrows is behind a pointer, as in `in_place`, and is touched once the future is gone.
#![allow(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context as Task, Poll};

use super::{Ending, Rest, Salvage};
use crate::actor::Actor;
use crate::context::Context;
use crate::fault::{Fault, catch, drop_quietly};

/// The job whose future waits.
pub(super) struct Slot<A: Actor>(Option<Box<dyn Waiting<A>>>);

/// A future and what is left to do around it, without their types.
trait Waiting<A: Actor> {
    /// True when the future has ended and been dropped.
    fn poll(&mut self, task: &mut Task<'_>) -> bool;
    fn settle(self: Box<Self>, context: &mut Context<A>) -> Ending<A>;
    fn abandon(self: Box<Self>) -> Salvage<A>;
}

struct Job<F: Future, R> {
    future: Option<Pin<Box<F>>>,
    result: Option<Result<F::Output, Fault>>,
    rest: R,
}

impl<A: Actor> Slot<A> {
    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// Whether a future waits here.
    pub(super) fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Boxes a future and polls it. When it has ended, `state` is handed back with how it ended; when it has to wait,
    /// `rest` makes of it what is put beside the future.
    ///
    /// # Safety
    ///
    /// No future waits here. The future may borrow the context that this slot is polled with; nothing else does until it
    /// has been dropped.
    pub(super) unsafe fn place<F: Future + 'static, S, R: Rest<A, F::Output> + 'static>(
        &mut self,
        task: &mut Task<'_>,
        make: impl FnOnce() -> F,
        state: S,
        rest: impl FnOnce(S) -> R,
    ) -> Poll<(Result<F::Output, Fault>, S)> {
        let (mut future, made) = match catch(|| Box::pin(make())) {
            Ok(future) => (Some(future), None),
            Err(fault) => (None, Some(Err(fault))),
        };
        let Some(result) = made.or_else(|| poll_boxed(&mut future, task)) else {
            let job = Job { future, result: None, rest: rest(state) };
            self.0 = Some(Box::new(job));
            return Poll::Pending;
        };
        Poll::Ready((result, state))
    }

    /// Goes on with the future that waits here.
    ///
    /// # Safety
    ///
    /// `context` is the one that the future was placed with.
    pub(super) unsafe fn poll(&mut self, mut context: NonNull<Context<A>>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        let mut job = self.0.take().expect("a turn is active");
        if !job.poll(task) {
            self.0 = Some(job);
            return Poll::Pending;
        }
        // SAFETY: the future is gone, so nothing borrows the context.
        Poll::Ready(job.settle(unsafe { context.as_mut() }))
    }

    /// Drops the future that waits here, if one does.
    pub(super) fn abandon(&mut self) -> Salvage<A> {
        self.0.take().map_or_else(Salvage::nothing, Waiting::abandon)
    }
}

impl<A: Actor, F: Future + 'static, R: Rest<A, F::Output> + 'static> Waiting<A> for Job<F, R> {
    fn poll(&mut self, task: &mut Task<'_>) -> bool {
        self.result = poll_boxed(&mut self.future, task);
        self.result.is_some()
    }

    fn settle(self: Box<Self>, context: &mut Context<A>) -> Ending<A> {
        let Self { result, rest, .. } = *self;
        rest.settle(result.expect("it has ended"), context)
    }

    fn abandon(self: Box<Self>) -> Salvage<A> {
        let Self { future, rest, .. } = *self;
        drop_quietly(future);
        rest.salvage()
    }
}

/// How the future ended, if it has; it is dropped before this returns then.
fn poll_boxed<F: Future>(future: &mut Option<Pin<Box<F>>>, task: &mut Task<'_>) -> Option<Result<F::Output, Fault>> {
    let polled = catch(|| future.as_mut().map_or(Poll::Pending, |future| future.as_mut().poll(task)));
    let result = match polled {
        Ok(Poll::Pending) => return None,
        Ok(Poll::Ready(output)) => Ok(output),
        Err(fault) => Err(fault),
    };
    let dropped = catch(|| *future = None);
    Some(dropped.and(result))
}
