//! `cargo run --release --example market_pipeline`
//!
//! Reads twenty years of market data and measures it with three modules: the
//! validator checks rows and makes series of them, the processors find each
//! series' greatest drawdown, rolling volatility and correlation with the
//! index, and the storage writes it all to one result file.
//!
//! With `--chaos` one turn in five panics, whichever actor it is. The
//! supervisor puts a new value in its place, runs the message again, and opens
//! the breaker when it gets too bad; the senders wait. The table stays the
//! same.
//!
//! Where to look: `pipeline` for the road of the work, `validator`,
//! `processor` and `storage` for the actors, `team` for their supervision,
//! `delivery` for what a sender does about an open breaker. The other files
//! know nothing of actors.

mod archive;
mod chaos;
mod correlation;
mod date;
mod delivery;
mod drawdown;
mod figures;
mod frequency;
mod gap;
mod input;
mod job;
mod module;
mod options;
mod order;
mod outline;
mod part;
mod pipeline;
mod plan;
mod processor;
mod progress;
mod quarantine;
mod report;
mod result_file;
mod returns;
mod row;
mod series;
mod storage;
mod table;
mod team;
mod validation;
mod validator;
mod volatility;

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

#[tokio::main(flavor = "current_thread")]
async fn run(options: &Options) -> ExitCode {
    match job::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, error.exit_code()),
    }
}

fn complain(error: &dyn Error, exit_code: u8) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(exit_code)
}
