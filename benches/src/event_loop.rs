//! Event loops for the peers that bring no system of their own: a tokio
//! runtime on the current thread, with a local set for the producers.

use std::{future::Future, sync::mpsc, thread};

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::{LocalSet, spawn_local},
};

/// Runs `work` as a local task of a fresh event loop on this thread.
pub(crate) fn run<W, F, T>(work: W) -> T
where
    W: FnOnce() -> F,
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let runtime = current_thread_runtime();
    LocalSet::new().block_on(&runtime, async {
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

fn current_thread_runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}
