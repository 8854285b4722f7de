//! The workflow: where its definition comes from, and its run from the event to the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use callboard::bus::{LookupError, PublishError, Value};
use callboard::prelude::*;
use callboard::workflow::RunReport;
use callboard::workflow::definition::Definition;
use callboard::workflow::fault::Faults;
use callboard::workflow::progress::TaskProgress;
use callboard::workflow::run::{RunState, StepState};
use callboard::workflow::workflows::{FindError, RegisterError};

use crate::progress::Progress;

/// What comes along.
const BUNDLED: &str = include_str!("data_processing_pipeline.yaml");

/// What has happened when there is work.
const RECEIVED: &str = "data.batch.received";

/// A definition cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DefinitionError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {faults}", path.display())]
    Faulty { path: PathBuf, faults: Faults },
    #[error("{}: `trigger_events` lacks {RECEIVED}, the event that brings the data", path.display())]
    NotTriggered { path: PathBuf },
}

/// The run could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkflowError {
    #[error("{code}: step `{step}`: {source}", code = source.code())]
    Absent { step: String, source: LookupError },
    #[error("{code}: {0}", code = .0.code())]
    Register(#[from] RegisterError),
    #[error("{code}: {0}", code = .0.code())]
    Publish(#[from] PublishError),
    #[error("{code}: {0}", code = .0.code())]
    Find(#[from] FindError),
}

/// The run ended, and did not complete.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFailure {
    #[error("{code}: step `{step}`: {message}")]
    Step { step: String, code: String, message: String },
    #[error("the run is {0}")]
    Run(RunState),
}

/// Reads the user's definition, or if there is none the one that comes along.
pub(crate) fn definition(file: Option<&Path>) -> Result<Definition, DefinitionError> {
    let path = file.unwrap_or(Path::new("data_processing_pipeline.yaml")).to_owned();
    let text = match file.map(fs::read_to_string) {
        None => BUNDLED.to_owned(),
        Some(Ok(text)) => text,
        Some(Err(source)) => return Err(DefinitionError::Unreadable { path, source }),
    };
    match Definition::read(&text) {
        Ok(definition) if definition.trigger_events().iter().any(|topic| topic == RECEIVED) => Ok(definition),
        Ok(_) => Err(DefinitionError::NotTriggered { path }),
        Err(faults) => Err(DefinitionError::Faulty { path, faults }),
    }
}

/// Registers the definition, publishes the event that starts a run of it, and waits for the end.
pub(crate) async fn run(system: &System, definition: Definition, batch: Value) -> Result<RunReport, WorkflowError> {
    nothing_is_absent(system, &definition)?;
    let workflows = system.workflows();
    workflows.register(definition.clone()).strict().await?;
    let received = system.publish(RECEIVED, batch).await?;
    let run = workflows.run_of_event(definition.workflow_id(), received.id).await?;
    let mut progress = Progress::of(&definition);
    let mut tail = run.tail();
    while let Some(news) = tail.next().await {
        progress.tell(&news);
    }
    let ended = run.ended().await;
    progress.finish(&ended);
    Ok(ended)
}

/// Whether a run that has ended has completed; if not, the first step that failed says why, before one that could not be
/// undone because of it.
pub(crate) fn completed(ended: &RunReport) -> Result<(), RunFailure> {
    let why = ended.failed_steps().into_iter().min_by_key(|step| step.state != StepState::Failed);
    match (ended.state(), why) {
        (RunState::Completed, _) => Ok(()),
        (_, Some(TaskProgress { task, code, message, .. })) => {
            Err(RunFailure::Step { step: task, code: code.unwrap_or_default(), message: message.unwrap_or_default() })
        }
        (state, None) => Err(RunFailure::Run(state)),
    }
}

/// Registering would tell of everything that is absent; the first is enough, before anything has begun.
fn nothing_is_absent(system: &System, definition: &Definition) -> Result<(), WorkflowError> {
    for step in definition.steps() {
        let address = step.handler.to_string().parse().map_err(LookupError::from);
        let found = address.and_then(|address| system.modules().resolve(&address));
        found.map_err(|source| WorkflowError::Absent { step: step.step_id.to_string(), source })?;
    }
    Ok(())
}
