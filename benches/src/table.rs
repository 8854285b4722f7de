//! The result for people: medians, spread, goals and verdicts.

use comfy_table::{Cell, CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    entrant::Entrant,
    report::{self, Row},
    words,
};

/// Draws the rows, with a column for every entrant.
pub fn draw(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let columns = columns(Entrant::ALL);
    let tell = report::own_tell(rows);
    for row in rows {
        let cells = cells(row, Entrant::ALL, tell).into_iter().zip(&columns);
        table.add_row(cells.map(|(cell, column)| Cell::new(cell).set_alignment(column.alignment())));
    }
    table.set_header(columns.iter().map(|column| column.name));
    table.to_string()
}

/// A column: its header, and whether words or figures stand below it.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) is_text: bool,
}

impl Column {
    fn alignment(&self) -> CellAlignment {
        if self.is_text { CellAlignment::Left } else { CellAlignment::Right }
    }
}

/// What [`cells`] fills, in its order.
pub(crate) fn columns(entrants: &[Entrant]) -> Vec<Column> {
    let figures = |names: Vec<&'static str>| names.into_iter().map(|name| Column { name, is_text: false });
    let words = |name| std::iter::once(Column { name, is_text: true });
    words("row")
        .chain(figures(entrants.iter().map(|entrant| entrant.name()).collect()))
        .chain(figures(vec!["callboard / actix", "must", "aim"]))
        .chain(words("verdict"))
        .chain(figures(vec!["spread of callboard"]))
        .collect()
}

/// One row in words. `tell` is callboard's time for a tell, which some goals are multiples of.
pub(crate) fn cells(row: &Row, entrants: &[Entrant], tell: Option<f64>) -> Vec<String> {
    let workload = row.workload;
    let mut cells = vec![Some(workload.name().to_owned())];
    let medians = entrants.iter().map(|&entrant| row.median(entrant));
    cells.extend(medians.map(|median| median.map(|median| words::figure(workload, median))));
    cells.push(row.ratio().map(words::ratio));
    cells.push(workload.must().map(|must| words::goal(workload, must)));
    cells.push(workload.aim().map(|aim| words::goal(workload, aim)));
    cells.push(Some(words::verdict(row.verdict(tell)).to_owned()));
    cells.push(row.spread(Entrant::Callboard).map(|spread| words::range(workload, spread)));
    cells.into_iter().map(|cell| cell.unwrap_or_else(|| words::NONE.to_owned())).collect()
}
