//! One line per step: a bar that fills on a terminal, a plain line in a pipe.
//!
//! Lines come in the order of the definition, so a step that is quicker than
//! one before it waits for its line.

use std::io::{IsTerminal, stdout};

use callboard::workflow::definition::Definition;
use callboard::workflow::progress::TaskProgress;
use callboard::workflow::run::StepState;
use callboard::workflow::{Progress as News, RunReport};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The steps of a run under way.
#[derive(Debug)]
pub(crate) struct Progress {
    is_terminal: bool,
    steps: Vec<Step>,
    /// How many steps have their line.
    told: usize,
}

#[derive(Debug)]
struct Step {
    id: String,
    bar: ProgressBar,
    /// What came of it, once it is over.
    outcome: Option<String>,
}

impl Progress {
    /// Of a run that is about to begin.
    pub(crate) fn of(definition: &Definition) -> Self {
        let is_terminal = stdout().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stdout() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let step = |id: &str| {
            let bar = ProgressBar::new(1).with_style(style()).with_prefix(id.to_owned());
            Step { id: id.to_owned(), bar: bars.add(bar), outcome: None }
        };
        let steps = definition.steps().iter().map(|described| step(&described.step_id)).collect();
        Self { is_terminal, steps, told: 0 }
    }

    /// Shows what has happened. What was missed is made up for by [`finish`](Self::finish).
    pub(crate) fn tell(&mut self, news: &News) {
        if let News::Step(task) = news {
            self.update(task);
        }
    }

    /// Shows how every step ended.
    pub(crate) fn finish(&mut self, ended: &RunReport) {
        for task in ended.show().into_iter().flat_map(|run| run.progress) {
            self.update(&task);
        }
    }

    fn update(&mut self, task: &TaskProgress) {
        let (id, is_item) = task.task.split_once('[').map_or((&*task.task, false), |(id, _)| (id, true));
        let Some(step) = self.steps.iter_mut().find(|step| step.id == id && step.outcome.is_none()) else {
            return;
        };
        if is_item {
            step.bar.inc(u64::from(task.state == StepState::Succeeded));
        } else {
            step.update(task);
            self.print();
        }
    }

    /// Prints the lines whose time has come.
    fn print(&mut self) {
        while let Some(step) = self.steps.get(self.told)
            && let Some(outcome) = &step.outcome
        {
            if !self.is_terminal {
                println!("{}: {outcome}", step.id);
            }
            self.told += 1;
        }
    }
}

impl Step {
    fn update(&mut self, task: &TaskProgress) {
        if let Some(items) = &task.items {
            self.bar.set_length(items.total.into());
        }
        if !task.state.is_settled() {
            return;
        }
        let outcome = outcome(task);
        if task.state == StepState::Succeeded {
            self.bar.finish_with_message(outcome.clone());
        } else {
            self.bar.abandon_with_message(outcome.clone());
        }
        self.outcome = Some(outcome);
    }
}

fn outcome(task: &TaskProgress) -> String {
    match (&task.items, task.state) {
        (Some(items), StepState::Succeeded) if items.total == 1 => "1 item".to_owned(),
        (Some(items), StepState::Succeeded) => format!("{} items", items.total),
        (Some(items), state) => format!("{state}, {} of {} items succeeded", items.succeeded, items.total),
        (None, StepState::Succeeded) => "done".to_owned(),
        (None, state) => state.to_string(),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:9} [{bar:30}] {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
