//! Lengths of time as people write them. Pure; no text makes it panic, and one that is too long is the longest.

use std::time::{Duration, SystemTime};

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `30s`, `1h 30m`, `1.5d`. Nothing when it is not written like that.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = (!rest.is_empty()).then_some(Duration::ZERO)?;
    while !rest.is_empty() {
        let (number, tail) = split(rest, |letter| letter.is_ascii_digit() || letter == '.');
        let (unit, tail) = split(tail.trim_start(), char::is_alphabetic);
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit)?;
        total = total.saturating_add(from_seconds(seconds)?);
        rest = tail.trim_start();
    }
    Some(total)
}

/// Nothing for what is no length of time, a negative number say.
#[must_use]
pub fn from_seconds(seconds: f64) -> Option<Duration> {
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// As it is read, without what is zero.
#[must_use]
pub fn show(time: Duration) -> String {
    let (seconds, nanos) = (time.as_secs(), u64::from(time.subsec_nanos()));
    let counts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (nanos / 1_000_000, "ms"),
        (nanos / 1000 % 1000, "us"),
        (nanos % 1000, "ns"),
    ];
    let parts = counts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// How long to wait, for people: as [`show`], rounded up to three digits, and from a minute on to whole seconds. Whoever waits
/// for so long is not too early.
#[must_use]
pub fn show_wait(wait: Duration) -> String {
    show(if wait < MINUTE { to_three_digits(wait) } else { to_seconds(wait) })
}

const MINUTE: Duration = Duration::from_secs(60);

fn to_three_digits(short: Duration) -> Duration {
    let nanos = short.as_nanos() as u64;
    let step = 10_u64.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(2));
    Duration::from_nanos(nanos.div_ceil(step) * step)
}

fn to_seconds(long: Duration) -> Duration {
    Duration::from_secs(long.as_secs().saturating_add(u64::from(long.subsec_nanos() > 0)))
}

/// Writes it as it is read, for `#[serde(with = "..")]`.
///
/// # Errors
///
/// Those of the format.
pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show(*time))
}

/// Reads it as people write it, for `#[serde(with = "..")]`.
///
/// # Errors
///
/// Those of the format, and a text that is no length of time.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let expected = "a duration like 30s or 1h 30m";
    parse(&text).ok_or_else(|| Error::invalid_value(Unexpected::Str(&text), &expected))
}

/// As [`show_wait`] shows it, where there is one, for `#[serde(serialize_with = "..")]`.
pub(crate) fn serialize_rounded<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(show_wait).serialize(serializer)
}

/// The same where there may be none.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer, show};

    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(show).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Written(#[serde(with = "super")] Duration);
        Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(time)| time))
    }
}

/// A moment as `2026-11-23T01:30:00.250Z` (RFC 3339), to the millisecond. One before 1970 is shown as 1970.
#[must_use]
pub fn show_moment(moment: SystemTime) -> String {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (day, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(day);
    let (hour, minute, second, millis) = (second / 3600, second / 60 % 60, second % 60, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Writes it so, for `#[serde(serialize_with = "..")]`.
pub(crate) fn serialize_moment<S: Serializer>(moment: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show_moment(*moment))
}

/// The same where there may be none.
pub(crate) fn serialize_past<S: Serializer>(moment: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    moment.map(show_moment).serialize(serializer)
}

/// A moment to the nanosecond, for `#[serde(with = "..")]`. One before 1970 is written as 1970.
pub(crate) mod moment {
    use super::{Deserialize, Deserializer, Error, Serializer, SystemTime, Unexpected, parse_moment, show_exactly};

    pub(crate) fn serialize<S: Serializer>(moment: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_exactly(*moment))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "a moment like 2026-11-23T01:30:00.250Z";
        parse_moment(&text).ok_or_else(|| Error::invalid_value(Unexpected::Str(&text), &expected))
    }
}

/// The same where there may be none.
pub(crate) mod optional_moment {
    use super::{Deserialize, Deserializer, Serialize, Serializer, SystemTime, show_exactly};

    pub(crate) fn serialize<S: Serializer>(moment: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        moment.map(show_exactly).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        #[derive(Deserialize)]
        struct Written(#[serde(with = "super::moment")] SystemTime);
        Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(moment)| moment))
    }
}

/// As [`show_moment`], to the nanosecond.
fn show_exactly(moment: SystemTime) -> String {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let to_millis = show_moment(moment);
    format!("{}{:06}Z", to_millis.trim_end_matches('Z'), since.subsec_nanos() % 1_000_000)
}

