//! The run as two pictures: its steps and what each waited for, and its attempts over time.

use std::path::PathBuf;

use callboard::bus::picture::GanttError;
use callboard::workflow::RunReport;

use crate::archive::{Archive, StoreError};

/// A chart with more rows is folded.
const MOST_ROWS: usize = 60;

/// A run cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PicturesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the run cannot be drawn: {0}")]
    Chart(#[from] GanttError),
}

/// Draws a run that has ended into two files, and names them.
pub(crate) fn draw(ended: &RunReport, archive: &Archive) -> Result<[PathBuf; 2], PicturesError> {
    let (graph, chart) = (ended.picture().unwrap_or_default(), ended.gantt().unwrap_or_default());
    Ok([archive.write("dag.svg", &graph.to_svg())?, archive.write("gantt.svg", &chart.to_svg(MOST_ROWS)?)?])
}
