use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::value::Object;

fn message_pack(bytes: &[u8]) -> Result<Value, CodecError> {
    decode_value(bytes, &Limits::default())
}

fn json(text: &str) -> Result<Value, CodecError> {
    decode_json_value(text.as_bytes(), &Limits::default())
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        any::<f64>().prop_map(|float| Value::try_from(float).unwrap()),
        any::<f32>().prop_map(|float| Value::try_from(f64::from(float)).unwrap()),
        any::<String>().prop_map(Value::from),
        "[a-z]{28,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::vec(("[a-z]{0,3}", inner), 0..20)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Object>())),
        ]
    })
}

/// What is on the wire is read by others: it does not change by itself.
#[test]
fn the_bytes_are_as_they_were() {
    #[derive(Serialize)]
    struct Golden {
        id: u64,
        name: Option<&'static str>,
        ratio: f64,
        shape: Shape,
        by_number: BTreeMap<u8, i16>,
        nothing: (),
    }
    #[derive(Serialize)]
    enum Shape {
        Box { width: u8 },
    }
    let data = Golden {
        id: 70_000,
        name: Some("é"),
        ratio: -0.5,
        shape: Shape::Box { width: 200 },
        by_number: [(1, -300)].into(),
        nothing: (),
    };
    let golden = b"\x86\xa2id\xce\0\x01\x11\x70\xa4name\xa2\xc3\xa9\xa5ratio\xcb\xbf\xe0\0\0\0\0\0\0\xa5shape\x81\xa3Box\x81\xa5width\xcc\xc8\xa9by_number\x81\xa11\xd1\xfe\xd4\xa7nothing\xc0";
    assert_eq!(encode(&data).unwrap(), golden);
    let text =
        r#"{"id":70000,"name":"é","ratio":-0.5,"shape":{"Box":{"width":200}},"by_number":{"1":-300},"nothing":null}"#;
    assert_eq!(String::from_utf8(encode_json(&data).unwrap()).unwrap(), text);
    assert_eq!(message_pack(golden).unwrap(), json(text).unwrap());
}

#[test]
fn what_is_malformed_says_what_and_where() {
    let table: [(&[u8], usize, &str); 14] = [
        (b"", 0, "an end that comes too soon"),
        (b"\x01\x02\x03", 1, "something after the value"),
        (b"\x92\x01", 0, "2 items announced and 1 bytes left"),
        (b"\x92\x01\xcd\x01", 4, "an end that comes too soon"),
        (b"\xdd\xff\xff\xff", 4, "an end that comes too soon"),
        (b"\x91\xa5ab", 4, "an end that comes too soon"),
        (b"\x91\xa2\xff\xfe", 1, "a string that is not UTF-8"),
        (b"\x81\x01\x02", 1, "a key that is no string"),
        (b"\x81\xc0\x02", 1, "a key that is no string"),
        (b"\x81\xc4\x01a\x02", 1, "a key that is no string"),
        (b"\x91\x82\xa1a\x01\xa1a\x02", 1, "an object with the key \"a\" twice"),
        (b"\xd4\x01\x02", 0, "an extension type, which has no form in JSON"),
        (b"\x91\xc1", 1, "the byte 0xc1, which MessagePack does not use"),
        (b"\xca\x7f\x80\0\0", 0, "a number that is not finite"),
    ];
    for (bytes, at, reason) in table {
        let fault = message_pack(bytes).unwrap_err();
        assert_eq!(fault, CodecError::Malformed { at, reason: reason.to_owned() }, "{bytes:x?}");
        assert_eq!((fault.code(), fault.at()), ("malformed", Some(at)));
    }
    let table = [
        ("", 0, "EOF while parsing a value"),
        ("[1,\n2] 3", 7, "trailing characters"),
        ("{\"a\":1,\n\"a\":2}", 13, "an object with the key \"a\" twice"),
        ("{1:2}", 1, "key must be a string"),
        ("[01]", 2, "invalid number"),
        ("[1e999]", 5, "number out of range"),
        ("[NaN]", 1, "expected value"),
        ("\"\\ud800\"", 7, "unexpected end of hex escape"),
    ];
    for (text, at, reason) in table {
        assert_eq!(json(text).unwrap_err(), CodecError::Malformed { at, reason: reason.to_owned() }, "{text}");
    }
    let fault = json("{\"a\":1,\"a\":2}").unwrap_err().to_string();
    assert_eq!(fault, "an object with the key \"a\" twice at byte 12");
}

#[test]
fn nesting_is_limited_by_both_faces_alike() {
    let packed = |levels| [vec![0x91; levels], vec![1]].concat();
    let text = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(message_pack(&packed(64)).unwrap(), json(&text(64)).unwrap());
    assert_eq!(message_pack(&packed(65)), Err(CodecError::TooDeep { at: 64, limit: 64 }));
    assert_eq!(json(&text(65)), Err(CodecError::TooDeep { at: 64, limit: 64 }));
    assert_eq!(message_pack(&packed(65)).unwrap_err().code(), "nesting_too_deep");
    // An empty object is a level as well, and so is a bin; a map that goes on for ever ends.
    assert!(message_pack(&[vec![0x91; 64], vec![0x80]].concat()).is_err());
    assert!(message_pack(&[vec![0x91; 64], vec![0xc4, 0]].concat()).is_err());
    assert_eq!(message_pack(&b"\x81\xa0".repeat(1_000_000)).unwrap_err().at(), Some(128));
    let deepest = Limits::default().max_depth(usize::MAX);
    for (levels, fits) in [(Value::MAX_DEPTH, true), (Value::MAX_DEPTH + 1, false)] {
        assert_eq!(decode_value(&packed(levels), &deepest).is_ok(), fits);
        assert_eq!(decode_json_value(text(levels).as_bytes(), &deepest).is_ok(), fits);
    }
}

