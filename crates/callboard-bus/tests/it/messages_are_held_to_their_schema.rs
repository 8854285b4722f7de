//! F-API-02: a message with its type is held to what its schema asks for beyond the type, as its payload is: by the same words, into the
//! same counts, and the handler is not called.

use callboard_actor::testing::TestSystem;
use callboard_actor::{ActorRef, ErrorCode, Message};
use callboard_bus::middleware::{Next, Request};
use callboard_bus::{CallCounts, CallError, Module, ModulesExt, OperationsExt, Registration, module};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::payloads_are_held_to_their_schema::Order;

/// Counts what it has packed.
#[derive(Default)]
struct Stall(u64);

/// Its schema says more than its type, and it cannot be shown.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Hidden {
    #[schemars(range(min = 1))]
    pieces: u8,
}

/// It asks for nothing but its type, and says when it is shown.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Plain {
    pieces: u8,
}

impl Serialize for Plain {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("nobody needs to see it")
    }
}

/// What it is written as is not what it is read from.
#[derive(Message, Serialize, Deserialize, JsonSchema)]
#[message(reply = f64)]
struct Account {
    #[schemars(length(min = 3))]
    #[serde(rename(serialize = "holder"))]
    owner: String,
    #[serde(skip_serializing)]
    password: String,
    #[schemars(range(max = 9))]
    level: u8,
}

#[module(name = "stall", version = "1.0.0")]
impl Stall {
    /// Its reply has no form as a payload.
    #[request("open")]
    fn open(&mut self, account: Account) -> f64 {
        assert!(!account.password.is_empty() && !account.owner.is_empty());
        f64::NAN
    }

    #[request("pack")]
    fn pack(&mut self, order: Order) -> u64 {
        self.0 += u64::from(order.pieces);
        self.0
    }

    #[request("hide")]
    fn hide(&mut self, hidden: Hidden) -> u64 {
        self.0 + u64::from(hidden.pieces)
    }

    #[request("count")]
    fn count(&mut self, plain: Plain) -> u64 {
        self.0 + u64::from(plain.pieces)
    }
}

async fn stall(t: &TestSystem) -> (ActorRef<Stall>, Registration) {
    let stall = t.spawn(Stall::default);
    let registration = Stall::manifest().register(&stall).await.unwrap();
    (stall, registration)
}

fn counts(t: &TestSystem, operation: &str) -> CallCounts {
    t.system().operations().status(operation).unwrap().counts
}

fn order(item: &str, pieces: u8) -> Order {
    Order { item: item.to_owned(), pieces, note: None }
}

#[test]
fn both_kinds_of_calls_are_told_the_same() {
    TestSystem::run(async |t| {
        let (stall, _registration) = stall(t).await;
        let typed = stall.pack(order("TOO LONG FOR IT", 11)).await.unwrap_err();
        let by_name =
            t.system().call("stall.pack", json!({ "item": "TOO LONG FOR IT", "pieces": 11 })).await.unwrap_err();
        assert_eq!((typed.code(), typed.to_string()), (ErrorCode::ValidationFailed, by_name.to_string()));
        let CallError::Invalid { operation, faults } = &typed else { panic!("{typed}") };
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!((&**operation, paths), ("stall.pack", vec!["/item", "/item", "/pieces"]));

        assert_eq!(stall.pack(order("pears", 3)).await.unwrap(), 3, "the handler has seen none of the others");
        let counts = counts(t, "stall.pack");
        assert_eq!((counts.begun, counts.permanent, counts.succeeded), (3, 2, 1));
        t.shutdown().await;
    });
}

/// What middleware makes of a message is held to all of its schema.
#[test]
fn so_is_what_becomes_of_a_message_on_its_way() {
    TestSystem::run(async |t| {
        let (stall, _registration) = stall(t).await;
        // The one can still be read as the type, and the other cannot.
        for pieces in [json!(12), json!("many")] {
            let input = json!({ "item": "pears", "pieces": pieces, "colour": "red" });
            let more = move |mut request: Request, next: Next| {
                request.input = input.clone().into();
                next.run(request)
            };
            t.system().operations().middleware("more").install(more).unwrap();
            let told = stall.pack(order("pears", 3)).await.unwrap_err().to_string();
            assert!(told.contains("/pieces") && told.contains("colour"), "{told}");
            assert!(t.system().operations().remove_middleware("more"));
        }
        assert_eq!(stall.pack(order("pears", 3)).await.unwrap(), 3);
        t.shutdown().await;
    });
}

/// What the type sees to is not asked of it again, and of its reply no payload is made.
#[test]
fn what_is_written_otherwise_than_it_is_read_is_no_fault() {
    TestSystem::run(async |t| {
        let (stall, _registration) = stall(t).await;
        let account = |level| Account { owner: "ada".to_owned(), password: "secret".to_owned(), level };
        assert!(stall.open(account(9)).await.unwrap().is_nan());
        let told = stall.open(account(10)).await.unwrap_err();
        let CallError::Invalid { faults, .. } = &told else { panic!("{told}") };
        assert_eq!(faults.iter().map(|fault| &*fault.path).collect::<Vec<_>>(), ["/level"]);
        t.shutdown().await;
    });
}

#[test]
fn what_cannot_be_shown_is_what_its_type_says() {
    TestSystem::run(async |t| {
        let (stall, _registration) = stall(t).await;
        assert_eq!(stall.hide(Hidden { pieces: 0 }).await.unwrap(), 0);
        t.system().call("stall.hide", json!({ "pieces": 0 })).await.unwrap_err();
        t.shutdown().await;
    });
}

#[test]
fn a_message_whose_type_says_it_all_is_not_looked_at() {
    TestSystem::run(async |t| {
        let (stall, _registration) = stall(t).await;
        assert_eq!(stall.count(Plain { pieces: 7 }).await.unwrap(), 7);
        t.shutdown().await;
    });
}
