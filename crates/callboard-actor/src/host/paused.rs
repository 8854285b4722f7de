//! An arbiter on the calling thread whose clock is paused: time passes only when there is nothing else to do.

use std::future::Future;

/// Runs a future on such an arbiter.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime with a paused clock can be built")
    };
    actix_rt::System::with_tokio_rt(runtime).block_on(future)
}
