//! Every setting has the value that the documentation gives it, by every name it has, and the later layer wins.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_bus::RetryPolicy;
use callboard_bus::config::{Config, ConfigLoader, LoadedConfig, Profile, Source};

/// F-CFG-01 to F-CFG-15: the setting, its default, its value in the enhanced profile, the name of the specification, and
/// how 7 in a bare number is shown.
const SETTINGS: [(&str, &str, &str, &str, &str); 22] = [
    ("bus.max_concurrent_messages", "1000", "1000", "MAX_CONCURRENT_MESSAGES", "7"), // F-CFG-02
    ("bus.max_message_queue_size", "10000", "20000", "", "7"),                       // F-CFG-10
    ("bus.message_timeout", "30s", "30s", "MESSAGE_TIMEOUT_SECONDS", "7s"),          // F-CFG-03
    ("bus.processor_interval", "100ms", "50ms", "", "7ms"),                          // F-CFG-11
    ("circuit_breaker.failure_threshold", "5", "10", "CIRCUIT_BREAKER_FAILURE_THRESHOLD", "7"), // F-CFG-04, F-CFG-14
    ("circuit_breaker.recovery_timeout", "30s", "30s", "", "7s"),                    // F-CFG-14
    ("discovery.cache_size", "1000", "1000", "", "7"),                               // F-CFG-17
    ("discovery.cache_ttl", "5m", "5m", "DISCOVERY_CACHE_TTL_SECONDS", "7s"),        // F-CFG-05
    ("discovery.max_results", "100", "100", "MAX_DISCOVERY_RESULTS", "7"),           // F-CFG-06
    ("events.max_history", "1000", "2000", "", "7"),                                 // F-CFG-09
    ("events.store_max_events", "10000", "10000", "EVENT_STORE_MAX_EVENTS", "7"),    // F-CFG-07
    ("retry.factor", "2", "1.5", "", "7"),                                           // F-CFG-13
    ("retry.initial_delay", "1s", "500ms", "", "7ms"),                               // F-CFG-13
    ("retry.jitter", "full", "full", "", ""),
    ("retry.max_delay", "30s", "30s", "", ""),
    ("retry.max_retries", "3", "5", "", "7"),                      // F-CFG-13
    ("security.allowed_modules", "", "", "", "7"),                 // F-CFG-15
    ("security.default_token_expiration", "1h", "2h", "", "7m"),   // F-CFG-15
    ("security.require_authentication", "false", "false", "", ""), // F-CFG-15
    ("store.redis_url", "", "", "REDIS_URL", ""),                  // F-CFG-01
    ("tracing.enabled", "false", "false", "", ""),                 // F-CFG-12
    ("workflow.timeout", "1h", "1h", "WORKFLOW_TIMEOUT_SECONDS", "7s"), // F-CFG-08
];

fn load(loader: ConfigLoader) -> LoadedConfig {
    loader.finish().unwrap_or_else(|error| panic!("{error}"))
}

fn value(loaded: &LoadedConfig, key: &str) -> (String, String) {
    let setting = loaded.settings().into_iter().find(|setting| setting.key == key).unwrap();
    (setting.value, setting.source.to_string())
}

fn variable(key: &str) -> String {
    format!("CALLBOARD_{}", key.to_uppercase().replace('.', "__"))
}

/// F-CFG-01 to F-CFG-15, F-CFG-16.
#[test]
fn both_columns_are_those_of_the_specification() {
    let base = load(Config::load());
    let enhanced = load(Config::load().profile(Profile::Enhanced));
    assert_eq!((&*base.config, &*enhanced.config), (&Config::default(), &Profile::Enhanced.config()));
    let keys: Vec<&str> = base.settings().iter().map(|setting| setting.key).collect();
    assert_eq!(keys, SETTINGS.map(|(key, ..)| key));
    for (key, default, in_enhanced, ..) in SETTINGS {
        assert_eq!(value(&base, key), (default.into(), "default".into()), "{key}");
        let source = if default == in_enhanced { "default" } else { "profile enhanced" };
        assert_eq!(value(&enhanced, key), (in_enhanced.into(), source.into()), "{key}");
    }
}

