use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::*;

fn value(json: Json) -> Value {
    Value::from(json)
}

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

/// JSON of some depth, with keys that meet again.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Json::from),
            prop::collection::btree_map("[a-e]{0,2}", inner, 0..12)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    id: u64,
    debt: i64,
    ratio: f32,
    letter: char,
    note: Option<String>,
    wait: Duration,
    bytes: Vec<u8>,
    pair: (u8, String),
    shapes: Vec<Shape>,
    by_number: BTreeMap<i16, bool>,
    by_flag: BTreeMap<bool, u8>,
    by_shape: HashMap<Name, ()>,
    host: std::net::IpAddr,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Name {
    Left,
    Right,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Nothing,
    Square(f64),
    Box(u8, u8, u8),
    Named { name: Name },
}

fn everything() -> Everything {
    Everything {
        id: u64::MAX,
        debt: i64::MIN,
        ratio: 0.1,
        letter: 'ß',
        note: None,
        wait: Duration::from_millis(1500),
        bytes: vec![0, 127, 255],
        pair: (7, "seven".to_owned()),
        shapes: vec![Shape::Nothing, Shape::Square(1.5), Shape::Box(1, 2, 3), Shape::Named { name: Name::Left }],
        by_number: [(-3, true), (4, false)].into(),
        by_flag: [(true, 1)].into(),
        by_shape: [(Name::Right, ())].into(),
        host: [127, 0, 0, 1].into(),
    }
}

