//! The actors of the job and the supervisor above them.

use std::time::Duration;

use callboard::prelude::{Actor, ActorRef, Recipient};
use callboard::{Backoff, BreakerRules, Child, SupervisorRef, child};

use crate::archive::Archive;
use crate::chaos::Chaos;
use crate::module::{MissingModule, Module};
use crate::processor::{Measure, Processor};
use crate::series::Series;
use crate::storage::{Storage, StorePart};
use crate::validator::Validator;

/// How often a message may be tried. Chaos at its worst, 0.9, does not get
/// there: the odds that one message fails a thousand times are 1 in 10^45.
const ATTEMPTS: u32 = 1_000;

/// The modules that run, all under one supervisor.
#[derive(Debug)]
pub(crate) struct Team {
    validator: Option<ActorRef<Validator>>,
    storage: Option<ActorRef<Storage>>,
    processors: Option<Processors>,
}

/// Starts processors: every series gets one of its own.
#[derive(Debug, Clone)]
pub(crate) struct Processors {
    supervisor: SupervisorRef,
    storage: Recipient<StorePart>,
    chaos: Chaos,
}

impl Team {
    /// Starts the modules, less the one that is to be left out.
    pub(crate) fn start(supervisor: &SupervisorRef, archive: Archive, chaos: Chaos, without: Option<Module>) -> Self {
        let wanted = |module| without != Some(module);
        let validator = wanted(Module::Validator).then(|| start_validator(supervisor, chaos));
        let storage = wanted(Module::Storage).then(|| start_storage(supervisor, archive, chaos));
        let processors = storage.as_ref().filter(|_| wanted(Module::Processor)).map(|storage| Processors {
            supervisor: supervisor.clone(),
            storage: storage.recipient(),
            chaos,
        });
        Self { validator, storage, processors }
    }

    /// The validator, if it runs.
    pub(crate) fn validator(&self) -> Result<ActorRef<Validator>, MissingModule> {
        self.validator.clone().ok_or(MissingModule(Module::Validator))
    }

    /// The storage, if it runs.
    pub(crate) fn storage(&self) -> Result<ActorRef<Storage>, MissingModule> {
        self.storage.clone().ok_or(MissingModule(Module::Storage))
    }

    /// The starter of processors, if there are to be any.
    pub(crate) fn processors(&self) -> Result<Processors, MissingModule> {
        self.processors.clone().ok_or(MissingModule(Module::Processor))
    }
}

impl Processors {
    /// Starts the processor of a series.
    pub(crate) fn start(&self, series: &Series) -> Recipient<Measure> {
        let Self { storage, chaos, .. } = self.clone();
        let name = format!("{}-{}", Module::Processor, series.symbol);
        let factory = move || Processor { storage: storage.clone(), chaos };
        self.supervisor.spawn(tuned(child(name, factory))).recipient()
    }
}

fn start_validator(supervisor: &SupervisorRef, chaos: Chaos) -> ActorRef<Validator> {
    supervisor.spawn(tuned(child(Module::Validator.name(), move || Validator { chaos })))
}

/// On a thread of its own: it waits for the disk, and nobody should wait with it.
fn start_storage(supervisor: &SupervisorRef, archive: Archive, chaos: Chaos) -> ActorRef<Storage> {
    let factory = move || Storage { archive: archive.clone(), chaos };
    supervisor.spawn(tuned(child(Module::Storage.name(), factory)).dedicated())
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
