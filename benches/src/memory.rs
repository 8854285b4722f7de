//! An allocator that can count the bytes in use and the allocations: how the
//! weight of an idle actor is found, and what a message allocates.
//!
//! Counting is off but while that is asked for, so that the timed workloads
//! pay one relaxed load per allocation and nothing more.
//!
//! # Safety
//!
//! Every call goes to the system's allocator with the arguments it came with,
//! so the promises of the caller and of the system's allocator hold unchanged;
//! the counting beside it touches atomics only and cannot allocate or panic.

#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

static COUNTING: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicI64 = AtomicI64::new(0);
/// On all threads.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Actors are weighed on this thread. Others may still be busy with the end of the entrant before.
    static WEIGHS: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, with a counter that can be switched on.
#[derive(Debug)]
pub struct CountingAllocator;

/// Starts to count, at zero, what the calling thread allocates.
pub fn start_counting() {
    WEIGHS.set(true);
    BYTES.store(0, Ordering::Relaxed);
    COUNTING.store(true, Ordering::Relaxed);
}

/// Stops counting: the bytes allocated since the start and not given back.
/// `None` where the program runs with another allocator than
/// [`CountingAllocator`].
pub fn bytes_since_start() -> Option<i64> {
    WEIGHS.set(false);
    COUNTING.store(false, Ordering::Relaxed);
    let bytes = BYTES.load(Ordering::Relaxed);
    (bytes != 0).then_some(bytes)
}

/// How many allocations are made, on any thread, while this runs. `None` where
/// the program runs with another allocator than [`CountingAllocator`].
pub fn allocations_during(run: impl FnOnce()) -> Option<u64> {
    ALLOCATIONS.store(0, Ordering::Relaxed);
    COUNTING.store(true, Ordering::Relaxed);
    run();
    COUNTING.store(false, Ordering::Relaxed);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    (allocations != 0).then_some(allocations)
}

// SAFETY: each method hands its arguments to the system's allocator and
// returns what that returns; see the paragraph on top.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as i64);
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(-(layout.size() as i64));
        // SAFETY: the memory came from the system's allocator by `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as i64);
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size as i64 - layout.size() as i64);
        // SAFETY: the memory came from the system's allocator by `alloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn note(change: i64) {
    if !COUNTING.load(Ordering::Relaxed) {
        return;
    }
    if change > 0 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
    if WEIGHS.get() {
        BYTES.fetch_add(change, Ordering::Relaxed);
    }
}
