//! Settings: which there are, where each has its value from, and how they change while the system runs.
//!
//! Later layers win: built-in defaults, the profile, a file, the environment, what is said explicitly. All that is wrong
//! in any of them is told at once.
//!
//! ```
//! use std::time::Duration;
//! use callboard_bus::config::{Config, Profile};
//!
//! let file = "
//!     profile = 'enhanced'
//!     [retry]
//!     initial_delay = '2s'  # or 2000: a bare number is in the unit of the table below
//! ";
//! let environment = [("CALLBOARD_RETRY__MAX_RETRIES", "7"), ("MESSAGE_TIMEOUT_SECONDS", "10")];
//! let loaded = Config::load().text("callboard.toml", file).environment(environment).finish()?;
//!
//! assert_eq!(loaded.profile, Profile::Enhanced);
//! assert_eq!(loaded.config.retry.max_retries, 7);
//! assert_eq!(loaded.config.retry.initial_delay, Duration::from_secs(2));
//! assert_eq!(loaded.config.bus.message_timeout, Duration::from_secs(10));
//!
//! let shown = loaded.to_string();
//! assert!(shown.contains("circuit_breaker.failure_threshold  10     profile enhanced"));
//! assert!(shown.contains("retry.initial_delay                2s     callboard.toml:4"));
//!
//! let error = Config::load().set("retry.factor", 0.5).set("bus.message_timeout", "0s").finish().unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "the configuration cannot work: \
//!      set explicitly: retry.factor: `0.5` is out of range; allowed: a number from 1 to 1000; \
//!      set explicitly: bus.message_timeout: `0s` is out of range; allowed: 1ms to 1d, a bare number in seconds"
//! );
//! # Ok::<(), callboard_bus::config::ConfigError>(())
//! ```
//!
//! | setting | default | enhanced | bare number | of the specification |
//! |---|---|---|---|---|
//! | `bus.max_concurrent_messages` | 1000 | | | `MAX_CONCURRENT_MESSAGES` |
//! | `bus.message_timeout` | 30 s | | seconds | `MESSAGE_TIMEOUT_SECONDS` |
//! | `bus.max_message_queue_size` | 10000 | 20000 | | |
//! | `bus.processor_interval` | 100 ms | 50 ms | milliseconds | |
//! | `circuit_breaker.failure_threshold` | 5 | 10 | | `CIRCUIT_BREAKER_FAILURE_THRESHOLD` |
//! | `circuit_breaker.recovery_timeout` | 30 s | | seconds | |
//! | `discovery.cache_size` (0 is no cache) | 1000 | | | |
//! | `discovery.cache_ttl` (0 is no cache) | 300 s | | seconds | `DISCOVERY_CACHE_TTL_SECONDS` |
//! | `discovery.max_results` | 100 | | | `MAX_DISCOVERY_RESULTS` |
//! | `events.max_history` | 1000 | 2000 | | |
//! | `events.store_max_events` | 10000 | | | `EVENT_STORE_MAX_EVENTS` |
//! | `retry.max_retries` | 3 | 5 | | |
//! | `retry.initial_delay` | 1 s | 500 ms | milliseconds | |
//! | `retry.factor` | 2 | 1.5 | | |
//! | `retry.max_delay` | 30 s | | milliseconds | |
//! | `retry.jitter` | full | | | |
//! | `security.default_token_expiration` | 60 min | 120 min | minutes | |
//! | `security.require_authentication` | false | | | |
//! | `security.allowed_modules` (none is all) | none | | | |
//! | `store.redis_url` (none is the embedded store) | none | | | `REDIS_URL` |
//! | `tracing.enabled` | false | | | |
//! | `workflow.timeout` | 3600 s | | seconds | `WORKFLOW_TIMEOUT_SECONDS` |
//!
//! In the environment `retry.max_retries` is `CALLBOARD_RETRY__MAX_RETRIES`, and a name of the specification works as
//! well. Where both are set and differ, the first wins, with a warning. `CALLBOARD_CONFIG` names the file,
//! `CALLBOARD_PROFILE` the profile. Any other variable that begins with `CALLBOARD_` is a setting with a slip in its name,
//! but for those of other parts (`CALLBOARD_LOG`, `CALLBOARD_TOKEN`, `CALLBOARD_TOKEN_FILE`, `CALLBOARD_ADDR`) and for those
//! by which Kubernetes tells where a service named `callboard` is.
//!
//! # What it does not do
//!
//! It never looks at the environment of the process by itself, and reads no file but the one that it is told. A file that
//! changes is not read again. Nothing heeds a setting because it stands here: a system does that is told to, see
//! [`ConfigExt`](crate::ConfigExt), and whoever else wants it reads it and watches it in a [`LiveConfig`].

