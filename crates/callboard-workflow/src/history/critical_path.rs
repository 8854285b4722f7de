//! Which chain of steps decided when a run ended.

use std::time::Duration;

use super::{History, Stage, Stages, Work};
use crate::graph::StepIndex;
use crate::run::Run;

/// A part of the critical path: the time from the end of the part before it to the end of its own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The work; of a mapped step, the item that ended last.
    pub work: Work,
    /// When the work before it had ended; for the first, when the run started.
    pub from: Duration,
    /// When it had ended.
    pub to: Duration,
}

impl History {
    /// What decided when the run ended: the work that ended last, the work whose end had let that begin, and so on back to
    /// the start, in the order of time. Each part begins where the one before it ends. Time in which work was queued, was
    /// held by a pause, or waited for its next attempt counts as its own.
    ///
    /// Empty for a run that goes on, because nothing has decided its end yet.
    #[must_use]
    pub fn critical_path(&self, run: &Run) -> Vec<Stretch> {
        let stages = Stages::new(self, run, self.latest);
        stages
            .critical_path()
            .into_iter()
            .map(|(_, stretch)| stretch)
            .filter(|stretch| !stretch.is_idle(&stages))
            .collect()
    }
}

impl Stages<'_> {
    /// The path with steps that were skipped on the way.
    pub(crate) fn critical_path(&self) -> Vec<(Stage, Stretch)> {
        if !self.run.state().is_final() {
            return Vec::new();
        }
        let mut path = Vec::new();
        let mut next = self.last(true).or_else(|| self.last(false));
        while let Some((stage, to)) = next {
            // By a clock that went back, what came before may seem to have ended later.
            next = self.decided_by(stage).map(|(before, end)| (before, end.min(to)));
            let from = next.map_or(self.started.min(to), |(_, end)| end);
            let work = self.extent(stage).map(|extent| extent.last);
            path.extend(work.map(|work| (stage, Stretch { work, from, to })));
        }
        path.reverse();
        path
    }

    /// The steps on the path, in order, that were done or skipped; those that undo it are left out.
    pub(crate) fn critical_steps(&self) -> Vec<StepIndex> {
        let path = self.critical_path().into_iter().filter(|(stage, _)| !stage.is_undo);
        path.map(|(stage, _)| stage.step).collect()
    }
}

impl Stretch {
    /// Whether there is nothing to see of it: a step was skipped at once.
    pub(crate) fn is_idle(&self, stages: &Stages<'_>) -> bool {
        let stage = Stage { is_undo: self.work.is_undo, step: self.work.task.step };
        self.from == self.to && stages.extent(stage).is_none_or(|extent| !extent.was_called)
    }
}
