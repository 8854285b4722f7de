//! Modules: actors that are found and called by name. Events by name. And the parts that modules and workflows share: values,
//! conditions over them, retries, payloads as bytes, and pictures of graphs.
//!
//! These parts are pure: time and random draws are arguments, nothing waits, and no input makes them panic.
//!
//! | concept | type |
//! |---|---|
//! | an actor with a name, a version and operations | [`Manifest`], [`Registration`], [`Descriptor`] |
//! | one that knows what it is by itself | [`Module`], [`Start`], [`module()`], [`RequireExt`] |
//! | what an operation takes, as a table instead of a type | [`Parameters`], [`Operation::parameters`] |
//! | where modules are found | [`ModulesExt`], [`Modules`], [`ModuleWatch`], [`ModuleChange`] |
//! | which of several equal instances is called | [`Balance`], [`Call::key`] |
//! | where a payload goes, by what is in it | [`Router`], [`Modules::route`] |
//! | a message by name that nobody answers | [`Modules::send`] |
//! | how an operation is named | [`Address`] |
//! | a call by name | [`Call`], [`PackedCall`], [`CallError`], [`LookupError`] |
//! | a payload that is shared instead of copied | [`Value`], [`Object`], [`Array`], [`Number`] |
//! | where something lies in it | [`Path`], [`Segment`] |
//! | typed data into a value and out of it | [`Value::from_serialize`], [`from_value`], [`ValueError`] |
//! | a condition over a value | [`Expression`], [`EvaluationError`] |
//! | payloads as MessagePack or JSON, from senders who are not trusted | [`codec`], [`codec::Limits`] |
//! | when to try again | [`RetryPolicy`], [`retry::Retry`], [`RetryBudget`] |
//! | settings, from their layers and while the system runs | [`Config`], [`Profile`], [`LiveConfig`], [`config`] |
//! | users, modules and routes of a program that is there already | [`providers`] |
//! | a system that heeds them | [`BuilderConfigExt`], [`ConfigExt`] |
//! | the class of an error that says nothing of itself | [`Classifier`], [`Keywords`] |
//! | the name of an event, and many of them | [`Topic`], [`Pattern`], [`TopicError`] |
//! | what has happened, told to everybody who wants to know | [`Event`](struct@Event), [`EventsExt`], [`TurnEventsExt`], [`events`] |
//! | who got it, and who gets it | [`Receipt`], [`Subscription`], [`SubscriptionInfo`] |
//! | a scope of events with a bound, and one event for all of them | [`mod@channel`], [`Channels`], [`Broadcast`] |
//! | events by the batch | [`Batch`], [`BatchOutcome`] |
//! | of which larger work something is a part | [`TraceContext`] |
//! | what was published last, and what became of it | [`HistoryQuery`], [`EventCounts`] |
//! | what modules can do, and who can | [`discovery::Capability`], [`discovery::DiscoveryQuery`], [`Modules::discover`] |
//! | what two modules have agreed on, and who is to do it | [`contract::Contract`], [`contract::Need`], [`Modules::negotiate`] |
//! | what a change of a module breaks | [`Modules::export`], [`mod@contract::diff`] |
//! | which module needs which, and in what order they start | [`module_graph::ModuleGraph`] |
//! | whether what one side writes is what the other reads | [`schema::compatibility`] |
//! | what calls go through, and how operations are doing | [`middleware`], [`CallSettings`], [`Operations`], [`OperationStatus`] |
//! | calls that nobody waits for at once | [`Jobs`], [`Job`], [`JobState`] |
//! | what came of a call, as JSON for others | [`Response`] |
//! | messages that failed for good, to be looked at and retried | [`mod@dead_letter_queue`], [`DeadLetterQueue`], [`Letter`] |
//! | who may do what | [`mod@gate`], [`Gate`], [`AuthContext`] |
//! | what was done by hand, and by whom | [`Audit`], [`Operator`] |
//! | how the system is doing, and whether all is well | [`mod@monitoring`], [`Metrics`], [`Monitoring`] |
//! | its figures for Prometheus | [`monitoring::Exposition`] |
//! | tests of a running system by itself | [`mod@self_test`], [`SelfTest`] |
//! | a graph as SVG, DOT or Mermaid, and a chart over time | [`picture::Picture`], [`picture::Gantt`] |
//!
//! ```
//! use callboard_bus::codec::{Limits, decode_value};
//! use callboard_bus::{Expression, Object, Value, from_value};
//!
//! // A step answered in MessagePack: { "rows": [3, 4] }.
//! let output = decode_value(b"\x81\xa4rows\x92\x03\x04", &Limits::default())?;
//! let context = Value::from(Object::from([("output", output)]));
//!
//! assert!(Expression::parse("len(output.rows) > 1 and 4 in output.rows")?.is_true(&context)?);
//! let rows = context.get(&"output.rows".parse()?).cloned().unwrap_or_default();
//! assert_eq!(from_value::<Vec<u8>>(&rows)?, [3, 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A module is any actor, registered under a name:
//!
//! ```
//! # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System};
//! use callboard_bus::{Manifest, ModulesExt};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Process {
//!     data: Vec<u8>,
//! }
//! # impl Message for Process { type Reply = usize; }
//! # #[derive(Default)]
//! # struct Processor;
//! # impl Actor for Processor {}
//! # impl SyncHandler<Process> for Processor {
//! #     fn handle(&mut self, process: Process, _: &mut Context<Self>) -> Result<usize, Fault> { Ok(process.data.len()) }
//! # }
//!
//! # callboard_actor::block_on(async {
//! # let system = System::builder().workers(1).start().await?;
//! let processor = system.spawn(Processor::default);
//! Manifest::new("processor", "1.2.0").operation::<Process>("process_data").register(&processor).await?;
//!
//! let length = system.call("processor.process_data@^1", json!({ "data": [1, 2] })).await?;
//! assert_eq!(length, 2.into());
//! let fault = system.call("procesor.process_data", json!({ "data": [1, 2] })).await.unwrap_err();
//! assert_eq!(fault.to_string(), "there is no module `procesor`, did you mean `processor.process_data`?");
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Events, with a system to publish them in:
//!
//! ```
//! use callboard_actor::{Actor, Context, Drain, Fault, Handler, System, block_on};
//! use callboard_bus::{Event, EventsExt, Object};
//!
//! struct Printer;
//! impl Actor for Printer {}
//!
//! impl Handler<Event> for Printer {
//!     async fn handle(&mut self, event: Event, _: &mut Context<Self>) -> Result<(), Fault> {
//!         println!("{} from {}: {:?}", event.name, event.source, event.data);
//!         Ok(())
//!     }
//! }
//!
//! block_on(async {
//!     let system = System::builder().start().await?;
//!     let printer = system.spawn(|| Printer);
//!     let subscription = system.subscribe("data.*.received", printer.recipient()).await?;
//!
//!     let receipt = system.publish("data.batch.received", Object::from([("rows", 100)])).await?;
//!     assert_eq!(receipt.delivered, 1);
//!
//!     subscription.unsubscribe().await;
//!     assert_eq!(system.publish("data.batch.received", Object::default()).await?.delivered, 0);
//!     system.shutdown(Drain::default()).await;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })
//! # .expect("it works");
//! ```
//!
//! # Who is asked
//!
//! Of the instances whose version matches, those of the highest version that has one to offer, in turns or as their
//! [`Balance`] says:
//!
//! | an instance | is handed out | |
//! |---|---|---|
//! | that serves, is being restarted, or has a place for a probe | yes | |
//! | in its first start | where nobody serves | calls wait until it has started |
//! | with an open breaker, or one held open by hand | no | the caller is told for how long |
//! | that says it is [`Unhealthy`](Health::Unhealthy) | no | the caller is told why |
//! | that drains or stops | no | it is forgotten when it has ended |
//!
//! An instance that hands a call back all the same is passed over for the next: it has no room, it has just begun to
//! refuse, or it waits for the caller itself. Nobody waits for an instance to come back; the error says which there are,
//! what keeps each of them, and when to try again.
//!
//! # What this crate does not do
//!
//! It tries nothing again unless told to, and carries no bytes to another process: who does either calls it. The registry is
//! that of one system, and forgets everything with it. An event is gone when its subscribers have it, and who subscribes
//! later does not get it; the history shows the last ones and delivers none. A payload is held to
//! the schema of its operation or of its channel. The parameters of an operation are the fields of its message, and others are
//! refused unless the type lets them pass; the data of an event may have fields that a type does not know, as who publishes and
//! who listens are of different ages.
//!
//! An [`Expression`] is no programming language, it has no loops and no functions of users. A [`Value`] is no document
//! store: it has no bytes of its own, no dates and no references, and one that is too large for a message belongs into a
//! store. Nothing here migrates one version of a message to another.

