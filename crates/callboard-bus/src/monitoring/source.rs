//! Figures that a layer above brings, which the bus does not know: [`WorkflowSource`].

use serde::Serialize;

/// How many runs of workflows there have been since the system started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkflowCounts {
    /// Runs that were started.
    pub started: u64,
    /// Those that run now.
    pub active: u64,
    /// Those that ended in any other way than by completing.
    pub failed: u64,
}

/// Who knows how many runs of workflows there have been. See [`Monitoring::set_workflows`](super::Monitoring::set_workflows).
pub trait WorkflowSource: Send + Sync + 'static {
    /// The counts of this moment. It is called at every sample and must not wait.
    fn counts(&self) -> WorkflowCounts;
}
