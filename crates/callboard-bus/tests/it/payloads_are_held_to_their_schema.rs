//! F-API-02, F-BUS-25: what goes into an operation or onto a channel is held to its schema, everything that is wrong is told at once, and the
//! handler is not called.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, ErrorCode, Fault, Message, SyncHandler};
use callboard_bus::retry::FailureClass;
use callboard_bus::{
    CallError, Event, EventOptions, EventsExt, Manifest, ModulesExt, Object, Operation, OperationsExt, ParameterType,
    Parameters, PublishError, TurnEventsExt, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Its schema says more than its type.
#[derive(Message, Clone, Serialize, Deserialize, JsonSchema)]
#[message(reply = u64)]
pub(crate) struct Order {
    #[schemars(length(min = 1, max = 8), regex(pattern = "^[a-z]+$"))]
    pub(crate) item: String,
    #[schemars(range(min = 1, max = 10))]
    pub(crate) pieces: u8,
    #[serde(default)]
    pub(crate) note: Option<String>,
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
        // What is no object at all is told what an order has, not what its type is called.
        let error = refused(json!(5)).await;
        let wanted = "expected an object with `item` and `pieces`, found the number 5";
        assert_eq!(error.to_string(), format!("the input of `shop.order` does not fit: {wanted}"));
        assert_eq!(orders.load(Ordering::Relaxed), 0);
        let fine = json!({ "item": "pears", "pieces": 10, "note": "ripe" });
        assert_eq!(t.system().call("shop.order", fine).await.unwrap(), 5.into());
        t.shutdown().await;
    });
}

/// What is given by a table is whatever the table lets pass.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = usize)]
struct Run(Object);

impl SyncHandler<Run> for Shop {
    fn handle(&mut self, Run(given): Run, _: &mut Context<Self>) -> Result<usize, Fault> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(given.len())
    }
}

fn table() -> Parameters {
    Parameters::new()
        .required("step", ParameterType::String, "Name of the step")
        .required("kind", ParameterType::Enum(vec!["now".to_owned(), "later".to_owned()]), "")
        .required("at", ParameterType::Datetime, "")
        .required("number", ParameterType::Integer, "")
        .optional("share", ParameterType::Number, "")
        .optional("is_dry", ParameterType::Boolean, "")
        .optional("list", ParameterType::Array, "")
        .optional("given", ParameterType::Object, "")
        .optional("bytes", ParameterType::Bytes, "")
        .optional("anything", ParameterType::Any, "")
}

/// F-API-02: what a table says, calls are held to: everything that is missing, wrong or unknown is told at once and the handler
/// is not called, whether the operation is one of the manifest or added later.
#[test]
fn a_table_is_as_good_as_a_type() {
    TestSystem::run(async |t| {
        let runs = Arc::new(AtomicU64::new(0));
        let known = Arc::clone(&runs);
        let shop = t.spawn(move || Shop(Arc::clone(&known)));
        let run = || Operation::new::<Run>("run").parameters(table());
        let _registered = Manifest::new("shop", "1.0.0").offer(run()).register(&shop).await.unwrap();
        let lenient = Operation::new::<Run>("walk").parameters(table().allow_unknown());
        t.system().modules().offer("shop", &shop, lenient).await.unwrap();
        let descriptor = t.system().operations().status("shop.run").unwrap().descriptor;
        assert_eq!(descriptor.message_schema, table().schema());

        let call = |name: &str, input: serde_json::Value| t.system().call(&format!("shop.{name}"), input);
        let bad = json!({
            "kind": "soon", "at": "yesterday", "number": 1.5, "share": "half", "is_dry": "no", "list": {}, "given": [],
            "bytes": [1, 256], "anything": [{}], "colour": "red",
        });
        for (name, expected) in [("run", 10), ("walk", 9)] {
            let refused = call(name, bad.clone()).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::ValidationFailed);
            let CallError::Invalid { faults, .. } = &refused else { panic!("{refused}") };
            let told = refused.to_string();
            assert_eq!(faults.len(), expected, "{told}");
            for place in ["/kind", "/at", "/number", "/share", "/is_dry", "/list", "/given", "/bytes/1", "step"] {
                assert!(told.contains(place), "{place}: {told}");
            }
            assert_eq!(told.contains("colour"), name == "run");
        }
        let alone =
            call("run", json!({ "step": "a", "kind": "now", "at": "2026-03-01T12:00:00Z", "number": 1, "x": 1 }));
        assert_eq!(
            alone.await.unwrap_err().code(),
            ErrorCode::ValidationFailed,
            "what is unknown is refused by itself"
        );
        assert_eq!(runs.load(Ordering::Relaxed), 0);

        let fine = json!({ "step": "a", "kind": "later", "at": "2026-03-01T12:00:00Z", "number": 1, "share": null });
        assert_eq!(call("run", fine.clone()).await.unwrap(), 5.into());
        assert_eq!(call("walk", fine).await.unwrap(), 5.into());
        t.shutdown().await;
    });
}

