//! Where a payload goes, by what is in it: [`Router`]. Pure.
//!
//! ```
//! use callboard_bus::{Router, Value};
//! use serde_json::json;
//!
//! let router = Router::new("orders")
//!     .rule("total >= 1000".parse()?, "review.check".parse()?)
//!     .rule("country in ['NL', 'BE']".parse()?, "warehouse.near".parse()?)
//!     .otherwise("warehouse.far".parse()?);
//! let to = |order| router.choose(&Value::from(order)).map(ToString::to_string);
//! assert_eq!(to(json!({ "total": 2000, "country": "NL" }))?, "review.check");
//! assert_eq!(to(json!({ "total": 10, "country": "NL" }))?, "warehouse.near");
//! assert_eq!(to(json!({ "total": 10, "country": "JP" }))?, "warehouse.far");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_actor::ErrorCode;
use thiserror::Error;

use crate::address::Address;
use crate::expression::{EvaluationError, Expression};
use crate::redaction;
use crate::value::Value;

/// Rules in their order, the first that holds for a payload says where it goes. To call there, see
/// [`Modules::route`](crate::Modules::route).
///
/// A rule that cannot be applied to a payload, as it compares a text with a number say, does not hold for it and is
/// counted.
#[must_use = "a router routes nothing until it is asked"]
pub struct Router {
    name: String,
    rules: Vec<(Expression, Address)>,
    default: Option<Address>,
    faults: AtomicU64,
}

/// No rule holds, and there is no default. `Display` names the rules that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no rule of the router `{router}` holds, and it has no default{}", Faults(.faults))]
#[non_exhaustive]
pub struct Unrouted {
    /// The name of the router.
    pub router: String,
    /// The rules that could not be applied, counted from 1, and why.
    pub faults: Vec<(usize, EvaluationError)>,
}

impl Router {
    /// A router without rules. The name is for those who read of what it could not route.
    pub fn new(name: impl Into<String>) -> Self {
        // It is shown wherever its payloads end.
        Self { name: redaction::text(&name.into()), rules: Vec::new(), default: None, faults: AtomicU64::new(0) }
    }

    /// One more rule, after those that are there. The condition sees the payload: `total` is a field of it, `$` is all of
    /// it.
    pub fn rule(mut self, when: Expression, to: Address) -> Self {
        self.rules.push((when, to));
        self
    }

    /// Where goes what no rule holds for.
    pub fn otherwise(mut self, to: Address) -> Self {
        self.default = Some(to);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a payload goes.
    ///
    /// # Errors
    ///
    /// No rule holds for it, and there is no default.
    pub fn choose(&self, payload: &Value) -> Result<&Address, Unrouted> {
        let mut faults = Vec::new();
        for (number, (when, to)) in (1..).zip(&self.rules) {
            match when.is_true(payload) {
                Ok(true) => return Ok(to),
                Ok(false) => {}
                Err(fault) => {
                    self.faults.fetch_add(1, Ordering::Relaxed);
                    faults.push((number, fault));
                }
            }
        }
        self.default.as_ref().ok_or_else(|| Unrouted { router: self.name.clone(), faults })
    }

    /// How often a rule could not be applied.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }
}

impl Unrouted {
    /// The stable code: there is nobody for such a payload.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::UnknownOperation
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rules, default, .. } = self;
        f.debug_struct("Router").field("name", name).field("rules", rules).field("default", default).finish()
    }
}

/// Ends the sentence that says that no rule holds.
struct Faults<'a>(&'a [(usize, EvaluationError)]);

impl fmt::Display for Faults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(number, fault)| write!(f, "; rule {number} cannot be applied: {fault}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Router;
    use crate::value::Value;

    fn router() -> Router {
        Router::new("orders")
            .rule("total > 100".parse().unwrap(), "review.check".parse().unwrap())
            .rule("total > 10".parse().unwrap(), "desk.take".parse().unwrap())
            .rule("kind == 'gift'".parse().unwrap(), "desk.wrap".parse().unwrap())
    }

    /// F-FUT-03
    #[test]
    fn the_first_rule_that_holds_says_where() {
        let router = router();
        let to = |payload| router.choose(&Value::from(payload)).map(ToString::to_string);
        assert_eq!(to(json!({ "total": 200, "kind": "gift" })).unwrap(), "review.check");
        assert_eq!(to(json!({ "total": 20, "kind": "gift" })).unwrap(), "desk.take");
        assert_eq!(to(json!({ "total": 2, "kind": "gift" })).unwrap(), "desk.wrap");
        let unrouted = to(json!({ "total": 2 })).unwrap_err();
        assert_eq!(unrouted.to_string(), "no rule of the router `orders` holds, and it has no default");
    }

    /// F-FUT-03
    #[test]
    fn a_rule_that_cannot_be_applied_does_not_hold_and_is_counted() {
        let router = router();
        let wrap = router.choose(&json!({ "total": "many", "kind": "gift" }).into()).map(ToString::to_string);
        assert_eq!((wrap.unwrap().as_str(), router.faults()), ("desk.wrap", 2));
        let unrouted = router.choose(&json!({ "total": "many" }).into()).unwrap_err();
        assert_eq!(unrouted.faults.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2]);
        assert!(unrouted.to_string().contains("; rule 2 cannot be applied: "), "{unrouted}");
        let router = router.otherwise("desk.take".parse().unwrap());
        assert_eq!(router.choose(&Value::Null).unwrap().to_string(), "desk.take");
    }
}
