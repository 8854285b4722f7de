//! A run with its history: [`Record`]. Pure.

use std::sync::Arc;
use std::time::Duration;

use crate::definition::Definition;
use crate::history::History;
use crate::run::{Command, Event, Run};
use crate::workflows::RunName;
use callboard_bus::Value;

/// A run, and when everything in it happened.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) run: Run,
    pub(crate) history: History,
}

impl Record {
    /// Starts a run.
    pub(crate) fn start(
        definition: &Definition,
        name: &RunName,
        input: Value,
        now: Duration,
        commands: &mut Vec<Command>,
    ) -> Self {
        let run = Run::start(definition, Arc::clone(&name.run), input, now, commands);
        let mut history = History::of_steps(definition.steps().len(), now);
        history.note_commands(commands, now);
        Self { run, history }
    }

    /// Tells the run what happened. `commands` must be empty, and is what it wants done now.
    pub(crate) fn apply(&mut self, event: Event, now: Duration, commands: &mut Vec<Command>) {
        self.history.note_event(&event, now);
        self.run.apply(event, now, commands);
        self.history.note_commands(commands, now);
    }
}
