//! Whatever a stranger sends is read rightly, or refused with a fault that says where: payloads, addresses, names,
//! patterns and conditions.
//!
//! Each test is a fuzz target: with `cargo install cargo-bolero`, `cargo bolero test -p callboard-bus
//! any_input_is_read_or_refused::message_pack --rustc-bootstrap` looks for inputs, guided by what they reach, until it is
//! stopped. What it finds goes into the folder `__fuzz__` beside this file, where every later `cargo test` tries it again.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use bolero::generator::bolero_generator::one_of::one_of;
use bolero::{ValueGenerator, check};
use callboard_bus::channel::ChannelName;
use callboard_bus::codec::{CodecError, Limits, decode_json_value, decode_value, encode_json_value, encode_value};
use callboard_bus::dead_letter_queue::Fingerprint;
use callboard_bus::{
    Address, EvaluationError, EventId, Expression, JobId, Path, Pattern, Topic, TopicError, TraceContext, Value, time,
};
use serde_json::{Value as Json, json};

use crate::almost::{bytes, is_one_line, text};

/// So many inputs in a plain test run, which takes less than a second.
const INPUTS: usize = 2_000;

/// `{"a": [1, 256], "b": ["xy"], "c": 1.5}` in pieces.
const PACKED: &[&[u8]] =
    &[b"\x83", b"\xa1a", b"\x92", b"\x01", b"\xcd\x01\0", b"\xa1b", b"\x91", b"\xa2xy", b"\xa1c", b"\xca\x3f\xc0\0\0"];

const PACKED_SCRAPS: &[&[u8]] = &[
    b"",
    b"\x80",
    b"\x81",
    b"\x90",
    b"\x91",
    b"\x92",
    b"\xa0",
    b"\xa1k",
    b"\xc0",
    b"\xc1",
    b"\xc2",
    b"\xc4\x01",
    b"\xc7\0",
    b"\xca\x7f\x80\0\0",
    b"\xcb",
    b"\xcc",
    b"\xcf",
    b"\xd0",
    b"\xd3",
    b"\xd4",
    b"\xd9\x01",
    b"\xdb",
    b"\xdc\0\x01",
    b"\xdd",
    b"\xde\0\x01",
    b"\xdf",
    b"\0",
    b"\xe0",
    b"\xff",
    b"\0\0\0\x01",
];

const JSON: &[&[u8]] = &[
    b"{",
    b"\"a\"",
    b":",
    b"[",
    b"1",
    b",",
    b"-2.5",
    b"]",
    b",",
    b"\"b\"",
    b":",
    b"{",
    b"\"a\"",
    b":",
    b"\"\\u00e9\"",
    b"}",
    b"}",
];

const JSON_SCRAPS: &[&[u8]] = &[
    b"",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b" ",
    b"\n",
    b"\"",
    b"[]",
    b"{}",
    b"\"a\":",
    b"\\u",
    b"\\",
    b"\"\\ud83e\"",
    b"0",
    b"-",
    b".5",
    b"e9",
    b"E+",
    b"1e999",
    b"99999999999999999999",
    b"null",
    b"true",
    b"\xff",
    b"\xc3\xa9",
];

const ADDRESS: &[&str] = &["lab", ".", "storage", ".", "put", "@", "^1", ".2"];

const NAME: &[&str] = &["$", "lab", ".", "step-1", ".", "done"];

const PATTERN: &[&str] = &["$", "lab", ".", "step", "*", ".", "a", "?", ".", ">"];

const NAME_SCRAPS: &[&str] =
    &["", "", "a", "b_-", ".", ".c", "a.", "$", "*", "?", ">", ".>", "@", "<2", ", >1", "0", " ", "é", "\n"];

const CONDITION: &[&str] = &["a", ".", "a", "[", "0", "]", " == ", "1", " and ", "not ", "(", "'b'", " in ", "b", ")"];

const CONDITION_SCRAPS: &[&str] = &[
    "",
    "a",
    ".b",
    "$",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    ",",
    "<",
    ">=",
    " != ",
    " - ",
    "-1",
    "1e9",
    "null",
    "true",
    " ",
    " or ",
    "not ",
    " contains ",
    "len(",
    "\\",
    "é",
    "['é']",
    "[true, b]",
];

