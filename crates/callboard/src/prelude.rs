//! The names that nearly every file of an application writes: `use callboard::prelude::*;`.
//!
//! At most fifteen, and none of them hides a name that Rust's own prelude brings.

pub use callboard_actor::{
    Actor, ActorRef, Context, Drain, Fault, Handler, Message, Priority, Recipient, StopReason, SyncHandler, System,
    child, one_for_one,
};
