//! When to look whether a run goes on: [`Vigil`]. Pure.

use std::time::Duration;

use crate::run::Run;
use crate::stuck::StuckRun;

/// Notices a run that is stuck, once until it goes on. It looks once in the time that is given to the run and not at each
/// step, and is never late: each look sees when something last happened, and the next one comes when that is too long ago.
#[derive(Debug)]
pub(super) struct Vigil {
    after: Duration,
    next: Duration,
    /// When something last happened in the run that was found stuck.
    found: Option<Duration>,
}

impl Vigil {
    /// A vigil without any pause would look all the time.
    const LEAST: Duration = Duration::from_millis(1);

    pub(super) fn new(after: Duration, now: Duration) -> Self {
        let after = after.max(Self::LEAST);
        Self { after, next: now.saturating_add(after), found: None }
    }

    /// When to look next. `None` if that is beyond all time.
    pub(super) fn next(&self) -> Option<Duration> {
        (self.next < Duration::MAX).then_some(self.next)
    }

    /// What to tell of the run, if it is time to look and there is something new to tell.
    pub(super) fn look(&mut self, run: &Run, now: Duration) -> Option<StuckRun> {
        if now < self.next {
            return None;
        }
        let changed = run.changed();
        let due = changed.saturating_add(self.after);
        self.next = if due > now { due } else { now.saturating_add(self.after) };
        if self.found == Some(changed) {
            return None;
        }
        let stuck = self.stuck(run, now)?;
        self.found = Some(changed);
        Some(stuck)
    }

    /// Whether the run is stuck.
    pub(super) fn stuck(&self, run: &Run, now: Duration) -> Option<StuckRun> {
        StuckRun::of(run, self.after, now)
    }
}
