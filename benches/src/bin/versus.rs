//! Callboard against actix, plain tokio and, with the feature `peers`, kameo
//! and ractor: every workload in interleaved rounds, medians.
//!
//! ```text
//! cargo run --release -p benches --bin versus                  # a table
//! cargo run --release -p benches --bin versus -- --json        # only JSON on standard output
//! cargo run --release -p benches --bin versus -- --quick --only tell,ask
//! cargo run --release -p benches --features peers --bin versus -- --save run.json
//! cargo run --release -p benches --features peers --bin versus -- --from run.json --svg
//! perf record -g target/release/versus --only tell --peers callboard
//! ```

use std::{env, error::Error, fs, path::Path, process::ExitCode};

use benches::{
    arguments::{Arguments, Form, USAGE},
    chart, markdown,
    memory::CountingAllocator,
    picture,
    report::{self, Row},
    rounds, saved, table,
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
    if let Err(error) = work(&arguments) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A run is shown before it is saved: if the file cannot be written, it is not
/// lost.
fn work(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.help {
        println!("{USAGE}");
        return Ok(());
    }
    let rows = match &arguments.from {
        Some(file) => chosen(arguments, read(file)?),
        None => run(arguments),
    };
    println!("{}", show(&rows, arguments.form)?.trim_end());
    if let Some(file) = &arguments.save {
        fs::write(file, saved::write(&rows)?).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
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

fn read(file: &Path) -> Result<Vec<Row>, String> {
    let named = |error: &dyn Error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| named(&error))?;
    saved::read(&text).map_err(|error| named(&error))
}

/// Of a run that was saved, what the arguments ask for.
fn chosen(arguments: &Arguments, mut rows: Vec<Row>) -> Vec<Row> {
    rows.retain(|row| arguments.workloads.contains(&row.workload));
    for row in &mut rows {
        row.figures.retain(|figure| arguments.entrants.contains(&figure.entrant));
    }
    rows
}

fn show(rows: &[Row], form: Form) -> Result<String, serde_json::Error> {
    Ok(match form {
        Form::Table => table::draw(rows),
        Form::Json => report::to_json(rows)?,
        Form::Markdown => markdown::write(rows),
        Form::Svg => picture::draw(&chart::of(rows)),
    })
}
