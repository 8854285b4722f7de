//! The module `processor_module`: measures series, and compares them.
//!
//! It has several instances, so that series are measured side by side.

use callboard::prelude::{Context, Message, module};
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

/// Measures series and compares them.
#[module(name = "processor_module", version = "1.0.0", replicas = 4)]
impl Processor {
    #[request("process_data")]
    fn process(&mut self, ProcessData { data }: ProcessData, cx: &mut Context<Self>) -> Processed {
        let processed = data.process();
        let (series, last) = (data.series, data.points.last().map(|point| point.date));
        self.chaos.strike(format_args!("processing series {series} up to {last:?}"), cx.attempt());
        processed
    }

    #[request("analyse")]
    fn analyse(&mut self, Analyse { series }: Analyse, cx: &mut Context<Self>) -> Result<Analysis, EmptySeries> {
        let analysis = Analysis::of(&series);
        self.chaos.strike(format_args!("analysing {} of {}", series.symbol, series.file), cx.attempt());
        analysis
    }

    #[request("correlate")]
    fn correlate(&mut self, work: Correlate, cx: &mut Context<Self>) -> Correlated {
        let correlations = correlations(&work.analyses, work.index.as_deref());
        self.chaos.strike("correlating", cx.attempt());
        Correlated { correlations }
    }
}
