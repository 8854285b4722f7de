//! A configuration that changes while the system runs.

use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, ReentrantMutex};
use tokio::sync::watch;

use super::change::{ConfigChange, ConfigChangeError};
use super::effective::{Effective, LoadedConfig, Sources};
use super::entry::Entry;
use super::error::ConfigError;
use super::given::Given;
use super::setting::{self, Change};
use super::{Config, Source};
use crate::gate::{AuthContext, GateError};
use crate::providers::Principal;

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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct LiveConfig(Arc<Live>);

/// Sees each change of a [`LiveConfig`], or the last one of several that came at once.
#[derive(Clone)]
#[must_use = "who does not look sees no change"]
pub struct ConfigWatch(watch::Receiver<State>);

/// A part of a system that does what the settings say, as soon as they do.
pub(crate) trait Heed: Send + Sync {
    /// False when it is not there any more.
    fn heed(&self, config: &Arc<Config>) -> bool;

    /// Whether somebody may change a setting, and who that is where it has found out.
    fn admit(&self, auth: &AuthContext, key: &str) -> Result<Option<Principal>, GateError>;

    /// Writes down what was changed.
    fn record(&self, change: &ConfigChange);
}

struct Live {
    state: watch::Sender<State>,
    /// Held from the look at the old state until all have heard of the new one, so that no change is lost and none is
    /// heard of before an earlier one. Who hears of a change may make another.
    changing: ReentrantMutex<()>,
    heeders: Mutex<Vec<Arc<dyn Heed>>>,
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
        let state = watch::Sender::new(State { config, sources });
        Self(Arc::new(Live { state, changing: ReentrantMutex::new(()), heeders: Mutex::default() }))
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

    /// Changes one setting at once, for everybody who looks from now on. Words are read as those of a variable. When this
    /// returns the systems that are [configured](crate::ConfigExt) so heed it, and it is in the log and in the
    /// [audit](crate::Audit) of each of them.
    ///
    /// # Errors
    ///
    /// [`ConfigChangeError`]. Nothing is changed.
    pub fn set(&self, key: &str, value: impl Into<Given>) -> Result<ConfigChange, ConfigChangeError> {
        self.set_by(AuthContext::here(), key, value)
    }

    /// As [`set`](Self::set), in the name of somebody, who shows this to the [gates](crate::gate) of the systems.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_by(
        &self,
        who: impl Into<AuthContext>,
        key: &str,
        value: impl Into<Given>,
    ) -> Result<ConfigChange, ConfigChangeError> {
        let (who, entry, _alone) = (who.into(), Entry::new(key, value.into(), Source::RunTime), self.0.changing.lock());
        let by = self.admit(&who, &entry.key)?;
        let (state, change) = self.0.state.borrow().with(&entry)?;
        let change = ConfigChange { by, ..change };
        if change.old != change.new {
            self.0.state.send_replace(state);
            self.tell_heeders();
            self.record(&change);
        }
        Ok(change)
    }

    /// Asks all who heed it, and says in whose name it is done.
    fn admit(&self, who: &AuthContext, key: &str) -> Result<Option<String>, GateError> {
        let (heeders, mut by) = (self.0.heeders.lock().clone(), who.name().map(str::to_owned));
        for heeder in heeders {
            by = heeder.admit(who, key)?.map(|principal| principal.user).or(by);
        }
        Ok(by)
    }

    fn record(&self, change: &ConfigChange) {
        let ConfigChange { key, old, new, by } = change;
        let by = by.as_deref().unwrap_or("nobody named");
        tracing::info!(target: "callboard::config", key, old, new, by, "a setting has changed");
        // Not under the lock, as who is told may change another one.
        let heeders = self.0.heeders.lock().clone();
        heeders.iter().for_each(|heeder| heeder.record(change));
    }

    /// Somebody heeds the settings as they are, and every change from now on.
    pub(crate) fn heeded_by(&self, heeder: Arc<dyn Heed>) {
        let _alone = self.0.changing.lock();
        if heeder.heed(&self.current()) {
            self.0.heeders.lock().push(heeder);
        }
    }

    fn tell_heeders(&self) {
        let (config, heeders) = (self.current(), self.0.heeders.lock().clone());
        let gone: Vec<_> = heeders.into_iter().filter(|heeder| !heeder.heed(&config)).collect();
        self.0.heeders.lock().retain(|heeder| !gone.iter().any(|gone| Arc::ptr_eq(gone, heeder)));
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

impl From<LoadedConfig> for LiveConfig {
    fn from(loaded: LoadedConfig) -> Self {
        Self::new(loaded)
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
        Ok((Self { config: Arc::new(config), sources }, ConfigChange { key: setting.key, old, new, by: None }))
    }
}

pub(super) const TOO_LATE: &str =
    "comes too late: the setting cannot change while the system runs; set it and start anew";

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
