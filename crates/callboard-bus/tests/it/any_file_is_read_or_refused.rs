//! Whatever a file or a record holds is read rightly, or refused with faults of one line: configurations, exports, schemas,
//! tables of parameters and events that were written down.
//!
//! Each test is a fuzz target, as those of `any_input_is_read_or_refused`.

use bolero::check;
use callboard_bus::config::{Config, ConfigError, LoadedConfig, RedisUrl, RedisUrlError, Source};
use callboard_bus::contract::{Export, diff};
use callboard_bus::schema::{compatibility, validity};
use callboard_bus::{Event, EventRecord, Parameters};
use serde_json::{Value as Json, json};

use crate::almost::{is_one_line, text};

/// So many inputs in a plain test run, which takes about a second.
const INPUTS: usize = 1_000;

const FILE: &[&str] = &[
    "profile = ",
    "'dev'",
    "\n",
    "[bus]\n",
    "message_timeout = ",
    "'1m 30s'",
    "\n",
    "max_concurrent_messages = ",
    "7",
    "\n",
    "[retry]\n",
    "factor = ",
    "1.5",
    "\n",
    "jitter = ",
    "'none'",
    "\n",
    "[store]\n",
    "redis_url = ",
    "'redis://u:SECRET@h:1/0'",
    "\n",
    "[security]\n",
    "allowed_modules = ",
    "[",
    "'a'",
    ", ",
    "'b'",
    "]",
    "\n",
];

const FILE_SCRAPS: &[&str] = &[
    "",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    ",",
    "'",
    "\"",
    "'''",
    "\n",
    "\r",
    "# ",
    "\\u0000",
    "0x",
    "1_0",
    "-1",
    "nan",
    "inf",
    "1e400",
    "99999999999999999999",
    "true",
    "1979-05-27",
    "'soon'",
    "retry",
    "max_retries = 1\n",
    "max_delay = '1ms'\n",
    "discovery = {}\n",
    "é",
    "\u{feff}",
];

const VARIABLE: &[&str] = &["CALLBOARD_", "RETRY", "__", "MAX_RETRIES"];

const VARIABLE_SCRAPS: &[&str] =
    &["", "_", "PROFILE", "REDIS_URL", "CACHE", "DISCOVERY", "STORE", "BUS", "PORT_", "\n", "\u{1b}", "é", "A"];

const URL: &[&str] = &["redis://", "user", ":", "pass", "@", "host", ":", "6379", "/", "0"];

const URL_SCRAPS: &[&str] =
    &["", "rediss://", "http://", ":", "@", "/", "?", "#", "[", "]", "::1", "***", "0", "65536", "+1", "é", " ", "\n"];

const EVENT: &[&str] = &[
    "{\"Version\":",
    "1",
    ",\"Id\":",
    "\"01234567-89ab-7000-8000-000000000001\"",
    ",\"Name\":",
    "\"data.received\"",
    ",\"Timestamp\":",
    "\"2000-02-29T23:59:59.000000001Z\"",
    ",\"Source\":",
    "\"lab\"",
    ",\"Data\":",
    "{\"rows\":3}",
    ",\"Priority\":",
    "\"normal\"",
    ",\"Channel\":",
    "\"c\"",
    ",\"Expires\":\"",
    "2000",
    "-",
    "03",
    "-",
    "01",
    "T",
    "00",
    ":",
    "00",
    ":",
    "00",
    "Z",
    "\",\"Trace\":\"00-0000000000000000000000000000000a-000000000000000b-01\"",
    "}",
];

const EVENT_SCRAPS: &[&str] = &[
    "",
    "null",
    "0",
    "1",
    "-1",
    "1e999",
    "\"\"",
    "\"a\"",
    "[",
    "]",
    "{",
    "}",
    "9999",
    "1969",
    "12",
    "31",
    "13",
    "29",
    "60",
    ".5",
    ".0000000001",
    "+1",
    "\"$sys\"",
    "\"high\"",
    ",\"MessageType\":\"t\"",
    ",\"RedeliveredFrom\":1",
    ",\"Id\":1",
    "é",
    "\n",
];

const EXPORT: &[&str] = &[
    "{\"format\": ",
    "1",
    ", \"modules\": [",
    "{\"name\": ",
    "\"m\"",
    ", \"version\": ",
    "\"1.2.0\"",
    ", \"description\": \"\", \"tags\": [",
    "\"b\"",
    ", \"a\"",
    "], \"requires\": [",
    "\"n.f@^1\"",
    "], \"operations\": [",
    "{\"name\": \"f\", \"input\": ",
    "{\"type\": \"integer\"}",
    ", \"output\": ",
    "true",
    "}",
    "]}",
    "]}",
];