const PATH: &[&str] = &["$", ".", "a", "[", "0", "]", "[", "\"", "b", "\"", "]"];

const POINTER: &[&str] = &["/", "a", "/", "1", "/", "~1", "~0", "/", ""];

const PATH_SCRAPS: &[&str] = &[
    "", "a", "é", "0", "00", "+1", "9", "/", "~", "~2", ".", "$", "[", "]", "'", "\"", "\\", "\\n", "\\'", "\\u0061",
    "\\ud83e", "\\udd80", "\\ue000", "\n",
];

const TRACE: &[&str] = &["00", "-", "0af7651916cd43dd", "8448eb211c80319c", "-", "b7ad6b7169203331", "-", "01"];

const ID: &[&str] = &["01234567", "-", "89ab", "-", "7000", "-", "8000", "-", "000000000001"];

const TIME: &[&str] = &["1", "h", " ", "30", "m", " ", "1.5", "s", "7", "ns"];

const WORD_SCRAPS: &[&str] = &[
    "",
    "ff",
    "01",
    "-",
    "0000000000000000",
    "A",
    "+1",
    "{",
    "}",
    ".",
    "999999999999",
    "d",
    "weeks",
    "us",
    "µs",
    "e3",
    " ",
    "\n",
    "\u{1b}",
    "$",
    ">",
    "é",
];

/// Limits that small inputs meet.
fn narrow() -> impl ValueGenerator<Output = Limits> {
    let most = (0usize..5, 0usize..12, 0usize..40);
    most.map_gen(|(depth, elements, bytes)| Limits::default().max_depth(depth).max_elements(elements).max_bytes(bytes))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(entries) => 1 + entries.iter().map(|(_, value)| depth(value)).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn elements(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(elements).sum::<usize>(),
        Value::Object(entries) => 1 + entries.iter().map(|(_, value)| elements(value)).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

type Decode = fn(&[u8], &Limits) -> Result<Value, CodecError>;

/// What is read under limits is within them, and what only they refuse is not.
fn limits_are_kept(decode: Decode, bytes: &[u8], limits: &Limits) {
    let (free, held) = (decode(bytes, &Limits::default()), decode(bytes, limits));
    for fault in [&free, &held].into_iter().filter_map(|read| read.as_ref().err()) {
        assert!(is_one_line(fault) && fault.at().is_none_or(|at| at <= bytes.len()), "{fault}");
    }
    let Ok(value) = free else { return assert!(held.is_err()) };
    let tight = Limits::default().max_depth(depth(&value)).max_elements(elements(&value)).max_bytes(bytes.len());
    assert_eq!(decode(bytes, &tight).as_ref(), Ok(&value));
    match held {
        Ok(held) => assert_eq!(held, value),
        Err(CodecError::TooDeep { limit, .. }) => assert!(depth(&value) > limit),
        Err(CodecError::TooMany { limit, .. }) => assert!(elements(&value) > limit),
        Err(CodecError::TooLong { length, limit }) => assert!(length == bytes.len() && length > limit),
        Err(other) => panic!("{other} is no matter of limits"),
    }
}

/// Both faces carry what either has read.
fn comes_back(value: &Value) {
    let limits = Limits::default();
    assert_eq!(decode_value(&encode_value(value).unwrap(), &limits).as_ref(), Ok(value));
    assert_eq!(decode_json_value(&encode_json_value(value).unwrap(), &limits).as_ref(), Ok(value));
}

#[test]
fn message_pack() {
    check!().with_iterations(INPUTS).with_generator((bytes(PACKED, PACKED_SCRAPS), narrow())).for_each(
        |(bytes, limits)| {
            limits_are_kept(decode_value, bytes, limits);
            decode_value(bytes, &Limits::default()).iter().for_each(comes_back);
        },
    );
}

/// serde_json reads the same, and more: it knows no limits and takes a key that comes twice.
#[test]
fn json_text() {
    check!().with_iterations(INPUTS).with_generator((bytes(JSON, JSON_SCRAPS), narrow())).for_each(
        |(bytes, limits)| {
            limits_are_kept(decode_json_value, bytes, limits);
            let read = decode_json_value(bytes, &Limits::default());
            read.iter().for_each(comes_back);
            match (read, serde_json::from_slice::<Json>(bytes)) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, Value::from(theirs)),
                (Err(ours), Ok(_)) => {
                    assert!(ours.code() != "malformed" || ours.to_string().contains(" twice "), "{ours}")
                }
                (Ok(ours), Err(theirs)) => panic!("{ours}: {theirs}"),
                (Err(_), Err(_)) => {}
            }
        },
    );
}

