//! The module that the steps call: `sim.sleep` waits, and that is all.

use std::time::Duration;

use callboard::StartError;
use callboard::bus::module_from;
use callboard::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// More than are at work at once in any workflow that has been recorded so far.
const MOST: usize = 2_000;

/// What a step hands over.
#[derive(Deserialize, JsonSchema, Message)]
pub(crate) struct Sleep {
    seconds: f64,
}

/// An instance of the module `sim`.
struct Waiter;

#[module(name = "sim", version = "1.0.0")]
impl Waiter {
    #[request("sleep")]
    async fn sleep(&mut self, sleep: Sleep) -> Result<(), Fault> {
        // Not even a look at the clock for a step that takes no time.
        if sleep.seconds > 0.0 {
            tokio::time::sleep(Duration::try_from_secs_f64(sleep.seconds)?).await;
        }
        Ok(())
    }
}

/// The waiters: one for each step, up to [`MOST`], all under one name. An actor works on one message at a time and the
/// registry goes through its instances in turn, so with one for each step none has to wait for another.
pub(crate) async fn start(system: &System, steps: usize) -> Result<(), StartError> {
    let waiters = module_from(|| Waiter).replicas(steps.min(MOST));
    system.supervise(one_for_one().child(waiters)).await?;
    Ok(())
}
