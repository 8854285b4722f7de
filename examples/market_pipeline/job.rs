//! Starts the actors, lets the pipeline run, and prints what came of it.

use std::env;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use callboard::prelude::System;
use callboard::{Drain, StartError, one_for_one};

use crate::archive::Archive;
use crate::chaos::Chaos;
use crate::figures::Figures;
use crate::input::{Input, InputError};
use crate::module::MissingModule;
use crate::options::Options;
use crate::pipeline::{Finished, Pipeline, PipelineError};
use crate::report::report;
use crate::team::Team;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Missing(#[from] MissingModule),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("the actors could not be started: {0}")]
    Start(#[from] StartError),
}

impl JobError {
    /// 2 for an input that cannot be used, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Missing(_) | Self::Pipeline(_) | Self::Start(_) => 1,
        }
    }
}

/// Runs the job from the input to the last printed line.
pub(crate) async fn run(options: &Options) -> Result<(), JobError> {
    let input = Input::read(options.input.as_deref())?;
    let system = System::builder().workers(2).time_turns(true).start().await?;
    let outcome = run_in(&system, options, &input).await;
    let _ = system.shutdown(Drain::within(Duration::from_secs(10))).await;
    outcome
}

async fn run_in(system: &System, options: &Options, input: &Input) -> Result<(), JobError> {
    let supervisor = system.supervise(one_for_one().name("market_pipeline")).await?;
    let archive = Archive::new(folder(options), process::id());
    let team = Team::start(&supervisor, archive, options.chaos.unwrap_or(Chaos::NONE), options.without);
    let finished = Pipeline::of(&team)?.run(input).await?;
    print(&finished);
    println!("{}", Figures::of(&system.inspect(), options.chaos));
    Ok(())
}

fn print(finished: &Finished) {
    let Finished { published, compared } = finished;
    println!("\n{}", report(&published.result, *compared));
    println!("result file: {}", short(&published.path).display());
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