/// F-WF-02: what is read is what the text says, and is written as a text that says the same.
#[test]
fn an_address() {
    check!().with_iterations(INPUTS).with_generator(text(ADDRESS, NAME_SCRAPS)).for_each(|text| {
        match text.parse::<Address>() {
            Ok(address) => {
                let (name, requirement) =
                    text.split_once('@').map_or((&**text, None), |(name, rest)| (name, Some(rest)));
                assert_eq!((&**address.name(), address.requirement().is_some()), (name, requirement.is_some()));
                assert_eq!(format!("{}.{}", address.module(), address.operation()), name);
                assert!(!name.contains(['*', '?', '>', ' ', '\n']) && !name.contains("..") && !name.contains(".$"));
                assert_eq!(address.to_string().parse().as_ref(), Ok(&address));
            }
            Err(fault) => assert!(is_one_line(&fault) && fault.to_string().len() < 2_000, "{fault}"),
        }
    });
}

/// Where a fault points to, if it has a place.
fn place(fault: &TopicError) -> Option<usize> {
    match fault {
        TopicError::EmptyToken { at, .. }
        | TopicError::Character { at, .. }
        | TopicError::Wildcard { at, .. }
        | TopicError::TailNotLast { at, .. }
        | TopicError::DoubleStar { at, .. } => Some(*at),
        _ => None,
    }
}

fn points_into(text: &str, fault: &TopicError) {
    assert!(is_one_line(fault) && place(fault).is_none_or(|at| text.is_char_boundary(at)), "{fault}");
}

/// The grammar, written down plainly.
fn is_name(text: &str) -> bool {
    let is_token =
        |token: &str| !token.is_empty() && token.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let unmarked = text.strip_prefix('$').unwrap_or(text);
    text.len() <= Topic::MAX_BYTES && text.split('.').count() <= Topic::MAX_TOKENS && unmarked.split('.').all(is_token)
}

/// The same with wildcards: a name once they are taken out, with one letter for each.
fn is_pattern(text: &str) -> bool {
    let fixed = text.strip_suffix(".>").or(text.strip_suffix('>').filter(|rest| rest.is_empty()).map(|_| "a"));
    let depth = text.split('.').count() <= Topic::MAX_TOKENS && text.len() <= Topic::MAX_BYTES;
    depth && !text.contains("**") && is_name(&fixed.unwrap_or(text).replace(['*', '?'], "a"))
}

/// F-EVT-01, F-EVT-03: the grammar and nothing else is read; every name is a pattern that stands for itself.
#[test]
fn a_name_or_a_pattern() {
    let names = one_of((text(NAME, NAME_SCRAPS), text(PATTERN, NAME_SCRAPS)));
    check!().with_iterations(INPUTS).with_generator(names).for_each(|text| {
        let (topic, pattern) = (text.parse::<Topic>(), text.parse::<Pattern>());
        assert_eq!((topic.is_ok(), pattern.is_ok()), (is_name(text), is_pattern(text)));
        topic.iter().for_each(|topic| assert_eq!(topic.as_str(), text));
        pattern.iter().for_each(|pattern| assert_eq!(pattern.as_str(), text));
        topic.iter().zip(&pattern).for_each(|(topic, pattern)| assert!(pattern.matches(topic)));
        let faults = [topic.err(), pattern.err()];
        faults.iter().flatten().for_each(|fault| points_into(text, fault));
    });
}

