//! From checked rows to series, and what could not go into them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gap::Gap;
use crate::quarantine::RowFault;
use crate::row::{Row, check_row};
use crate::series::Series;
use crate::stretch::Stretch;
use crate::table::Table;
use crate::validation::{Origin, validate};

/// The sound rows of a piece of a table, and what was wrong with the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct CheckedRows {
    pub(crate) origin: Origin,
    pub(crate) rows: Vec<Row>,
    pub(crate) faults: Vec<RowFault>,
}

/// All that the tables hold, ready to be measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Assembly {
    pub(crate) series: Vec<Series>,
    /// The series once more, cut.
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) quarantine: Vec<RowFault>,
    pub(crate) warnings: Vec<Gap>,
}

impl CheckedRows {
    /// Checks the lines of a piece, each on its own.
    pub(crate) fn of(table: &Table) -> Self {
        let mut checked = Self { origin: table.origin(), rows: Vec::new(), faults: Vec::new() };
        for line in &table.lines {
            match check_row(table, line) {
                Ok(row) => checked.rows.push(row),
                Err(fault) => checked.faults.push(fault),
            }
        }
        checked
    }
}

impl Assembly {
    /// Puts the pieces of each table, which lie side by side, together.
    pub(crate) fn of(pieces: &[CheckedRows]) -> Self {
        let mut assembly = Self::default();
        pieces.chunk_by(|one, next| one.origin == next.origin).for_each(|table| assembly.add(table));
        assembly
    }

    fn add(&mut self, table: &[CheckedRows]) {
        let Some(origin) = table.first().map(|piece| &piece.origin) else {
            return;
        };
        let rows: Vec<Row> = table.iter().flat_map(|piece| piece.rows.clone()).collect();
        let mut validated = validate(origin, &rows);
        validated.quarantine.extend(table.iter().flat_map(|piece| piece.faults.clone()));
        validated.quarantine.sort_by_key(|fault| fault.line);
        self.quarantine.append(&mut validated.quarantine);
        self.warnings.append(&mut validated.warnings);
        for series in validated.series {
            self.stretches.extend(Stretch::all_of(self.series.len(), &series));
            self.series.push(series);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(file: &str, rows: &str) -> Vec<CheckedRows> {
        let table = Table::parse(file, &format!("symbol,date,price\n{rows}")).expect("the header is complete");
        table.pieces().map(|piece| CheckedRows::of(&piece)).collect()
    }

    #[test]
    fn faults_of_rows_and_of_their_order_stand_in_the_order_of_the_lines() {
        let pieces = checked("a.csv", "A,2000-01-04,1\nA,2000-01-04,2\nA,soon,3\nA,2000-01-05,4\nA,2000-01-05,5\n");
        let assembly = Assembly::of(&pieces);
        assert_eq!(assembly.quarantine.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 4, 6]);
        assert_eq!(assembly.series[0].points.len(), 2);
    }

    #[test]
    fn tables_stay_apart_and_their_stretches_know_their_series() {
        let rows: String = (1..=28).map(|day| format!("A,2000-01-{day:02},1\nB,2000-01-{day:02},1\n")).collect();
        let pieces = [checked("a.csv", &rows), checked("b.csv", "A,2000-01-04,1\n")].concat();
        let assembly = Assembly::of(&pieces);
        let files: Vec<&str> = assembly.series.iter().map(|series| series.file.as_str()).collect();
        assert_eq!(files, ["a.csv", "a.csv", "b.csv"]);
        assert_eq!(assembly.series[0].points.len(), 28);
        assert_eq!(assembly.stretches.iter().map(|stretch| stretch.series).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
