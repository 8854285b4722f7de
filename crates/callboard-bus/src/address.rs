//! How an operation is named: [`Address`]. Pure.
//!
//! ```
//! use callboard_bus::Address;
//!
//! let address: Address = "lab.storage.put@^1.2".parse()?;
//! assert_eq!((address.module(), address.operation()), ("lab.storage", "put"));
//! assert_eq!(address.requirement().map(ToString::to_string).as_deref(), Some("^1.2"));
//! # Ok::<(), callboard_bus::AddressError>(())
//! ```

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use callboard_actor::ErrorCode;
use semver::VersionReq;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// `module.operation`, and which versions of the module will do: `module.operation@^1.2`.
///
/// The requirement is cut off first, and what is left is split at its last dot, so a module may have dots in its name. A
/// clone is one more reference. Reading the text once and keeping the address saves that work in each call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    name: Arc<str>,
    /// Where the last dot is.
    dot: usize,
    requirement: Option<Arc<VersionReq>>,
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is nothing to tell a module and an operation apart.
    #[error("`{address}` has no dot: an operation is named `module.operation`")]
    WithoutDot {
        /// The text.
        address: String,
    },
    /// A part of the name cannot be a name.
    #[error("the {part} of `{address}` {reason}")]
    BadName {
        /// The text.
        address: String,
        /// The module or the operation.
        part: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What follows the `@` is no requirement.
    #[error("the version requirement of `{address}` cannot be read: {reason}")]
    BadRequirement {
        /// The text.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl AddressError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidName
    }
}

impl Address {
    /// `module.operation`, without a version.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The module; it may hold dots itself.
    #[must_use]
    pub fn module(&self) -> &str {
        &self.name[..self.dot]
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.name[self.dot + 1..]
    }

    /// Which versions of the module will do; nothing when any will.
    #[must_use]
    pub fn requirement(&self) -> Option<&VersionReq> {
        self.requirement.as_deref()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(address: &str) -> Result<Self, AddressError> {
        let (name, requirement) = address.split_once('@').map_or((address, None), |(name, rest)| (name, Some(rest)));
        let dot = name.rfind('.').ok_or_else(|| AddressError::WithoutDot { address: shown(address) })?;
        let bad = |part| move |reason| AddressError::BadName { address: shown(address), part, reason };
        check_module_name(&name[..dot]).map_err(bad("module"))?;
        check_name(&name[dot + 1..]).map_err(bad("operation"))?;
        let requirement = requirement.map(|text| read_requirement(address, text)).transpose()?;
        Ok(Self { name: name.into(), dot, requirement })
    }
}

impl TryFrom<&str> for Address {
    type Error = AddressError;

    fn try_from(address: &str) -> Result<Self, AddressError> {
        address.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.requirement.iter().try_for_each(|requirement| write!(f, "@{requirement}"))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn read_requirement(address: &str, text: &str) -> Result<Arc<VersionReq>, AddressError> {
    let bad = |reason: String| AddressError::BadRequirement { address: shown(address), reason };
    if text.trim().is_empty() {
        return Err(bad("nothing follows the `@`".to_owned()));
    }
    VersionReq::parse(text).map(Arc::new).map_err(|error| bad(error.to_string()))
}

/// Whoever made the text may want to fill a log or forge lines of it: errors show its beginning, on one line.
fn shown(address: &str) -> String {
    let mut shown = String::new();
    for (at, sign) in address.chars().enumerate() {
        match sign {
            _ if at == MOST_SHOWN => {
                shown.push('…');
                break;
            }
            sign if sign.is_control() => shown.extend(sign.escape_debug()),
            sign => shown.push(sign),
        }
    }
    shown
}

/// So many letters of a text that is no address are shown.
const MOST_SHOWN: usize = 200;
/// The longest name of a module or an operation, in bytes.
const LONGEST: usize = 128;

/// A module is named by names with dots between them.
///
/// # Errors
///
/// What is wrong with the name.
pub(crate) fn check_module_name(name: &str) -> Result<(), &'static str> {
    check_length(name)?;
    name.split('.').try_for_each(check_name)
}

/// # Errors
///
/// What is wrong with the name.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    check_length(name)?;
    if name.is_empty() {
        return Err("has an empty name");
    }
    if name.starts_with('$') {
        return Err("begins with `$`");
    }
    // Letters, digits and the like are looked at by byte; only a name beyond ASCII has to be taken apart.
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_plain { Ok(()) } else { check_letters(name) }
}

const fn check_length(name: &str) -> Result<(), &'static str> {
    if name.len() > LONGEST { Err("is longer than 128 bytes") } else { Ok(()) }
}

fn check_letters(name: &str) -> Result<(), &'static str> {
    let reason = name.chars().find_map(|letter| match letter {
        letter if letter.is_whitespace() => Some("has a space in it"),
        letter if letter.is_control() => Some("has a control character in it"),
        '.' => Some("has a dot in it"),
        '*' | '?' | '#' | '>' => Some("has a wildcard in it"),
        '@' => Some("has an `@` in it"),
        _ => None,
    });
    reason.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Address;

    fn fault(text: &str) -> String {
        text.parse::<Address>().expect_err("it is no address").to_string()
    }

    /// F-WF-02
    #[test]
    fn the_requirement_is_cut_off_before_the_last_dot_is_looked_for() {
        let address: Address = "lab.storage.put@^1.2".parse().unwrap();
        assert_eq!((address.module(), address.operation()), ("lab.storage", "put"));
        assert_eq!(address.requirement().unwrap().to_string(), "^1.2");
        assert_eq!(address.to_string(), "lab.storage.put@^1.2");
        assert_eq!(fault("put@^1.2"), "`put@^1.2` has no dot: an operation is named `module.operation`");
    }

    #[test]
    fn a_text_that_is_no_address_is_shown_on_one_short_line() {
        assert_eq!(fault("a\nb"), "`a\\nb` has no dot: an operation is named `module.operation`");
        let long = fault(&"x".repeat(1 << 20));
        assert!(long.len() < 300 && long.contains("x…`"), "{long}");
    }

    #[test]
    fn a_text_that_is_no_address_says_why() {
        assert_eq!(fault(".put"), "the module of `.put` has an empty name");
        assert_eq!(fault("storage."), "the operation of `storage.` has an empty name");
        assert_eq!(fault("a..b.put"), "the module of `a..b.put` has an empty name");
        assert_eq!(fault("sto rage.put"), "the module of `sto rage.put` has a space in it");
        assert_eq!(fault("storage.*"), "the operation of `storage.*` has a wildcard in it");
        assert_eq!(fault("$sys.put"), "the module of `$sys.put` begins with `$`");
        assert_eq!(fault("a.put@"), "the version requirement of `a.put@` cannot be read: nothing follows the `@`");
        assert!(fault(&format!("{}.put", "a".repeat(129))).ends_with("is longer than 128 bytes"));
        assert!(fault("a.put@new").starts_with("the version requirement of `a.put@new` cannot be read: "));
    }

    proptest! {
        #[test]
        fn what_it_prints_is_what_it_was(text in r"([a-z]{1,4}\.){1,3}[a-z_-]{1,5}(@[~^=]?([1-9][0-9]|[0-9])(\.[0-9]){0,2})?") {
            let address: Address = text.parse().unwrap();
            prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
        }
    }
}
