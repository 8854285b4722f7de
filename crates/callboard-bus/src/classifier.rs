//! Whether trying again can help, guessed from the words of an error that does not say so itself. Pure.
//!
//! ```
//! use callboard_actor::FaultClass;
//! use callboard_bus::{Classifier, Keywords};
//!
//! let broken = std::io::Error::other("Connection reset by peer");
//! assert_eq!(Keywords::default().classify(&broken), FaultClass::Retryable);
//!
//! // Another one in its place: a closure, or words of one's own.
//! let stubborn = |_: &(dyn std::error::Error + 'static)| FaultClass::Permanent;
//! assert_eq!(stubborn.classify(&broken), FaultClass::Permanent);
//! let keywords = Keywords::default().permanent("reset by peer");
//! assert_eq!(keywords.classify(&broken), FaultClass::Permanent);
//! ```

use std::error::Error;
use std::iter;

use callboard_actor::FaultClass;

/// Words after which an error may pass.
const RETRYABLE: [&str; 5] = ["timeout", "connection", "network", "unavailable", "busy"];
/// Words after which it would fail again.
const PERMANENT: [&str; 4] = ["validation", "authentication", "authorization", "not found"];

/// Decides whether trying again can help, for errors that do not say so themselves. Any function of an error is one.
pub trait Classifier: Send + Sync {
    /// The class of this error.
    fn classify(&self, error: &(dyn Error + 'static)) -> FaultClass;
}

impl<F> Classifier for F
where
    F: Fn(&(dyn Error + 'static)) -> FaultClass + Send + Sync,
{
    fn classify(&self, error: &(dyn Error + 'static)) -> FaultClass {
        self(error)
    }
}

/// Looks for words in the text of an error and of its causes, in upper or lower case.
///
/// One word of the permanent ones is enough against any number of the others, and without any word an error is permanent:
/// what is wrongly not tried again costs a call, what is wrongly tried again may cost more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keywords {
    retryable: Vec<String>,
    permanent: Vec<String>,
}

impl Keywords {
    /// No words, so that every error is permanent.
    #[must_use]
    pub const fn none() -> Self {
        Self { retryable: Vec::new(), permanent: Vec::new() }
    }

    /// Errors with this word may pass.
    #[must_use]
    pub fn retryable(mut self, word: &str) -> Self {
        self.retryable.push(word.to_lowercase());
        self
    }

    /// Errors with this word would fail again.
    #[must_use]
    pub fn permanent(mut self, word: &str) -> Self {
        self.permanent.push(word.to_lowercase());
        self
    }

    /// The class of an error of which there is only the text.
    #[must_use]
    pub fn classify_text(&self, text: &str) -> FaultClass {
        let text = text.to_lowercase();
        let holds_one_of = |words: &[String]| words.iter().any(|word| text.contains(word));
        if holds_one_of(&self.retryable) && !holds_one_of(&self.permanent) {
            FaultClass::Retryable
        } else {
            FaultClass::Permanent
        }
    }
}

impl Default for Keywords {
    /// Retryable: timeout, connection, network, unavailable, busy. Permanent: validation, authentication, authorization,
    /// not found.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self { retryable: words(&RETRYABLE), permanent: words(&PERMANENT) }
    }
}

impl Classifier for Keywords {
    fn classify(&self, error: &(dyn Error + 'static)) -> FaultClass {
        let chain = iter::successors(Some(error), |&cause| cause.source());
        let texts: Vec<String> = chain.map(ToString::to_string).collect();
        self.classify_text(&texts.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the order was not placed")]
    struct NotPlaced(#[source] io::Error);

    /// F-ERR-03: the words of the specification, in any case.
    #[test]
    fn every_word_has_its_class() {
        let keywords = Keywords::default();
        for (words, class) in [(&RETRYABLE[..], FaultClass::Retryable), (&PERMANENT[..], FaultClass::Permanent)] {
            for word in words {
                for text in [word.to_string(), word.to_uppercase(), format!("step 3: {word}s, again")] {
                    assert_eq!(keywords.classify_text(&text), class, "{text}");
                }
            }
        }
    }

    /// F-ERR-03: non-retryable wins when both match, and is the default.
    #[test]
    fn a_permanent_word_wins_and_no_word_is_permanent() {
        let keywords = Keywords::default();
        for retryable in RETRYABLE {
            for permanent in PERMANENT {
                for text in [format!("{retryable} {permanent}"), format!("{permanent}: {retryable}")] {
                    assert_eq!(keywords.classify_text(&text), FaultClass::Permanent, "{text}");
                }
            }
        }
        for text in ["", "disk full", "BUS", "no thing found"] {
            assert_eq!(keywords.classify_text(text), FaultClass::Permanent, "{text}");
        }
    }

    #[test]
    fn the_causes_count_as_the_error_does() {
        let classify = |cause| Keywords::default().classify(&NotPlaced(io::Error::other(cause)));
        assert_eq!(classify("the database is BUSY"), FaultClass::Retryable);
        assert_eq!(classify("table not found"), FaultClass::Permanent);
        // A word does not reach from one text into the next.
        let keywords = Keywords::none().retryable("placed disk");
        assert_eq!(keywords.classify(&NotPlaced(io::Error::other("disk"))), FaultClass::Permanent);
    }

    /// F-ERR-03: replaceable.
    #[test]
    fn words_and_functions_take_its_place() {
        let full = io::Error::other("Disk Full");
        let by_kind = |error: &(dyn Error + 'static)| match error.downcast_ref::<io::Error>() {
            Some(_) => FaultClass::Retryable,
            None => FaultClass::Permanent,
        };
        let classifiers: [(&dyn Classifier, FaultClass); 4] = [
            (&Keywords::default(), FaultClass::Permanent),
            (&Keywords::default().retryable("DISK"), FaultClass::Retryable),
            (&Keywords::none().retryable("disk").permanent("full"), FaultClass::Permanent),
            (&by_kind, FaultClass::Retryable),
        ];
        for (classifier, class) in classifiers {
            assert_eq!(classifier.classify(&full), class);
        }
    }
}
