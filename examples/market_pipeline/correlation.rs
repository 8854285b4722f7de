//! How the monthly returns of a symbol go with those of the index.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::Analysis;
use crate::returns::{Month, MonthlyReturn};

/// Pearson's coefficient over the months in which both series have a return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Correlation {
    pub(crate) symbol: String,
    pub(crate) index: String,
    pub(crate) months: usize,
    /// Absent where it is not defined: fewer than two months in common, or
    /// one of the two never changes.
    pub(crate) coefficient: Option<f64>,
}

/// Correlates each symbol with the first series of the table that is the
/// index. A series that is not of a symbol, such as the index itself, is
/// compared with nothing.
pub(crate) fn correlations(analyses: &[Analysis], index: Option<&str>) -> Vec<Correlation> {
    let Some(index) = analyses.iter().find(|analysis| Some(analysis.file.as_str()) == index) else {
        return Vec::new();
    };
    analyses.iter().filter(|analysis| analysis.named_by_rows).map(|symbol| correlate(symbol, index)).collect()
}

fn correlate(series: &Analysis, index: &Analysis) -> Correlation {
    let pairs = in_common(&series.returns, &index.returns);
    Correlation {
        symbol: series.symbol.clone(),
        index: index.symbol.clone(),
        months: pairs.len(),
        coefficient: pearson(&pairs),
    }
}

fn in_common(series: &[MonthlyReturn], index: &[MonthlyReturn]) -> Vec<(f64, f64)> {
    let index: BTreeMap<Month, f64> = index.iter().map(|monthly| (monthly.month, monthly.value)).collect();
    series.iter().filter_map(|monthly| Some((monthly.value, *index.get(&monthly.month)?))).collect()
}

fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let count = pairs.len() as f64;
    let mean_one = pairs.iter().map(|pair| pair.0).sum::<f64>() / count;
    let mean_other = pairs.iter().map(|pair| pair.1).sum::<f64>() / count;
    let sum = |product: fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|pair| product(pair.0 - mean_one, pair.1 - mean_other)).sum()
    };
    let spread = (sum(|one, _| one * one) * sum(|_, other| other * other)).sqrt();
    (spread > 0.0).then(|| sum(|one, other| one * other) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;
    use crate::frequency::Frequency;
    use crate::series::{Point, Series};

    fn analysis(file: &str, named_by_rows: bool, prices: &[(&str, f64)]) -> Analysis {
        let point = |(date, price): &(&str, f64)| Point { date: parse_date(date).expect("a date"), price: *price };
        let series = Series {
            symbol: "X".into(),
            file: file.into(),
            named_by_rows,
            frequency: Frequency::Monthly,
            points: prices.iter().map(point).collect(),
        };
        Analysis::of(&series).expect("it has points")
    }

    #[test]
    fn a_line_correlates_fully_in_its_direction() {
        let coefficient = |pairs: &[(f64, f64)]| pearson(pairs).expect("defined");
        assert!((coefficient(&[(1.0, 3.0), (2.0, 5.0), (4.0, 9.0)]) - 1.0).abs() < 1e-12);
        assert!((coefficient(&[(1.0, 3.0), (2.0, 1.0), (4.0, -3.0)]) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_textbook_case() {
        let pairs = [(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)];
        assert!((pearson(&pairs).expect("defined") - 0.6).abs() < 1e-12);
    }

    #[test]
    fn without_spread_or_pairs_it_is_not_defined() {
        assert_eq!(pearson(&[]), None);
        assert_eq!(pearson(&[(1.0, 2.0)]), None);
        assert_eq!(pearson(&[(1.0, 2.0), (1.0, 3.0)]), None);
    }

    #[test]
    fn only_months_that_both_have_count() {
        let symbol = analysis(
            "x.csv",
            true,
            &[("Feb 1 2000", 1.0), ("Mar 1 2000", 2.0), ("Apr 1 2000", 3.0), ("May 1 2000", 3.0)],
        );
        let index = analysis(
            "y.csv",
            false,
            &[("Jan 3 2000", 5.0), ("Feb 3 2000", 6.0), ("Mar 3 2000", 8.0), ("Apr 3 2000", 9.0)],
        );
        assert_eq!(correlate(&symbol, &index).months, 2);
    }

    #[test]
    fn symbols_are_compared_with_the_index_and_nothing_else_is() {
        let prices = [("Feb 1 2000", 1.0), ("Mar 1 2000", 2.0)];
        let all = [analysis("x.csv", true, &prices), analysis("y.csv", false, &prices)];
        let index = |name| correlations(&all, name).len();
        assert_eq!((index(Some("y.csv")), index(Some("z.csv")), index(None)), (1, 0, 0));
    }
}
