//! The module `processor_module`: measures series, and compares them.
//!
//! It has several instances, so that series are measured side by side.

use callboard::SyncHandler;
use callboard::prelude::{Actor, Context, Fault, Message};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, EmptySeries};
use crate::chaos::Chaos;
use crate::correlation::{Correlation, correlations};
use crate::series::Series;
use crate::stretch::{Processed, Stretch};

/// Finds the rolling figures of a stretch of a series.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = Processed, keep)]
pub(crate) struct ProcessData {
    data: Stretch,
}

/// Finds the figures of a series as a whole.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = Result<Analysis, EmptySeries>, keep)]
pub(crate) struct Analyse {
    series: Series,
}

/// Compares the symbols with the index, if there is one.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = Correlated, keep)]
pub(crate) struct Correlate {
    analyses: Vec<Analysis>,
    /// The table that holds the index.
    index: Option<String>,
}

/// What the comparison found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Correlated {
    correlations: Vec<Correlation>,
}

/// Holds no state, so a restart forgets nothing.
#[derive(Debug)]
pub(crate) struct Processor {
    pub(crate) chaos: Chaos,
}

impl Actor for Processor {}

impl SyncHandler<ProcessData> for Processor {
    fn handle(&mut self, ProcessData { data }: ProcessData, cx: &mut Context<Self>) -> Result<Processed, Fault> {
        let processed = data.process();
        let (series, last) = (data.series, data.points.last().map(|point| point.date));
        self.chaos.strike(format_args!("processing series {series} up to {last:?}"), cx.attempt());
        Ok(processed)
    }
}

impl SyncHandler<Analyse> for Processor {
    fn handle(&mut self, work: Analyse, cx: &mut Context<Self>) -> Result<Result<Analysis, EmptySeries>, Fault> {
        let Analyse { series } = work;
        let analysis = Analysis::of(&series);
        self.chaos.strike(format_args!("analysing {} of {}", series.symbol, series.file), cx.attempt());
        Ok(analysis)
    }
}

impl SyncHandler<Correlate> for Processor {
    fn handle(&mut self, work: Correlate, cx: &mut Context<Self>) -> Result<Correlated, Fault> {
        let correlations = correlations(&work.analyses, work.index.as_deref());
        self.chaos.strike("correlating", cx.attempt());
        Ok(Correlated { correlations })
    }
}
