//! What subscribers ask for: a [`Pattern`] stands for the names of many events.

pub(crate) mod glob;

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::topic::{Topic, TopicError, check_size, check_token, checked_text, tokens_with_offset};

/// Which events a subscriber wants: a name, or one with wildcards. A clone is one more reference to the same text.
///
/// | in a pattern | stands for |
/// |---|---|
/// | `*` as a whole token | any one token |
/// | `*` inside a token: `Module*`, `*Failed` | any characters of that token, or none; never a dot |
/// | `?` | any one character of a token |
/// | `>` as the last token | all tokens that follow, at least one: `orders.>` does not stand for `orders` |
///
/// No wildcard stands for the `$` of the system's own names, so that a subscriber of everything does not get what the
/// system publishes about it; the rule is that of MQTT (5.0, section 4.7.2). `$sys.>` gets them.
///
/// ```
/// use callboard_bus::Pattern;
///
/// let steps: Pattern = "lab.LabStep*".parse()?;
/// assert!(steps.matches(&"lab.LabStepFailed".parse()?));
/// assert!(!steps.matches(&"lab.LabSte".parse()?));
/// # Ok::<(), callboard_bus::TopicError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Arc<str>);

/// One token of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Itself.
    Literal(&'a str),
    /// `*`.
    Any,
    /// With wildcards inside.
    Glob(&'a str),
    /// `>`.
    Tail,
}

impl Pattern {
    /// The whole pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether events of this name are wanted.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut names = topic.tokens();
        for token in self.tokens() {
            match names.next() {
                Some(name) if token.matches(name) => {}
                _ => return false,
            }
            if token == Token::Tail {
                return true;
            }
        }
        names.next().is_none()
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        self.0.split('.').map(Token::of)
    }
}

impl Token<'_> {
    fn of(text: &str) -> Token<'_> {
        match text {
            "*" => Token::Any,
            ">" => Token::Tail,
            _ if text.contains(['*', '?']) => Token::Glob(text),
            _ => Token::Literal(text),
        }
    }

    fn matches(self, name: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::Glob(glob) => glob::matches(glob, name),
            Self::Any | Self::Tail => !name.starts_with('$'),
        }
    }
}

impl FromStr for Pattern {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        check_size(text)?;
        for (at, token) in tokens_with_offset(text) {
            let is_tail = token == ">" && at + 1 == text.len();
            if !is_tail {
                check_token(text, at, token, true)?;
            }
        }
        match text.find("**") {
            Some(at) => Err(TopicError::DoubleStar { text: text.into(), at }),
            None => Ok(Self(text.into())),
        }
    }
}

/// The pattern that stands for one name.
impl From<Topic> for Pattern {
    fn from(topic: Topic) -> Self {
        Self(topic.as_str().into())
    }
}

checked_text!(Pattern);

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, topic: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(&topic.parse().unwrap())
    }

    /// F-EVT-03.
    #[test]
    fn wildcards_stay_within_their_token() {
        for name in ["LabStepStarted", "LabStepCompleted", "LabStepFailed", "LabStep"] {
            assert!(matches("LabStep*", name), "{name}");
        }
        for name in ["LabSte", "XLabStep", "LabStep.Failed", "labStepFailed"] {
            assert!(!matches("LabStep*", name), "{name}");
        }
        assert!(matches("Lab?tep", "LabStep") && !matches("Lab?tep", "Labtep"));
        assert!(matches("*Failed", "StepFailed") && matches("*", "a") && !matches("*", "a.b"));
        assert!(matches("a.*.c", "a.b.c") && !matches("a.*.c", "a.c") && !matches("a.*", "a"));
    }

    /// F-EVT-03.
    #[test]
    fn a_tail_is_one_token_or_more() {
        assert!(matches("orders.>", "orders.eu") && matches("orders.>", "orders.eu.paris"));
        assert!(!matches("orders.>", "orders") && !matches("orders.>", "order.eu"));
        assert!(matches(">", "orders.eu"));
    }

    #[test]
    fn no_wildcard_stands_for_the_mark_of_the_system() {
        for pattern in [">", "*.a", "?sys.a", "*sys.>"] {
            assert!(!matches(pattern, "$sys.a"), "{pattern}");
        }
        for pattern in ["$sys.>", "$*.a", "$s?s.*", "$sys.a"] {
            assert!(matches(pattern, "$sys.a"), "{pattern}");
        }
        assert!(!matches("sys.a", "$sys.a") && !matches("$*.a", "sys.a"));
    }

    /// F-EVT-03: bad patterns are `invalid_name`.
    #[test]
    fn a_bad_pattern_says_what_and_where() {
        let fault = |text: &str| text.parse::<Pattern>().expect_err("it is no pattern");
        let text = String::from;
        assert_eq!(fault("a.>.b"), TopicError::TailNotLast { text: text("a.>.b"), at: 2 });
        assert_eq!(fault("a.b>"), TopicError::TailNotLast { text: text("a.b>"), at: 3 });
        assert_eq!(fault("a..b"), TopicError::EmptyToken { text: text("a..b"), at: 2 });
        assert_eq!(fault(""), TopicError::EmptyToken { text: text(""), at: 0 });
        assert_eq!(fault("a.b**"), TopicError::DoubleStar { text: text("a.b**"), at: 3 });
        assert_eq!(fault("a*$"), TopicError::Character { text: text("a*$"), at: 2, found: '$' });
        assert_eq!(fault("a*$").code().code(), "invalid_name");
    }
}
