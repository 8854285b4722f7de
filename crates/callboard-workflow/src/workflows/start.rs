//! Starting a run: [`Start`].

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use callboard_bus::Value;
use semver::Version;

use super::overseer::Begin;
use super::{StartError, Unreachable, Workflows};
use crate::run_ref::RunRef;

/// The longest name of a run in bytes.
const LONGEST_ID: usize = 256;

/// A run about to be started: `.await` starts it, and brings a reference to it before its first step begins.
///
/// # Errors
///
/// [`StartError`].
///
/// # Cancel safety
///
/// Dropped before it has ended, the run may or may not have been started; started again under the same
/// [`id`](Self::id), there is one run.
#[must_use = "a run is started when this is awaited"]
#[derive(Debug)]
pub struct Start {
    workflows: Workflows,
    workflow: Arc<str>,
    input: Value,
    id: Option<Arc<str>>,
    version: Option<Version>,
}

impl Start {
    pub(super) fn new(workflows: Workflows, workflow: Arc<str>, input: Value) -> Self {
        Self { workflows, workflow, input, id: None, version: None }
    }

    /// Names the run: the idempotency key of this start. A run of this workflow that was started under this name with
    /// the same input, and may have ended since, is referred to instead of starting another. Without it the run has a new
    /// UUID (version 7, so that names sort by the time of the start).
    pub fn id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Starts this version instead of the highest.
    pub fn version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    async fn start(self) -> Result<RunRef, StartError> {
        self.id.as_deref().map_or(Ok(()), check_id)?;
        let begin = Begin { workflow: self.workflow, run: self.id, version: self.version, input: self.input };
        let seat = self.workflows.actor().ask(begin).await.map_err(Unreachable::from)??;
        Ok(RunRef::new(seat, self.workflows))
    }
}

impl IntoFuture for Start {
    type Output = Result<RunRef, StartError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

fn check_id(id: &str) -> Result<(), StartError> {
    let reason = match id {
        "" => "is empty",
        id if id.len() > LONGEST_ID => "is longer than 256 bytes",
        id if id.contains(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    Err(StartError::InvalidId { run_id: id.chars().take(LONGEST_ID).collect(), reason })
}
