//! A file of WfFormat: its steps, and how long each of them is to wait.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callboard::bus::from_value;
use callboard::workflow::definition::{Definition, Source, Step};
use callboard::workflow::graph::StepIndex;
use callboard::workflow::wfformat::{WfFormatError, import};

/// A workflow that can be run.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) definition: Definition,
    waits: Vec<Duration>,
}

/// The file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot run {}", path.display())]
    Bad { path: PathBuf, source: WfFormatError },
    #[error("cannot run {}: task `{task}` takes longer than any clock counts at this scale", path.display())]
    TooLong { path: PathBuf, task: String },
}

impl Instance {
    /// Reads a file. Its times are multiplied by `scale`.
    pub(crate) fn read(path: &Path, scale: f64) -> Result<Self, InstanceError> {
        let owned = || path.to_owned();
        let bytes = std::fs::read(path).map_err(|source| InstanceError::Unreadable { path: owned(), source })?;
        // What is no text is no JSON either, which says where.
        let text = String::from_utf8_lossy(&bytes);
        let definition = import(&text, scale).map_err(|source| InstanceError::Bad { path: owned(), source })?;
        let waits = definition.steps().iter().map(|step| {
            wait(step).ok_or_else(|| InstanceError::TooLong { path: owned(), task: step.step_id.to_string() })
        });
        Ok(Self { waits: waits.collect::<Result<_, _>>()?, definition })
    }

    /// The steps that no run can be quicker than, and how long they wait.
    pub(crate) fn critical_path(&self) -> (Vec<StepIndex>, Duration) {
        self.definition.graph().critical_path(&self.waits)
    }

    /// How long all steps wait, one after the other.
    pub(crate) fn total(&self) -> Duration {
        self.waits.iter().fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait))
    }
}

/// The constant that the step hands to its handler.
fn wait(step: &Step) -> Option<Duration> {
    let seconds = step.input_mapping.iter().find_map(|(key, source)| match source {
        Source::Value(value) if &**key == "seconds" => from_value::<f64>(value).ok(),
        Source::Value(_) | Source::Path(_) => None,
    });
    Duration::try_from_secs_f64(seconds.unwrap_or_default()).ok()
}