/// As it is shown, with as many digits of a second as there are up to nine.
fn parse_moment(text: &str) -> Option<SystemTime> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, of_month] = numbers(day, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let since_1970 = days(year, month, of_month)?;
    if date(since_1970) != (year, month, of_month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let nanos = format!("{fraction:0<9}").parse().ok().filter(|_| is_fraction)?;
    let seconds = since_1970 * 86_400 + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let parts = text.split(between).map(|part| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse().ok().filter(|_| is_number)
    });
    parts.collect::<Option<Vec<u64>>>()?.try_into().ok()
}

/// The days since 1970 of a day of the calendar, by the same algorithms as [`date`]. Nothing for one before.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * if month > 2 { month - 3 } else { month + 9 } + 2) / 5 + day.checked_sub(1)?;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"): the year begins
/// in March, so that a leap day is the last one.
const fn date(since_1970: u64) -> (u64, u64, u64) {
    let day = since_1970 + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, day)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !belongs(letter)).unwrap_or(text.len()))
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let cases = [
            ("30s", 30_000),
            (" 1h 30m ", 5_400_000),
            ("1h30min", 5_400_000),
            ("1687.5ms", 1688),
            ("0.5 d", 43_200_000),
            ("2 weeks", 1_209_600_000),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text).map(|time| time.as_secs_f64().mul_add(1000.0, 0.5) as u64), Some(millis), "{text}");
        }
        for text in ["", " ", "30", "s", "-3s", "1.2.3s", ".s", "3 fortnights", "3s,", "1e3s", "infs", "٣s", "3S"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_that_is_not_in_the_calendar_is_none() {
        for text in [
            "2001-02-29T00:00:00Z",
            "2000-13-01T00:00:00Z",
            "2000-00-01T00:00:00Z",
            "2000-01-00T00:00:00Z",
            "1969-12-31T00:00:00Z",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:60Z",
            "2000-01-01T00:00:00",
            "2000-01-01 00:00:00Z",
            "2000-01-01T00:00:00.1234567890Z",
            "2000-01-01T00:00:00.+1Z",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }

    /// The parser of `humantime` panics on this one.
    #[test]
    fn a_time_beyond_all_is_the_longest() {
        assert_eq!(parse("18446744073709551615s 1000000000ns"), Some(Duration::MAX));
        assert_eq!(parse(&("9".repeat(1000) + "w")), Some(Duration::MAX));
    }

    #[test]
    fn a_time_is_shown_in_the_units_that_it_has() {
        let cases =
            [(0, "0s"), (100_000, "100us"), (1_500_000_000, "1s 500ms"), (90_061_000_000_001, "1d 1h 1m 1s 1ns")];
        for (nanos, text) in cases {
            assert_eq!(show(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn a_wait_is_rounded_up_to_three_digits() {
        let cases = [
            (0, "0s"),
            (471, "471ns"),
            (1_619_954, "1ms 620us"),
            (999_999, "1ms"),
            (500_000_000, "500ms"),
            (1_180_004_471, "1s 190ms"),
            (2_000_000_000, "2s"),
            (28_900_000_000, "28s 900ms"),
            (59_999_999_999, "1m"),
            (90_061_000_000_001, "1d 1h 1m 2s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(show_wait(Duration::from_nanos(nanos)), text);
        }
        assert_eq!(show_wait(Duration::MAX), show(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn moments_are_shown_by_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_767_225_599_250, "2025-12-31T23:59:59.250Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (millis, text) in cases {
            assert_eq!(show_moment(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)), text);
        }
    }

    proptest! {
        #[test]
        fn a_moment_comes_back_from_its_text(seconds in 0_u64..253_402_300_799, nanos in 0_u32..1_000_000_000) {
            let moment = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
            prop_assert_eq!(parse_moment(&show_exactly(moment)), Some(moment));
            let to_millis = moment - Duration::from_nanos((nanos % 1_000_000).into());
            prop_assert_eq!(parse_moment(&show_moment(moment)), Some(to_millis));
        }

        #[test]
        fn any_text_is_a_moment_or_none(text in r"\PC{0,9}|[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{0,12})?Z") {
            if let Some(moment) = parse_moment(&text) {
                prop_assert!(show_exactly(moment).starts_with(|digit: char| digit.is_ascii_digit()));
            }
        }

        #[test]
        fn what_is_shown_is_read_as_the_same(nanos: u64) {
            let time = Duration::from_nanos(nanos);
            prop_assert_eq!(parse(&show(time)), Some(time));
        }

        #[test]
        fn no_text_makes_it_panic(text in r"(\PC{0,4}|[0-9.]{0,30} ?(ns|us|ms|s|m|h|d|µs)?){0,6}") {
            let _ = parse(&text);
        }
    }
}
