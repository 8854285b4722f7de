//! The shape of the result file, version 1.

use serde::{Deserialize, Serialize};

use crate::correlation::Correlation;
use crate::date::Date;
use crate::drawdown::Drawdown;
use crate::frequency::Frequency;
use crate::gap::Gap;
use crate::part::Part;
use crate::quarantine::RowFault;
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

impl ResultFile {
    /// Raised whenever a reader of the old shape would misread the new one.
    pub(crate) const VERSION: u32 = 1;

    /// Puts a finding at its place.
    pub(crate) fn put(&mut self, part: Part) {
        match part {
            Part::Drawdown { series, greatest } => self.series[series].drawdown = greatest,
            Part::Volatility { series, values } => self.series[series].volatility.extend(values),
            Part::Correlation(correlation) => self.correlations.push(correlation),
        }
    }

    /// The file's bytes.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;
    use crate::outline::Outline;
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

    fn outline() -> Outline {
        let (first, last) = (point("2000-01-01", 4.0), point("2000-02-01", 3.0));
        let mut outline = Outline::default();
        outline.add(&Series {
            symbol: "IBM".into(),
            file: "stocks.csv".into(),
            named_by_rows: true,
            frequency: Frequency::Irregular,
            points: vec![first, last],
        });
        outline.quarantine.push(RowFault {
            file: "stocks.csv".into(),
            line: 4,
            column: "price".into(),
            reason: "\"\" is no number".into(),
        });
        outline.warnings.push(Gap {
            file: "stocks.csv".into(),
            symbol: "IBM".into(),
            from: first.date,
            to: last.date,
            days: 31,
        });
        outline
    }

    fn parts() -> [Part; 3] {
        let (peak, trough) = (point("2000-01-01", 4.0), point("2000-02-01", 3.0));
        [
            Part::Drawdown { series: 0, greatest: Some(Drawdown { peak, trough, change: -0.25 }) },
            Part::Volatility { series: 0, values: vec![Volatility { date: trough.date, value: 0.1 }] },
            Part::Correlation(Correlation {
                symbol: "IBM".into(),
                index: "sp500".into(),
                months: 1,
                coefficient: None,
            }),
        ]
    }

    #[test]
    fn version_1_has_these_very_bytes() {
        assert_eq!(outline().complete(parts()).to_json().expect("it serialises"), GOLDEN);
    }

    #[test]
    fn a_file_of_version_1_can_be_read() {
        let result: ResultFile = serde_json::from_str(GOLDEN).expect("it parses");
        assert_eq!(result, outline().complete(parts()));
    }
}
