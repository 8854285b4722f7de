//! Rolling volatility: the sample standard deviation (divisor n - 1) of the
//! last 21 simple returns.
//!
//! It is a figure per observation of the series, a day's or a month's, and is
//! not annualised: multiply by the square root of 252 or 12 for that. The
//! first value stands at the 22nd price, the one that ends the 21st return;
//! shorter series have none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::returns::simple_return;
use crate::series::Point;

/// How many returns a value looks back on.
pub(crate) const OBSERVATIONS: usize = 21;

/// The volatility of the returns that end on a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Volatility {
    pub(crate) date: Date,
    pub(crate) value: f64,
}

/// The values that stand at the points from the 22nd on. Each is computed
/// afresh from its own returns, so stretches of a series that overlap by
/// [`OBSERVATIONS`] can be worked on apart and in any order and give the very
/// figures that the whole would.
pub(crate) fn rolling_volatility(points: &[Point]) -> Vec<Volatility> {
    points
        .windows(OBSERVATIONS + 1)
        .zip(&points[OBSERVATIONS.min(points.len())..])
        .map(|(window, last)| Volatility { date: last.date, value: deviation(window) })
        .collect()
}

fn deviation(points: &[Point]) -> f64 {
    let returns = || points.windows(2).map(|pair| simple_return(pair[0].price, pair[1].price));
    let count = (points.len() - 1) as f64;
    let mean = returns().sum::<f64>() / count;
    let squares: f64 = returns().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn points(prices: impl IntoIterator<Item = f64>) -> Vec<Point> {
        let days = (0..).map(|day: i32| date(2000, 1, 1) + day.days());
        days.zip(prices).map(|(date, price)| Point { date, price }).collect()
    }

    fn zigzag(length: usize) -> Vec<Point> {
        points((0..length).map(|index| if index % 2 == 0 { 100.0 } else { 110.0 + index as f64 }))
    }

    #[test]
    fn twenty_one_returns_take_twenty_two_prices() {
        assert_eq!(rolling_volatility(&zigzag(21)), []);
        assert_eq!(rolling_volatility(&zigzag(22)).len(), 1);
        assert_eq!(rolling_volatility(&zigzag(30)).len(), 9);
    }

    #[test]
    fn steady_growth_has_no_volatility() {
        let points = points((0..30).map(|exponent| 1.01_f64.powi(exponent)));
        assert!(rolling_volatility(&points).iter().all(|volatility| volatility.value < 1e-15));
    }

    #[test]
    fn the_divisor_is_one_less_than_the_count() {
        // Twenty returns of 0 and a last one of 0.21: mean 0.01, squares
        // 20 * 0.0001 + 0.04 = 0.042, divided by 20 is 0.0021.
        let points = points([1.0; 21].into_iter().chain([1.21]));
        let value = rolling_volatility(&points)[0].value;
        assert!((value - 0.0021_f64.sqrt()).abs() < 1e-15, "{value}");
    }
}
