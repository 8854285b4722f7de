//! How a configuration is put together from its layers.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::effective::{LoadedConfig, Sources};
use super::entry::Entry;
use super::environment::Environment;
use super::error::{ConfigError, ConfigProblem};
use super::file::{self, File};
use super::given::{Given, shortened};
use super::profile::Profile;
use super::source::Source;

/// The layers of a configuration. Without any it is the defaults.
#[derive(Clone, Default)]
#[must_use = "nothing is loaded until it is finished"]
pub struct ConfigLoader {
    profile: Option<Profile>,
    file: Option<Origin>,
    environment: Environment,
    explicit: Vec<Entry>,
}

/// Where the text of the file is.
#[derive(Clone)]
enum Origin {
    Path(PathBuf, Source),
    Text(String, String),
}

impl ConfigLoader {
    /// What to start from, whatever the environment and the file name.
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// The file, in TOML, whatever the environment names. It is read by [`finish`](Self::finish), and has to be there.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(Origin::Path(path.into(), Source::Explicit));
        self
    }

    /// The text of the file, and what to call it.
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.file = Some(Origin::Text(name.into(), text.into()));
        self
    }

    /// The variables, [`std::env::vars_os`] say. Of the others only those of the specification are looked at.
    pub fn environment<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        self.environment = Environment::new(variables);
        self
    }

    /// One setting, over all others; said again, the last one holds. Words are read as those of a variable.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<Given>) -> Self {
        self.explicit.push(Entry::new(key, value.into(), Source::Explicit));
        self
    }

    /// The configuration. What works and was probably not meant is logged as a warning.
    ///
    /// # Errors
    ///
    /// `invalid_config`, with everything that is wrong in any layer, also where a later one is put over it.
    pub fn finish(self) -> Result<LoadedConfig, ConfigError> {
        let mut file = self.read_file();
        let mut problems = std::mem::take(&mut file.problems);
        let profile = self.choose_profile(&file, &mut problems);
        let (mut config, mut sources) = (profile.config(), Sources::of(profile));
        for entry in file.entries.into_iter().chain(self.environment.entries()).chain(self.explicit) {
            if let Err(error) = sources.put(&mut config, &entry) {
                problems.extend(error.into_problems());
            }
        }
        if problems.is_empty() {
            sources.check(&config)?;
        }
        ConfigError::of(problems)?;
        let warnings = self.environment.conflicts();
        warnings.iter().for_each(|warning| tracing::warn!(target: "callboard::config", "{warning}"));
        Ok(LoadedConfig { config: Arc::new(config), profile, warnings, sources })
    }

    fn read_file(&self) -> File {
        let named = || self.environment.file().map(|(path, source)| Origin::Path(path, source));
        match self.file.clone().or_else(named) {
            None => File::default(),
            Some(Origin::Text(name, text)) => file::read(&name, &text),
            Some(Origin::Path(path, source)) => {
                let name = path.to_string_lossy();
                std::fs::read_to_string(&path)
                    .map_or_else(|error| unreadable(&name, source, &error), |text| file::read(&name, &text))
            }
        }
    }

    /// Each name that is none is a problem, whether it counts or not.
    fn choose_profile(&self, file: &File, problems: &mut Vec<ConfigProblem>) -> Profile {
        let mut chosen = self.profile;
        for entry in self.environment.profile().iter().chain(&file.profile) {
            match read_profile(entry) {
                Ok(profile) => chosen = chosen.or(Some(profile)),
                Err(error) => problems.extend(error.into_problems()),
            }
        }
        chosen.unwrap_or_default()
    }
}

/// What it was given may hold passwords.
impl fmt::Debug for ConfigLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigLoader").field("profile", &self.profile).finish_non_exhaustive()
    }
}

fn unreadable(name: &str, source: Source, error: &std::io::Error) -> File {
    let mut problem = ConfigProblem::of_source(source, format!("cannot be read: {error}"));
    problem.value = Some(shortened(name));
    File { problems: vec![problem], ..File::default() }
}

fn read_profile(entry: &Entry) -> Result<Profile, ConfigError> {
    let profile = match &entry.given {
        Given::Words(name) | Given::Text(name) => name.parse().ok(),
        _ => None,
    };
    profile.ok_or_else(|| entry.refused("is no profile", Some(Profile::ALL.map(Profile::name).join(", "))))
}
