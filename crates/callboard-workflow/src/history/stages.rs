//! When each step was done and undone, and which other decided when it began.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Attempt, History, Work};
use crate::definition::Join;
use crate::graph::StepIndex;
use crate::run::{Run, Skip, StepState};

/// A step with all its items while it is done, or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stage {
    pub(crate) is_undo: bool,
    pub(crate) step: StepIndex,
}

/// The time that a stage took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// When its turn came.
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
    /// The work that ended last.
    pub(crate) last: Work,
    /// Whether there was an attempt. A step that was skipped is over at once.
    pub(crate) was_called: bool,
}

/// All stages of a run that have begun, up to the end of the run or to a moment in it.
#[derive(Debug)]
pub(crate) struct Stages<'a> {
    pub(crate) run: &'a Run,
    pub(crate) started: Duration,
    /// Nothing is later.
    pub(crate) horizon: Duration,
    works: BTreeMap<Work, Vec<&'a Attempt>>,
    extents: BTreeMap<Stage, Extent>,
    /// For each step the stage that was the last to be undone of it and all behind it.
    undone: Vec<Option<Stage>>,
}

impl<'a> Stages<'a> {
    pub(crate) fn new(history: &'a History, run: &'a Run, now: Duration) -> Self {
        let mut works: BTreeMap<Work, Vec<&Attempt>> = BTreeMap::new();
        for attempt in &history.attempts {
            works.entry(attempt.work).or_default().push(attempt);
        }
        let horizon = history.ended.unwrap_or(now.max(history.latest));
        let (extents, undone) = (BTreeMap::new(), Vec::new());
        let mut stages = Self { run, started: history.started, horizon, works, extents, undone };
        stages.extents = stages.extents();
        stages.undone = stages.undone();
        stages
    }

