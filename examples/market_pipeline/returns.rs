//! Simple returns: what a price gained or lost, as a fraction of the one before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::series::Point;

/// The return from one price to a later one: 0.1 is a gain of a tenth.
pub(crate) fn simple_return(before: f64, after: f64) -> f64 {
    after / before - 1.0
}

/// A calendar month, counted so that neighbours differ by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Month(i32);

/// The return of one month over the month before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct MonthlyReturn {
    pub(crate) month: Month,
    pub(crate) value: f64,
}

impl Month {
    /// The month that a date lies in.
    pub(crate) fn of(date: Date) -> Self {
        Self(i32::from(date.year()) * 12 + i32::from(date.month()))
    }
}

/// The returns from month to month, by the last price of each. A month whose
/// neighbour before has no price has no return: one over two months does not
/// compare with another series' return over one.
pub(crate) fn monthly_returns(points: &[Point]) -> Vec<MonthlyReturn> {
    let months: Vec<(Month, f64)> = points
        .chunk_by(|one, next| Month::of(one.date) == Month::of(next.date))
        .filter_map(<[Point]>::last)
        .map(|last| (Month::of(last.date), last.price))
        .collect();
    months
        .windows(2)
        .filter(|pair| pair[0].0.0 + 1 == pair[1].0.0)
        .map(|pair| MonthlyReturn { month: pair[1].0, value: simple_return(pair[0].1, pair[1].1) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;

    fn returns(points: &[(&str, f64)]) -> Vec<(i32, f64)> {
        let point = |(date, price): &(&str, f64)| Point { date: parse_date(date).expect("a date"), price: *price };
        let points: Vec<Point> = points.iter().map(point).collect();
        monthly_returns(&points).iter().map(|monthly| (monthly.month.0, monthly.value)).collect()
    }

    #[test]
    fn a_return_is_a_fraction_of_the_price_before() {
        assert_eq!(simple_return(4.0, 5.0), 0.25);
        assert_eq!(simple_return(4.0, 3.0), -0.25);
    }

    #[test]
    fn neighbouring_months_have_a_return_also_across_a_year() {
        let january = 2001 * 12 + 1;
        assert_eq!(returns(&[("Dec 1 2000", 2.0), ("Jan 1 2001", 3.0)]), [(january, 0.5)]);
    }

    #[test]
    fn a_missing_month_leaves_two_without_a_return() {
        assert_eq!(returns(&[("Jan 1 2000", 2.0), ("Mar 1 2000", 3.0)]), []);
    }

    #[test]
    fn the_last_price_of_a_month_counts() {
        let february = 2000 * 12 + 2;
        let points = [("2000-01-03", 9.0), ("2000-01-31", 2.0), ("2000-02-01", 7.0), ("2000-02-29", 1.0)];
        assert_eq!(returns(&points), [(february, -0.5)]);
    }
}
