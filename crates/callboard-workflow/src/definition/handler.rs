//! The name of the operation that a step calls. Pure.

use std::fmt;
use std::sync::Arc;

use semver::VersionReq;

use crate::fault::FaultKind;

/// `module.operation`, and which versions of the module will do. A clone is one more reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    name: Arc<str>,
    dot: usize,
    requirement: Option<VersionReq>,
}

impl Handler {
    /// Reads `module.operation` or `module.operation@requirement` (F-WF-02): the requirement is cut off first, and what is left
    /// is split at its last dot. `field` says in a fault which handler it is.
    pub(crate) fn parse(text: &str, field: &str) -> Result<Self, FaultKind> {
        let (name, requirement) = text.split_once('@').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let incomplete = |part| FaultKind::HandlerIncomplete { field: field.into(), found: text.into(), part };
        let requirement = requirement.map(|text| requirement_of(text, field, &incomplete)).transpose()?;
        let without_dot = || FaultKind::HandlerWithoutDot { field: field.into(), found: text.into() };
        let dot = name.rfind('.').ok_or_else(without_dot)?;
        if !is_name(&name[..dot]) {
            return Err(incomplete("module"));
        }
        if !is_name(&name[dot + 1..]) {
            return Err(incomplete("operation"));
        }
        Ok(Self(Arc::new(Parts { name: name.into(), dot, requirement })))
    }

    /// `module.operation`, without a version.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// The module; it may hold dots itself.
    #[must_use]
    pub fn module(&self) -> &str {
        &self.0.name[..self.0.dot]
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.name[self.0.dot + 1..]
    }

    /// Which versions of the module will do. `None` if any will.
    #[must_use]
    pub fn requirement(&self) -> Option<&VersionReq> {
        self.0.requirement.as_ref()
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)?;
        self.0.requirement.iter().try_for_each(|requirement| write!(f, "@{requirement}"))
    }
}

fn requirement_of(
    text: &str,
    field: &str,
    incomplete: &impl Fn(&'static str) -> FaultKind,
) -> Result<VersionReq, FaultKind> {
    if text.trim().is_empty() {
        return Err(incomplete("version requirement"));
    }
    let bad = |error: semver::Error| FaultKind::BadRequirement {
        field: field.into(),
        found: text.into(),
        reason: error.to_string(),
    };
    VersionReq::parse(text).map_err(bad)
}

/// Names between dots, none of them empty, without spaces.
fn is_name(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::Handler;

    /// F-WF-02
    #[test]
    fn the_requirement_is_cut_off_before_the_last_dot_is_looked_for() {
        let handler = Handler::parse("lab.storage.put@^1.2", "handler").unwrap();
        assert_eq!((handler.module(), handler.operation()), ("lab.storage", "put"));
        assert_eq!(handler.requirement().unwrap().to_string(), "^1.2");
        assert_eq!(handler.to_string(), "lab.storage.put@^1.2");
        assert!(Handler::parse("put@^1.2", "handler").is_err());
    }
}
