//! The workloads by name, with what they measure and the goals they are held
//! against.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// One producer task and the actor on one thread.
    Tell,
    /// The same, with a TTL on every message.
    TellTtl,
    /// The producer on another thread.
    TellX,
    /// Four producer tasks, one thread.
    FanIn,
    /// One ask at a time, one thread.
    Ask,
    /// 256 asks in flight, one thread.
    Ask256,
    /// One ask at a time, across threads.
    AskX,
    /// Two actors tell each other, one thread.
    PingPong,
    /// A hundred actors pass a token round, one thread.
    Ring,
    /// From one producer to a hundred actors, per delivery.
    Broadcast,
    /// Starting an actor that handles one message.
    Spawn,
    /// What an idle actor weighs.
    SpawnBytes,
    /// Allocations per message of the tell workload.
    TellAllocs,
    /// Allocations per ask of the ask workload.
    AskAllocs,
    /// From a panic to the next answer.
    Restart,
    /// A Critical message behind a backlog of Normal ones.
    Priority,
    /// An idle neighbour behind a backlog.
    Fairness,
    /// What regular inspection costs the tell workload.
    Inspect,
    /// Looking up an operation that is there.
    LookUp,
    /// A call by name with a payload of one field, against a plain `send`.
    CallByName,
    /// The same by the method of a reference, as a type.
    CallTyped,
    /// What monitoring costs the calls with types.
    Metrics,
    /// A thousand modules started and registered, per module.
    Modules,
    /// An event that one of 10,000 patterns stands for, to its one subscriber.
    Match,
    /// An event to one subscriber, per delivery.
    Publish1,
    /// To ten.
    Publish10,
    /// To a hundred.
    Publish100,
    /// Runs of ten steps in a row, one run after the other.
    WorkflowChain,
    /// Runs of one step, a hundred beside each other, and one step.
    WorkflowDiamond,
    /// Runs of the shape of a real workflow of 310 steps.
    WorkflowMontage,
    /// A thousand runs of ten steps in a row at once.
    WorkflowMany,
    /// What a run weighs that waits for its step.
    RunBytes,
}

/// A goal of a workload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Callboard's time as a part of actix's.
    Ratio(f64),
    /// Callboard's time as a multiple of its own time for [`Workload::Tell`].
    OfTell(f64),
    /// Nanoseconds.
    Time(f64),
    /// A figure in the workload's own unit.
    Figure(f64),
    /// So many of the workload's unit, or more.
    AtLeast(f64),
}

/// No workload has this name.
#[derive(Debug, Error)]
#[error("there is no workload {name:?}; the names are {}", names())]
pub struct UnknownWorkload {
    name: String,
}

