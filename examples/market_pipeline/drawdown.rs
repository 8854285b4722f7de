//! The greatest drawdown: the deepest fall from a high to a later low.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::returns::simple_return;
use crate::series::Point;

/// The deepest fall of a series. Of equally deep ones the earliest counts,
/// and of equally high peaks before a trough the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Drawdown {
    pub(crate) peak: Point,
    pub(crate) trough: Point,
    /// The return from peak to trough: -0.568 is a loss of 56.8 %.
    pub(crate) change: f64,
}

/// The greatest drawdown, or nothing if no price is below an earlier one.
pub(crate) fn greatest_drawdown(points: &[Point]) -> Option<Drawdown> {
    let mut peak = *points.first()?;
    let mut greatest: Option<Drawdown> = None;
    for &point in points {
        if point.price > peak.price {
            peak = point;
        }
        let change = simple_return(peak.price, point.price);
        if change < greatest.map_or(0.0, |drawdown| drawdown.change) {
            greatest = Some(Drawdown { peak, trough: point, change });
        }
    }
    greatest
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn points(prices: &[f64]) -> Vec<Point> {
        let days = (0..).map(|day: i32| date(2000, 1, 1) + day.days());
        days.zip(prices).map(|(date, &price)| Point { date, price }).collect()
    }

    fn prices(series: &[f64]) -> Option<(f64, f64)> {
        greatest_drawdown(&points(series)).map(|drawdown| (drawdown.peak.price, drawdown.trough.price))
    }

    /// Every pair of a price and a later one.
    fn deepest_by_trying_all(points: &[Point]) -> Option<Drawdown> {
        let mut deepest: Option<Drawdown> = None;
        for (end, &trough) in points.iter().enumerate() {
            for &peak in &points[..end] {
                let change = simple_return(peak.price, trough.price);
                if change < deepest.map_or(0.0, |deepest| deepest.change) {
                    deepest = Some(Drawdown { peak, trough, change });
                }
            }
        }
        deepest
    }

    #[test]
    fn the_deepest_fall_need_not_start_at_the_highest_price() {
        assert_eq!(prices(&[10.0, 4.0, 20.0, 11.0]), Some((10.0, 4.0)));
    }

    #[test]
    fn the_low_must_come_after_the_high() {
        assert_eq!(prices(&[1.0, 5.0, 4.0, 6.0]), Some((5.0, 4.0)));
    }

    #[test]
    fn a_series_that_never_falls_has_none() {
        assert_eq!(prices(&[1.0, 1.0, 2.0]), None);
        assert_eq!(prices(&[1.0]), None);
        assert_eq!(prices(&[]), None);
    }

    #[test]
    fn of_equals_the_first_counts() {
        let drawdown = greatest_drawdown(&points(&[4.0, 4.0, 2.0, 4.0, 2.0])).expect("it falls");
        assert_eq!((drawdown.peak.date, drawdown.trough.date), (date(2000, 1, 1), date(2000, 1, 3)));
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_trying_all_pairs_finds(series in prop::collection::vec(1..40_u32, 0..60)) {
            let series: Vec<f64> = series.into_iter().map(f64::from).collect();
            let points = points(&series);
            prop_assert_eq!(greatest_drawdown(&points), deepest_by_trying_all(&points));
        }
    }
}
