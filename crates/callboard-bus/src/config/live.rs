//! A configuration that changes while the system runs.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

use super::effective::{Effective, LoadedConfig, Sources};
use super::entry::Entry;
use super::error::ConfigError;
use super::given::Given;
use super::setting::{self, Change};
use super::{Config, Source};

/// A configuration that changes while the system runs. All clones are the same one.
///
/// ```
/// use callboard_bus::config::{Config, LiveConfig};
///
/// # callboard_actor::block_on(async {
/// let live = LiveConfig::new(Config::load().finish()?);
/// let mut watch = live.watch();
///
/// let change = live.set("bus.max_concurrent_messages", 50)?;
/// assert_eq!((&*change.old, &*change.new), ("1000", "50"));
/// assert_eq!(watch.changed().await.map(|config| config.bus.max_concurrent_messages), Some(50));
///
/// let refused = live.set("store.redis_url", "redis://localhost").unwrap_err();
/// assert!(refused.to_string().ends_with("cannot change while the system runs; set it and start anew"));
/// # Ok::<(), callboard_bus::config::ConfigError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct LiveConfig(Arc<Live>);

/// Sees each change of a [`LiveConfig`], or the last one of several that came at once.
#[derive(Clone)]
#[must_use = "who does not look sees no change"]
pub struct ConfigWatch(watch::Receiver<State>);

/// A change, for the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigChange {
    /// The setting.
    pub key: &'static str,
    /// What it was, as [`Effective::value`].
    pub old: String,
    /// What it is. The same as before where the value that was set held already; nobody was told then.
    pub new: String,
}

struct Live {
    state: watch::Sender<State>,
    /// Held from the look at the old state until the new one is there, so that no change is lost.
    changing: Mutex<()>,
}

#[derive(Clone)]
struct State {
    config: Arc<Config>,
    sources: Sources,
}

impl LiveConfig {
    /// Begins with what was loaded.
    #[must_use]
    pub fn new(loaded: LoadedConfig) -> Self {
        let LoadedConfig { config, sources, .. } = loaded;
        Self(Arc::new(Live { state: watch::Sender::new(State { config, sources }), changing: Mutex::new(()) }))
    }

    /// The settings as they hold at this moment.
    #[must_use]
    pub fn current(&self) -> Arc<Config> {
        self.0.state.borrow().config.clone()
    }

    /// All settings in the order of their keys, with where each is from.
    #[must_use]
    pub fn settings(&self) -> Vec<Effective> {
        let state = self.0.state.borrow();
        state.sources.settings(&state.config)
    }

    /// Changes one setting at once, for everybody who looks from now on. Words are read as those of a variable.
    ///
    /// # Errors
    ///
    /// `invalid_config`: there is no such setting, it cannot change now, or it cannot have this value. Nothing is changed.
    pub fn set(&self, key: &str, value: impl Into<Given>) -> Result<ConfigChange, ConfigError> {
        let entry = Entry::new(key, value.into(), Source::RunTime);
        let _alone = self.0.changing.lock();
        let (state, change) = self.0.state.borrow().with(&entry)?;
        if change.old != change.new {
            self.0.state.send_replace(state);
        }
        Ok(change)
    }

    /// Sees every change from now on.
    pub fn watch(&self) -> ConfigWatch {
        ConfigWatch(self.0.state.subscribe())
    }
}

impl ConfigWatch {
    /// The settings as they hold at this moment.
    #[must_use]
    pub fn current(&self) -> Arc<Config> {
        self.0.borrow().config.clone()
    }

    /// Waits for a change that it has not shown yet. Nothing when there will be none, as every [`LiveConfig`] is gone.
    ///
    /// # Cancel safety
    ///
    /// No change is lost when the future is dropped: the next call shows it.
    pub async fn changed(&mut self) -> Option<Arc<Config>> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().config.clone())
    }
}

impl State {
    /// The state with this one value changed.
    fn with(&self, entry: &Entry) -> Result<(Self, ConfigChange), ConfigError> {
        let setting = setting::find(&entry.key).ok_or_else(|| entry.unknown())?;
        if setting.change == Change::AtStart {
            return Err(entry.refused(TOO_LATE, None));
        }
        let (mut config, mut sources) = (Config::clone(&self.config), self.sources.clone());
        sources.put(&mut config, entry)?;
        sources.check(&config)?;
        let [old, new] = [&*self.config, &config].map(|config| setting.field.show(config));
        Ok((Self { config: Arc::new(config), sources }, ConfigChange { key: setting.key, old, new }))
    }
}

const TOO_LATE: &str = "comes too late: the setting cannot change while the system runs; set it and start anew";

impl fmt::Debug for LiveConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveConfig").field(&self.current()).finish()
    }
}

impl fmt::Debug for ConfigWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigWatch").field(&self.current()).finish()
    }
}
