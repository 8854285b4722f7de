//! Callboard is an actor framework: typed messages in priority mailboxes, and a supervisor that
//! is also the circuit breaker.
//!
//! This crate is the one to depend on. It holds no actors of its own: it brings the crates below
//! it under one name. Everything of `callboard-actor` stands here as it stands there; modules and
//! events are in [`bus`], and workflows in [`mod@workflow`].
//!
//! ```
//! use callboard::prelude::*;
//!
//! #[derive(Message)]
//! #[message(reply = u64)]
//! struct Add(u64);
//!
//! #[derive(Default)]
//! struct Counter {
//!     total: u64,
//! }
//!
//! impl Actor for Counter {}
//!
//! impl Handler<Add> for Counter {
//!     async fn handle(&mut self, Add(amount): Add, _cx: &mut Context<Self>) -> Result<u64, Fault> {
//!         self.total += amount;
//!         Ok(self.total)
//!     }
//! }
//!
//! #[callboard::main]
//! async fn main(system: System) -> anyhow::Result<()> {
//!     let counter = system.spawn(Counter::default);
//!     counter.tell(Add(40)).await?;
//!     assert_eq!(counter.ask(Add(2)).await?, 42);
//!     Ok(())
//! }
//! ```
//!
//! # From the word to the type
//!
//! | word | type | what it is |
//! |---|---|---|
//! | system | [`System`] | owns the threads, the actors on them, and their end |
//! | actor | [`Actor`], [`Handler`], [`SyncHandler`] | state that only its own turns touch |
//! | message | [`Message`] | what is said to an actor, with its reply type and its priority |
//! | reference | [`ActorRef`], [`Recipient`] | where to send: by actor, or by message |
//! | turn | [`Context`] | one message at a time, and what may be done meanwhile |
//! | fault | [`Fault`] | why a turn failed; a matter of the supervisor, not of the sender |
//! | supervisor | [`one_for_one`], [`child`] | restarts what failed, and holds the breaker |
//! | module | [`bus::Module`], [`macro@bus::module`] | an actor that is found and called by name |
//! | event | [`Event`](struct@bus::Event) | what has happened, told to all who subscribed |
//! | workflow | [`workflow::definition::Definition`] | steps that are calls to modules, and what each waits for |
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `macros` | yes | [`derive@Message`], [`derive@bus::Event`], [`macro@bus::module`] and [`macro@main`] |
//! | `test-util` | no | `callboard::testing`: a system on virtual time, probes, fault injection |
//!
//! # What this crate does not do
//!
//! It does not send messages to other processes, keep them on disk, or install a subscriber for
//! `tracing`.

pub mod compat;
pub mod prelude;

pub use callboard_actor::*;
/// Modules, events, operations and what looks after them: all of `callboard-bus`.
// A module of its own and not another name of the crate: the compiler, when it misses a trait, then names the path that there is.
pub mod bus {
    pub use callboard_bus::*;
}

/// Workflows: all of `callboard-workflow`.
pub mod workflow {
    pub use callboard_workflow::*;
}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/migration.md")]
struct Migration;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/tuning.md")]
struct Tuning;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/metrics.md")]
struct Metrics;
