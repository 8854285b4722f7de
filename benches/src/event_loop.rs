//! Event loops for the peers that bring no system of their own: tokio's runtime
//! for one thread.
//!
//! It takes local tasks by itself, so that producers and actors stand in one
//! run queue, whether `spawn` has started them or `spawn_local`. With a
//! `LocalSet` for the producers each ask would pay for two more wake-ups.

use std::{future::Future, sync::mpsc, thread};

use tokio::{runtime::LocalRuntime, sync::oneshot, task::spawn_local};

/// Runs `work` as a local task of a fresh event loop on this thread.
pub(crate) fn run<W, F, T>(work: W) -> T
where
    W: FnOnce() -> F,
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let runtime = LocalRuntime::new().expect("a runtime can be made");
    runtime.block_on(async {
        let task = spawn_local(work());
        task.await.expect("the workload does not panic")
    })
}

/// Makes an actor on another thread's event loop and runs `work` with its
/// reference on this one.
pub(crate) fn run_beside<S, G, R, W, F, T>(start: S, work: W) -> T
where
    S: FnOnce() -> G + Send + 'static,
    G: Future<Output = R> + 'static,
    R: Send + 'static,
    W: FnOnce(R) -> F,
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let (started, references) = mpsc::channel();
    let (over, until_over) = oneshot::channel::<()>();
    let other_thread = thread::spawn(move || {
        run(move || async move {
            started.send(start().await).ok();
            until_over.await.ok();
        });
    });
    let reference = references.recv().expect("the actor starts");
    let result = run(move || work(reference));
    drop(over);
    other_thread.join().expect("the other event loop ends well");
    result
}
