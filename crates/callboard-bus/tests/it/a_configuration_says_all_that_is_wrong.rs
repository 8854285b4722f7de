//! Whatever is wrong in any layer of a configuration is told at once, with its place and what may be there instead; no
//! input makes it panic, and no password is told.

use std::ffi::OsString;

use callboard_actor::ErrorCode;
use callboard_bus::config::{Config, ConfigError, ConfigLoader, Given, LiveConfig, Profile, Source};
use proptest::prelude::*;

fn refused(loader: ConfigLoader) -> ConfigError {
    loader.finish().expect_err("it cannot work")
}

fn texts(loader: ConfigLoader) -> Vec<String> {
    refused(loader).problems().iter().map(ToString::to_string).collect()
}

fn keys() -> Vec<&'static str> {
    Config::load().finish().unwrap().settings().iter().map(|setting| setting.key).collect()
}

fn variable(key: &str) -> String {
    format!("CALLBOARD_{}", key.to_uppercase().replace('.', "__"))
}

/// F-CFG-16: wrong type, out of range, unknown key; all at once, each with key, value, source and what is allowed.
#[test]
fn every_layer_tells_all_its_problems_at_once() {
    let file = "
profile = 'prod'
[retry]
max_retries = 'many'
max_retires = 3
factor = 0.5
broken = = 1
[bus]
max_concurrent_messages = 0
message_timeout = -1
";
    let environment = [
        ("MAX_DISCOVERY_RESULTS", "1e3"),
        ("CALLBOARD_DISCOVERY__CACHE_TTL", "300 weeks"),
        ("CALLBOARD_TRACING__ENABLED", "maybe"),
        ("CALLBOARD_TRACING_ENABLED", "true"),
        ("PATH", "/bin"),
    ];
    let loader = Config::load().text("callboard.toml", file).environment(environment);
    let error = refused(loader.set("security.allowed_modules", "a,b c").set("colour", true));
    assert_eq!((error.code(), ConfigError::EXIT_CODE), (ErrorCode::InvalidConfig, 78));
    let texts: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let retry = "retry.factor, retry.initial_delay, retry.jitter, retry.max_delay, retry.max_retries";
    let groups = "bus, circuit_breaker, discovery, events, retry, security, store, tracing, workflow";
    let expected = [
        "callboard.toml:7: extra `=`, expected nothing".to_owned(),
        "callboard.toml:2: profile: `'prod'` is no profile; allowed: base, dev, enhanced, production".to_owned(),
        "callboard.toml:4: retry.max_retries: `'many'` is no whole number; allowed: a whole number from 0 to 1000"
            .to_owned(),
        format!(
            "callboard.toml:5: retry.max_retires: `3` is for no setting that there is, did you mean \
             `retry.max_retries`?; allowed: {retry}"
        ),
        "callboard.toml:6: retry.factor: `0.5` is out of range; allowed: a number from 1 to 1000".to_owned(),
        "callboard.toml:9: bus.max_concurrent_messages: `0` is out of range; allowed: a whole number from 1 to 1000000"
            .to_owned(),
        "callboard.toml:10: bus.message_timeout: `-1` is out of range; allowed: 1ms to 1d, a bare number in seconds"
            .to_owned(),
        "MAX_DISCOVERY_RESULTS: discovery.max_results: `1e3` is no whole number; allowed: a whole number from 1 to \
         1000000"
            .to_owned(),
        "CALLBOARD_DISCOVERY__CACHE_TTL: discovery.cache_ttl: `300 weeks` is out of range; allowed: 0s to 7d, a bare \
         number in seconds"
            .to_owned(),
        "CALLBOARD_TRACING__ENABLED: tracing.enabled: `maybe` is neither true nor false; allowed: true, false"
            .to_owned(),
        format!(
            "CALLBOARD_TRACING_ENABLED: tracing_enabled: `true` is for no setting that there is, did you mean \
             `CALLBOARD_TRACING__ENABLED`?; allowed: {groups}"
        ),
        "set explicitly: security.allowed_modules: `a,b c` holds a name that has a space in it; allowed: names of \
         modules, as a list or with commas between them"
            .to_owned(),
        format!("set explicitly: colour: `true` is for no setting that there is; allowed: {groups}"),
    ];
    assert_eq!(texts, expected);
    assert_eq!(error.to_string(), format!("the configuration cannot work: {}", expected.join("; ")));
    assert_eq!(error.problems()[2].source, Source::File { path: "callboard.toml".into(), line: 4 });
}

