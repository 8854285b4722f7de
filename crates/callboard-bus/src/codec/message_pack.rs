//! Reads MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>) into values.

use std::sync::Arc;

use super::{CodecError, Limits};
use crate::value::{NotFinite, Number, Object, Value};

/// Reads one value and nothing after it.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, CodecError> {
    let mut reader = Reader { bytes, at: 0, left: limits.elements(), limits };
    let value = reader.value(0)?;
    let rest = bytes.len() - reader.at;
    if rest == 0 { Ok(value) } else { Err(malformed(reader.at, "something after the value")) }
}

type Read<T> = Result<T, CodecError>;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many elements may still come.
    left: usize,
    limits: &'a Limits,
}

/// Lengths are believed up to this many; after that, memory grows with what was really read.
const BELIEVED: usize = 64;

impl<'a> Reader<'a> {
    /// A value that is inside of so many containers.
    fn value(&mut self, inside: usize) -> Read<Value> {
        self.count(1)?;
        let begin = self.at;
        let marker = self.byte()?;
        match marker {
            0x00..=0x7f => Ok(marker.into()),
            0xe0..=0xff => Ok(marker.cast_signed().into()),
            0xc0 => Ok(Value::Null),
            0xc2 | 0xc3 => Ok(Value::Bool(marker == 0xc3)),
            0xca => self.array().map(f32::from_be_bytes).and_then(|float| finite(begin, Number::try_from(float))),
            0xcb => self.array().map(f64::from_be_bytes).and_then(|float| finite(begin, Number::try_from(float))),
            0xcc..=0xcf => self.unsigned(marker - 0xcc).map(Value::from),
            0xd0..=0xd3 => self.signed(marker - 0xd0).map(Value::from),
            0xa0..=0xbf | 0xd9..=0xdb => self.text(marker, begin).map(Value::from),
            0xc4..=0xc6 => self.bin(marker, begin, inside),
            0x90..=0x9f => self.items(usize::from(marker & 0x0f), begin, inside),
            0xdc | 0xdd => self.length(marker - 0xdc + 1).and_then(|length| self.items(length, begin, inside)),
            0x80..=0x8f => self.entries(usize::from(marker & 0x0f), begin, inside),
            0xde | 0xdf => self.length(marker - 0xde + 1).and_then(|length| self.entries(length, begin, inside)),
            0xc7..=0xc9 | 0xd4..=0xd8 => Err(malformed(begin, "an extension type, which has no form in JSON")),
            0xc1 => Err(malformed(begin, "the byte 0xc1, which MessagePack does not use")),
        }
    }

    fn items(&mut self, length: usize, begin: usize, inside: usize) -> Read<Value> {
        self.enter(length, 1, begin, inside)?;
        let mut items = Vec::with_capacity(length.min(BELIEVED));
        for _ in 0..length {
            items.push(self.value(inside + 1)?);
        }
        Ok(items.into())
    }

    fn entries(&mut self, length: usize, begin: usize, inside: usize) -> Read<Value> {
        self.enter(length, 2, begin, inside)?;
        let mut entries = Vec::with_capacity(length.min(BELIEVED));
        for _ in 0..length {
            entries.push((self.key()?, self.value(inside + 1)?));
        }
        let object = Object::from_unique(entries);
        object.map(Value::from).map_err(|key| malformed(begin, format!("an object with the key {key:?} twice")))
    }

    fn key(&mut self) -> Read<Arc<str>> {
        let begin = self.at;
        match self.byte()? {
            marker @ (0xa0..=0xbf | 0xd9..=0xdb) => self.text(marker, begin).map(Arc::from),
            _ => Err(malformed(begin, "a key that is no string")),
        }
    }

    fn text(&mut self, marker: u8, begin: usize) -> Read<&'a str> {
        let length = match marker {
            0xa0..=0xbf => usize::from(marker & 0x1f),
            _ => self.length(marker - 0xd9)?,
        };
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| malformed(begin, "a string that is not UTF-8"))
    }

    fn bin(&mut self, marker: u8, begin: usize, inside: usize) -> Read<Value> {
        let length = self.length(marker - 0xc4)?;
        self.enter(length, 1, begin, inside)?;
        self.count(length)?;
        Ok(self.take(length)?.iter().map(|&byte| byte.into()).collect())
    }

    /// Checks what a container says of itself before anything is made of it. An item takes at least so many bytes.
    fn enter(&self, length: usize, least: usize, begin: usize, inside: usize) -> Read<()> {
        let (limit, rest) = (self.limits.depth(), self.bytes.len() - self.at);
        if inside >= limit {
            return Err(CodecError::TooDeep { at: begin, limit });
        }
        if length > self.left {
            return Err(CodecError::TooMany { at: begin, limit: self.limits.elements() });
        }
        let is_there = length.checked_mul(least).is_some_and(|needed| needed <= rest);
        if is_there { Ok(()) } else { Err(malformed(begin, format!("{length} items announced and {rest} bytes left"))) }
    }

    fn count(&mut self, elements: usize) -> Read<()> {
        let too_many = CodecError::TooMany { at: self.at, limit: self.limits.elements() };
        self.left = self.left.checked_sub(elements).ok_or(too_many)?;
        Ok(())
    }

    /// A length of 1, 2 or 4 bytes, which are 2 to the given power.
    fn length(&mut self, power: u8) -> Read<usize> {
        let (at, length) = (self.at, self.unsigned(power)?);
        usize::try_from(length).map_err(|_| malformed(at, format!("a length of {length}")))
    }

    /// A whole number of 1, 2, 4 or 8 bytes, which are 2 to the given power.
    fn unsigned(&mut self, power: u8) -> Read<u64> {
        let bytes = self.take(1 << power)?;
        Ok(bytes.iter().fold(0, |whole, &byte| whole << 8 | u64::from(byte)))
    }

    /// The same with a sign, which is the first bit.
    fn signed(&mut self, power: u8) -> Read<i64> {
        let unused = 64 - (8 << power);
        let whole = self.unsigned(power)?;
        Ok((whole << unused).cast_signed() >> unused)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let begin = self.at;
        self.take(N)?.try_into().map_err(|_| malformed(begin, "a number that ends too soon"))
    }

    fn byte(&mut self) -> Read<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..length) else {
            return Err(malformed(self.bytes.len(), "an end that comes too soon"));
        };
        self.at += length;
        Ok(taken)
    }
}

fn finite(at: usize, number: Result<Number, NotFinite>) -> Read<Value> {
    number.map(Value::Number).map_err(|_| malformed(at, "a number that is not finite"))
}

fn malformed(at: usize, reason: impl Into<String>) -> CodecError {
    CodecError::Malformed { at, reason: reason.into() }
}
