//! What is found out about one series as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::drawdown::{Drawdown, greatest_drawdown};
use crate::frequency::Frequency;
use crate::returns::{MonthlyReturn, monthly_returns};
use crate::series::Series;

/// A series in figures, and its monthly returns, by which it can be compared with others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Analysis {
    pub(crate) symbol: String,
    pub(crate) file: String,
    pub(crate) named_by_rows: bool,
    pub(crate) frequency: Frequency,
    pub(crate) prices: usize,
    pub(crate) first: Date,
    pub(crate) last: Date,
    pub(crate) drawdown: Option<Drawdown>,
    pub(crate) returns: Vec<MonthlyReturn>,
}

/// A series that has no point. The validator makes none, but whoever writes
/// a workflow may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the series {symbol:?} has no prices")]
pub(crate) struct EmptySeries {
    symbol: String,
}

impl Analysis {
    /// Analyses a series.
    pub(crate) fn of(series: &Series) -> Result<Self, EmptySeries> {
        let Series { symbol, file, named_by_rows, frequency, points } = series;
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(EmptySeries { symbol: symbol.clone() });
        };
        Ok(Self {
            symbol: symbol.clone(),
            file: file.clone(),
            named_by_rows: *named_by_rows,
            frequency: *frequency,
            prices: points.len(),
            first: first.date,
            last: last.date,
            drawdown: greatest_drawdown(points),
            returns: monthly_returns(points),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_without_prices_is_refused_by_name() {
        let series = Series {
            symbol: "X".into(),
            file: "x.csv".into(),
            named_by_rows: true,
            frequency: Frequency::Irregular,
            points: Vec::new(),
        };
        let error = Analysis::of(&series).expect_err("nothing to analyse");
        assert_eq!(error.to_string(), "the series \"X\" has no prices");
    }
}
