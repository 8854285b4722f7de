//! The report: what the user reads at the end.

use std::fmt::{Display, Write};

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use crate::correlation::Correlation;
use crate::result_file::{ResultFile, SeriesResult};

/// What stands where there is no figure.
const NONE: &str = "–";

/// So many rows of quarantine and warnings are printed; the result file has them all.
const LINES_SHOWN: usize = 20;

const SERIES_HEADER: [&str; 8] =
    ["series", "frequency", "prices", "drawdown", "from peak", "to trough", "last volatility", "highest"];
const CORRELATION_HEADER: [&str; 4] = ["series", "index", "months", "correlation"];

/// Lays the whole report out. `compared` says whether there was an index to compare with.
pub(crate) fn report(result: &ResultFile, compared: bool) -> String {
    let mut text = format!("{}\n\n", series_table(&result.series));
    if compared {
        text += &format!("{}\n\n", correlation_table(&result.correlations));
    } else {
        text += "no correlation table: the input comes without a monthly index series\n\n";
    }
    list(&mut text, "in quarantine", &result.quarantine);
    list(&mut text, "gaps (a warning)", &result.warnings);
    text
}

fn series_table(series: &[SeriesResult]) -> Table {
    let mut table = table(&SERIES_HEADER, &[2, 3, 6, 7]);
    table.add_rows(series.iter().map(series_row));
    table
}

fn series_row(series: &SeriesResult) -> [String; 8] {
    let drawdown = series.drawdown.as_ref();
    let volatility = || series.volatility.iter().map(|volatility| volatility.value);
    [
        series.symbol.clone(),
        series.frequency.word().to_owned(),
        series.prices.to_string(),
        format!("{:.1} %", drawdown.map_or(0.0, |drawdown| drawdown.change * 100.0)),
        or_none(drawdown.map(|drawdown| drawdown.peak.date)),
        or_none(drawdown.map(|drawdown| drawdown.trough.date)),
        or_none(volatility().next_back().map(percent)),
        or_none(volatility().max_by(f64::total_cmp).map(percent)),
    ]
}

fn correlation_table(correlations: &[Correlation]) -> Table {
    let mut table = table(&CORRELATION_HEADER, &[2, 3]);
    table.add_rows(correlations.iter().map(|correlation| {
        [
            correlation.symbol.clone(),
            correlation.index.clone(),
            correlation.months.to_string(),
            or_none(correlation.coefficient.map(|coefficient| format!("{coefficient:.3}"))),
        ]
    }));
    table
}

fn table(header: &[&str], figures: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for index in figures {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn percent(fraction: f64) -> String {
    format!("{:.2} %", fraction * 100.0)
}

fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

/// Says how many there are, and shows the first of them.
fn list(text: &mut String, title: &str, items: &[impl Display]) {
    let _ = writeln!(text, "{title}: {}", items.len());
    for item in items.iter().take(LINES_SHOWN) {
        let _ = writeln!(text, "  {item}");
    }
    if items.len() > LINES_SHOWN {
        let _ = writeln!(text, "  and {} more in the result file", items.len() - LINES_SHOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;
    use crate::drawdown::Drawdown;
    use crate::frequency::Frequency;
    use crate::quarantine::RowFault;
    use crate::series::Point;
    use crate::volatility::Volatility;

    fn series() -> SeriesResult {
        let point = |date: &str, price| Point { date: parse_date(date).expect("a date"), price };
        let (peak, trough) = (point("2007-10-09", 100.0), point("2009-03-09", 43.2));
        let volatility = |value| Volatility { date: trough.date, value };
        SeriesResult {
            symbol: "sp500".into(),
            file: "sp500.csv".into(),
            frequency: Frequency::Daily,
            prices: 40,
            first: peak.date,
            last: trough.date,
            drawdown: Some(Drawdown { peak, trough, change: -0.568 }),
            volatility: vec![volatility(0.031), volatility(0.0125)],
        }
    }

    fn result() -> ResultFile {
        ResultFile {
            version: ResultFile::VERSION,
            series: vec![series(), SeriesResult { drawdown: None, volatility: Vec::new(), ..series() }],
            correlations: vec![Correlation {
                symbol: "IBM".into(),
                index: "sp500".into(),
                months: 122,
                coefficient: Some(0.5),
            }],
            quarantine: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn each_series_has_its_row_and_missing_figures_a_dash() {
        let expected = "\
| series | frequency | prices | drawdown | from peak  | to trough  | last volatility | highest |
|--------|-----------|--------|----------|------------|------------|-----------------|---------|
| sp500  | daily     |     40 |  -56.8 % | 2007-10-09 | 2009-03-09 |          1.25 % |  3.10 % |
| sp500  | daily     |     40 |    0.0 % | –          | –          |               – |       – |

| series | index | months | correlation |
|--------|-------|--------|-------------|
| IBM    | sp500 |    122 |       0.500 |

in quarantine: 0
gaps (a warning): 0
";
        assert_eq!(report(&result(), true), expected);
    }

    #[test]
    fn without_an_index_a_line_says_so() {
        let text = report(&result(), false);
        assert!(text.contains("no correlation table: the input comes without a monthly index series\n"));
        assert!(!text.contains("months"));
    }

    #[test]
    fn long_lists_are_cut() {
        let fault = |line| RowFault { file: "a.csv".into(), line, column: "date".into(), reason: "bad".into() };
        let result = ResultFile { quarantine: (1..=25).map(fault).collect(), ..result() };
        let text = report(&result, true);
        assert!(text.contains("in quarantine: 25\n  a.csv, line 1, column date: bad\n"));
        assert!(text.contains("line 20,") && !text.contains("line 21,"));
        assert!(text.contains("  and 5 more in the result file\n"));
    }
}
