//! The placing of futures in a buffer of their actor, without an allocation per message.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr;
use std::task::{Context as Task, Poll};

use super::{Ending, Rest, Salvage};
use crate::actor::Actor;
use crate::context::Context;
use crate::fault::{Fault, catch};

/// The buffer, and the job in it while its future waits.
pub(super) struct Slot<A: Actor> {
    buffer: Buffer,
    active: Option<&'static Active<A>>,
}

/// The functions of the job that lies in the buffer.
struct Active<A: Actor> {
    poll: unsafe fn(*mut u8, *mut Context<A>, &mut Task<'_>) -> Poll<Ending<A>>,
    abandon: unsafe fn(*mut u8) -> Salvage<A>,
}

/// What lies in the buffer while a future waits. The future comes first, so that it can be built and polled there
/// before it is known whether the rest is needed at all.
#[repr(C)]
struct Job<F, R> {
    future: F,
    rest: R,
}

impl<A: Actor> Slot<A> {
    /// Builds small futures in `room`, which stays where it is until [`release`](Self::release).
    pub(super) const fn empty(room: *mut Room) -> Self {
        Self { buffer: Buffer::within(room), active: None }
    }

    /// Whether a future waits here.
    #[inline(always)]
    pub(super) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// Builds a future in the buffer and polls it. When it has ended, `state` is handed back with how it ended; when it
    /// has to wait, `rest` makes of it what is put beside the future.
    ///
    /// # Safety
    ///
    /// No future waits here. The future may borrow the context that this slot is polled with; nothing else does until it
    /// has been dropped.
    #[inline(always)]
    pub(super) unsafe fn place<F: Future + 'static, S, R: Rest<A, F::Output> + 'static>(
        &mut self,
        task: &mut Task<'_>,
        make: impl FnOnce() -> F,
        state: S,
        rest: impl FnOnce(S) -> R,
    ) -> Poll<(Result<F::Output, Fault>, S)> {
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
                // SAFETY: as above; the job is complete with this. Should `rest` panic, the future is forgotten.
                unsafe { (&raw mut (*job).rest).write(rest(state)) };
                self.active = Some(const { &Active { poll: poll_job::<A, F, R>, abandon: abandon_job::<A, F, R> } });
                Poll::Pending
            }
            Ok(Poll::Ready(output)) => Poll::Ready((Ok(output), state)),
            Err(fault) => Poll::Ready((Err(fault), state)),
        }
    }

    /// Goes on with the future that waits here.
    ///
    /// # Safety
    ///
    /// `context` is the one that the future was placed with.
    pub(super) unsafe fn poll(&mut self, context: *mut Context<A>, task: &mut Task<'_>) -> Poll<Ending<A>> {
        // Taken out for the time being: should the rest of the job panic, its future is gone and may not be dropped again.
        let active = self.active.take().expect("a turn is active");
        // SAFETY: the buffer holds the job that this function was made for; it touches the context only once the future
        // that borrows it has been dropped.
        let polled = unsafe { (active.poll)(self.buffer.start(), context, task) };
        if polled.is_pending() {
            self.active = Some(active);
        }
        polled
    }

    /// The room is going: nothing is built here any more.
    pub(super) fn release(&mut self) {
        assert!(self.active.is_none(), "a future lies in the room");
        self.buffer.free();
    }

    /// Drops the future that waits here, if one does.
    pub(super) fn abandon(&mut self) -> Salvage<A> {
        let Some(active) = self.active.take() else { return Salvage::nothing() };
        // SAFETY: the buffer holds the job that this function was made for, and it is not used again.
        unsafe { (active.abandon)(self.buffer.start()) }
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

/// Room for small futures, beside the value of their actor.
#[repr(align(8))]
pub(super) struct Room {
    _bytes: [MaybeUninit<u8>; 64],
}

impl Room {
    pub(super) const fn new() -> Self {
        Self { _bytes: [MaybeUninit::uninit(); 64] }
    }
}

/// The memory that futures are built in: the room beside the value, or an allocation once that was too small for one. It
/// grows to the largest and is kept.
struct Buffer {
    start: *mut u8,
    layout: Layout,
}

impl Buffer {
    const fn within(room: *mut Room) -> Self {
        Self { start: room.cast(), layout: Layout::new::<Room>() }
    }

    /// It was allocated here: that is always larger than the room.
    fn is_own(&self) -> bool {
        self.layout.size() > size_of::<Room>()
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
        let size = wanted.size().max(2 * size_of::<Room>()).next_multiple_of(32);
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

    /// Leaves a buffer that nothing fits into.
    fn free(&mut self) {
        let none = Self { start: ptr::without_provenance_mut(1), layout: Layout::new::<()>() };
        let old = std::mem::replace(self, none);
        if old.is_own() {
            // SAFETY: the memory was allocated with this layout, and it is forgotten here.
            unsafe { dealloc(old.start, old.layout) };
        }
        std::mem::forget(old);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.free();
    }
}