mod balance;
mod batch;
mod breaker_events;
mod broadcast;
pub mod channel;
mod classifier;
pub mod codec;
mod concurrency;
pub mod config;
pub mod contract;
mod audit;
mod courier;
pub mod dead_letter_queue;
mod delivery;
pub mod discovery;
mod event;
pub mod events;
pub mod expression;
mod filter;
pub mod gate;
mod history;
mod listener;
pub mod near;
mod matcher;
mod pattern;
pub mod picture;
mod publish;
pub mod module_graph;
mod redaction;
pub mod retry;
mod shared_map;
mod subscription;
pub mod time;
mod topic;
pub mod value;

mod authoring;
mod address;
mod protocol;
mod security_level;
mod descriptor;
pub mod schema;
mod callable;
pub mod middleware;
mod offered;
mod operation;
mod operation_call;
mod operations;
mod operator;
mod parameters;
mod probe;
mod manifest;
mod module;
mod require;
mod rate;
mod registration;
mod unsent;
mod registry;
mod router;
mod modules;
mod lookup;
mod call;
mod jobs;
mod response;
pub mod providers;
mod configured;
pub mod monitoring;
pub mod self_test;

pub use self::address::{Address, AddressError};
pub use self::audit::{Audit, AuditExt, AuditKind, AuditRecord, AuditSink};
pub use self::balance::Balance;
pub use self::batch::{Batch, BatchOutcome};
pub use self::broadcast::{Broadcast, BroadcastReceipt};
pub use self::call::{
    Call, CallError, CallFuture, Failure, PackedCall, PackedCallFuture, Reply, ReplyFuture, WithReply,
};
pub use self::channel::{
    ChannelError, ChannelInfo, ChannelName, ChannelNameError, ChannelOverflow, Channels, NewChannel,
};
pub use self::classifier::{Classifier, Keywords};
pub use self::codec::CodecError;
pub use self::concurrency::ConcurrencyStatus;
pub use self::config::{Config, ConfigError, LiveConfig, Profile};
pub use self::configured::{BuilderConfigExt, ConfigExt, Unheeded};
pub use self::dead_letter_queue::{DeadLetterQueue, DeadLetterQueueExt, Letter, LetterFilter};
pub use self::descriptor::{Descriptor, Health, OperationDescriptor};
pub use self::event::{DomainEvent, Event, EventId, EventIdError, EventRecord, EventSource, Published};
pub use self::events::{EventCounts, Events, EventsExt, TurnEventsExt};
pub use self::expression::{EvaluationError, Expression, ExpressionError};
pub use self::gate::{AuthContext, BuilderGateExt, Gate, GateError, GateExt};
pub use self::history::{BuilderEventsExt, EventStore, EventStoreError, HistoryQuery, StoreFault};
pub use self::jobs::{Job, JobError, JobId, JobState, Jobs, JobsExt};
pub use self::lookup::{Hint, LookupError, Unavailable, UnavailableInstance, UnavailableReason};
pub use self::manifest::Manifest;
pub use self::module::{Module, ModuleChild, Start, module, module_from};
pub use self::modules::{MissingRequirement, ModuleWatch, Modules, ModulesExt, OfferError};
pub use self::monitoring::{Metrics, Monitoring, MonitoringExt};
pub use self::operation::{CallCounts, CallSettings, CallSettingsError, CallTimes, Operation, OperationBreaker};
pub use self::operation_call::{OperationCall, OperationCallFuture};
pub use self::operations::{MiddlewareBuilder, OperationStatus, Operations, OperationsExt, Pipeline};
pub use self::operator::Operator;
pub use self::parameters::{Parameter, ParameterType, Parameters};
pub use self::pattern::Pattern;
pub use self::probe::Probe;
pub use self::protocol::Protocol;
pub use self::publish::{EventOptions, Publish, PublishError, PublishFuture, Receipt};
pub use self::rate::Rate;
pub use self::registration::{RegisterError, Registration, RegistryError};
pub use self::registry::ModuleChange;
pub use self::require::{RequireError, RequireExt};
pub use self::response::Response;
pub use self::retry::{RetryBudget, RetryPolicy};
pub use self::router::{Router, Unrouted};
pub use self::security_level::SecurityLevel;
pub use self::self_test::{SelfTest, SelfTestExt};
pub use self::subscription::{
    Subscribe, SubscribeError, Subscription, SubscriptionId, SubscriptionInfo, UnknownSubscription,
};
pub use self::topic::{Topic, TopicError};
pub use self::unsent::SendError;
pub use self::value::{Array, NotFinite, Number, Object, Path, PathError, Segment, Value, ValueError, from_value};
pub use callboard_actor::{TraceContext, TraceContextError};

#[cfg(feature = "macros")]
pub use callboard_macros::{Event, module};

/// What the code that the macros write is made of. Not for anybody else: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::authoring::*;
}
