//! A system that does what its configuration says: [`ConfigExt`], and [`BuilderConfigExt`] for one that is about to start.

mod heeder;

use std::sync::Arc;

use callboard_actor::{System, SystemBuilder};
use parking_lot::Mutex;
use serde::Serialize;

use self::heeder::Heeder;
use crate::audit::AuditExt;
use crate::config::{ConfigChange, ConfigChangeError, LiveConfig, Source};
use crate::gate::{Access, AuthContext, GateError, Gatekeeper};

/// The configuration of a system that is about to start.
pub trait BuilderConfigExt {
    /// Heeds these settings from before its first actor starts, and each change of them from then on: what was loaded, or
    /// what is live already. Said again, the last one holds. What heeds which setting is in [`ConfigExt`].
    ///
    /// ```
    /// use std::time::Duration;
    /// # use callboard_actor::{Drain, System, block_on};
    /// use callboard_bus::config::{Config, LiveConfig, Profile};
    /// use callboard_bus::{BuilderConfigExt, ConfigExt};
    ///
    /// # block_on(async {
    /// let live = LiveConfig::new(Config::load().profile(Profile::Enhanced).set("bus.message_timeout", "10s").finish()?);
    /// let system = System::builder().workers(1).config(live.clone()).start().await?;
    /// assert_eq!(system.ask_timeout(), Duration::from_secs(10));
    ///
    /// live.set("bus.message_timeout", "5s")?;
    /// assert_eq!(system.ask_timeout(), Duration::from_secs(5));
    /// # system.shutdown(Drain::default()).await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "a builder does nothing until it is started"]
    fn config(self, config: impl Into<LiveConfig>) -> Self;
}

/// The configuration of a system that runs.
///
/// | setting | what heeds it |
/// |---|---|
/// | `bus.processor_interval` | the maintenance, see [`Monitoring::set_interval`](crate::Monitoring::set_interval) |
/// | `bus.max_concurrent_messages` | how many calls from outside are under way at once, see [`Operations::set_concurrency`](crate::Operations::set_concurrency) |
/// | `bus.message_timeout` | every ask and every call that names no time, see [`System::set_ask_timeout`] |
/// | `bus.max_message_queue_size` | all queues of channels and functions together, see [`Channels::set_limit`](crate::Channels::set_limit) |
/// | `circuit_breaker.*` | the breaker of every operation of which nothing nearer is said: so many failures in a row open it for exactly that time, which doubles up to 5 minutes while probes fail |
/// | `discovery.*` | [`Modules::discover`](crate::Modules::discover), whose cache is empty after a change |
/// | `events.max_history` | [`Events::history`](crate::Events::history) |
/// | `retry.*` | every call of which nothing nearer is said; 0 retries are none |
/// | `tracing.enabled` | all calls go through [`log_calls`](crate::middleware::log_calls), farther out than any other middleware |
/// | `workflow.timeout` | runs whose definition is registered from then on and names no time |
///
/// What is said in code of an operation, of a module or of all calls ([`Operations`](crate::Operations)) goes over what the configuration says.
/// Other settings are checked, shown and can be watched, but nothing of this crate heeds them yet. Who says one of them all the same
/// is told so at the start, by a line in the log, and whenever somebody looks: see [`unheeded`](Self::unheeded).
///
/// Each change is written down in the [audit](crate::Audit) of the system: who, what, from what, to what. With a
/// [gate](crate::gate) it takes the scope `config:write`.
pub trait ConfigExt {
    /// Heeds these settings from now on, and each change of them, instead of those of another configuration.
    ///
    /// # Errors
    ///
    /// `invalid_config`: the system has a configuration that differs in settings that count at the start alone; and what the
    /// gate says. Nothing has changed then.
    fn configure(&self, config: impl Into<LiveConfig>) -> Result<(), ConfigChangeError>;

    /// The configuration that it heeds; nothing where none was given.
    fn config(&self) -> Option<LiveConfig>;

    /// The settings that somebody has said, that are not as they are by default, and that nothing in this system heeds. Of those
    /// that only the profile says, the switches that are on.
    fn unheeded(&self) -> Vec<Unheeded>;
}

/// A setting that somebody has said and that nothing heeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unheeded {
    /// `group.name`.
    pub key: &'static str,
    /// Its value, as [`Effective::value`](crate::config::Effective::value): a password is hidden.
    pub value: String,
    /// Where it is from.
    pub source: Source,
    /// What would heed it, if it were there.
    pub by: &'static str,
}

/// What the system keeps.
#[derive(Default)]
struct Configured(Mutex<Option<(LiveConfig, Arc<Heeder>)>>);

impl BuilderConfigExt for SystemBuilder {
    fn config(self, config: impl Into<LiveConfig>) -> Self {
        let config = config.into();
        // Nothing has counted yet, so nothing comes too late.
        self.prepare(move |system| Configured::of(system).replace(system, &config))
    }
}

impl ConfigExt for System {
    fn configure(&self, config: impl Into<LiveConfig>) -> Result<(), ConfigChangeError> {
        let (config, before) = (config.into(), self.config().map(|config| config.current()));
        if let Some(before) = &before {
            before.too_late(&config.current())?;
        }
        let changes = admitted(self, before.unwrap_or_default().changes(&config.current()))?;
        Configured::of(self).replace(self, &config);
        changes.iter().for_each(|change| self.audit().record_change(change));
        Ok(())
    }

    fn config(&self) -> Option<LiveConfig> {
        Configured::of(self).0.lock().as_ref().map(|(config, _)| config.clone())
    }

    fn unheeded(&self) -> Vec<Unheeded> {
        self.config().as_ref().map(heeder::unheeded).unwrap_or_default()
    }
}

/// All these changes, with whose they are, if whoever acts here may make each of them.
fn admitted(system: &System, changes: Vec<ConfigChange>) -> Result<Vec<ConfigChange>, GateError> {
    let (gate, auth) = (Gatekeeper::of(system), AuthContext::here());
    let admitted = changes.into_iter().map(|change| {
        let who = gate.ask(&auth, &Access::Configure { key: change.key })?;
        let by = who.map(|who| who.user).or_else(|| auth.name().map(str::to_owned));
        Ok(ConfigChange { by, ..change })
    });
    admitted.collect()
}

impl Configured {
    fn of(system: &System) -> Arc<Self> {
        system.extension(Self::default)
    }

    fn replace(&self, system: &System, config: &LiveConfig) {
        let mut configured = self.0.lock();
        let is_first = configured.is_none();
        let heeded = configured.take().and_then(|(_, heeder)| heeder.retire());
        let heeder = Arc::new(Heeder::new(system.downgrade(), heeded));
        *configured = Some((config.clone(), Arc::clone(&heeder)));
        drop(configured);
        config.heeded_by(heeder);
        if is_first {
            heeder::tell_what_nothing_heeds(config);
        }
    }
}
