//! What is hidden of payloads and texts before somebody is shown them. Pure.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::value::{Array, Object, Value};

/// What stands in the place of what is hidden.
pub(crate) const HIDDEN: &str = "***";

/// How much of a text is shown, in bytes.
const LONGEST: usize = 4 << 10;

/// Parts of the names of fields whose values nobody is shown, without regard to case, `_` and `-`.
const SECRET: [&str; 7] = ["passwd", "password", "secret", "token", "apikey", "authorization", "privatekey"];

/// The same value without what is secret by the name of its field, or by its form: the password of an address. Texts are cut at
/// 4 KiB and their control characters escaped.
pub(crate) fn value(of: &Value) -> Value {
    within(of, Value::MAX_DEPTH)
}

/// The same of a value that lies so far above the deepest that is shown.
fn within(of: &Value, depth: usize) -> Value {
    match of {
        Value::String(words) => text(words).into(),
        Value::Array(_) | Value::Object(_) if depth == 0 => HIDDEN.into(),
        Value::Array(items) => Value::Array(items.iter().map(|item| within(item, depth - 1)).collect::<Array>()),
        Value::Object(fields) => Value::Object(fields.iter().map(|field| shown(field, depth - 1)).collect::<Object>()),
        other => other.clone(),
    }
}

fn shown((key, content): (&Arc<str>, &Value), depth: usize) -> (Arc<str>, Value) {
    let content = if is_secret(key) { HIDDEN.into() } else { within(content, depth) };
    (text(key).into(), content)
}

/// Whether the values of fields with this name are secret.
fn is_secret(key: &str) -> bool {
    let plain: String = key.chars().filter(|sign| !"_- ".contains(*sign)).flat_map(char::to_lowercase).collect();
    plain == "cookie" || plain == "setcookie" || SECRET.iter().any(|word| plain.contains(word))
}

/// The same text on one line and no longer than 4 KiB, without the passwords of addresses.
pub(crate) fn text(of: &str) -> String {
    // Before it is cut: a password is known by what stands behind it.
    let hidden = without_passwords(of);
    let cut = (0..=LONGEST.min(hidden.len())).rfind(|&at| hidden.is_char_boundary(at)).unwrap_or_default();
    let mut shown: String = hidden[..cut].chars().flat_map(escaped).collect();
    if cut < hidden.len() {
        shown.push('…');
    }
    shown
}

/// A text that is shown on one line.
pub(crate) struct OneLine<'t>(pub(crate) &'t str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().flat_map(escaped).try_for_each(|sign| f.write_char(sign))
    }
}

fn escaped(sign: char) -> impl Iterator<Item = char> {
    let (plain, special) = if sign.is_control() { (None, Some(sign.escape_default())) } else { (Some(sign), None) };
    plain.into_iter().chain(special.into_iter().flatten())
}

/// `scheme://user:password@host` with `***` for the password, wherever it stands.
fn without_passwords(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("://");
        let end = part.find(|sign: char| sign.is_whitespace() || "/?#\"'<>".contains(sign)).unwrap_or(part.len());
        match part[..end].rsplit_once('@') {
            Some((who, _)) => {
                let user = who.split_once(':').map_or("", |(user, _)| user);
                shown.push_str(&format!("{user}:{HIDDEN}{}", &part[who.len()..]));
            }
            None => shown.push_str(part),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// F-DLQ-05.
    #[test]
    fn f_dlq_05_secrets_are_hidden_by_name_at_any_depth() {
        let payload = json!({
            "user": "ann", "Password": "p", "api-key": 7, "nested": [{ "Private_Key": { "pem": "x" }, "n": 1 }],
            "authorization": ["Bearer x"], "Cookie": "c", "db": "redis://u:geheim@host:1/0 is down", "access_token": null,
        });
        let shown = json!({
            "user": "ann", "Password": "***", "api-key": "***", "nested": [{ "Private_Key": "***", "n": 1 }],
            "authorization": "***", "Cookie": "***", "db": "redis://u:***@host:1/0 is down", "access_token": "***",
        });
        assert_eq!(value(&Value::from(payload)), Value::from(shown));
    }

    #[test]
    fn texts_are_of_one_line_and_not_too_long() {
        assert_eq!(text("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(text("see http://a/b and sqlite://x"), "see http://a/b and sqlite://x");
        assert_eq!(text("pg://:p@h pg://u:a@b@h"), "pg://:***@h pg://u:***@h");
        assert_eq!(text("amqp://token@host"), "amqp://:***@host");
        assert_eq!(text(&"ä".repeat(3_000)).len(), (4 << 10) + '…'.len_utf8());
    }

    /// F-DLQ-05.
    #[test]
    fn f_dlq_05_a_password_is_hidden_where_a_text_is_cut() {
        let address = " pg://u:geheim@h";
        for room in 0..=address.len() {
            let shown = text(&("x".repeat(LONGEST - room) + address));
            assert!(!shown.contains(":g"), "{room}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_shown_with_control_characters(words in any::<String>()) {
            prop_assert!(!text(&words).contains(char::is_control));
        }
    }
}