    /// The attempts at each work, by step and item.
    pub(crate) fn works(&self) -> impl Iterator<Item = (Work, &[&'a Attempt])> {
        self.works.iter().map(|(work, attempts)| (*work, attempts.as_slice()))
    }

    pub(crate) fn extent(&self, stage: Stage) -> Option<&Extent> {
        self.extents.get(&stage)
    }

    /// The stage with an attempt that ended last.
    pub(crate) fn last(&self, is_undo: bool) -> Option<(Stage, Duration)> {
        let called = self.extents.iter().filter(|(stage, extent)| stage.is_undo == is_undo && extent.was_called);
        called.max_by_key(|(_, extent)| extent.end).map(|(stage, extent)| (*stage, extent.end))
    }

    /// The stage whose end let this one begin, and when that was; `None` for one that began with the run.
    pub(crate) fn decided_by(&self, stage: Stage) -> Option<(Stage, Duration)> {
        let begin = self.extent(stage)?.begin;
        let (decider, end) =
            if stage.is_undo { self.undo_decider(stage.step) } else { self.parent(stage.step, begin) }?;
        Some((decider, end.min(begin)))
    }

    /// When the stage could have begun: when its decider had ended, or when the run started.
    pub(crate) fn decided_at(&self, stage: Stage) -> Duration {
        self.decided_by(stage).map_or(self.started, |(_, end)| end)
    }

    /// When the work was over for the run: with its last attempt, or later when it was given up in a pause between two.
    pub(crate) fn end_of(&self, work: Work) -> Duration {
        let ends = self.works.get(&work).into_iter().flatten().map(|attempt| self.end_of_attempt(attempt));
        let end = ends.max().unwrap_or(self.started);
        let (state, since) = (self.run.task_state(work.task), self.run.since(work.task).unwrap_or_default());
        let over = match (work.is_undo, state) {
            (false, Some(StepState::Retrying | StepState::Held)) => self.horizon,
            (true, Some(StepState::Compensating)) => self.horizon,
            (false, Some(StepState::Succeeded | StepState::Failed | StepState::Cancelled)) => since,
            (true, Some(StepState::Compensated | StepState::CompensationFailed)) => since,
            _ => end,
        };
        over.max(end).clamp(self.started, self.horizon)
    }

    /// When the attempt ended; for one that is out, the horizon.
    pub(crate) fn end_of_attempt(&self, attempt: &Attempt) -> Duration {
        attempt.ended.unwrap_or(self.horizon).clamp(self.started, self.horizon)
    }

    fn extents(&self) -> BTreeMap<Stage, Extent> {
        let mut extents: BTreeMap<Stage, Extent> = BTreeMap::new();
        for (&work, attempts) in &self.works {
            let begin = attempts.first().map_or(self.started, |first| first.queued).clamp(self.started, self.horizon);
            let extent = Extent { begin, end: self.end_of(work), last: work, was_called: true };
            let stage = Stage { is_undo: work.is_undo, step: work.task.step };
            extents.entry(stage).and_modify(|known| known.widen(&extent)).or_insert(extent);
        }
        for step in (0..self.run.definition().steps().len()).map(StepIndex::new) {
            let stage = Stage { is_undo: false, step };
            if let Some(extent) = self.uncalled(step).filter(|_| !extents.contains_key(&stage)) {
                extents.insert(stage, extent);
            }
        }
        extents
    }

    /// A step that was over without a call: skipped, without what it needs, or for each of no items.
    fn uncalled(&self, step: StepIndex) -> Option<Extent> {
        let work = Work::doing(step.into());
        let since = self.run.since(step.into())?.clamp(self.started, self.horizon);
        let extent = |begin, end| Some(Extent { begin, end, last: work, was_called: false });
        match self.run.task_state(step.into())? {
            StepState::Skipped if self.run.skip_of(step) == Some(Skip::RunEnded) => None,
            StepState::Skipped | StepState::Failed | StepState::Succeeded => extent(since, since),
            StepState::Held => extent(since, self.horizon),
            _ => None,
        }
    }

    /// The parent whose end let the step begin: of those that had ended by then the last, or as many-th to succeed as the step
    /// waited for.
    fn parent(&self, step: StepIndex, begin: Duration) -> Option<(Stage, Duration)> {
        let parents = self.run.definition().graph().parents(step).iter();
        let stages = parents.map(|parent| Stage { is_undo: false, step: *parent });
        let mut ends: Vec<_> = stages.filter_map(|stage| Some((self.extent(stage)?.end, stage))).collect();
        ends.sort_unstable();
        let enough = self.wanted(step).and_then(|wanted| {
            ends.iter().filter(|(end, stage)| *end <= begin && self.has_succeeded(stage.step)).nth(wanted - 1)
        });
        // One that was tried again later has an end behind the beginning, and is the last guess.
        let last = ends.iter().rfind(|(end, _)| *end <= begin).or(ends.last());
        enough.or(last).map(|(end, stage)| (*stage, *end))
    }

    /// How many successes were enough for the step to begin, if not all ends were needed.
    fn wanted(&self, step: StepIndex) -> Option<usize> {
        if matches!(self.run.skip_of(step), Some(Skip::Dependency | Skip::Failure)) {
            return None;
        }
        match self.run.definition().step(step)?.join {
            Join::All | Join::AllDone => None,
            Join::Any => Some(1),
            Join::AtLeast(number) => Some(number.get() as usize),
        }
    }

    fn has_succeeded(&self, step: StepIndex) -> bool {
        use StepState as State;
        let state = self.run.task_state(step.into());
        let undone = matches!(state, Some(State::Compensating | State::Compensated | State::CompensationFailed));
        undone || state == Some(State::Succeeded)
    }

    /// Of what is behind the step, the one that was undone last; or else the last that was done before anything was undone.
    fn undo_decider(&self, step: StepIndex) -> Option<(Stage, Duration)> {
        let children = self.run.definition().graph().children(step).iter();
        let undone = children.filter_map(|child| self.undone.get(child.get()).copied().flatten());
        let ends = undone.filter_map(|stage| Some((stage, self.extent(stage)?.end)));
        ends.max_by_key(|(stage, end)| (*end, *stage)).or_else(|| self.last(false))
    }

    fn undone(&self) -> Vec<Option<Stage>> {
        let graph = self.run.definition().graph();
        let mut undone: Vec<Option<Stage>> = vec![None; graph.len()];
        for &step in graph.topological_order().iter().rev() {
            let own = Stage { is_undo: true, step };
            let behind = || graph.children(step).iter().filter_map(|child| undone[child.get()]);
            let last = || behind().max_by_key(|stage| (self.extent(*stage).map(|extent| extent.end), *stage));
            undone[step.get()] = self.extent(own).map(|_| own).or_else(last);
        }
        undone
    }
}

impl Extent {
    fn widen(&mut self, other: &Self) {
        self.begin = self.begin.min(other.begin);
        if other.end > self.end {
            (self.end, self.last) = (other.end, other.last);
        }
    }
}
