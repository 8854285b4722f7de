//! F-API-17: an operation that blocks has a thread for that: its neighbours on the arbiter go on, and it fails and ends as any other.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, AskError, Context, DeadReason, ErrorCode, Fault, Handler, Message, SyncHandler, System, child,
};
use callboard_bus::{CallError, Manifest, Module, ModulesExt, Operation, OperationsExt, module, module_from};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::oneshot;

/// Opened by somebody else on the same thread.
#[derive(Clone, Debug, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.1.wait_while(self.0.0.lock().unwrap(), |is_open| !*is_open).unwrap();
        assert!(*open);
    }
}

#[derive(Message, Serialize, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Pass {
    number: u64,
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Result<u64, Closed>)]
struct Parse {
    text: String,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no number")]
struct Closed(String);

#[derive(Message, Deserialize, JsonSchema)]
struct Fall {}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Count {}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Open {}

mod sugar {
    use super::*;

    #[derive(Clone)]
    pub(super) struct Guard {
        pub(super) gate: Gate,
        pub(super) calls: u64,
    }

    #[module(name = "guard", version = "1.0.0")]
    impl Guard {
        #[request("pass", blocking, idempotent)]
        fn pass(&self, pass: Pass) -> u64 {
            self.gate.pass();
            pass.number
        }

        #[request("parse", blocking)]
        fn parse(parse: Parse) -> Result<u64, Closed> {
            parse.text.parse().map_err(|_| Closed(parse.text))
        }

        #[request("fall", blocking)]
        fn fall(_: Fall) -> Result<(), Fault> {
            panic!("it fell over")
        }

        #[request("count")]
        async fn count(&mut self, _: Count) -> u64 {
            self.calls += 1;
            self.calls
        }
    }
}

mod by_hand {
    use super::*;

    pub(super) struct Guard {
        pub(super) gate: Gate,
        pub(super) calls: u64,
    }

    impl Actor for Guard {}

    impl Module for Guard {
        fn manifest() -> Manifest<Self> {
            Manifest::new("guard", "1.0.0")
                .offer(Operation::new::<super::Pass>("pass").blocking().idempotent())
                .offer(Operation::fallible::<super::Parse, _, _>("parse").blocking())
                .offer(Operation::new::<super::Fall>("fall").blocking())
                .operation::<super::Count>("count")
        }
    }

    impl Handler<super::Pass> for Guard {
        async fn handle(&mut self, pass: super::Pass, cx: &mut Context<Self>) -> Result<u64, Fault> {
            let gate = self.gate.clone();
            cx.run_blocking(move || gate.pass()).await?;
            Ok(pass.number)
        }
    }

    impl Handler<super::Parse> for Guard {
        async fn handle(&mut self, parse: super::Parse, cx: &mut Context<Self>) -> Result<Result<u64, Closed>, Fault> {
            cx.run_blocking(move || parse.text.parse().map_err(|_| Closed(parse.text))).await
        }
    }

    impl Handler<super::Fall> for Guard {
        async fn handle(&mut self, _: super::Fall, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.run_blocking(|| panic!("it fell over")).await
        }
    }

