//! A setting that has another value while the system runs: [`ConfigChange`], and why it does not: [`ConfigChangeError`].

use callboard_actor::ErrorCode;
use serde::Serialize;
use thiserror::Error;

use super::error::{ConfigError, ConfigProblem};
use crate::gate::GateError;

/// A change, for the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigChange {
    /// The setting.
    pub key: &'static str,
    /// What it was, as [`Effective::value`](super::Effective::value).
    pub old: String,
    /// What it is. The same as before where the value that was set held already; nobody was told then.
    pub new: String,
    /// Who changed it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Why a setting was not changed. Everything is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigChangeError {
    /// There is no such setting, it cannot change now, or it cannot have this value.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
    /// The [gate](crate::gate) of a system that heeds the configuration says no.
    #[error(transparent)]
    Denied(#[from] GateError),
}

impl ConfigChangeError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Denied(fault) => fault.code(),
        }
    }

    /// What is wrong with the values; nothing where they were not looked at.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        match self {
            Self::Invalid(error) => error.problems(),
            Self::Denied(_) => &[],
        }
    }
}
