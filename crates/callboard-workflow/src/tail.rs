//! Watching a run.

use std::fmt;

use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::progress::{RunSummary, TaskProgress};
use crate::stuck::StuckRun;

/// Something that has happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// The run has come into another state.
    Run(RunSummary),
    /// A step has, or an item of a mapped step. What it was in for no time at all is left out.
    Step(TaskProgress),
    /// Nothing has happened for so long that somebody should look.
    Stuck(StuckRun),
    /// Whoever watches was too slow, and so much has been forgotten.
    Missed(u64),
}

/// What happens in a run from now on; see [`RunRef::tail`](crate::RunRef::tail).
pub struct Tail(Option<broadcast::Receiver<Progress>>);

impl Tail {
    /// How much is kept for one who is slow.
    pub(crate) const CAPACITY: usize = 1024;

    pub(crate) fn new(receiver: Option<broadcast::Receiver<Progress>>) -> Self {
        Self(receiver)
    }

    /// What happens next. `None` when the run has ended and everything was told.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, nothing is lost.
    pub async fn next(&mut self) -> Option<Progress> {
        match self.0.as_mut()?.recv().await {
            Ok(progress) => Some(progress),
            Err(RecvError::Lagged(missed)) => Some(Progress::Missed(missed)),
            Err(RecvError::Closed) => {
                self.0 = None;
                None
            }
        }
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("has_ended", &self.0.is_none()).finish()
    }
}
