//! What a call of an operation goes through, as people read it: [`Pipeline`].

use std::fmt;

use serde::Serialize;

use crate::descriptor::OperationDescriptor;
use crate::operation::{CallSettings, Conduct, OperationBreaker, OperationState};
use crate::retry::FailureClass;
use crate::security_level::SecurityLevel;
use crate::time;

/// What a call goes through, a step a line. It is all that a call may meet: one with types is not validated, as there is nothing
/// to read, and one out of a turn takes no place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pipeline(Vec<String>);

impl Pipeline {
    pub(super) fn new(descriptor: &OperationDescriptor, state: &OperationState, level: Option<SecurityLevel>) -> Self {
        let conduct = state.conduct();
        let mut steps: Vec<String> = level.map(|level| format!("auth: {level}")).into_iter().collect();
        steps.extend(kept(&conduct.settings));
        steps.extend(middleware(&conduct, false));
        steps.push(timeout(descriptor, state, &conduct.settings));
        steps.push(retries(&conduct.settings));
        steps.extend(middleware(&conduct, true));
        steps.push(format!("places: {} at once (calls from outside)", state.concurrency().status().limit));
        steps.extend(conduct.settings.rate.map(|rate| format!("rate: {rate}")));
        steps.push(breaker(&conduct.settings));
        steps.push(format!("validate, by name: as `{}`", descriptor.message));
        steps.push(format!("handler: {} {}", descriptor.address, descriptor.version));
        Self(steps)
    }

    /// The steps, the outermost first.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }
}

/// Which errors leave a dead letter, if any do.
fn kept(settings: &CallSettings) -> Option<String> {
    let classes = settings.dead_letters.as_ref().filter(|classes| !classes.is_empty())?;
    Some(format!("dead letters: of {}", words(classes)))
}

/// That around all attempts, or that of each.
fn middleware(conduct: &Conduct, is_within: bool) -> impl Iterator<Item = String> + '_ {
    conduct.middleware.iter().filter(move |named| named.is_within == is_within).map(ToString::to_string)
}

/// The one that holds, and whose it is where it is not that of the operation.
fn timeout(descriptor: &OperationDescriptor, state: &OperationState, settings: &CallSettings) -> String {
    let shown = |timeout, whose| format!("time-out: {}{whose}", time::show(timeout));
    match (settings.timeout, descriptor.timeout) {
        (Some(set), _) => shown(set, ""),
        (None, Some(of_message)) => shown(of_message, " (that of the message)"),
        (None, None) => shown(state.system().ask_timeout(), " (that of the system)"),
    }
}

fn retries(settings: &CallSettings) -> String {
    match settings.retry.map_or(1, |policy| policy.max_attempts()) {
        1 => "retry: none".to_owned(),
        attempts => format!("retry: {attempts} attempts at most"),
    }
}

fn breaker(settings: &CallSettings) -> String {
    match settings.breaker.clone().unwrap_or_default() {
        OperationBreaker::On(rules) => format!("breaker: opens for {}", time::show(rules.reset)),
        OperationBreaker::Off => "breaker: off".to_owned(),
    }
}

/// `transient and permanent errors`
fn words(classes: &[FailureClass]) -> String {
    let words: Vec<_> = classes.iter().map(|class| format!("{class:?}").to_lowercase()).collect();
    format!("{} errors", words.join(" and "))
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