/// F-CFG-16, F-BUS-01, F-BUS-09, F-BUS-20, F-CB-04, F-SEC-06: the bounds, from both sides.
#[test]
fn every_range_ends_where_it_says() {
    let table = [
        ("bus.max_concurrent_messages", "0", "1", "1000000", "1000001"),
        ("bus.max_message_queue_size", "0", "1", "100000000", "100000001"),
        ("bus.message_timeout", "0", "1ms", "24h", "86401"),
        ("bus.processor_interval", "0", "1", "1h", "3600001"),
        ("circuit_breaker.failure_threshold", "0", "1", "1000000", "1000001"),
        ("circuit_breaker.recovery_timeout", "0", "1ms", "24h", "86401"),
        ("discovery.cache_size", "-1", "0", "100000", "100001"),
        ("discovery.cache_ttl", "-1", "0", "7d", "604801"),
        ("discovery.max_results", "0", "1", "1000000", "1000001"),
        ("events.max_history", "-1", "0", "100000000", "99999999999999999999999999999999999999999999"),
        ("events.store_max_events", "0", "1", "1000000000", "1000000001"),
        ("retry.factor", "0.999", "1", "1000", "1000.1"),
        ("retry.initial_delay", "-0.1", "0", "30s", "86400001"),
        ("retry.max_delay", "-1ms", "1s", "24h", "86400001"),
        ("retry.max_retries", "-1", "0", "1000", "1001"),
        ("security.default_token_expiration", "0", "1s", "24h", "1441"),
        ("workflow.timeout", "0.9", "1", "365d", "31536001"),
    ];
    for (key, below, least, most, above) in table {
        for words in [least, most] {
            assert!(Config::load().set(key, words).finish().is_ok(), "{key}: {words}");
        }
        for words in [below, above] {
            let error = refused(Config::load().environment([(variable(key), words)]));
            let [problem] = error.problems() else { panic!("{error}") };
            assert_eq!((problem.key.as_deref(), problem.value.as_deref()), (Some(key), Some(words)));
            assert!(problem.reason.starts_with("is ") && problem.allowed.is_some(), "{problem}");
        }
    }
    for words in ["NaN", "inf", "-inf", "1e400", ""] {
        assert_eq!(refused(Config::load().set("retry.factor", words)).problems().len(), 1, "{words}");
        assert_eq!(refused(Config::load().set("bus.message_timeout", words)).problems().len(), 1, "{words}");
    }
    assert_eq!(refused(Config::load().set("retry.factor", f64::NAN)).problems().len(), 1);
}

/// F-CFG-16: a text is no number, and a number no text, where the form of the layer tells them apart.
#[test]
fn every_wrong_type_is_refused() {
    let wrong = |key: &str| match key {
        "tracing.enabled" | "security.require_authentication" => vec!["1", "'true'", "[true]"],
        "retry.jitter" | "store.redis_url" => vec!["1", "true", "['none']"],
        "security.allowed_modules" => vec!["1", "true", "'a'", "[1]", "[['a']]"],
        "retry.factor" => vec!["'2'", "true", "[2]", "1979-05-27"],
        key if key.contains("max_") && key != "retry.max_delay" || key.ends_with("threshold") => {
            vec!["'7'", "7.0", "true", "[7]", "07:32:00"]
        }
        _ => vec!["'soon'", "true", "[7]", "1979-05-27"],
    };
    for key in keys() {
        for value in wrong(key) {
            let texts = texts(Config::load().text("f", format!("{key} = {value}")));
            assert!(texts.len() == 1 && texts[0].starts_with(&format!("f:1: {key}: `{value}` ")), "{texts:?}");
        }
    }
}

