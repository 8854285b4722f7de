//! The rules that look at a whole table: rows become series of rising dates.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::frequency::Frequency;
use crate::gap::{Gap, gaps};
use crate::order::rising;
use crate::quarantine::RowFault;
use crate::row::Row;
use crate::series::{Point, Series};

/// What is known of a table once all its rows have been seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Validated {
    /// In the order in which the table names the symbols first.
    pub(crate) series: Vec<Series>,
    pub(crate) quarantine: Vec<RowFault>,
    pub(crate) warnings: Vec<Gap>,
}

/// What the rules need to know of the table beside its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Origin {
    pub(crate) file: String,
    pub(crate) default_symbol: String,
    /// What the date column is called.
    pub(crate) date_column: String,
}

/// Sorts sound rows into one series per symbol and sets aside those whose dates do not rise.
pub(crate) fn validate(origin: &Origin, rows: &[Row]) -> Validated {
    let mut validated = Validated { series: Vec::new(), quarantine: Vec::new(), warnings: Vec::new() };
    for rows in by_symbol(rows) {
        let dates: Vec<Date> = rows.iter().map(|row| row.date).collect();
        let flags = rising(&dates);
        let series = series(origin, &chosen(&rows, &flags, true));
        validated.warnings.extend(gaps(&series));
        validated.series.push(series);
        validated.quarantine.extend(order_faults(origin, &rows, &flags));
    }
    validated
}

fn by_symbol(rows: &[Row]) -> Vec<Vec<&Row>> {
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    let mut places: HashMap<&Option<String>, usize> = HashMap::new();
    for row in rows {
        let place = *places.entry(&row.symbol).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    groups
}

fn chosen<'a>(rows: &[&'a Row], flags: &[bool], wanted: bool) -> Vec<&'a Row> {
    rows.iter().zip(flags).filter(|(_, flag)| **flag == wanted).map(|(row, _)| *row).collect()
}

fn series(origin: &Origin, rows: &[&Row]) -> Series {
    let symbol = rows.first().and_then(|row| row.symbol.clone());
    let dates: Vec<Date> = rows.iter().map(|row| row.date).collect();
    Series {
        file: origin.file.clone(),
        named_by_rows: symbol.is_some(),
        symbol: symbol.unwrap_or_else(|| origin.default_symbol.clone()),
        frequency: Frequency::of(&dates),
        points: rows.iter().map(|row| Point { date: row.date, price: row.price }).collect(),
    }
}

fn order_faults(origin: &Origin, rows: &[&Row], flags: &[bool]) -> Vec<RowFault> {
    let kept = chosen(rows, flags, true);
    let fault = |row: &Row| RowFault {
        file: origin.file.clone(),
        line: row.line,
        column: origin.date_column.clone(),
        reason: order_reason(row, &kept),
    };
    chosen(rows, flags, false).into_iter().map(fault).collect()
}

/// A row that fitted between its kept neighbours would have been kept, so it
/// clashes with the one before or with the one behind it.
fn order_reason(row: &Row, kept: &[&Row]) -> String {
    let place = kept.partition_point(|other| other.line < row.line);
    let before = place.checked_sub(1).map(|index| kept[index]).filter(|other| other.date >= row.date);
    let Some(other) = before.or(kept.get(place).copied()) else {
        return "the dates must rise".to_owned();
    };
    let (date, line) = (row.date, other.line);
    match other.date {
        same if same == date => format!("{date} is also the date of line {line}"),
        later if before.is_some() => {
            format!("the dates must rise: {date} comes after {later} of line {line}")
        }
        earlier => format!("the dates must rise: {date} comes before {earlier} of line {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::parse_date;

    fn validated(rows: &[(&str, &str)]) -> Validated {
        let origin = Origin { file: "a.csv".into(), default_symbol: "a".into(), date_column: "date".into() };
        let row = |(line, (symbol, date)): (u64, &(&str, &str))| Row {
            line,
            symbol: (!symbol.is_empty()).then(|| (*symbol).to_owned()),
            date: parse_date(date).expect("a date"),
            price: line as f64,
        };
        let rows: Vec<Row> = (2..).zip(rows).map(row).collect();
        validate(&origin, &rows)
    }

    fn faults(dates: &[&str]) -> Vec<(u64, String)> {
        let rows: Vec<(&str, &str)> = dates.iter().map(|date| ("", *date)).collect();
        validated(&rows).quarantine.into_iter().map(|fault| (fault.line, fault.reason)).collect()
    }

    #[test]
    fn mixed_symbols_become_series_in_order_of_their_first_rows() {
        let validated =
            validated(&[("B", "2000-01-03"), ("A", "2000-01-03"), ("B", "2000-01-04"), ("A", "2000-01-04")]);
        let symbols: Vec<&str> = validated.series.iter().map(|series| series.symbol.as_str()).collect();
        assert_eq!(symbols, ["B", "A"]);
        let prices: Vec<f64> = validated.series[0].points.iter().map(|point| point.price).collect();
        assert_eq!(prices, [2.0, 4.0]);
        assert_eq!(validated.quarantine, []);
    }

    #[test]
    fn rows_without_a_symbol_bear_the_name_of_the_file() {
        let validated = validated(&[("", "2000-01-03")]);
        assert_eq!(validated.series[0].symbol, "a");
        assert!(!validated.series[0].named_by_rows);
    }

    #[test]
    fn a_doubled_date_names_the_other_line() {
        let expected = [(3, "2000-01-03 is also the date of line 2".to_owned())];
        assert_eq!(faults(&["2000-01-03", "2000-01-03", "2000-01-04"]), expected);
    }

    #[test]
    fn a_falling_date_names_the_line_that_it_falls_behind() {
        let reason = "the dates must rise: 2000-01-03 comes after 2000-01-04 of line 2";
        assert_eq!(faults(&["2000-01-04", "2000-01-03", "2000-01-05"]), [(3, reason.to_owned())]);
    }

    #[test]
    fn a_date_far_ahead_is_the_one_that_goes() {
        let reason = "the dates must rise: 2099-01-04 comes before 2000-01-05 of line 4";
        let dates = ["2000-01-03", "2099-01-04", "2000-01-05", "2000-01-06"];
        assert_eq!(faults(&dates), [(3, reason.to_owned())]);
    }

    #[test]
    fn a_gap_is_a_warning_and_the_rows_stay() {
        let validated = validated(&[("A", "2000-01-03"), ("A", "2000-01-04"), ("A", "2000-02-04")]);
        assert_eq!(validated.series[0].points.len(), 3);
        assert_eq!(validated.warnings.len(), 1);
        assert_eq!(validated.warnings[0].days, 31);
    }
}
