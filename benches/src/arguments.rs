//! The command line of `versus`.

use std::str::FromStr;

use thiserror::Error;

use crate::{
    entrant::{Entrant, UnknownEntrant},
    size::Size,
    workload::{UnknownWorkload, Workload},
};

/// How `versus` is called.
pub const USAGE: &str = "usage: versus [--json] [--quick] [--only WORKLOAD[,WORKLOAD]..] [--peers NAME[,NAME]..]";

/// What to run and how to show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// JSON instead of the table.
    pub json: bool,
    /// How much to run.
    pub size: Size,
    /// Which workloads, in the order of the table.
    pub workloads: Vec<Workload>,
    /// Who takes part.
    pub entrants: Vec<Entrant>,
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
    /// When an option or a workload is unknown, or the names are missing.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, ArgumentError> {
        let mut words = words.into_iter();
        let mut arguments =
            Self { json: false, size: Size::Full, workloads: Workload::ALL.to_vec(), entrants: Entrant::ALL.to_vec() };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => arguments.json = true,
                "--quick" => arguments.size = Size::Quick,
                "--only" => arguments.workloads = chosen(&Workload::ALL, word, words.next())?,
                "--peers" => arguments.entrants = chosen(Entrant::ALL, word, words.next())?,
                _ => return Err(ArgumentError::UnknownOption(word)),
            }
        }
        Ok(arguments)
    }
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
        assert_eq!((arguments.json, arguments.size), (false, Size::Full));
    }

    #[test]
    fn only_takes_names_and_keeps_the_order_of_the_table() {
        let arguments = parse("--json --quick --only ring,tell").unwrap();
        assert_eq!(arguments.workloads, [Workload::Tell, Workload::Ring]);
        assert_eq!((arguments.json, arguments.size), (true, Size::Quick));
    }

    #[test]
    fn peers_takes_names() {
        let arguments = parse("--peers actix,callboard").unwrap();
        assert_eq!(arguments.entrants, [Entrant::Callboard, Entrant::Actix]);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(parse("--fast"), Err(ArgumentError::UnknownOption(_))));
        assert!(matches!(parse("--only"), Err(ArgumentError::MissingNames(_))));
        assert!(matches!(parse("--peers axticx"), Err(ArgumentError::UnknownEntrant(_))));
        assert!(matches!(parse("--only tell,x"), Err(ArgumentError::UnknownWorkload(_))));
    }
}
