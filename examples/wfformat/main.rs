//! `cargo run --release --example wfformat -- FILE --scale S`
//!
//! Runs a real scientific workflow: any instance of WfFormat 1.5, as the WfCommons project
//! (wfcommons.org) collects them. Each task becomes a step that waits as long as the task took when
//! it was recorded, times S. What is left between the time of the run and that of its critical path
//! is what the framework cost.
//!
//! With `--svg DIR` the graph and the run over time are drawn.
//!
//! Where to look: `instance` for the file, `waiter` for the module that the steps call, `job` for the
//! run, `report` for what is printed and drawn.

#[path = "../common/command_line.rs"]
mod command_line;
mod instance;
mod job;
mod options;
mod report;
mod waiter;

use std::process::ExitCode;

use job::JobError;
use options::{HELP, Options};

fn main() -> ExitCode {
    let run = |options| callboard::block_on(job::run(&options));
    command_line::main(HELP, Options::parse, run, JobError::exit_code)
}
