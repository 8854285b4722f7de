//! The values that hold, and where each is from.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::entry::Entry;
use super::error::ConfigError;
use super::place::Field;
use super::setting::{self, Change, SETTINGS};
use super::{Config, Profile, Source};

/// A configuration that can work, and where it is from. Its text is a table of all settings, one on each line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadedConfig {
    /// The settings.
    pub config: Arc<Config>,
    /// What they started from.
    pub profile: Profile,
    /// What works and was probably not meant, in sentences for people. They have been logged.
    pub warnings: Vec<String>,
    pub(super) sources: Sources,
}

/// One setting as it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Effective {
    /// `group.name`.
    pub key: &'static str,
    /// As [`ConfigLoader::set`](super::ConfigLoader::set) takes it, and empty for none; a password is hidden.
    pub value: String,
    /// Where it is from.
    pub source: Source,
    /// Whether it can change while the system runs.
    pub is_live: bool,
}

/// For each setting of the table, in its order.
#[derive(Clone, Debug)]
pub(super) struct Sources(Vec<Source>);

impl LoadedConfig {
    /// One that was made in code and has been checked.
    pub(super) fn of(config: Config) -> Self {
        let sources = Sources(vec![Source::Explicit; SETTINGS.len()]);
        Self { config: Arc::new(config), profile: Profile::default(), warnings: Vec::new(), sources }
    }

    /// All settings in the order of their keys.
    #[must_use]
    pub fn settings(&self) -> Vec<Effective> {
        self.sources.settings(&self.config)
    }
}

impl fmt::Display for LoadedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.settings().into_iter().map(|Effective { key, value, source, .. }| {
            let value = if value.is_empty() { "none".to_owned() } else { value };
            (key, value, source)
        });
        let rows: Vec<_> = rows.collect();
        let key_width = rows.iter().map(|(key, ..)| key.len()).max().unwrap_or_default();
        let value_width = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or_default();
        rows.iter().try_for_each(|(key, value, source)| writeln!(f, "{key:key_width$}  {value:value_width$}  {source}"))
    }
}

impl Sources {
    /// Those of a profile that nothing has been put over.
    pub(super) fn of(profile: Profile) -> Self {
        let (config, base) = (profile.config(), Config::default());
        let is_default = |field: &dyn Field| field.show(&config) == field.show(&base);
        let source = |is_default| if is_default { Source::Default } else { Source::Profile(profile) };
        Self(SETTINGS.iter().map(|setting| source(is_default(setting.field))).collect())
    }

    pub(super) fn settings(&self, config: &Config) -> Vec<Effective> {
        let of = |(setting, source): (&setting::Setting, &Source)| Effective {
            key: setting.key,
            value: setting.field.show(config),
            source: source.clone(),
            is_live: setting.change == Change::AtAnyTime,
        };
        SETTINGS.iter().zip(&self.0).map(of).collect()
    }

    /// Puts one value into the configuration, unless it is wrong.
    pub(super) fn put(&mut self, config: &mut Config, entry: &Entry) -> Result<(), ConfigError> {
        let at = setting::position(&entry.key).ok_or_else(|| entry.unknown())?;
        let setting = &SETTINGS[at];
        setting.field.put(config, &entry.given).map_err(|reason| entry.misfit(setting, reason))?;
        self.0[at] = entry.source.clone();
        Ok(())
    }

    /// Looks whether the values can work together.
    pub(super) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        let source = |key| setting::position(key).map_or(Source::Explicit, |at| self.0[at].clone());
        ConfigError::of(setting::problems(config, source))
    }
}
