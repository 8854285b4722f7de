//! The validator actor: rows in, piece by piece, series out.

use std::ops::Range;
use std::sync::Arc;

use callboard::SyncHandler;
use callboard::prelude::{Actor, Context, Fault, Message};

use crate::chaos::Chaos;
use crate::quarantine::RowFault;
use crate::row::{Row, check_row};
use crate::table::Table;
use crate::validation::{Validated, validate};

/// Checks some lines of a table, each on its own.
#[derive(Debug, Clone, Message)]
#[message(reply = CheckedRows, keep)]
pub(crate) struct CheckRows {
    pub(crate) table: Arc<Table>,
    pub(crate) lines: Range<usize>,
}

/// Checks what only shows when all rows of a table are together, and makes series of them.
#[derive(Debug, Clone, Message)]
#[message(reply = Validated, keep)]
pub(crate) struct JoinRows {
    pub(crate) table: Arc<Table>,
    pub(crate) rows: Arc<Vec<Row>>,
}

/// The sound rows of a piece, and what was wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct CheckedRows {
    pub(crate) rows: Vec<Row>,
    pub(crate) faults: Vec<RowFault>,
}

impl CheckedRows {
    /// Several pieces as one.
    pub(crate) fn together(pieces: Vec<Self>) -> Self {
        let mut all = Self::default();
        for mut piece in pieces {
            all.rows.append(&mut piece.rows);
            all.faults.append(&mut piece.faults);
        }
        all
    }
}

/// Holds no state, so a restart forgets nothing.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(crate) chaos: Chaos,
}

impl Actor for Validator {}

impl SyncHandler<CheckRows> for Validator {
    fn handle(&mut self, work: CheckRows, cx: &mut Context<Self>) -> Result<CheckedRows, Fault> {
        let CheckRows { table, lines } = work;
        let mut checked = CheckedRows::default();
        for line in &table.lines[lines.clone()] {
            match check_row(&table, line) {
                Ok(row) => checked.rows.push(row),
                Err(fault) => checked.faults.push(fault),
            }
        }
        self.chaos.strike(format_args!("checking rows {lines:?} of {}", table.file), cx.attempt());
        Ok(checked)
    }
}

impl SyncHandler<JoinRows> for Validator {
    fn handle(&mut self, work: JoinRows, cx: &mut Context<Self>) -> Result<Validated, Fault> {
        let validated = validate(&work.table.origin(), &work.rows);
        self.chaos.strike(format_args!("joining the rows of {}", work.table.file), cx.attempt());
        Ok(validated)
    }
}
