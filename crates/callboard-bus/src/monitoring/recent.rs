//! The calls that ended last: [`RecentCall`], in a ring. Pure.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::ErrorCode;

use crate::call::CallError;

/// The longest error that is kept, in characters.
const LONGEST_ERROR: usize = 256;

/// One attempt of a call that has ended.
///
/// Every attempt that failed is among the recent ones, and of those that went well the ones that were timed, see
/// [`CallTimes`](crate::CallTimes): all of an operation that is not called more than 64 times between two ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecentCall {
    /// `module.operation`.
    pub operation: Arc<str>,
    /// When it began, since the system started; when it ended, where it was not timed.
    pub started: Duration,
    /// How long it took, where it was timed.
    pub took: Option<Duration>,
    /// Why it failed.
    pub error: Option<RecentError>,
}

/// Why a recent call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecentError {
    /// The stable code.
    pub code: ErrorCode,
    /// In words, at most 256 characters of them.
    pub text: String,
}

impl RecentCall {
    pub(super) fn new(operation: &Arc<str>, began: Option<Duration>, now: Duration, error: Option<&CallError>) -> Self {
        let error = error.map(|error| RecentError {
            code: error.code(),
            text: error.to_string().chars().take(LONGEST_ERROR).collect(),
        });
        let took = began.map(|began| now.saturating_sub(began));
        Self { operation: Arc::clone(operation), started: began.unwrap_or(now), took, error }
    }

    /// Whether it brought an output.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.error.is_none()
    }
}

/// The last so many, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<RecentCall>);

impl Recent {
    pub(super) const KEPT: usize = 1_000;

    /// Keeps one, and gives back what it pushes out.
    pub(super) fn push(&mut self, call: RecentCall) -> Option<RecentCall> {
        let fallen = if self.0.len() == Self::KEPT { self.0.pop_front() } else { None };
        self.0.push_back(call);
        fallen
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &RecentCall> {
        self.0.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_kept() {
        let (mut recent, operation) = (Recent::default(), Arc::from("press.work"));
        let fallen = (0..1_500).filter_map(|second| {
            let at = Duration::from_secs(second);
            recent.push(RecentCall::new(&operation, Some(at), at + Duration::from_secs(1), None))
        });
        assert_eq!(fallen.last().map(|call| call.started), Some(Duration::from_secs(499)));
        let newest = recent.newest_first().next().unwrap();
        assert_eq!(
            (recent.0.len(), newest.started.as_secs(), newest.took),
            (1_000, 1_499, Some(Duration::from_secs(1)))
        );
    }

    #[test]
    fn an_error_is_kept_as_far_as_it_is_not_too_long() {
        let error = CallError::refused(ErrorCode::Unauthenticated, "ä".repeat(1_000));
        let call = RecentCall::new(&"a.b".into(), None, Duration::from_secs(3), Some(&error));
        let kept = call.error.as_ref().unwrap();
        assert_eq!((kept.code, kept.text.chars().count()), (ErrorCode::Unauthenticated, 256));
        assert_eq!((call.started, call.took, call.is_success()), (Duration::from_secs(3), None, false));
    }
}
