//! Which letters are meant: [`LetterFilter`]. Pure.

use std::time::{Duration, SystemTime};

use callboard_actor::MessageId;
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::letter::{Letter, LetterReason};
use crate::time;

/// Which letters are meant: those for which all that is said holds. One that says nothing means all of them.
///
/// ```
/// use std::time::Duration;
///
/// use callboard_bus::dead_letter_queue::{LetterFilter, LetterReason};
///
/// let old = LetterFilter::all().reason(LetterReason::Expired).module("lab").older_than(Duration::from_secs(3600));
/// assert_eq!(old, serde_json::from_str(r#"{"reason": "expired", "module": "lab", "older_than": "1h"}"#)?);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use = "a filter does nothing by itself"]
#[non_exhaustive]
pub struct LetterFilter {
    /// This letter.
    pub id: Option<MessageId>,
    /// Letters with this fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// Letters of this reason.
    pub reason: Option<LetterReason>,
    /// Letters for this module.
    pub module: Option<String>,
    /// Letters of this event or operation.
    pub subject: Option<String>,
    /// Letters that failed the last time longer ago than this.
    #[serde(with = "time::optional")]
    pub older_than: Option<Duration>,
    /// At most so many of them, the oldest.
    pub limit: Option<usize>,
}

impl LetterFilter {
    /// All letters.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only this one.
    pub fn id(self, id: MessageId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Only those with this fingerprint.
    pub fn fingerprint(self, fingerprint: Fingerprint) -> Self {
        Self { fingerprint: Some(fingerprint), ..self }
    }

    /// Only those of this reason.
    pub fn reason(self, reason: LetterReason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Only those for this module.
    pub fn module(self, module: impl Into<String>) -> Self {
        Self { module: Some(module.into()), ..self }
    }

    /// Only those of this event or operation.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// Only those that failed the last time longer ago than this.
    pub fn older_than(self, age: Duration) -> Self {
        Self { older_than: Some(age), ..self }
    }

    /// At most so many of them, the oldest.
    pub fn limit(self, letters: usize) -> Self {
        Self { limit: Some(letters), ..self }
    }

    /// Whether it means this letter, the limit apart.
    #[must_use]
    pub fn matches(&self, letter: &Letter, now: SystemTime) -> bool {
        let age = now.duration_since(letter.last_failure).unwrap_or_default();
        self.id.is_none_or(|id| id == letter.id)
            && self.fingerprint.is_none_or(|print| print == letter.fingerprint)
            && self.reason.is_none_or(|reason| reason == letter.reason)
            && self.module.as_ref().is_none_or(|module| *module == letter.module)
            && self.subject.as_ref().is_none_or(|subject| *subject == letter.subject)
            && self.older_than.is_none_or(|limit| age > limit)
    }
}
