//! The names of channels: [`ChannelName`], and [`ChannelNameError`] for a text that is none.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use callboard_actor::ErrorCode;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// The name of a channel: up to 128 bytes without white space, control characters and the wildcards `*`, `?` and `>`, not
/// beginning with `$`. Case counts. A clone is one more reference to the same text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

/// Why a text is no [`ChannelName`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name:?} cannot be the name of a channel: {reason}")]
pub struct ChannelNameError {
    name: String,
    reason: &'static str,
}

impl ChannelName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// A name of the system's own, which begins with `$`.
    pub(crate) fn reserved(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether it is one of the system's own.
    pub(crate) fn is_reserved(&self) -> bool {
        self.0.starts_with('$')
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ChannelNameError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidName
    }
}

impl FromStr for ChannelName {
    type Err = ChannelNameError;

    fn from_str(text: &str) -> Result<Self, ChannelNameError> {
        match fault(text) {
            None => Ok(Self(text.into())),
            Some(reason) => Err(ChannelNameError { name: text.chars().take(Self::MAX_BYTES).collect(), reason }),
        }
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let has = |what: fn(char) -> bool| text.contains(what);
    if text.is_empty() {
        Some("it is empty")
    } else if text.len() > ChannelName::MAX_BYTES {
        Some("it is longer than 128 bytes")
    } else if text.starts_with('$') {
        Some("names with `$` are reserved for the system")
    } else if has(char::is_control) {
        Some("it has a control character")
    } else if has(char::is_whitespace) {
        Some("it has white space")
    } else if has(|letter| matches!(letter, '*' | '?' | '>')) {
        Some("it has a wildcard: a channel has one name")
    } else {
        None
    }
}

impl Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for ChannelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
