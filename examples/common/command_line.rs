//! What the examples with options have in common: how an option is written, and how such a program ends.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

/// What the user wants done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command<O> {
    Help,
    Run(O),
}

/// The whole program: 2 is the exit code for arguments that are not understood, and `exit_code` says that of other errors.
pub(crate) fn main<O, U: Error, E: Error>(
    help: &str,
    parse: impl FnOnce(Vec<OsString>) -> Result<Command<O>, U>,
    run: impl FnOnce(O) -> Result<(), E>,
    exit_code: impl FnOnce(&E) -> u8,
) -> ExitCode {
    match parse(env::args_os().skip(1).collect()) {
        Ok(Command::Run(options)) => match run(options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error, exit_code(&error)),
        },
        Ok(Command::Help) => {
            print!("{help}");
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error, 2),
    }
}

/// `--out=DIR` is `--out DIR`.
pub(crate) fn split_at_equals(argument: OsString) -> Vec<OsString> {
    match argument.to_str().filter(|text| text.starts_with("--")).and_then(|text| text.split_once('=')) {
        Some((option, value)) => vec![option.into(), value.into()],
        None => vec![argument],
    }
}

/// The error with everything that led to it. Some errors name their cause themselves; none is named twice.
fn complain(error: &dyn Error, exit_code: u8) -> ExitCode {
    let mut line = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string) {
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    eprintln!("error: {line}");
    ExitCode::from(exit_code)
}
