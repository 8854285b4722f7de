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

mod instance;
mod job;
mod options;
mod report;
mod waiter;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use options::{Command, HELP, Options};

fn main() -> ExitCode {
    match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Run(options)) => run(&options),
        Ok(Command::Help) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error, 2),
    }
}

fn run(options: &Options) -> ExitCode {
    match callboard::block_on(job::run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, error.exit_code()),
    }
}

/// One line, with everything that led to the error.
fn complain(error: &dyn Error, exit_code: u8) -> ExitCode {
    let chain = std::iter::successors(error.source(), |&source| source.source());
    let causes: String = chain.map(|cause| format!(": {cause}")).collect();
    eprintln!("error: {}", format!("{error}{causes}").replace('\n', " "));
    ExitCode::from(exit_code)
}
