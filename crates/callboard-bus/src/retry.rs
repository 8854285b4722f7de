//! When to try again, and when to stop: pure; time and the random draw are arguments.
//!
//! ```
//! use std::time::Duration;
//! use callboard_bus::retry::{Attempt, FailureClass, Jitter, Retry, RetryPolicy};
//!
//! let policy = RetryPolicy::builder().max_retries(3).jitter(Jitter::None).build()?;
//! let delays: Vec<_> = (1..).map_while(|made| policy.delay(made, 0.0)).collect();
//! assert_eq!(delays, [1, 2, 4].map(Duration::from_secs));
//!
//! let now = Duration::from_secs(100);
//! let failed = Attempt::new(1, FailureClass::Transient, now).retry_after(Duration::from_secs(5));
//! assert_eq!(policy.next(&failed, 0.0), Retry::At(Duration::from_secs(105)));
//! # Ok::<(), callboard_bus::retry::RetryPolicyError>(())
//! ```
//!
//! As configuration, every field with its default and durations as text:
//!
//! ```json
//! { "max_retries": 3, "initial_delay": "1s", "factor": 2.0, "max_delay": "30s", "jitter": "full" }
//! ```

mod budget;
mod settings;

use std::time::Duration;

use callboard_actor::{ErrorCode, FaultClass, Stage};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::budget::{RetryBudget, RetryBudgetError};
pub use self::settings::{RetryPolicyBuilder, RetryPolicyError};

/// How often a call is tried again and how long it waits before each time. What it holds has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RetryPolicyBuilder", into = "RetryPolicyBuilder")]
pub struct RetryPolicy {
    max_retries: u32,
    initial_delay: Duration,
    factor: f64,
    max_delay: Duration,
    jitter: Jitter,
}

/// What the random draw does to a delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Nothing: the delays are exact.
    None,
    /// Anything between no delay and the whole of it, so that callers who failed together do not come back together
    /// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    #[default]
    Full,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The cause may pass, and the attempt did nothing.
    Transient,
    /// The cause may pass, but the attempt may have done what was asked: only what may be done twice is tried again.
    Unknown,
    /// The same would fail again.
    Permanent,
}

/// Whether a call may be made twice: its operation is declared idempotent, or it carries an idempotency key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeatable {
    /// A second time might do it again.
    #[default]
    No,
    /// A second time does nothing more.
    Yes,
}

/// An attempt that failed. Moments are measured from any fixed one of a clock that never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    made: u32,
    class: FailureClass,
    now: Duration,
    retry_after: Duration,
    deadline: Option<Duration>,
    repeatable: Repeatable,
}

/// What to do after an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Try again at this moment.
    At(Duration),
    /// Hand on the error.
    GiveUp(WhyNot),
}

/// Why there is no further attempt. Its text is for the error that the caller sees.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyNot {
    /// The same would fail again.
    #[error("the failure would not pass")]
    Permanent,
    /// It may have been done, and must not be done twice.
    #[error("its outcome is unknown; declare the operation idempotent or give the call an idempotency key")]
    OutcomeUnknown,
    /// The policy allows no more.
    #[error("all {attempts} attempts have failed")]
    Exhausted {
        /// How many were made.
        attempts: u32,
    },
    /// The next attempt could not begin before the deadline of the call.
    #[error("the next of {attempts} attempts so far could not begin before the deadline")]
    Deadline {
        /// How many were made.
        attempts: u32,
    },
    /// The message went into the first attempt, and there is no copy of it.
    #[error("there is no copy of the message: implement `Clone` or `Serialize` for it")]
    NoCopy,
    /// Too many calls are being tried again already; see [`RetryBudget`].
    #[error("too many calls are being tried again")]
    BudgetSpent,
}

impl Default for RetryPolicy {
    /// Three retries after 1 s, 2 s and 4 s, with full jitter.
    fn default() -> Self {
        Self {
            max_retries: 3,
            initial_delay: Duration::from_secs(1),
            factor: 2.0,
            max_delay: Duration::from_secs(30),
            jitter: Jitter::Full,
        }
    }
}

impl RetryPolicy {
    /// One attempt and no more.
    #[must_use]
    pub fn none() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// The default policy, to be changed.
    pub fn builder() -> RetryPolicyBuilder {
        Self::default().into()
    }

