//! The tables that the job reads: the three that come along, or one of the user's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::table::{MissingColumn, Table};

/// What the event brings: pieces of the tables in the order of the report, and
/// which table the symbols are compared with.
#[derive(Debug, Serialize)]
pub(crate) struct Batch {
    batch_data: Vec<Table>,
    /// The index's monthly table; a table of the user's comes without one.
    index: Option<&'static str>,
}

/// A table cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("cannot read {file}: {source}")]
    Unreadable { file: String, source: io::Error },
    #[error(transparent)]
    MissingColumn(#[from] MissingColumn),
}

impl Batch {
    /// Reads the user's file, or if there is none the daily index, the stocks and the monthly index.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, InputError> {
        match file {
            Some(path) => Ok(Self::of(&[table(path, path.display().to_string())?], None)),
            None => {
                let names = ["sp500-2000.csv", "stocks.csv", "sp500.csv"];
                let tables = names.map(|name| table(&bundled(name), name.to_owned()));
                Ok(Self::of(&tables.into_iter().collect::<Result<Vec<_>, _>>()?, Some("sp500.csv")))
            }
        }
    }

    fn of(tables: &[Table], index: Option<&'static str>) -> Self {
        Self { batch_data: tables.iter().flat_map(Table::pieces).collect(), index }
    }
}

fn table(path: &Path, file: String) -> Result<Table, InputError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(InputError::Unreadable { file, source }),
    };
    // Bytes that are no text become a mark that no date and no number has,
    // so they end in quarantine with their row.
    Ok(Table::parse(&file, &String::from_utf8_lossy(&bytes))?)
}

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}