impl Workload {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 32] = [
        Self::Tell,
        Self::TellTtl,
        Self::TellX,
        Self::FanIn,
        Self::Ask,
        Self::Ask256,
        Self::AskX,
        Self::PingPong,
        Self::Ring,
        Self::Broadcast,
        Self::Spawn,
        Self::SpawnBytes,
        Self::TellAllocs,
        Self::AskAllocs,
        Self::Restart,
        Self::Priority,
        Self::Fairness,
        Self::Inspect,
        Self::LookUp,
        Self::CallByName,
        Self::CallTyped,
        Self::Metrics,
        Self::Modules,
        Self::Match,
        Self::Publish1,
        Self::Publish10,
        Self::Publish100,
        Self::WorkflowChain,
        Self::WorkflowDiamond,
        Self::WorkflowMontage,
        Self::WorkflowMany,
        Self::RunBytes,
    ];

    /// The name in the table, in the JSON and behind `--only`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tell => "tell",
            Self::TellTtl => "tell_ttl",
            Self::TellX => "tell_x",
            Self::FanIn => "fan_in",
            Self::Ask => "ask",
            Self::Ask256 => "ask_256",
            Self::AskX => "ask_x",
            Self::PingPong => "ping_pong",
            Self::Ring => "ring",
            Self::Broadcast => "broadcast",
            Self::Spawn => "spawn",
            Self::SpawnBytes => "spawn_bytes",
            Self::TellAllocs => "tell_allocs",
            Self::AskAllocs => "ask_allocs",
            Self::Restart => "restart",
            Self::Priority => "priority",
            Self::Fairness => "fairness",
            Self::Inspect => "inspect",
            Self::LookUp => "lookup",
            Self::CallByName => "call_by_name",
            Self::CallTyped => "call_typed",
            Self::Metrics => "metrics",
            Self::Modules => "modules",
            Self::Match => "match_10000",
            Self::Publish1 => "publish_1",
            Self::Publish10 => "publish_10",
            Self::Publish100 => "publish_100",
            Self::WorkflowChain => "workflow_chain",
            Self::WorkflowDiamond => "workflow_diamond",
            Self::WorkflowMontage => "workflow_montage",
            Self::WorkflowMany => "workflow_many",
            Self::RunBytes => "run_bytes",
        }
    }

    /// The unit of a figure that is no time; none for times.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::SpawnBytes | Self::RunBytes => Some("bytes"),
            Self::TellAllocs | Self::AskAllocs => Some("allocations"),
            Self::Inspect | Self::Metrics => Some("percent"),
            workflow if workflow.is_workflow() => Some("steps/s"),
            _ => None,
        }
    }

    /// Whether the workload is held against a time and not against a rival,
    /// since what it measures is callboard's own, or nearly.
    pub fn is_absolute(self) -> bool {
        matches!(self, Self::Restart | Self::Priority | Self::Fairness | Self::LookUp | Self::Modules | Self::Match)
    }

    /// What the row is, in few words, where everybody can take part: those are
    /// the rows of the picture.
    pub fn caption(self) -> Option<&'static str> {
        Some(match self {
            Self::Tell => "one producer, same thread",
            Self::TellX => "producer on another thread",
            Self::FanIn => "four producers, same thread",
            Self::Ask => "one at a time, same thread",
            Self::Ask256 => "256 under way, same thread",
            Self::AskX => "one at a time, two threads",
            Self::PingPong => "two actors, per hop",
            Self::Ring => "100 actors, per hop",
            Self::Broadcast => "to 100 actors, per message",
            Self::Spawn => "start and first message",
            Self::SpawnBytes => "weight of an idle actor",
            _ => return None,
        })
    }

    /// Why somebody has no figure in this row.
    pub fn why_alone(self) -> Option<&'static str> {
        match self {
            Self::TellTtl => Some("only callboard has messages with a time to live"),
            Self::Restart => Some(
                "actix's supervisor starts an actor again that has stopped, but a panic takes both away; ractor's is told \
                 of the panic, and what it starts then is another actor with another reference; a task is gone",
            ),
            Self::Priority => Some("only callboard has messages with a priority"),
            Self::Fairness => Some("held against a time, and not run with the others"),
            Self::CallByName => Some("actix's figure is that of a plain `send`; nobody else has calls by name"),
            Self::CallTyped => {
                Some("actix's figure is that of a plain `send`; nobody else has operations with a breaker and counts")
            }
            Self::Publish1 | Self::Publish10 | Self::Publish100 => {
                Some("actix's figure is that of actix-broker; the others have no events by name")
            }
            Self::Inspect
            | Self::LookUp
            | Self::Metrics
            | Self::Modules
            | Self::Match
            | Self::WorkflowChain
            | Self::WorkflowDiamond
            | Self::WorkflowMontage
            | Self::WorkflowMany
            | Self::RunBytes => Some("callboard's own"),
            _ => None,
        }
    }

    /// Whether steps of workflows are counted.
    pub fn is_workflow(self) -> bool {
        matches!(self, Self::WorkflowChain | Self::WorkflowDiamond | Self::WorkflowMontage | Self::WorkflowMany)
    }

    /// What may not be missed.
    pub fn must(self) -> Option<Goal> {
        match self {
            Self::Tell | Self::FanIn => Some(Goal::Ratio(0.7)),
            Self::TellX => Some(Goal::Ratio(0.6)),
            Self::Ask256 => Some(Goal::Ratio(0.8)),
            Self::Ask | Self::AskX | Self::PingPong | Self::Ring | Self::Spawn => Some(Goal::Ratio(1.0)),
            Self::CallTyped | Self::Publish1 | Self::Publish10 | Self::Publish100 => Some(Goal::Ratio(1.0)),
            Self::Broadcast => Some(Goal::Ratio(0.9)),
            Self::Restart => Some(Goal::Time(50_000.0)),
            Self::Fairness => Some(Goal::Time(1_000_000.0)),
            Self::Inspect | Self::Metrics => Some(Goal::Figure(5.0)),
            Self::CallByName => Some(Goal::Ratio(4.0)),
            Self::WorkflowChain | Self::WorkflowDiamond | Self::WorkflowMontage | Self::WorkflowMany => {
                Some(Goal::AtLeast(150_000.0))
            }
            Self::TellTtl
            | Self::SpawnBytes
            | Self::TellAllocs
            | Self::AskAllocs
            | Self::Priority
            | Self::LookUp
            | Self::Modules
            | Self::Match
            | Self::RunBytes => None,
        }
    }

    /// What is strived for.
    pub fn aim(self) -> Option<Goal> {
        match self {
            Self::Tell | Self::FanIn => Some(Goal::Ratio(0.4)),
            Self::TellTtl => Some(Goal::OfTell(1.2)),
            Self::TellX => Some(Goal::Ratio(0.35)),
            Self::Ask => Some(Goal::Ratio(0.12)),
            Self::Ask256 => Some(Goal::Ratio(0.6)),
            Self::AskX => Some(Goal::Ratio(0.3)),
            Self::PingPong | Self::Ring | Self::Broadcast => Some(Goal::Ratio(0.5)),
            Self::CallTyped | Self::Publish1 | Self::Publish10 | Self::Publish100 => Some(Goal::Ratio(0.5)),
            Self::Spawn | Self::LookUp | Self::Metrics | Self::Modules | Self::Match | Self::RunBytes => None,
            Self::CallByName => Some(Goal::Ratio(1.5)),
            Self::WorkflowChain | Self::WorkflowDiamond | Self::WorkflowMontage | Self::WorkflowMany => {
                Some(Goal::AtLeast(500_000.0))
            }
            Self::SpawnBytes => Some(Goal::Figure(850.0)),
            Self::TellAllocs => Some(Goal::Figure(0.0)),
            Self::AskAllocs => Some(Goal::Figure(1.0)),
            Self::Restart => Some(Goal::Time(5_000.0)),
            Self::Priority => Some(Goal::Time(10_000.0)),
            Self::Fairness => Some(Goal::Time(200_000.0)),
            Self::Inspect => Some(Goal::Figure(2.0)),
        }
    }
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, UnknownWorkload> {
        let found = Self::ALL.into_iter().find(|each| each.name() == name);
        found.ok_or_else(|| UnknownWorkload { name: name.to_owned() })
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

fn names() -> String {
    Workload::ALL.map(Workload::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_workload() {
        for workload in Workload::ALL {
            assert_eq!(workload.name().parse::<Workload>().unwrap(), workload);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_names() {
        let error = "tel".parse::<Workload>().unwrap_err().to_string();
        assert!(error.contains("\"tel\"") && error.contains("tell_ttl"), "{error}");
    }
}