#[test]
fn elements_and_bytes_are_limited() {
    let limits = Limits::default().max_elements(4).max_bytes(20);
    assert!(decode_value(b"\x93\x01\x02\x03", &limits).is_ok());
    assert!(decode_json_value(b"[1,2,3]", &limits).is_ok());
    assert_eq!(decode_value(b"\x94\x01\x02\x03\x04", &limits), Err(CodecError::TooMany { at: 0, limit: 4 }));
    assert_eq!(decode_value(b"\x93\x01\x02\x91\x04", &limits), Err(CodecError::TooMany { at: 3, limit: 4 }));
    assert_eq!(decode_value(b"\xc4\x04abcd", &limits), Err(CodecError::TooMany { at: 0, limit: 4 }));
    let fault = decode_json_value(b"[1,[2,3]]", &limits).unwrap_err();
    assert!(matches!(fault, CodecError::TooMany { limit: 4, .. }), "{fault}");
    let long = [b' '; 21];
    for fault in [decode_value(&long, &limits), decode_json_value(&long, &limits)] {
        let fault = fault.unwrap_err();
        assert_eq!((fault.code(), fault.to_string()), ("payload_too_large", "21 bytes, more than 20".to_owned()));
    }
    let million = |more: usize| {
        let count = 999_999 + more;
        [vec![0xdd], u32::try_from(count).unwrap().to_be_bytes().to_vec(), vec![0xc0; count]].concat()
    };
    assert!(message_pack(&million(0)).is_ok());
    assert_eq!(message_pack(&million(1)).unwrap_err().code(), "payload_too_large");
}

/// Four thousand million of anything in five bytes is an error and not an allocation: a process that would believe it
/// could not hold the 100 GB.
#[test]
fn a_declared_length_is_not_believed() {
    for marker in [0xc6, 0xdb, 0xdd, 0xdf] {
        let fault = message_pack(&[marker, 0xff, 0xff, 0xff, 0xff]).unwrap_err();
        assert!(["malformed", "payload_too_large"].contains(&fault.code()), "{fault}");
    }
    // Each level announces as much as is left, which is true for none but one of them.
    let greedy = b"\xdd\x00\x0f\x00\x00".repeat(60);
    let fault = message_pack(&[greedy, vec![0; 0x10_0000]].concat()).unwrap_err();
    assert_eq!(fault.code(), "payload_too_large");
}

#[test]
fn bytes_read_from_an_array_and_from_bin() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Process {
        data: Vec<u8>,
    }
    let (process, limits) = (Process { data: vec![1, 200] }, Limits::default());
    assert_eq!(encode(&process).unwrap(), b"\x81\xa4data\x92\x01\xcc\xc8");
    for bytes in [&b"\x81\xa4data\x92\x01\xcc\xc8"[..], b"\x81\xa4data\xc4\x02\x01\xc8"] {
        assert_eq!(decode::<Process>(bytes, &limits).unwrap(), process);
    }
    assert_eq!(decode_json::<Process>(br#"{"data":[1,200]}"#, &limits).unwrap(), process);
}

#[test]
fn what_does_not_fit_names_its_path() {
    let bytes = encode(&BTreeMap::from([("a", [1, -2])])).unwrap();
    let fault = decode::<BTreeMap<String, Vec<u8>>>(&bytes, &Limits::default()).unwrap_err();
    assert_eq!(fault.code(), "validation_failed");
    assert_eq!(fault.to_string(), "at a[1]: expected u8, found integer `-2`");
    assert_eq!(encode(&[f64::NAN]).unwrap_err().code(), "validation_failed");
    let deep = (0..200).fold(Value::Null, |inner, _| vec![inner].into());
    assert!(encode(&deep).is_err() && encode_value(&deep).is_err() && encode_json_value(&deep).is_err());
}

#[test]
fn limits_are_configuration() {
    let limits: Limits = serde_json::from_str(r#"{"max_depth":8}"#).unwrap();
    assert_eq!(limits, Limits::default().max_depth(8));
    assert!(serde_json::from_str::<Limits>(r#"{"depth":8}"#).is_err());
}

proptest! {
    #[test]
    fn a_value_comes_back_from_its_bytes(value in any_value()) {
        prop_assert_eq!(message_pack(&encode(&value).unwrap()).unwrap(), value.clone());
        prop_assert_eq!(json(&value.to_string()).unwrap(), value.clone());
        prop_assert_eq!(decode_json_value(&encode_json(&value).unwrap(), &Limits::default()).unwrap(), value);
    }

    /// Another reader of the same format agrees.
    #[test]
    fn it_reads_what_rmp_serde_reads(value in any_value(), cut in 0usize..400) {
        let bytes = encode_value(&value).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<Value>(&bytes).unwrap(), value);
        if cut < bytes.len() {
            prop_assert!(message_pack(&bytes[..cut]).is_err());
        }
    }
}
