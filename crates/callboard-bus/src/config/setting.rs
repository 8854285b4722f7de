//! The table of all settings.

use std::time::Duration;

use super::Config;
use super::error::ConfigProblem;
use super::live::TOO_LATE;
use super::place::{Field, OUT_OF_RANGE, Place, Ruled};
use super::rule::{Count, Factor, JitterRule, ModuleNames, Redis, Switch, Time, Unit};
use super::source::Source;
use crate::retry::RetryPolicy;

/// What is known of a setting.
pub(super) struct Setting {
    /// `group.name`.
    pub(super) key: &'static str,
    /// The variable that the specification calls it by, if it does.
    pub(super) alias: Option<&'static str>,
    pub(super) change: Change,
    pub(super) field: &'static dyn Field,
}

/// When a setting may change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    AtAnyTime,
    AtStart,
}

/// `group.name: rule, when it may change, name of the specification;`
macro_rules! settings {
    ($($group:ident.$name:ident: $rule:expr, $change:ident, $alias:expr;)+) => {
        /// In the order of their keys.
        pub(super) static SETTINGS: &[Setting] = &[$(Setting {
            key: concat!(stringify!($group), ".", stringify!($name)),
            alias: $alias,
            change: Change::$change,
            field: &Ruled {
                place: Place {
                    read: |config| &config.$group.$name,
                    write: |config| &mut config.$group.$name,
                },
                rule: $rule,
            },
        },)+];
    };
}

settings! {
    bus.max_concurrent_messages: count(1, MILLION), AtAnyTime, Some("MAX_CONCURRENT_MESSAGES");
    bus.max_message_queue_size: count(1, 100 * MILLION), AtAnyTime, None;
    bus.message_timeout: time(Unit::Seconds, MILLISECOND, DAY), AtAnyTime, Some("MESSAGE_TIMEOUT_SECONDS");
    bus.processor_interval: time(Unit::Milliseconds, MILLISECOND, HOUR), AtAnyTime, None;
    circuit_breaker.failure_threshold: count(1, MILLION), AtAnyTime, Some("CIRCUIT_BREAKER_FAILURE_THRESHOLD");
    circuit_breaker.recovery_timeout: time(Unit::Seconds, MILLISECOND, DAY), AtAnyTime, None;
    discovery.cache_size: count(0, 100_000), AtAnyTime, None;
    discovery.cache_ttl: time(Unit::Seconds, Duration::ZERO, WEEK), AtAnyTime, Some("DISCOVERY_CACHE_TTL_SECONDS");
    discovery.max_results: count(1, MILLION), AtAnyTime, Some("MAX_DISCOVERY_RESULTS");
    events.max_history: count(0, 100 * MILLION), AtAnyTime, None;
    events.store_max_events: count(1, 1000 * MILLION), AtAnyTime, Some("EVENT_STORE_MAX_EVENTS");
    retry.factor: Factor { least: 1.0, most: 1000.0 }, AtAnyTime, None;
    retry.initial_delay: time(Unit::Milliseconds, Duration::ZERO, DAY), AtAnyTime, None;
    retry.jitter: JitterRule, AtAnyTime, None;
    retry.max_delay: time(Unit::Milliseconds, Duration::ZERO, DAY), AtAnyTime, None;
    retry.max_retries: count(0, 1000), AtAnyTime, None;
    security.allowed_modules: ModuleNames, AtStart, None;
    security.default_token_expiration: time(Unit::Minutes, Duration::from_secs(1), DAY), AtStart, None;
    security.require_authentication: Switch, AtStart, None;
    store.redis_url: Redis, AtStart, Some("REDIS_URL");
    tracing.enabled: Switch, AtAnyTime, None;
    workflow.timeout: time(Unit::Seconds, Duration::from_secs(1), YEAR), AtAnyTime, Some("WORKFLOW_TIMEOUT_SECONDS");
}

const MILLION: u32 = 1_000_000;
const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// What the variables of the system begin with.
pub(super) const PREFIX: &str = "CALLBOARD_";

const fn count(least: u32, most: u32) -> Count {
    Count { least, most }
}

const fn time(unit: Unit, least: Duration, most: Duration) -> Time {
    Time { unit, least, most }
}

impl Setting {
    /// Its variable: `CALLBOARD_GROUP__NAME`.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.to_uppercase().replace('.', "__"))
    }

    /// It has another value in the configuration of a system that runs.
    pub(super) fn too_late(&self, config: &Config) -> ConfigProblem {
        ConfigProblem {
            key: Some(self.key.to_owned()),
            value: Some(self.field.show(config)),
            source: Source::RunTime,
            reason: TOO_LATE.to_owned(),
            allowed: None,
            meant: None,
        }
    }

    fn group(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(group, _)| group)
    }
}

/// The place of a setting in the table.
pub(super) fn position(key: &str) -> Option<usize> {
    SETTINGS.iter().position(|setting| setting.key == key)
}

pub(super) fn find(key: &str) -> Option<&'static Setting> {
    position(key).map(|at| &SETTINGS[at])
}

pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|setting| setting.key)
}

/// Whether there are settings of this group.
pub(super) fn is_group(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.group() == name)
}

/// The settings of the same group, or the groups, for an error.
pub(super) fn keys_near(key: &str) -> String {
    let group = key.split('.').next().unwrap_or(key);
    let mut near: Vec<&str> =
        SETTINGS.iter().filter_map(|setting| (setting.group() == group).then_some(setting.key)).collect();
    if near.is_empty() {
        near = SETTINGS.iter().map(Setting::group).collect();
        near.dedup();
    }
    near.join(", ")
}

/// All values that are out of range, by themselves or together with others.
pub(super) fn problems(config: &Config, source: impl Fn(&'static str) -> Source) -> Vec<ConfigProblem> {
    let misfits = SETTINGS.iter().filter(|setting| !setting.field.fits(config));
    let mut problems: Vec<ConfigProblem> = misfits
        .map(|setting| ConfigProblem {
            key: Some(setting.key.to_owned()),
            value: Some(setting.field.show(config)),
            source: source(setting.key),
            reason: OUT_OF_RANGE.to_owned(),
            allowed: Some(setting.field.allowed()),
            meant: None,
        })
        .collect();
    if problems.is_empty() {
        problems.extend(problem_of_retry(config, source));
    }
    problems
}

/// The delays have to fit each other.
fn problem_of_retry(config: &Config, source: impl Fn(&'static str) -> Source) -> Option<ConfigProblem> {
    let fault = RetryPolicy::try_from(config.retry).err()?;
    let setting = SETTINGS.iter().find(|setting| setting.key.strip_prefix("retry.") == Some(fault.field()))?;
    let max_delay = config.retry.max_delay;
    Some(ConfigProblem {
        key: Some(setting.key.to_owned()),
        value: Some(setting.field.show(config)),
        source: source(setting.key),
        reason: "is longer than retry.max_delay".to_owned(),
        allowed: Some(format!("at most {}", crate::time::show(max_delay))),
        meant: None,
    })
}
