//! Where a value is from.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Profile;

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Built in.
    Default,
    /// The profile.
    Profile(Profile),
    /// A file.
    File {
        /// As it was named.
        path: Arc<str>,
        /// From 1 on.
        line: usize,
    },
    /// A variable of the environment.
    Environment(Arc<str>),
    /// Code, or an option of the command line.
    Explicit,
    /// A change while the system ran.
    RunTime,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(profile) => write!(f, "profile {profile}"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment(variable) => f.write_str(variable),
            Self::Explicit => f.write_str("set explicitly"),
            Self::RunTime => f.write_str("set at run time"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
