//! The variables of a process, handed in: the process itself is not asked.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use super::Config;
use super::entry::Entry;
use super::given::{Given, shortened};
use super::setting::{PREFIX, SETTINGS, Setting};
use super::source::Source;

/// Begin as settings do, and are none.
const OTHERS: [&str; 6] =
    ["CALLBOARD_ADDR", CONFIG, "CALLBOARD_LOG", PROFILE, "CALLBOARD_TOKEN", "CALLBOARD_TOKEN_FILE"];
/// Names the file.
const CONFIG: &str = "CALLBOARD_CONFIG";
/// Names the profile.
const PROFILE: &str = "CALLBOARD_PROFILE";

#[derive(Clone, Default)]
pub(super) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub(super) fn new<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    pub(super) fn profile(&self) -> Option<Entry> {
        self.filled(PROFILE).map(|value| entry("profile", PROFILE, value))
    }

    pub(super) fn file(&self) -> Option<(PathBuf, Source)> {
        self.filled(CONFIG).map(|path| (path.into(), Source::Environment(CONFIG.into())))
    }

    /// The settings by the names of the specification and then, to be put over them, by our own; and at last what would
    /// be one of ours if there were such a setting.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let aliases = SETTINGS.iter().filter_map(|setting| self.by_alias(setting));
        let ours = SETTINGS.iter().filter_map(|setting| self.by_name(setting));
        aliases.chain(ours).chain(self.unknown()).collect()
    }

    /// The settings that have two values by two names, in sentences for people.
    pub(super) fn conflicts(&self) -> Vec<String> {
        SETTINGS.iter().filter_map(|setting| self.conflict(setting)).collect()
    }

    fn conflict(&self, setting: &Setting) -> Option<String> {
        let both = [self.by_alias(setting)?, self.by_name(setting)?];
        let [alias, ours] = both.map(|entry| {
            let mut config = Config::default();
            setting.field.put(&mut config, &entry.given).ok().map(|()| (config, entry.source))
        });
        let ((lost, alias), (won, ours)) = (alias?, ours?);
        let (is, holds) = (setting.field.show(&lost), setting.field.show(&won));
        (lost != won).then(|| format!("{alias} is {is} and {ours} is {holds}: the second one holds"))
    }

    fn by_alias(&self, setting: &Setting) -> Option<Entry> {
        let alias = setting.alias?;
        Some(entry(setting.key, alias, self.0.get(OsStr::new(alias))?))
    }

    fn by_name(&self, setting: &Setting) -> Option<Entry> {
        let variable = setting.variable();
        Some(entry(setting.key, &variable, self.0.get(OsStr::new(&variable))?))
    }

    fn unknown(&self) -> impl Iterator<Item = Entry> {
        let named = self.0.iter().map(|(name, value)| (name.to_string_lossy(), value));
        named.filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?;
            let is_known = SETTINGS.iter().any(|setting| setting.variable() == name);
            let is_strange = !is_known && !OTHERS.contains(&&*name) && !is_of_kubernetes(&name);
            is_strange.then(|| entry(&key.to_lowercase().replace("__", "."), &shortened(&name), value))
        })
    }

    /// A variable that is set to nothing says nothing.
    fn filled(&self, name: &str) -> Option<&OsString> {
        self.0.get(OsStr::new(name)).filter(|value| !value.is_empty())
    }
}

fn entry(key: &str, variable: &str, value: &OsString) -> Entry {
    let source = Source::Environment(Arc::from(variable));
    match value.to_str() {
        Some(words) => Entry::new(key, words.into(), source),
        None => Entry::new(key, Given::Other("bytes that are no text"), source),
    }
}

/// A cluster tells every process where its services are: beside a service named `callboard` these begin as ours do.
fn is_of_kubernetes(name: &str) -> bool {
    let is_address = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    !name.contains("__") && (is_address || name.ends_with("_PORT") || name.contains("_PORT_"))
}