/// F-RTY-05: the two delays of a retry have to fit, whichever layers they are from.
#[test]
fn values_that_do_not_fit_each_other_are_refused() {
    let file = "retry.max_delay = '5s'";
    let loader = Config::load().text("f", file).environment([("CALLBOARD_RETRY__INITIAL_DELAY", "6s")]);
    let expected =
        "CALLBOARD_RETRY__INITIAL_DELAY: retry.initial_delay: `6s` is longer than retry.max_delay; allowed: at most 5s";
    assert_eq!(texts(loader), [expected]);
    assert!(Config::load().text("f", file).set("retry.initial_delay", "5s").finish().is_ok());

    let mut config = Config::default();
    config.retry.max_delay = config.retry.initial_delay / 2;
    config.check().unwrap_err();
    config.bus.max_concurrent_messages = 0;
    config.retry.factor = f64::NAN;
    let error = config.check().unwrap_err();
    let keys: Vec<_> = error.problems().iter().filter_map(|problem| problem.key.as_deref()).collect();
    assert_eq!(keys, ["bus.max_concurrent_messages", "retry.factor"]);
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let texts = texts(Config::load().environment([("CALLBOARD_CONFIG", "/nowhere/callboard.toml")]).set("x", 1));
    assert!(texts[0].starts_with("CALLBOARD_CONFIG: `/nowhere/callboard.toml` cannot be read: "), "{texts:?}");
    assert_eq!(texts.len(), 2, "the rest is looked at all the same");
    assert!(Config::load().environment([("CALLBOARD_CONFIG", "")]).finish().is_ok());
}

#[test]
fn keys_that_only_look_like_settings_are_unknown() {
    let file = "
        retry = 3
        'bus.message_timeout' = 3
        bus.message_timeout.seconds = 3
        [retries]
        [[tracing]]
        enabled = true
    ";
    let error = refused(Config::load().text("f", file));
    let found: Vec<_> = error.problems().iter().map(|problem| problem.key.as_deref().unwrap_or_default()).collect();
    assert_eq!(found, ["retry", "\"bus.message_timeout\"", "bus.message_timeout.seconds", "retries", "tracing"]);
    assert!(Config::load().text("f", "[retry]\n[bus]").finish().is_ok());
}

#[test]
fn variables_for_others_are_left_alone() {
    let others = [
        ("CALLBOARD_LOG", "debug"),
        ("CALLBOARD_TOKEN", "t"),
        ("CALLBOARD_TOKEN_FILE", "/run/token"),
        ("CALLBOARD_ADDR", "localhost:1"),
        ("CALLBOARD_SERVICE_HOST", "10.0.0.1"),
        ("CALLBOARD_SERVICE_PORT_HTTP", "80"),
        ("CALLBOARD_GATEWAY_SERVICE_PORT", "80"),
        ("CALLBOARD_PORT", "tcp://10.0.0.1:80"),
        ("CALLBOARD_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("CALLBOARDS", "x"),
        ("MAX_RETRIES", "x"),
    ];
    assert!(Config::load().environment(others).finish().is_ok());
}

#[test]
fn a_problem_is_told_on_one_short_line_without_secrets() {
    let strange = format!("CALLBOARD_a\n\u{1b}[31m{}", "x".repeat(1 << 20));
    let environment = [
        ("REDIS_URL", "redis://user:SECRET@localhost:port"),
        ("CALLBOARD_STORE__REDIS_URL", "SECRET@localhost"),
        ("CALLBOARD_REDIS_PASSWORD", "SECRET"),
        ("CALLBOARD_REDIS", "redis://:SECRET@localhost"),
        (&strange, "1"),
    ];
    let loader = Config::load().environment(environment);
    assert!(!format!("{loader:?}").contains("SECRET"));
    let long = format!("a\n\u{1b}[31m{}", "x".repeat(1 << 20));
    let error = refused(loader.set(long.clone(), long.clone()).set("retry.jitter", long));
    assert_eq!(error.problems().len(), 7);
    for text in error.problems().iter().map(ToString::to_string) {
        assert!(!text.contains("SECRET") && !text.contains(char::is_control) && text.len() < 500, "{text}");
    }
    assert!(!serde_json::to_string(&error).unwrap().contains("SECRET"));
}

#[cfg(unix)]
#[test]
fn bytes_that_are_no_text_are_refused_only_where_they_matter() {
    use std::os::unix::ffi::OsStringExt;

    let bytes = || OsString::from_vec(vec![b'7', 0xff]);
    let with = |name: OsString| Config::load().environment([(name, bytes())]);
    assert!(with("PATH".into()).finish().is_ok());
    assert!(with(bytes()).finish().is_ok());
    assert_eq!(
        texts(with("WORKFLOW_TIMEOUT_SECONDS".into())),
        [
            "WORKFLOW_TIMEOUT_SECONDS: workflow.timeout: `bytes that are no text` is no length of time, which is written \
          like 30s or 1h 30m; allowed: 1s to 365d, a bare number in seconds"
        ]
    );
    assert_eq!(texts(with("CALLBOARD_PROFILE".into())).len(), 1);
}

fn any_words() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        "[0-9]{0,40}(\\.[0-9]{0,20})? ?(ns|us|ms|s|m|h|d|w|weeks)?",
        "(redis|rediss|http)://[a-z:@/0-9\\[\\]]{0,20}",
        Just("none".to_owned()),
        Just("true".to_owned()),
    ]
}

