//! How much a sender may ask of a reader.

use serde::{Deserialize, Serialize};

use super::CodecError;
use crate::value::Value;

/// What a payload may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    max_depth: usize,
    max_elements: usize,
    max_bytes: usize,
}

impl Default for Limits {
    /// 64 levels, 1,000,000 elements, 16 MiB.
    fn default() -> Self {
        Self { max_depth: 64, max_elements: 1_000_000, max_bytes: 16 << 20 }
    }
}

impl Limits {
    /// How many arrays and objects may be inside each other; more than [`Value::MAX_DEPTH`] counts as that.
    #[must_use]
    pub const fn max_depth(mut self, levels: usize) -> Self {
        self.max_depth = levels;
        self
    }

    /// How many values there may be in all, those in arrays and objects and the containers themselves. Keys are not
    /// counted, each byte of a `bin` is.
    #[must_use]
    pub const fn max_elements(mut self, elements: usize) -> Self {
        self.max_elements = elements;
        self
    }

    /// How many bytes there may be in all.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    pub(super) fn depth(&self) -> usize {
        self.max_depth.min(Value::MAX_DEPTH)
    }

    pub(super) const fn elements(&self) -> usize {
        self.max_elements
    }

    pub(super) const fn check_length(&self, bytes: &[u8]) -> Result<(), CodecError> {
        let (length, limit) = (bytes.len(), self.max_bytes);
        if length > limit { Err(CodecError::TooLong { length, limit }) } else { Ok(()) }
    }
}
