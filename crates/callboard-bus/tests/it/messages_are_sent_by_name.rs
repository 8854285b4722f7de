//! F-BUS-04: a message sent by name comes to exactly one instance, in order; what nobody takes is a dead letter.

use std::sync::{Arc, Mutex};

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, Admission, AdmissionRequest, Context, DeadReason, ErrorCode, Fault, Message, Overflow,
    SyncHandler, child,
};
use callboard_bus::{Address, DeadLetterQueueExt, Health, LetterFilter, Manifest, ModulesExt, Registration, SendError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::module_kit::{Add, Rest, SECOND, Who, adder, found, offer};

/// Writes down what it gets.
struct Scribe {
    id: u64,
    written: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl Actor for Scribe {}

#[derive(Message, Serialize, Deserialize, JsonSchema)]
struct Write(u64);

impl SyncHandler<Write> for Scribe {
    fn handle(&mut self, Write(number): Write, _: &mut Context<Self>) -> Result<(), Fault> {
        self.written.lock().unwrap().push((self.id, number));
        Ok(())
    }
}

fn address(address: &str) -> Address {
    address.parse().unwrap()
}

#[test]
fn each_message_comes_to_one_instance_and_in_order() {
    TestSystem::run(async |t| {
        let written = Arc::<Mutex<Vec<_>>>::default();
        let mut all: Vec<(ActorRef<Scribe>, Registration)> = Vec::new();
        for id in 1..=3 {
            let shared = Arc::clone(&written);
            let scribe = t.spawn(child(format!("scribe-{id}"), move || Scribe { id, written: Arc::clone(&shared) }));
            let registration = Manifest::new("scribe", "1.0.0").operation::<Write>("write").register(&scribe).await;
            all.push((scribe, registration.unwrap()));
        }
        t.settle().await;
        let to = address("scribe.write@^1");
        (0..300).for_each(|number| t.system().modules().send(&to, Write(number)).unwrap());
        t.settle().await;
        let written = written.lock().unwrap().clone();
        let mut numbers: Vec<_> = written.iter().map(|(_, number)| *number).collect();
        for id in 1..=3 {
            let own: Vec<_> = written.iter().filter(|(by, _)| *by == id).map(|(_, number)| *number).collect();
            assert!(own.len() == 100 && own.is_sorted(), "{id}: {own:?}");
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..300), "each once");
        t.shutdown().await;
    });
}

#[test]
fn what_nobody_takes_is_a_dead_letter() {
    TestSystem::run(async |t| {
        let modules = t.system().modules();
        let send = |to: &str| modules.send(&address(to), Add { amount: 1 }).unwrap_err().code();
        assert_eq!(send("adder.add"), ErrorCode::UnknownModule);
        let (adder, registration) = found(t.system(), "1.0.0", 1).await;
        t.settle().await;
        assert_eq!(send("adder.ad"), ErrorCode::UnknownOperation);
        assert_eq!(send("adder.add@^2"), ErrorCode::VersionIncompatible);
        assert_eq!(send("adder.who"), ErrorCode::ValidationFailed);
        registration.set_health(Health::Unhealthy("no disk".into())).await.unwrap();
        assert_eq!(send("adder.add"), ErrorCode::Unavailable);
        registration.set_health(Health::Healthy).await.unwrap();
        adder.breaker().force_open();
        t.settle().await;
        assert_eq!(send("adder.add"), ErrorCode::CircuitOpen);
        adder.breaker().automatic();
        t.settle().await;
        adder.tell(Rest { seconds: 5 }).await.unwrap();
        t.settle().await;
        adder.drain();
        t.settle().await;
        assert_eq!(send("adder.add"), ErrorCode::Unavailable);

        let letters = t.system().dead_letter_queue().list(&LetterFilter::all());
        assert_eq!(letters.len(), 7);
        let last = letters.last().unwrap();
        assert_eq!((last.subject.as_str(), last.cause.code), ("adder.add", ErrorCode::Unavailable));
        assert_eq!(last.cause.to_string(), "no instance of `adder.add` takes calls now: adder-1 1.0.0 is stopping");
        assert!(last.message_type.ends_with("module_kit::Add"), "{}", last.message_type);
        t.shutdown().await;
    });
}

/// One that has no room is passed over, and the last that has none keeps the books.
#[test]
fn who_has_no_room_is_passed_over() {
    TestSystem::run(async |t| {
        let mut all = Vec::new();
        for id in 1..=2 {
            let narrow = t.spawn(adder(id).bound(1).overflow(Overflow::Reject));
            all.push((offer("1.0.0").register(&narrow).await.unwrap(), narrow));
        }
        t.settle().await;
        for (_, narrow) in &all {
            narrow.tell(Rest { seconds: 5 }).await.unwrap();
        }
        t.settle().await;
        let modules = t.system().modules();
        let send = || modules.send(&address("adder.add"), Add { amount: 1 });
        send().unwrap();
        send().unwrap();
        let full = send().unwrap_err();
        assert_eq!(full.code(), ErrorCode::Busy);
        assert!(full.to_string().contains("adder-1 1.0.0 has no room in its mailbox; adder-2"), "{full}");
        assert_eq!(t.system().dead_letter_queue().counts().total(), 1);
        let letters = t.system().dead_letters().list();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].reason, DeadReason::Refused);
        t.advance(6 * SECOND).await;
        for (_, narrow) in &all {
            assert_eq!(narrow.ask(Add { amount: 0 }).await.unwrap(), 1, "each has got one of them");
        }
        for id in 1..=2 {
            assert!(t.inspect().actor(&format!("adder-{id}")).unwrap().messages.adds_up());
        }
        t.shutdown().await;
    });
}

/// Lets nothing in.
#[derive(Debug)]
struct Closed;

impl Admission for Closed {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Result<(), String> {
        Err("it is closed".to_owned())
    }
}

#[test]
fn a_message_that_was_not_admitted_goes_to_nobody_else() {
    TestSystem::run(async |t| {
        let closed = t.spawn(adder(1).admission(Closed));
        let _closed = offer("1.0.0").register(&closed).await.unwrap();
        let (open, _open) = found(t.system(), "1.0.0", 2).await;
        t.settle().await;
        let denied = t.system().modules().send(&address("adder.who"), Who {}).unwrap_err();
        assert!(matches!(&denied, SendError::Denied { instance, .. } if instance == "adder-1"), "{denied:?}");
        assert_eq!(denied.code(), ErrorCode::PermissionDenied);
        assert_eq!(t.inspect().actor("adder-2").unwrap().messages.sent, 0);
        drop(open);
        t.shutdown().await;
    });
}
