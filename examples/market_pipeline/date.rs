//! Calendar dates as the tables write them: `2000-01-31` or `Jan 31 2000`.

pub(crate) use jiff::civil::Date;

const FORMATS: [&str; 2] = ["%Y-%m-%d", "%b %d %Y"];

/// Years have four digits: else "Jan 2000" would pass for Jan 20 in the year 0.
const FIRST_YEAR: i16 = 1000;

/// A text that is a date in neither of the two formats, or that names a day
/// which the calendar does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no date; write 2000-01-31 or Jan 31 2000")]
pub(crate) struct DateError(String);

/// Reads a date in either format.
pub(crate) fn parse_date(text: &str) -> Result<Date, DateError> {
    FORMATS
        .iter()
        .filter_map(|format| Date::strptime(format, text).ok())
        .find(|date| date.year() >= FIRST_YEAR)
        .ok_or_else(|| DateError(text.to_owned()))
}

/// The calendar days from one date to a later one; negative when it is earlier.
pub(crate) fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn both_formats_name_the_same_day() {
        assert_eq!(parse_date("2004-08-01"), Ok(date(2004, 8, 1)));
        assert_eq!(parse_date("Aug 1 2004"), Ok(date(2004, 8, 1)));
        assert_eq!(parse_date("Feb 29 2000"), Ok(date(2000, 2, 29)));
    }

    #[test]
    fn days_that_the_calendar_lacks_are_refused() {
        for text in ["2001-02-29", "1900-02-29", "Apr 31 2000", "2000-13-01"] {
            assert_eq!(parse_date(text), Err(DateError(text.to_owned())));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "01/03/2000", "2000-01-03T12:00", "Jan 2000", "yesterday"] {
            assert!(parse_date(text).is_err(), "{text:?} passed for a date");
        }
    }

    #[test]
    fn days_are_counted_across_leap_days_and_years() {
        assert_eq!(days_between(date(2000, 2, 28), date(2000, 3, 1)), 2);
        assert_eq!(days_between(date(1999, 12, 31), date(2001, 1, 1)), 367);
        assert_eq!(days_between(date(2000, 1, 2), date(2000, 1, 1)), -1);
    }
}
