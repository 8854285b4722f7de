//! `cargo run --release --example market_pipeline`
//!
//! Reads twenty years of market data and measures it with a workflow over three
//! modules: the validator checks rows and makes series of them, the processor
//! finds each series' greatest drawdown, rolling volatility and correlation with
//! the index, and the storage writes it all to one result file. An event,
//! `data.batch.received`, starts the run. It is drawn as a graph and over time.
//!
//! With `--workflow FILE` the steps are yours, over the same operations:
//!
//! | operation | takes | replies |
//! |---|---|---|
//! | `validator_module.validate_data` | `data`, an item of the event's `batch_data` | the rows of the piece |
//! | `validator_module.assemble` | `pieces`, all that came of that | `series`, `stretches`, `quarantine`, `warnings` |
//! | `processor_module.process_data` | `data`, an item of `stretches` | its rolling volatility |
//! | `processor_module.analyse` | `series`, an item of `series` | its figures and monthly returns |
//! | `processor_module.correlate` | `analyses`, all that came of that, and the event's `index` | `correlations` |
//! | `storage_module.store_data` | `analyses`, `volatility`, `correlations`, `quarantine`, `warnings` | `file` |
//! | `storage_module.report` | the event's `index` | `report` |
//!
//! With `--chaos` one turn in five panics, whichever module it is. The
//! supervisor puts a new value in its place, runs the message again, and opens
//! the breaker when it gets too bad; the steps come back when it says so. The
//! table stays the same.
//!
//! Where to look: `data_processing_pipeline.yaml` for the road of the work,
//! `workflow` for its run, `validator`, `processor` and `storage` for the
//! modules, `team` for their supervision. The other files know nothing of actors.

mod analysis;
mod archive;
mod assembly;
mod chaos;
#[path = "../common/command_line.rs"]
mod command_line;
mod correlation;
mod date;
mod drawdown;
mod figures;
mod frequency;
mod gap;
mod input;
mod job;
mod module;
mod options;
mod order;
mod pictures;
mod processor;
mod progress;
mod quarantine;
mod report;
mod result_file;
mod returns;
mod row;
mod series;
mod storage;
mod stretch;
mod table;
mod team;
mod validation;
mod validator;
mod volatility;
mod workflow;

use std::process::ExitCode;

use job::JobError;
use options::{HELP, Options};

fn main() -> ExitCode {
    let run = |options| callboard::block_on(job::run(&options));
    command_line::main(HELP, Options::parse, run, JobError::exit_code)
}
