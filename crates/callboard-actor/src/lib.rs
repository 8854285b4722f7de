//! Actors with typed messages, mailboxes with priorities, and a supervisor that is the circuit breaker; hosted on actix.
//!
//! | concept | type |
//! |---|---|
//! | a value that handles messages one at a time | [`Actor`], [`Handler`], [`SyncHandler`] |
//! | what actors say to each other | [`Message`], [`Priority`] |
//! | a value that many messages hold | [`Share`] |
//! | a reference, by actor or by message | [`ActorRef`], [`Recipient`] |
//! | what a handler may do | [`Context`] |
//! | how an actor is started and looked after | [`child`], [`Child`], [`Defaults`] |
//! | who decides after a fault | [`one_for_one`], [`one_for_all`], [`rest_for_one`], [`SupervisorRef`] |
//! | what went wrong | [`Fault`] for the supervisor, [`Incident`] for everyone else |
//! | messages that reached nobody | [`DeadLetters`], [`Quarantine`] |
//! | threads and everything shared | [`System`] |
//! | what it all looks like now | [`Snapshot`] |
//!
//! ```
//! # use callboard_actor as callboard;
//! use callboard::{Actor, Context, Drain, Fault, Handler, Message, System};
//!
//! #[derive(Default)]
//! struct Counter(u64);
//! impl Actor for Counter {}
//!
//! struct Add(u64);
//! impl Message for Add {
//!     type Reply = u64;
//! }
//!
//! impl Handler<Add> for Counter {
//!     async fn handle(&mut self, add: Add, _: &mut Context<Self>) -> Result<u64, Fault> {
//!         self.0 += add.0;
//!         Ok(self.0)
//!     }
//! }
//!
//! callboard::block_on(async {
//!     let system = System::builder().start().await.expect("threads can be started");
//!     let counter = system.spawn(Counter::default);
//!     counter.tell(Add(1)).await.expect("it runs");
//!     assert_eq!(counter.ask(Add(2)).await.expect("it answers"), 3);
//!     system.shutdown(Drain::default()).await;
//! });
//! ```
//!
//! # The life of an actor
//!
//! ```text
//!                start ended well             stop, drain, kill
//!  Starting ──────────────────────► Running ────────────────────► Stopping ──► Stopped
//!     │ fault                      ▲   │ fault                      ▲
//!     ▼                            │   ▼                            │ from every other state as well
//!  Restarting ─────────────────────┘ Restarting or BackingOff ──────┤
//!     ▲     ▲    delay over              │ too many restarts        │
//!     │     └──────── BackingOff ◄───────┤                          │
//!     │                                  ▼      reset time over     │
//!     └──── manual reset ─────────── Failed ──────────────────► Probing ──► Running (the probe ended well)
//!                                        ▲─────────────────────────┘ the probe failed
//! ```
//!
//! [`ActorState`] has the words. A message to an actor that is `BackingOff`, `Failed` or `Probing` is refused at the
//! sender, with the time after which to try again; messages that were queued before are kept.
//!
//! # What this crate does not do
//!
//! It knows no names that are looked up across modules, no topics, no schemas, no storage and no network: those belong to
//! the crates above it. It does not restart a process, and it cannot take a thread away from a handler that never gives
//! it back; it starts a replacement elsewhere and fences the old one.

// The derives name this crate; inside it, by the same name.
#[allow(unused_extern_crates)]
extern crate self as callboard_actor;

mod sync;
#[cfg(callboard_model)]
#[doc(hidden)]
pub mod model;
mod clock;

mod message;
mod actor;
mod actor_ref;
mod child;
mod part;
mod cell;
mod gate;
mod envelope;
mod mailbox;
mod bound;
mod share;
mod count;
mod run_queue;
mod driver;
mod turn;
mod scope;
mod trace;
mod lineage;
mod reply;
mod context;
mod wait_for;
mod supervisor;
mod breaker;
mod fault;
mod log_limit;
mod dead_letter;
mod observer;
mod monitor;
mod timer;
mod alarm;
mod sleep;
mod host;
mod interop;
mod register;
mod directory;
mod system;
mod shutdown;
mod inspect;
mod turn_times;
#[cfg(feature = "test-util")]
pub mod testing;
mod error;

pub use self::actor::{Actor, Handler, StopReason, SyncHandler};
pub use self::actor_ref::{
    ActorRef, Ask, AskFuture, BreakerHandle, OwnTarget, Recipient, Target, Tell, TellFuture, WeakRef,
};
pub use self::breaker::{
    Breaker, BreakerMode, BreakerRules, BreakerState, BreakerTotals, Outcome, Permit, Transition, Trip, Window,
};
pub use self::cell::ActorId;
pub use self::child::{Admission, AdmissionRequest, Child, Defaults, IntoChild, Placement, Restart, child, child_with};
pub use self::context::Context;
pub use self::count::Count;
pub use self::dead_letter::{DeadLetter, DeadLetters, DeadReason, Quarantine, Quarantined, RetryError};
pub use self::error::{AskError, ErrorClass, ErrorCode, Stage, StartError, TellError};
pub use self::fault::{Fault, FaultClass, FaultKind, Incident};
pub use self::gate::ActorState;
pub use self::inspect::{ActorSnapshot, BreakerSnapshot, LaneSnapshot, MessageCounts, Snapshot, Totals, TurnSnapshot};
pub use self::lineage::Lineage;
pub use self::log_limit::LogLimit;
pub use self::mailbox::Overflow;
pub use self::message::{Message, MessageId, Priority, PriorityError};
pub use self::monitor::{Down, Restarted};
pub use self::observer::{BreakerChange, Observer};
pub use self::part::{Arrangement, Part};
pub use self::scope::{Baggage, current_baggage, is_in_turn};
pub use self::share::{Giver, Share};
pub use self::shutdown::{Drain, PhaseReport, ShutdownPhase, ShutdownReport};
pub use self::sleep::Sleep;
pub use self::supervisor::{
    Backoff, GiveUp, Intensity, Strategy, Supervise, SupervisorRef, one_for_all, one_for_one, rest_for_one,
};
pub use self::system::{System, SystemBuilder, WeakSystem, block_on};
pub use self::timer::TaskHandle;
pub use self::trace::{TraceContext, TraceContextError, TraceId};
#[cfg(feature = "macros")]
pub use callboard_macros::{Message, main};
