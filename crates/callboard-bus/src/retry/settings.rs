//! What a retry policy is made of, as code and as configuration.

use std::time::Duration;

use callboard_actor::ErrorCode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Jitter, RetryPolicy};
use crate::time;

/// A retry policy before it is checked. What is not said is as in [`RetryPolicy::default`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use = "a builder does nothing until it is built"]
pub struct RetryPolicyBuilder {
    max_retries: u32,
    #[serde(with = "time")]
    initial_delay: Duration,
    factor: f64,
    #[serde(with = "time")]
    max_delay: Duration,
    jitter: Jitter,
}

/// Settings that cannot work.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum RetryPolicyError {
    /// The factor would shrink the delay, or is no finite number.
    #[error("factor: {0} does not let the delay grow; use a number from 1 on")]
    Factor(f64),
    /// The first delay is longer than the longest.
    #[error("initial_delay: {initial:?} is longer than the max_delay of {max:?}; raise max_delay or lower it")]
    InitialDelay {
        /// The first delay.
        initial: Duration,
        /// The longest.
        max: Duration,
    },
}

impl RetryPolicyError {
    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }

    /// The field that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Factor(_) => "factor",
            Self::InitialDelay { .. } => "initial_delay",
        }
    }
}

impl RetryPolicyBuilder {
    /// How often to try again after the first attempt.
    pub const fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// How long to wait before the first retry.
    pub const fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = delay;
        self
    }

    /// How many times longer to wait each time, from 1 on.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How long to wait at most.
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// What the random draw does.
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// `invalid_config`, with the first field that cannot work.
    pub fn build(self) -> Result<RetryPolicy, RetryPolicyError> {
        let Self { max_retries, initial_delay, factor, max_delay, jitter } = self;
        if !(factor.is_finite() && factor >= 1.0) {
            return Err(RetryPolicyError::Factor(factor));
        }
        if initial_delay > max_delay {
            return Err(RetryPolicyError::InitialDelay { initial: initial_delay, max: max_delay });
        }
        Ok(RetryPolicy { max_retries, initial_delay, factor, max_delay, jitter })
    }
}

impl Default for RetryPolicyBuilder {
    fn default() -> Self {
        RetryPolicy::builder()
    }
}

impl From<RetryPolicy> for RetryPolicyBuilder {
    fn from(policy: RetryPolicy) -> Self {
        let RetryPolicy { max_retries, initial_delay, factor, max_delay, jitter } = policy;
        Self { max_retries, initial_delay, factor, max_delay, jitter }
    }
}

impl TryFrom<RetryPolicyBuilder> for RetryPolicy {
    type Error = RetryPolicyError;

    fn try_from(builder: RetryPolicyBuilder) -> Result<Self, RetryPolicyError> {
        builder.build()
    }
}
