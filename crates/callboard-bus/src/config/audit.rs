//! Who writes down that a setting has changed: [`ConfigAudit`].

use super::ConfigChange;

/// Writes down that a setting has changed; see [`LiveConfig::audit`](super::LiveConfig::audit). Every `Fn(&ConfigChange)` is
/// one.
///
/// ```
/// use callboard_bus::config::{Config, ConfigChange, LiveConfig};
///
/// let live = LiveConfig::new(Config::load().finish()?);
/// live.audit(|change: &ConfigChange| println!("{}: {} instead of {}", change.key, change.new, change.old));
/// live.set_by("Ada", "retry.max_retries", 5)?;
/// # Ok::<(), callboard_bus::config::ConfigError>(())
/// ```
pub trait ConfigAudit: Send + Sync + 'static {
    /// The setting has its new value already, and the call that changed it waits for this.
    fn record(&self, change: &ConfigChange);
}

impl<F: Fn(&ConfigChange) + Send + Sync + 'static> ConfigAudit for F {
    fn record(&self, change: &ConfigChange) {
        self(change);
    }
}
