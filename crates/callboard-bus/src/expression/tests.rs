use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::value::{Path, Segment};

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn context() -> Value {
    Value::from(json!({
        "steps": { "fetch-data": { "output": { "rows": [1, 2, 3], "name": "börse" } } },
        "item": { "price": 3.0, "tags": ["new", "cheap"] },
        "odd key": 1, "in": 2, "len": 4, "n": 3, "no": null, "yes": true,
    }))
}

fn evaluate(text: &str) -> Result<Value, String> {
    parse(text).evaluate(&context()).map_err(|fault| fault.to_string())
}

#[test]
fn the_language_says_what_its_page_says() {
    let table = [
        ("steps.fetch-data.output.rows[2] == 3", json!(true)),
        ("steps['fetch-data'].output.rows.2", json!(3)),
        ("$[\"odd key\"]", json!(1)),
        ("$.in", json!(2)),
        ("len == 4", json!(true)),
        ("len(steps.fetch-data.output.name)", json!(5)),
        ("len ( item.tags ) <= n", json!(true)),
        ("item == $.item", json!(true)),
        ("item.price == n", json!(true)),
        ("missing", json!(null)),
        ("missing == null", json!(true)),
        ("missing.too[3] != null", json!(false)),
        ("n == '3'", json!(false)),
        ("'a' < 'b'", json!(true)),
        ("-1.5e1 < -15", json!(false)),
        ("'new' in item.tags", json!(true)),
        ("item.tags contains 'old'", json!(false)),
        ("'tags' in item", json!(true)),
        ("'ör' in steps.fetch-data.output.name", json!(true)),
        ("n in [1, 2, 3, [4]]", json!(true)),
        ("[n, [], 'x']", json!([3, [], "x"])),
        ("yes or missing", json!(true)),
        ("not yes and missing", json!(false)),
        ("not n in [1]", json!(true)),
        ("yes or yes and not yes", json!(true)),
        ("(yes or yes) and not yes", json!(false)),
        ("not not yes", json!(true)),
        ("\n yes\t", json!(true)),
    ];
    for (text, expected) in table {
        assert_eq!(evaluate(text), Ok(Value::from(expected)), "{text}");
    }
}

#[test]
fn a_fault_names_both_sides_and_the_part() {
    let table = [
        (
            "yes and n < 'x'",
            "no order between the number 3 and the string \"x\" in `n < \"x\"`; it takes two numbers or two strings",
        ),
        ("missing > 1", "no order between null and the number 1 in `missing > 1`; it takes two numbers or two strings"),
        ("not n", "expected `n` to be true or false, found the number 3"),
        ("missing or yes", "expected `missing` to be true or false, found null"),
        ("len(n)", "the number 3 has no length in `len(n)`; it takes an array, an object or a string"),
        (
            "n in item",
            "nothing can be looked for in an object of 2 with the number 3 in `n in item`; it takes an array, or an object or a string with a string",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(evaluate(text), Err(expected.to_owned()), "{text}");
    }
    let not_boolean = parse("item.tags").is_true(&context()).unwrap_err().to_string();
    assert_eq!(not_boolean, "expected `item.tags` to be true or false, found an array of 2");
}

/// F-BUS-17: `validation_failed` with the position.
#[test]
fn what_does_not_parse_names_its_offset_and_what_was_expected() {
    let operand = "a path, a literal, len(, ( or [";
    let table = [
        ("", 0, operand, "the end"),
        ("a and ", 5, operand, "the end"),
        ("a ==", 4, operand, "the end"),
        ("a == b == c", 7, "an operator or the end", "\"== c\""),
        ("a b", 2, "an operator or the end", "\"b\""),
        ("(a", 2, "an operator or )", "the end"),
        ("len(a b)", 6, "an operator or )", "\"b)\""),
        ("[a b]", 3, ", or ]", "\"b]\""),
        ("a.", 2, "a key after the dot, in [\"\"] if it is no word", "the end"),
        ("a + b", 2, "a path, a literal or an operator", "\"+ b\""),
        ("a = b", 2, "a path, a literal or an operator", "\"= b\""),
        ("01", 0, "a number as in JSON", "\"01\""),
        ("1e999", 0, "a number as in JSON", "\"1e999\""),
        ("a == 'x", 7, "the closing quote", "the end"),
        ("é == ❤", 6, "a path, a literal or an operator", "\"❤\""),
    ];
    for (text, at, expected, found) in table {
        let fault = Expression::parse(text).unwrap_err();
        assert_eq!(fault, ExpressionError::Unexpected { at, expected, found: found.to_owned() }, "{text}");
    }
    let fault = Expression::parse("(a").unwrap_err();
    assert_eq!(fault.code(), "validation_failed");
    assert_eq!(fault.to_string(), "expected an operator or ) at byte 2, found the end");
}

#[test]
fn depth_and_length_are_limited() {
    let (limit, length) = (Expression::MAX_DEPTH, Expression::MAX_LENGTH);
    for (open, close) in [("(", ")"), ("[", "]"), ("len(", ")"), ("not ", "")] {
        let nested = |levels| format!("{}a{}", open.repeat(levels), close.repeat(levels));
        assert!(Expression::parse(&nested(limit)).is_ok());
        let fault = Expression::parse(&nested(limit + 1)).unwrap_err();
        assert_eq!(fault, ExpressionError::TooDeep { at: open.len() * (limit + 1), limit });
    }
    let flat = |parts| vec!["a"; parts].join(" or ");
    assert!(Expression::parse(&flat(length / 5)).is_ok());
    let long = flat(length);
    assert_eq!(Expression::parse(&long), Err(ExpressionError::TooLong { length: long.len(), limit: length }));
}

#[test]
fn the_paths_are_what_it_needs_to_know() {
    let expression = parse("a.b in [c, 1] or not (len(d) < $['odd key'])");
    let paths: Vec<String> = expression.paths().map(Path::to_string).collect();
    assert_eq!(paths, ["a.b", "c", "d", "$[\"odd key\"]"]);
}

#[test]
fn it_is_serialised_as_its_text() {
    let expression = parse("( (a or b) and not(c) )");
    assert_eq!(expression.to_string(), "(a or b) and not c");
    let json = serde_json::to_string(&expression).unwrap();
    assert_eq!(json, "\"(a or b) and not c\"");
    assert_eq!(serde_json::from_str::<Expression>(&json).unwrap(), expression);
    let fault = serde_json::from_str::<Expression>("\"a ==\"").unwrap_err().to_string();
    assert!(fault.starts_with("expected a path, a literal, len(, ( or [ at byte 4, found the end"), "{fault}");
}

fn any_path() -> impl Strategy<Value = Path> {
    let key = prop_oneof!["[abc]", "[abc]", "[0-2]", "in|and|len|null", any::<String>()];
    prop::collection::vec(key, 0..3).prop_map(|keys| keys.iter().map(|key| Segment::from(key.as_str())).collect())
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        (-2.0..3.0).prop_map(|float| Value::try_from(float).unwrap()),
        "[ab]{0,2}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

fn any_operator() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Equal,
        Operator::Unequal,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::In,
        Operator::Contains,
    ])
}

