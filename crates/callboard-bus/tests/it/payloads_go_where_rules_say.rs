//! F-FUT-03: the first rule of a router that holds for a payload says who is called; where none does and there is no
//! default, there is a record of it.

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{DeadLetterQueueExt, LetterFilter, Manifest, ModulesExt, Router, Value};
use serde_json::json;

use crate::module_kit::{Add, adder};

/// Two modules that add, each for itself.
async fn modules(t: &TestSystem) {
    for (id, module) in [(1, "small"), (2, "large")] {
        let module = Manifest::new(module, "1.0.0").operation::<Add>("add");
        module.register(&t.spawn(adder(id))).await.unwrap();
    }
    t.settle().await;
}

fn router() -> Router {
    Router::new("amounts")
        .rule("amount >= 1000".parse().unwrap(), "large.add@^1".parse().unwrap())
        .rule("amount >= 0".parse().unwrap(), "small.add".parse().unwrap())
}

#[test]
fn the_first_rule_that_holds_says_who_is_called() {
    TestSystem::run(async |t| {
        modules(t).await;
        let (modules, router) = (t.system().modules(), router());
        let add = async |amount: i64| modules.route(&router, json!({ "amount": amount })).unwrap().await.unwrap();
        assert_eq!(add(1).await, Value::from(1));
        assert_eq!(add(5000).await, Value::from(5000));
        assert_eq!(add(2).await, Value::from(3));
        let refused = modules.route(&router, json!({ "amount": 0.5 })).unwrap().await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed, "a call as any other");
        assert_eq!(t.system().dead_letter_queue().counts().total(), 0);
        t.shutdown().await;
    });
}

#[test]
fn what_no_rule_holds_for_is_recorded() {
    TestSystem::run(async |t| {
        modules(t).await;
        let (modules, router) = (t.system().modules(), router());
        let unrouted = modules.route(&router, json!({ "amount": -1 })).unwrap_err();
        assert_eq!(unrouted.code(), ErrorCode::UnknownOperation);
        modules.route(&router, json!({ "amount": "many" })).unwrap_err();
        let letters = t.system().dead_letter_queue().list(&LetterFilter::all());
        assert_eq!((letters.len(), router.faults()), (2, 2));
        assert_eq!((letters[0].subject.as_str(), letters[0].cause.code), ("amounts", unrouted.code()));
        assert_eq!(letters[0].cause.to_string(), unrouted.to_string());

        let router = router.otherwise("small.add".parse().unwrap());
        let rest = modules.route(&router, json!({ "amount": -1 })).unwrap().await.unwrap();
        assert_eq!((rest, t.system().dead_letter_queue().counts().total()), (Value::from(-1), 2));
        t.shutdown().await;
    });
}
