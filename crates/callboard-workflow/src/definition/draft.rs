//! A definition as it was written: texts that nobody has read yet, and where each stands.
//!
//! Both faces make a draft and [`check`](super::check) makes a definition of it, so a rule exists once. What the reader of
//! files has already found missing or wrong is `None` here, and the check passes over it.

use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::{RetryPolicy, Value};

use super::{FailAfter, Join};
use crate::file::{At, Position};

#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) workflow_id: Option<At<String>>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) version: Option<At<String>>,
    pub(crate) trigger_events: Vec<At<String>>,
    pub(crate) timeout: Option<At<Duration>>,
    pub(crate) limits: Vec<(At<String>, At<u32>)>,
    pub(crate) steps: Vec<StepDraft>,
    /// Where the list of steps stands. `None` with steps in a file that has no such list.
    pub(crate) steps_at: Option<Position>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct StepDraft {
    pub(crate) step_id: Option<At<String>>,
    pub(crate) name: Option<String>,
    pub(crate) handler: Option<At<String>>,
    pub(crate) depends_on: Vec<At<String>>,
    pub(crate) input_mapping: Vec<(At<String>, At<SourceDraft>)>,
    pub(crate) output_mapping: Option<Vec<(At<String>, At<String>)>>,
    pub(crate) timeout: Option<At<Duration>>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) when: Option<At<String>>,
    pub(crate) join: Option<At<JoinDraft>>,
    pub(crate) map: Option<MapDraft>,
    pub(crate) compensate: Option<CompensationDraft>,
    pub(crate) priority: Priority,
    /// Where the step begins.
    pub(crate) at: Option<Position>,
}

#[derive(Clone, Debug)]
pub(crate) enum SourceDraft {
    Path(String),
    Value(Value),
}

/// A join whose number may be zero.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JoinDraft {
    Word(Join),
    Number(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct MapDraft {
    pub(crate) over: Option<At<String>>,
    pub(crate) max_parallel: Option<At<u32>>,
    pub(crate) fail_after: Option<At<FailAfterDraft>>,
}

/// A [`FailAfter`] whose number may be zero.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FailAfterDraft {
    Items(u32),
    Percent(u32),
}

impl From<FailAfter> for FailAfterDraft {
    fn from(known: FailAfter) -> Self {
        match known {
            FailAfter::Items(items) => Self::Items(items.get()),
            FailAfter::Percent(percent) => Self::Percent(percent.get()),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct CompensationDraft {
    pub(crate) handler: Option<At<String>>,
    pub(crate) input_mapping: Option<Vec<(At<String>, At<SourceDraft>)>>,
    pub(crate) timeout: Option<At<Duration>>,
    pub(crate) retry: Option<RetryPolicy>,
}

impl StepDraft {
    /// Its id, or its place in the list if it has none.
    pub(crate) fn name_in_fault(&self, index: usize) -> String {
        self.step_id.as_ref().map_or_else(|| format!("steps[{index}]"), |id| id.value.clone())
    }

    /// What the step is called in a fault.
    pub(crate) fn label(&self, index: usize) -> String {
        self.step_id.as_ref().map_or_else(|| format!("steps[{index}]"), |id| format!("step `{}`", id.value))
    }
}
