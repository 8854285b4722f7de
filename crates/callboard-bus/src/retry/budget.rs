//! How many of all calls may be retries, so that a failing target is not called more than a healthy one.
//!
//! A bucket of tokens, after Finagle's `RetryBudget`: a call puts in a share of a token, a retry takes out a whole one.
//! The bucket holds so many tokens that a burst of failures after a quiet time is not punished, and no more.

use callboard_actor::ErrorCode;
use serde::Serialize;
use thiserror::Error;

/// What a whole token is worth; a percentage is a share of it.
const TOKEN: u64 = 100;

/// Leave for retries, earned by calls. One belongs to the calls of one module or operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RetryBudget {
    percent: u8,
    burst: u32,
    /// In hundredths.
    tokens: u64,
    refused: u64,
}

/// Settings that cannot work.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("percent: {0} is no share of the calls; use 0 to 100")]
pub struct RetryBudgetError(u8);

impl RetryBudgetError {
    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }
}

impl RetryBudget {
    /// A budget that lets `percent` of the calls be tried again, and `burst` retries at once.
    ///
    /// # Errors
    ///
    /// More than 100 percent.
    pub const fn new(percent: u8, burst: u32) -> Result<Self, RetryBudgetError> {
        if percent > 100 {
            return Err(RetryBudgetError(percent));
        }
        Ok(Self { percent, burst, tokens: burst as u64 * TOKEN, refused: 0 })
    }

    /// A call is made for the first time.
    pub fn note_call(&mut self) {
        let full = u64::from(self.burst) * TOKEN;
        self.tokens = (self.tokens + u64::from(self.percent)).min(full);
    }

    /// Whether a call may be tried again; if so, that is paid for.
    #[must_use = "a retry without leave is what the budget is there to stop"]
    pub fn try_retry(&mut self) -> bool {
        let left = self.tokens.checked_sub(TOKEN);
        self.tokens = left.unwrap_or(self.tokens);
        self.refused += u64::from(left.is_none());
        left.is_some()
    }

    /// How many retries it has refused.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

impl Default for RetryBudget {
    /// 20 % of the calls, and 10 retries at once.
    fn default() -> Self {
        let (percent, burst) = (20, 10);
        Self { percent, burst, tokens: u64::from(burst) * TOKEN, refused: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// F-RTY-06: 20 % of the calls.
    #[test]
    fn a_storm_of_failures_gets_a_fifth_more_calls_and_one_burst() {
        let mut budget = RetryBudget::default();
        let mut retries = 0;
        for _ in 0..1000 {
            budget.note_call();
            retries += u32::from(budget.try_retry());
        }
        // The first call finds the bucket full.
        assert_eq!((retries, budget.refused()), (209, 791));
    }

    #[test]
    fn more_than_every_call_is_no_share() {
        let fault = RetryBudget::new(101, 1).unwrap_err();
        assert_eq!(fault.code(), ErrorCode::InvalidConfig);
        assert_eq!(fault.to_string(), "percent: 101 is no share of the calls; use 0 to 100");
        assert!(!RetryBudget::new(0, 0).unwrap().try_retry());
    }

    proptest! {
        /// In any stretch of the calls, the retries are at most the share of its calls and one burst.
        #[test]
        fn no_stretch_of_calls_has_more_retries_than_its_share(
            percent in 0u8..=100,
            burst in 0u32..20,
            steps in prop::collection::vec(any::<bool>(), 1..300),
            skipped in 0usize..300,
        ) {
            let mut budget = RetryBudget::new(percent, burst).unwrap();
            let (mut calls, mut retries) = (0u64, 0u64);
            for (at, is_call) in steps.into_iter().enumerate() {
                let counts = u64::from(at >= skipped);
                if is_call {
                    budget.note_call();
                    calls += counts;
                } else {
                    retries += counts * u64::from(budget.try_retry());
                }
                prop_assert!(retries * 100 <= u64::from(burst) * 100 + calls * u64::from(percent));
            }
        }
    }
}
