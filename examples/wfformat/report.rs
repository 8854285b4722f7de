//! What is printed and drawn at the end.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callboard::bus::picture::{Folding, GanttError, short_time};
use callboard::workflow::RunReport;

use crate::instance::Instance;

/// A graph with more boxes is folded further than one needs to read it.
const MOST_BOXES: usize = 100;
const MOST_ROWS: usize = 60;
/// A longer path is told by its ends.
const LISTED: usize = 8;

/// What the user reads at the end.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) scale: f64,
    pub(crate) ended: &'a RunReport,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let definition = &self.instance.definition;
        let (steps, levels) = (definition.steps().len(), definition.graph().levels());
        let widest = levels.iter().map(Vec::len).max().unwrap_or(0);
        let (path, least) = self.instance.critical_path();
        let makespan = makespan(self.ended);
        let names: Vec<_> = path.iter().map(|step| &*definition.steps()[step.get()].step_id).collect();
        writeln!(
            f,
            "workflow: {}, {steps} steps on {} levels, {widest} on the widest",
            definition.name(),
            levels.len()
        )?;
        writeln!(f, "scale: {}", self.scale)?;
        writeln!(f, "one after the other: {}", short_time(self.instance.total()))?;
        if least.is_zero() {
            writeln!(f, "critical path: 0, as nothing waits")?;
            writeln!(f, "makespan: {}", short_time(makespan))?;
        } else {
            let beyond = makespan.as_secs_f64() / least.as_secs_f64() - 1.0;
            writeln!(f, "critical path: {}, {}", short_time(least), listed(&names))?;
            writeln!(f, "makespan: {}, {:.1} % longer than the critical path", short_time(makespan), beyond * 100.0)?;
        }
        writeln!(f, "steps per second: {:.0}", steps as f64 / makespan.as_secs_f64().max(1e-9))
    }
}

/// From the start of the run to its end.
fn makespan(ended: &RunReport) -> Duration {
    ended.ended().saturating_sub(ended.run().map_or(Duration::ZERO, |run| run.started()))
}

fn listed(names: &[&str]) -> String {
    let between = names.len().saturating_sub(2);
    match names {
        [first, .., last] if names.len() > LISTED => format!("{first} → ({between} steps) → {last}"),
        _ => names.join(" → "),
    }
}

/// Where the pictures go.
#[derive(Debug)]
pub(crate) struct Pictures {
    graph: PathBuf,
    chart: PathBuf,
}

/// A picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PicturesError {
    #[error("cannot write to {}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("the run cannot be drawn")]
    Chart(#[from] GanttError),
}

impl Pictures {
    /// Makes the folder, before anything is run in vain.
    pub(crate) fn prepare(folder: &Path) -> Result<Self, PicturesError> {
        fs::create_dir_all(folder).map_err(|source| PicturesError::Unwritable { path: folder.to_owned(), source })?;
        Ok(Self { graph: folder.join("graph.svg"), chart: folder.join("chart.svg") })
    }

    pub(crate) fn draw(&self, ended: &RunReport) -> Result<(), PicturesError> {
        // A run that has completed has left everything behind.
        let (graph, chart) = (ended.picture().unwrap_or_default(), ended.gantt().unwrap_or_default());
        write(&self.graph, &graph.folded(Folding::default().max_boxes(MOST_BOXES)).to_svg())?;
        write(&self.chart, &chart.to_svg(MOST_ROWS)?)
    }
}

impl fmt::Display for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pictures: {}, {}", self.graph.display(), self.chart.display())
    }
}

fn write(path: &Path, text: &str) -> Result<(), PicturesError> {
    fs::write(path, text).map_err(|source| PicturesError::Unwritable { path: path.to_owned(), source })
}
