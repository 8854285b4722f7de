//! The execution of a turn in place: the value of an actor, its context, and a buffer in which the futures of its
//! handlers are built and polled, one after the other, without an allocation per message.
//!
//! # Safety
//!
//! A handler's future borrows the value and the context mutably across its awaits, and both live as long as the
//! [`Turn`], so the struct is self-referential. It is sound because:
//!
//! - value, context and buffer are separate heap allocations behind raw pointers: moving the `Turn` moves none of
//!   them, and no `Box` claims to be the only way to them;
//! - while a future is *active* nothing else touches value or context: every method that does asserts that no future is
//!   active, and the exclusive `&mut self` keeps two methods from running at once;
//! - a future is dropped in place, never moved, and always before the value or the context is dropped or replaced;
//! - when the future's own destructor panics it counts as dropped, as the language says: it is not dropped again.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::future::Future;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use crate::actor::Actor;
use crate::cell::ActorCell;
use crate::context::Context;
use crate::envelope::Envelope;
use crate::error::AskFailure;
use crate::fault::{Fault, catch, drop_quietly};

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
    /// Well, and its reply and effects wait for a commit.
    Held(Box<Held<A>>),
    /// It was the factory's, and this is the new value.
    Built(A),
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

/// What is executed in the buffer.
pub(crate) trait Job<A: Actor> {
    /// Polls the future; once that has ended it must be dropped before this returns.
    fn poll_job(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()>;
    /// Says how the ended job came out.
    fn settle(self: Pin<&mut Self>, context: &mut Context<A>) -> Ending<A>;
    /// Takes out what outlives a job that is dropped before its end.
    fn salvage(self: Pin<&mut Self>) -> Salvage<A>;
}

/// Value, context and buffer of one actor. See the head of this module.
pub(crate) struct Turn<A: Actor> {
    value: Option<NonNull<A>>,
    context: NonNull<Context<A>>,
    buffer: Buffer,
    active: Option<Active<A>>,
}

/// The functions of the job that lies in the buffer.
struct Active<A: Actor> {
    poll: unsafe fn(*mut u8, &mut Task<'_>) -> Poll<()>,
    settle: unsafe fn(*mut u8, &mut Context<A>) -> Ending<A>,
    salvage: unsafe fn(*mut u8) -> Salvage<A>,
    drop: unsafe fn(*mut u8),
}

impl<A: Actor> Clone for Active<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Actor> Copy for Active<A> {}

impl<A: Actor> Turn<A> {
    pub(crate) fn new(context: Context<A>) -> Self {
        Self { value: None, context: into_raw(context), buffer: Buffer::empty(), active: None }
    }

    /// Whether a future waits in the buffer.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// Whether there is a value.
    pub(crate) fn has_value(&self) -> bool {
        self.value.is_some()
    }

    /// Puts a value in, dropping the one before it.
    pub(crate) fn install(&mut self, value: A) {
        drop_quietly(self.remove());
        self.value = Some(into_raw(value));
    }

    /// Takes the value out.
    pub(crate) fn remove(&mut self) -> Option<A> {
        assert!(self.active.is_none(), "a value is taken out between turns");
        // SAFETY: no future borrows the value, and the pointer came from `into_raw` and is forgotten here.
        self.value.take().map(|value| unsafe { from_raw(value) })
    }

    /// The context, between turns.
    #[inline]
    pub(crate) fn context(&mut self) -> &mut Context<A> {
        assert!(self.active.is_none(), "the context is borrowed by the running turn");
        // SAFETY: the context lives as long as `self`, and no future borrows it.
        unsafe { self.context.as_mut() }
    }

    /// Runs code on value and context at once, between turns.
    #[inline]
    pub(crate) fn now<R>(&mut self, work: impl FnOnce(&mut A, &mut Context<A>) -> R) -> Result<R, Fault> {
        assert!(self.active.is_none(), "turns do not nest");
        let mut value = self.value.expect("a turn needs a value");
        // SAFETY: both live as long as `self`, they are distinct allocations, and no future borrows them.
        let (value, context) = unsafe { (value.as_mut(), self.context.as_mut()) };
        catch(|| work(value, context))
    }

    /// Runs `started` of the value.
    pub(crate) fn begin_started(&mut self, task: &mut Task<'_>) -> Poll<Ending<A>> {
        let job = |future: Result<_, Fault>| match future {
            Ok(future) => Ok(Starting { future: Some(future), result: None }),
            Err(fault) => Err(failed(fault)),
        };
        // SAFETY: `started` is generic over the lifetime of the references, so its future alone holds them.
        unsafe { self.begin(task, |value, context| value.started(context), job) }
    }