const EXPORT_SCRAPS: &[&str] = &[
    "",
    ",",
    "{",
    "}",
    "[",
    "]",
    "2",
    "-1",
    "null",
    "\"\"",
    "\"1.3.0\"",
    "\"2.0.0-a+b\"",
    "\"0.0.1\"",
    "\"18446744073709551616.0.0\"",
    "{\"type\": \"number\"}",
    "{\"$ref\": \"#\"}",
    "false",
    ", {\"name\": \"n\", \"version\": \"1.0.0\", \"description\": \"\", \"tags\": [], \"requires\": [], \"operations\": []}",
    ", {\"name\": \"g\", \"input\": true, \"output\": true}",
    "\n",
    "é",
    "\"a\\nb\"",
];

const SCHEMA: &[&str] = &[
    "{",
    "\"type\": ",
    "\"object\"",
    ", \"properties\": {",
    "\"a\": ",
    "{\"type\": [\"integer\", \"null\"], \"minimum\": 0}",
    ", \"b\": ",
    "{\"$ref\": \"#/$defs/x\"}",
    "}",
    ", \"required\": [",
    "\"a\"",
    "]",
    ", \"$defs\": {\"x\": ",
    "{\"type\": \"array\", \"items\": ",
    "{\"$ref\": \"#\"}",
    "}",
    "}",
    "}",
];

const SCHEMA_SCRAPS: &[&str] = &[
    "",
    ",",
    "{",
    "}",
    "[",
    "]",
    "true",
    "false",
    "null",
    "{}",
    "1",
    "-1",
    "0.5",
    "1e999",
    "\"string\"",
    "\"number\"",
    "\"x\"",
    "{\"$ref\": \"#/$defs\"}",
    "{\"$ref\": \"#/properties/a~1\"}",
    "{\"$ref\": \"a.json\"}",
    "{\"allOf\": [{\"$ref\": \"#\"}]}",
    "{\"anyOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/x\"}]}",
    "{\"oneOf\": [true, {\"const\": 1}]}",
    "{\"not\": {\"enum\": [1]}}",
    "{\"multipleOf\": 0.1}",
    "{\"multipleOf\": 0}",
    "{\"maxLength\": 3}",
    "{\"minItems\": 18446744073709551615}",
    "{\"pattern\": \"(\"}",
    "{\"pattern\": \"^a+$\"}",
    "{\"format\": \"uint8\"}",
    "{\"prefixItems\": [true], \"uniqueItems\": true}",
    ", \"additionalProperties\": false",
    ", \"patternProperties\": {\"^a\": {\"type\": \"integer\"}}",
    ", \"propertyNames\": {\"maxLength\": 1}",
    ", \"$schema\": \"https://json-schema.org/draft/2020-12/schema#\"",
    ", \"if\": true",
    ", \"$id\": \"a\"",
    ", \"dependentRequired\": {\"a\": [\"b\"]}",
    ", \"a\\nb\": {\"$ref\": \"x\"}",
    "\"a\\nb\": ",
];

const TABLE: &[&str] = &[
    "{",
    "\"a\": ",
    "{\"type\": ",
    "\"string\"",
    ", \"required\": ",
    "true",
    ", \"description\": ",
    "\"A.\"",
    "}",
    ", \"b\": ",
    "{\"type\": ",
    "{\"enum\": [",
    "\"red\"",
    ", \"green\"",
    "]}",
    "}",
    "}",
];

const TABLE_SCRAPS: &[&str] = &[
    "",
    ",",
    "{",
    "}",
    "[",
    "]",
    "null",
    "false",
    "1",
    "\"any\"",
    "\"hashtable\"",
    "\"datetime\"",
    "\"bytes\"",
    "\"integer\"",
    "\"\"",
    "\"Type\": ",
    "\"a\"",
    ", \"Required\": true",
    "é",
    "\n",
];

/// Whether the word stands nowhere but for a password: a search that is guided learns to write it anywhere.
fn keeps_its_secret(texts: &[&str]) -> bool {
    let whole = texts.join("\n");
    whole.matches("SECRET").count() == whole.matches("redis://u:SECRET@").count()
}

/// What is wrong is told on one line, without passwords, and stands in a line that the file has.
fn problems_are_told(file: &str, error: &ConfigError) {
    assert!(!error.problems().is_empty());
    for problem in error.problems() {
        let told = problem.to_string();
        assert!(!told.contains(char::is_control), "{told:?}");
        let is_told = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("SECRET"));
        assert!(!is_told(&problem.value) && !problem.reason.contains("SECRET"), "{told}");
        if let Source::File { line, .. } = problem.source {
            assert!((1..=file.split('\n').count()).contains(&line), "{told}");
        }
    }
}

/// What is taken can work, and is the same when what is shown of it is given again; a hidden password has to be.
fn holds_up(loaded: &LoadedConfig) {
    assert_eq!(loaded.config.check(), Ok(()));
    assert!(!loaded.to_string().contains("SECRET") && !format!("{loaded:?}").contains("SECRET"));
    let shown = loaded.settings().into_iter().filter(|setting| !setting.value.contains("***"));
    let again = shown.fold(Config::load(), |loader, setting| loader.set(setting.key, setting.value));
    let mut again = (*again.finish().unwrap().config).clone();
    again.store.clone_from(&loaded.config.store);
    assert_eq!(&again, &*loaded.config);
}

