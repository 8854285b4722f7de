//! Numbers as JSON knows them, exact where a whole number of 64 bits is.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// A finite number: a whole one from `i64::MIN` to `u64::MAX`, or an `f64`. 1 equals 1.0.
#[derive(Clone, Copy)]
pub struct Number(Form);

/// Whole numbers have one form each, so that equal ones are found equal without a look at their range.
#[derive(Clone, Copy)]
enum Form {
    Whole(i64),
    /// Above `i64::MAX`.
    Large(u64),
    Float(f64),
}

/// Infinity, or not a number at all.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("{0} cannot be written as JSON; use null or a text for it")]
pub struct NotFinite(f64);

impl Number {
    /// The number, if it is a whole one in range and not held as a float.
    #[must_use]
    pub const fn as_i64(&self) -> Option<i64> {
        if let Form::Whole(whole) = self.0 { Some(whole) } else { None }
    }

    /// The number, if it is a whole one in range and not held as a float.
    #[must_use]
    pub const fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Form::Whole(whole) if whole >= 0 => Some(whole.unsigned_abs()),
            Form::Large(large) => Some(large),
            Form::Whole(_) | Form::Float(_) => None,
        }
    }

    /// The nearest float.
    #[must_use]
    pub const fn as_f64(&self) -> f64 {
        match self.0 {
            Form::Whole(whole) => whole as f64,
            Form::Large(large) => large as f64,
            Form::Float(float) => float,
        }
    }

    /// The number, if it is not held as a float.
    #[must_use]
    pub const fn as_whole(&self) -> Option<i128> {
        match self.0 {
            Form::Whole(whole) => Some(whole as i128),
            Form::Large(large) => Some(large as i128),
            Form::Float(_) => None,
        }
    }
}

/// Compares without rounding either side. A whole number that rounds to less than a float is less than it, as rounding
/// keeps the order; if it rounds to the float, then the float is whole and in the range of `i128`.
fn compare(whole: i128, float: f64) -> Ordering {
    (whole as f64).total_cmp(&(float + 0.0)).then_with(|| whole.cmp(&(float as i128)))
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.as_whole(), other.as_whole()) {
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(whole), None) => compare(whole, other.as_f64()),
            (None, Some(whole)) => compare(whole, self.as_f64()).reverse(),
            // Adding zero turns the negative zero into the other one.
            (None, None) => (self.as_f64() + 0.0).total_cmp(&(other.as_f64() + 0.0)),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

macro_rules! from_whole {
    ($($signed:ty)*; $($unsigned:ty)*) => {
        $(impl From<$signed> for Number {
            fn from(whole: $signed) -> Self {
                Self(Form::Whole(whole as i64))
            }
        })*
        $(impl From<$unsigned> for Number {
            fn from(whole: $unsigned) -> Self {
                i64::try_from(whole).map_or(Self(Form::Large(whole as u64)), |whole| Self(Form::Whole(whole)))
            }
        })*
    };
}

from_whole!(i8 i16 i32 i64 isize; u8 u16 u32 u64 usize);

impl TryFrom<f64> for Number {
    type Error = NotFinite;

    fn try_from(float: f64) -> Result<Self, NotFinite> {
        if float.is_finite() { Ok(Self(Form::Float(float))) } else { Err(NotFinite(float)) }
    }
}

impl TryFrom<f32> for Number {
    type Error = NotFinite;

    /// The number that its shortest text names, rather than that of its bits: 0.1 and not 0.10000000149011612. Either
    /// becomes the same `f32` again.
    fn try_from(float: f32) -> Result<Self, NotFinite> {
        Self::try_from(float.to_string().parse().unwrap_or_else(|_| f64::from(float)))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Whole(whole) => whole.fmt(f),
            Form::Large(large) => large.fmt(f),
            // The shortest text that reads back as the same float, with a point or an exponent to tell it from a whole
            // number.
            Form::Float(float) => fmt::Debug::fmt(&float, f),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float(number: f64) -> Number {
        Number::try_from(number).expect("it is finite")
    }

    #[test]
    fn forms_do_not_count() {
        assert_eq!(Number::from(1), float(1.0));
        assert_eq!(float(0.0), float(-0.0));
        assert_eq!(Number::from(0), float(-0.0));
        assert_eq!(Number::from(7u64), Number::from(7i8));
        assert_eq!(float(9_007_199_254_740_992.0), Number::from(9_007_199_254_740_992_i64));
        assert_ne!(float(9_007_199_254_740_992.0), Number::from(9_007_199_254_740_993_i64));
        assert_ne!(Number::from(u64::MAX), float(18_446_744_073_709_551_616.0));
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Number::try_from(number).is_err());
        }
        let refused = Number::try_from(f64::NAN).expect_err("it is not finite").to_string();
        assert_eq!(refused, "NaN cannot be written as JSON; use null or a text for it");
    }

    proptest! {
        #[test]
        fn whole_numbers_keep_their_order_among_floats(whole: i64, near in -3i64..4) {
            let (exact, other) = (i128::from(whole), (whole.wrapping_add(near)) as f64);
            let expected = exact.cmp(&(other as i128));
            prop_assert_eq!(Number::from(whole).cmp(&float(other)), expected);
            prop_assert_eq!(float(other).cmp(&Number::from(whole)), expected.reverse());
        }

        #[test]
        fn a_short_float_is_the_same_again(number: f32) {
            let short = Number::try_from(number).unwrap();
            prop_assert_eq!(short.as_f64() as f32, number);
            prop_assert_eq!(short.as_f64().to_string(), number.to_string());
        }

        #[test]
        fn a_float_reads_back_from_its_text(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
            let text = float(number).to_string();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }
}