#[test]
fn typed_data_goes_through_a_value_as_through_serde_json() {
    let made = Value::from_serialize(&everything()).unwrap();
    assert_eq!(from_value::<Everything>(&made).unwrap(), everything());
    // serde_json widens the f32 before it prints it.
    let ratio = Object::from([("ratio", Value::try_from(f64::from(0.1f32)).unwrap())]);
    let widened = made.as_object().unwrap().merged(&ratio);
    assert_eq!(Value::from(widened), value(serde_json::to_value(everything()).unwrap()));
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Order {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Item {
    price: f64,
    shape: Option<Shape>,
    #[serde(default)]
    odd: HashMap<String, u8>,
}

#[test]
fn a_fault_names_its_place_and_what_was_found() {
    let fault = |item: Json| {
        let order = value(json!({ "items": [{ "price": 1 }, item] }));
        from_value::<Order>(&order).unwrap_err()
    };
    let texts = [
        (json!({ "price": "x" }), "at items[1].price: expected f64, found string \"x\""),
        (json!({}), "at items[1]: missing field `price`"),
        (json!(7), "at items[1]: expected struct Item, found integer `7`"),
        (json!({ "price": null }), "at items[1].price: expected f64, found null"),
        (json!({ "price": 1, "odd": { "a b": [] } }), "at items[1].odd[\"a b\"]: expected u8, found an array"),
        (json!({ "price": 1, "odd": { "a": 300 } }), "at items[1].odd.a: expected u8, found integer `300`"),
        (json!({ "price": 1, "shape": { "square": {} } }), "at items[1].shape.square: expected f64, found an object"),
        (
            json!({ "price": 1, "shape": "square" }),
            "at items[1].shape: expected a variant with a value, found unit variant",
        ),
        (
            json!({ "price": 1, "shape": { "box": [1, 2] } }),
            "at items[1].shape.box: invalid length 2, expected tuple variant Shape::Box with 3 elements",
        ),
        (json!({ "price": 1, "shape": { "box": [1, 2, 3, 4] } }), "at items[1].shape.box: expected 3 items, found 4"),
        (json!({ "price": 1, "shape": {} }), "at items[1].shape: expected 1 entry, named like a variant, found 0"),
    ];
    for (item, text) in texts {
        assert_eq!(fault(item).to_string(), text);
    }
    let fault = fault(json!({ "price": "x" }));
    assert_eq!((fault.path(), fault.reason()), (path("items[1].price"), "expected f64, found string \"x\""));
}

#[test]
fn what_json_cannot_say_is_refused_with_its_place() {
    let fault = |data: &dyn Fn() -> Result<Value, ValueError>| data().unwrap_err().to_string();
    let not_finite = "at b[1]: inf cannot be written as JSON; use null or a text for it";
    assert_eq!(fault(&|| Value::from_serialize(&BTreeMap::from([("b", [1.0, f64::INFINITY])]))), not_finite);
    let large = "at [0]: 340282366920938463463374607431768211455 needs more than 64 bits";
    assert_eq!(fault(&|| Value::from_serialize(&[u128::MAX])), large.replace("at [0]", "at $[0]"));
    let key = "expected a string as key, found an array";
    assert_eq!(fault(&|| Value::from_serialize(&BTreeMap::from([([1], 1)]))), key);
}

#[test]
fn paths_lead_into_a_value() {
    let whole = value(json!({ "a": { "b": [{ "c": 1 }, { "c": 2 }], "0": "zero" } }));
    for text in ["a.b[1].c", "a.b.1.c", "/a/b/1/c"] {
        assert_eq!(whole.get(&path(text)), Some(&Value::from(2)), "{text}");
    }
    assert_eq!(whole.get(&path("a[0]")), Some(&Value::from("zero")));
    assert_eq!(whole.get(&Path::root()), Some(&whole));
    for text in ["a.b[2]", "a.b.c", "a.x", "a.b[0].c.d", "/a/b/01"] {
        assert_eq!(whole.get(&path(text)), None, "{text}");
    }
}

#[test]
fn an_object_keeps_its_order_and_shares_its_entries() {
    let one = Object::from([("z", 1), ("a", 2), ("z", 3)]);
    assert_eq!(Value::from(one.clone()).to_string(), r#"{"z":3,"a":2}"#);
    let merged = one.merged(&Object::from([("b", "x"), ("z", "y")]));
    assert_eq!(Value::from(merged.clone()).to_string(), r#"{"z":"y","a":2,"b":"x"}"#);
    assert_eq!(Value::from(one.with("c", true)).to_string(), r#"{"z":3,"a":2,"c":true}"#);
    let text = |object: &Object, key| object.get(key).and_then(Value::as_str).map(str::as_ptr);
    assert_eq!(text(&merged, "b"), text(&merged.with("more", 1), "b"));
    assert_eq!(Object::from([("a", 1), ("b", 2)]), Object::from([("b", 2), ("a", 1)]));
    assert_ne!(Object::from([("a", 1)]), Object::from([("b", 1)]));
}

/// A value that no parser would let through.
fn nested(levels: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(Value::from(1), |inner, _| wrap(inner))
}

#[test]
fn depth_takes_no_stack() {
    const LEVELS: usize = 100_000;
    for wrap in [|inner| Value::from(vec![inner]), |inner| Value::from(Object::from([("a", inner)]))] {
        let (one, other) = (nested(LEVELS, wrap), nested(LEVELS, wrap));
        assert!(one == other);
        assert!(one != nested(LEVELS + 1, wrap));
        assert!(one.to_string().len() > LEVELS);
        let fault = Value::from_serialize(&one).unwrap_err();
        assert_eq!(fault.reason(), "more than 127 arrays and objects inside each other");
        assert_eq!(from_value::<Json>(&one).unwrap_err().path().segments().len(), Value::MAX_DEPTH);
        assert!(serde_json::to_string(&one).is_err());
        assert!(Json::try_from(&one).is_err());
    }
    let mut json = Json::from(1);
    for _ in 0..LEVELS {
        json = Json::from(vec![json]);
    }
    assert_eq!(Value::from(json), nested(LEVELS, |inner| Value::from(vec![inner])));
}

#[test]
fn the_last_of_many_holders_drops_a_deep_value() {
    let whole = nested(100_000, |inner| vec![inner].into());
    let holders: Vec<_> = (0..8).map(|_| whole.clone()).collect();
    drop(whole);
    std::thread::scope(|scope| {
        for holder in holders {
            scope.spawn(move || drop(holder));
        }
    });
}

#[test]
fn the_limit_of_depth_is_the_same_in_every_direction() {
    let wrap = |inner| Value::from(vec![inner]);
    let (fits, too_deep) = (nested(Value::MAX_DEPTH, wrap), nested(Value::MAX_DEPTH + 1, wrap));
    assert_eq!(Value::from_serialize(&fits).unwrap(), fits);
    assert_eq!(from_value::<Value>(&fits).unwrap(), fits);
    assert_eq!(serde_json::from_str::<Value>(&fits.to_string()).unwrap(), fits);
    assert!(serde_json::from_str::<Value>(&too_deep.to_string()).is_err());
    assert!(Value::from_serialize(&too_deep).is_err());
    assert!(from_value::<Value>(&too_deep).is_err());
    assert!(serde_json::to_string(&too_deep).is_err());
}

#[test]
fn a_type_of_nothing_but_itself_ends() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Itself(Option<Box<Itself>>);
    let fault = from_value::<Itself>(&Value::from(1)).unwrap_err();
    assert_eq!(fault.to_string(), "more than 508 options and newtypes inside each other");
    let many = (0..1000).fold(Itself(None), |inner, _| Itself(Some(Box::new(inner))));
    assert!(Value::from_serialize(&many).is_err());
    assert!(from_value::<Itself>(&Value::Null).unwrap().0.is_none());
}

#[test]
fn an_object_is_serialised_as_one() {
    let object = Object::from([("a", Value::from(vec![1.into()]))]);
    assert_eq!(from_value::<Object>(&Value::from_serialize(&object).unwrap()).unwrap(), object);
    let fault = from_value::<HashMap<String, Object>>(&value(json!({ "a": {}, "b": [1] }))).unwrap_err();
    assert_eq!(fault.to_string(), "at b: expected an object, found an array of 1");
}

#[test]
fn a_value_is_three_words_and_a_clone_is_a_reference() {
    assert_eq!(size_of::<Value>(), 24);
    let text = Value::from("x".repeat(1000));
    assert_eq!(text.as_str().unwrap().as_ptr(), text.clone().as_str().unwrap().as_ptr());
}

#[test]
fn what_is_read_has_no_key_twice() {
    let fault = serde_json::from_str::<Value>(r#"{"a":1,"b":{"x":1,"x":2}}"#).unwrap_err().to_string();
    assert!(fault.starts_with("the key \"x\" comes twice"), "{fault}");
}

proptest! {
    #[test]
    fn json_goes_through_a_value_unchanged(json in any_json()) {
        let made = value(json.clone());
        prop_assert_eq!(&Value::from_serialize(&json).unwrap(), &made);
        prop_assert_eq!(&Json::try_from(&made).unwrap(), &json);
        prop_assert_eq!(&serde_json::from_str::<Value>(&made.to_string()).unwrap(), &made);
        prop_assert_eq!(&serde_json::from_str::<Json>(&made.to_string()).unwrap(), &json);
        let serialised = serde_json::to_string(&made).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Json>(&serialised).unwrap(), &json);
    }

    #[test]
    fn values_are_equal_when_their_json_is(one in any_json(), other in any_json()) {
        prop_assert_eq!(value(one.clone()) == value(other.clone()), one == other);
        prop_assert_eq!(value(one.clone()), value(one));
    }

    #[test]
    fn an_object_is_a_map(entries in prop::collection::vec(("[a-z]{0,2}", any::<u8>()), 0..40), asked in "[a-z]{0,2}") {
        let object: Object = entries.iter().cloned().collect();
        let model: BTreeMap<String, u8> = entries.iter().cloned().collect();
        prop_assert_eq!(object.len(), model.len());
        prop_assert_eq!(object.is_empty(), model.is_empty());
        prop_assert_eq!(object.get(&asked).cloned(), model.get(&asked).map(|&value| Value::from(value)));
        let list = entries.iter().map(|(key, value)| (key.as_str().into(), Value::from(*value))).collect();
        prop_assert_eq!(Object::from_unique(list).is_ok(), model.len() == entries.len());
        for (key, value) in &model {
            prop_assert_eq!(object.get(key), Some(&Value::from(*value)));
        }
        let mut order: Vec<&String> = Vec::new();
        for (key, _) in &entries {
            if !order.contains(&key) { order.push(key); }
        }
        prop_assert!(object.keys().map(|key| &**key).eq(order.into_iter().map(String::as_str)));
    }

    #[test]
    fn pointers_lead_where_serde_json_says(json in any_json(), keys in prop::collection::vec("[a-e0-3]{0,2}", 0..4)) {
        let pointer: String = keys.iter().map(|key| format!("/{key}")).collect();
        let whole = value(json.clone());
        let expected = json.pointer(&pointer).cloned().map(value);
        prop_assert_eq!(whole.get(&path(&pointer)), expected.as_ref());
    }
}
