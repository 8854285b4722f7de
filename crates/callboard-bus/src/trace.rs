//! Of which larger work something is a part: a [`TraceContext`].

use std::fmt;
use std::str::FromStr;

use callboard_actor::{ErrorCode, current_baggage};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Of which larger work something is a part, by the ids of the W3C's trace context. As text and in JSON it is a `traceparent`.
///
/// As [baggage](callboard_actor::Context::add_baggage) of a turn it goes along with what the turn asks, and events that the turn
/// publishes [show it](crate::Event::trace).
///
/// ```
/// use callboard_bus::TraceContext;
///
/// let trace: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert_eq!(trace.trace_id(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
/// assert_eq!(trace.to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// # Ok::<(), callboard_bus::TraceContextError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// A text that is no [`TraceContext`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no trace: expected `00-`, 32, 16 and 2 hexadecimal digits in lower case with `-` in between, the first two not 0"
)]
pub struct TraceContextError {
    text: String,
}

impl TraceContextError {
    /// [`ErrorCode::Malformed`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::Malformed
    }
}

impl TraceContext {
    /// A part of this work, begun by this step. Nothing where one of them is 0, which stands for none.
    #[must_use]
    pub const fn new(trace_id: u128, span_id: u64) -> Option<Self> {
        if trace_id == 0 || span_id == 0 { None } else { Some(Self { trace_id, span_id, flags: 1 }) }
    }

    /// The work.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The step of it.
    #[must_use]
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// That of the turn that the calling thread is in.
    pub(crate) fn here() -> Option<Self> {
        current_baggage()?.get::<Self>().map(|trace| *trace)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize| parts.next().filter(|part| part.len() == length && part.bytes().all(is_digit));
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let [trace_id, span_id] = [trace, span].map(|digits| u128::from_str_radix(digits, 16).unwrap_or_default());
        let (span_id, flags) = (u64::try_from(span_id).ok()?, u8::from_str_radix(flags, 16).ok()?);
        let is_whole = version == "00" && parts.next().is_none();
        Self::new(trace_id, span_id).filter(|_| is_whole).map(|trace| Self { flags, ..trace })
    }
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, TraceContextError> {
        const LONGEST_SHOWN: usize = 64;
        Self::read(text).ok_or_else(|| TraceContextError { text: text.chars().take(LONGEST_SHOWN).collect() })
    }
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_trace_or_a_fault(text in "[0-9a-f]{1,2}-[0-9a-fA-F]{30,33}-[0-9a-f]{15,17}-[0-9a-f]{2}-?") {
            match text.parse::<TraceContext>() {
                Ok(trace) => prop_assert_eq!(trace.to_string(), text),
                Err(fault) => prop_assert!(fault.to_string().contains("is no trace")),
            }
        }

        #[test]
        fn it_comes_back_from_its_text(trace_id in 1u128.., span_id in 1u64..) {
            let trace = TraceContext::new(trace_id, span_id).unwrap();
            prop_assert_eq!(trace.to_string().parse(), Ok(trace));
        }
    }

    #[test]
    fn what_stands_for_none_is_none() {
        assert_eq!((TraceContext::new(0, 1), TraceContext::new(1, 0)), (None, None));
        let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        assert_eq!(zero.parse::<TraceContext>().unwrap_err().code(), ErrorCode::Malformed);
    }
}
