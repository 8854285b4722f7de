//! A value as it was given, before anybody knows for what.

use std::fmt;
use std::time::Duration;

use crate::time;

/// So many letters of a value are shown.
const MOST_SHOWN: usize = 80;

/// A value as it was given, before anybody knows for what. Most are made with `into`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Given {
    /// Words that may stand for a number as well, as those of a variable or of a command line.
    Words(String),
    /// A text, which is no number.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// True or false.
    Switch(bool),
    /// Several.
    List(Vec<Self>),
    /// Something that no setting takes, and what it is.
    Other(&'static str),
}

impl From<&str> for Given {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Given {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<i32> for Given {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Given {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u64> for Given {
    fn from(number: u64) -> Self {
        Self::Integer(number.into())
    }
}

impl From<f64> for Given {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Given {
    fn from(switch: bool) -> Self {
        Self::Switch(switch)
    }
}

impl From<Duration> for Given {
    fn from(length: Duration) -> Self {
        Self::Text(time::show(length))
    }
}

impl<T: Into<Self>> From<Vec<T>> for Given {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(text) | Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Switch(switch) => write!(f, "{switch}"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&items.join(","))
            }
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

/// On one line, and not all of it if it is long: whoever wrote it may want to forge lines of a log.
pub(super) fn shortened(text: &str) -> String {
    let (beginning, rest) = match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    };
    let mut shown = String::new();
    for letter in beginning.chars() {
        if letter.is_control() { shown.extend(letter.escape_debug()) } else { shown.push(letter) }
    }
    shown + rest
}
