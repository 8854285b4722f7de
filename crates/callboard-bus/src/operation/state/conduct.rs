//! How calls of an operation are made: [`Conduct`].

use std::sync::Arc;

use callboard_actor::{Breaker, System, Trip};

use super::{CONDUCTED, RATED};
use crate::classifier::Classifier;
use crate::middleware::Named;
use crate::operation::settings::{CallSettings, OperationBreaker};
use crate::rate::Limiter;
use crate::retry::RetryPolicy;

/// How calls of an operation are made: what all settings and middleware come to.
pub(crate) struct Conduct {
    pub(crate) settings: CallSettings,
    pub(crate) middleware: Arc<[Arc<Named>]>,
    pub(crate) classifier: Arc<dyn Classifier>,
    /// Whether its system has a gate.
    pub(crate) is_guarded: bool,
}

impl Conduct {
    pub(super) fn flag(&self) -> u8 {
        let CallSettings { timeout, retry, rate, dead_letters, .. } = &self.settings;
        let is_kept = dead_letters.as_ref().is_some_and(|classes| !classes.is_empty());
        let is_more = !self.middleware.is_empty() || timeout.is_some() || retry.is_some() || is_kept || self.is_guarded;
        let conducted = if is_more { CONDUCTED } else { 0 };
        if rate.is_some() { conducted | RATED } else { conducted }
    }

    pub(super) fn limiter(&self, system: &System) -> Option<Limiter> {
        Limiter::new(self.settings.rate?, system)
    }

    /// A breaker by these settings, and whether it has to see every call.
    pub(super) fn breaker(&self) -> (Option<Breaker>, bool) {
        match self.settings.breaker.clone().unwrap_or_default() {
            OperationBreaker::On(rules) => {
                let sees_all = rules.trips.iter().any(|trip| !matches!(trip, Trip::Consecutive(_)));
                (Some(Breaker::new(rules)), sees_all)
            }
            OperationBreaker::Off => (None, false),
        }
    }

    /// The policy of a call that says this.
    pub(crate) fn retry(&self, of_the_call: Option<RetryPolicy>) -> RetryPolicy {
        of_the_call.or(self.settings.retry).unwrap_or_else(RetryPolicy::none)
    }
}
