//! F-MOD-04, F-MOD-05, F-MOD-06, F-API-17: what `#[module]` writes can be written by hand, and does the same: the one and the other go
//! through one story, and what is seen of them from outside is compared.

use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, BreakerRules, Context, Fault, Handler, Message, Priority, StopReason, SyncHandler, Trip, one_for_one,
};
use callboard_bus::discovery::{Capability, CapabilityBuilder};
use callboard_bus::retry::FailureClass;
use callboard_bus::{
    Balance, CallSettings, DomainEvent, Event, EventsExt, Health, Manifest, Module, ModulesExt, Operation,
    OperationsExt, Parameters, Probe, Protocol, RequireExt, RetryPolicy, SecurityLevel, Start, TurnEventsExt, Value,
    ValueError, module,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::module_kit::SECOND;

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Put {
    data: Vec<u8>,
}

#[derive(Default)]
struct Storage {
    bytes: u64,
}

#[module(name = "storage", version = "1.4.0")]
impl Storage {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    #[request("put")]
    fn put(&mut self, put: Put) -> u64 {
        self.bytes += put.data.len() as u64;
        self.bytes
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there is nothing to process")]
struct Empty;

/// What is processed.
#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Result<u64, Empty>, priority = High, timeout = "2s")]
struct Process {
    data: Vec<u8>,
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = u64)]
struct Done {}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = ())]
struct Fail {}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = usize)]
struct Hash {
    text: String,
}

fn nothing() -> Parameters {
    Parameters::new()
}

fn twice() -> RetryPolicy {
    RetryPolicy::builder().max_retries(1).build().expect("it can work")
}

fn after_three() -> BreakerRules {
    BreakerRules::tripping_on([Trip::Consecutive(3)])
}

fn batches() -> CapabilityBuilder {
    Capability::builder("batches", "1.0.0").tag("analytics")
}

#[derive(Event, Serialize, Deserialize, Clone)]
#[event("data.updated")]
struct DataUpdated {
    bytes: u64,
}

mod sugar {
    use super::*;

    pub(super) struct Processor {
        store: callboard_actor::Recipient<Put>,
        done: u64,
        ticks: u64,
    }

    /// Processes what it is given.
    ///
    /// And more than that.
    #[module(
        name = "processor",
        version = "1.2.0",
        owner = "the lab",
        tags("data", "batch"),
        requires("storage.put@^1"),
        publishes("data.updated"),
        advertises(batches()),
        security_level = Authorized,
        required_permissions("lab", "batch"),
        balance = Weighted,
        weight = 3
    )]
    impl Processor {
        async fn start(cx: &mut Context<Self>) -> Result<Self, Fault> {
            Ok(Self { store: cx.require().await?, done: 0, ticks: 0 })
        }

        async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.publish("heard.started", self.done)?;
            Ok(())
        }

        /// Keeps the data.
        #[request("process_data", idempotent, timeout = "20s", retry = twice(), breaker = after_three(), rate(100, "1s"))]
        async fn process(&mut self, process: Process, cx: &mut Context<Self>) -> Result<u64, Empty> {
            if process.data.is_empty() {
                return Err(Empty);
            }
            let bytes = self.store.ask(Put { data: process.data }).await.map_err(|_| Empty)?;
            self.done += 1;
            cx.emit(&DataUpdated { bytes }).map_err(|_| Empty)?;
            Ok(bytes)
        }

        #[request("done", deprecated = "count them yourself", parameters = nothing())]
        fn done(&mut self, _: Done) -> u64 {
            self.done
        }

        #[request("hash", blocking, for_modules, no_breaker, dead_letters(Unknown, Permanent))]
        fn hash(hash: Hash) -> usize {
            hash.text.len()
        }

        #[request("fail")]
        fn fail(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), Fault> {
            Err(Fault::permanent("as it was told"))
        }

        #[event]
        async fn on_updated(&mut self, updated: DataUpdated, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.publish("heard.updated", updated.bytes)?;
            Ok(())
        }

        #[event("lab.LabStep*")]
        fn on_step(&mut self, step: Event, cx: &mut Context<Self>) {
            cx.publish("heard.step", step.name.as_str()).expect("the name is good");
        }

        #[every("30s")]
        fn tick(&mut self) {
            self.ticks += 1;
        }

        #[probe]
        fn health(&mut self) -> Health {
            if self.ticks < 3 { Health::Healthy } else { Health::Degraded(format!("{} ticks", self.ticks)) }
        }

        async fn stop(self, why: StopReason) {
            assert_eq!(why, StopReason::Stopped);
        }
    }
}

mod by_hand {
    use super::*;

