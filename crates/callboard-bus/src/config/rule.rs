//! What values a setting takes, how they are written, and how they are shown.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::IntErrorKind;
use std::time::Duration;

use super::given::Given;
use super::place::OUT_OF_RANGE;
use super::redis_url::{RedisUrl, RedisUrlError};
use crate::address::check_module_name;
use crate::retry::Jitter;
use crate::time;

/// What is wrong with a value, to be said after it: "is no whole number".
pub(super) type Wrong = Cow<'static, str>;

/// What values a setting takes.
pub(super) trait Rule: Sync {
    type Value: 'static;

    /// The value that was meant; whether it is in range is left to [`fits`](Self::fits).
    fn read(&self, given: &Given) -> Result<Self::Value, Wrong>;
    fn fits(&self, _: &Self::Value) -> bool {
        true
    }
    fn show(&self, value: &Self::Value) -> String;
    fn allowed(&self) -> String;
}

/// A whole number.
pub(super) struct Count {
    pub(super) least: u32,
    pub(super) most: u32,
}

/// A length of time.
pub(super) struct Time {
    /// Of a bare number.
    pub(super) unit: Unit,
    pub(super) least: Duration,
    pub(super) most: Duration,
}

/// What a bare number stands for.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
}

/// Any number.
pub(super) struct Factor {
    pub(super) least: f64,
    pub(super) most: f64,
}

/// True or false.
pub(super) struct Switch;

/// What the random draw does to a delay.
pub(super) struct JitterRule;

/// Names of modules, each once.
pub(super) struct ModuleNames;

/// The address of a Redis server, or none.
pub(super) struct Redis;

impl Rule for Count {
    type Value = u32;

    fn read(&self, given: &Given) -> Result<u32, Wrong> {
        let number = match given {
            Given::Integer(number) => *number,
            Given::Words(words) => read_integer(words).ok_or(NO_WHOLE_NUMBER)?,
            _ => return Err(NO_WHOLE_NUMBER.into()),
        };
        u32::try_from(number).map_err(|_| OUT_OF_RANGE.into())
    }

    fn fits(&self, value: &u32) -> bool {
        (self.least..=self.most).contains(value)
    }

    fn show(&self, value: &u32) -> String {
        value.to_string()
    }

    fn allowed(&self) -> String {
        format!("a whole number from {} to {}", self.least, self.most)
    }
}

impl Rule for Time {
    type Value = Duration;

    fn read(&self, given: &Given) -> Result<Duration, Wrong> {
        let text = match given {
            Given::Integer(number) => return self.of_number(*number as f64),
            Given::Float(number) => return self.of_number(*number),
            Given::Words(text) | Given::Text(text) => text.trim(),
            Given::Switch(_) | Given::List(_) | Given::Other(_) => return Err(NO_TIME.into()),
        };
        match text.parse() {
            Ok(number) => self.of_number(number),
            Err(_) => time::parse(text).ok_or_else(|| NO_TIME.into()),
        }
    }

    fn fits(&self, value: &Duration) -> bool {
        (self.least..=self.most).contains(value)
    }

    fn show(&self, value: &Duration) -> String {
        time::show(*value)
    }

    fn allowed(&self) -> String {
        let (least, most) = (time::show(self.least), time::show(self.most));
        format!("{least} to {most}, a bare number in {}", self.unit.name())
    }
}

impl Time {
    fn of_number(&self, number: f64) -> Result<Duration, Wrong> {
        if number.is_nan() {
            return Err(NO_TIME.into());
        }
        time::from_seconds(number * self.unit.seconds()).ok_or_else(|| OUT_OF_RANGE.into())
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
        }
    }

    const fn seconds(self) -> f64 {
        match self {
            Self::Milliseconds => 1e-3,
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
        }
    }
}

impl Rule for Factor {
    type Value = f64;

    fn read(&self, given: &Given) -> Result<f64, Wrong> {
        match given {
            Given::Integer(number) => Ok(*number as f64),
            Given::Float(number) => Ok(*number),
            Given::Words(words) => words.trim().parse().map_err(|_| NO_NUMBER.into()),
            _ => Err(NO_NUMBER.into()),
        }
    }

