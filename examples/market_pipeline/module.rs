//! The three modules that the steps of the workflow call.

use std::fmt;
use std::str::FromStr;

/// A module, by the name that the command line uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Module {
    Validator,
    Processor,
    Storage,
}

impl Module {
    const ALL: [Self; 3] = [Self::Validator, Self::Processor, Self::Storage];

    /// The module's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Processor => "processor",
            Self::Storage => "storage",
        }
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no module has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no module {0:?}; the modules are validator, processor and storage")]
pub(crate) struct UnknownModule(String);

impl FromStr for Module {
    type Err = UnknownModule;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|module| module.name() == name).ok_or_else(|| UnknownModule(name.to_owned()))
    }
}
