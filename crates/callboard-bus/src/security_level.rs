//! Who may use a module: [`SecurityLevel`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who may use a module, from the least strict to the strictest. It is listed for whoever looks for modules, and asked
/// for by the [gate](crate::gate); without one nothing is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SecurityLevel {
    /// Anybody.
    #[default]
    Public,
    /// Whoever has proved who they are.
    Authenticated,
    /// Whoever has the permissions that the operation asks for.
    Authorized,
    /// As before, and every use is encrypted and audited.
    Privileged,
}

impl SecurityLevel {
    /// The word, as serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Authenticated => "authenticated",
            Self::Authorized => "authorized",
            Self::Privileged => "privileged",
        }
    }
}

impl fmt::Display for SecurityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
