//! What one piece of analysis found out.

use serde::{Deserialize, Serialize};

use crate::correlation::Correlation;
use crate::drawdown::Drawdown;
use crate::volatility::Volatility;

/// A finding, as the processor hands it to the storage. Series are named by
/// their place in the outline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Drawdown {
        series: usize,
        greatest: Option<Drawdown>,
    },
    /// Some stretch of a series' volatility; parts are in rising order of date.
    Volatility {
        series: usize,
        values: Vec<Volatility>,
    },
    Correlation(Correlation),
}
