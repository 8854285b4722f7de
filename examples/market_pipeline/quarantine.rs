//! What was wrong with a row that the job set aside.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One malformed row: where it stands, and why it takes no part in the analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RowFault {
    pub(crate) file: String,
    /// Counted from 1, the header included, as an editor counts.
    pub(crate) line: u64,
    /// The column's name in the header, or its number where the header has none.
    pub(crate) column: String,
    pub(crate) reason: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, reason } = self;
        write!(f, "{file}, line {line}, column {column}: {reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_as_one_line() {
        let fault = RowFault {
            file: "prices.csv".into(),
            line: 17,
            column: "close".into(),
            reason: "\"n/a\" is no number".into(),
        };
        assert_eq!(fault.to_string(), "prices.csv, line 17, column close: \"n/a\" is no number");
    }
}