/// F-CFG-16: what the text of a setting says is what its field holds.
#[test]
fn the_fields_hold_what_is_shown() {
    let Config { bus, circuit_breaker, discovery, events, retry, security, store, tracing, workflow, .. } =
        Config::default();
    assert_eq!((bus.max_concurrent_messages, bus.max_message_queue_size), (1000, 10_000));
    assert_eq!((bus.message_timeout, bus.processor_interval), (Duration::from_secs(30), Duration::from_millis(100)));
    assert_eq!((circuit_breaker.failure_threshold, circuit_breaker.recovery_timeout), (5, Duration::from_secs(30)));
    assert_eq!((discovery.cache_ttl, discovery.max_results), (Duration::from_secs(300), 100));
    assert_eq!((events.max_history, events.store_max_events), (1000, 10_000));
    assert_eq!((retry.max_retries, retry.initial_delay, retry.factor), (3, Duration::from_secs(1), 2.0));
    assert_eq!(RetryPolicy::try_from(retry), Ok(RetryPolicy::default()));
    assert_eq!(security.default_token_expiration, Duration::from_secs(3600));
    assert!(!security.require_authentication && security.allowed_modules.is_empty());
    assert_eq!((store.redis_url, tracing.enabled, workflow.timeout), (None, false, Duration::from_secs(3600)));
}

/// A field without a row in the table of settings could be set by nobody.
#[test]
fn every_field_is_a_setting() {
    let json = serde_json::to_value(Config::default()).unwrap();
    let groups = json.as_object().unwrap().iter();
    let fields = groups
        .flat_map(|(group, fields)| fields.as_object().unwrap().keys().map(move |field| format!("{group}.{field}")));
    let mut fields: Vec<String> = fields.collect();
    fields.sort_unstable();
    assert_eq!(fields, SETTINGS.map(|(key, ..)| key));
}

#[test]
fn the_other_profiles_differ_where_their_names_say() {
    let differing = |profile: Profile, from: Profile| {
        let [this, other] = [profile, from].map(|profile| load(Config::load().profile(profile)).settings());
        let pairs = this.into_iter().zip(other).filter(|(this, other)| this.value != other.value);
        pairs.map(|(this, _)| format!("{} = {}", this.key, this.value)).collect::<Vec<_>>()
    };
    assert_eq!(differing(Profile::Dev, Profile::Base), ["tracing.enabled = true"]);
    assert_eq!(differing(Profile::Production, Profile::Enhanced), ["security.require_authentication = true"]);
    for profile in Profile::ALL {
        assert_eq!(profile.name().parse(), Ok(profile));
        assert_eq!(profile.config().check(), Ok(()));
    }
    assert_eq!(
        "prod\n".parse::<Profile>().unwrap_err().to_string(),
        "there is no profile `prod\\n`; use base, dev, enhanced or production"
    );
}

/// F-CFG-02 to F-CFG-15: a bare number is in the unit of the specification, by either name.
#[test]
fn either_name_sets_a_setting_in_its_unit() {
    for (key, _, _, alias, shown) in SETTINGS.into_iter().filter(|(.., shown)| !shown.is_empty()) {
        for name in [alias, &variable(key)].into_iter().filter(|name| !name.is_empty()) {
            let loaded = load(Config::load().environment([(name, "7")]));
            assert_eq!(value(&loaded, key), (shown.into(), name.into()));
        }
        let file = format!("{key} = 7");
        if key != "security.allowed_modules" {
            assert_eq!(value(&load(Config::load().text("f", file)), key), (shown.into(), "f:1".into()));
        }
    }
}

