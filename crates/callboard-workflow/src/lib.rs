//! Workflows: steps that are calls to modules, and what each waits for.
//!
//! A [`Definition`](definition::Definition) is written in YAML, JSON or Rust and checked as a whole. A [`Run`](run::Run) of it is
//! a state machine that is told what happened and says what to do next:
//!
//! ```
//! use std::time::Duration;
//!
//! use callboard_bus::Value;
//! use callboard_workflow::definition::Definition;
//! use callboard_workflow::run::{Command, Event, Run, RunState};
//! use serde_json::json;
//!
//! let definition = Definition::read(
//!     "workflow_id: double
//! version: 1.0.0
//! steps:
//! - step_id: add
//!   handler: calculator.add
//!   input_mapping: {left: number, right: number}
//! ",
//! )?;
//! let (now, mut commands) = (Duration::ZERO, Vec::new());
//! let mut run = Run::start(&definition, "run-1", json!({ "number": 21 }).into(), now, &mut commands);
//! let Some(Command::Call { task, attempt, handler, input, .. }) = commands.pop() else { panic!("one step is ready") };
//! assert_eq!(handler.to_string(), "calculator.add");
//! assert_eq!(input, Value::from(json!({ "left": 21, "right": 21 })));
//!
//! let output = json!({ "sum": 42 }).into();
//! run.apply(Event::Succeeded { task, attempt, output }, now, &mut commands);
//! assert_eq!(commands, [Command::Finished { state: RunState::Completed }]);
//! assert_eq!(run.context(), Value::from(json!({ "number": 21, "sum": 42 })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to know | look at |
//! |---|---|
//! | what a definition can say, and what a step is given | [`definition`] |
//! | what can be wrong with one | [`fault`] |
//! | order, levels, ancestors, critical path | [`graph`] |
//! | when a step starts, ends, is tried again or undone | [`run`] |
//! | how limits are shared between runs | [`slots`] |
//! | what a run waits for | [`progress`] |
//! | that it has waited for too long | [`StuckRun`] |
//! | when everything happened, and what decided the end | [`history`] |
//! | how it looks | [`drawing`] |
//! | how real scientific workflows are read | [`wfformat`] |
//! | how it is registered, started and remembered in a system | [`workflows`] |
//! | a run, and how it ended | [`RunRef`], [`RunReport`] |
//! | watching one | [`Tail`], [`Progress`] |
//!
//! Everything but [`workflows`] and what it hands out is pure: whoever drives a [`Run`](run::Run) brings time and calls. In a
//! system that is an actor per run, see there for an example.
//!
//! # What this crate does not do
//!
//! It keeps no journal: runs end with their process, and what is remembered of them does so too. It runs no step itself,
//! each is a call to a module; and what a module did before its answer got lost is for the module to find out, by
//! the idempotency key. Values stay inside the process and are never turned into bytes.

pub mod definition;
pub mod drawing;
pub mod fault;
mod file;
pub mod graph;
pub mod history;
mod limits;
mod news;
pub mod progress;
mod record;
mod report;
pub mod run;
mod run_ref;
mod runner;
mod seat;
pub mod slots;
mod stuck;
mod tail;
pub mod wfformat;
pub mod workflows;

pub use self::file::SCHEMA;
pub use self::report::RunReport;
pub use self::run_ref::{RunError, RunRef};
pub use self::stuck::StuckRun;
pub use self::tail::{Progress, Tail};
pub use self::workflows::{Workflows, WorkflowsExt};
