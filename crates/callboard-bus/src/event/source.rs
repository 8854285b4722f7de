//! Who published an event: [`EventSource`].

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Who published an event: what the publisher says, or else the name of the actor whose turn did, or `system`. It reads as a
/// text; a clone is one more share of it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct EventSource(
    /// None is the system, which publishes most and so shares nothing.
    Option<Arc<str>>,
);

impl EventSource {
    const SYSTEM: &str = "system";

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::SYSTEM)
    }
}

impl From<&str> for EventSource {
    fn from(text: &str) -> Self {
        Self((text != Self::SYSTEM).then(|| text.into()))
    }
}

impl Deref for EventSource {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for EventSource {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Display for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
