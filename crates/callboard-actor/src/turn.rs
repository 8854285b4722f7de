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
//! - a future whose own destructor panics counts as dropped, as the language says: it is not dropped again.
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
    value: Option<NonNull<A>>,
    context: NonNull<Context<A>>,
    buffer: Buffer,
    active: Option<Active<A>>,
}

/// The functions of the job that lies in the buffer.
struct Active<A: Actor> {
    poll: unsafe fn(*mut u8, *mut Context<A>, &mut Task<'_>) -> Poll<Ending<A>>,
    abandon: unsafe fn(*mut u8) -> Salvage<A>,
}

impl<A: Actor> Clone for Active<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Actor> Copy for Active<A> {}

/// What lies in the buffer while a future waits. The future comes first, so that it can be built and polled there
/// before it is known whether the rest is needed at all.
#[repr(C)]
struct Job<F, R> {
    future: F,
    rest: R,
}

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
        // SAFETY: `started` is generic over the lifetime of the references, so its future alone holds them.
        unsafe { self.begin(task, |value, context| value.started(context), Starting) }
    }

    /// Runs the factory that waits, which builds a value from the context.
    pub(crate) fn begin_build(&mut self, cell: Arc<ActorCell<A>>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        assert!(self.active.is_none(), "turns do not nest");
        let context = self.context;
        let future = async move {
            // SAFETY: the future lies in the buffer and ends before the context does, and while it is active nothing
            // else touches the context; a factory is generic over the lifetime, so it cannot keep the reference.
            cell.factory.build(unsafe { &mut *context.as_ptr() }).await
        };
        // SAFETY: the future was built without the references.
        unsafe { self.place(task, || future, Starting) }
    }

    /// Makes a future that borrows value and context, polls it for the first time, and tells `rest` when it has ended.
    ///
    /// # Safety
    ///
    /// Nothing but the future may keep the two references.
    #[inline(always)]
    pub(crate) unsafe fn begin<F: Future, R: Rest<A, F::Output>>(
        &mut self,
        task: &mut Task<'_>,
        future: impl FnOnce(&'static mut A, &'static mut Context<A>) -> F,
        rest: R,
    ) -> Poll<Ending<A>> {
        assert!(self.active.is_none(), "turns do not nest");
        let value = self.value.expect("a turn needs a value");
        let context = self.context;
        // SAFETY: both outlive the future, which is dropped before them; the caller keeps the references inside it.
        unsafe { self.place(task, || future(&mut *value.as_ptr(), &mut *context.as_ptr()), rest) }
    }

    /// Goes on with the active future.
    pub(crate) fn poll(&mut self, task: &mut Task<'_>) -> Poll<Ending<A>> {
        let active = self.active.expect("a turn is active");
        // SAFETY: the buffer holds the job that this function was made for; it touches the context only once the future
        // that borrows it has been dropped.
        let polled = unsafe { (active.poll)(self.buffer.start(), self.context.as_ptr(), task) };
        if polled.is_ready() {
            self.active = None;
        }
        polled
    }

    /// Drops the active future where it stands.
    pub(crate) fn abandon(&mut self) -> Salvage<A> {
        let Some(active) = self.active.take() else { return Salvage::nothing() };
        // SAFETY: the buffer holds the job that this function was made for, and it is not used again.
        unsafe { (active.abandon)(self.buffer.start()) }
    }

    /// Builds a future in the buffer and polls it. Only when it has to wait, the rest is put beside it.
    ///
    /// # Safety
    ///
    /// As for [`begin`](Self::begin).
    #[inline(always)]
    unsafe fn place<F: Future, R: Rest<A, F::Output>>(
        &mut self,
        task: &mut Task<'_>,
        make: impl FnOnce() -> F,
        rest: R,
    ) -> Poll<Ending<A>> {
        self.buffer.reserve(const { Layout::new::<Job<F, R>>() });
        let job = self.buffer.start().cast::<Job<F, R>>();
        // SAFETY: the buffer is large and aligned enough and holds no job; the future is built and polled where it
        // stays. `Job` is `repr(C)`, so a pointer to a field of an unfinished job is in bounds.
        let polled = catch(|| unsafe {
            let future = &raw mut (*job).future;
            future.write(make());
            poll_future(future, task)
        });
        match polled {
            Ok(Poll::Pending) => {
                // SAFETY: as above; the job is complete with this.
                unsafe { (&raw mut (*job).rest).write(rest) };
                self.active = Some(Active { poll: poll_job::<A, F, R>, abandon: abandon_job::<A, F, R> });
                Poll::Pending
            }
            Ok(Poll::Ready(output)) => Poll::Ready(rest.settle(Ok(output), self.context())),
            Err(fault) => Poll::Ready(rest.settle(Err(fault), self.context())),
        }
    }
}

/// Polls a future in place and drops it there once it has ended, be it by a panic.
///
/// # Safety
///
/// `future` points to a future that is never moved, and that is not used again when this is ready or panics.
#[inline(always)]
unsafe fn poll_future<F: Future>(future: *mut F, task: &mut Task<'_>) -> Poll<F::Output> {
    struct DropInPlace<F>(*mut F);
    impl<F> Drop for DropInPlace<F> {
        #[inline(always)]
        fn drop(&mut self) {
            // SAFETY: by the contract of `poll_future` the future is not used again.
            unsafe { ptr::drop_in_place(self.0) }
        }
    }
    let ended = DropInPlace(future);
    // SAFETY: by the contract the future is pinned where it is.
    let polled = unsafe { Pin::new_unchecked(&mut *future) }.poll(task);
    if polled.is_pending() {
        std::mem::forget(ended);
    }
    polled
}

/// # Safety
///
/// The buffer at `start` holds a complete `Job<F, R>`, which is not used again when this is ready. The future in it may
/// borrow what `context` points to; `context` is used only after the future has been dropped.
unsafe fn poll_job<A: Actor, F: Future, R: Rest<A, F::Output>>(
    start: *mut u8,
    context: *mut Context<A>,
    task: &mut Task<'_>,
) -> Poll<Ending<A>> {
    let job = start.cast::<Job<F, R>>();
    // SAFETY: passed on from the caller.
    let result = match catch(|| unsafe { poll_future(&raw mut (*job).future, task) }) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(output)) => Ok(output),
        Err(fault) => Err(fault),
    };
    // SAFETY: the future is gone, so nothing borrows the context; the rest is read once.
    unsafe { Poll::Ready((&raw mut (*job).rest).read().settle(result, &mut *context)) }
}

/// # Safety
///
/// The buffer at `start` holds a complete `Job<F, R>`, which is not used again.
unsafe fn abandon_job<A: Actor, F: Future, R: Rest<A, F::Output>>(start: *mut u8) -> Salvage<A> {
    let job = start.cast::<Job<F, R>>();
    // SAFETY: passed on from the caller; each part is taken once.
    let dropped = catch(|| unsafe { ptr::drop_in_place(&raw mut (*job).future) });
    if let Err(fault) = dropped {
        tracing::warn!(target: "callboard::supervisor", %fault, "a handler's future panicked while it was dropped");
    }
    // SAFETY: as above.
    unsafe { (&raw mut (*job).rest).read() }.salvage()
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
