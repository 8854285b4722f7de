//! What is wrong with a configuration: all of it.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use callboard_actor::ErrorCode;
use serde::Serialize;

use super::Source;

/// A configuration that cannot work, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigError(Vec<ConfigProblem>);

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The setting; nothing where a file or a line of it cannot be read at all.
    pub key: Option<String>,
    /// The value as it was given, on one line; long ones are cut short, passwords hidden.
    pub value: Option<String>,
    /// Where it is from.
    pub source: Source,
    /// What is wrong, to be said after the value.
    pub reason: String,
    /// What may be there instead.
    pub allowed: Option<String>,
    /// The name that was probably meant.
    pub meant: Option<String>,
}

impl ConfigError {
    /// What a process should end with that has no configuration to work with: `EX_CONFIG`.
    pub const EXIT_CODE: u8 = 78;

    /// What a process should end with: [`EXIT_CODE`](Self::EXIT_CODE). A `main` that answers with an
    /// [`ExitCode`](std::process::ExitCode) makes one of the error itself:
    ///
    /// ```
    /// use std::process::ExitCode;
    /// use callboard_bus::config::{Config, ConfigError};
    ///
    /// fn main() -> ExitCode {
    ///     # let environment = [("CALLBOARD_PROFILE", "base")];
    ///     run(environment).map_or_else(
    ///         |error| {
    ///             eprintln!("{error}");
    ///             error.into()
    ///         },
    ///         |()| ExitCode::SUCCESS,
    ///     )
    /// }
    /// # fn run<const N: usize>(environment: [(&str, &str); N]) -> Result<(), ConfigError> {
    /// #     Config::load().environment(environment).finish().map(drop)
    /// # }
    /// ```
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        Self::EXIT_CODE
    }

    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }

    /// Everything that is wrong, at least one thing.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.0
    }

    pub(super) fn one(problem: ConfigProblem) -> Self {
        Self(vec![problem])
    }

    pub(super) fn into_problems(self) -> Vec<ConfigProblem> {
        self.0
    }

    /// Nothing is wrong where there is no problem.
    pub(super) fn of(problems: Vec<ConfigProblem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }
}

impl ConfigProblem {
    /// Something is wrong with a whole source.
    pub(super) fn of_source(source: Source, reason: impl Into<String>) -> Self {
        Self { key: None, value: None, source, reason: reason.into(), allowed: None, meant: None }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot work: ")?;
        for (at, problem) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        self.key.iter().try_for_each(|key| write!(f, "{key}: "))?;
        self.value.iter().try_for_each(|value| write!(f, "`{value}` "))?;
        f.write_str(&self.reason)?;
        self.meant.iter().try_for_each(|meant| write!(f, ", did you mean `{meant}`?"))?;
        self.allowed.iter().try_for_each(|allowed| write!(f, "; allowed: {allowed}"))
    }
}

impl Error for ConfigError {}

/// [`ConfigError::exit_code`].
impl From<ConfigError> for ExitCode {
    fn from(error: ConfigError) -> Self {
        error.exit_code().into()
    }
}
