//! Values from whatever serde reads, with guards that hold before memory is committed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Brief, Number, Object, Value};

impl<'de> Deserialize<'de> for Value {
    /// # Errors
    ///
    /// Besides those of the format: a key that is no text or comes twice, a number that is not finite, and nesting
    /// deeper than [`Value::MAX_DEPTH`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Intake::new(Self::MAX_DEPTH, usize::MAX).receiver().deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(object) => Ok(object),
            other => Err(Error::custom(format_args!("expected an object, found {}", Brief(&other)))),
        }
    }
}

/// Why a value is not taken in, besides faults of its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooDeep { limit: usize },
    TooMany { limit: usize },
    RepeatedKey(Arc<str>),
    NotFinite,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep { limit } => write!(f, "nested deeper than {limit} levels"),
            Self::TooMany { limit } => write!(f, "more than {limit} elements"),
            Self::RepeatedKey(key) => write!(f, "the key {key:?} comes twice"),
            Self::NotFinite => f.write_str("a number that is not finite"),
        }
    }
}

/// What may be taken in, and how much of it is left. The error of a format is a text to us, so what we refused is kept
/// beside it.
pub(crate) struct Intake {
    depth: usize,
    elements: usize,
    left: Cell<usize>,
    refusal: RefCell<Option<Refusal>>,
}

impl Intake {
    pub(crate) fn new(depth: usize, elements: usize) -> Self {
        Self { depth, elements, left: Cell::new(elements), refusal: RefCell::default() }
    }

    pub(crate) fn receiver(&self) -> Receiver<'_> {
        Receiver { intake: self, inside: 0 }
    }

    /// What was refused, if that is what the last error was about.
    pub(crate) fn into_refusal(self) -> Option<Refusal> {
        self.refusal.into_inner()
    }

    fn refuse<E: Error>(&self, refusal: Refusal) -> E {
        let error = E::custom(&refusal);
        self.refusal.replace(Some(refusal));
        error
    }

    fn count<E: Error>(&self, elements: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(elements);
        self.left.set(left.ok_or_else(|| self.refuse(Refusal::TooMany { limit: self.elements }))?);
        Ok(())
    }
}

/// Takes in one value and what is inside of it.
#[derive(Clone, Copy)]
pub(crate) struct Receiver<'a> {
    intake: &'a Intake,
    /// How many containers are around it.
    inside: usize,
}

impl Receiver<'_> {
    fn enter<E: Error>(self) -> Result<Self, E> {
        let limit = self.intake.depth;
        let is_room = self.inside < limit;
        let inner = Self { inside: self.inside + 1, ..self };
        if is_room { Ok(inner) } else { Err(self.intake.refuse(Refusal::TooDeep { limit })) }
    }

    fn object<E: Error>(self, entries: Vec<(Arc<str>, Value)>) -> Result<Value, E> {
        let object = Object::from_unique(entries);
        object.map(Value::Object).map_err(|key| self.intake.refuse(Refusal::RepeatedKey(key)))
    }
}

impl<'de> DeserializeSeed<'de> for Receiver<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.intake.count(1)?;
        deserializer.deserialize_any(self)
    }
}

/// Lengths that a sender declares are believed up to this many.
const BELIEVED: usize = 64;

impl<'de> Visitor<'de> for Receiver<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a boolean, a number, a string, an array or an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_f32<E: Error>(self, float: f32) -> Result<Value, E> {
        Number::try_from(float).map(Value::Number).map_err(|_| self.intake.refuse(Refusal::NotFinite))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Value, E> {
        Number::try_from(float).map(Value::Number).map_err(|_| self.intake.refuse(Refusal::NotFinite))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    /// JSON has no bytes: they become an array of numbers, which is how `Vec<u8>` is written there.
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
        let Self { intake, .. } = self.enter()?;
        intake.count(bytes.len())?;
        Ok(bytes.iter().map(|&byte| byte.into()).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut items = Vec::with_capacity(access.size_hint().unwrap_or(0).min(BELIEVED));
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut entries = Vec::with_capacity(access.size_hint().unwrap_or(0).min(BELIEVED));
        while let Some(key) = access.next_key_seed(Key)? {
            entries.push((key, access.next_value_seed(inner)?));
        }
        self.object(entries)
    }
}

/// Takes in a key, which is text and nothing else.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Arc<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Arc<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string as key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Arc<str>, E> {
        Ok(key.into())
    }

    fn visit_string<E: Error>(self, key: String) -> Result<Arc<str>, E> {
        Ok(key.into())
    }
}
