//! The modules, and the supervisor above them.

use std::time::Duration;

use callboard::bus::{self, ModuleChild, module_from};
use callboard::prelude::{System, one_for_one};
use callboard::{Backoff, BreakerRules, Child, StartError};

use crate::archive::Archive;
use crate::chaos::Chaos;
use crate::module::Module;
use crate::processor::Processor;
use crate::storage::Storage;
use crate::validator::Validator;

/// How often a message may be tried. Chaos at its worst, 0.9, does not get
/// there: the odds that one message fails a thousand times are 1 in 10^45.
const ATTEMPTS: u32 = 1_000;

/// Starts the modules, less the one that is to be left out.
pub(crate) async fn start(
    system: &System,
    archive: Archive,
    chaos: Chaos,
    without: Option<Module>,
) -> Result<(), StartError> {
    let mut supervisor = one_for_one().name("market_pipeline");
    if without != Some(Module::Validator) {
        supervisor = supervisor.child(tuned(module_from(move || Validator { chaos })));
    }
    if without != Some(Module::Processor) {
        supervisor = supervisor.child(tuned(module_from(move || Processor { chaos })));
    }
    if without != Some(Module::Storage) {
        let storage = tuned(module_from(move || Storage { archive: archive.clone(), chaos }));
        // On a thread of its own: it waits for the disk, and nobody should wait with it.
        supervisor = supervisor.child(storage.tune(Child::dedicated));
    }
    system.supervise(supervisor).await?;
    Ok(())
}

/// Faults are expected here, so recovery is a matter of milliseconds: back
/// off shortly, let the breaker open after five restarts in a second, and
/// probe soon.
fn tuned<M: bus::Module>(module: ModuleChild<M>) -> ModuleChild<M> {
    module.tune(|child| {
        child
            .attempts(ATTEMPTS)
            .backoff(Backoff::exponential(milliseconds(1), 2.0, milliseconds(8)))
            .intensity(5, Duration::from_secs(1))
            .breaker(BreakerRules::default().reset_after(milliseconds(5)).growing(2.0, milliseconds(10), 0.1))
    })
}

const fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}
