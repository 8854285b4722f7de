//! Stretches without a price that are longer than a series' frequency explains.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::{Date, days_between};
use crate::series::Series;

/// A warning: no price between two neighbouring dates that lie far apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Gap {
    pub(crate) file: String,
    pub(crate) symbol: String,
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) days: i32,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, symbol, from, to, days } = self;
        write!(f, "{file}, {symbol}: no price for {days} days from {from} to {to}")
    }
}

/// The gaps of a series: more than 10 days in a daily one, 45 in a monthly one.
pub(crate) fn gaps(series: &Series) -> Vec<Gap> {
    let Some(longest) = series.frequency.longest_distance() else {
        return Vec::new();
    };
    let neighbours = series.points.windows(2).map(|pair| (pair[0].date, pair[1].date));
    neighbours
        .map(|(from, to)| Gap {
            file: series.file.clone(),
            symbol: series.symbol.clone(),
            from,
            to,
            days: days_between(from, to),
        })
        .filter(|gap| gap.days > longest)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;
    use crate::frequency::Frequency;
    use crate::series::Point;

    fn days_of_gaps(frequency: Frequency, dates: &[&str]) -> Vec<i32> {
        let point = |text: &&str| Point { date: parse_date(text).expect("a date"), price: 1.0 };
        let series = Series {
            symbol: "X".into(),
            file: "x.csv".into(),
            named_by_rows: true,
            frequency,
            points: dates.iter().map(point).collect(),
        };
        gaps(&series).iter().map(|gap| gap.days).collect()
    }

    #[test]
    fn ten_days_are_no_gap_in_a_daily_series_and_eleven_are() {
        assert_eq!(days_of_gaps(Frequency::Daily, &["2000-01-01", "2000-01-11", "2000-01-22"]), [11]);
    }

    #[test]
    fn forty_five_days_are_no_gap_in_a_monthly_series_and_forty_six_are() {
        assert_eq!(days_of_gaps(Frequency::Monthly, &["2001-01-01", "2001-02-15", "2001-04-02"]), [46]);
    }

    #[test]
    fn an_irregular_series_has_no_rule() {
        assert_eq!(days_of_gaps(Frequency::Irregular, &["2000-01-01", "2009-01-01"]), [0; 0]);
    }

    #[test]
    fn a_gap_reads_as_one_line() {
        let (from, to) = (parse_date("2001-01-01").expect("a date"), parse_date("2001-02-01").expect("a date"));
        let gap = Gap { file: "x.csv".into(), symbol: "X".into(), from, to, days: 31 };
        assert_eq!(gap.to_string(), "x.csv, X: no price for 31 days from 2001-01-01 to 2001-02-01");
    }
}
