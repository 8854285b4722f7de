//! The module `validator_module`: rows in, piece by piece, series out.

use callboard::prelude::{Context, Message, module};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::assembly::{Assembly, CheckedRows};
use crate::chaos::Chaos;
use crate::table::Table;

/// Checks some lines of a table, each on its own.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = CheckedRows, keep)]
pub(crate) struct ValidateData {
    data: Table,
}

/// Checks what only shows when all rows of a table are together, and makes series of them.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = Assembly, keep)]
pub(crate) struct Assemble {
    pieces: Vec<CheckedRows>,
}

/// Holds no state, so a restart forgets nothing.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(crate) chaos: Chaos,
}

/// Checks price tables and makes series of them.
#[module(name = "validator_module", version = "1.0.0")]
impl Validator {
    #[request("validate_data")]
    fn validate(&mut self, ValidateData { data }: ValidateData, cx: &mut Context<Self>) -> CheckedRows {
        let checked = CheckedRows::of(&data);
        let line = data.lines.first().map_or(0, |line| line.number);
        self.chaos.strike(format_args!("checking rows of {} from line {line} on", data.file), cx.attempt());
        checked
    }

    #[request("assemble")]
    fn assemble(&mut self, Assemble { pieces }: Assemble, cx: &mut Context<Self>) -> Assembly {
        let assembly = Assembly::of(&pieces);
        self.chaos.strike("assembling the series", cx.attempt());
        assembly
    }
}
