//! What requests are followed by across processes: a [`Trace`], as the header `traceparent` of W3C has it. Pure.

use std::fmt;
use std::str::FromStr;

use crate::error::ErrorCode;

/// A part of a trace. As [`Baggage`](crate::Baggage) it travels along with all that is asked.
///
/// ```
/// use callboard_actor::Trace;
///
/// let trace: Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert_eq!(trace.id().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert_eq!(trace.to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// # Ok::<(), callboard_actor::TraceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trace {
    id: TraceId,
    span: u64,
    flags: u8,
}

/// Names a trace: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

/// A text that is no `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no traceparent: that is 00-<32 digits of 0-9a-f>-<16>-<2>, and neither of the first two all 0")]
pub struct TraceError(String);

impl TraceError {
    /// [`ErrorCode::Malformed`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::Malformed
    }
}

impl Trace {
    /// The trace.
    #[must_use]
    pub const fn id(&self) -> TraceId {
        self.id
    }

    /// The part of it that the request comes from.
    #[must_use]
    pub const fn span(&self) -> u64 {
        self.span
    }

    /// Whether whoever sent it writes it down.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
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
        let id = u128::from_str_radix(id, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        Some(Self { id: TraceId(id), span, flags: u8::from_str_radix(flags, 16).ok()? })
    }
}

fn is_hex(field: &str, digits: usize) -> bool {
    field.len() == digits && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for Trace {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Self, TraceError> {
        // On one line and not all of it: the text may come from anywhere.
        let wrong = || TraceError(text.chars().take(80).flat_map(char::escape_debug).collect());
        Self::read(text).ok_or_else(wrong)
    }
}

/// As a header `traceparent`.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-{:02x}", self.id, self.span, self.flags)
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
        let later = format!("01-{id}-{span}-00-more").parse::<Trace>().unwrap();
        assert_eq!((later.to_string(), later.is_sampled()), (format!("00-{id}-{span}-00"), false));
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
            assert_eq!(text.parse::<Trace>().unwrap_err().code(), ErrorCode::Malformed, "{text}");
        }
    }
}