/// F-CFG-01, F-CFG-12, F-CFG-15
#[test]
fn settings_that_are_no_numbers_are_set_by_either_name_too() {
    let environment = [
        ("REDIS_URL", "redis://localhost:6379"),
        ("CALLBOARD_RETRY__JITTER", "none"),
        ("CALLBOARD_TRACING__ENABLED", "TRUE"),
        ("CALLBOARD_SECURITY__REQUIRE_AUTHENTICATION", "1"),
        ("CALLBOARD_SECURITY__ALLOWED_MODULES", "LabRunner, BackupManager"),
    ];
    let file = "
        store.redis_url = 'redis://localhost:6379'
        retry.jitter = 'none'
        tracing.enabled = true
        [security]
        require_authentication = true
        allowed_modules = ['LabRunner', 'BackupManager']
    ";
    let from_environment = load(Config::load().environment(environment)).config;
    assert_eq!(load(Config::load().text("f", file)).config, from_environment);
    assert_eq!(from_environment.store.redis_url.as_ref().map(|url| url.expose()), Some("redis://localhost:6379"));
    assert!(from_environment.tracing.enabled && from_environment.security.require_authentication);
    assert_eq!(Vec::from_iter(&from_environment.security.allowed_modules), ["BackupManager", "LabRunner"]);
    assert!(load(Config::load().environment([("REDIS_URL", "")])).config.store.redis_url.is_none());
}

#[test]
fn lengths_of_time_are_written_as_people_do() {
    let cases = [("1h30m", 5400), ("0.5", 0), ("90s", 90), (" 2 min ", 120), ("1.5h", 5400), ("1e2", 100)];
    for (text, seconds) in cases {
        let loaded = load(Config::load().environment([("MESSAGE_TIMEOUT_SECONDS", text)]));
        assert_eq!(loaded.config.bus.message_timeout.as_secs(), seconds, "{text}");
    }
    let loaded = load(Config::load().text("f", "retry.initial_delay = 0.25\nbus.message_timeout = '90'"));
    assert_eq!(loaded.config.retry.initial_delay, Duration::from_micros(250));
    assert_eq!(loaded.config.bus.message_timeout, Duration::from_secs(90));
    let set = Config::load().set("workflow.timeout", Duration::from_millis(1500));
    assert_eq!(load(set).config.workflow.timeout, Duration::from_millis(1500));
}

/// F-CFG-16
#[test]
fn a_later_layer_wins() {
    let key = "retry.max_retries";
    let (ours, file) = ([("CALLBOARD_RETRY__MAX_RETRIES", "8")], "retry.max_retries = 7");
    let layers = [
        (Config::load(), "3", "default"),
        (Config::load().profile(Profile::Enhanced), "5", "profile enhanced"),
        (Config::load().profile(Profile::Enhanced).text("f", file), "7", "f:1"),
        (Config::load().text("f", file).environment(ours), "8", "CALLBOARD_RETRY__MAX_RETRIES"),
        (Config::load().set(key, 9).text("f", file).environment(ours), "9", "set explicitly"),
        (Config::load().set(key, 9).set(key, "10"), "10", "set explicitly"),
    ];
    for (loader, number, source) in layers {
        assert_eq!(value(&load(loader), key), (number.into(), source.into()));
    }
}

#[test]
fn the_profile_is_what_is_said_or_the_environment_or_the_file() {
    let file = || Config::load().text("f", "profile = 'dev'");
    let environment = [("CALLBOARD_PROFILE", "enhanced")];
    assert_eq!(load(file()).profile, Profile::Dev);
    assert_eq!(load(file().environment(environment)).profile, Profile::Enhanced);
    assert_eq!(load(file().environment(environment).profile(Profile::Production)).profile, Profile::Production);
    assert_eq!(load(file().environment([("CALLBOARD_PROFILE", "")])).profile, Profile::Dev);
    assert_eq!(load(Config::load()).profile, Profile::Base);
}

