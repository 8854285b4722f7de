//! One row of a table: its cells read and checked on their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::{Date, parse_date};
use crate::quarantine::RowFault;
use crate::table::{Columns, Line, Table, split};

/// A row whose cells are sound; how it stands to its neighbours is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Row {
    pub(crate) line: u64,
    /// Absent where the table has no such column.
    pub(crate) symbol: Option<String>,
    pub(crate) date: Date,
    pub(crate) price: f64,
}

/// Reads one line, or says which column is at fault.
pub(crate) fn check_row(table: &Table, line: &Line) -> Result<Row, RowFault> {
    Cells::of(&table.columns, line).and_then(|cells| cells.row(line.number)).map_err(|fault| RowFault {
        file: table.file.clone(),
        line: line.number,
        column: table.columns.name(fault.column),
        reason: fault.reason,
    })
}

struct Cells<'a> {
    columns: &'a Columns,
    fields: Vec<String>,
}

struct CellFault {
    column: usize,
    reason: String,
}

impl<'a> Cells<'a> {
    fn of(columns: &'a Columns, line: &Line) -> Result<Self, CellFault> {
        let fields = split(&line.text);
        let (found, wanted) = (fields.len(), columns.names.len());
        if found != wanted {
            let reason = format!("the row has {found} fields, the header {wanted}");
            return Err(CellFault { column: found.min(wanted), reason });
        }
        Ok(Self { columns, fields })
    }

    fn row(&self, line: u64) -> Result<Row, CellFault> {
        let row = Row { line, symbol: self.symbol()?, date: self.date()?, price: self.amount(self.columns.price)? };
        self.check_range()?;
        Ok(row)
    }

    fn text(&self, column: usize) -> &str {
        self.fields[column].trim()
    }

    fn symbol(&self) -> Result<Option<String>, CellFault> {
        let Some(column) = self.columns.symbol else {
            return Ok(None);
        };
        match self.text(column) {
            "" => Err(CellFault { column, reason: "the symbol is missing".to_owned() }),
            symbol => Ok(Some(symbol.to_owned())),
        }
    }

    fn date(&self) -> Result<Date, CellFault> {
        let column = self.columns.date;
        parse_date(self.text(column)).map_err(|error| CellFault { column, reason: error.to_string() })
    }

    /// Returns divide by prices, so a price of zero is as useless as none.
    fn amount(&self, column: usize) -> Result<f64, CellFault> {
        let text = self.text(column);
        match text.parse::<f64>() {
            Ok(amount) if amount.is_finite() && amount > 0.0 => Ok(amount),
            Ok(_) => Err(CellFault { column, reason: format!("{text:?} is no price above zero") }),
            Err(_) => Err(CellFault { column, reason: format!("{text:?} is no number") }),
        }
    }

    fn optional_amount(&self, column: Option<usize>) -> Result<Option<f64>, CellFault> {
        match column {
            Some(column) if !self.text(column).is_empty() => self.amount(column).map(Some),
            _ => Ok(None),
        }
    }

    fn check_range(&self) -> Result<(), CellFault> {
        self.optional_amount(self.columns.open)?;
        let high = self.optional_amount(self.columns.high)?;
        let low = self.optional_amount(self.columns.low)?;
        match (self.columns.high, high, low) {
            (Some(column), Some(high), Some(low)) if high < low => {
                Err(CellFault { column, reason: format!("high {high} is below low {low}") })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const HEADER: &str = "symbol,date,open,high,low,close,volume";

    fn check(row: &str) -> Result<Row, String> {
        let table = Table::parse("a.csv", &format!("{HEADER}\n{row}")).expect("the header is complete");
        check_row(&table, &table.lines[0]).map_err(|fault| format!("{}: {}", fault.column, fault.reason))
    }

    #[test]
    fn a_sound_row_is_read() {
        let row = check("IBM, Jan 3 2000 ,10,12,9.5,11,x").expect("sound");
        assert_eq!(row, Row { line: 2, symbol: Some("IBM".into()), date: date(2000, 1, 3), price: 11.0 });
    }

    #[test]
    fn optional_cells_may_be_empty() {
        assert!(check("IBM,2000-01-03,,,,11,").is_ok());
        assert!(check("IBM,2000-01-03,,12,,11,").is_ok());
    }

    #[test]
    fn each_malformed_cell_is_named_by_its_column() {
        for (row, fault) in [
            ("IBM,2000-01-03,1,2,1", "close: the row has 5 fields, the header 7"),
            ("IBM,2000-01-03,1,2,1,1,0,9", "8: the row has 8 fields, the header 7"),
            (",2000-01-03,1,2,1,1,0", "symbol: the symbol is missing"),
            ("IBM,soon,1,2,1,1,0", "date: \"soon\" is no date; write 2000-01-31 or Jan 31 2000"),
            ("IBM,2000-01-03,1,2,1,n/a,0", "close: \"n/a\" is no number"),
            ("IBM,2000-01-03,1,2,1,,0", "close: \"\" is no number"),
            ("IBM,2000-01-03,1,2,1,0,0", "close: \"0\" is no price above zero"),
            ("IBM,2000-01-03,1,2,1,NaN,0", "close: \"NaN\" is no price above zero"),
            ("IBM,2000-01-03,one,2,1,1,0", "open: \"one\" is no number"),
            ("IBM,2000-01-03,1,1.5,2,1,0", "high: high 1.5 is below low 2"),
        ] {
            assert_eq!(check(row), Err(fault.to_owned()));
        }
    }

    #[test]
    fn equal_high_and_low_are_sound() {
        assert!(check("IBM,2000-01-03,2,2,2,2,0").is_ok());
    }

    #[test]
    fn without_a_symbol_column_the_row_names_none() {
        let table = Table::parse("a.csv", "date,price\n2000-01-03,5").expect("complete");
        assert_eq!(check_row(&table, &table.lines[0]).expect("sound").symbol, None);
    }
}
