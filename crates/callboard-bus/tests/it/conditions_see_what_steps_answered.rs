//! A context grows by the answers of steps, and conditions are asked of it.

use callboard_bus::{Expression, Object, Path, Value};
use serde::Serialize;

#[derive(Serialize)]
struct Report {
    rows: Vec<Row>,
    quality: f32,
}

#[derive(Serialize)]
struct Row {
    symbol: &'static str,
    price: Option<f64>,
}

fn context() -> Object {
    let rows = vec![Row { symbol: "A", price: Some(1.5) }, Row { symbol: "B", price: None }];
    let report = Value::from_serialize(&Report { rows, quality: 0.9 }).unwrap();
    let step = Object::from([("output", report)]);
    Object::from([("steps", Value::from(Object::from([("analyse", step)])))]).with("min quality", 0)
}

#[test]
fn a_step_runs_when_its_condition_holds() {
    let context = Value::from(context());
    let holds = |text: &str| Expression::parse(text).unwrap().is_true(&context).unwrap();
    assert!(holds("steps.analyse.output.quality > $[\"min quality\"]"));
    assert!(holds("steps.analyse.output.rows[1].price == null"));
    assert!(holds("len(steps.analyse.output.rows) == 2 and steps.publish == null"));
    assert!(!holds("steps.analyse.output.rows[0].symbol in ['B', 'C']"));
}

#[test]
fn a_map_binds_each_item_by_name() {
    let context = context();
    let over = Expression::parse("steps.analyse.output.rows").unwrap();
    let rows = over.evaluate(&Value::from(context.clone())).unwrap();
    let priced = Expression::parse("item.price != null and item.price >= 1").unwrap();
    let items = rows.as_array().unwrap().iter();
    let held: Vec<bool> =
        items.map(|item| priced.is_true(&context.with("item", item.clone()).into()).unwrap()).collect();
    assert_eq!(held, [true, false]);
}

#[test]
fn a_missing_price_has_no_order() {
    let context = Value::from(context().with("item", Object::from([("price", Value::Null)])));
    let fault = Expression::parse("item.price >= 1").unwrap().is_true(&context).unwrap_err().to_string();
    assert_eq!(
        fault,
        "no order between null and the number 1 in `item.price >= 1`; it takes two numbers or two strings"
    );
}

#[test]
fn a_definition_is_checked_before_it_runs() {
    let known: Path = "steps.analyse".parse().unwrap();
    let expression = Expression::parse("steps.analyse.output.quality > steps.analyze.output.quality").unwrap();
    let unknown = expression.paths().filter(|path| path.segments()[..2] != *known.segments());
    assert_eq!(unknown.map(Path::to_string).collect::<Vec<_>>(), ["steps.analyze.output.quality"]);
}
