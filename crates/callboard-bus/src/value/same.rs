//! Equality of values, without recursion.

use super::{Object, Value};

type Pairs<'a> = Vec<(&'a Value, &'a Value)>;

impl PartialEq for Value {
    /// Numbers are equal by what they are worth, objects whatever the order of their keys.
    fn eq(&self, other: &Self) -> bool {
        let mut pending = Vec::new();
        let mut same = compare(self, other, &mut pending);
        while let (true, Some((one, other))) = (same, pending.pop()) {
            same = compare_children(one, other, &mut pending);
        }
        same
    }
}

impl Eq for Value {}

/// Compares what needs no further look; containers are left for later.
fn compare<'a>(one: &'a Value, other: &'a Value, pending: &mut Pairs<'a>) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Array(one_items), Value::Array(other_items)) => {
            pending.extend((!one_items.is_same(other_items)).then_some((one, other)));
            one_items.len() == other_items.len()
        }
        (Value::Object(one_object), Value::Object(other_object)) => {
            pending.extend((!one_object.is_same(other_object)).then_some((one, other)));
            one_object.len() == other_object.len()
        }
        _ => false,
    }
}

fn compare_children<'a>(one: &'a Value, other: &'a Value, pending: &mut Pairs<'a>) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other.iter()).all(|(one, other)| compare(one, other, pending))
        }
        (Value::Object(one), Value::Object(other)) => compare_entries(one, other, pending),
        _ => false,
    }
}

fn compare_entries<'a>(one: &'a Object, other: &'a Object, pending: &mut Pairs<'a>) -> bool {
    one.iter().all(|(key, value)| other.get(key).is_some_and(|other| compare(value, other, pending)))
}