    impl SyncHandler<super::Count> for Guard {
        fn handle(&mut self, _: super::Count, _: &mut Context<Self>) -> Result<u64, Fault> {
            self.calls += 1;
            Ok(self.calls)
        }
    }
}

/// Opens the gate, on the thread of the guard.
struct Porter(Gate);

#[module(name = "porter", version = "1.0.0")]
impl Porter {
    #[request("open")]
    fn open(&mut self, _: Open) -> u64 {
        self.0.open();
        7
    }
}

fn story<M: Module>(guard: fn(Gate) -> M) -> Vec<String> {
    let mut seen = Vec::new();
    TestSystem::run(async |t| {
        let (gate, system) = (Gate::default(), t.system());
        let kept = gate.clone();
        let _guard = t.spawn(module_from(move || guard(kept.clone())));
        let kept = gate.clone();
        let _porter = t.spawn(module_from(move || Porter(kept.clone())));
        t.settle().await;
        let arbiters: Vec<_> = system.inspect().actors.iter().map(|actor| actor.arbiter).collect();
        assert!(arbiters.iter().all(|arbiter| *arbiter == arbiters[0]), "all on one arbiter");

        // Were the thread blocked, nobody could open.
        let passed = system.call("guard.pass", json!({ "number": 3 }));
        let (passed, opened) =
            futures::join!(passed.into_future(), system.call("porter.open", json!({})).into_future());
        seen.push(format!("{:?} {:?}", passed.unwrap(), opened.unwrap()));
        for (operation, input) in [
            ("parse", json!({ "text": "12" })),
            ("parse", json!({ "text": "a dozen" })),
            ("count", json!({})),
            ("fall", json!({})),
            ("count", json!({})),
        ] {
            let result = system.call(&format!("guard.{operation}"), input).await;
            seen.push(result.map_or_else(|error| error_of(&error), |output| format!("{output:?}")));
        }
        let operations = system.operations();
        let status = |name: &str| operations.status(&format!("guard.{name}")).unwrap();
        let blocking = ["pass", "parse", "fall", "count"].map(|name| status(name).descriptor.is_blocking);
        seen.push(format!("{blocking:?} {}", status("fall").counts.permanent));
        t.shutdown().await;
    });
    seen
}

fn error_of(error: &CallError) -> String {
    let CallError::Road { error: AskError::Faulted(incident), .. } = error else {
        return error.code().code().to_owned();
    };
    let place = incident.location().is_some_and(|place| place.contains("blocking_operations_stall_nobody.rs"));
    format!("{} {:?} {} {place}", incident.code().code(), incident.kind(), incident.text())
}

/// F-API-17: both ways to declare it do the same: the neighbour that lets it go on has its turn meanwhile, and a panic on the pool is one of
/// the handler, with its place.
#[test]
fn a_neighbour_on_the_same_thread_lets_it_go_on() {
    let sugar = story(|gate| sugar::Guard { gate, calls: 0 });
    assert_eq!(sugar, story(|gate| by_hand::Guard { gate, calls: 0 }));
    assert_eq!(
        sugar,
        [
            "3 7",
            "12",
            "handler_failed",
            "1",
            "handler_panicked Panic it fell over true",
            "1",
            "[true, true, true, false] 1",
        ]
    );
}

/// Says when it has begun, and what became of it.
#[derive(Message)]
#[message(reply = ())]
struct Hold {
    began: oneshot::Sender<()>,
    word: Receiver<()>,
    ended: Sender<()>,
}

struct Holder;

impl Actor for Holder {}

impl Handler<Hold> for Holder {
    async fn handle(&mut self, hold: Hold, cx: &mut Context<Self>) -> Result<(), Fault> {
        cx.run_blocking(move || {
            // Nobody listens where only the end matters.
            let _ = hold.began.send(());
            let _ = hold.word.recv();
            hold.ended.send(()).expect("the test waits for it");
        })
        .await
    }
}

/// F-API-17: who ends in the middle of it answers at once; what has begun goes on by itself, and nobody waits for it.
#[test]
fn an_actor_that_is_killed_does_not_wait_for_it() {
    callboard_actor::block_on(async {
        let system = System::builder().workers(1).start().await.unwrap();
        let holder = system.spawn(child("holder", || Holder));
        let ((begin, began), (order, word), (end, ended)) = (oneshot::channel(), channel(), channel());
        let asked = holder.ask(Hold { began: begin, word, ended: end });
        let killed = async {
            began.await.unwrap();
            holder.kill();
        };
        let (answer, ()) = futures::join!(asked.into_future(), killed);
        assert!(matches!(answer, Err(AskError::Stopped(None))), "{answer:?}");
        holder.ended().await;
        assert!(ended.try_recv().is_err(), "it is still at it");
        order.send(()).unwrap();
        ended.recv().unwrap();
        let letters = system.dead_letters().list();
        assert_eq!(letters.iter().map(|letter| letter.reason).collect::<Vec<_>>(), [DeadReason::Killed]);
        system.shutdown(Default::default()).await;
    });
}

/// F-API-17: a turn that takes too long ends by its limit, as any other does; the next one does not wait for what is left of it.
#[test]
fn a_turn_limit_holds_for_it() {
    callboard_actor::block_on(async {
        let system = System::builder().workers(1).start().await.unwrap();
        let limit = std::time::Duration::from_millis(20);
        let holder = system.spawn(child("holder", || Holder).turn_limit(limit));
        let ((begin, _began), (order, word), (end, ended)) = (oneshot::channel(), channel(), channel());
        let late = holder.ask(Hold { began: begin, word, ended: end }).await.unwrap_err();
        assert_eq!(late.code(), ErrorCode::Timeout);
        let ((begin, began), (other, word), (done, after)) = (oneshot::channel(), channel(), channel());
        other.send(()).unwrap();
        holder.ask(Hold { began: begin, word, ended: done }).await.unwrap();
        began.await.unwrap();
        after.recv().unwrap();
        assert!(ended.try_recv().is_err(), "the first is still at it");
        order.send(()).unwrap();
        ended.recv().unwrap();
        system.shutdown(Default::default()).await;
    });
}