#[test]
fn the_file_is_what_is_said_or_the_environment() {
    let [one, two] = [3, 4].map(|line| {
        let path = format!("{}/{line}.toml", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&path, "\n".repeat(line - 1) + "tracing.enabled = true").unwrap();
        path
    });
    let environment = [("CALLBOARD_CONFIG", &one)];
    let source = |loader| value(&load(loader), "tracing.enabled").1;
    assert_eq!(source(Config::load().environment(environment)), format!("{one}:3"));
    assert_eq!(source(Config::load().environment(environment).file(&two)), format!("{two}:4"));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// F-CFG-16: both set and different is a warning, and ours wins.
#[test]
fn two_names_that_differ_are_warned_of() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let environment = [
        ("MESSAGE_TIMEOUT_SECONDS", "10"),
        ("CALLBOARD_BUS__MESSAGE_TIMEOUT", "1m"),
        ("WORKFLOW_TIMEOUT_SECONDS", "60"),
        ("CALLBOARD_WORKFLOW__TIMEOUT", "1m"),
        ("REDIS_URL", "redis://:old-secret@localhost"),
        ("CALLBOARD_STORE__REDIS_URL", "redis://:new-secret@localhost"),
    ];
    let loaded = tracing::subscriber::with_default(subscriber, || load(Config::load().environment(environment)));
    assert_eq!(loaded.config.bus.message_timeout, Duration::from_secs(60));
    assert_eq!(loaded.config.store.redis_url.as_ref().map(|url| url.expose()), Some("redis://:new-secret@localhost"));
    assert_eq!(
        loaded.warnings,
        [
            "MESSAGE_TIMEOUT_SECONDS is 10s and CALLBOARD_BUS__MESSAGE_TIMEOUT is 1m: the second one holds",
            "REDIS_URL is redis://:***@localhost and CALLBOARD_STORE__REDIS_URL is redis://:***@localhost: the second \
             one holds",
        ]
    );
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, warning) in lines.into_iter().zip(&loaded.warnings) {
        assert!(line.contains("WARN callboard::config") && line.ends_with(warning), "{line}");
    }
}

#[test]
fn the_list_shows_each_value_with_its_source_and_no_password() {
    let environment = [("REDIS_URL", "redis://user:secret@localhost:6379/1")];
    let loaded = load(Config::load().environment(environment).text("conf.toml", "\ntracing.enabled = true"));
    let text = loaded.to_string();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), SETTINGS.len());
    assert!(lines.contains(&vec!["store.redis_url", "redis://user:***@localhost:6379/1", "REDIS_URL"]), "{text}");
    assert!(lines.contains(&vec!["tracing.enabled", "true", "conf.toml:2"]), "{text}");
    assert!(lines.contains(&vec!["retry.jitter", "full", "default"]), "{text}");
    assert!(lines.contains(&vec!["security.allowed_modules", "none", "default"]), "{text}");
    assert!(!format!("{loaded:?}").contains("secret"));

    let setting = loaded.settings().into_iter().find(|setting| setting.key == "tracing.enabled").unwrap();
    assert!(setting.is_live && matches!(setting.source, Source::File { line: 2, .. }));
    let json = serde_json::to_value(&setting).unwrap();
    let expected = serde_json::json!({
        "key": "tracing.enabled", "value": "true", "source": "conf.toml:2", "is_live": true
    });
    assert_eq!(json, expected);
}

#[test]
fn what_is_written_as_json_is_read_as_the_same() {
    for profile in Profile::ALL {
        let config = profile.config();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
    }
    let unknown = serde_json::from_str::<Config>(r#"{"retry": {"retries": 3}}"#).unwrap_err().to_string();
    assert!(unknown.starts_with("unknown field `retries`, expected one of `max_retries`"), "{unknown}");
    let long = serde_json::from_str::<Config>(r#"{"bus": {"message_timeout": "soon"}}"#).unwrap_err().to_string();
    assert!(long.contains("expected a duration like 30s"), "{long}");
}

/// The table in the documentation names every setting, and every name of the specification beside its setting.
#[test]
fn the_documentation_names_every_setting() {
    let page = include_str!("../../src/config.rs");
    for (key, _, _, alias, _) in SETTINGS {
        let row = page.lines().find(|line| line.starts_with(&format!("//! | `{key}`"))).unwrap_or_default();
        assert!(!row.is_empty() && row.contains(alias), "{key}: {row}");
    }
}
