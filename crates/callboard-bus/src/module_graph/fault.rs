//! What may be wrong with the modules of a system.

use std::error::Error;
use std::fmt;
use std::iter;

use callboard_actor::ErrorCode;
use semver::Version;
use thiserror::Error;

use super::{ModuleNode, Required};
use crate::address::Address;
use crate::registration::RegisterError;

/// Whether modules can be started all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// They cannot.
    Error,
    /// They can, and somebody should have a look.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphFault {
    /// A module needs an operation that is not there.
    #[error("{module} {version} {} {required}: {reason}", if *is_optional { "would use" } else { "requires" })]
    Absent {
        /// Who needs it.
        module: String,
        /// In which version.
        version: Version,
        /// What it needs.
        required: Address,
        /// Whether it can do without, which makes this a warning.
        is_optional: bool,
        /// Why it is not there.
        reason: Absence,
    },
    /// Modules that need each other. None of them could start first.
    #[error("modules require each other, {}: make one of them do without", path.join(" → "))]
    Cycle {
        /// Their names, each needs the next; the first comes again at the end.
        path: Vec<String>,
    },
    /// An operation is there for other modules alone, and none of them requires it.
    #[error("{module} {version} provides `{operation}` for modules, and none requires it")]
    Unused {
        /// Whose it is.
        module: String,
        /// In which version.
        version: Version,
        /// The operation.
        operation: String,
    },
    /// What a module says of itself cannot be.
    #[error("module {module} cannot be what it says: {reason}")]
    Manifest {
        /// Its name.
        module: String,
        /// What is wrong.
        reason: String,
        /// The stable code.
        code: ErrorCode,
    },
    /// Two modules of one name and version offer or need different things.
    #[error("there are two modules {module} {version} that differ: give one of them another name or version")]
    Twice {
        /// The name of both.
        module: String,
        /// The version of both.
        version: Version,
    },
}

/// Why an operation is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absence {
    /// There is no module of this name.
    Module {
        /// `module.operation` that was probably meant.
        near: Option<String>,
    },
    /// The module does not offer it.
    Operation {
        /// `module.operation` that was probably meant.
        near: Option<String>,
    },
    /// It is there in other versions.
    Version {
        /// These, highest first.
        there: Vec<Version>,
    },
    /// It is an operation of the module that needs it.
    Itself,
}

/// All that is wrong: one line for each error in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphFaults {
    pub(super) errors: Vec<GraphFault>,
    pub(super) warnings: Vec<GraphFault>,
}

impl GraphFault {
    /// Whether modules can be started all the same.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Absent { is_optional: true, .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Absent { reason, .. } => reason.code(),
            Self::Manifest { code, .. } => *code,
            Self::Cycle { .. } | Self::Unused { .. } => ErrorCode::InvalidConfig,
            Self::Twice { .. } => ErrorCode::AlreadyExists,
        }
    }

    pub(super) fn absent(module: &ModuleNode, required: &Required, reason: Absence) -> Self {
        let ModuleNode { name, version, .. } = module.clone();
        let Required { address, is_optional } = required.clone();
        Self::Absent { module: name, version, required: address, is_optional, reason }
    }

    pub(super) fn manifest(module: &str, error: &RegisterError) -> Self {
        let causes = iter::successors(Some(error as &dyn Error), |&error: &&dyn Error| error.source());
        let reason = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self::Manifest { module: module.to_owned(), reason, code: error.code() }
    }

    pub(super) fn unused(module: &ModuleNode, operation: &str) -> Self {
        let ModuleNode { name, version, .. } = module.clone();
        Self::Unused { module: name, version, operation: operation.to_owned() }
    }
}

impl Absence {
    const fn code(&self) -> ErrorCode {
        match self {
            Self::Module { .. } => ErrorCode::UnknownModule,
            Self::Operation { .. } => ErrorCode::UnknownOperation,
            Self::Version { .. } => ErrorCode::VersionIncompatible,
            Self::Itself => ErrorCode::InvalidConfig,
        }
    }
}

/// Begins with a small letter, as it ends a sentence.
impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = match self {
            Self::Module { near } => {
                f.write_str("there is no such module")?;
                near
            }
            Self::Operation { near } => {
                f.write_str("the module has no such operation")?;
                near
            }
            Self::Version { there } => {
                let there: Vec<_> = there.iter().map(Version::to_string).collect();
                return write!(f, "there is only {}", there.join(", "));
            }
            Self::Itself => return f.write_str("that is itself"),
        };
        near.as_ref().map_or(Ok(()), |near| write!(f, ", did you mean `{near}`?"))
    }
}

impl GraphFaults {
    /// Why the modules cannot be started.
    #[must_use]
    pub fn errors(&self) -> &[GraphFault] {
        &self.errors
    }

    /// What is worth a look beside that.
    #[must_use]
    pub fn warnings(&self) -> &[GraphFault] {
        &self.warnings
    }

    /// The stable code: that of the first error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.errors.first().map_or(ErrorCode::InvalidConfig, GraphFault::code)
    }
}

impl fmt::Display for GraphFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.errors.iter().map(GraphFault::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Error for GraphFaults {}
