//! A run in a file, with the spread of every figure: from one run come the table, the page of the docs and the picture.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    entrant::{Entrant, UnknownEntrant},
    report::{Figure, Row},
    spread::Spread,
    workload::{UnknownWorkload, Workload},
};

/// Grows when older programs would misread the file.
const VERSION: u32 = 1;

/// The text is not that of a saved run.
#[derive(Debug, Error)]
pub enum SavedError {
    /// It is not JSON, or something is missing in it.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// Another version of this program has written it.
    #[error("it is of version {0}, and this program reads version {VERSION}: run the workloads again")]
    Version(u32),
    /// It holds a workload that is unknown here.
    #[error(transparent)]
    UnknownWorkload(#[from] UnknownWorkload),
    /// It holds figures of somebody who was not compiled in.
    #[error("{0} (kameo and ractor come with `--features peers`)")]
    UnknownEntrant(#[from] UnknownEntrant),
}

#[derive(Serialize, Deserialize)]
struct SavedRun {
    version: u32,
    rows: Vec<SavedRow>,
}

#[derive(Serialize, Deserialize)]
struct SavedRow {
    workload: String,
    figures: Vec<SavedFigure>,
}

#[derive(Serialize, Deserialize)]
struct SavedFigure {
    entrant: String,
    min: f64,
    median: f64,
    max: f64,
}

/// The rows as the text of a file.
///
/// # Errors
/// When they cannot be written as JSON.
pub fn write(rows: &[Row]) -> Result<String, serde_json::Error> {
    let rows = rows.iter().map(SavedRow::of).collect();
    serde_json::to_string_pretty(&SavedRun { version: VERSION, rows })
}

/// The rows that [`write()`] has written.
///
/// # Errors
/// When the text is something else, or a name in it is unknown to this
/// program.
pub fn read(text: &str) -> Result<Vec<Row>, SavedError> {
    let run: SavedRun = serde_json::from_str(text)?;
    if run.version != VERSION {
        return Err(SavedError::Version(run.version));
    }
    run.rows.into_iter().map(SavedRow::into_row).collect()
}

impl SavedRow {
    fn of(row: &Row) -> Self {
        let figures = row.figures.iter().map(SavedFigure::of).collect();
        Self { workload: row.workload.name().to_owned(), figures }
    }

    fn into_row(self) -> Result<Row, SavedError> {
        let workload: Workload = self.workload.parse()?;
        let figures: Result<_, SavedError> = self.figures.into_iter().map(SavedFigure::into_figure).collect();
        Ok(Row { workload, figures: figures? })
    }
}

impl SavedFigure {
    fn of(figure: &Figure) -> Self {
        let Spread { min, median, max } = figure.spread;
        Self { entrant: figure.entrant.name().to_owned(), min, median, max }
    }

    fn into_figure(self) -> Result<Figure, SavedError> {
        let entrant: Entrant = self.entrant.parse()?;
        Ok(Figure { entrant, spread: Spread { min: self.min, median: self.median, max: self.max } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = r#"{
  "version": 1,
  "rows": [
    {
      "workload": "tell",
      "figures": [
        {
          "entrant": "callboard",
          "min": 79.25,
          "median": 84.5,
          "max": 162.0
        }
      ]
    }
  ]
}"#;

    #[test]
    fn a_run_comes_back_as_it_was() {
        let rows = read(GOLDEN).unwrap();
        assert_eq!((rows.len(), rows[0].workload), (1, Workload::Tell));
        let spread = Spread { min: 79.25, median: 84.5, max: 162.0 };
        assert_eq!(rows[0].spread(Entrant::Callboard), Some(spread));
        assert_eq!(write(&rows).unwrap(), GOLDEN);
    }

    #[test]
    fn what_is_no_run_is_refused() {
        assert!(matches!(read("[]"), Err(SavedError::Shape(_))));
        assert!(matches!(read(&GOLDEN.replace(": 1,", ": 2,")), Err(SavedError::Version(2))));
        assert!(matches!(read(&GOLDEN.replace("tell", "tall")), Err(SavedError::UnknownWorkload(_))));
        assert!(matches!(read(&GOLDEN.replace("callboard", "nobody")), Err(SavedError::UnknownEntrant(_))));
    }
}
