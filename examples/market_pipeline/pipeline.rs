//! The job: validate, process, correlate, store. Which module a piece of work
//! goes to next is written here; the work itself is done by the actors. Two
//! things stay with them: a processor hands each finding to the storage by
//! itself, and the storage alone knows all that was found.

use std::sync::Arc;

use callboard::prelude::{ActorRef, Recipient};
use futures::future::try_join_all;

use crate::delivery::{DeliveryError, ask_all, ask_patiently};
use crate::input::Input;
use crate::module::MissingModule;
use crate::plan::{Plan, pieces};
use crate::processor::{Measure, ProcessError};
use crate::progress::Step;
use crate::storage::{Prepare, Publish, Published, Storage, StoreError, Tidy};
use crate::table::Table;
use crate::team::{Processors, Team};
use crate::validation::Validated;
use crate::validator::{CheckRows, CheckedRows, JoinRows, Validator};

/// The road that every piece of work takes.
#[derive(Debug)]
pub(crate) struct Pipeline {
    validator: ActorRef<Validator>,
    processors: Processors,
    storage: ActorRef<Storage>,
}

/// What the job has come to.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) published: Published,
    /// Whether there was an index to compare with.
    pub(crate) compared: bool,
}

/// The job could not be finished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pipeline {
    /// A pipeline of these modules; none of them may be missing.
    pub(crate) fn of(team: &Team) -> Result<Self, MissingModule> {
        Ok(Self { validator: team.validator()?, storage: team.storage()?, processors: team.processors()? })
    }

    /// Does the whole job.
    pub(crate) async fn run(&self, input: &Input) -> Result<Finished, PipelineError> {
        ask_patiently(&self.storage.recipient(), Prepare).await??;
        let plan = Plan::of(self.validate(input).await?, input.index);
        let processors: Vec<_> = plan.series.iter().map(|planned| self.processors.start(&planned.series)).collect();
        process(&plan, &processors).await?;
        if plan.compared {
            correlate(&plan, &processors).await?;
        }
        self.store(plan).await
    }

    async fn validate(&self, input: &Input) -> Result<Vec<Validated>, DeliveryError> {
        let rows = || input.tables.iter().map(|table| table.lines.len());
        let step = Step::start("validate", rows().map(|rows| pieces(rows).count() + 1).sum());
        let tables = input.tables.iter().map(|table| self.validate_table(table, &step));
        let validated = try_join_all(tables).await?;
        let set_aside: usize = validated.iter().map(|table| table.quarantine.len()).sum();
        step.finish(format_args!("{} rows, {set_aside} of them in quarantine", rows().sum::<usize>()));
        Ok(validated)
    }

    async fn validate_table(&self, table: &Arc<Table>, step: &Step) -> Result<Validated, DeliveryError> {
        let messages = pieces(table.lines.len()).map(|lines| CheckRows { table: table.clone(), lines });
        let checked = ask_all(&self.validator.recipient(), messages, || step.advance()).await?;
        let CheckedRows { rows, faults } = CheckedRows::together(checked);
        let join = JoinRows { table: table.clone(), rows: Arc::new(rows) };
        let mut validated = ask_patiently(&self.validator.recipient(), join).await?;
        validated.quarantine.extend(faults);
        validated.quarantine.sort_by_key(|fault| fault.line);
        step.advance();
        Ok(validated)
    }

    async fn store(&self, plan: Plan) -> Result<Finished, PipelineError> {
        let step = Step::start("store", 1);
        let publish = Publish { outline: Arc::new(plan.outline), parts: plan.parts };
        let published = ask_patiently(&self.storage.recipient(), publish).await??;
        ask_patiently(&self.storage.recipient(), Tidy).await??;
        step.advance();
        step.finish(format_args!("{} parts in one file", plan.parts));
        Ok(Finished { published, compared: plan.compared })
    }
}

async fn process(plan: &Plan, processors: &[Recipient<Measure>]) -> Result<(), PipelineError> {
    let step = Step::start("process", plan.series.iter().map(|planned| planned.measures.len()).sum());
    let series = plan.series.iter().zip(processors);
    try_join_all(series.map(|(planned, processor)| measure(processor, &planned.measures, &step))).await?;
    step.finish(format_args!("drawdown and volatility of {} series", plan.series.len()));
    Ok(())
}

async fn correlate(plan: &Plan, processors: &[Recipient<Measure>]) -> Result<(), PipelineError> {
    let comparisons = || plan.series.iter().filter_map(|planned| planned.comparison.as_ref());
    let step = Step::start("correlate", comparisons().count());
    let series = plan.series.iter().zip(processors);
    try_join_all(series.map(|(planned, processor)| measure(processor, &planned.comparison, &step))).await?;
    step.finish(format_args!("{} series with the index", comparisons().count()));
    Ok(())
}

async fn measure(
    processor: &Recipient<Measure>,
    measures: impl IntoIterator<Item = &Measure>,
    step: &Step,
) -> Result<(), PipelineError> {
    let stored = ask_all(processor, measures.into_iter().cloned(), || step.advance()).await?;
    Ok(stored.into_iter().collect::<Result<(), ProcessError>>()?)
}