    pub(super) struct Processor {
        store: callboard_actor::Recipient<Put>,
        done: u64,
        ticks: u64,
    }

    impl Actor for Processor {
        async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.publish("heard.started", self.done)?;
            Ok(())
        }

        async fn stopped(self, why: StopReason) {
            assert_eq!(why, StopReason::Stopped);
        }
    }

    impl Module for Processor {
        fn manifest() -> Manifest<Self> {
            Manifest::new("processor", "1.2.0")
                .description("Processes what it is given.")
                .owner("the lab")
                .tag("data")
                .tag("batch")
                .requires("storage.put@^1")
                .publishes("data.updated")
                .security_level(SecurityLevel::Authorized)
                .advertises(batches())
                .required_permission("lab")
                .required_permission("batch")
                .balance(Balance::Weighted)
                .weight(3)
                .offer(
                    Operation::fallible::<Process, _, _>("process_data")
                        .description("Keeps the data.")
                        .idempotent()
                        .settings(process_settings()),
                )
                .offer(Operation::new::<super::Done>("done").deprecated("count them yourself").parameters(nothing()))
                .offer(Operation::new::<Hash>("hash").blocking().for_modules().settings(hash_settings()))
                .operation::<Fail>("fail")
                .hears::<Updated>(DataUpdated::NAME)
                .hears::<Step>("lab.LabStep*")
                .every::<Tick>(Duration::from_secs(30))
                .probe()
        }
    }

    fn process_settings() -> CallSettings {
        let settings = CallSettings::new().timeout(Duration::from_secs(20)).retry(twice()).breaker(after_three());
        settings.rate(100, SECOND)
    }

    fn hash_settings() -> CallSettings {
        CallSettings::new().no_breaker().dead_letters([FailureClass::Unknown, FailureClass::Permanent])
    }

    impl Start for Processor {
        async fn start(cx: &mut Context<Self>) -> Result<Self, Fault> {
            Ok(Self { store: cx.require().await?, done: 0, ticks: 0 })
        }
    }

    impl Handler<Hash> for Processor {
        async fn handle(&mut self, hash: Hash, cx: &mut Context<Self>) -> Result<usize, Fault> {
            cx.run_blocking(move || hash.text.len()).await
        }
    }

    impl Handler<Process> for Processor {
        async fn handle(&mut self, process: Process, cx: &mut Context<Self>) -> Result<Result<u64, Empty>, Fault> {
            if process.data.is_empty() {
                return Ok(Err(Empty));
            }
            let bytes = self.store.ask(Put { data: process.data }).await?;
            self.done += 1;
            cx.emit(&DataUpdated { bytes })?;
            Ok(Ok(bytes))
        }
    }

    impl SyncHandler<super::Done> for Processor {
        fn handle(&mut self, _: super::Done, _: &mut Context<Self>) -> Result<u64, Fault> {
            Ok(self.done)
        }
    }

    impl SyncHandler<Fail> for Processor {
        fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), Fault> {
            Err(Fault::permanent("as it was told"))
        }
    }

    struct Updated(Result<DataUpdated, ValueError>);

    impl From<Event> for Updated {
        fn from(event: Event) -> Self {
            Self(event.read())
        }
    }

    impl Message for Updated {
        type Reply = ();
    }

    impl SyncHandler<Updated> for Processor {
        fn handle(&mut self, Updated(updated): Updated, cx: &mut Context<Self>) -> Result<(), Fault> {
            // What cannot be read is the fault of its publisher.
            if let Ok(updated) = updated {
                cx.publish("heard.updated", updated.bytes)?;
            }
            Ok(())
        }
    }

    struct Step(Event);

    impl From<Event> for Step {
        fn from(event: Event) -> Self {
            Self(event)
        }
    }

    impl Message for Step {
        type Reply = ();
    }

    impl SyncHandler<Step> for Processor {
        fn handle(&mut self, step: Step, cx: &mut Context<Self>) -> Result<(), Fault> {
            cx.publish("heard.step", step.0.name.as_str())?;
            Ok(())
        }
    }

    #[derive(Default)]
    struct Tick;

    impl Message for Tick {
        type Reply = ();
    }

    impl SyncHandler<Tick> for Processor {
        fn handle(&mut self, _: Tick, _: &mut Context<Self>) -> Result<(), Fault> {
            self.ticks += 1;
            Ok(())
        }
    }

    impl SyncHandler<Probe> for Processor {
        fn handle(&mut self, _: Probe, _: &mut Context<Self>) -> Result<Health, Fault> {
            Ok(if self.ticks < 3 { Health::Healthy } else { Health::Degraded(format!("{} ticks", self.ticks)) })
        }
    }
}

