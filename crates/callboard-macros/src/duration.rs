//! Spans of time as people write them: `"2s"`, `"150ms"`, `"1m 30s"`.

use std::fmt;
use std::time::Duration;

const NANOS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Why a text is no span of time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DurationError {
    Empty,
    NoNumber { at: String },
    NoUnit { number: String },
    UnknownUnit { unit: String },
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "an empty text is no duration; write one like \"2s\""),
            Self::NoNumber { at } => write!(f, "a whole number is expected at `{at}`"),
            Self::NoUnit { number } => {
                write!(f, "`{number}` has no unit; write `{number}s` or `{number}ms`")
            }
            Self::UnknownUnit { unit } => {
                write!(f, "unknown unit `{unit}`; the units are ns, us, ms, s, m, h, d")
            }
            Self::TooLong => write!(f, "longer than the 584 years that fit"),
        }
    }
}

/// The sum of all parts of `text`; a part is a whole number and its unit, and spaces may stand
/// between any two.
pub(crate) fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim_matches(' ');
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (part, after) = parse_part(rest)?;
        nanos = nanos.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = after.trim_start_matches(' ');
    }
    Ok(Duration::from_nanos(nanos))
}

/// The first part of `text` in nanoseconds, and what stands after it.
fn parse_part(text: &str) -> Result<(u64, &str), DurationError> {
    let (number, rest) = split_while(text, |c| c.is_ascii_digit());
    if number.is_empty() {
        return Err(DurationError::NoNumber { at: text.into() });
    }
    let (unit, rest) = split_while(rest.trim_start_matches(' '), |c| !c.is_ascii_digit() && c != ' ');
    if unit.is_empty() {
        return Err(DurationError::NoUnit { number: number.into() });
    }
    Ok((in_nanos(number, unit)?, rest))
}

fn in_nanos(number: &str, unit: &str) -> Result<u64, DurationError> {
    let Some((_, nanos)) = NANOS.iter().find(|(name, _)| *name == unit) else {
        return Err(DurationError::UnknownUnit { unit: unit.into() });
    };
    let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
    number.checked_mul(*nanos).ok_or(DurationError::TooLong)
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_its_length() {
        let expected = [
            ("7ns", Duration::from_nanos(7)),
            ("7us", Duration::from_micros(7)),
            ("150ms", Duration::from_millis(150)),
            ("2s", Duration::from_secs(2)),
            ("1m", Duration::from_secs(60)),
            ("3h", Duration::from_secs(3 * 3600)),
            ("2d", Duration::from_secs(2 * 86_400)),
        ];
        for (text, duration) in expected {
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
    }

    #[test]
    fn parts_add_up_with_or_without_spaces() {
        let ninety = Ok(Duration::from_secs(90));
        for text in ["1m30s", "1m 30s", " 1 m  30 s ", "30s 1m", "90s"] {
            assert_eq!(parse(text), ninety, "{text}");
        }
    }

    #[test]
    fn each_fault_is_told_apart() {
        let unit = |unit: &str| DurationError::UnknownUnit { unit: unit.into() };
        let number = |at: &str| DurationError::NoNumber { at: at.into() };
        let cases = [
            ("", DurationError::Empty),
            ("  ", DurationError::Empty),
            ("s", number("s")),
            ("-2s", number("-2s")),
            ("1m s", number("s")),
            ("2", DurationError::NoUnit { number: "2".into() }),
            ("2 parsecs", unit("parsecs")),
            ("2.5s", unit(".")),
            ("2S", unit("S")),
            ("99999999999999999999s", DurationError::TooLong),
            ("18446744073s 1s", DurationError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_error_says_what_to_write() {
        let told = DurationError::NoUnit { number: "2".into() }.to_string();
        assert_eq!(told, "`2` has no unit; write `2s` or `2ms`");
    }

    #[test]
    fn what_is_written_is_read() {
        for hours in (0..9_999).step_by(313) {
            for millis in (0..9_999_999).step_by(77_777) {
                let expected = Duration::from_secs(hours * 3600) + Duration::from_millis(millis);
                assert_eq!(parse(&format!("{hours}h {millis}ms")), Ok(expected));
            }
        }
    }

    #[test]
    fn no_text_panics_also_where_a_letter_has_many_bytes() {
        for text in ["µs", "2µs", "２s", "2\u{a0}s", "1s\u{1F600}", "1\t2s", "\0"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
