//! Typed data out of values.

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::depth::Depth;
use super::{Number, Object, Value, ValueError};

/// Reads typed data out of a value; text that `T` borrows is borrowed from the value.
///
/// An array of numbers reads as bytes too, so that a field is free to be either.
///
/// # Errors
///
/// What does not fit `T`, with the path to it: `at data.items[3].price: expected f64, found string "x"`; and nesting
/// deeper than [`Value::MAX_DEPTH`].
pub fn from_value<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, ValueError> {
    T::deserialize(Reader { value, depth: Depth::default() })
}

#[derive(Clone, Copy)]
struct Reader<'de> {
    value: &'de Value,
    depth: Depth,
}

impl<'de> Reader<'de> {
    /// The same value, out of an option or a newtype.
    fn unwrapped(self) -> Result<Self, ValueError> {
        Ok(Self { depth: self.depth.wrap()?, ..self })
    }

    fn array<V: Visitor<'de>>(self, items: &'de [Value], visitor: V) -> Result<V::Value, ValueError> {
        let mut rest = Items { items, next: 0, depth: self.depth.enter()? };
        let read = visitor.visit_seq(&mut rest)?;
        let is_all = rest.next == items.len();
        if is_all { Ok(read) } else { Err(too_many("items", rest.next, items.len())) }
    }

    fn object<V: Visitor<'de>>(self, object: &'de Object, visitor: V) -> Result<V::Value, ValueError> {
        let entries = object.entries();
        let mut rest = Entries { entries, next: 0, depth: self.depth.enter()? };
        let read = visitor.visit_map(&mut rest)?;
        let is_all = rest.next == entries.len();
        if is_all { Ok(read) } else { Err(too_many("entries", rest.next, entries.len())) }
    }

    fn unexpected(self) -> Unexpected<'de> {
        match self.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(flag) => Unexpected::Bool(*flag),
            Value::Number(number) => unexpected_number(*number),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }
}

fn too_many(what: &str, read: usize, given: usize) -> ValueError {
    ValueError::new(format_args!("expected {read} {what}, found {given}"))
}

fn unexpected_number(number: Number) -> Unexpected<'static> {
    match (number.as_u64(), number.as_i64()) {
        (Some(large), _) => Unexpected::Unsigned(large),
        (None, Some(whole)) => Unexpected::Signed(whole),
        (None, None) => Unexpected::Float(number.as_f64()),
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, ValueError> {
    match (number.as_u64(), number.as_i64()) {
        (Some(large), _) => visitor.visit_u64(large),
        (None, Some(whole)) => visitor.visit_i64(whole),
        (None, None) => visitor.visit_f64(number.as_f64()),
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => visit_number(*number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => self.array(items, visitor),
            Value::Object(object) => self.object(object, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self.unwrapped()?) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self.unwrapped()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.value {
            Value::String(name) => visitor.visit_enum(Variant { name, content: None }),
            Value::Object(object) => match object.entries() {
                [(name, value)] => {
                    let content = Reader { value, depth: self.depth.enter()? };
                    visitor.visit_enum(Variant { name, content: Some(content) })
                }
                several => Err(too_many("entry, named like a variant", 1, several.len())),
            },
            _ => {
                Err(ValueError::invalid_type(self.unexpected(), &"the name of a variant, or an object named like one"))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de> {
    items: &'de [Value],
    next: usize,
    /// That of what is inside.
    depth: Depth,
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = ValueError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ValueError> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let read =
            seed.deserialize(Reader { value: item, depth: self.depth }).map_err(|fault| fault.inside(self.next))?;
        self.next += 1;
        Ok(Some(read))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Entries<'de> {
    entries: &'de [(std::sync::Arc<str>, Value)],
    next: usize,
    /// That of what is inside.
    depth: Depth,
}

impl<'de> MapAccess<'de> for &mut Entries<'de> {
    type Error = ValueError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ValueError> {
        let Some((key, _)) = self.entries.get(self.next) else { return Ok(None) };
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ValueError> {
        let (key, value) = self.entries.get(self.next).ok_or_else(|| ValueError::new("a value was read twice"))?;
        self.next += 1;
        seed.deserialize(Reader { value, depth: self.depth }).map_err(|fault| fault.inside(key.clone()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len() - self.next)
    }
}

/// A key of an object. It is text, and may be asked to be a number or a boolean.
struct Key<'de>(&'de str);

macro_rules! read_key {
    ($($method:ident => $visit:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            match self.0.parse() {
                Ok(read) => visitor.$visit(read),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_enum(Variant { name: self.0, content: None })
    }

    read_key!(deserialize_bool => visit_bool);
    read_key!(deserialize_i8 => visit_i64, deserialize_i16 => visit_i64, deserialize_i32 => visit_i64);
    read_key!(deserialize_i64 => visit_i64, deserialize_i128 => visit_i128, deserialize_u8 => visit_u64);
    read_key!(deserialize_u16 => visit_u64, deserialize_u32 => visit_u64, deserialize_u64 => visit_u64);
    read_key!(deserialize_u128 => visit_u128, deserialize_f32 => visit_f64, deserialize_f64 => visit_f64);

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// An enum: the name of a variant and perhaps its content.
struct Variant<'de> {
    name: &'de str,
    content: Option<Reader<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), ValueError> {
        let variant = seed.deserialize(StrDeserializer::<ValueError>::new(self.name))?;
        Ok((variant, self))
    }
}

impl<'de> Variant<'de> {
    /// Reads the content; for a name alone it says what is missing.
    fn content<T>(
        self,
        expected: &'static str,
        read: impl FnOnce(Reader<'de>) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        let content = self.content.ok_or_else(|| ValueError::invalid_type(Unexpected::UnitVariant, &expected))?;
        read(content).map_err(|fault| fault.inside(self.name))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        if self.content.is_none() { Ok(()) } else { self.content("null", <()>::deserialize) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, ValueError> {
        self.content("a variant with a value", |reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.content("a variant with items", |reader| reader.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, ValueError> {
        self.content("a variant with fields", |reader| reader.deserialize_map(visitor))
    }
}
