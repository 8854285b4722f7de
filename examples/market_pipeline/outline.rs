//! What the result is known to hold once the tables are validated: everything but the findings.

use crate::gap::Gap;
use crate::part::Part;
use crate::quarantine::RowFault;
use crate::result_file::{ResultFile, SeriesResult};
use crate::series::Series;

/// The frame that findings are put into.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outline {
    pub(crate) series: Vec<SeriesResult>,
    pub(crate) quarantine: Vec<RowFault>,
    pub(crate) warnings: Vec<Gap>,
}

impl Outline {
    /// Adds a series that nothing is found out about yet.
    pub(crate) fn add(&mut self, series: &Series) {
        let (Some(first), Some(last)) = (series.points.first(), series.points.last()) else {
            return;
        };
        self.series.push(SeriesResult {
            symbol: series.symbol.clone(),
            file: series.file.clone(),
            frequency: series.frequency,
            prices: series.points.len(),
            first: first.date,
            last: last.date,
            drawdown: None,
            volatility: Vec::new(),
        });
    }

    /// The result, once every finding is at its place.
    pub(crate) fn complete(&self, parts: impl IntoIterator<Item = Part>) -> ResultFile {
        let mut result = ResultFile {
            version: ResultFile::VERSION,
            series: self.series.clone(),
            correlations: Vec::new(),
            quarantine: self.quarantine.clone(),
            warnings: self.warnings.clone(),
        };
        parts.into_iter().for_each(|part| result.put(part));
        result
    }
}
