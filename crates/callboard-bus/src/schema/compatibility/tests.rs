use std::collections::BTreeMap;

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Misfit, Undecided, are_equal, misfits};
use crate::schema::{of_input, of_output};

fn faults(output: &Json, input: &Json) -> Vec<String> {
    misfits(output, input).iter().map(Misfit::to_string).collect()
}

fn fits(output: &Json, input: &Json) -> bool {
    misfits(output, input).is_empty()
}

fn undecided(output: &Json, input: &Json) -> Vec<Undecided> {
    misfits(output, input).iter().filter_map(Misfit::undecided).cloned().collect()
}

/// Only their schemas are looked at.
#[allow(dead_code)]
mod types {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Sent {
        pub(super) id: u32,
        pub(super) note: Option<String>,
        pub(super) shape: Shape,
        pub(super) tree: Tree,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Taken {
        pub(super) id: i64,
        pub(super) note: Option<String>,
        pub(super) shape: WiderShape,
        pub(super) tree: OtherTree,
        #[serde(default)]
        pub(super) extra: Vec<u8>,
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub(super) enum Shape {
        Nothing,
        Square(f32),
        Named { name: String },
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub(super) enum WiderShape {
        Nothing,
        Circle(f64),
        Square(f64),
        Named { name: String, size: Option<u8> },
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Tree {
        pub(super) children: Vec<Self>,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct OtherTree {
        pub(super) children: Vec<Branch>,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Branch {
        pub(super) children: Vec<OtherTree>,
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub(super) enum Tagged {
        One { at: u8 },
        Two(Inner),
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Inner {
        pub(super) text: String,
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub(super) enum FewerTagged {
        One { at: u16 },
    }
}

#[test]
fn types_of_rust_are_compared_as_they_are_read() {
    let (sent, taken) = (of_output::<types::Sent>(), of_input::<types::Taken>());
    assert_eq!(faults(&sent, &taken), [""; 0]);
    let back = faults(&of_output::<types::Taken>(), &of_input::<types::Sent>());
    assert_eq!(
        back,
        [
            "/id: it may break `format` `uint32`",
            "/id: it may break `minimum` 0",
            "/shape: it may fit none of the 3 alternatives",
        ]
    );
}

#[test]
fn a_tag_tells_which_alternative_is_meant() {
    assert!(fits(&of_output::<types::Tagged>(), &of_input::<types::Tagged>()));
    assert!(fits(
        &of_output::<types::FewerTagged>(),
        &json!({ "oneOf": [
        { "type": "object", "properties": { "kind": { "const": "One" } }, "required": ["kind"] },
        { "type": "object", "properties": { "kind": { "const": "Two" } }, "required": ["kind"] },
    ] })
    ));
    let narrower = faults(&of_output::<types::FewerTagged>(), &of_input::<types::Tagged>());
    assert_eq!(narrower, ["/at: it may break `format` `uint8`", "/at: it may break `maximum` 255"]);
}

#[test]
fn maps_and_tuples_are_compared_by_what_is_in_them() {
    assert!(fits(&of_output::<BTreeMap<String, u8>>(), &of_input::<BTreeMap<String, u64>>()));
    assert!(!fits(&of_output::<BTreeMap<String, i8>>(), &of_input::<BTreeMap<String, u64>>()));
    assert!(fits(&of_output::<BTreeMap<u16, u8>>(), &of_input::<BTreeMap<u16, u64>>()));
    assert!(fits(&of_output::<types::Inner>(), &of_input::<BTreeMap<String, String>>()));
    assert!(fits(&of_output::<(u8, u8)>(), &of_input::<Vec<u16>>()));
    assert!(fits(&of_output::<[u8; 3]>(), &of_input::<(u8, u16, u32)>()));
    assert_eq!(faults(&of_output::<[u8; 2]>(), &of_input::<(u8, u16, u32)>()), ["/: it may break `minItems` 3"]);
}

#[test]
fn each_fault_has_its_path() {
    let output = json!({
        "type": "object",
        "properties": { "a/b": { "type": ["string", "null"] }, "rows": { "type": "array", "items": { "type": "number" } } },
        "required": ["rows"],
    });
    let input = json!({
        "type": "object",
        "properties": { "a/b": { "type": "string" }, "rows": { "type": "array", "items": { "type": "integer" } } },
        "required": ["a/b", "rows", "c"],
    });
    assert_eq!(
        faults(&output, &input),
        [
            "/a~1b: it is null or string, where string is taken",
            "/rows/*: it is number, where integer is taken",
            "/a~1b: it is required and may be missing",
            "/c: it is required and may be missing",
        ]
    );
}

#[test]
fn a_record_has_no_other_properties_and_an_open_object_may() {
    let record = json!({ "type": "object", "properties": { "a": {} } });
    let open = json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": true });
    let optional = json!({ "type": "object", "properties": { "a": {}, "b": { "type": "integer" } } });
    let closed = json!({ "type": "object", "properties": { "b": {} }, "additionalProperties": false });
    assert!(fits(&record, &optional));
    assert_eq!(faults(&open, &optional), ["/b: it is anything, where integer is taken"]);
    assert_eq!(faults(&record, &closed), ["/a: it is refused"]);
    assert_eq!(faults(&open, &closed), ["/a: it is refused", "/*: it is refused"]);
}

#[test]
fn schemas_are_equal_when_they_allow_the_same() {
    let number = json!({ "title": "Ratio", "anyOf": [{ "type": "number" }, { "const": 7 }] });
    assert!(are_equal(&number, &json!({ "type": ["integer", "number"] })));
    let [record, optional] = [json!({ "a": true }), json!({ "a": true, "b": { "type": "null" } })]
        .map(|named| json!({ "properties": named }));
    assert!(fits(&record, &optional) && fits(&optional, &record) && !are_equal(&record, &optional));
}

#[test]
fn known_values_are_held_against_every_rule() {
    let output = json!({ "enum": ["ab", "c", 3, null] });
    assert!(fits(&output, &json!({ "anyOf": [{ "type": "string", "maxLength": 2 }, { "enum": [null, 3.0] }] })));
    assert!(fits(&json!({ "type": ["boolean", "null"] }), &json!({ "enum": [true, false, null] })));
    let input = json!({ "type": ["string", "integer"], "minLength": 2, "maximum": 2 });
    assert_eq!(
        faults(&output, &input),
        [
            "/: it may break `minLength` 2",
            "/: it may break `maximum` 2",
            "/: it is null, where integer or string is taken",
        ]
    );
    assert_eq!(faults(&json!({}), &json!({ "const": "x" })), ["/: it may be something else than [\"x\"]"]);
}

#[test]
fn what_is_beyond_the_check_is_said_and_not_guessed() {
    let keyword = |name: &str| vec![Undecided::Keyword(name.to_owned())];
    let any = json!({ "type": "object" });
    assert_eq!(undecided(&any, &json!({ "if": true, "then": { "required": ["a"] } })), keyword("if"));
    assert_eq!(undecided(&any, &json!({ "unevaluatedProperties": false })), keyword("unevaluatedProperties"));
    assert_eq!(undecided(&any, &json!({ "minimum": "low" })), []);
    assert_eq!(undecided(&json!({ "type": "integer" }), &json!({ "minimum": "low" })), keyword("minimum"));
    assert_eq!(undecided(&any, &json!({ "not": { "required": ["a"] } })), keyword("not"));
    assert_eq!(undecided(&any, &json!({ "$ref": "other.json" })), [Undecided::Reference("other.json".to_owned())]);
    assert_eq!(undecided(&any, &json!({ "$ref": "#" })), [Undecided::Endless]);
    assert_eq!(undecided(&any, &json!(7)), [Undecided::NoSchema]);
    let both = json!({ "oneOf": [{ "type": "object" }, { "required": ["a"] }] });
    assert_eq!(undecided(&any, &both), [Undecided::Overlap]);
    let old = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "items": [true] });
    assert!(matches!(undecided(&any, &old)[..], [Undecided::Dialect(_)]));
}

#[test]
fn a_schema_without_end_comes_to_an_end() {
    let mut deep = json!({ "type": "array" });
    let mut wide = json!({});
    for level in 0..100 {
        deep = json!({ "items": deep });
        let next = json!({ "$ref": format!("#/$defs/{}", level + 1) });
        wide[level.to_string()] = json!({ "properties": { "a": next, "b": next, "c": { "type": "integer" } } });
    }
    assert_eq!(undecided(&json!({}), &deep), [Undecided::TooLarge]);
    let wide = json!({ "$ref": "#/$defs/0", "$defs": wide });
    assert!(misfits(&json!({}), &wide).len() <= 100);
    let chain: serde_json::Map<_, _> =
        (0..10_000).map(|at| (at.to_string(), json!({ "$ref": format!("#/$defs/{}", at + 1) }))).collect();
    let chain = json!({ "$ref": "#/$defs/0", "$defs": chain });
    assert_eq!(faults(&chain, &json!({ "type": "null" })), ["/: it is anything, where null is taken"]);
}

/// Schemas of the kind that people and derives write, closed as the reading of an output has them.
fn any_schema() -> impl Strategy<Value = Json> {
    let number = -3i64..4;
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(json!({ "type": "null" })),
        Just(json!({ "type": "boolean" })),
        prop::sample::subsequence(vec!["null", "integer", "number", "string", "array", "object"], 1..4)
            .prop_map(|types| json!({ "type": types })),
        (number.clone(), number.clone())
            .prop_map(|(low, high)| json!({ "type": "integer", "minimum": low, "maximum": high })),
        (number.clone(), number)
            .prop_map(|(low, high)| json!({ "type": "number", "exclusiveMinimum": low, "exclusiveMaximum": high })),
        (1u8..4).prop_map(|step| json!({ "type": "integer", "multipleOf": step })),
        (0u8..3, 0u8..3).prop_map(|(least, most)| json!({ "type": "string", "minLength": least, "maxLength": most })),
        Just(json!({ "type": "string", "pattern": "^a" })),
        prop::sample::subsequence(values(), 1..4).prop_map(|values| json!({ "enum": values })),
        prop::sample::select(values()).prop_map(|value| json!({ "const": value })),
        prop::sample::select(vec!["#/$defs/x", "#/$defs/y", "#"]).prop_map(|target| json!({ "$ref": target })),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let properties = prop::collection::btree_map("[ab]", inner.clone(), 0..3);
        let names = prop::sample::subsequence(vec!["a", "b"], 0..3);
        let several = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            (properties.clone(), names.clone(), inner.clone()).prop_map(|(properties, required, others)| {
                json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": others })
            }),
            (properties, names).prop_map(|(properties, required)| {
                json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
            }),
            (inner.clone(), 0u8..3).prop_map(|(items, most)| json!({ "type": "array", "items": items, "maxItems": most })),
            (inner.clone(), several.clone())
                .prop_map(|(items, placed)| json!({ "prefixItems": placed, "items": items, "minItems": 1 })),
            (inner.clone(), inner.clone()).prop_map(|(named, others)| {
                json!({ "patternProperties": { "^a": named }, "additionalProperties": others })
            }),
            inner.clone().prop_map(|names| json!({ "propertyNames": names, "maxProperties": 1 })),
            several.clone().prop_map(|options| json!({ "anyOf": options })),
            several.clone().prop_map(|options| json!({ "oneOf": options })),
            several.prop_map(|parts| json!({ "allOf": parts })),
            inner.clone().prop_map(|refused| json!({ "not": refused })),
            inner.prop_map(|items| json!({ "type": "array", "items": items, "uniqueItems": true })),
        ]
    })
}

fn document() -> impl Strategy<Value = Json> {
    (any_schema(), any_schema(), any_schema()).prop_map(|(root, x, y)| {
        let mut root = if root.is_object() { root } else { json!({ "allOf": [root] }) };
        root["$defs"] = json!({ "x": x, "y": y });
        root
    })
}

/// Types that contain each other in all sorts of ways.
fn knotted() -> impl Strategy<Value = Json> {
    let target = prop::sample::select(vec!["#/$defs/x", "#/$defs/y", "#/$defs/z"]).prop_map(|to| json!({ "$ref": to }));
    let leaf =
        prop::sample::select(vec![json!({ "type": "null" }), json!({ "type": "integer" }), json!({ "const": 1 })]);
    let part = prop_oneof![target, leaf];
    let several = prop::collection::vec(part.clone(), 1..3);
    let composed = prop_oneof![
        part.clone(),
        several.clone().prop_map(|options| json!({ "anyOf": options })),
        several.prop_map(|parts| json!({ "allOf": parts })),
        (part.clone(), part.clone()).prop_map(|(a, b)| {
            json!({ "type": "object", "properties": { "a": a, "b": b }, "additionalProperties": false })
        }),
        part.prop_map(|items| json!({ "type": "array", "items": items })),
    ];
    [composed.clone(), composed.clone(), composed]
        .prop_map(|[x, y, z]| json!({ "$ref": "#/$defs/x", "$defs": { "x": x, "y": y, "z": z } }))
}

fn values() -> Vec<Json> {
    let scalars = [
        json!(null),
        json!(true),
        json!(false),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("b"),
        json!(1.0),
        json!(0.5),
    ];
    let numbers = (-4..5).map(Json::from);
    let composed =
        [json!([]), json!({}), json!([1]), json!([null]), json!(["a", "a"]), json!({ "a": 1 }), json!({ "b": null })];
    scalars.into_iter().chain(numbers).chain(composed).collect()
}

/// All small values, and some that are made of them.
fn any_value() -> impl Strategy<Value = Json> {
    prop::sample::select(values()).prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[abc]", inner, 0..4).prop_map(|entries| json!(entries)),
        ]
    })
}

/// The same document with one thing in it replaced: near enough to be compatible now and then.
fn changed(schema: &Json, at: usize, with: &Json) -> Json {
    fn visit(schema: &mut Json, left: &mut usize, with: &Json) {
        if *left == 0 {
            *schema = with.clone();
        }
        *left = left.wrapping_sub(1);
        match schema {
            Json::Object(entries) => entries.values_mut().for_each(|inner| visit(inner, left, with)),
            Json::Array(items) => items.iter_mut().for_each(|inner| visit(inner, left, with)),
            _ => {}
        }
    }
    let (mut schema, mut left) = (schema.clone(), at);
    visit(&mut schema, &mut left, with);
    schema
}

fn validator(schema: &Json) -> Option<jsonschema::Validator> {
    jsonschema::draft202012::options().build(schema).ok()
}

fn assert_sound(output: &Json, input: &Json, values: &[Json]) -> Result<(), TestCaseError> {
    if !fits(output, input) {
        return Ok(());
    }
    let (Some(writer), Some(reader)) = (validator(output), validator(input)) else { return Ok(()) };
    for value in values.iter().chain(&self::values()) {
        prop_assert!(!writer.is_valid(value) || reader.is_valid(value), "{value} is of {output} and not of {input}");
    }
    Ok(())
}

/// What nobody would write, with keywords in it.
fn any_json() -> impl Strategy<Value = Json> {
    let keys = vec![
        "type",
        "properties",
        "required",
        "items",
        "prefixItems",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
        "$defs",
        "enum",
        "const",
        "minimum",
        "maxLength",
        "format",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "if",
        "then",
        "$id",
        "$schema",
        "uniqueItems",
        "minItems",
        "multipleOf",
        "pattern",
    ];
    let words = vec!["#", "#/$defs/a", "#/items", "#/anyOf/0", "object", "string", "integer", "int32", "a", "^a"];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(words).prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(prop::sample::select(keys.clone()), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn what_is_promised_is_so(output in document(), input in document(), values in prop::collection::vec(any_value(), 24)) {
        assert_sound(&output, &input, &values)?;
    }

    #[test]
    fn what_is_promised_after_a_small_change_is_so(
        output in document(),
        at in 1usize..24,
        with in any_schema(),
        values in prop::collection::vec(any_value(), 24),
    ) {
        let input = changed(&output, at, &with);
        assert_sound(&output, &input, &values)?;
        assert_sound(&input, &output, &values)?;
    }

    #[test]
    fn what_is_promised_of_knotted_types_is_so(
        output in knotted(),
        input in knotted(),
        values in prop::collection::vec(any_value(), 24),
    ) {
        assert_sound(&output, &input, &values)?;
    }

    #[test]
    fn any_json_is_answered(output in any_json(), input in any_json()) {
        let found = misfits(&output, &input);
        prop_assert!(found.len() <= 100);
        prop_assert_eq!(found, misfits(&output, &input));
    }
}
