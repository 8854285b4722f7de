//! What a configuration starts from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use callboard_actor::ErrorCode;
use serde::{Deserialize, Serialize};

use super::Config;
use super::given::shortened;

/// What a configuration starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The defaults.
    #[default]
    Base,
    /// The defaults, with tracing.
    Dev,
    /// Longer queues and more patience.
    Enhanced,
    /// As [`Enhanced`](Self::Enhanced), and nobody calls without a token.
    Production,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::Base, Self::Dev, Self::Enhanced, Self::Production];

    /// Its settings.
    #[must_use]
    pub fn config(self) -> Config {
        match self {
            Self::Base => Config::default(),
            Self::Dev => dev(),
            Self::Enhanced => enhanced(),
            Self::Production => production(),
        }
    }

    /// The word, as in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Dev => "dev",
            Self::Enhanced => "enhanced",
            Self::Production => "production",
        }
    }
}

/// There is no profile of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile `{}`; use base, dev, enhanced or production", shortened(.0))]
pub struct ProfileError(String);

impl ProfileError {
    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(name: &str) -> Result<Self, ProfileError> {
        Self::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| ProfileError(name.to_owned()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn dev() -> Config {
    let mut config = Config::default();
    config.tracing.enabled = true;
    config
}

fn enhanced() -> Config {
    let mut config = Config::default();
    config.bus.max_message_queue_size = 20_000;
    config.bus.processor_interval = Duration::from_millis(50);
    config.circuit_breaker.failure_threshold = 10;
    config.events.max_history = 2000;
    config.retry.max_retries = 5;
    config.retry.initial_delay = Duration::from_millis(500);
    config.retry.factor = 1.5;
    config.security.default_token_expiration = Duration::from_secs(120 * 60);
    config
}

fn production() -> Config {
    let mut config = enhanced();
    config.security.require_authentication = true;
    config
}
