//! What of a system does what which setting says: [`Heeder`], and the table of all who heed.

use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{BreakerRules, System, Trip, WeakSystem};
use parking_lot::Mutex;

use crate::config::{Config, Heed};
use crate::events::EventsExt;
use crate::middleware::log_calls;
use crate::modules::ModulesExt;
use crate::operation::CallSettings;
use crate::operations::OperationsExt;
use crate::retry::RetryPolicy;

/// Lets one system heed one configuration.
pub(super) struct Heeder {
    system: WeakSystem,
    last: Mutex<Last>,
}

struct Last {
    /// What the system does; nothing before it was told for the first time.
    heeded: Option<Arc<Config>>,
    is_retired: bool,
}

/// Some settings, and what makes a system heed them. It is told when one of them has another value than before.
struct Consumer {
    keys: &'static [&'static str],
    heed: fn(&System, &Config),
}

/// A setting that is not named here is in [`WATCHED`] or [`OPEN`].
const CONSUMERS: [Consumer; 8] = [
    Consumer {
        keys: &["bus.message_timeout"],
        heed: |system, config| system.set_ask_timeout(config.bus.message_timeout),
    },
    Consumer {
        keys: &["bus.max_message_queue_size"],
        heed: |system, config| system.channels().set_limit(whole(config.bus.max_message_queue_size)),
    },
    Consumer { keys: &["bus.max_concurrent_messages"], heed: heed_concurrency },
    // bus.processor_interval: the interval of what sweeps up is set here.
    Consumer { keys: &["circuit_breaker.failure_threshold", "circuit_breaker.recovery_timeout"], heed: heed_calls },
    Consumer {
        keys: &["retry.factor", "retry.initial_delay", "retry.jitter", "retry.max_delay", "retry.max_retries"],
        heed: heed_calls,
    },
    Consumer {
        keys: &["discovery.cache_ttl", "discovery.max_results"],
        heed: |system, config| system.modules().set_discovery(&config.discovery),
    },
    Consumer {
        keys: &["events.max_history"],
        heed: |system, config| system.events().keep_history(whole(config.events.max_history)),
    },
    Consumer { keys: &["tracing.enabled"], heed: heed_tracing },
];

/// Read by a crate above this one whenever it needs them.
#[cfg(test)]
const WATCHED: [&str; 1] = ["workflow.timeout"];

/// What would heed them is not there yet.
#[cfg(test)]
const OPEN: [&str; 6] = [
    "bus.processor_interval",
    "events.store_max_events",
    "security.allowed_modules",
    "security.default_token_expiration",
    "security.require_authentication",
    "store.redis_url",
];

/// Who says one of these relies on it, so that they are told.
const MISSED: [&str; 3] = ["security.allowed_modules", "security.require_authentication", "store.redis_url"];

impl Heeder {
    /// `heeded` is what the system does already.
    pub(super) fn new(system: WeakSystem, heeded: Option<Arc<Config>>) -> Self {
        Self { system, last: Mutex::new(Last { heeded, is_retired: false }) }
    }

    /// Heeds nothing any more. What it did last.
    pub(super) fn retire(&self) -> Option<Arc<Config>> {
        let mut last = self.last.lock();
        last.is_retired = true;
        last.heeded.take()
    }
}

impl Heed for Heeder {
    fn heed(&self, config: &Arc<Config>) -> bool {
        let Some(system) = self.system.upgrade() else { return false };
        let mut last = self.last.lock();
        if last.is_retired {
            return false;
        }
        let before = last.heeded.replace(Arc::clone(config));
        let changed = before.as_ref().map(|before| before.differences(config));
        let is_to_hear =
            |keys: &[&str]| changed.as_ref().is_none_or(|changed| keys.iter().any(|key| changed.contains(key)));
        CONSUMERS.iter().filter(|one| is_to_hear(one.keys)).for_each(|one| (one.heed)(&system, config));
        if before.is_none() {
            tell_what_is_missed(config);
        }
        true
    }
}

fn tell_what_is_missed(config: &Config) {
    let said = Config::default().differences(config);
    for key in MISSED.iter().filter(|key| said.contains(key)) {
        tracing::warn!(target: "callboard::config", key, "the setting is held, but nothing in this system heeds it");
    }
}

/// What calls are made by of which nothing nearer is said.
fn heed_calls(system: &System, config: &Config) {
    let rules = BreakerRules::tripping_on([Trip::Consecutive(config.circuit_breaker.failure_threshold)]);
    // Who says how long means that, so nothing of it is random.
    let rules = rules.reset_after(config.circuit_breaker.recovery_timeout).growing(2.0, LONGEST_OPEN, 0.0);
    let settings = CallSettings::new().breaker(rules);
    // The configuration has been checked, so that it is a policy.
    let policy = RetryPolicy::try_from(config.retry).ok().filter(|policy| policy.max_attempts() > 1);
    system.operations().configure(policy.into_iter().fold(settings, CallSettings::retry));
}

fn heed_concurrency(system: &System, config: &Config) {
    // The configuration has been checked, so that it is a number from 1 on.
    if let Err(error) = system.operations().set_concurrency(whole(config.bus.max_concurrent_messages)) {
        tracing::warn!(target: "callboard::config", %error, "as many calls are let in as before");
    }
}

const LONGEST_OPEN: Duration = Duration::from_secs(300);

fn heed_tracing(system: &System, config: &Config) {
    let operations = system.operations();
    if !config.tracing.enabled {
        operations.remove_middleware(TRACING);
    } else if let Err(error) = operations.middleware(TRACING).priority(i32::MIN).install(log_calls) {
        tracing::warn!(target: "callboard::config", %error, "calls are not written down");
    }
}

/// The name of a middleware, which no user has given to one of theirs.
const TRACING: &str = "$tracing";

fn whole(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-CFG-16: a setting that somebody adds is heeded, or somebody says that it is not.
    #[test]
    fn every_setting_has_its_place() {
        let loaded = Config::load().finish().unwrap();
        let mut known: Vec<&str> = CONSUMERS.iter().flat_map(|one| one.keys).copied().collect();
        known.extend(WATCHED.into_iter().chain(OPEN));
        known.sort_unstable();
        assert_eq!(known, loaded.settings().iter().map(|setting| setting.key).collect::<Vec<_>>());
        assert!(MISSED.iter().all(|key| OPEN.contains(key)));
    }
}