/// F-API-02: the fields of a type are all the parameters there are, as in a table; unless it says that it lets others pass.
#[test]
fn a_type_says_itself_what_it_lets_pass() {
    #[derive(Message, Deserialize, JsonSchema)]
    #[message(reply = u64)]
    #[schemars(extend("additionalProperties" = true))]
    struct Lenient {
        pieces: u64,
    }
    /// It asks for nothing but its field.
    #[derive(Message, Deserialize, JsonSchema)]
    #[message(reply = u64)]
    struct Strict {
        pieces: u64,
    }
    impl SyncHandler<Strict> for Shop {
        fn handle(&mut self, strict: Strict, _: &mut Context<Self>) -> Result<u64, Fault> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(strict.pieces)
        }
    }
    impl SyncHandler<Lenient> for Shop {
        fn handle(&mut self, lenient: Lenient, _: &mut Context<Self>) -> Result<u64, Fault> {
            Ok(lenient.pieces)
        }
    }
    TestSystem::run(async |t| {
        let runs = Arc::new(AtomicU64::new(0));
        let known = Arc::clone(&runs);
        let shop = t.spawn(move || Shop(Arc::clone(&known)));
        let manifest = Manifest::new("shop", "1.0.0").operation::<Lenient>("count").operation::<Strict>("take");
        let _registered = manifest.register(&shop).await.unwrap();
        let schema = |name: &str| t.system().operations().status(name).unwrap().descriptor.message_schema.clone();
        assert_eq!(schema("shop.take")["additionalProperties"], false);
        assert_eq!(schema("shop.count")["additionalProperties"], true);
        let given = json!({ "colour": "red", "pieces": 2, "size": 3 });
        let refused = t.system().call("shop.take", given.clone()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ValidationFailed);
        assert!(refused.to_string().contains("'colour', 'size'"), "{refused}");
        assert_eq!(runs.load(Ordering::Relaxed), 0);
        assert_eq!(t.system().call("shop.take", json!({ "pieces": 2 })).await.unwrap(), 2.into());
        assert_eq!(t.system().call("shop.count", given).await.unwrap(), 2.into());
        t.shutdown().await;
    });
}

/// F-API-02: a table that cannot work is refused with everything that is wrong with it.
#[test]
fn a_table_that_cannot_work_is_not_offered() {
    TestSystem::run(async |t| {
        let shop = t.spawn(|| Shop(Arc::default()));
        let twice =
            Parameters::new().required("a", ParameterType::Any, "").optional("a", ParameterType::Enum(vec![]), "");
        let offered = Manifest::new("shop", "1.0.0").offer(Operation::new::<Run>("run").parameters(twice));
        let refused = offered.register(&shop).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidConfig);
        assert!(std::error::Error::source(&refused).unwrap().to_string().contains("parameter `a`: it is listed twice"));
        t.shutdown().await;
    });
}

/// What is wrong with the data of an event, by its place.
fn places(refused: &PublishError) -> (&str, Vec<&str>) {
    let PublishError::Invalid { channel, faults } = refused else { panic!("{refused}") };
    assert_eq!(refused.code(), ErrorCode::ValidationFailed);
    (channel, faults.iter().map(|fault| fault.path.as_str()).collect())
}

/// Publishes on a channel from its turn.
struct Clerk;

impl Actor for Clerk {}

#[derive(Message)]
#[message(reply = Result<(), PublishError>)]
struct Say(Value);

impl SyncHandler<Say> for Clerk {
    fn handle(&mut self, Say(data): Say, cx: &mut Context<Self>) -> Result<Result<(), PublishError>, Fault> {
        let options = EventOptions::default().channel("orders");
        Ok(cx.publish_with("order.placed", data, options).map(drop))
    }
}

