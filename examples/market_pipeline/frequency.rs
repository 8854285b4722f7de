//! How often a series has a price, recognised from its dates.
//!
//! The measure is the median distance of neighbouring dates (of two middle
//! ones the shorter): up to 4 days is daily, so that weekends and holidays do
//! not matter; 26 to 35 days is monthly; all else is irregular and has no
//! rule for gaps. Missing stretches do not move a median, so a daily series
//! with a hole stays a daily series.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::{Date, days_between};

/// How often a series has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Frequency {
    Daily,
    Monthly,
    Irregular,
}

impl Frequency {
    /// Recognises the frequency of rising dates.
    pub(crate) fn of(dates: &[Date]) -> Self {
        match median_distance(dates) {
            Some(..=4) => Self::Daily,
            Some(26..=35) => Self::Monthly,
            Some(_) | None => Self::Irregular,
        }
    }

    /// The most days that two neighbours may lie apart without a warning.
    pub(crate) fn longest_distance(self) -> Option<i32> {
        match self {
            Self::Daily => Some(10),
            Self::Monthly => Some(45),
            Self::Irregular => None,
        }
    }

    /// The word that reports use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Monthly => "monthly",
            Self::Irregular => "irregular",
        }
    }
}

fn median_distance(dates: &[Date]) -> Option<i32> {
    let mut distances: Vec<i32> = dates.windows(2).map(|pair| days_between(pair[0], pair[1])).collect();
    distances.sort_unstable();
    distances.get(distances.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;

    fn frequency(dates: &[&str]) -> Frequency {
        let dates: Vec<Date> = dates.iter().map(|text| parse_date(text).expect("a date")).collect();
        Frequency::of(&dates)
    }

    #[test]
    fn weekends_and_holes_leave_a_series_daily() {
        assert_eq!(frequency(&["2000-01-06", "2000-01-07", "2000-01-10", "2000-01-11"]), Frequency::Daily);
        assert_eq!(frequency(&["2000-01-06", "2000-01-07", "2000-03-01"]), Frequency::Daily);
    }

    #[test]
    fn first_days_of_months_are_monthly() {
        assert_eq!(frequency(&["Jan 1 2000", "Feb 1 2000", "Mar 1 2000", "Jul 1 2000"]), Frequency::Monthly);
    }

    #[test]
    fn weeks_quarters_and_single_points_are_irregular() {
        assert_eq!(frequency(&["2000-01-03", "2000-01-10", "2000-01-17"]), Frequency::Irregular);
        assert_eq!(frequency(&["2000-01-01", "2000-04-01", "2000-07-01"]), Frequency::Irregular);
        assert_eq!(frequency(&["2000-01-01"]), Frequency::Irregular);
        assert_eq!(frequency(&[]), Frequency::Irregular);
    }
}
