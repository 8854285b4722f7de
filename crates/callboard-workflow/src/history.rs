//! When each attempt of a run was queued, began and ended, and how: what a chart over time is made of. Pure.
//!
//! Whoever drives a [`Run`](crate::run::Run) shows its history every event before the run is told of it, and every command
//! that came of it, with the same times. Nothing of inputs, outputs and messages is kept: an attempt takes
//! 96 bytes at most, and a run as many of them as it made attempts.
//!
//! ```
//! # use std::time::Duration;
//! # use callboard_bus::Value;
//! # use callboard_workflow::definition::{Definition, StepBuilder};
//! use callboard_workflow::history::{History, Outcome};
//! use callboard_workflow::run::{Event, Run};
//!
//! # let definition = Definition::builder("one").step(StepBuilder::new("only", "m.f")).build()?;
//! let (mut now, mut commands) = (Duration::ZERO, Vec::new());
//! let mut run = Run::start(&definition, "run-1", Value::Null, now, &mut commands);
//! let mut history = History::new(now);
//! history.note_commands(&commands, now);
//!
//! now = Duration::from_millis(20);
//! let task = definition.find("only").ok_or("it is there")?.into();
//! let event = Event::Succeeded { task, attempt: 1, output: Value::Null };
//! history.note_event(&event, now);
//! run.apply(event, now, &mut commands);
//! history.note_commands(&commands, now);
//!
//! assert_eq!(history.attempts()[0].outcome, Outcome::Succeeded);
//! assert_eq!(history.critical_path(&run)[0].to, now);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod critical_path;
mod places;
mod stages;

use std::time::Duration;

pub use self::critical_path::Stretch;
use self::places::Places;
pub(crate) use self::stages::{Stage, Stages};
use crate::run::{Command, Event, Task, Timer};

/// What happened so far. See the head of this module.
#[derive(Clone, Debug)]
pub struct History {
    started: Duration,
    /// The last moment at which anything was noted.
    latest: Duration,
    ended: Option<Duration>,
    attempts: Vec<Attempt>,
    /// The place of the last attempt at each work.
    last: Places,
}

/// A task that is done, or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work {
    /// The step, or an item of it.
    pub task: Task,
    /// Whether it is undone.
    pub is_undo: bool,
}

/// One attempt to do something, or to undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What.
    pub work: Work,
    /// Which attempt, from 1.
    pub number: u32,
    /// When the run wanted it.
    pub queued: Duration,
    /// When it began, if anybody said so. What undoes something begins at once.
    pub started: Option<Duration>,
    /// When it ended.
    pub ended: Option<Duration>,
    /// How it ended.
    pub outcome: Outcome,
    /// When the next attempt was due, if the run wanted one.
    pub retry_at: Option<Duration>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Not yet.
    Open,
    /// It was answered.
    Succeeded,
    /// It failed, or its answer could not be used.
    Failed,
    /// It took too long and was given up.
    TimedOut,
    /// It was stopped.
    Cancelled,
}

impl Work {
    /// The task that is done.
    #[must_use]
    pub fn doing(task: Task) -> Self {
        Self { task, is_undo: false }
    }

    /// The task that is undone.
    #[must_use]
    pub fn undoing(task: Task) -> Self {
        Self { task, is_undo: true }
    }
}

impl History {
    /// The history of a run that starts now.
    #[must_use]
    pub fn new(started: Duration) -> Self {
        Self { started, latest: started, ended: None, attempts: Vec::new(), last: Places::default() }
    }

    /// The same for a run of so many steps, with room for one attempt at each.
    pub(crate) fn of_steps(steps: usize, started: Duration) -> Self {
        Self { attempts: Vec::with_capacity(steps), last: Places::of_steps(steps), ..Self::new(started) }
    }

