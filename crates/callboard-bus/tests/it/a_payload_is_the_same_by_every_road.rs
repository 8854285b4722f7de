//! A message goes as a value, as MessagePack and as JSON, and is the same message each time.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use callboard_bus::codec::{Limits, decode, decode_json, decode_value, encode, encode_json};
use callboard_bus::{Value, from_value};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Process {
    data: Vec<u8>,
    from: IpAddr,
    wait: Duration,
    weights: BTreeMap<u16, f64>,
    short: f32,
    kind: Kind,
    note: Option<String>,
    rest: Option<Box<Process>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    Tagged(String),
    Pair(i64, u64),
    Named { flag: bool },
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Plain),
        any::<String>().prop_map(Kind::Tagged),
        any::<(i64, u64)>().prop_map(|(one, other)| Kind::Pair(one, other)),
        any::<bool>().prop_map(|flag| Kind::Named { flag }),
    ]
}

fn any_process() -> impl Strategy<Value = Process> {
    let weights = prop::collection::btree_map(any::<u16>(), any::<f64>(), 0..12);
    let flat = (
        any::<Vec<u8>>(),
        any::<[u8; 4]>(),
        any::<Duration>(),
        weights,
        any::<f32>(),
        any_kind(),
        any::<Option<String>>(),
    );
    let one = flat.prop_map(|(data, from, wait, weights, short, kind, note)| Process {
        data,
        from: from.into(),
        wait,
        weights,
        short,
        kind,
        note,
        rest: None,
    });
    prop::collection::vec(one, 1..4).prop_map(|parts| {
        let chain = parts.into_iter().fold(None, |rest, part| Some(Box::new(Process { rest, ..part })));
        *chain.unwrap()
    })
}

proptest! {
    #[test]
    fn it_comes_back_as_it_went(process in any_process()) {
        let limits = Limits::default();
        let value = Value::from_serialize(&process).unwrap();
        let (packed, text) = (encode(&process).unwrap(), encode_json(&process).unwrap());
        prop_assert_eq!(&from_value::<Process>(&value).unwrap(), &process);
        prop_assert_eq!(&decode::<Process>(&packed, &limits).unwrap(), &process);
        prop_assert_eq!(&decode_json::<Process>(&text, &limits).unwrap(), &process);
        prop_assert_eq!(&decode_value(&packed, &limits).unwrap(), &value);
        prop_assert_eq!(&encode(&value).unwrap(), &packed);
    }
}