/// F-BUS-25: by whatever way something comes onto a channel that says what its messages are like: what is not is refused with
/// everything that is wrong, and nothing is enqueued.
#[test]
fn a_channel_takes_nothing_else() {
    /// What is said of an order has no other fields, as the type says itself.
    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Placed {
        #[schemars(length(min = 1, max = 8), regex(pattern = "^[a-z]+$"))]
        item: String,
        #[schemars(range(min = 1, max = 10))]
        pieces: u8,
    }
    TestSystem::run(async |t| {
        let (system, ear) = (t.system(), t.probe::<Event>());
        system.channel("orders").schema_of::<Placed>().create().await.unwrap();
        let _subscription = system.subscribe(">", ear.recipient()).on_channel("orders").await.unwrap();
        let fine = || Value::from(json!({ "item": "pears", "pieces": 10 }));
        let bad = || Value::from(json!({ "item": "TOO LONG FOR IT", "pieces": 11, "colour": "red" }));

        let refused = system.publish("order.placed", bad()).channel("orders").await.unwrap_err();
        assert_eq!(places(&refused), ("orders", vec!["", "/item", "/item", "/pieces"]));
        assert!(!refused.to_string().contains("TOO LONG"), "it repeats nothing of the data: {refused}");
        assert!(system.send_message("orders", "order.placed", 7).await.is_err());
        let clerk = t.spawn(|| Clerk);
        assert_eq!(places(&clerk.ask(Say(bad())).await.unwrap().unwrap_err()).1.len(), 4);
        let info = system.channels().get("orders").unwrap();
        assert_eq!(
            (info.depth, info.published, system.events().counts().rejected, system.events().counts().routed),
            (0, 0, 3, 0)
        );
        t.settle().await;
        assert!(ear.take().is_empty());

        system.publish("order.placed", fine()).channel("orders").await.unwrap();
        clerk.ask(Say(fine())).await.unwrap().unwrap();
        t.settle().await;
        assert_eq!(ear.take().len(), 2);
        t.shutdown().await;
    });
}

/// F-BUS-25: a broadcast goes past a channel that is of other data, whose refusal is in the receipt, and to all others.
#[test]
fn a_broadcast_goes_past_a_channel_of_other_data() {
    TestSystem::run(async |t| {
        let (system, orders, news) = (t.system(), t.probe::<Event>(), t.probe::<Event>());
        let schema = json!({ "type": "object", "required": ["item"], "properties": { "item": { "type": "string" } } });
        system.channel("orders").schema(schema.clone()).create().await.unwrap();
        system.channel("news").create().await.unwrap();
        let _first = system.subscribe(">", orders.recipient()).on_channel("orders").await.unwrap();
        let _second = system.subscribe(">", news.recipient()).on_channel("news").await.unwrap();
        assert_eq!(*system.channels().get("orders").unwrap().schema.unwrap(), schema);

        let receipt = system.broadcast("day.over", json!({ "item": 5 })).await.unwrap();
        let [news_got, orders_got] = ["news", "orders"].map(|name| &receipt.channels[name]);
        assert_eq!(news_got, &Ok(1));
        assert_eq!(places(orders_got.as_ref().unwrap_err()), ("orders", vec!["/item"]));
        t.settle().await;
        assert_eq!((orders.take().len(), news.take().len()), (0, 1));

        let receipt = system.broadcast("day.over", json!({ "item": "pears" })).await.unwrap();
        assert!(receipt.channels.values().all(|got| got == &Ok(1)));
        t.settle().await;
        assert_eq!((orders.take().len(), news.take().len()), (1, 1));
        t.shutdown().await;
    });
}

/// F-BUS-25: what is no schema is told when the channel is created.
#[test]
fn a_channel_without_a_valid_schema_is_not_created() {
    TestSystem::run(async |t| {
        let created = t.system().channel("orders").schema(json!({ "properties": { "item": { "type": "text" } } }));
        let refused = created.create().await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidConfig);
        let told = refused.to_string();
        assert!(told.starts_with("channel \"orders\" has no valid JSON Schema: /properties/item/type: "), "{told}");
        assert!(t.system().channels().list().is_empty());
        t.shutdown().await;
    });
}
