//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::command_line::{Command, split_at_equals};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Runs a workflow of the WfCommons project, WfFormat 1.5; its steps wait as long as its tasks took.

Usage: cargo run --release --example wfformat -- FILE [OPTIONS]

  --scale S   what the recorded times are multiplied by, from 0 on [default: 0.001]
  --svg DIR   draw the graph and the run over time into this folder
  --help      this text
";

const DEFAULT_SCALE: f64 = 0.001;

/// What is to be run, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) scale: f64,
    pub(crate) svg: Option<PathBuf>,
}

/// The command line is not understood.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("there is no option {0:?}; --help lists them")]
    UnknownOption(OsString),
    #[error("{0} needs a value")]
    NoValue(&'static str),
    #[error("--scale takes a number from 0 on, not {0:?}")]
    Scale(OsString),
    #[error("name a file of WfFormat 1.5; --help tells more")]
    NoFile,
    #[error("there are two files, {0:?} and {1:?}; name one")]
    TwoFiles(PathBuf, OsString),
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command<Self>, UsageError> {
        let mut arguments = arguments.into_iter().flat_map(split_at_equals);
        let (mut file, mut scale, mut svg) = (None, DEFAULT_SCALE, None);
        while let Some(argument) = arguments.next() {
            let mut value = |option| arguments.next().ok_or(UsageError::NoValue(option));
            match argument.to_str() {
                Some("--help" | "-h") => return Ok(Command::Help),
                Some("--scale") => scale = number(value("--scale")?)?,
                Some("--svg") => svg = Some(value("--svg")?.into()),
                Some(option) if option.starts_with("--") => return Err(UsageError::UnknownOption(argument)),
                _ => match file {
                    None => file = Some(PathBuf::from(argument)),
                    Some(first) => return Err(UsageError::TwoFiles(first, argument)),
                },
            }
        }
        let file = file.ok_or(UsageError::NoFile)?;
        Ok(Command::Run(Self { file, scale, svg }))
    }
}

fn number(value: OsString) -> Result<f64, UsageError> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.filter(|scale: &f64| scale.is_finite() && *scale >= 0.0).ok_or(UsageError::Scale(value))
}