mod change;
mod effective;
mod entry;
mod environment;
mod error;
mod file;
mod given;
mod live;
mod load;
mod place;
mod profile;
mod redis_url;
mod rule;
mod setting;
mod source;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::retry::{Jitter, RetryPolicy, RetryPolicyError};
use crate::time;

pub use self::change::{ConfigChange, ConfigChangeError};
pub use self::effective::{Effective, LoadedConfig};
pub use self::error::{ConfigError, ConfigProblem};
pub use self::given::Given;
pub(crate) use self::live::Heed;
pub use self::live::{ConfigWatch, LiveConfig};
pub use self::load::ConfigLoader;
pub use self::profile::{Profile, ProfileError};
pub use self::redis_url::{RedisUrl, RedisUrlError};
pub use self::source::Source;

/// All settings. The default is the base column of the table in [`config`](self).
///
/// As JSON it is what it was when it is read again, but for a password, which is not written. What people write goes
/// through [`Config::load`], which checks it and knows more spellings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Calls and messages.
    pub bus: BusConfig,
    /// The breaker of an operation.
    pub circuit_breaker: CircuitBreakerConfig,
    /// Searches for modules.
    pub discovery: DiscoveryConfig,
    /// What is kept of events.
    pub events: EventsConfig,
    /// How a call is tried again that has no policy of its own.
    pub retry: RetryConfig,
    /// Who may take part.
    pub security: SecurityConfig,
    /// Where durable things are kept.
    pub store: StoreConfig,
    /// What is written down of each message.
    pub tracing: TracingConfig,
    /// Runs of workflows.
    pub workflow: WorkflowConfig,
}

/// Calls and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BusConfig {
    /// How many calls from outside are in hand at once.
    pub max_concurrent_messages: u32,
    /// How long a call has that says nothing else.
    #[serde(with = "time")]
    pub message_timeout: Duration,
    /// How many messages wait in channels, all together.
    pub max_message_queue_size: u32,
    /// How often what has expired is swept up. Messages are delivered without waiting for it.
    #[serde(with = "time")]
    pub processor_interval: Duration,
}

/// The breaker of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CircuitBreakerConfig {
    /// After so many failures in a row it opens.
    pub failure_threshold: u32,
    /// So long it stays open before it lets a probe through.
    #[serde(with = "time")]
    pub recovery_timeout: Duration,
}

/// Searches for modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DiscoveryConfig {
    /// How many answers are kept to be given again; zero is none.
    pub cache_size: u32,
    /// How long an answer may be given again; zero is never.
    #[serde(with = "time")]
    pub cache_ttl: Duration,
    /// How many modules an answer names at most.
    pub max_results: u32,
}

/// What is kept of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EventsConfig {
    /// How many of the last events are remembered for who asks for history.
    pub max_history: u32,
    /// How many events the store holds at hand.
    pub store_max_events: u32,
}

/// How a call is tried again that has no policy of its own. [`RetryPolicy`] is the checked form of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// How often, after the first attempt.
    pub max_retries: u32,
    /// How long to wait before the first retry.
    #[serde(with = "time")]
    pub initial_delay: Duration,
    /// How many times longer to wait each time.
    pub factor: f64,
    /// How long to wait at most.
    #[serde(with = "time")]
    pub max_delay: Duration,
    /// What the random draw does.
    pub jitter: Jitter,
}

