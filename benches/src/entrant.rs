//! Who takes part, and how an entrant runs a workload once.

use std::{str::FromStr, thread, time::Duration};

use thiserror::Error;

use crate::{
    actix_peer::Actix, by_name, callboard_alone, callboard_peer::Callboard, memory, peer::Peer, publishing, size::Size,
    tokio_peer::Tokio, traffic, workflows, workload::Workload,
};

#[cfg(feature = "peers")]
use crate::{
    kameo_peer::{self, Kameo},
    ractor_peer::Ractor,
};

/// A framework, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrant {
    /// This project.
    Callboard,
    /// The engine below it, used directly.
    Actix,
    /// No framework: tasks and channels.
    Tokio,
    /// kameo.
    #[cfg(feature = "peers")]
    Kameo,
    /// ractor.
    #[cfg(feature = "peers")]
    Ractor,
}

/// No framework of this name was compiled in.
#[derive(Debug, Error)]
#[error("{name:?} does not take part; the names are {}", names())]
pub struct UnknownEntrant {
    name: String,
}

impl Entrant {
    /// All that were compiled in, callboard first.
    pub const ALL: &[Self] = &[
        Self::Callboard,
        Self::Actix,
        Self::Tokio,
        #[cfg(feature = "peers")]
        Self::Kameo,
        #[cfg(feature = "peers")]
        Self::Ractor,
    ];

    /// The name in the head of the table; with `_ns` behind it, the key in the
    /// JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Callboard => "callboard",
            Self::Actix => "actix",
            Self::Tokio => "tokio",
            #[cfg(feature = "peers")]
            Self::Kameo => "kameo",
            #[cfg(feature = "peers")]
            Self::Ractor => "ractor",
        }
    }

    /// Runs the workload once: nanoseconds per operation, or the figure in the
    /// workload's unit. `None` where the entrant has nothing of the kind.
    ///
    /// Each run has a thread of its own. The allocator serves a program's first
    /// thread better than all others, and whoever happened to run there, as
    /// actix did and callboard's arbiters never do, would start actors at half
    /// the price.
    pub fn run(self, workload: Workload, size: Size) -> Option<f64> {
        thread::scope(|scope| {
            let run = scope.spawn(move || self.run_here(workload, size));
            run.join().expect("the workload does not panic")
        })
    }

    fn run_here(self, workload: Workload, size: Size) -> Option<f64> {
        match self {
            Self::Callboard => shared::<Callboard>(workload, size)
                .or_else(|| callboard_alone::run(workload, size))
                .or_else(|| by_name::run(workload, size))
                .or_else(|| publishing::run(workload, size))
                .or_else(|| workflows::run(workload, size)),
            // What a call of an operation is measured against.
            Self::Actix if matches!(workload, Workload::CallByName | Workload::CallTyped) => {
                shared::<Actix>(Workload::Ask, size)
            }
            Self::Actix => shared::<Actix>(workload, size).or_else(|| publishing::run_broker(workload, size)),
            Self::Tokio => shared::<Tokio>(workload, size),
            #[cfg(feature = "peers")]
            Self::Kameo => shared::<Kameo>(workload, size).or_else(|| kameo_peer::run_alone(workload, size)),
            #[cfg(feature = "peers")]
            Self::Ractor => shared::<Ractor>(workload, size),
        }
    }
}

impl FromStr for Entrant {
    type Err = UnknownEntrant;

    fn from_str(name: &str) -> Result<Self, UnknownEntrant> {
        let found = Self::ALL.iter().find(|each| each.name() == name);
        found.copied().ok_or_else(|| UnknownEntrant { name: name.to_owned() })
    }
}

fn names() -> String {
    let names: Vec<_> = Entrant::ALL.iter().map(|each| each.name()).collect();
    names.join(", ")
}

fn shared<P: Peer>(workload: Workload, size: Size) -> Option<f64> {
    let run: fn(u64) -> Duration = match workload {
        Workload::Tell => traffic::tell::<P>,
        Workload::TellX => traffic::tell_x::<P>,
        Workload::FanIn => traffic::fan_in::<P>,
        Workload::Ask => traffic::ask::<P>,
        Workload::Ask256 => traffic::ask_256::<P>,
        Workload::AskX => traffic::ask_x::<P>,
        Workload::PingPong => traffic::ping_pong::<P>,
        Workload::Ring => traffic::ring::<P>,
        Workload::Broadcast => traffic::broadcast::<P>,
        Workload::Spawn => traffic::spawn::<P>,
        Workload::SpawnBytes => return bytes_per_actor::<P>(size),
        Workload::TellAllocs => return allocations(traffic::tell::<P>, size.operations(workload)),
        Workload::AskAllocs => return allocations(traffic::ask::<P>, size.operations(workload)),
        _ => return None,
    };
    let operations = size.operations(workload);
    Some(run(operations).as_nanos() as f64 / operations as f64)
}

fn bytes_per_actor<P: Peer>(size: Size) -> Option<f64> {
    let actors = size.operations(Workload::SpawnBytes);
    let bytes = traffic::weigh::<P, _>(actors, memory::start_counting, memory::bytes_since_start)?;
    Some(bytes as f64 / actors as f64)
}

/// Allocations per operation: those of a run of three times as many
/// operations without those of a run of so many, so that the start and the
/// end of the entrant drop out; to a thousandth.
fn allocations(run: fn(u64) -> Duration, operations: u64) -> Option<f64> {
    let count = |operations| memory::allocations_during(|| _ = run(operations));
    let (few, many) = (count(operations)?, count(3 * operations)?);
    let each = (many as f64 - few as f64) / (2 * operations) as f64;
    Some((each * 1_000.0).round().abs() / 1_000.0)
}