/// What is seen of a processor from outside.
fn story<M: Start + Handler<Probe>>() -> Vec<String> {
    let mut seen = Vec::new();
    TestSystem::run(async |t| {
        let system = t.system();
        let ear = t.probe::<Event>();
        let _subscription = system.subscribe("heard.>", ear.recipient()).await.unwrap();
        system.supervise(one_for_one().child(module::<Storage>()).child(module::<M>())).await.unwrap();
        t.settle().await;
        let descriptor = system.modules().list().into_iter().find(|known| known.name == "processor").unwrap();
        let mut shown = serde_json::to_value(&*descriptor).unwrap();
        shown["actor"].take();
        seen.push(shown.to_string());
        for operation in &descriptor.operations {
            seen.push(system.operations().pipeline(&operation.address).unwrap().to_string());
        }
        for (operation, input) in [
            ("process_data", json!({ "data": [1, 2, 3] })),
            ("process_data", json!({ "data": [] })),
            ("process_data", json!({ "data": "text" })),
            ("hash", json!({ "text": "four" })),
            ("done", json!({ "much": 1 })),
            ("done", json!({})),
            ("fail", json!({})),
            ("done", json!({})),
        ] {
            let answer = system.call(&format!("processor.{operation}"), input).await;
            seen.push(match answer {
                Ok(output) => format!("{operation}: {output:?}"),
                Err(error) => format!("{operation}: {} {}", error.code().code(), without_place(&error.to_string())),
            });
        }
        for (name, data) in [
            ("lab.LabStepStarted", Value::Null),
            ("lab.LabSte", Value::Null),
            ("data.updated", json!({ "bytes": 7 }).into()),
            ("data.updated", "seven".into()),
        ] {
            let receipt = system.publish(name, data).await.unwrap();
            seen.push(format!("{name}: {}", receipt.delivered));
        }
        t.settle().await;
        seen.extend(ear.take().into_iter().map(|event| format!("{} {:?} of {}", event.name, event.data, event.source)));
        let processor = system.find::<M>("processor").unwrap();
        for seconds in [89, 1] {
            t.advance(seconds * SECOND).await;
            seen.push(format!("{:?}", processor.ask(Probe::default()).await.unwrap()));
        }
        processor.stop();
        processor.ended().await;
        t.settle().await;
        seen.push(format!("{:?}", system.modules().list().len()));
        seen.push(format!("{:?}", system.publish("data.updated", json!({ "bytes": 7 })).await.unwrap().delivered));
        t.shutdown().await;
    });
    seen
}

#[test]
fn what_the_macro_writes_does_what_is_written_by_hand() {
    let (sugar, by_hand) = (story::<sugar::Processor>(), story::<by_hand::Processor>());
    assert_eq!(sugar, by_hand);
    let pipelines = [
        "time-out: 20s\nretry: 2 attempts at most\nplaces: 1000 at once (calls from outside)\nrate: 100 calls in 1s\nbreaker: opens for 30s\n",
        "time-out: 30s (that of the system)\nretry: none\nplaces: 1000 at once (calls from outside)\nbreaker: opens for 30s\n",
        "dead letters: of unknown and permanent errors\ntime-out: 30s (that of the system)\nretry: none\nplaces: 1000 at once (calls from outside)\nbreaker: off\n",
        "time-out: 30s (that of the system)\nretry: none\nplaces: 1000 at once (calls from outside)\nbreaker: opens for 30s\n",
    ];
    for (shown, expected) in sugar[1..5].iter().zip(pipelines) {
        assert!(shown.starts_with(expected), "{shown}");
    }
    for said in ["weighted", "\"weight\":3", "\"lab\",\"batch\"", "\"batches\"", "\"is_blocking\":true"] {
        assert!(sugar[0].contains(said), "{said}: {}", sugar[0]);
    }
    assert_eq!(
        sugar[5..],
        [
            "process_data: 3",
            "process_data: handler_failed there is nothing to process",
            "process_data: validation_failed the input of `processor.process_data` does not fit: at data: expected a \
             sequence, found string \"text\"",
            "hash: 4",
            "done: validation_failed the input of `processor.done` does not fit: /: no properties are \
             allowed, and there is 'much'",
            "done: 1",
            "fail: handler_failed the turn failed: processor: as it was told",
            "done: 0",
            "lab.LabStepStarted: 1",
            "lab.LabSte: 0",
            "data.updated: 1",
            "data.updated: 1",
            "heard.started 0 of processor",
            "heard.updated 3 of processor",
            "heard.started 0 of processor",
            "heard.step \"lab.LabStepStarted\" of processor",
            "heard.updated 7 of processor",
            "Healthy",
            "Degraded(\"3 ticks\")",
            "1",
            "0",
        ]
    );
}

