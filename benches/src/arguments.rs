//! The command line of `versus`.

use std::{path::PathBuf, str::FromStr};

use thiserror::Error;

use crate::{
    entrant::{Entrant, UnknownEntrant},
    size::Size,
    workload::{UnknownWorkload, Workload},
};

/// How `versus` is called.
pub const USAGE: &str = "\
usage: versus [--json|--markdown|--svg] [--only WORKLOAD[,WORKLOAD]..] [--peers NAME[,NAME]..]
              [--quick] [--save FILE] [--from FILE]

Runs the workloads and writes the result to standard output: a table, or
  --json      an array of rows
  --markdown  the table of docs/benchmarks.md
  --svg       the picture of docs/benchmarks.svg
  --help      this text; nothing is run

  --only      these workloads
  --peers     these entrants
  --quick     as little as shows that everything works; the figures mean nothing
  --save      keeps the run in a file as well
  --from      runs nothing and shows what --save has kept";

/// What to run and how to show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// Whether [`USAGE`] is wanted, and nothing else.
    pub help: bool,
    /// What stands on standard output.
    pub form: Form,
    /// How much to run.
    pub size: Size,
    /// Which workloads, in the order of the table.
    pub workloads: Vec<Workload>,
    /// Who takes part.
    pub entrants: Vec<Entrant>,
    /// The file that keeps the run.
    pub save: Option<PathBuf>,
    /// The file with a run that is shown instead of a new one.
    pub from: Option<PathBuf>,
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people at a terminal.
    Table,
    /// For programs.
    Json,
    /// For a page of the docs.
    Markdown,
    /// A picture.
    Svg,
}

/// The command line makes no sense.
#[derive(Debug, Error)]
pub enum ArgumentError {
    /// There is no such option.
    #[error("unknown option {0:?}\n{USAGE}")]
    UnknownOption(String),
    /// Nothing stands behind `--only` or `--peers`.
    #[error("{0} needs names\n{USAGE}")]
    MissingNames(String),
    /// Nothing stands behind `--save` or `--from`.
    #[error("{0} needs a file\n{USAGE}")]
    MissingFile(String),
    /// `--from` stands beside an option for a run.
    #[error("with --from nothing is run: leave out {0}\n{USAGE}")]
    NothingRuns(&'static str),
    /// A name behind `--only` is unknown.
    #[error(transparent)]
    UnknownWorkload(#[from] UnknownWorkload),
    /// A name behind `--peers` is unknown.
    #[error(transparent)]
    UnknownEntrant(#[from] UnknownEntrant),
}

impl Arguments {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    /// When an option or a name is unknown, what belongs to an option is
    /// missing, or two options do not go together.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, ArgumentError> {
        let mut words = words.into_iter();
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => arguments.form = Form::Json,
                "--markdown" => arguments.form = Form::Markdown,
                "--svg" => arguments.form = Form::Svg,
                "--help" | "-h" => arguments.help = true,
                "--quick" => arguments.size = Size::Quick,
                "--only" => arguments.workloads = chosen(&Workload::ALL, word, words.next())?,
                "--peers" => arguments.entrants = chosen(Entrant::ALL, word, words.next())?,
                "--save" => arguments.save = Some(file(word, words.next())?),
                "--from" => arguments.from = Some(file(word, words.next())?),
                _ => return Err(ArgumentError::UnknownOption(word)),
            }
        }
        arguments.checked()
    }

    fn checked(self) -> Result<Self, ArgumentError> {
        match (&self.from, self.size, &self.save) {
            (Some(_), Size::Quick, _) => Err(ArgumentError::NothingRuns("--quick")),
            (Some(_), _, Some(_)) => Err(ArgumentError::NothingRuns("--save")),
            _ => Ok(self),
        }
    }
}

impl Default for Arguments {
    /// Everything at full size, as a table.
    fn default() -> Self {
        Self {
            help: false,
            form: Form::Table,
            size: Size::Full,
            workloads: Workload::ALL.to_vec(),
            entrants: Entrant::ALL.to_vec(),
            save: None,
            from: None,
        }
    }
}

fn file(option: String, name: Option<String>) -> Result<PathBuf, ArgumentError> {
    let name = name.filter(|name| !name.starts_with("--"));
    name.map(PathBuf::from).ok_or(ArgumentError::MissingFile(option))
}

/// Those of `all` that are named, in the order of `all`.
fn chosen<T>(all: &[T], option: String, names: Option<String>) -> Result<Vec<T>, ArgumentError>
where
    T: Copy + PartialEq + FromStr,
    ArgumentError: From<T::Err>,
{
    let names = names.ok_or(ArgumentError::MissingNames(option))?;
    let named: Result<Vec<T>, T::Err> = names.split(',').map(str::parse).collect();
    let named = named?;
    let all = all.iter().copied();
    Ok(all.filter(|each| named.contains(each)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, ArgumentError> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn nothing_means_everything_at_full_size_as_a_table() {
        let arguments = parse("").unwrap();
        assert_eq!(arguments.workloads, Workload::ALL);
        assert_eq!((arguments.form, arguments.size), (Form::Table, Size::Full));
    }

    #[test]
    fn only_takes_names_and_keeps_the_order_of_the_table() {
        let arguments = parse("--json --quick --only ring,tell").unwrap();
        assert_eq!(arguments.workloads, [Workload::Tell, Workload::Ring]);
        assert_eq!((arguments.form, arguments.size), (Form::Json, Size::Quick));
    }

    #[test]
    fn peers_takes_names() {
        let arguments = parse("--peers actix,callboard").unwrap();
        assert_eq!(arguments.entrants, [Entrant::Callboard, Entrant::Actix]);
    }

    #[test]
    fn a_run_is_kept_and_shown_again() {
        assert_eq!(parse("--save run.json").unwrap().save, Some(PathBuf::from("run.json")));
        let shown = parse("--from run.json --svg").unwrap();
        assert_eq!((shown.form, shown.from), (Form::Svg, Some(PathBuf::from("run.json"))));
        assert_eq!(parse("--markdown").unwrap().form, Form::Markdown);
        assert!(parse("--quick -h").unwrap().help);
    }

    #[test]
    fn what_is_shown_again_cannot_be_run() {
        assert!(matches!(parse("--from run.json --quick"), Err(ArgumentError::NothingRuns("--quick"))));
        assert!(matches!(parse("--save a --from b"), Err(ArgumentError::NothingRuns("--save"))));
        assert!(matches!(parse("--save"), Err(ArgumentError::MissingFile(_))));
        assert!(matches!(parse("--from --svg"), Err(ArgumentError::MissingFile(_))));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(parse("--fast"), Err(ArgumentError::UnknownOption(_))));
        assert!(matches!(parse("--only"), Err(ArgumentError::MissingNames(_))));
        assert!(matches!(parse("--peers axticx"), Err(ArgumentError::UnknownEntrant(_))));
        assert!(matches!(parse("--only tell,x"), Err(ArgumentError::UnknownWorkload(_))));
    }
}
