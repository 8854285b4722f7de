//! The execution of a turn in place: the value of an actor, its context, and a buffer in which the futures of its
//! handlers are built and polled, one after the other, without an allocation per message.
//!
//! # Safety
//!
//! A handler's future borrows the value and the context mutably across its awaits, and both live as long as the
//! [`Turn`], so the struct is self-referential. It is sound because:
//!
//! - value, context and buffer lie on the heap behind raw pointers: moving the `Turn` moves none of them, and no `Box` or
//!   reference claims to be the only way to them; value and context are places of their own within one allocation;
//! - while a future is *active* nothing else touches value or context: every method that does asserts that no future is
//!   active, and the exclusive `&mut self` keeps two methods from running at once;
//! - a future is dropped in place, never moved, and always before the value or the context is dropped or replaced;
//! - a future whose own destructor panics counts as dropped, as the language says: it is not dropped again.
#![allow(unsafe_code)]

#[cfg(callboard_boxed_turns)]
mod boxed;
#[cfg(not(callboard_boxed_turns))]
mod in_place;

use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use crate::actor::Actor;
use crate::cell::ActorCell;
use crate::context::Context;
use crate::envelope::Envelope;
use crate::error::AskFailure;
use crate::fault::{Fault, catch, drop_quietly};

#[cfg(callboard_boxed_turns)]
use self::boxed::{Room, Slot};
#[cfg(not(callboard_boxed_turns))]
use self::in_place::{Room, Slot};

/// A future of boxed code that stays on its thread.
pub(crate) type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// How a turn ended.
pub(crate) enum Ending<A: Actor> {
    /// Well.
    Done,
    /// The asker had gone before it began.
    Abandoned,
    /// Its time was over before it began.
    Expired,
    /// Its actor had been replaced on another thread meanwhile: the type of its message.
    Fenced(&'static str),
    /// Well, and its reply and effects wait for a commit.
    Held(Box<Held<A>>),
    /// It was the factory's, and this is the new value.
    Built(Box<A>),
    /// Not well.
    Failed(Box<Failure<A>>),
}

/// A turn whose reply waits for a commit.
pub(crate) struct Held<A: Actor> {
    pub(crate) commit: LocalFuture<Result<(), Fault>>,
    pub(crate) finish: Box<dyn FnOnce(Result<(), Fault>) -> Ending<A>>,
}

/// A turn that did not end well.
pub(crate) struct Failure<A: Actor> {
    pub(crate) fault: Fault,
    pub(crate) salvage: Salvage<A>,
}

/// What outlives a failed turn.
pub(crate) struct Salvage<A: Actor> {
    /// The type of the message, when it was the turn of one.
    pub(crate) message: Option<&'static str>,
    /// Attempts so far, this one included.
    pub(crate) attempts: u32,
    /// The message for another attempt, if its type is kept.
    pub(crate) kept: Option<Envelope<A>>,
    /// The way to tell the asker, if there is one and the message is not kept.
    pub(crate) asker: Option<Box<dyn FnOnce(AskFailure)>>,
}

impl<A: Actor> Salvage<A> {
    pub(crate) fn nothing() -> Self {
        Self { message: None, attempts: 1, kept: None, asker: None }
    }
}

/// What is left to do around a future: it is told how the future ended.
pub(crate) trait Rest<A: Actor, T> {
    /// Says what the end of the future means for the turn.
    fn settle(self, result: Result<T, Fault>, context: &mut Context<A>) -> Ending<A>;
    /// Takes out what outlives a future that is dropped before its end.
    fn salvage(self) -> Salvage<A>;
}

/// Value, context and buffer of one actor. See the head of this module.
pub(crate) struct Turn<A: Actor> {
    body: NonNull<Body<A>>,
    /// Whether there is a value in the body.
    is_filled: bool,
    slot: Slot<A>,
}

/// What lies on the heap for as long as the actor has a driver.
struct Body<A: Actor> {
    context: Context<A>,
    value: MaybeUninit<A>,
    /// Where small futures are built.
    room: Room,
}

impl<A: Actor> Turn<A> {
    pub(crate) fn new(context: Context<A>) -> Self {
        let body =
            NonNull::from(Box::leak(Box::new(Body { context, value: MaybeUninit::uninit(), room: Room::new() })));
        // SAFETY: the body was made just now; this makes no reference to the room.
        let room = unsafe { &raw mut (*body.as_ptr()).room };
        Self { body, is_filled: false, slot: Slot::empty(room) }
    }

    /// Whether a future waits in the buffer.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.slot.is_active()
    }

    /// Whether there is a value.
    pub(crate) fn has_value(&self) -> bool {
        self.is_filled
    }

    /// Puts a value in, dropping the one before it.
    pub(crate) fn install(&mut self, value: A) {
        drop_quietly(self.remove());
        // SAFETY: the place is empty and no future borrows it.
        unsafe { self.value().write(value) };
        self.is_filled = true;
    }

    /// Takes the value out.
    pub(crate) fn remove(&mut self) -> Option<A> {
        assert!(!self.slot.is_active(), "a value is taken out between turns");
        // SAFETY: no future borrows the value, and it is read once, as the place counts as empty from here on.
        std::mem::take(&mut self.is_filled).then(|| unsafe { self.value().read() })
    }