    /// Takes note of what the run is told. An event that does not fit is ignored, as the run does.
    pub fn note_event(&mut self, event: &Event, now: Duration) {
        let now = self.moment(now);
        match *event {
            Event::Started { task, attempt } => self.begin(Work::doing(task), attempt, now),
            Event::Succeeded { task, attempt, .. } => self.end(Work::doing(task), attempt, Outcome::Succeeded, now),
            Event::Failed { task, attempt, .. } => self.end(Work::doing(task), attempt, Outcome::Failed, now),
            Event::Cancelled { task, attempt } => self.end(Work::doing(task), attempt, Outcome::Cancelled, now),
            Event::TimerFired(timer) => self.note_timer(timer, now),
            Event::CompensationSucceeded { task, attempt } => {
                self.end(Work::undoing(task), attempt, Outcome::Succeeded, now);
            }
            Event::CompensationFailed { task, attempt, .. } => {
                self.end(Work::undoing(task), attempt, Outcome::Failed, now);
            }
            Event::CancelRequested { .. } | Event::PauseRequested | Event::Resumed | Event::RetryRequested { .. } => {}
        }
    }

    /// Takes note of what the run wants.
    pub fn note_commands(&mut self, commands: &[Command], now: Duration) {
        let now = self.moment(now);
        for command in commands {
            match *command {
                Command::Call { task, attempt, .. } => self.queue(Work::doing(task), attempt, None, now),
                Command::Compensate { task, attempt, .. } => self.queue(Work::undoing(task), attempt, Some(now), now),
                Command::SetTimer { timer, at } => self.note_retry(timer, at),
                Command::Finished { .. } => self.ended = Some(now),
                Command::Cancel { .. } => {}
            }
        }
    }

    /// When the run started.
    #[must_use]
    pub fn started(&self) -> Duration {
        self.started
    }

    /// When the run ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<Duration> {
        self.ended
    }

    /// All attempts, in the order in which the run wanted them.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// A clock that goes back stands still here.
    fn moment(&mut self, now: Duration) -> Duration {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn queue(&mut self, work: Work, number: u32, started: Option<Duration>, now: Duration) {
        let (ended, outcome, retry_at) = (None, Outcome::Open, None);
        // A run that was over goes on when somebody wants another try.
        self.ended = None;
        self.last.set(work, self.attempts.len());
        self.attempts.push(Attempt { work, number, queued: now, started, ended, outcome, retry_at });
    }

    fn begin(&mut self, work: Work, number: u32, now: Duration) {
        if let Some(attempt) = self.open(work, number).filter(|attempt| attempt.started.is_none()) {
            attempt.started = Some(now);
        }
    }

    fn end(&mut self, work: Work, number: u32, outcome: Outcome, now: Duration) {
        if let Some(attempt) = self.open(work, number) {
            (attempt.ended, attempt.outcome) = (Some(now), outcome);
        }
    }

    fn note_timer(&mut self, timer: Timer, now: Duration) {
        match timer {
            Timer::Timeout(task, attempt) => self.end(Work::doing(task), attempt, Outcome::TimedOut, now),
            Timer::CompensationTimeout(task, attempt) => {
                self.end(Work::undoing(task), attempt, Outcome::TimedOut, now);
            }
            Timer::Deadline | Timer::Retry(..) | Timer::CompensationRetry(..) => {}
        }
    }

    /// Another attempt is wanted, so the last one has failed: also if it was answered, with what its step has no use for.
    fn note_retry(&mut self, timer: Timer, at: Duration) {
        let work = match timer {
            Timer::Retry(task, _) => Work::doing(task),
            Timer::CompensationRetry(task, _) => Work::undoing(task),
            Timer::Deadline | Timer::Timeout(..) | Timer::CompensationTimeout(..) => return,
        };
        let Some(attempt) = self.last.get(work).and_then(|place| self.attempts.get_mut(place)) else { return };
        attempt.retry_at = Some(at);
        if attempt.outcome == Outcome::Succeeded {
            attempt.outcome = Outcome::Failed;
        }
    }

    /// The last attempt, if it is this one and has not ended.
    fn open(&mut self, work: Work, number: u32) -> Option<&mut Attempt> {
        let attempt = self.attempts.get_mut(self.last.get(work)?)?;
        (attempt.number == number && attempt.outcome == Outcome::Open).then_some(attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_small() {
        assert!(size_of::<Attempt>() <= 96, "{}", size_of::<Attempt>());
    }
}