    /// Runs the factory that waits, which builds a value from the context.
    pub(crate) fn begin_build(&mut self, cell: Arc<ActorCell<A>>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        assert!(self.active.is_none(), "turns do not nest");
        // SAFETY: the future is the only one to hold the reference, as a factory is generic over its lifetime; it lies
        // in the buffer and ends before the context does.
        let context: &'static mut Context<A> = unsafe { &mut *self.context.as_ptr() };
        let future = async move { cell.factory.build(context).await };
        // SAFETY: nothing but the buffer holds the job.
        unsafe { self.place(Starting { future: Some(future), result: None }, task) }
    }

    /// Makes a future that borrows value and context, wraps it into a job, and polls that for the first time. When
    /// making the future panics, `job` is told and answers with the ending.
    ///
    /// # Safety
    ///
    /// Nothing but the future may keep the two references.
    #[inline]
    pub(crate) unsafe fn begin<F, J: Job<A>>(
        &mut self,
        task: &mut Task<'_>,
        future: impl FnOnce(&'static mut A, &'static mut Context<A>) -> F,
        job: impl FnOnce(Result<F, Fault>) -> Result<J, Ending<A>>,
    ) -> Poll<Ending<A>> {
        assert!(self.active.is_none(), "turns do not nest");
        let value = self.value.expect("a turn needs a value");
        // SAFETY: both outlive the job, which is dropped before them; the caller keeps the references inside it.
        let made = catch(|| unsafe { future(&mut *value.as_ptr(), &mut *self.context.as_ptr()) });
        match job(made) {
            // SAFETY: passed on from the caller.
            Ok(job) => unsafe { self.place(job, task) },
            Err(ending) => Poll::Ready(ending),
        }
    }

    /// Goes on with the active future.
    pub(crate) fn poll(&mut self, task: &mut Task<'_>) -> Poll<Ending<A>> {
        let active = self.active.expect("a turn is active");
        // SAFETY: the buffer holds the job that these functions were made for.
        match unsafe { (active.poll)(self.buffer.start(), task) } {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(self.finish(active)),
        }
    }

    /// Drops the active future where it stands.
    pub(crate) fn abandon(&mut self) -> Salvage<A> {
        let Some(active) = self.active.take() else { return Salvage::nothing() };
        // SAFETY: the buffer holds the job that these functions were made for; it is dropped once, as `active` has been
        // taken out.
        unsafe {
            let salvage = (active.salvage)(self.buffer.start());
            discard(active, self.buffer.start());
            salvage
        }
    }

    /// # Safety
    ///
    /// As for [`begin`](Self::begin).
    #[inline]
    unsafe fn place<J: Job<A>>(&mut self, job: J, task: &mut Task<'_>) -> Poll<Ending<A>> {
        self.buffer.reserve(Layout::new::<J>());
        // SAFETY: the buffer is large and aligned enough and holds no job.
        unsafe { self.buffer.start().cast::<J>().write(job) };
        // A panic of the framework between here and the end of the first poll would leak the job, not drop it twice.
        // SAFETY: the job was just written and is not moved again.
        match unsafe { poll_at::<A, J>(self.buffer.start(), task) } {
            Poll::Pending => {
                self.active = Some(Active {
                    poll: poll_at::<A, J>,
                    settle: settle_at::<A, J>,
                    salvage: salvage_at::<A, J>,
                    drop: drop_at::<J>,
                });
                Poll::Pending
            }
            Poll::Ready(()) => {
                // SAFETY: the job has ended and so its future is gone: nothing borrows the context. It is settled and
                // dropped once.
                unsafe {
                    let ending = settle_at::<A, J>(self.buffer.start(), self.context.as_mut());
                    drop_at::<J>(self.buffer.start());
                    Poll::Ready(ending)
                }
            }
        }
    }

