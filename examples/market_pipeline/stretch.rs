//! A stretch of a series: a piece that can be processed apart from the others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::series::{Point, Series};
use crate::volatility::{OBSERVATIONS, Volatility, rolling_volatility};

/// So many points make a stretch, beside those that it looks back on.
const STRETCH: usize = 32;

/// Some points of a series, with those before them that a rolling figure looks back on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stretch {
    /// The place of the series in its list.
    pub(crate) series: usize,
    pub(crate) points: Vec<Point>,
}

/// The rolling figures of a stretch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Processed {
    pub(crate) series: usize,
    pub(crate) values: Vec<Volatility>,
}

impl Stretch {
    /// Cuts the series at this place of a list.
    pub(crate) fn all_of(place: usize, series: &Series) -> impl Iterator<Item = Self> + '_ {
        let points = &series.points;
        (0..points.len()).step_by(STRETCH).map(move |start| Self {
            series: place,
            points: points[start.saturating_sub(OBSERVATIONS)..points.len().min(start + STRETCH)].to_vec(),
        })
    }

    /// Finds the rolling figures.
    pub(crate) fn process(&self) -> Processed {
        Processed { series: self.series, values: rolling_volatility(&self.points) }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;
    use crate::frequency::Frequency;

    fn series(length: i32) -> Series {
        let price = |day: i32| if day % 2 == 0 { 100.0 } else { 110.0 + f64::from(day) };
        let points = (0..length).map(|day| Point { date: date(2000, 1, 1) + day.days(), price: price(day) });
        Series {
            symbol: "X".into(),
            file: "x.csv".into(),
            named_by_rows: true,
            frequency: Frequency::Daily,
            points: points.collect(),
        }
    }

    #[test]
    fn stretches_processed_apart_give_the_figures_of_the_whole() {
        for length in [0, 1, 21, 22, 31, 32, 33, 53, 54, 100] {
            let series = series(length);
            let apart = Stretch::all_of(3, &series).map(|stretch| stretch.process());
            assert_eq!(
                apart.flat_map(|processed| processed.values).collect::<Vec<_>>(),
                rolling_volatility(&series.points)
            );
        }
    }
}