    /// The policy of a call: its own, or else that of its operation, or else that of its module, or else that of the
    /// configuration, or else the default. A nearer one replaces the others whole; nothing of them shines through.
    #[must_use]
    pub fn nearest(
        call: Option<Self>,
        operation: Option<Self>,
        module: Option<Self>,
        configuration: Option<Self>,
    ) -> Self {
        call.or(operation).or(module).or(configuration).unwrap_or_default()
    }

    /// How many attempts there are at most, with the first one.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.max_retries.saturating_add(1)
    }

    /// How long to wait after `made` attempts (from 1), with `roll` from 0 to 1 as the random draw; nothing when there
    /// is no attempt left.
    #[must_use]
    pub fn delay(&self, made: u32, roll: f64) -> Option<Duration> {
        let grown = (made <= self.max_retries).then(|| self.grown(made))?;
        Some(match self.jitter {
            Jitter::None => grown,
            Jitter::Full => times(grown, share(roll), grown),
        })
    }

    /// What to do after an attempt that failed. Never an attempt that could not begin before the deadline, and none
    /// before `retry_after` is over.
    #[must_use]
    pub fn next(&self, failed: &Attempt, roll: f64) -> Retry {
        let attempts = failed.made;
        let delay = match failed.class {
            FailureClass::Permanent => Err(WhyNot::Permanent),
            FailureClass::Unknown if failed.repeatable == Repeatable::No => Err(WhyNot::OutcomeUnknown),
            FailureClass::Unknown | FailureClass::Transient => {
                self.delay(attempts.max(1), roll).ok_or(WhyNot::Exhausted { attempts })
            }
        };
        let moment = delay.map(|delay| failed.now.saturating_add(delay.max(failed.retry_after)));
        match moment {
            Ok(moment) if failed.deadline.is_some_and(|deadline| moment >= deadline) => {
                Retry::GiveUp(WhyNot::Deadline { attempts })
            }
            Ok(moment) => Retry::At(moment),
            Err(why_not) => Retry::GiveUp(why_not),
        }
    }

    /// The delay before the random draw.
    fn grown(&self, made: u32) -> Duration {
        let exponent = i32::try_from(made.saturating_sub(1)).unwrap_or(i32::MAX);
        times(self.initial_delay, self.factor.powi(exponent), self.max_delay)
    }
}

/// So many times as long, but no longer than `most`. Nothing stays nothing, however large the factor.
fn times(delay: Duration, factor: f64, most: Duration) -> Duration {
    if delay.is_zero() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(delay.as_secs_f64() * factor).map_or(most, |long| long.min(most))
}

/// A draw that is not from 0 to 1 counts as the nearest that is, and none at all as 1.
fn share(roll: f64) -> f64 {
    if roll.is_nan() { 1.0 } else { roll.clamp(0.0, 1.0) }
}

impl Attempt {
    /// The `made`-th attempt (from 1), which failed at `now`.
    #[must_use]
    pub const fn new(made: u32, class: FailureClass, now: Duration) -> Self {
        Self { made, class, now, retry_after: Duration::ZERO, deadline: None, repeatable: Repeatable::No }
    }

    /// The refusal said how long not to come back: an open breaker, a limited rate.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = wait;
        self
    }

    /// The moment by which the whole call, with all its attempts, has to end.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Whether the call may be made twice.
    #[must_use]
    pub const fn repeatable(mut self, repeatable: Repeatable) -> Self {
        self.repeatable = repeatable;
        self
    }
}

impl FailureClass {
    /// The class of an error of the framework. What timed out in the queue never ran; with any other stage, or with none,
    /// it may have. So it is with a connection that breaks.
    #[must_use]
    pub const fn of(code: ErrorCode, stage: Option<Stage>) -> Self {
        match (code, stage) {
            (ErrorCode::Timeout | ErrorCode::Connection | ErrorCode::Network, stage) => match stage {
                Some(Stage::Queue) => Self::Transient,
                Some(Stage::Handler | Stage::Reply) | None => Self::Unknown,
            },
            (code, _) if code.is_retryable() => Self::Transient,
            _ => Self::Permanent,
        }
    }
}

impl From<FaultClass> for FailureClass {
    /// A handler that calls its failure retryable says that it has done nothing, or that it can be done again.
    fn from(class: FaultClass) -> Self {
        match class {
            FaultClass::Retryable => Self::Transient,
            FaultClass::Permanent => Self::Permanent,
        }
    }
}

#[cfg(test)]
mod tests;