    fn finish(&mut self, active: Active<A>) -> Ending<A> {
        self.active = None;
        // SAFETY: the job has ended and so its future is gone: nothing borrows the context. The job is dropped once, as
        // `active` has been taken out.
        unsafe {
            let ending = (active.settle)(self.buffer.start(), self.context.as_mut());
            discard(active, self.buffer.start());
            ending
        }
    }
}

impl<A: Actor> Drop for Turn<A> {
    fn drop(&mut self) {
        drop(self.abandon());
        drop_quietly(self.remove());
        // SAFETY: the context came from `into_raw`, and nothing borrows it any more.
        drop_quietly(unsafe { from_raw(self.context) });
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

/// # Safety
///
/// The buffer at `start` holds the job of `active`, which is not used again.
unsafe fn discard<A: Actor>(active: Active<A>, start: *mut u8) {
    // SAFETY: passed on from the caller.
    if let Err(fault) = catch(|| unsafe { (active.drop)(start) }) {
        tracing::warn!(target: "callboard::supervisor", %fault, "a handler's future panicked while it was dropped");
    }
}

#[inline]
unsafe fn poll_at<A: Actor, J: Job<A>>(start: *mut u8, task: &mut Task<'_>) -> Poll<()> {
    // SAFETY: by the caller, the buffer holds a `J`, which stays where it is until it is dropped.
    unsafe { Pin::new_unchecked(&mut *start.cast::<J>()) }.poll_job(task)
}

#[inline]
unsafe fn settle_at<A: Actor, J: Job<A>>(start: *mut u8, context: &mut Context<A>) -> Ending<A> {
    // SAFETY: as for `poll_at`.
    unsafe { Pin::new_unchecked(&mut *start.cast::<J>()) }.settle(context)
}

unsafe fn salvage_at<A: Actor, J: Job<A>>(start: *mut u8) -> Salvage<A> {
    // SAFETY: as for `poll_at`.
    unsafe { Pin::new_unchecked(&mut *start.cast::<J>()) }.salvage()
}

#[inline]
unsafe fn drop_at<J>(start: *mut u8) {
    // SAFETY: by the caller, the buffer holds a `J`, which is not used again.
    unsafe { ptr::drop_in_place(start.cast::<J>()) }
}

fn into_raw<T>(value: T) -> NonNull<T> {
    NonNull::from(Box::leak(Box::new(value)))
}

/// # Safety
///
/// The pointer came from [`into_raw`] and is not used again.
unsafe fn from_raw<T>(pointer: NonNull<T>) -> T {
    // SAFETY: passed on from the caller.
    *unsafe { Box::from_raw(pointer.as_ptr()) }
}

/// The memory that futures are built in. It grows to the largest and is kept.
struct Buffer {
    start: *mut u8,
    layout: Layout,
}

impl Buffer {
    const fn empty() -> Self {
        Self { start: ptr::without_provenance_mut(1), layout: Layout::new::<()>() }
    }

    #[inline]
    fn start(&self) -> *mut u8 {
        self.start
    }

    /// Makes sure that a value of this layout fits. The buffer must hold none at the moment.
    #[inline]
    fn reserve(&mut self, wanted: Layout) {
        if wanted.size() > self.layout.size() || wanted.align() > self.layout.align() {
            self.grow(wanted);
        }
    }

    #[cold]
    fn grow(&mut self, wanted: Layout) {
        let size = wanted.size().max(64).next_multiple_of(32);
        let layout =
            Layout::from_size_align(size, wanted.align().max(16)).expect("the future of a handler fits into memory");
        self.free();
        // SAFETY: the size is not zero.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        *self = Self { start, layout };
    }

    fn free(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: the memory was allocated with this layout; `empty` has none.
            unsafe { dealloc(self.start, self.layout) };
            std::mem::forget(std::mem::replace(self, Self::empty()));
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.free();
    }
}

/// The factory or `started` at work.
struct Starting<F: Future> {
    future: Option<F>,
    result: Option<Result<F::Output, Fault>>,
}

impl<A: Actor, F: Future<Output: IntoEnding<A>>> Job<A> for Starting<F> {
    fn poll_job(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        // SAFETY: `future` is the only pinned field; it is never moved and dropped in place.
        let this = unsafe { self.get_unchecked_mut() };
        let polled = catch(|| {
            // SAFETY: as above.
            let future = this.future.as_mut().map(|future| unsafe { Pin::new_unchecked(future) });
            future.map_or(Poll::Pending, |future| future.poll(task))
        });
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => Ok(result),
            Err(fault) => Err(fault),
        };
        let dropped = catch(|| this.future = None);
        this.result = Some(dropped.and(result));
        Poll::Ready(())
    }

    fn settle(self: Pin<&mut Self>, _: &mut Context<A>) -> Ending<A> {
        // SAFETY: the future is gone, and the other field is not pinned.
        let result = unsafe { self.get_unchecked_mut() }.result.take();
        match result {
            Some(Ok(output)) => output.into_ending(),
            Some(Err(fault)) => failed(fault),
            None => Ending::Done,
        }
    }

    fn salvage(self: Pin<&mut Self>) -> Salvage<A> {
        Salvage::nothing()
    }
}

/// What `started` and a factory answer with.
trait IntoEnding<A: Actor> {
    fn into_ending(self) -> Ending<A>;
}

impl<A: Actor> IntoEnding<A> for Result<(), Fault> {
    fn into_ending(self) -> Ending<A> {
        self.map_or_else(failed, |()| Ending::Done)
    }
}

/// A new value, told apart from the `()` of `started` even where the actor is `()`.
pub(crate) struct Built<A>(pub(crate) A);

impl<A: Actor> IntoEnding<A> for Result<Built<A>, Fault> {
    fn into_ending(self) -> Ending<A> {
        self.map_or_else(failed, |Built(value)| Ending::Built(value))
    }
}

fn failed<A: Actor>(fault: Fault) -> Ending<A> {
    Ending::Failed(Box::new(Failure { fault, salvage: Salvage::nothing() }))
}
