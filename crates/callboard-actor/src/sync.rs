//! The lock, the atomics and the thread-local that the hand-overs between threads are built on.
//!
//! Under `--cfg callboard_model` they are those of the model checker, so that the very files that ship are the
//! files that are checked. A cfg of our own is used because the global `--cfg loom` would change tokio as well.

#[cfg(callboard_model)]
pub(crate) mod model;

#[cfg(callboard_model)]
pub(crate) use self::model::{AtomicU32, AtomicU64, Mutex, fence, thread_local};
#[cfg(not(callboard_model))]
pub(crate) use self::real::{AtomicU32, AtomicU64, Mutex, fence, thread_local};
pub(crate) use std::sync::atomic::Ordering;

#[cfg(not(callboard_model))]
mod real {
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, fence};
    pub(crate) use std::thread_local;
}