    fn fits(&self, value: &f64) -> bool {
        (self.least..=self.most).contains(value)
    }

    fn show(&self, value: &f64) -> String {
        value.to_string()
    }

    fn allowed(&self) -> String {
        format!("a number from {} to {}", self.least, self.most)
    }
}

impl Rule for Switch {
    type Value = bool;

    fn read(&self, given: &Given) -> Result<bool, Wrong> {
        match given {
            Given::Switch(switch) => Ok(*switch),
            Given::Words(words) => match &*words.trim().to_ascii_lowercase() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(NO_SWITCH.into()),
            },
            _ => Err(NO_SWITCH.into()),
        }
    }

    fn show(&self, value: &bool) -> String {
        value.to_string()
    }

    fn allowed(&self) -> String {
        "true, false".to_owned()
    }
}

impl Rule for JitterRule {
    type Value = Jitter;

    fn read(&self, given: &Given) -> Result<Jitter, Wrong> {
        match given {
            Given::Words(text) | Given::Text(text) => match text.trim() {
                "none" => Ok(Jitter::None),
                "full" => Ok(Jitter::Full),
                _ => Err(NO_JITTER.into()),
            },
            _ => Err(NO_JITTER.into()),
        }
    }

    fn show(&self, value: &Jitter) -> String {
        match value {
            Jitter::None => "none".to_owned(),
            Jitter::Full => "full".to_owned(),
        }
    }

    fn allowed(&self) -> String {
        "none, full".to_owned()
    }
}

impl Rule for ModuleNames {
    type Value = BTreeSet<String>;

    fn read(&self, given: &Given) -> Result<BTreeSet<String>, Wrong> {
        match given {
            Given::Words(words) if words.trim().is_empty() => Ok(BTreeSet::new()),
            Given::Words(words) => words.split(',').map(|name| read_name(name.trim())).collect(),
            Given::List(items) => items.iter().map(read_item).collect(),
            _ => Err(NO_NAMES.into()),
        }
    }

    fn fits(&self, names: &BTreeSet<String>) -> bool {
        names.iter().all(|name| check_module_name(name).is_ok())
    }

    fn show(&self, names: &BTreeSet<String>) -> String {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.join(",")
    }

    fn allowed(&self) -> String {
        "names of modules, as a list or with commas between them".to_owned()
    }
}

impl Rule for Redis {
    type Value = Option<RedisUrl>;

    fn read(&self, given: &Given) -> Result<Option<RedisUrl>, Wrong> {
        match given {
            // Whoever starts processes often sets a variable to nothing to say that there is none.
            Given::Words(text) | Given::Text(text) if text.trim().is_empty() => Ok(None),
            Given::Words(text) | Given::Text(text) => {
                text.trim().parse().map(Some).map_err(|error: RedisUrlError| error.to_string().into())
            }
            _ => Err("is no address".into()),
        }
    }

    fn show(&self, url: &Option<RedisUrl>) -> String {
        url.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    fn allowed(&self) -> String {
        "redis://[user[:password]@]host[:port][/database], rediss:// for TLS, or nothing".to_owned()
    }
}

const NO_WHOLE_NUMBER: &str = "is no whole number";
const NO_NUMBER: &str = "is no number";
const NO_TIME: &str = "is no length of time, which is written like 30s or 1h 30m";
const NO_SWITCH: &str = "is neither true nor false";
const NO_JITTER: &str = "is no kind of jitter";
const NO_NAMES: &str = "is no list of names";

/// One with too many digits is the largest there is, and so out of any range.
fn read_integer(words: &str) -> Option<i128> {
    words.trim().parse().map_or_else(
        |error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => Some(i128::MAX),
            IntErrorKind::NegOverflow => Some(i128::MIN),
            _ => None,
        },
        Some,
    )
}

fn read_item(item: &Given) -> Result<String, Wrong> {
    match item {
        Given::Words(name) | Given::Text(name) => read_name(name),
        _ => Err("holds something that is no name".into()),
    }
}

fn read_name(name: &str) -> Result<String, Wrong> {
    check_module_name(name).map_err(|reason| format!("holds a name that {reason}"))?;
    Ok(name.to_owned())
}
