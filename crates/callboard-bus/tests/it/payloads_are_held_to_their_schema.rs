//! F-API-02, F-BUS-25: what goes into an operation is held to its schema, everything that is wrong is told at once, and the
//! handler is not called.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, ErrorCode, Fault, Message, SyncHandler};
use callboard_bus::retry::FailureClass;
use callboard_bus::{CallError, Manifest, ModulesExt};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
#[serde(deny_unknown_fields)]
struct Order {
    #[schemars(length(min = 1, max = 8), regex(pattern = "^[a-z]+$"))]
    item: String,
    #[schemars(range(min = 1, max = 10))]
    pieces: u8,
    #[serde(default)]
    note: Option<String>,
}

struct Shop(Arc<AtomicU64>);

impl Actor for Shop {}

impl SyncHandler<Order> for Shop {
    fn handle(&mut self, order: Order, _: &mut Context<Self>) -> Result<u64, Fault> {
        assert!((1..=10).contains(&order.pieces) && (1..=8).contains(&order.item.len()));
        let weight = order.note.map_or(0, |note| note.len() as u64);
        Ok(self.0.fetch_add(1, Ordering::Relaxed) + weight + 1)
    }
}

#[test]
fn everything_that_is_wrong_is_told_and_the_handler_is_not_called() {
    TestSystem::run(async |t| {
        let orders = Arc::new(AtomicU64::new(0));
        let known = Arc::clone(&orders);
        let shop = t.spawn(move || Shop(Arc::clone(&known)));
        let _registered = Manifest::new("shop", "1.0.0").operation::<Order>("order").register(&shop).await.unwrap();
        let refused = |input: serde_json::Value| async { t.system().call("shop.order", input).await.unwrap_err() };

        // It could be read as the type, which knows nothing of the limits.
        let error = refused(json!({ "item": "TOO LONG FOR IT", "pieces": 11 })).await;
        let CallError::Invalid { operation, faults } = &error else { panic!("{error}") };
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!((&**operation, paths), ("shop.order", vec!["/item", "/item", "/pieces"]));
        assert_eq!((error.code(), error.class()), (ErrorCode::ValidationFailed, FailureClass::Permanent));
        assert!(!error.to_string().contains("TOO LONG"), "it repeats nothing of the payload: {error}");

        // Missing, of the wrong type, and unknown.
        let error = refused(json!({ "pieces": "two", "colour\u{1b}[31m": "\n<script>" })).await.to_string();
        assert!(error.contains("item") && error.contains("/pieces") && error.contains("colour"), "{error}");
        assert!(!error.contains(['\u{1b}', '\n', '<']), "{error}");

        // One thing alone is told in the words of the type.
        let error = refused(json!({ "pieces": 1 })).await;
        assert_eq!(error.to_string(), "the input of `shop.order` does not fit: missing field `item`");
        assert_eq!(orders.load(Ordering::Relaxed), 0);
        let fine = json!({ "item": "pears", "pieces": 10, "note": "ripe" });
        assert_eq!(t.system().call("shop.order", fine).await.unwrap(), 5.into());
        t.shutdown().await;
    });
}
