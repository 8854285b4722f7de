//! What is wrong with a definition: every fault has a stable code, a place when it was read from a file, and what to do.

use std::error::Error;
use std::fmt::{self, Write as _};

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

pub use crate::file::Position;

mod kind;
mod one_line;

pub use self::kind::FaultKind;
use self::one_line::OneLine;

/// One thing that is wrong, and where it stands if the definition was read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: Box<FaultKind>,
    /// Where the file says so. `None` for a definition that was built in Rust.
    pub at: Option<Position>,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, at: Option<Position>) -> Self {
        Self { kind: Box::new(kind), at }
    }
}

/// On one line, whatever the names in it are.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "{at}: ")?;
        }
        write!(OneLine(f), "{}", self.kind)
    }
}

impl Error for Fault {}

/// As `{code, message, help?, line?, column?}`.
impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Fault", 5)?;
        fields.serialize_field("code", self.kind.code())?;
        fields.serialize_field("message", &self.kind.to_string())?;
        fields.serialize_field("help", &self.kind.help())?;
        fields.serialize_field("line", &self.at.map(|at| at.line))?;
        fields.serialize_field("column", &self.at.map(|at| at.column))?;
        fields.end()
    }
}

/// Everything that is wrong with a definition, in the order of the file; at least one fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// `Ok` of the value if there is no fault.
    pub(crate) fn none_or<T>(mut faults: Vec<Fault>, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => {
                faults.sort_by_key(|fault| fault.at);
                faults.dedup();
                Err(Self(faults))
            }
        }
    }

    /// The stable code of them all, in the vocabulary that modules, logs and the command line share.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "workflow_invalid"
    }

    /// The faults, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// All faults in one line, parted by semicolons.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl Error for Faults {}
