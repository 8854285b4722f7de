use super::fields::Field;
use super::*;
use crate::definition::Definition;
use serde_json::Value as Json;

/// The published schema and the reader know the same fields of every map, and require the same.
#[test]
fn the_schema_has_the_fields_of_the_reader() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let maps = [
        ("", FIELDS),
        ("/$defs/step", step::STEP_FIELDS),
        ("/$defs/map", step::MAP_FIELDS),
        ("/$defs/compensate", step::COMPENSATE_FIELDS),
        ("/$defs/constant", step::CONSTANT_FIELDS),
        ("/$defs/retry", retry::RETRY_FIELDS),
    ];
    for (pointer, fields) in maps {
        let map = schema.pointer(pointer).unwrap();
        assert_eq!(map["additionalProperties"], false, "{pointer}");
        let names: Vec<&String> = map["properties"].as_object().unwrap().keys().collect();
        assert_eq!(sorted(names.into_iter().map(String::as_str)), sorted(fields.iter().map(|field| field.name)));
        let required = map.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
        let known = fields.iter().filter(|field| field.required).map(|field: &Field| field.name);
        assert_eq!(sorted(required.iter().filter_map(Json::as_str)), sorted(known), "{pointer}");
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// Deep nesting in any notation is refused before anything recurses into it.
#[test]
fn deep_nesting_is_refused() {
    for piece in ["[", "{a: ", "- ", "? ", "{\"a\":["] {
        let faults = Definition::read(&piece.repeat(100_000)).unwrap_err();
        assert_eq!(faults.iter().count(), 1, "{piece}");
    }
}

/// The classic of nine levels of aliases is refused at the first one.
#[test]
fn an_alias_bomb_does_not_go_off() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}]\n"));
    }
    let faults = Definition::read(&bomb).unwrap_err();
    assert_eq!(faults.to_string(), "line 2, column 10: aliases are not allowed");
}

/// What any writer of JSON may write is read: tabs, escapes in pairs, slashes with a backslash.
#[test]
fn json_is_read_as_json() {
    let text = "{\n\t\"workflow_id\": \"w\", \"description\": \"\\ud83e\\udd80 a\\/b \\u00e9\\n\",\n\t\"version\": \"1.0.0\",\r\n\t\"steps\":[\
                {\"step_id\":\"a\",\"handler\":\"m.f\"}]}";
    assert_eq!(Definition::read(text).unwrap().description(), "🦀 a/b é\n");
}

#[test]
fn a_fault_behind_a_directive_stands_in_its_line() {
    let faults = Definition::read("%\u{fffd}\u{fffd}\0").unwrap_err();
    assert_eq!(faults.to_string(), "line 1, column 5: not well-formed: found unprintable character");
}
