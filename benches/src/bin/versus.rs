//! Callboard against actix, plain tokio and, with the feature `peers`, kameo
//! and ractor: every workload in interleaved rounds, medians.
//!
//! ```text
//! cargo run --release -p benches --bin versus                  # a table
//! cargo run --release -p benches --bin versus -- --json        # only JSON on standard output
//! cargo run --release -p benches --bin versus -- --quick --only tell,ask
//! cargo run --release -p benches --features peers --bin versus
//! perf record -g target/release/versus --only tell --peers callboard
//! ```

use std::{env, process::ExitCode};

use benches::{
    arguments::Arguments,
    memory::CountingAllocator,
    report::{self, Row},
    rounds, table,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let rows = run(&arguments);
    match show(&rows, arguments.json) {
        Ok(text) => println!("{text}"),
        Err(error) => {
            eprintln!("the figures cannot be shown: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Progress goes to standard error: with `--json` nothing but the array may
/// stand on standard output.
fn run(arguments: &Arguments) -> Vec<Row> {
    let workloads = arguments.workloads.iter();
    let measured = workloads.map(|&workload| {
        eprintln!("{workload} ..");
        rounds::measure(workload, arguments.size, &arguments.entrants)
    });
    measured.collect()
}

fn show(rows: &[Row], json: bool) -> Result<String, serde_json::Error> {
    if json { report::to_json(rows) } else { Ok(table::draw(rows)) }
}
