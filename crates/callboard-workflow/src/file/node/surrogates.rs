//! Escapes that JSON has and YAML has not: `\ud83e\udd80`, one character as a pair. Pure.

use std::borrow::Cow;

/// A JSON text with every such pair as the one escape that YAML knows, `\U0001f980`. It is two characters shorter, so what
/// stands behind it in the same line is reported two columns to the left. A text that is not JSON is left as it is.
pub(super) fn joined(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || !text.contains("\\u") {
        return text.into();
    }
    let (mut joined, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\\') {
        joined.push_str(&rest[..at]);
        rest = &rest[at..];
        let took = match pair(rest) {
            Some(character) => {
                joined.push_str(&format!("\\U{:08x}", u32::from(character)));
                12
            }
            None => {
                let escape: String = rest.chars().take(2).collect();
                joined.push_str(&escape);
                escape.len()
            }
        };
        rest = &rest[took..];
    }
    joined.push_str(rest);
    joined.into()
}

/// The character of the pair that a text begins with.
fn pair(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    char::decode_utf16([unit(0)?, unit(6)?]).next()?.ok().filter(|character| u32::from(*character) > 0xffff)
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_pair_becomes_one_escape_and_nothing_else_changes() {
        assert_eq!(
            joined(r#"{"a": "\ud83e\udd80 \u00e9 \\ud83e\udd80"}"#),
            r#"{"a": "\U0001f980 \u00e9 \\ud83e\udd80"}"#
        );
        for same in [r"a: \ud83e\udd80", r#"{"a": "\ud83e"}"#, r#"{"a": "\ud83e\u"#, r#"{"\"#, r#"{"\é\u"#] {
            assert_eq!(joined(same), same);
        }
    }
}
