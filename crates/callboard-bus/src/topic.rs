//! The names of events: [`Topic`], and [`TopicError`] for a text that is none.
//!
//! The grammar holds that of NATS subjects: tokens with dots between them, `orders.created`. A token has letters and
//! digits of ASCII, `_` and `-`; `$` may stand before the first one, which reserves the name for the system.

use std::str::FromStr;

use callboard_actor::ErrorCode;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use thiserror::Error;

/// The name of an event, as `orders.created`. Case counts. A clone of up to 23 bytes is a copy, and a clone of more one more
/// reference to the same text: neither allocates.
///
/// ```
/// use callboard_bus::Topic;
///
/// let topic: Topic = "orders.created".parse()?;
/// assert_eq!(topic.tokens().collect::<Vec<_>>(), ["orders", "created"]);
/// let fault = "orders.*".parse::<Topic>().expect_err("an event has one name");
/// assert_eq!(fault.to_string(), r#""orders.*" has a wildcard at byte 7: an event has one name, patterns are for subscribers"#);
/// # Ok::<(), callboard_bus::TopicError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(SmolStr);

impl Topic {
    /// The longest name, in bytes; no pattern is longer either.
    pub const MAX_BYTES: usize = 255;

    /// The most tokens of a name; no pattern has more either.
    pub const MAX_TOKENS: usize = 16;

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands between the dots.
    pub fn tokens(&self) -> impl Iterator<Item = &str> + Clone {
        Tokens(Some(&self.0))
    }

    /// Whether it begins with `$`: only the system publishes under such names.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('$')
    }

    /// Whether an event of this name is one of a [self test](crate::SelfTest), which leaves nothing behind.
    pub(crate) fn is_self_test(&self) -> bool {
        self.0.starts_with(SELF_TEST)
    }
}

/// What is left between dots. Tokens are short: to look at one byte after the other is faster than a search of the library,
/// which begins each one anew.
#[derive(Clone)]
struct Tokens<'t>(Option<&'t str>);

impl<'t> Iterator for Tokens<'t> {
    type Item = &'t str;

    #[inline]
    fn next(&mut self) -> Option<&'t str> {
        let text = self.0?;
        let dot = text.bytes().position(|byte| byte == b'.');
        let token = dot.map_or(text, |dot| &text[..dot]);
        self.0 = dot.map(|dot| &text[dot + 1..]);
        Some(token)
    }
}

/// What the names of the events of self tests begin with.
pub(crate) const SELF_TEST: &str = "$self_test.";

/// Why a text is no [`Topic`], or no [`Pattern`](crate::Pattern). Bytes are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TopicError {
    /// It is longer than [`Topic::MAX_BYTES`].
    #[error("a name of {bytes} bytes is too long: it may have {}", Topic::MAX_BYTES)]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It has more tokens than [`Topic::MAX_TOKENS`].
    #[error("{text:?} has {tokens} tokens: it may have {}", Topic::MAX_TOKENS)]
    TooManyTokens {
        /// The whole text.
        text: String,
        /// How many it has.
        tokens: usize,
    },
    /// Nothing stands before a dot, after one, or at all.
    #[error("{text:?} lacks a token at byte {at}: write tokens with one dot between them, like `orders.created`")]
    EmptyToken {
        /// The whole text.
        text: String,
        /// Where the token should be.
        at: usize,
    },
    /// A character that no token has.
    #[error("{text:?} has {found:?} at byte {at}: a token has letters, digits, `_` and `-`")]
    Character {
        /// The whole text.
        text: String,
        /// Where it is.
        at: usize,
        /// The character.
        found: char,
    },
    /// A wildcard in the name of an event.
    #[error("{text:?} has a wildcard at byte {at}: an event has one name, patterns are for subscribers")]
    Wildcard {
        /// The whole text.
        text: String,
        /// Where it is.
        at: usize,
    },
    /// A `>` that is not the last token of a pattern.
    #[error("{text:?} has `>` at byte {at}: it stands for all that follows, so it is the last token")]
    TailNotLast {
        /// The whole text.
        text: String,
        /// Where it is.
        at: usize,
    },
    /// Two `*` beside each other.
    #[error("{text:?} has `**` at byte {at}: write `*` within one token, or `>` for all that follow")]
    DoubleStar {
        /// The whole text.
        text: String,
        /// Where it is.
        at: usize,
    },
}

impl TopicError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidName
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        check_size(text)?;
        for (at, token) in tokens_with_offset(text) {
            check_token(text, at, token, false)?;
        }
        Ok(Self(text.into()))
    }
}

/// What every checked text has: the way from a text and back, which its form in JSON takes, and its display.
macro_rules! checked_text {
    ($name:ty) => {
        impl TryFrom<String> for $name {
            type Error = $crate::topic::TopicError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().to_owned()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use checked_text;

checked_text!(Topic);

/// Checks what can be said about a name or pattern without reading its tokens. Afterwards it is short enough to be
/// quoted in an error.
pub(crate) fn check_size(text: &str) -> Result<(), TopicError> {
    if text.len() > Topic::MAX_BYTES {
        return Err(TopicError::TooLong { bytes: text.len() });
    }
    let tokens = text.split('.').count();
    if tokens > Topic::MAX_TOKENS {
        return Err(TopicError::TooManyTokens { text: text.into(), tokens });
    }
    Ok(())
}

/// Tokens, each with the byte that it begins at.
pub(crate) fn tokens_with_offset(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('.').scan(0, |next, token| {
        let at = *next;
        *next += token.len() + 1;
        Some((at, token))
    })
}

/// Checks the token that begins at byte `at` of `text`, with the wildcards `*` and `?` in it or without.
pub(crate) fn check_token(text: &str, at: usize, token: &str, has_wildcards: bool) -> Result<(), TopicError> {
    // The mark of the system belongs to no token but the first.
    let marked = if at == 0 { token.strip_prefix('$') } else { None };
    let word = marked.unwrap_or(token);
    let at = at + token.len() - word.len();
    if word.is_empty() {
        return Err(TopicError::EmptyToken { text: text.into(), at });
    }
    match word.char_indices().find(|(_, letter)| !is_allowed(*letter, has_wildcards)) {
        None => Ok(()),
        Some((off, '*' | '?' | '>')) if !has_wildcards => Err(TopicError::Wildcard { text: text.into(), at: at + off }),
        Some((off, '>')) => Err(TopicError::TailNotLast { text: text.into(), at: at + off }),
        Some((off, found)) => Err(TopicError::Character { text: text.into(), at: at + off, found }),
    }
}

fn is_allowed(letter: char, has_wildcards: bool) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') || (has_wildcards && matches!(letter, '*' | '?'))
}

#[cfg(test)]
mod tests;
