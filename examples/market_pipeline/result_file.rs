//! The shape of the result file, version 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::Analysis;
use crate::correlation::Correlation;
use crate::date::Date;
use crate::drawdown::Drawdown;
use crate::frequency::Frequency;
use crate::gap::Gap;
use crate::quarantine::RowFault;
use crate::stretch::Processed;
use crate::volatility::Volatility;

/// All that the job found out. It holds no times of day and no paths of this
/// machine, so the same input gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ResultFile {
    pub(crate) version: u32,
    pub(crate) series: Vec<SeriesResult>,
    pub(crate) correlations: Vec<Correlation>,
    pub(crate) quarantine: Vec<RowFault>,
    pub(crate) warnings: Vec<Gap>,
}

/// What was found out about one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeriesResult {
    pub(crate) symbol: String,
    pub(crate) file: String,
    pub(crate) frequency: Frequency,
    pub(crate) prices: usize,
    pub(crate) first: Date,
    pub(crate) last: Date,
    pub(crate) drawdown: Option<Drawdown>,
    pub(crate) volatility: Vec<Volatility>,
}

/// What the steps of the job have found out, each in its own list.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct Findings {
    /// In the order of the series.
    pub(crate) analyses: Vec<Analysis>,
    /// In the order of the points of each series.
    pub(crate) volatility: Vec<Processed>,
    pub(crate) correlations: Vec<Correlation>,
    pub(crate) quarantine: Vec<RowFault>,
    pub(crate) warnings: Vec<Gap>,
}

impl ResultFile {
    /// Raised whenever a reader of the old shape would misread the new one.
    pub(crate) const VERSION: u32 = 1;

    /// Puts everything at its place.
    pub(crate) fn of(findings: Findings) -> Self {
        let mut series: Vec<_> = findings.analyses.into_iter().map(SeriesResult::of).collect();
        for Processed { series: place, values } in findings.volatility {
            if let Some(series) = series.get_mut(place) {
                series.volatility.extend(values);
            }
        }
        let Findings { correlations, quarantine, warnings, .. } = findings;
        Self { version: Self::VERSION, series, correlations, quarantine, warnings }
    }

    /// The file's bytes.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl SeriesResult {
    /// Without the volatility, which is found apart.
    fn of(analysis: Analysis) -> Self {
        let Analysis { symbol, file, frequency, prices, first, last, drawdown, .. } = analysis;
        Self { symbol, file, frequency, prices, first, last, drawdown, volatility: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;
    use crate::series::{Point, Series};

    const GOLDEN: &str = r#"{
  "version": 1,
  "series": [
    {
      "symbol": "IBM",
      "file": "stocks.csv",
      "frequency": "irregular",
      "prices": 2,
      "first": "2000-01-01",
      "last": "2000-02-01",
      "drawdown": {
        "peak": {
          "date": "2000-01-01",
          "price": 4.0
        },
        "trough": {
          "date": "2000-02-01",
          "price": 3.0
        },
        "change": -0.25
      },
      "volatility": [
        {
          "date": "2000-02-01",
          "value": 0.1
        }
      ]
    }
  ],
  "correlations": [
    {
      "symbol": "IBM",
      "index": "sp500",
      "months": 1,
      "coefficient": null
    }
  ],
  "quarantine": [
    {
      "file": "stocks.csv",
      "line": 4,
      "column": "price",
      "reason": "\"\" is no number"
    }
  ],
  "warnings": [
    {
      "file": "stocks.csv",
      "symbol": "IBM",
      "from": "2000-01-01",
      "to": "2000-02-01",
      "days": 31
    }
  ]
}
"#;

    fn point(date: &str, price: f64) -> Point {
        Point { date: parse_date(date).expect("a date"), price }
    }

    fn result() -> ResultFile {
        let (first, last) = (point("2000-01-01", 4.0), point("2000-02-01", 3.0));
        let series = Series {
            symbol: "IBM".into(),
            file: "stocks.csv".into(),
            named_by_rows: true,
            frequency: Frequency::Irregular,
            points: vec![first, last],
        };
        ResultFile::of(Findings {
            analyses: vec![Analysis::of(&series).expect("it has points")],
            volatility: vec![Processed { series: 0, values: vec![Volatility { date: last.date, value: 0.1 }] }],
            correlations: vec![Correlation {
                symbol: "IBM".into(),
                index: "sp500".into(),
                months: 1,
                coefficient: None,
            }],
            quarantine: vec![RowFault {
                file: "stocks.csv".into(),
                line: 4,
                column: "price".into(),
                reason: "\"\" is no number".into(),
            }],
            warnings: vec![Gap {
                file: "stocks.csv".into(),
                symbol: "IBM".into(),
                from: first.date,
                to: last.date,
                days: 31,
            }],
        })
    }

    #[test]
    fn version_1_has_these_very_bytes() {
        assert_eq!(result().to_json().expect("it serialises"), GOLDEN);
    }

    #[test]
    fn a_file_of_version_1_can_be_read() {
        let read: ResultFile = serde_json::from_str(GOLDEN).expect("it parses");
        assert_eq!(read, result());
    }
}
