//! Starts the waiters, runs the workflow, and says what came of it.

use std::time::Duration;

use callboard::bus::Value;
use callboard::workflow::run::RunState;
use callboard::workflow::{RunReport, WorkflowsExt, workflows};
use callboard::{Drain, StartError, System};

use crate::instance::{Instance, InstanceError};
use crate::options::Options;
use crate::report::{Pictures, PicturesError, Report};
use crate::waiter;

/// What the framework may take beyond what the steps wait.
const MARGIN: Duration = Duration::from_secs(3600);

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    #[error("the actors could not be started")]
    Start(#[from] StartError),
    #[error("the workflow could not be registered")]
    Workflow(#[from] workflows::RegisterError),
    #[error("the run could not be started")]
    Run(#[from] workflows::StartError),
    #[error("the run is {state}{why}")]
    Ended { state: RunState, why: String },
}

impl JobError {
    /// 2 for what was asked for wrongly, 1 for what went wrong.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Instance(_) | Self::Pictures(_)) { 2 } else { 1 }
    }
}

/// Runs the job from the file to the last printed line.
pub(crate) async fn run(options: &Options) -> Result<(), JobError> {
    let instance = Instance::read(&options.file, options.scale)?;
    let pictures = options.svg.as_deref().map(Pictures::prepare).transpose()?;
    let system = System::builder().start().await?;
    let ended = run_in(&system, &instance, options.scale).await;
    let _ = system.shutdown(Drain::within(Duration::from_secs(10))).await;
    let ended = ended?;
    print!("{}", Report { instance: &instance, scale: options.scale, ended: &ended });
    if let Some(pictures) = pictures {
        pictures.draw(&ended)?;
        println!("{pictures}");
    }
    Ok(())
}

async fn run_in(system: &System, instance: &Instance, scale: f64) -> Result<RunReport, JobError> {
    let definition = &instance.definition;
    // Whoever does not wait is never in the way.
    waiter::start(system, if scale > 0.0 { definition.steps().len() } else { 1 }).await?;
    let workflows = system.workflows();
    workflows.run_timeout(instance.total().saturating_add(MARGIN));
    workflows.register(definition.clone()).await?;
    let run = workflows.start(definition.workflow_id(), Value::Null).id("run").await?;
    let ended = run.ended().await;
    let failed = ended.failed_steps().into_iter().next();
    let why =
        failed.map_or_else(String::new, |step| format!(", as of {}: {}", step.task, step.message.unwrap_or_default()));
    match ended.state() {
        RunState::Completed => Ok(ended),
        state => Err(JobError::Ended { state, why }),
    }
}