/// F-BUS-17: what is read means the same when it has been written and read again, and a fault names a part of it.
#[test]
fn a_condition() {
    let context = Value::from(json!({ "a": { "a": [1, "b"], "b": null, "é": true }, "b": "ab", "len": 4 }));
    check!().with_iterations(INPUTS).with_generator(text(CONDITION, CONDITION_SCRAPS)).for_each(|text| {
        match Expression::parse(text) {
            Ok(expression) => {
                assert_eq!(Expression::parse(&expression.to_string()).as_ref(), Ok(&expression));
                let _ = expression.evaluate(&context).map_err(|fault| names_a_part(&fault));
            }
            Err(fault) => assert!(is_one_line(&fault) && text.is_char_boundary(fault.at()), "{fault}"),
        }
    });
}

fn names_a_part(fault: &EvaluationError) {
    match fault {
        EvaluationError::Unordered { part, .. }
        | EvaluationError::NotBoolean { part, .. }
        | EvaluationError::NotSearchable { part, .. }
        | EvaluationError::NoLength { part, .. } => assert!(Expression::parse(part).is_ok(), "{fault}"),
        _ => panic!("{fault} names no part"),
    }
}

/// The grammar of a key in quotes is that of JSON, which a second reader knows as well, and so is that of a pointer.
fn agrees_with_json(text: &str, context: &Json) {
    let in_quotes = format!("\"{text}\"");
    let (ours, theirs) = (format!("$[{in_quotes}]").parse::<Path>(), serde_json::from_str::<String>(&in_quotes));
    match (ours, theirs) {
        (Ok(path), Ok(key)) => assert_eq!(path, Path::root().join(&*key)),
        // A key may end before the text does, and may be in single quotes.
        (Ok(path), Err(fault)) => assert!(text.contains(['"', '\'']), "{path}: {fault}"),
        (Err(fault), Ok(key)) => panic!("{fault}: {key:?}"),
        (Err(_), Err(_)) => {}
    }
    if text.is_empty() || text.starts_with('/') {
        let path = text.parse::<Path>().ok();
        let found = path.as_ref().and_then(|path| Value::from(context.clone()).get(path).cloned());
        assert_eq!(found, path.and_then(|_| context.pointer(text).cloned()).map(Value::from));
    }
}

#[test]
fn a_path() {
    let context = json!({ "a": [0, { "/~": { "": 1 }, "b": 2 }], "": [], "é": null });
    let paths = one_of((text(PATH, PATH_SCRAPS), text(POINTER, PATH_SCRAPS)));
    check!().with_iterations(INPUTS).with_generator(paths).for_each(|text| {
        match text.parse::<Path>() {
            Ok(path) => assert_eq!(path.to_string().parse().as_ref(), Ok(&path)),
            Err(fault) => assert!(is_one_line(&fault) && text.is_char_boundary(fault.at()), "{fault}"),
        }
        agrees_with_json(text, &context);
    });
}

/// What is read comes back from its own text, and a fault is one line that is not too long.
fn reads<T: FromStr<Err: Display> + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    match text.parse::<T>() {
        Ok(read) => {
            assert_eq!(read.to_string().parse::<T>().ok().as_ref(), Some(&read));
            Some(read)
        }
        Err(fault) => {
            assert!(is_one_line(&fault) && fault.to_string().len() < 2_000, "{fault}");
            None
        }
    }
}

/// More seconds are no longer exact in the number that a length of time is reckoned in.
const EXACT: Duration = Duration::from_secs(1 << 53);

#[test]
fn a_word() {
    let words =
        one_of((text(TRACE, WORD_SCRAPS), text(ID, WORD_SCRAPS), text(TIME, WORD_SCRAPS), text(NAME, WORD_SCRAPS)));
    check!().with_iterations(INPUTS).with_generator(words).for_each(|text| {
        let trace = reads::<TraceContext>(text);
        assert!(trace.is_none_or(|trace| !text.starts_with("00") || trace.to_string() == *text));
        let name = reads::<ChannelName>(text);
        assert!(name.is_none_or(|name| name.as_str() == text && !text.contains(['\n', ' ', '>', '\u{1b}'])));
        reads::<Fingerprint>(text);
        reads::<EventId>(text);
        reads::<JobId>(text);
        if let Some(length) = time::parse(text).filter(|length| *length < EXACT) {
            assert_eq!(time::parse(&time::show(length)), Some(length));
            assert!(time::parse(&time::show_wait(length)) >= Some(length));
        }
    });
}
