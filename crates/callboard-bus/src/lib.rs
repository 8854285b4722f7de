//! Events by name, and the parts that modules and workflows share: values, conditions over them, retries, payloads as
//! bytes, and pictures of graphs.
//!
//! Everything but [`events`] is pure: time and random draws are arguments, nothing waits, and no input makes it panic.
//!
//! | concept | type |
//! |---|---|
//! | a payload that is shared instead of copied | [`Value`], [`Object`], [`Array`], [`Number`] |
//! | where something lies in it | [`Path`], [`Segment`] |
//! | typed data into a value and out of it | [`Value::from_serialize`], [`from_value`], [`ValueError`] |
//! | a condition over a value | [`Expression`], [`EvaluationError`] |
//! | payloads as MessagePack or JSON, from senders who are not trusted | [`codec`], [`codec::Limits`] |
//! | when to try again | [`RetryPolicy`], [`retry::Retry`], [`RetryBudget`] |
//! | the name of an event, and many of them | [`Topic`], [`Pattern`], [`TopicError`] |
//! | what has happened, told to everybody who wants to know | [`Event`], [`EventsExt`], [`TurnEventsExt`], [`events`] |
//! | who got it, and who gets it | [`Receipt`], [`Subscription`] |
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
//! # What this crate does not do
//!
//! It keeps nothing: an event is gone when its subscribers have it, and who subscribes later does not get it. Its pure
//! parts wait for nothing and send nothing: who sleeps until a retry is due, or carries bytes to another process, calls
//! them. An [`Expression`] is no programming language, it has no loops and no functions of users. A [`Value`] is no
//! document store: it has no bytes of its own, no dates and no references, and one that is too large for a message
//! belongs into a store. Nothing here migrates one version of a message to another.

pub mod codec;
mod event;
pub mod events;
pub mod expression;
mod matcher;
mod pattern;
pub mod picture;
mod publish;
pub mod retry;
mod subscription;
mod topic;
pub mod value;

pub use self::codec::CodecError;
pub use self::event::{Event, EventId, EventIdError};
pub use self::events::{Events, EventsExt, TurnEventsExt};
pub use self::expression::{EvaluationError, Expression, ExpressionError};
pub use self::pattern::Pattern;
pub use self::publish::{Publish, PublishError, Receipt};
pub use self::retry::{RetryBudget, RetryPolicy};
pub use self::subscription::{Subscribe, SubscribeError, Subscription};
pub use self::topic::{Topic, TopicError};
pub use self::value::{Array, NotFinite, Number, Object, Path, PathError, Segment, Value, ValueError, from_value};
