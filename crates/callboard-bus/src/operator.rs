//! Who looks after a system: an [`Operator`].

use std::collections::BTreeSet;

use crate::discovery::Permissions;
use crate::providers::Principal;
use crate::redaction;

/// Somebody in whose name something is done that not everybody may, or that is written down. Whoever knows who it is, a command
/// line say, says so here; nothing checks it again but the [gate](crate::gate) of a system that has one, which is shown the name and
/// the scopes.
///
/// ```
/// use callboard_bus::Operator;
///
/// let ann = Operator::new("ann").scope("dlq:reveal");
/// assert!(ann.may("dlq:reveal") && !ann.may("dlq:purge"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an operator does nothing by itself"]
pub struct Operator {
    name: String,
    scopes: BTreeSet<String>,
}

impl Operator {
    /// Somebody who has no scopes. Control characters of the name are escaped, as it is shown in logs.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: redaction::text(&name.into()), scopes: BTreeSet::new() }
    }

    /// The same with one more scope, `area:verb`.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.insert(scope.into());
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same as somebody whom a gate knows.
    pub(crate) fn principal(&self) -> Principal {
        Principal::new(&*self.name, Permissions::of(&self.scopes))
    }

    /// Whether this scope is among the operator's.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}
