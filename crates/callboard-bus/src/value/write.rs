//! Values out of whatever serde can serialise, and values serialised.

mod collect;

use std::fmt;
use std::sync::Arc;

use serde::ser::{self, Serialize, Serializer};

use self::collect::{Fields, Items, Tagged};
use super::depth::Depth;
use super::{Array, Number, Object, Segment, Value, ValueError};

impl Value {
    /// The value that `data` is in JSON: enums as serde_json tags them, bytes as an array of numbers, and types that
    /// have a form for people (an address, an id) in that form.
    ///
    /// # Errors
    ///
    /// What JSON has no words for, with the path to it: keys that are neither text nor numbers nor booleans, numbers
    /// that are not finite or need more than 64 bits, and nesting deeper than [`MAX_DEPTH`](Self::MAX_DEPTH).
    pub fn from_serialize<T: Serialize + ?Sized>(data: &T) -> Result<Self, ValueError> {
        data.serialize(Writer::default())
    }
}

impl Serialize for Value {
    /// # Errors
    ///
    /// Nesting deeper than [`Value::MAX_DEPTH`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Inside(Depth::default(), self).serialize(serializer)
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::Array(self.clone()).serialize(serializer)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::Object(self.clone()).serialize(serializer)
    }
}

/// A value and where it is.
struct Inside<'a>(Depth, &'a Value);

impl Serialize for Inside<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => {
                let depth = self.0.enter().map_err(ser::Error::custom)?;
                serializer.collect_seq(items.iter().map(|item| Inside(depth, item)))
            }
            Value::Object(object) => {
                let depth = self.0.enter().map_err(ser::Error::custom)?;
                serializer.collect_map(object.iter().map(|(key, item)| (&**key, Inside(depth, item))))
            }
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.as_u64(), self.as_i64()) {
            (Some(large), _) => serializer.serialize_u64(large),
            (None, Some(whole)) => serializer.serialize_i64(whole),
            (None, None) => serializer.serialize_f64(self.as_f64()),
        }
    }
}

/// Makes a value of what is serialised into it.
#[derive(Clone, Copy, Default)]
struct Writer {
    depth: Depth,
}

impl Writer {
    fn enter(self) -> Result<Self, ValueError> {
        Ok(Self { depth: self.depth.enter()? })
    }

    fn wrap(self) -> Result<Self, ValueError> {
        Ok(Self { depth: self.depth.wrap()? })
    }

    fn write<T: Serialize + ?Sized>(self, data: &T, segment: impl Into<Segment>) -> Result<Value, ValueError> {
        data.serialize(self).map_err(|fault| fault.inside(segment))
    }
}

macro_rules! write_whole {
    ($($method:ident: $whole:ty),*) => {
        $(fn $method(self, whole: $whole) -> Result<Value, ValueError> {
            Ok(whole.into())
        })*
    };
}

impl Serializer for Writer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Tagged<Items>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Tagged<Fields>;

    write_whole!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    write_whole!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    write_whole!(serialize_bool: bool, serialize_str: &str);

    fn serialize_i128(self, whole: i128) -> Result<Value, ValueError> {
        let small = i64::try_from(whole).map(Value::from).or_else(|_| u64::try_from(whole).map(Value::from));
        small.map_err(|_| ValueError::new(format_args!("{whole} needs more than 64 bits")))
    }

    fn serialize_u128(self, whole: u128) -> Result<Value, ValueError> {
        u64::try_from(whole)
            .map(Value::from)
            .map_err(|_| ValueError::new(format_args!("{whole} needs more than 64 bits")))
    }

    fn serialize_f32(self, float: f32) -> Result<Value, ValueError> {
        Number::try_from(float).map(Value::Number).map_err(ValueError::new)
    }

    fn serialize_f64(self, float: f64) -> Result<Value, ValueError> {
        Value::try_from(float).map_err(ValueError::new)
    }

    fn serialize_char(self, letter: char) -> Result<Value, ValueError> {
        Ok(Value::from(&*letter.encode_utf8(&mut [0; 4])))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, ValueError> {
        self.enter()?;
        Ok(bytes.iter().map(|&byte| byte.into()).collect())
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, data: &T) -> Result<Value, ValueError> {
        data.serialize(self.wrap()?)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, ValueError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, ValueError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, data: &T) -> Result<Value, ValueError> {
        data.serialize(self.wrap()?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        data: &T,
    ) -> Result<Value, ValueError> {
        let value = self.enter()?.write(data, variant)?;
        Ok(Object::from([(variant, value)]).into())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, ValueError> {
        Items::new(self.enter()?, length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, ValueError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, ValueError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Tagged<Items>, ValueError> {
        Ok(Tagged { variant, content: self.enter()?.serialize_seq(Some(length))? })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Fields, ValueError> {
        Fields::new(self.enter()?, length)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Fields, ValueError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Tagged<Fields>, ValueError> {
        Ok(Tagged { variant, content: self.enter()?.serialize_map(Some(length))? })
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, text: &T) -> Result<Value, ValueError> {
        Ok(Value::String(Arc::from(text.to_string())))
    }
}
