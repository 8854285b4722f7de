//! Which pieces the work is cut into.

use std::ops::Range;
use std::sync::Arc;

use crate::outline::Outline;
use crate::processor::{Measure, Measurement};
use crate::series::Series;
use crate::validation::Validated;

/// So many rows or points make a piece. Small pieces make many turns, each of
/// which can fail and be repeated without much being lost.
const PIECE: usize = 40;

/// All that is to be found out, in numbered pieces.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) outline: Outline,
    pub(crate) series: Vec<PlannedSeries>,
    /// Whether there is an index to compare with.
    pub(crate) compared: bool,
    /// How many findings there will be.
    pub(crate) parts: u32,
}

/// What is to be found out about one series.
#[derive(Debug)]
pub(crate) struct PlannedSeries {
    pub(crate) series: Arc<Series>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) comparison: Option<Measure>,
}

impl Plan {
    /// Plans the analysis of validated tables. `index` is the place of the
    /// table that the symbols of the others are compared with; a series that
    /// is not of a symbol, such as the index itself, is compared with nothing.
    pub(crate) fn of(tables: Vec<Validated>, index: Option<usize>) -> Self {
        let index = index.and_then(|place| tables[place].series.first().cloned()).map(Arc::new);
        let mut plan = Self { compared: index.is_some(), ..Self::default() };
        for table in tables {
            plan.outline.quarantine.extend(table.quarantine);
            plan.outline.warnings.extend(table.warnings);
            table.series.into_iter().for_each(|series| plan.add(Arc::new(series)));
        }
        if let Some(index) = index {
            plan.compare(&index);
        }
        plan
    }

    fn add(&mut self, series: Arc<Series>) {
        self.outline.add(&series);
        let place = self.series.len();
        let windows = pieces(series.points.len()).map(Measurement::Volatility);
        let measures = [Measurement::Drawdown].into_iter().chain(windows);
        let measures = measures.map(|measurement| self.number(place, &series, measurement)).collect();
        self.series.push(PlannedSeries { series, measures, comparison: None });
    }

    fn compare(&mut self, index: &Arc<Series>) {
        for place in 0..self.series.len() {
            let series = self.series[place].series.clone();
            if series.named_by_rows {
                let comparison = self.number(place, &series, Measurement::CorrelationWith(index.clone()));
                self.series[place].comparison = Some(comparison);
            }
        }
    }

    fn number(&mut self, place: usize, series: &Arc<Series>, measurement: Measurement) -> Measure {
        let number = self.parts;
        self.parts += 1;
        Measure { number, series: series.clone(), place, measurement }
    }
}

/// Cuts a length into pieces.
pub(crate) fn pieces(length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(PIECE).map(move |start| start..length.min(start + PIECE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;
    use crate::frequency::Frequency;
    use crate::series::Point;

    fn table(symbol: &str, named_by_rows: bool, length: usize) -> Validated {
        let point = Point { date: parse_date("2000-01-01").expect("a date"), price: 1.0 };
        let series = Series {
            symbol: symbol.into(),
            file: "a.csv".into(),
            named_by_rows,
            frequency: Frequency::Irregular,
            points: vec![point; length],
        };
        Validated { series: vec![series], quarantine: Vec::new(), warnings: Vec::new() }
    }

    #[test]
    fn pieces_cover_a_length_without_overlap() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE] {
            let covered: Vec<usize> = pieces(length).flatten().collect();
            assert_eq!(covered, (0..length).collect::<Vec<_>>());
        }
    }

    #[test]
    fn parts_are_numbered_without_gaps() {
        let plan = Plan::of(vec![table("A", true, 100), table("index", false, 50)], Some(1));
        let comparisons = plan.series.iter().filter_map(|series| series.comparison.as_ref());
        let measures = plan.series.iter().flat_map(|series| &series.measures);
        let numbers: Vec<u32> = measures.chain(comparisons).map(|measure| measure.number).collect();
        assert_eq!(numbers, (0..plan.parts).collect::<Vec<_>>());
    }

    #[test]
    fn only_symbols_are_compared_and_only_with_an_index() {
        let tables = || vec![table("A", true, 1), table("index", false, 1)];
        let compared =
            |plan: Plan| -> Vec<bool> { plan.series.iter().map(|series| series.comparison.is_some()).collect() };
        assert_eq!(compared(Plan::of(tables(), Some(1))), [true, false]);
        assert_eq!(compared(Plan::of(tables(), None)), [false, false]);
    }
}
