//! The module `storage_module`: keeps what was found, on disk and nowhere else.
//!
//! It holds nothing in memory that a restart could lose, and each of its
//! operations may be carried out twice.

use callboard::prelude::{Context, Message, module};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::{Archive, StoreError};
use crate::chaos::Chaos;
use crate::report::report;
use crate::result_file::{Findings, ResultFile};

/// Writes the result file.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = Result<Stored, StoreError>, keep)]
pub(crate) struct StoreData(Findings);

/// Lays out what the result file holds.
#[derive(Debug, Clone, Deserialize, JsonSchema, Message)]
#[message(reply = Result<Told, StoreError>, keep)]
pub(crate) struct Report {
    /// The table that holds the index, if symbols were compared with one.
    index: Option<String>,
}

/// Where the result was stored.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Stored {
    /// The path of the result file.
    file: String,
}

/// What the user reads.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Told {
    report: String,
}

/// Writes to one archive.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) archive: Archive,
    pub(crate) chaos: Chaos,
}

/// Keeps results and lays them out.
#[module(name = "storage_module", version = "1.0.0")]
impl Storage {
    #[request("store_data")]
    fn store(&mut self, StoreData(findings): StoreData, cx: &mut Context<Self>) -> Result<Stored, StoreError> {
        let stored = self.archive.put(&ResultFile::of(findings));
        self.chaos.strike("storing the result", cx.attempt());
        stored.map(|path| Stored { file: path.display().to_string() })
    }

    #[request("report")]
    fn report(&mut self, Report { index }: Report, cx: &mut Context<Self>) -> Result<Told, StoreError> {
        let told = self.archive.get().map(|result| Told { report: report(&result, index.is_some()) });
        self.chaos.strike("reporting", cx.attempt());
        told
    }
}
