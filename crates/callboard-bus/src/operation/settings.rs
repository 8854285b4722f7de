//! How calls of an operation are made, where nobody says otherwise: [`CallSettings`].

use std::time::Duration;

use callboard_actor::{BreakerRules, ErrorCode, Trip};
use thiserror::Error;

use crate::rate::Rate;
use crate::retry::{FailureClass, RetryPolicy};

/// How calls are made, as far as something is said about it: for an operation, for all of a module, or for all there are. What
/// a nearer one says replaces what a farther one says, each setting by itself; a call has the last word.
///
/// | setting | where nobody says anything |
/// |---|---|
/// | time-out of the whole call | that of the message type, else 30 s |
/// | retries | none |
/// | breaker | opens after 5 failures one after the other, for 30 s |
/// | rate | as many as come |
/// | dead letters | of no class of errors |
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallSettings {
    /// How long a call may take with all its attempts.
    pub timeout: Option<Duration>,
    /// How often it is tried again.
    pub retry: Option<RetryPolicy>,
    /// When the breaker of the operation opens.
    pub breaker: Option<OperationBreaker>,
    /// How many attempts may be made in a while, by all callers together.
    pub rate: Option<Rate>,
    /// The classes of errors of which a call that ends so leaves a [dead letter](mod@crate::dead_letter_queue).
    pub dead_letters: Option<Vec<FailureClass>>,
}

/// Whether an operation has a breaker. It counts calls that failed in a way that may pass, and panics; what the caller did
/// wrong does not count. The breaker of an actor, which counts faults, stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationBreaker {
    /// It has, and this opens it.
    On(BreakerRules),
    /// Everything is let through.
    Off,
}

/// Settings that cannot work.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the settings cannot work: {}", .0.join("; "))]
pub struct CallSettingsError(pub(crate) Vec<String>);

impl CallSettingsError {
    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }
}

impl Default for OperationBreaker {
    fn default() -> Self {
        Self::On(BreakerRules::tripping_on([Trip::Consecutive(5)]))
    }
}

impl CallSettings {
    /// Says nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a call may take with all its attempts.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// How often it is tried again.
    #[must_use]
    pub fn retry(self, policy: RetryPolicy) -> Self {
        Self { retry: Some(policy), ..self }
    }

    /// When the breaker of the operation opens.
    #[must_use]
    pub fn breaker(self, rules: BreakerRules) -> Self {
        Self { breaker: Some(OperationBreaker::On(rules)), ..self }
    }

    /// Lets everything through.
    #[must_use]
    pub fn no_breaker(self) -> Self {
        Self { breaker: Some(OperationBreaker::Off), ..self }
    }

    /// Lets so many attempts through in each span of so long, those of all callers together; the others are refused and told
    /// how long to wait.
    #[must_use]
    pub fn rate(self, calls: u32, per: Duration) -> Self {
        Self { rate: Some(Rate { calls, per }), ..self }
    }

    /// Keeps what went into a call that has ended by an error of one of these classes, when everything else that is to be done about it
    /// has been done: as a [dead letter](mod@crate::dead_letter_queue), to be looked at and called again. The caller has the error all
    /// the same. A call with types leaves its record alone where its message does not implement `Serialize`, and a
    /// [test](crate::Call::test) leaves nothing.
    #[must_use]
    pub fn dead_letters(self, of: impl IntoIterator<Item = FailureClass>) -> Self {
        Self { dead_letters: Some(of.into_iter().collect()), ..self }
    }

    /// What is said here, and else what is said farther away.
    #[must_use]
    pub fn or(self, farther: &Self) -> Self {
        Self {
            timeout: self.timeout.or(farther.timeout),
            retry: self.retry.or(farther.retry),
            breaker: self.breaker.or_else(|| farther.breaker.clone()),
            rate: self.rate.or(farther.rate),
            dead_letters: self.dead_letters.or_else(|| farther.dead_letters.clone()),
        }
    }

    /// # Errors
    ///
    /// Everything that cannot work.
    pub(crate) fn checked(self) -> Result<Self, CallSettingsError> {
        let mut faults = Vec::new();
        if self.timeout == Some(Duration::ZERO) {
            faults.push("timeout: no time at all leaves none for an answer".to_owned());
        }
        if let Some(OperationBreaker::On(rules)) = &self.breaker {
            faults.extend(rules.faults());
            if rules.trips.contains(&Trip::Intensity) {
                faults.push("breaker: the intensity is a rule of supervisors".to_owned());
            }
        }
        faults.extend(self.rate.and_then(Rate::fault));
        if faults.is_empty() { Ok(self) } else { Err(CallSettingsError(faults)) }
    }
}
