//! What letters have in common: [`Fingerprint`], and those of one in a [`LetterGroup`]. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use callboard_actor::{ErrorCode, MessageId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::letter::{Cause, Letter};
use crate::time;

/// Stands for a module, a subject, the code of an error and its place: 16 hexadecimal digits. It is the same in every run of
/// the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(u64);

/// A text that is no [`Fingerprint`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no fingerprint: expected 16 hexadecimal digits")]
pub struct FingerprintError(String);

impl Fingerprint {
    pub(crate) fn of(module: &str, subject: &str, cause: &Cause) -> Self {
        let place = cause.location.as_deref().unwrap_or_default();
        let parts = [module, subject, cause.code.code(), place];
        // FNV-1a, with an end to each part, as `a` and `bc` are not `ab` and `c`.
        let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let read = is_one.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        read.map(Self).ok_or_else(|| FingerprintError(text.chars().take(32).collect()))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

/// Letters with one fingerprint.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LetterGroup {
    /// What they have in common.
    pub fingerprint: Fingerprint,
    /// The module that they were for.
    pub module: String,
    /// The event or the operation.
    pub subject: String,
    /// The code of the error.
    pub code: ErrorCode,
    /// Where the error was made.
    pub location: Option<String>,
    /// How many there are.
    pub letters: usize,
    /// How large their payloads are together, in bytes.
    pub bytes: u64,
    /// When the first of them failed for the first time.
    #[serde(serialize_with = "time::serialize_moment")]
    pub first_failure: SystemTime,
    /// When the last of them failed.
    #[serde(serialize_with = "time::serialize_moment")]
    pub last_failure: SystemTime,
    /// The one that failed last.
    pub example: MessageId,
    /// What went wrong with it.
    pub error: String,
}

/// The groups of letters, those with the most letters first.
pub(super) fn groups(letters: &[Letter]) -> Vec<LetterGroup> {
    let mut groups = BTreeMap::<Fingerprint, LetterGroup>::new();
    for letter in letters {
        let group = groups.entry(letter.fingerprint).or_insert_with(|| LetterGroup::before(letter));
        group.add(letter);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.letters));
    groups
}

impl LetterGroup {
    /// Without any letter, so that the first one is added as all others are.
    fn before(first: &Letter) -> Self {
        Self {
            fingerprint: first.fingerprint,
            module: first.module.clone(),
            subject: first.subject.clone(),
            code: first.cause.code,
            location: first.cause.location.clone(),
            letters: 0,
            bytes: 0,
            first_failure: first.first_failure,
            last_failure: first.last_failure,
            example: first.id,
            error: String::new(),
        }
    }

    fn add(&mut self, letter: &Letter) {
        self.letters += 1;
        self.bytes = self.bytes.saturating_add(letter.bytes);
        self.first_failure = self.first_failure.min(letter.first_failure);
        if letter.last_failure >= self.last_failure {
            (self.last_failure, self.example, self.error) = (letter.last_failure, letter.id, letter.cause.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cause(code: ErrorCode, place: &str) -> Cause {
        Cause::new(code, "it failed").said("no paper", Some(place))
    }

    /// A stored letter has to be found under the fingerprint that somebody wrote down.
    #[test]
    fn it_is_the_same_in_every_run() {
        let print = Fingerprint::of("press", "press.work", &cause(ErrorCode::HandlerFailed, "src/press.rs:7:9"));
        assert_eq!(print.to_string(), "5d799b8ae74a2f45");
        assert_eq!(serde_json::to_string(&print).unwrap(), format!("\"{print}\""));
    }

    #[test]
    fn each_part_counts() {
        let all = [
            Fingerprint::of("a", "bc", &cause(ErrorCode::HandlerFailed, "x:1")),
            Fingerprint::of("ab", "c", &cause(ErrorCode::HandlerFailed, "x:1")),
            Fingerprint::of("a", "bc", &cause(ErrorCode::HandlerPanicked, "x:1")),
            Fingerprint::of("a", "bc", &cause(ErrorCode::HandlerFailed, "x:2")),
        ];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        let words = Cause::new(ErrorCode::HandlerFailed, "other words").said("ink", Some("x:1"));
        assert_eq!(Fingerprint::of("a", "bc", &words), all[0], "what was said does not count");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(bits: u64) {
            let print = Fingerprint(bits);
            prop_assert_eq!(print.to_string().parse(), Ok(print));
        }

        #[test]
        fn any_text_is_one_or_a_fault(text in any::<String>()) {
            let _ = text.parse::<Fingerprint>().map_err(|fault| fault.to_string());
        }
    }
}
