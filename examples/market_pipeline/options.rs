//! The command line.

use std::ffi::{OsStr, OsString};
use std::iter::Peekable;
use std::path::PathBuf;

use crate::chaos::Chaos;
use crate::command_line::{Command, split_at_equals};
use crate::module::{Module, UnknownModule};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Measures drawdown, volatility and correlation of market data with a workflow over three modules.

Usage: cargo run --release --example market_pipeline -- [OPTIONS]

  --input FILE      a price table of your own instead of the three that come along: columns
                    date and close, adjclose or price; symbol, open, high and low if there
  --workflow FILE   a workflow of your own over the same modules, in YAML or JSON, instead of
                    data_processing_pipeline.yaml
  --out DIR         where the result file and the pictures go [default: target/market_pipeline]
  --chaos [P]       let each turn of an actor panic with probability P, 0 to 0.9 [default: 0.2]
  --seed N          which panics the chaos has [default: 1]
  --without MODULE  leave a module out: validator, processor or storage
  --help            this text
";

const DEFAULT_PROBABILITY: f64 = 0.2;
const DEFAULT_SEED: u64 = 1;

/// Above it a piece takes so many attempts that the job would not end soon.
const GREATEST_PROBABILITY: f64 = 0.9;

/// How the job is to be run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options {
    pub(crate) input: Option<PathBuf>,
    pub(crate) workflow: Option<PathBuf>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) chaos: Option<Chaos>,
    pub(crate) without: Option<Module>,
}

/// The command line is not understood.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("there is no option {0:?}; --help lists them")]
    UnknownOption(OsString),
    #[error("{0} needs a value")]
    NoValue(&'static str),
    #[error("--chaos takes a probability from 0 to 0.9, not {0:?}")]
    Probability(OsString),
    #[error("--seed takes a whole number from 0, not {0:?}")]
    Seed(OsString),
    #[error("--seed says which panics --chaos has; give --chaos too")]
    SeedWithoutChaos,
    #[error("--without: {0}")]
    Module(#[from] UnknownModule),
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command<Self>, UsageError> {
        let mut arguments = Arguments(arguments.into_iter().flat_map(split_at_equals).peekable());
        let mut options = Self::default();
        let (mut probability, mut seed) = (None, None);
        while let Some(argument) = arguments.0.next() {
            match argument.to_str() {
                Some("--help" | "-h") => return Ok(Command::Help),
                Some("--input") => options.input = Some(arguments.value("--input")?.into()),
                Some("--workflow") => options.workflow = Some(arguments.value("--workflow")?.into()),
                Some("--out") => options.out = Some(arguments.value("--out")?.into()),
                Some("--chaos") => probability = Some(arguments.probability()?),
                Some("--seed") => seed = Some(arguments.seed()?),
                Some("--without") => options.without = Some(arguments.module()?),
                _ => return Err(UsageError::UnknownOption(argument)),
            }
        }
        options.chaos = chaos(probability, seed)?;
        Ok(Command::Run(options))
    }
}

fn chaos(probability: Option<f64>, seed: Option<u64>) -> Result<Option<Chaos>, UsageError> {
    match (probability, seed) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(UsageError::SeedWithoutChaos),
        (Some(probability), seed) => Ok(Some(Chaos { probability, seed: seed.unwrap_or(DEFAULT_SEED) })),
    }
}

struct Arguments<I: Iterator<Item = OsString>>(Peekable<I>);

impl<I: Iterator<Item = OsString>> Arguments<I> {
    fn value(&mut self, option: &'static str) -> Result<OsString, UsageError> {
        self.optional_value().filter(|value| !value.is_empty()).ok_or(UsageError::NoValue(option))
    }

    fn optional_value(&mut self) -> Option<OsString> {
        self.0.next_if(|argument| !starts_with_dashes(argument))
    }

    fn probability(&mut self) -> Result<f64, UsageError> {
        let Some(value) = self.optional_value() else {
            return Ok(DEFAULT_PROBABILITY);
        };
        let probability = value.to_str().and_then(|text| text.parse().ok());
        probability.filter(|p| (0.0..=GREATEST_PROBABILITY).contains(p)).ok_or(UsageError::Probability(value))
    }

    fn seed(&mut self) -> Result<u64, UsageError> {
        let value = self.value("--seed")?;
        value.to_str().and_then(|text| text.parse().ok()).ok_or(UsageError::Seed(value))
    }

    fn module(&mut self) -> Result<Module, UsageError> {
        let value = self.value("--without")?;
        Ok(value.to_string_lossy().parse()?)
    }
}

fn starts_with_dashes(argument: &OsStr) -> bool {
    argument.as_encoded_bytes().starts_with(b"--")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command<Options>, String> {
        Options::parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn options(line: &str) -> Options {
        match parse(line) {
            Ok(Command::Run(options)) => options,
            other => panic!("{line:?} gave {other:?}"),
        }
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        assert_eq!(options(""), Options::default());
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let expected = Options {
            input: Some("a.csv".into()),
            workflow: Some("w.yaml".into()),
            out: Some("b".into()),
            chaos: Some(Chaos { probability: 0.5, seed: 9 }),
            without: Some(Module::Processor),
        };
        assert_eq!(
            options("--input a.csv --workflow w.yaml --out b --chaos 0.5 --seed 9 --without processor"),
            expected
        );
        assert_eq!(
            options("--input=a.csv --workflow=w.yaml --out=b --chaos=0.5 --seed=9 --without=processor"),
            expected
        );
    }

    #[test]
    fn chaos_has_a_default_probability_and_seed() {
        let default = Some(Chaos { probability: DEFAULT_PROBABILITY, seed: DEFAULT_SEED });
        assert_eq!(options("--chaos").chaos, default);
        assert_eq!(options("--chaos --out b").chaos, default);
        assert_eq!(options("--chaos --seed 4").chaos, Some(Chaos { probability: DEFAULT_PROBABILITY, seed: 4 }));
    }

    #[test]
    fn help_goes_before_all_else() {
        assert_eq!(parse("--chaos 0.1 --help"), Ok(Command::Help));
    }

    #[test]
    fn bad_usage_is_told_in_one_line() {
        for (line, error) in [
            ("--speed", "there is no option \"--speed\"; --help lists them"),
            ("prices.csv", "there is no option \"prices.csv\"; --help lists them"),
            ("--input", "--input needs a value"),
            ("--out --chaos", "--out needs a value"),
            ("--out=", "--out needs a value"),
            ("--chaos 1", "--chaos takes a probability from 0 to 0.9, not \"1\""),
            ("--chaos -0.1", "--chaos takes a probability from 0 to 0.9, not \"-0.1\""),
            ("--chaos NaN", "--chaos takes a probability from 0 to 0.9, not \"NaN\""),
            ("--chaos --seed x", "--seed takes a whole number from 0, not \"x\""),
            ("--seed 3", "--seed says which panics --chaos has; give --chaos too"),
            (
                "--without printer",
                "--without: there is no module \"printer\"; the modules are validator, processor and storage",
            ),
        ] {
            assert_eq!(parse(line), Err(error.to_owned()));
        }
    }
}
