//! What requests are followed by across processes: a [`TraceContext`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ErrorCode;
use crate::scope::{self, Baggage};

/// A part of a trace, by the ids of W3C's trace context. As text and when it is serialised it is a `traceparent`. As
/// [`Baggage`](crate::Baggage) it travels along with all that is asked.
///
/// ```
/// use callboard_actor::TraceContext;
///
/// let trace: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert_eq!(trace.trace_id(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
/// assert_eq!(trace.to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// # Ok::<(), callboard_actor::TraceContextError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// Names a trace: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

/// A text that is no `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no traceparent: that is 00-<32 digits of 0-9a-f>-<16>-<2>, and neither of the first two all 0")]
pub struct TraceContextError(String);

impl TraceContextError {
    /// [`ErrorCode::Malformed`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::Malformed
    }
}

impl TraceContext {
    /// A part of this trace that is written down, with this id of its own. Nothing where one of them is 0, which stands for none.
    #[must_use]
    pub const fn new(trace_id: u128, span_id: u64) -> Option<Self> {
        if trace_id == 0 || span_id == 0 { None } else { Some(Self { trace_id, span_id, flags: 1 }) }
    }

    /// That of the turn that the calling thread is in.
    #[must_use]
    pub fn here() -> Option<Self> {
        scope::current(|scope| scope.along(|along| Self::of(along.baggage.as_ref()))).flatten().flatten()
    }

    pub(crate) fn of(baggage: Option<&Baggage>) -> Option<Self> {
        baggage?.get::<Self>().map(|trace| *trace)
    }

    /// The trace.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The part of it that the request comes from.
    #[must_use]
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// Whether whoever sent it writes it down.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let mut next = |digits: usize| fields.next().filter(|field| is_hex(field, digits));
        let (version, id, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        // Later versions may say more behind that, and 255 is no version.
        let is_known = version == "00";
        if version == "ff" || (is_known && fields.next().is_some()) {
            return None;
        }
        let (trace_id, span_id) = (u128::from_str_radix(id, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Self::new(trace_id, span_id).map(|trace| Self { flags, ..trace })
    }
}

fn is_hex(field: &str, digits: usize) -> bool {
    field.len() == digits && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, TraceContextError> {
        // On one line and not all of it: the text may come from anywhere.
        let wrong = || TraceContextError(text.chars().take(80).flat_map(char::escape_debug).collect());
        Self::read(text).ok_or_else(wrong)
    }
}

/// As a header `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl TraceId {
    pub(crate) const fn new(id: u128) -> Self {
        Self(id)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let (id, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let later = format!("01-{id}-{span}-00-more").parse::<TraceContext>().unwrap();
        assert_eq!((later.to_string(), later.is_sampled()), (format!("00-{id}-{span}-00"), false));
        assert_eq!((TraceContext::new(0, 1), TraceContext::new(1, 0)), (None, None));
        let wrong = [
            String::new(),
            format!("00-{id}-{span}"),
            format!("00-{id}-{span}-00-more"),
            format!("ff-{id}-{span}-00"),
            format!("00-{}-{span}-00", id.to_uppercase()),
            format!("00-{}-{span}-00", "0".repeat(32)),
            format!("00-{id}-{}-00", "0".repeat(16)),
            format!("00-+{}-{span}-00", &id[1..]),
        ];
        for text in wrong {
            assert_eq!(text.parse::<TraceContext>().unwrap_err().code(), ErrorCode::Malformed, "{text}");
        }
    }
}