fn any_given() -> impl Strategy<Value = Given> {
    let leaf = prop_oneof![
        any_words().prop_map(Given::Words),
        any_words().prop_map(Given::Text),
        any::<i128>().prop_map(Given::Integer),
        any::<f64>().prop_map(Given::Float),
        any::<bool>().prop_map(Given::Switch),
        Just(Given::Other("a date")),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Given::List))
}

/// What is taken can work, and is the same when what is shown of it is given again.
fn holds_up(loader: ConfigLoader) -> Result<(), TestCaseError> {
    let Ok(loaded) = loader.finish() else { return Ok(()) };
    prop_assert_eq!(loaded.config.check(), Ok(()));
    let again = loaded.settings().into_iter().filter(|setting| !setting.value.contains("***"));
    let again = again.fold(Config::load(), |loader, setting| loader.set(setting.key, setting.value)).finish();
    let mut config = (*again.map_err(|error| TestCaseError::fail(error.to_string()))?.config).clone();
    config.store = loaded.config.store.clone();
    prop_assert_eq!(&config, &*loaded.config);
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_file_or_refused(text in any::<String>()) {
        holds_up(Config::load().text("f", text))?;
    }

    #[test]
    fn any_lines_are_a_file_or_refused(
        lines in prop::collection::vec((prop::sample::select(keys()), any_words(), 0..4), 0..6),
        pieces in prop::collection::vec("\\[|\\]|=|'|\"|\\{|\\}|\\.|\n|0x|retry|bus|1_0|_|#|,", 0..6),
    ) {
        let line = |(key, words, form): (&str, String, i32)| match form {
            0 => format!("{key} = {words}"),
            1 => format!("{key} = {words:?}"),
            2 => format!("{key} = [{words:?}]"),
            _ => format!("{key}.x = {{ y = {words} }}"),
        };
        let text: Vec<String> = lines.into_iter().map(line).chain(pieces).collect();
        holds_up(Config::load().text("f", text.join("\n")))?;
        holds_up(Config::load().text("f", text.concat()))?;
    }

    #[test]
    fn any_environment_is_taken_or_refused(
        ours in prop::collection::vec((prop::sample::select(keys()), any_words()), 0..4),
        others in prop::collection::vec(("(CALLBOARD_)?\\PC{0,12}", any::<String>()), 0..4),
        profile in prop::option::of(any::<String>()),
    ) {
        let ours = ours.into_iter().map(|(key, words)| (variable(key), words));
        let profile = profile.map(|profile| ("CALLBOARD_PROFILE".to_owned(), profile));
        let environment = ours.chain(others.into_iter().filter(|(name, _)| name != "CALLBOARD_CONFIG")).chain(profile);
        holds_up(Config::load().environment(environment))?;
    }

    /// A change is taken exactly if it would have been at the start.
    #[test]
    fn any_change_is_taken_as_at_the_start_or_refused(key in prop::sample::select(keys()), given in any_given()) {
        holds_up(Config::load().set(key, given.clone()))?;
        let live = LiveConfig::new(Config::load().profile(Profile::Enhanced).finish().unwrap());
        let at_start = Config::load().profile(Profile::Enhanced).set(key, given.clone()).finish();
        match (live.set(key, given), at_start) {
            (Ok(_), Ok(loaded)) => prop_assert_eq!(live.current(), loaded.config),
            (Err(_), Err(_)) => prop_assert_eq!(&*live.current(), &Profile::Enhanced.config()),
            (Err(_), Ok(_)) => {
                prop_assert!(key == "store.redis_url" || key.starts_with("security."));
                prop_assert_eq!(&*live.current(), &Profile::Enhanced.config());
            }
            (Ok(_), Err(error)) => prop_assert!(false, "{}", error),
        }
    }
}
