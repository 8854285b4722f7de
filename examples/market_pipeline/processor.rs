//! The processor actor: measures one series and hands what it found to the storage.
//!
//! There is one for each series, so that the series are measured side by side.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use callboard::prelude::{Actor, Context, Fault, Handler, Message, Recipient};

use crate::chaos::Chaos;
use crate::correlation::correlate;
use crate::delivery::{DeliveryError, ask_patiently};
use crate::drawdown::greatest_drawdown;
use crate::part::Part;
use crate::series::Series;
use crate::storage::{StoreError, StorePart};
use crate::volatility::rolling_volatility;

/// A piece of analysis. Its answer means: measured and stored.
#[derive(Debug, Clone, Message)]
#[message(reply = Result<(), ProcessError>, keep)]
pub(crate) struct Measure {
    /// The number under which the finding is stored.
    pub(crate) number: u32,
    pub(crate) series: Arc<Series>,
    /// The place of the series in the outline.
    pub(crate) place: usize,
    pub(crate) measurement: Measurement,
}

/// What is to be found out about a series.
#[derive(Debug, Clone)]
pub(crate) enum Measurement {
    Drawdown,
    /// The rolling volatility at some of the points.
    Volatility(Range<usize>),
    CorrelationWith(Arc<Series>),
}

/// A finding could not be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// Holds no state of its own, so a restart forgets nothing.
#[derive(Debug)]
pub(crate) struct Processor {
    pub(crate) storage: Recipient<StorePart>,
    pub(crate) chaos: Chaos,
}

impl Actor for Processor {}

impl Handler<Measure> for Processor {
    async fn handle(&mut self, work: Measure, cx: &mut Context<Self>) -> Result<Result<(), ProcessError>, Fault> {
        let part = Arc::new(work.part());
        self.chaos.strike(&work, cx.attempt());
        Ok(self.hand_on(work.number, part).await)
    }
}

impl Processor {
    async fn hand_on(&self, number: u32, part: Arc<Part>) -> Result<(), ProcessError> {
        ask_patiently(&self.storage, StorePart { number, part }).await??;
        Ok(())
    }
}

impl Measure {
    fn part(&self) -> Part {
        let points = &self.series.points;
        match &self.measurement {
            Measurement::Drawdown => Part::Drawdown { series: self.place, greatest: greatest_drawdown(points) },
            Measurement::Volatility(range) => {
                Part::Volatility { series: self.place, values: rolling_volatility(points, range.clone()) }
            }
            Measurement::CorrelationWith(index) => Part::Correlation(correlate(&self.series, index)),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "measuring part {} of {}", self.number, self.series.symbol)
    }
}
