//! The result for people: medians, spread, goals and verdicts.

use comfy_table::{Cell, CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    entrant::Entrant,
    report::{self, Row},
    words,
};

/// Draws the rows.
pub fn draw(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(head());
    let tell = report::own_tell(rows);
    for row in rows {
        table.add_row(cells(row, tell));
    }
    table.to_string()
}

fn head() -> Vec<Cell> {
    let entrants = Entrant::ALL.iter().map(|entrant| entrant.name());
    let columns = ["workload"].into_iter().chain(entrants);
    let goals = ["ratio", "must", "aim", "verdict", "callboard min..max"];
    columns.chain(goals).map(Cell::new).collect()
}

fn cells(row: &Row, tell: Option<f64>) -> Vec<Cell> {
    let workload = row.workload;
    let own = row.spread(Entrant::Callboard);
    let mut cells = vec![Cell::new(workload.name())];
    cells.extend(Entrant::ALL.iter().map(|&entrant| {
        let spread = row.spread(entrant);
        right(spread.map(|spread| words::figure(workload, spread.median)))
    }));
    cells.push(right(row.ratio().map(words::ratio)));
    cells.push(right(workload.must().map(|must| words::goal(workload, must))));
    cells.push(right(workload.aim().map(|aim| words::goal(workload, aim))));
    cells.push(Cell::new(words::verdict(row.verdict(tell))));
    cells.push(right(own.map(|spread| words::range(workload, spread))));
    cells
}

fn right(text: Option<String>) -> Cell {
    let text = text.unwrap_or_else(|| words::NONE.to_owned());
    Cell::new(text).set_alignment(CellAlignment::Right)
}