/// An incident says in which line it has happened.
fn without_place(text: &str) -> &str {
    text.split(" at crates").next().unwrap_or_default()
}

/// The methods of the trait that the macro writes are calls of the operations.
#[test]
fn operations_are_methods_of_the_reference() {
    use self::StorageOperations;
    use self::sugar::ProcessorOperations;

    TestSystem::run(async |t| {
        t.system()
            .supervise(one_for_one().child(module::<Storage>()).child(module::<sugar::Processor>()))
            .await
            .unwrap();
        t.settle().await;
        let processor = t.system().find::<sugar::Processor>("processor").unwrap();
        assert_eq!(processor.process_data(Process { data: vec![0; 5] }).await.unwrap().unwrap(), 5);
        assert_eq!(processor.done(Done {}).priority(Priority::Critical).await.unwrap(), 1);
        let storage = t.system().find::<Storage>("storage").unwrap();
        assert_eq!(storage.put(Put { data: vec![1] }).await.unwrap(), 6);
        t.shutdown().await;
    });
}

/// F-MOD-02: what `#[event]` hears is published without a channel, or broadcast.
#[test]
fn what_a_module_hears_is_on_no_channel() {
    TestSystem::run(async |t| {
        let system = t.system();
        system.channel("c").create().await.unwrap();
        system.supervise(one_for_one().child(module::<Storage>()).child(module::<sugar::Processor>())).await.unwrap();
        t.settle().await;
        let data = || json!({ "bytes": 7 });
        assert_eq!(system.publish("data.updated", data()).channel("c").await.unwrap().delivered, 0);
        assert_eq!(system.publish("data.updated", data()).await.unwrap().delivered, 1);
        assert_eq!(system.broadcast("data.updated", data()).await.unwrap().delivered, 1);
        t.shutdown().await;
    });
}

/// F-MOD-02: a module that does not answer requests has no operations, and says in which ways it takes part.
#[test]
fn a_module_takes_part_in_the_ways_that_it_says() {
    TestSystem::run(async |t| {
        let storage = t.spawn(Storage::default);
        Storage::manifest().protocols([Protocol::PubSub]).register(&storage).await.unwrap();
        let refused = t.system().call("storage.put", json!({ "data": [] })).await.unwrap_err();
        assert_eq!(refused.code().code(), "unknown_operation");
        assert_eq!(t.system().modules().list()[0].protocols, [Protocol::PubSub]);
        t.spawn(Storage::default);
        let other = t.spawn(Storage::default);
        Storage::manifest().register(&other).await.unwrap();
        let derived = [Protocol::RequestResponse, Protocol::PointToPoint, Protocol::Workflow];
        assert_eq!(t.system().modules().list()[1].protocols, derived);
        t.shutdown().await;
    });
}

/// Keeps the names of what it hears on a channel.
#[derive(Default)]
struct Watcher(Vec<String>);

#[module(name = "watcher", version = "1.0.0")]
impl Watcher {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    #[event("lab.>", channel = "Configuration")]
    fn on_change(&mut self, event: Event) {
        self.0.push(event.name.to_string());
    }

    #[event(channel = "Configuration")]
    fn on_updated(&mut self, updated: DataUpdated) {
        self.0.push(format!("{} bytes", updated.bytes));
    }

    #[request("heard")]
    fn heard(&mut self, _: Heard) -> Vec<String> {
        self.0.clone()
    }
}

#[derive(Message, Deserialize, JsonSchema)]
#[message(reply = Vec<String>)]
struct Heard {}

/// F-BUS-16: a module hears what is published on its channel and nothing else, and does not start without the channel.
#[test]
fn a_module_hears_the_channel_that_it_names() {
    TestSystem::run(async |t| {
        let system = t.system();
        let actor = t.spawn(Watcher::default);
        let too_early = Watcher::manifest().register(&actor).await.unwrap_err();
        assert_eq!(too_early.code().code(), "unknown_channel");
        assert!(std::error::Error::source(&too_early).unwrap().to_string().contains("create it first"), "{too_early}");
        system.channel("Configuration").create().await.unwrap();
        let _registration = Watcher::manifest().register(&actor).await.unwrap();
        system.publish("lab.elsewhere", Value::Null).await.unwrap();
        system.publish("lab.setting", Value::Null).channel("Configuration").await.unwrap();
        system.publish(DataUpdated::NAME, json!({ "bytes": 7 })).channel("Configuration").await.unwrap();
        t.settle().await;
        let heard = system.call("watcher.heard", json!({})).await.unwrap();
        assert_eq!(serde_json::to_value(heard).unwrap(), json!(["lab.setting", "7 bytes"]));
        t.shutdown().await;
    });
}