/// F-CFG-16: the file, and a variable beside it.
#[test]
fn a_configuration() {
    let inputs = (text(FILE, FILE_SCRAPS), text(VARIABLE, VARIABLE_SCRAPS), text(&["1"], FILE_SCRAPS));
    check!().with_iterations(INPUTS).with_generator(inputs).for_each(|(file, name, value)| {
        if !keeps_its_secret(&[file, name, value]) {
            return;
        }
        // This one names a file.
        let variable = (name != "CALLBOARD_CONFIG").then_some((name, value));
        match Config::load().text("f", file).environment(variable).finish() {
            Ok(loaded) => holds_up(&loaded),
            Err(error) => problems_are_told(file, &error),
        }
    });
}

#[test]
fn the_address_of_a_server() {
    check!().with_iterations(INPUTS).with_generator(text(URL, URL_SCRAPS)).for_each(|text| {
        let Ok(url) = text.parse::<RedisUrl>() else { return };
        assert_eq!(url.expose(), text);
        let (shown, authority) = (url.to_string(), text.split_once("://").map_or("", |(_, rest)| rest));
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        match user.map(|user| user.split_once(':')) {
            None => assert_eq!(shown.parse(), Ok(url)),
            // It may be a password without its colon.
            Some(None) => assert_eq!(shown.parse::<RedisUrl>(), Err(RedisUrlError::Scheme)),
            Some(Some((user, _))) => {
                assert!(shown.contains(&format!("://{user}:***@")), "{shown}");
                assert_eq!(shown.parse::<RedisUrl>(), Err(RedisUrlError::Hidden));
            }
        }
    });
}

/// F-EVT-12: what is read is written as a text that says the same.
#[test]
fn an_event() {
    check!().with_iterations(INPUTS).with_generator(text(EVENT, EVENT_SCRAPS)).for_each(|text| {
        let read = serde_json::from_str::<EventRecord>(text);
        let event = match read.map(Event::try_from) {
            Ok(Ok(event)) => event,
            Ok(Err(fault)) => return assert!(is_one_line(&fault), "{fault}"),
            Err(_) => return,
        };
        let written = serde_json::to_string(&event).unwrap();
        let again = Event::try_from(serde_json::from_str::<EventRecord>(&written).unwrap()).unwrap();
        assert_eq!((&again, serde_json::to_string(&again).unwrap()), (&event, written));
    });
}

/// Written and read again it is the same, and nothing has changed between it and itself.
#[test]
fn an_export() {
    let none = Export::new([]);
    check!().with_iterations(INPUTS).with_generator(text(EXPORT, EXPORT_SCRAPS)).for_each(|text| {
        let Ok(export) = Export::from_json(text) else { return };
        assert_eq!(Export::from_json(&export.to_json().unwrap()).unwrap(), export);
        assert_eq!(diff::diff(&export, &export).modules, []);
        let added = diff::diff(&none, &export);
        let lines = added.modules.iter().map(|module| 1 + module.changes.len()).sum::<usize>();
        assert!(added.is_kept() && added.to_string().lines().count() == lines, "{added}");
        assert_eq!(diff::diff(&export, &none).is_kept(), export.modules.is_empty());
    });
}

/// A fault stands in the document; what is a schema can be asked, and any two are held against each other.
#[test]
fn a_schema() {
    let schemas = (text(SCHEMA, SCHEMA_SCRAPS), text(SCHEMA, SCHEMA_SCRAPS));
    let values = [json!(null), json!(1), json!("a"), json!({ "a": 1, "b": [{ "a": null }] }), json!([[0], "x"])];
    check!().with_iterations(INPUTS).with_generator(schemas).for_each(|(one, other)| {
        let read = [one, other].map(|text| serde_json::from_str::<Json>(text));
        let schemas: Vec<Json> = read.into_iter().flatten().collect();
        for schema in &schemas {
            match validity::check(schema) {
                Err(fault) => assert!(schema.pointer(&fault.path).is_some() && is_one_line(&fault), "{fault}"),
                // One whose references lead nowhere cannot be compiled, and holds no payload to anything.
                Ok(()) => {
                    if let Ok(validator) = jsonschema::draft202012::new(schema) {
                        let _ = values.each_ref().map(|value| validator.is_valid(value));
                    }
                }
            }
        }
        let [one, other] = &schemas[..] else { return };
        for misfits in [compatibility::misfits(one, other), compatibility::misfits(other, one)] {
            assert!(misfits.len() <= 100 && misfits.iter().all(is_one_line));
        }
        assert_eq!(compatibility::are_equal(one, other), compatibility::are_equal(other, one));
    });
}

#[test]
fn a_table_of_parameters() {
    check!().with_iterations(INPUTS).with_generator(text(TABLE, TABLE_SCRAPS)).for_each(|text| {
        let Ok(table) = serde_json::from_str::<Parameters>(text) else { return };
        let written = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<Parameters>(&written).unwrap(), table);
        assert_eq!(validity::check(&table.schema()), Ok(()));
    });
}