fn any_node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![any_scalar().prop_map(Node::Literal), any_path().prop_map(Node::Path)];
    leaf.prop_recursive(4, 32, 3, |inner| {
        let chain = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::List),
            inner.clone().prop_map(|inner| Node::Length(Box::new(inner))),
            inner.clone().prop_map(|inner| Node::Not(Box::new(inner))),
            chain.clone().prop_map(Node::All),
            chain.prop_map(Node::Any),
            (inner.clone(), any_operator(), inner).prop_map(|(left, operator, right)| Node::Compare(
                Box::new(left),
                operator,
                Box::new(right)
            )),
        ]
    })
}

fn any_context() -> impl Strategy<Value = Json> {
    let leaf = any_scalar().prop_map(|scalar| Json::try_from(&scalar).unwrap());
    let any = leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[abc]|in", any, 0..4).prop_map(|map| Json::Object(map.into_iter().collect()))
}

/// The same language over the values of serde_json, written down naively; nothing is an error.
fn model(node: &Node, context: &Json) -> Option<Json> {
    Some(match node {
        Node::Literal(value) => Json::try_from(value).unwrap(),
        Node::Path(path) => {
            let mut at = context;
            for segment in path.segments() {
                at = match at {
                    Json::Object(map) => map.get(segment.key()).unwrap_or(&Json::Null),
                    Json::Array(items) => segment.index().and_then(|index| items.get(index)).unwrap_or(&Json::Null),
                    _ => &Json::Null,
                };
            }
            at.clone()
        }
        Node::List(items) => Json::Array(items.iter().map(|item| model(item, context)).collect::<Option<_>>()?),
        Node::Length(inner) => match model(inner, context)? {
            Json::String(text) => text.chars().count().into(),
            Json::Array(items) => items.len().into(),
            Json::Object(map) => map.len().into(),
            _ => return None,
        },
        Node::Not(inner) => (!model(inner, context)?.as_bool()?).into(),
        Node::All(parts) => {
            let (first, rest) = parts.split_first()?;
            let holds = model(first, context)?.as_bool()?;
            if holds && !rest.is_empty() { return model(&Node::All(rest.to_vec()), context) } else { holds.into() }
        }
        Node::Any(parts) => {
            let (first, rest) = parts.split_first()?;
            let holds = model(first, context)?.as_bool()?;
            if !holds && !rest.is_empty() { return model(&Node::Any(rest.to_vec()), context) } else { holds.into() }
        }
        Node::Compare(left, operator, right) => {
            model_compare(&model(left, context)?, *operator, &model(right, context)?)?.into()
        }
    })
}

fn model_compare(left: &Json, operator: Operator, right: &Json) -> Option<bool> {
    let order = || match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Json::String(left), Json::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    let holds = |item: &Json, within: &Json| match (item, within) {
        (_, Json::Array(items)) => Some(items.iter().any(|other| model_equal(item, other))),
        (Json::String(key), Json::Object(map)) => Some(map.contains_key(key)),
        (Json::String(part), Json::String(text)) => Some(text.contains(part)),
        _ => None,
    };
    Some(match operator {
        Operator::Equal => model_equal(left, right),
        Operator::Unequal => !model_equal(left, right),
        Operator::Less => order()?.is_lt(),
        Operator::LessOrEqual => order()?.is_le(),
        Operator::Greater => order()?.is_gt(),
        Operator::GreaterOrEqual => order()?.is_ge(),
        Operator::In => holds(left, right)?,
        Operator::Contains => holds(right, left)?,
    })
}

/// serde_json tells 1 from 1.0; the numbers of these tests are small enough to be compared as floats.
fn model_equal(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| model_equal(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| model_equal(value, other)))
        }
        _ => left == right,
    }
}

proptest! {
    #[test]
    fn an_expression_reads_back_from_its_text(node in any_node()) {
        let text = node.to_string();
        prop_assert_eq!(parse(&text).0, node, "{}", text);
    }

    #[test]
    fn it_says_what_the_model_says(node in any_node(), context in any_context()) {
        let said = node.evaluate(&Value::from(context.clone()));
        prop_assert_eq!(said.clone().ok(), model(&node, &context).map(Value::from), "{}: {:?}", node, said);
    }
}
