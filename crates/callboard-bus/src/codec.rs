//! Values as bytes: MessagePack, or JSON text where a person or another language reads along.
//!
//! ```
//! use callboard_bus::codec::{Limits, decode, decode_json, encode};
//!
//! let bytes = encode(&("ab", [1, 2]))?;
//! assert_eq!(bytes, [0x92, 0xa2, b'a', b'b', 0x92, 1, 2]);
//! assert_eq!(decode::<(String, Vec<u8>)>(&bytes, &Limits::default())?, ("ab".to_owned(), vec![1, 2]));
//!
//! let fault = decode_json::<Vec<u8>>(br#"[1, {"a": 1, "a": 2}]"#, &Limits::default()).expect_err("a key comes twice");
//! assert_eq!(fault.code(), "malformed");
//! # Ok::<(), callboard_bus::codec::CodecError>(())
//! ```
//!
//! # One document, two faces
//!
//! Both faces carry a [`Value`], so they carry the same: structs are maps with named fields, enums are tagged as
//! serde_json tags them, keys are text, and an address or an id has the form that people read. What can be encoded can
//! be decoded, and by the other face as well. MessagePack is written by rmp-serde; it is read here, as its reader takes
//! a string that is not UTF-8 for bytes and does not say where it stopped.
//!
//! JSON has no bytes. Bytes are written as an array of numbers; those that a foreign sender wrote as `bin` are read as
//! one, each of them counted as an element. A `Vec<u8>` reads from either, and so does a field with `serde_bytes`. What
//! is too large for that belongs into a store, with its name in the message.
//!
//! # Guards
//!
//! Input is not trusted. [`Limits`] hold before memory is committed: a declared length is compared with what is there,
//! and never believed. Bytes after the value, a key that is no text or comes twice, extension types and numbers that
//! are not finite are `malformed`.

mod json;
mod limits;
mod message_pack;

use std::error::Error;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use self::limits::Limits;
use crate::value::{Value, ValueError, from_value};

/// Why bytes could not be made or could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// Arrays and objects inside each other, too many.
    #[error("nested deeper than {limit} levels at byte {at}")]
    TooDeep {
        /// The offset of the container that is too much.
        at: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Too many values in all.
    #[error("more than {limit} elements at byte {at}")]
    TooMany {
        /// The offset where that was seen.
        at: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Too many bytes in all.
    #[error("{length} bytes, more than {limit}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// How many there may be.
        limit: usize,
    },
    /// No value of the format, or one that could be read in two ways.
    #[error("{reason} at byte {at}")]
    Malformed {
        /// The offset of the fault.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// A value, but not of the type that was asked for; or data that JSON has no words for. The error inside says where.
    #[error(transparent)]
    Unfit(#[from] ValueError),
}

impl CodecError {
    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooDeep { .. } => "nesting_too_deep",
            Self::TooMany { .. } | Self::TooLong { .. } => "payload_too_large",
            Self::Malformed { .. } => "malformed",
            Self::Unfit(fault) => fault.code(),
        }
    }

    /// The offset in bytes, where there is one.
    #[must_use]
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::TooDeep { at, .. } | Self::TooMany { at, .. } | Self::Malformed { at, .. } => Some(*at),
            Self::TooLong { .. } | Self::Unfit(_) => None,
        }
    }
}

/// The MessagePack of `data`.
///
/// # Errors
///
/// Data that JSON has no words for, see [`Value::from_serialize`].
pub fn encode<T: Serialize + ?Sized>(data: &T) -> Result<Vec<u8>, CodecError> {
    encode_value(&Value::from_serialize(data)?)
}

/// The MessagePack of a value.
///
/// # Errors
///
/// A value nested deeper than [`Value::MAX_DEPTH`].
pub fn encode_value(value: &Value) -> Result<Vec<u8>, CodecError> {
    rmp_serde::to_vec_named(value).map_err(|fault| unfit(&fault))
}

/// Typed data out of MessagePack.
///
/// # Errors
///
/// Those of [`decode_value`], and a value that does not fit `T`, with the path to what does not.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, CodecError> {
    Ok(from_value(&decode_value(bytes, limits)?)?)
}

/// A value out of MessagePack.
///
/// # Errors
///
/// More than the limits allow, or no MessagePack of a value; with the offset.
pub fn decode_value(bytes: &[u8], limits: &Limits) -> Result<Value, CodecError> {
    limits.check_length(bytes)?;
    message_pack::read(bytes, limits)
}

/// The JSON text of `data`, compact.
///
/// # Errors
///
/// Data that JSON has no words for, see [`Value::from_serialize`].
pub fn encode_json<T: Serialize + ?Sized>(data: &T) -> Result<Vec<u8>, CodecError> {
    encode_json_value(&Value::from_serialize(data)?)
}

/// The JSON text of a value, compact.
///
/// # Errors
///
/// A value nested deeper than [`Value::MAX_DEPTH`].
pub fn encode_json_value(value: &Value) -> Result<Vec<u8>, CodecError> {
    serde_json::to_vec(value).map_err(|fault| unfit(&fault))
}

/// Typed data out of JSON text.
///
/// # Errors
///
/// Those of [`decode_json_value`], and a value that does not fit `T`, with the path to what does not.
pub fn decode_json<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, CodecError> {
    Ok(from_value(&decode_json_value(bytes, limits)?)?)
}

/// A value out of JSON text.
///
/// # Errors
///
/// More than the limits allow, or no JSON of a value; with the offset.
pub fn decode_json_value(bytes: &[u8], limits: &Limits) -> Result<Value, CodecError> {
    limits.check_length(bytes)?;
    json::read(bytes, limits)
}

/// A fault of a writer. They write into memory, so it comes from the value.
fn unfit(fault: &dyn Error) -> CodecError {
    CodecError::Unfit(ValueError::new(fault))
}

#[cfg(test)]
mod tests;