    /// The context, between turns.
    #[inline]
    pub(crate) fn context(&mut self) -> &mut Context<A> {
        assert!(!self.slot.is_active(), "the context is borrowed by the running turn");
        // SAFETY: the context lives as long as `self`, and no future borrows it.
        unsafe { &mut *self.context_place() }
    }

    /// Runs code on value and context at once, between turns.
    #[inline]
    pub(crate) fn now<R>(&mut self, work: impl FnOnce(&mut A, &mut Context<A>) -> R) -> Result<R, Fault> {
        assert!(!self.slot.is_active() && self.is_filled, "turns need a value, and do not nest");
        // SAFETY: both live as long as `self`, they are distinct places, and no future borrows them.
        let (value, context) = unsafe { (&mut *self.value(), &mut *self.context_place()) };
        catch(|| work(value, context))
    }

    /// Where the value is, or would be.
    #[inline(always)]
    fn value(&self) -> *mut A {
        // SAFETY: the body lives as long as `self`; this makes no reference to it.
        unsafe { (&raw mut (*self.body.as_ptr()).value).cast() }
    }

    #[inline(always)]
    fn context_place(&self) -> *mut Context<A> {
        // SAFETY: as for the value.
        unsafe { &raw mut (*self.body.as_ptr()).context }
    }

    /// Runs `started` of the value.
    pub(crate) fn begin_started(&mut self, task: &mut Task<'_>) -> Poll<Ending<A>> {
        // SAFETY: `started` is generic over the lifetime of the references, so its future alone holds them.
        let polled = unsafe { self.begin(task, |value, context| value.started(context), Starting, |rest| rest) };
        polled.map(|(result, rest)| rest.settle(result, self.context()))
    }

    /// Runs the factory that waits, which builds a value from the context.
    pub(crate) fn begin_build(&mut self, cell: Arc<ActorCell<A>>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        assert!(!self.slot.is_active(), "turns do not nest");
        let context = self.context_place();
        let future = async move {
            // SAFETY: the future lies in the buffer and ends before the context does, and while it is active nothing
            // else touches the context; a factory is generic over the lifetime, so it cannot keep the reference.
            cell.factory.build(unsafe { &mut *context }).await.map(Built)
        };
        // SAFETY: the future was built without the references.
        let polled = unsafe { self.slot.place(task, || future, Starting, |rest| rest) };
        polled.map(|(result, rest)| rest.settle(result, self.context()))
    }

    /// Makes a future that borrows value and context, and polls it for the first time. When it has ended, `state` is
    /// handed back with how it ended; when it has to wait, `rest` makes of it what is told of the end.
    ///
    /// # Safety
    ///
    /// Nothing but the future may keep the two references.
    #[inline(always)]
    pub(crate) unsafe fn begin<F: Future + 'static, S, R: Rest<A, F::Output> + 'static>(
        &mut self,
        task: &mut Task<'_>,
        future: impl FnOnce(&'static mut A, &'static mut Context<A>) -> F,
        state: S,
        rest: impl FnOnce(S) -> R,
    ) -> Poll<(Result<F::Output, Fault>, S)> {
        assert!(!self.slot.is_active() && self.is_filled, "turns need a value, and do not nest");
        let (value, context) = (self.value(), self.context_place());
        // SAFETY: both outlive the future, which is dropped before them; the caller keeps the references inside it.
        unsafe { self.slot.place(task, || future(&mut *value, &mut *context), state, rest) }
    }

    /// Goes on with the active future.
    pub(crate) fn poll(&mut self, task: &mut Task<'_>) -> Poll<Ending<A>> {
        // SAFETY: every future here is placed with this context.
        unsafe { self.slot.poll(self.context_place(), task) }
    }

    /// Drops the active future where it stands.
    pub(crate) fn abandon(&mut self) -> Salvage<A> {
        self.slot.abandon()
    }
}

impl<A: Actor> Drop for Turn<A> {
    fn drop(&mut self) {
        drop(self.abandon());
        drop_quietly(self.remove());
        self.slot.release();
        // SAFETY: the body came from a box, nothing borrows any part of it any more, and the value has been taken out.
        drop_quietly(unsafe { Box::from_raw(self.body.as_ptr()) });
    }
}

impl<A: Actor> std::fmt::Debug for Turn<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("has_value", &self.has_value())
            .field("is_active", &self.is_active())
            .finish_non_exhaustive()
    }
}

/// The factory or `started` at work: nobody waits for an answer.
struct Starting;

impl<A: Actor> Rest<A, Result<(), Fault>> for Starting {
    fn settle(self, result: Result<Result<(), Fault>, Fault>, _: &mut Context<A>) -> Ending<A> {
        result.and_then(|started| started).map_or_else(failed, |()| Ending::Done)
    }

    fn salvage(self) -> Salvage<A> {
        Salvage::nothing()
    }
}

impl<A: Actor> Rest<A, Result<Built<A>, Fault>> for Starting {
    fn settle(self, result: Result<Result<Built<A>, Fault>, Fault>, _: &mut Context<A>) -> Ending<A> {
        result.and_then(|built| built).map_or_else(failed, |Built(value)| Ending::Built(Box::new(value)))
    }

    fn salvage(self) -> Salvage<A> {
        Salvage::nothing()
    }
}

/// A new value, told apart from the `()` of `started` even where the actor is `()`.
pub(crate) struct Built<A>(pub(crate) A);

fn failed<A: Actor>(fault: Fault) -> Ending<A> {
    Ending::Failed(Box::new(Failure { fault, salvage: Salvage::nothing() }))
}
