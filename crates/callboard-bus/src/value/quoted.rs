//! Text in quotes, as JSON writes it.

use std::fmt::{self, Write as _};

/// Prints a text in double quotes with the escapes of JSON.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let mut rest = self.0;
        while let Some(at) = rest.find(|letter: char| letter < ' ' || letter == '"' || letter == '\\') {
            f.write_str(&rest[..at])?;
            write_escape(rest.as_bytes()[at], f)?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)?;
        f.write_char('"')
    }
}

fn write_escape(letter: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match letter {
        b'"' => f.write_str("\\\""),
        b'\\' => f.write_str("\\\\"),
        b'\n' => f.write_str("\\n"),
        b'\r' => f.write_str("\\r"),
        b'\t' => f.write_str("\\t"),
        control => write!(f, "\\u{control:04x}"),
    }
}

/// Where a text in quotes is wrong: the offset from its first quote, and what should be there.
pub(crate) type Misquoted = (usize, &'static str);

/// Reads a text in double or single quotes, with the escapes of JSON, from the beginning of `input`; and says how many
/// bytes of it that took.
pub(crate) fn read_quoted(input: &str) -> Result<(String, usize), Misquoted> {
    let mut letters = Letters { input, at: 0 };
    let quote = letters.next().filter(|quote| matches!(quote, '"' | '\'')).ok_or((0, "a text in quotes"))?;
    let mut text = String::new();
    loop {
        match letters.next() {
            Some(end) if end == quote => return Ok((text, letters.at)),
            Some('\\') => text.push(letters.escaped()?),
            Some(control) if control < ' ' => return Err((letters.at - 1, "control characters as \\u00xx")),
            Some(letter) => text.push(letter),
            None => return Err((input.len(), "the closing quote")),
        }
    }
}

struct Letters<'a> {
    input: &'a str,
    at: usize,
}

impl Letters<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.input[self.at..].chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    /// The letter that the escape after a backslash stands for.
    fn escaped(&mut self) -> Result<char, Misquoted> {
        let at = self.at;
        match self.next() {
            Some(same @ ('"' | '\'' | '\\' | '/')) => Ok(same),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode(at),
            _ => Err((at, "an escape of JSON: one of \"'\\/bfnrtu")),
        }
    }

    /// Four hexadecimal digits, or two such escapes for a letter outside of the basic plane.
    fn unicode(&mut self, at: usize) -> Result<char, Misquoted> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff if self.input[self.at..].starts_with("\\u") => {
                self.at += 2;
                let second = self.four_digits()?;
                let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or((at, "a pair of surrogates"))?;
                0x1_0000 + ((first - 0xd800) << 10) + low
            }
            _ => first,
        };
        char::from_u32(code).ok_or((at, "a code of Unicode"))
    }

    fn four_digits(&mut self) -> Result<u32, Misquoted> {
        let digits = self.input.get(self.at..self.at + 4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or((self.at, "four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_those_of_json() {
        let read = |input| read_quoted(input).map(|(text, _)| text);
        assert_eq!(read(r#""a\"\\\/\b\f\n\r\tä\ud83d\ude00" rest"#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tä😀");
        assert_eq!(read("'it is \"so\"'").unwrap(), "it is \"so\"");
        assert_eq!(read(r"'it\'s'").unwrap(), "it's");
    }

    #[test]
    fn faults_name_their_place() {
        let places = [
            ("x", 0, "a text in quotes"),
            ("\"ab", 3, "the closing quote"),
            (r#""a\x""#, 3, "an escape of JSON: one of \"'\\/bfnrtu"),
            (r#""\u12g4""#, 3, "four hexadecimal digits"),
            (r#""\ud800""#, 2, "a code of Unicode"),
            (r#""\ud800\u0041""#, 2, "a pair of surrogates"),
            (r#""\ud800\ue000""#, 2, "a pair of surrogates"),
            ("\"a\nb\"", 2, "control characters as \\u00xx"),
        ];
        for (input, at, expected) in places {
            assert_eq!(read_quoted(input), Err((at, expected)), "{input}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(text: String, rest in "[a-z]*") {
            let printed = Quoted(&text).to_string();
            prop_assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text.clone());
            prop_assert_eq!(read_quoted(&(printed.clone() + &rest)), Ok((text, printed.len())));
        }

        #[test]
        fn no_input_is_too_strange(input: String, tail in r#"[\\"'u0-9a-fd8]{0,20}"#) {
            let _ = read_quoted(&input);
            let _ = read_quoted(&format!("\"{tail}"));
        }
    }
}
