//! One value of one layer.

use super::error::{ConfigError, ConfigProblem};
use super::given::{Given, shortened};
use super::redis_url::hide_password;
use super::setting::{self, Setting};
use super::source::Source;
use crate::near;

/// One value of one layer, for a setting that need not exist.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) given: Given,
    /// As it was written.
    pub(super) written: String,
    pub(super) source: Source,
}

/// A name with one of these in it is probably that of a secret.
const SECRET: [&str; 7] = ["pass", "secret", "token", "key", "auth", "cred", "url"];

impl Entry {
    pub(super) fn new(key: impl Into<String>, given: Given, source: Source) -> Self {
        let written = given.to_string();
        Self { key: key.into(), given, written, source }
    }

    /// What is wrong with the value for this setting.
    pub(super) fn misfit(&self, setting: &Setting, reason: impl Into<String>) -> ConfigError {
        self.refused(reason, Some(setting.field.allowed()))
    }

    /// The value cannot be taken, whatever the reason.
    pub(super) fn refused(&self, reason: impl Into<String>, allowed: Option<String>) -> ConfigError {
        ConfigError::one(ConfigProblem {
            key: Some(self.key.clone()),
            value: Some(shortened(&hide_password(&self.written))),
            source: self.source.clone(),
            reason: reason.into(),
            allowed,
            meant: None,
        })
    }

    /// There is no setting of this name.
    pub(super) fn unknown(&self) -> ConfigError {
        ConfigError::one(ConfigProblem {
            key: Some(shortened(&self.key)),
            value: Some(self.shown_without_a_setting()),
            source: self.source.clone(),
            reason: "is for no setting that there is".to_owned(),
            allowed: Some(setting::keys_near(&self.key)),
            meant: self.meant(),
        })
    }

    /// In the spelling of the source.
    fn meant(&self) -> Option<String> {
        let setting = setting::find(&near::nearest(&self.key, setting::keys())?)?;
        Some(match &self.source {
            Source::Environment(_) => setting.variable(),
            _ => setting.key.to_owned(),
        })
    }

    /// Nobody has said whether it is a secret.
    fn shown_without_a_setting(&self) -> String {
        let name = self.key.to_lowercase();
        if SECRET.iter().any(|word| name.contains(word)) {
            return "***".to_owned();
        }
        shortened(&hide_password(&self.written))
    }
}