/// Who may take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SecurityConfig {
    /// How long a token lives that says nothing else.
    #[serde(with = "time")]
    pub default_token_expiration: Duration,
    /// Whether a call without a token is refused.
    pub require_authentication: bool,
    /// The modules that may have tokens and call; none named is all.
    pub allowed_modules: BTreeSet<String>,
}

/// Where durable things are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreConfig {
    /// The Redis server; none is the embedded store.
    pub redis_url: Option<RedisUrl>,
}

/// What is written down of each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TracingConfig {
    /// Whether anything is.
    pub enabled: bool,
}

/// Runs of workflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WorkflowConfig {
    /// How long a run has that says nothing else.
    #[serde(with = "time")]
    pub timeout: Duration,
}

impl Config {
    /// Puts a configuration together from its layers.
    pub fn load() -> ConfigLoader {
        ConfigLoader::default()
    }

    /// The same as if it had been loaded, each setting said explicitly.
    ///
    /// # Errors
    ///
    /// All that is out of range.
    pub fn checked(self) -> Result<LoadedConfig, ConfigError> {
        self.check()?;
        Ok(LoadedConfig::of(self))
    }

    /// The settings of which the other has another value.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let differs = |setting: &&setting::Setting| setting.field.show(self) != setting.field.show(other);
        setting::SETTINGS.iter().filter(differs).map(|setting| setting.key).collect()
    }

    /// What changes when the other one takes its place.
    pub(crate) fn changes(&self, other: &Self) -> Vec<ConfigChange> {
        let settings = setting::SETTINGS.iter().map(|setting| {
            let [old, new] = [self, other].map(|config| setting.field.show(config));
            ConfigChange { key: setting.key, old, new, by: None }
        });
        settings.filter(|change| change.old != change.new).collect()
    }

    /// Those of them that count at the start alone: why a running system cannot take the other one.
    pub(crate) fn too_late(&self, other: &Self) -> Result<(), ConfigError> {
        let differences = self.differences(other);
        let late = setting::SETTINGS.iter().filter(|setting| setting.change == setting::Change::AtStart);
        let late = late.filter(|setting| differences.contains(&setting.key));
        ConfigError::of(late.map(|setting| setting.too_late(other)).collect())
    }

    /// Looks whether a configuration that was made in code can work.
    ///
    /// # Errors
    ///
    /// All that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::of(setting::problems(self, |_| Source::Explicit))
    }
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            max_concurrent_messages: 1000,
            message_timeout: Duration::from_secs(30),
            max_message_queue_size: 10_000,
            processor_interval: Duration::from_millis(100),
        }
    }
}

impl Default for CircuitBreakerConfig {
    fn default() -> Self {
        Self { failure_threshold: 5, recovery_timeout: Duration::from_secs(30) }
    }
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self { cache_size: 1_000, cache_ttl: Duration::from_secs(300), max_results: 100 }
    }
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { max_history: 1000, store_max_events: 10_000 }
    }
}

impl Default for RetryConfig {
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

impl Default for SecurityConfig {
    fn default() -> Self {
        let default_token_expiration = Duration::from_secs(60 * 60);
        Self { default_token_expiration, require_authentication: false, allowed_modules: BTreeSet::new() }
    }
}

impl Default for WorkflowConfig {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(3600) }
    }
}

impl TryFrom<RetryConfig> for RetryPolicy {
    type Error = RetryPolicyError;

    /// Of a configuration that was loaded or checked it always works.
    fn try_from(config: RetryConfig) -> Result<Self, RetryPolicyError> {
        let RetryConfig { max_retries, initial_delay, factor, max_delay, jitter } = config;
        let builder = Self::builder().max_retries(max_retries).initial_delay(initial_delay).factor(factor);
        builder.max_delay(max_delay).jitter(jitter).build()
    }
}
