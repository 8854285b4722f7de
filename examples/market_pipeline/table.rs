//! A price table as text: which column means what, and its numbered lines.
//!
//! Every line is taken as a record of its own, so a stray quotation mark
//! spoils its own line and not the rest of the file. The price is the first of
//! the columns `close`, `adjclose` and `price` that the header has.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validation::Origin;

/// The columns that can hold the price, the preferred one first.
const PRICE_COLUMNS: [&str; 3] = ["close", "adjclose", "price"];

/// A table whose header has every column that the job needs. Its rows are
/// not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Table {
    /// What reports call the file.
    pub(crate) file: String,
    pub(crate) columns: Columns,
    pub(crate) lines: Vec<Line>,
}

/// One line below the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) text: String,
}

/// So many lines make a piece. Small pieces make many turns, each of which can
/// fail and be repeated without much being lost.
const PIECE: usize = 32;

/// Where the columns stand that the job reads; others are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) date: usize,
    pub(crate) price: usize,
    pub(crate) symbol: Option<usize>,
    pub(crate) open: Option<usize>,
    pub(crate) high: Option<usize>,
    pub(crate) low: Option<usize>,
}

/// The header lacks a column without which there is no series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: the header has no column {wanted}")]
pub(crate) struct MissingColumn {
    file: String,
    wanted: &'static str,
}

impl Table {
    /// Splits a file's text into header and lines; empty lines are skipped.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, MissingColumn> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = numbered_lines(text);
        let header = lines.next().map(|line| line.text).unwrap_or_default();
        let columns = Columns::of(&header).map_err(|wanted| MissingColumn { file: file.to_owned(), wanted })?;
        Ok(Self { file: file.to_owned(), columns, lines: lines.collect() })
    }

    /// The same table in pieces, none of them without lines.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Self> + '_ {
        let piece =
            |lines: &[Line]| Self { file: self.file.clone(), columns: self.columns.clone(), lines: lines.to_vec() };
        self.lines.chunks(PIECE).map(piece)
    }

    /// What series made of this table need to know of it.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            file: self.file.clone(),
            default_symbol: self.default_symbol(),
            date_column: self.columns.name(self.columns.date),
        }
    }

    /// The name of a series whose rows name no symbol: the file's, without folder and ending.
    fn default_symbol(&self) -> String {
        let stem = Path::new(&self.file).file_stem();
        stem.map_or_else(|| self.file.clone(), |stem| stem.to_string_lossy().into_owned())
    }
}

impl Columns {
    fn of(header: &str) -> Result<Self, &'static str> {
        let names: Vec<String> = split(header).iter().map(|name| name.trim().to_lowercase()).collect();
        let find = |wanted: &str| names.iter().position(|name| name == wanted);
        Ok(Self {
            date: find("date").ok_or("date")?,
            price: PRICE_COLUMNS.into_iter().find_map(find).ok_or("close, adjclose or price")?,
            symbol: find("symbol"),
            open: find("open"),
            high: find("high"),
            low: find("low"),
            names,
        })
    }

    /// A column's name, or its number, counted from 1, where the header has none.
    pub(crate) fn name(&self, index: usize) -> String {
        match self.names.get(index) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => (index + 1).to_string(),
        }
    }
}

/// The fields of one line of comma-separated values.
///
/// A CSV reader is dear to set up, and only a line with quotation marks needs
/// one.
pub(crate) fn split(line: &str) -> Vec<String> {
    if line.contains('"') { split_quoted(line) } else { line.split(',').map(str::to_owned).collect() }
}

fn split_quoted(line: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().map(str::to_owned).collect(),
        Ok(false) | Err(_) => Vec::new(),
    }
}

fn numbered_lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    (1..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(number, text)| Line { number, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Columns {
        Columns::of(header).expect("the header is complete")
    }

    #[test]
    fn close_goes_before_adjclose_before_price() {
        assert_eq!(columns("date,price,adjclose,close").price, 3);
        assert_eq!(columns("date,price,adjclose").price, 2);
        assert_eq!(columns("date,volume,price").price, 2);
    }

    #[test]
    fn headers_may_be_quoted_capitalised_spaced_and_marked() {
        let table = Table::parse("a.csv", "\u{feff}\"Date\" , Close\r\n2000-01-03,1\r\n").expect("complete");
        assert_eq!((table.columns.date, table.columns.price), (0, 1));
        assert_eq!(table.lines[0].text, "2000-01-03,1");
    }

    #[test]
    fn a_missing_column_is_named_with_its_file() {
        let error = Table::parse("a.csv", "date,volume\n").expect_err("no price");
        assert_eq!(error.to_string(), "a.csv: the header has no column close, adjclose or price");
        let error = Table::parse("a.csv", "").expect_err("no header");
        assert_eq!(error.to_string(), "a.csv: the header has no column date");
    }

    #[test]
    fn lines_keep_their_numbers_across_empty_ones() {
        let table = Table::parse("a.csv", "date,price\n\na,1\n   \nb,2\n").expect("complete");
        let numbers: Vec<u64> = table.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [3, 5]);
    }

    #[test]
    fn the_pieces_have_every_line_once_and_are_never_empty() {
        for count in [0, 1, PIECE, PIECE + 1, 100] {
            let table = Table::parse("a.csv", &format!("date,price\n{}", "x,1\n".repeat(count))).expect("complete");
            let pieces: Vec<Table> = table.pieces().collect();
            assert!(pieces.iter().all(|piece| (1..=PIECE).contains(&piece.lines.len())));
            assert_eq!(pieces.into_iter().flat_map(|piece| piece.lines).collect::<Vec<_>>(), table.lines);
        }
    }

    #[test]
    fn a_stray_quotation_mark_stays_in_its_line() {
        let table = Table::parse("a.csv", "date,price\n\"2000-01-03,1\n2000-01-04,2\n").expect("complete");
        assert_eq!(split(&table.lines[0].text), ["2000-01-03,1"]);
        assert_eq!(split(&table.lines[1].text), ["2000-01-04", "2"]);
    }

    #[test]
    fn quoted_and_plain_lines_are_split_alike() {
        assert_eq!(split("a,,b c,"), ["a", "", "b c", ""]);
        assert_eq!(split("\"a\",\"\",b c,"), ["a", "", "b c", ""]);
        assert_eq!(split("\"a,b\",\"c \"\"d\"\"\""), ["a,b", "c \"d\""]);
    }

    #[test]
    fn a_series_without_a_symbol_is_named_after_its_file() {
        let table = Table::parse("some/folder/sp500.csv", "date,price").expect("complete");
        assert_eq!(table.default_symbol(), "sp500");
    }
}
