//! The prices of one symbol, in rising order of date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::frequency::Frequency;

/// A price on a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Point {
    pub(crate) date: Date,
    pub(crate) price: f64,
}

/// The validated prices of one symbol: at least one, each later than the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Series {
    pub(crate) symbol: String,
    pub(crate) file: String,
    /// Whether the rows themselves named the symbol. If not, the file is
    /// about one thing only and the series bears the file's name.
    pub(crate) named_by_rows: bool,
    pub(crate) frequency: Frequency,
    pub(crate) points: Vec<Point>,
}
