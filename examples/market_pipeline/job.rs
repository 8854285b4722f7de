//! Starts the modules, lets the workflow run, and prints what came of it.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callboard::bus::{Value, ValueError};
use callboard::prelude::System;
use callboard::workflow::RunReport;
use callboard::workflow::definition::Definition;
use callboard::{Drain, StartError};

use crate::archive::{Archive, StoreError};
use crate::chaos::Chaos;
use crate::figures::Figures;
use crate::input::{Batch, InputError};
use crate::options::Options;
use crate::pictures::{self, PicturesError};
use crate::team;
use crate::workflow::{self, DefinitionError, RunFailure, WorkflowError};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the batch cannot be handed over: {0}")]
    Batch(#[from] ValueError),
    #[error("the actors could not be started: {0}")]
    Start(#[from] StartError),
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    #[error(transparent)]
    Run(#[from] RunFailure),
}

impl JobError {
    /// 2 for an input or a workflow that cannot be used, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Input(_) | Self::Definition(_)) { 2 } else { 1 }
    }
}

/// Runs the job from the input to the last printed line.
pub(crate) async fn run(options: &Options) -> Result<(), JobError> {
    let definition = workflow::definition(options.workflow.as_deref())?;
    let batch = Value::from_serialize(&Batch::read(options.input.as_deref())?)?;
    let archive = Archive::new(folder(options));
    archive.prepare()?;
    let system = System::builder().workers(2).time_turns(true).start().await?;
    let outcome = run_in(&system, options, definition, batch, &archive).await;
    let _ = system.shutdown(Drain::within(Duration::from_secs(10))).await;
    outcome
}

async fn run_in(
    system: &System,
    options: &Options,
    definition: Definition,
    batch: Value,
    archive: &Archive,
) -> Result<(), JobError> {
    team::start(system, archive.clone(), options.chaos.unwrap_or(Chaos::NONE), options.without).await?;
    let ended = workflow::run(system, definition, batch).await?;
    print_replies(&ended);
    let [graph, chart] = pictures::draw(&ended, archive)?;
    println!("pictures: {}, {}", short(&graph).display(), short(&chart).display());
    println!("{}", Figures::of(&system.inspect(), options.chaos));
    Ok(workflow::completed(&ended)?)
}

/// What steps said to the user: a workflow of the user's own need not have a step that says `report` or `file`.
fn print_replies(ended: &RunReport) {
    let context = ended.context();
    let said = |key: &str| context.as_object()?.get(key)?.as_str().map(str::to_owned);
    if let Some(report) = said("report") {
        println!("\n{report}");
    }
    if let Some(file) = said("file") {
        println!("result file: {}", short(Path::new(&file)).display());
    }
}

fn folder(options: &Options) -> PathBuf {
    options.out.clone().unwrap_or_else(|| workspace().join("target/market_pipeline"))
}

/// The path as seen from here, if it is below.
fn short(path: &Path) -> &Path {
    let below = env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path)
}

fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
