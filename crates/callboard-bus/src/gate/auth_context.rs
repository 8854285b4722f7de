//! What somebody who acts shows: an [`AuthContext`].

use std::fmt;

use callboard_actor::{current_baggage, is_in_turn};

use crate::operator::Operator;
use crate::providers::Principal;

/// What somebody who acts shows, for a [gate](super::Gate) or a middleware to look at. Nothing in it has been proved.
///
/// As [baggage](callboard_actor::Context::add_baggage) of a turn it is what the turn shows in all that it does.
///
/// ```
/// use callboard_bus::AuthContext;
///
/// let ada = AuthContext::default().api_key("sesame").user("Ada");
/// assert_eq!(format!("{ada:?}"), r#"AuthContext { api_key: "[redacted]", user: "Ada" }"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthContext {
    /// A key.
    pub api_key: Option<String>,
    /// Who that is, in its own words.
    pub user: Option<String>,
    /// Who that is and what they may, in the words of somebody who has found that out before: a gateway, a command line.
    pub principal: Option<Principal>,
    is_inside: bool,
}

impl AuthContext {
    /// The same with this key.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The same in this name.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The same of somebody who is known already.
    #[must_use]
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Whether it is what a turn of the system shows by itself, a module that calls another say, where the turn has nothing to
    /// show of anybody it is for.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.is_inside
    }

    /// Whom it names.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.principal.as_ref().map(|principal| &*principal.user).or(self.user.as_deref())
    }

    /// Whether nothing is shown.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.api_key.is_none() && self.user.is_none() && self.principal.is_none()
    }

    /// What whoever acts on this thread shows who says nothing else.
    pub(crate) fn here() -> Self {
        let of_turn = current_baggage().and_then(|baggage| baggage.get::<Self>());
        of_turn.map_or_else(|| Self { is_inside: is_in_turn(), ..Self::default() }, |own| Self::clone(&own))
    }

    /// What the system shows by itself.
    pub(crate) fn inside() -> Self {
        Self { is_inside: true, ..Self::default() }
    }

    /// The same of somebody whom a gate has named.
    pub(crate) fn named(self, who: Option<Principal>) -> Self {
        let Some(principal) = who else { return self };
        // Whatever was said before.
        Self { user: Some(principal.user.clone()), principal: Some(principal), ..self }
    }

    /// This, or what is shown here where it is nothing.
    pub(crate) fn or_here(self) -> Self {
        if self.is_empty() && !self.is_inside { Self::here() } else { self }
    }
}

impl From<Principal> for AuthContext {
    fn from(principal: Principal) -> Self {
        Self::default().principal(principal)
    }
}

impl From<&Operator> for AuthContext {
    fn from(operator: &Operator) -> Self {
        operator.principal().into()
    }
}

/// A name that nobody has proved.
impl From<&str> for AuthContext {
    fn from(user: &str) -> Self {
        Self::default().user(user)
    }
}

/// A name that nobody has proved.
impl From<String> for AuthContext {
    fn from(user: String) -> Self {
        Self::default().user(user)
    }
}

/// No key.
impl fmt::Debug for AuthContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AuthContext");
        if self.api_key.is_some() {
            shown.field("api_key", &"[redacted]");
        }
        if let Some(user) = &self.user {
            shown.field("user", user);
        }
        if let Some(principal) = &self.principal {
            shown.field("principal", principal);
        }
        if self.is_inside {
            shown.field("is_inside", &true);
        }
        shown.finish()
    }
}
