//! One line per step: a bar that fills on a terminal, a plain line in a pipe.

use std::fmt::Display;
use std::io::{IsTerminal, stdout};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step under way.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    bar: ProgressBar,
    terminal: bool,
}

impl Step {
    /// Starts a step of so many pieces.
    pub(crate) fn start(name: &'static str, pieces: usize) -> Self {
        let terminal = stdout().is_terminal();
        let target = if terminal { ProgressDrawTarget::stdout() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(pieces as u64), target).with_style(style()).with_prefix(name);
        Self { name, bar, terminal }
    }

    /// Counts a piece as done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Ends the step and says what came of it.
    pub(crate) fn finish(self, outcome: impl Display) {
        if self.terminal {
            self.bar.finish_with_message(outcome.to_string());
        } else {
            println!("{}: {outcome}", self.name);
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:9} [{bar:30}] {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
