//! What of a system does what which setting says: [`Heeder`], and the table of all who heed.

use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{BreakerRules, System, Trip, WeakSystem};
use parking_lot::Mutex;

use super::Unheeded;
use crate::audit::AuditExt;
use crate::config::{Config, ConfigChange, Effective, Heed, LiveConfig, Source};
use crate::events::EventsExt;
use crate::gate::{Access, AuthContext, GateError, Gatekeeper};
use crate::middleware::log_calls;
use crate::modules::ModulesExt;
use crate::monitoring::Monitoring;
use crate::operation::CallSettings;
use crate::operations::OperationsExt;
use crate::providers::Principal;
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

/// A setting that is not named here is in `WATCHED` or [`OPEN`].
const CONSUMERS: [Consumer; 9] = [
    Consumer {
        keys: &["bus.message_timeout"],
        heed: |system, config| system.set_ask_timeout(config.bus.message_timeout),
    },
    Consumer {
        keys: &["bus.max_message_queue_size"],
        heed: |system, config| system.channels().set_limit(whole(config.bus.max_message_queue_size)),
    },
    Consumer { keys: &["bus.max_concurrent_messages"], heed: heed_concurrency },
    Consumer {
        keys: &["bus.processor_interval"],
        heed: |system, config| Monitoring::configure_interval(system, config.bus.processor_interval),
    },
    Consumer { keys: &["circuit_breaker.failure_threshold", "circuit_breaker.recovery_timeout"], heed: heed_calls },
    Consumer {
        keys: &["retry.factor", "retry.initial_delay", "retry.jitter", "retry.max_delay", "retry.max_retries"],
        heed: heed_calls,
    },
    Consumer {
        keys: &["discovery.cache_size", "discovery.cache_ttl", "discovery.max_results"],
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

/// What would heed them is not there yet: that.
const OPEN: [(&str, &str); 5] = [
    ("events.store_max_events", "a durable store of events"),
    ("security.allowed_modules", "tokens, and a gate that reads them"),
    ("security.default_token_expiration", "tokens"),
    ("security.require_authentication", "tokens, and a gate that reads them"),
    ("store.redis_url", "a store in Redis"),
];

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
        true
    }

    fn admit(&self, auth: &AuthContext, key: &str) -> Result<Option<Principal>, GateError> {
        // Of a system that is over nobody is left to be asked.
        let Some(system) = self.system.upgrade().filter(|_| !self.last.lock().is_retired) else { return Ok(None) };
        Gatekeeper::of(&system).ask(auth, &Access::Configure { key })
    }

    fn record(&self, change: &ConfigChange) {
        let system = self.system.upgrade().filter(|_| !self.last.lock().is_retired);
        system.into_iter().for_each(|system| system.audit().record_change(change));
    }
}

/// The settings that somebody has said, that are not as they are by default, and that nothing heeds. Of those that only the
/// profile says, the switches that are on: a profile that wants authentication has promised it, but nobody counts on each of
/// its measures.
pub(super) fn unheeded(config: &LiveConfig) -> Vec<Unheeded> {
    let said = Config::default().differences(&config.current());
    let is_counted_on = |setting: &Effective| !matches!(setting.source, Source::Profile(_)) || setting.value == "true";
    let is_said = |setting: &Effective| said.contains(&setting.key) && is_counted_on(setting);
    let settings = config.settings().into_iter().filter(is_said);
    let unheeded = settings.filter_map(|Effective { key, value, source, .. }| {
        let (_, by) = OPEN.into_iter().find(|(open, _)| *open == key)?;
        Some(Unheeded { key, value, source, by })
    });
    unheeded.collect()
}

pub(super) fn tell_what_nothing_heeds(config: &LiveConfig) {
    for Unheeded { key, value, source, by } in unheeded(config) {
        tracing::warn!(target: "callboard::config", key, value, %source, by, "nothing in this system heeds the setting: it would take what is named");
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
        known.extend(WATCHED.into_iter().chain(OPEN.map(|(key, _)| key)));
        known.sort_unstable();
        assert_eq!(known, loaded.settings().iter().map(|setting| setting.key).collect::<Vec<_>>());
    }
}
