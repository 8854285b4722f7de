//! How much of each workload is run: enough for a steady figure, or just
//! enough to see that everything works.

use std::time::Duration;

use crate::workload::Workload;

/// How many messages, actors and rounds a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// For figures.
    Full,
    /// For a check that every workload runs, in seconds.
    Quick,
}

impl Size {
    /// Rounds whose median is the figure.
    pub fn rounds(self) -> usize {
        match self {
            Self::Full => 9,
            Self::Quick => 3,
        }
    }

    /// Messages, asks, hops, deliveries, actors or restarts of one round.
    pub fn operations(self, workload: Workload) -> u64 {
        let full = match workload {
            Workload::Tell | Workload::TellTtl | Workload::FanIn => 1_000_000,
            Workload::TellX | Workload::PingPong | Workload::Ring | Workload::Broadcast => 500_000,
            Workload::Ask | Workload::Ask256 => 204_800,
            Workload::AskX => 5_000,
            Workload::Spawn | Workload::SpawnBytes | Workload::Priority => 100_000,
            Workload::TellAllocs | Workload::AskAllocs => 50_000,
            Workload::Restart => 1_000,
            Workload::Fairness => 500_000,
            Workload::Inspect => 10_000,
            Workload::LookUp => 1_000_000,
            Workload::CallByName | Workload::CallTyped => 204_800,
            Workload::Modules => 1_000,
            Workload::Match => 200_000,
            // Deliveries.
            Workload::Publish1 | Workload::Publish10 | Workload::Publish100 => 500_000,
            // Steps.
            Workload::WorkflowChain
            | Workload::WorkflowDiamond
            | Workload::WorkflowMontage
            | Workload::WorkflowMany => 200_000,
            Workload::RunBytes => 10_000,
        };
        match (self, workload) {
            (Self::Full, _) => full,
            // What is behind a backlog shows only while the backlog lasts.
            (Self::Quick, Workload::Priority | Workload::Fairness) => full / 5,
            (Self::Quick, Workload::WorkflowMany) => full / 10,
            (Self::Quick, _) => (full / 50).max(100),
        }
    }

    /// How often the inspected system is inspected.
    pub fn inspection_period(self) -> Duration {
        match self {
            Self::Full => Duration::from_secs(1),
            Self::Quick => Duration::from_millis(50),
        }
    }
}
