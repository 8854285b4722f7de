//! The actors that serve the modules, and the supervisor above them.

use std::time::Duration;

use callboard::bus::{self, RegisterError};
use callboard::prelude::{Actor, System};
use callboard::{Backoff, BreakerRules, Child, StartError, SupervisorRef, child, one_for_one};

use crate::archive::Archive;
use crate::chaos::Chaos;
use crate::module::Module;
use crate::processor::{Analyse, Correlate, ProcessData, Processor};
use crate::storage::{Report, Storage, StoreData};
use crate::validator::{Assemble, ValidateData, Validator};

/// The version of all three modules.
const VERSION: &str = "1.0.0";

/// So many instances share the work of the processor; calls go to them in turn.
const PROCESSORS: usize = 4;

/// How often a message may be tried. Chaos at its worst, 0.9, does not get
/// there: the odds that one message fails a thousand times are 1 in 10^45.
const ATTEMPTS: u32 = 1_000;

/// The modules could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TeamError {
    #[error("the supervisor could not be started: {0}")]
    Start(#[from] StartError),
    #[error("a module could not be registered: {0}")]
    Register(#[from] RegisterError),
}

/// Starts and registers the modules.
#[derive(Debug)]
pub(crate) struct Team<'a> {
    system: &'a System,
    supervisor: SupervisorRef,
    chaos: Chaos,
}

impl<'a> Team<'a> {
    /// Starts the modules, less the one that is to be left out.
    pub(crate) async fn start(
        system: &'a System,
        archive: Archive,
        chaos: Chaos,
        without: Option<Module>,
    ) -> Result<(), TeamError> {
        let supervisor = system.supervise(one_for_one().name("market_pipeline")).await?;
        let team = Self { system, supervisor, chaos };
        if without != Some(Module::Validator) {
            team.validator().await?;
        }
        if without != Some(Module::Processor) {
            team.processors().await?;
        }
        if without != Some(Module::Storage) {
            team.storage(archive).await?;
        }
        Ok(())
    }

    async fn validator(&self) -> Result<(), RegisterError> {
        let chaos = self.chaos;
        let actor = self.supervisor.spawn(tuned(child(Module::Validator.name(), move || Validator { chaos })));
        module(Module::Validator)
            .description("checks price tables and makes series of them")
            .serve(&actor)
            .operation::<ValidateData>("validate_data")
            .operation::<Assemble>("assemble")
            .register(self.system)
            .await?;
        Ok(())
    }

    async fn processors(&self) -> Result<(), RegisterError> {
        let chaos = self.chaos;
        for number in 0..PROCESSORS {
            let name = format!("{}-{number}", Module::Processor);
            let actor = self.supervisor.spawn(tuned(child(name, move || Processor { chaos })));
            module(Module::Processor)
                .description("measures series and compares them")
                .serve(&actor)
                .operation::<ProcessData>("process_data")
                .fallible::<Analyse, _, _>("analyse")
                .operation::<Correlate>("correlate")
                .register(self.system)
                .await?;
        }
        Ok(())
    }

    /// On a thread of its own: it waits for the disk, and nobody should wait with it.
    async fn storage(&self, archive: Archive) -> Result<(), RegisterError> {
        let chaos = self.chaos;
        let factory = move || Storage { archive: archive.clone(), chaos };
        let actor = self.supervisor.spawn(tuned(child(Module::Storage.name(), factory)).dedicated());
        module(Module::Storage)
            .description("keeps results and lays them out")
            .serve(&actor)
            .fallible::<StoreData, _, _>("store_data")
            .fallible::<Report, _, _>("report")
            .register(self.system)
            .await?;
        Ok(())
    }
}

fn module(module: Module) -> bus::Module {
    bus::Module::new(module.registered_name(), VERSION)
}

/// Faults are expected here, so recovery is a matter of milliseconds: back
/// off shortly, let the breaker open after five restarts in a second, and
/// probe soon.
fn tuned<A: Actor>(child: Child<A>) -> Child<A> {
    child
        .attempts(ATTEMPTS)
        .backoff(Backoff::exponential(milliseconds(1), 2.0, milliseconds(8)))
        .intensity(5, Duration::from_secs(1))
        .breaker(BreakerRules::default().reset_after(milliseconds(5)).growing(2.0, milliseconds(10), 0.1))
}

const fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}
