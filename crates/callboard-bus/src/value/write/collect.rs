//! The containers that a value is being written into.

use std::sync::Arc;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::super::{Object, Value, ValueError};
use super::Writer;

/// Lengths that a type declares are believed up to this many.
const BELIEVED: usize = 1024;

/// An array of which some items are there.
pub(super) struct Items {
    writer: Writer,
    items: Vec<Value>,
}

impl Items {
    pub(super) fn new(writer: Writer, length: Option<usize>) -> Result<Self, ValueError> {
        Ok(Self { writer, items: Vec::with_capacity(length.unwrap_or(0).min(BELIEVED)) })
    }

    fn push<T: Serialize + ?Sized>(&mut self, data: &T) -> Result<(), ValueError> {
        let item = self.writer.write(data, self.items.len())?;
        self.items.push(item);
        Ok(())
    }
}

/// An object of which some entries are there.
pub(super) struct Fields {
    writer: Writer,
    entries: Vec<(Arc<str>, Value)>,
    /// The key whose value comes next.
    key: Option<Arc<str>>,
}

impl Fields {
    pub(super) fn new(writer: Writer, length: Option<usize>) -> Result<Self, ValueError> {
        Ok(Self { writer, entries: Vec::with_capacity(length.unwrap_or(0).min(BELIEVED)), key: None })
    }

    fn put<T: Serialize + ?Sized>(&mut self, key: Arc<str>, data: &T) -> Result<(), ValueError> {
        let value = self.writer.write(data, key.clone())?;
        self.entries.push((key, value));
        Ok(())
    }

    fn finish(self) -> Value {
        Object::from_iter(self.entries).into()
    }
}

/// The content of an enum variant that will be tagged with its name.
pub(super) struct Tagged<C> {
    pub(super) variant: &'static str,
    pub(super) content: C,
}

fn tag(variant: &'static str, content: Value) -> Value {
    Object::from([(variant, content)]).into()
}

/// A key is text; numbers and booleans become text, as they do in serde_json.
fn as_key<T: Serialize + ?Sized>(key: &T) -> Result<Arc<str>, ValueError> {
    match key.serialize(Writer::default())? {
        Value::String(text) => Ok(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string().into()),
        other => Err(ValueError::new(format_args!("expected a string as key, found {}", other.kind()))),
    }
}

impl SerializeSeq for Items {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, data: &T) -> Result<(), ValueError> {
        self.push(data)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.items.into())
    }
}

impl SerializeTuple for Items {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, data: &T) -> Result<(), ValueError> {
        self.push(data)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.items.into())
    }
}

impl SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, data: &T) -> Result<(), ValueError> {
        self.push(data)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.items.into())
    }
}

impl SerializeTupleVariant for Tagged<Items> {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, data: &T) -> Result<(), ValueError> {
        self.content.push(data).map_err(|fault| fault.inside(self.variant))
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(tag(self.variant, self.content.items.into()))
    }
}

impl SerializeMap for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(as_key(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, data: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| ValueError::new("a value came before its key"))?;
        self.put(key, data)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl SerializeStruct for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, data: &T) -> Result<(), ValueError> {
        self.put(key.into(), data)
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(self.finish())
    }
}

impl SerializeStructVariant for Tagged<Fields> {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, data: &T) -> Result<(), ValueError> {
        self.content.put(key.into(), data).map_err(|fault| fault.inside(self.variant))
    }

    fn end(self) -> Result<Value, ValueError> {
        Ok(tag(self.variant, self.content.finish()))
    }
}
