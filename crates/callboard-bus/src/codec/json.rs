//! Reads JSON text into values.

use serde::de::DeserializeSeed;

use super::{CodecError, Limits};
use crate::value::{Intake, Refusal, Value};

/// Reads one value and nothing after it.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, CodecError> {
    let intake = Intake::new(limits.depth(), limits.elements());
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = intake.receiver().deserialize(&mut reader);
    let whole = read.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|fault| codec_error(&fault, intake.into_refusal(), bytes))
}

fn codec_error(fault: &serde_json::Error, refusal: Option<Refusal>, bytes: &[u8]) -> CodecError {
    let at = offset(bytes, fault.line(), fault.column());
    match refusal {
        Some(Refusal::TooDeep { limit }) => CodecError::TooDeep { at, limit },
        Some(Refusal::TooMany { limit }) => CodecError::TooMany { at, limit },
        Some(Refusal::RepeatedKey(key)) => {
            CodecError::Malformed { at, reason: format!("an object with the key {key:?} twice") }
        }
        Some(refusal @ Refusal::NotFinite) => CodecError::Malformed { at, reason: refusal.to_string() },
        None => CodecError::Malformed { at, reason: without_place(fault) },
    }
}

/// serde_json counts lines and columns from 1, columns in bytes; the column of a fault is that of the last byte read.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

/// The text of a fault ends with its line and column, which we say as an offset.
fn without_place(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let place = format!(" at line {} column {}", fault.line(), fault.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}
