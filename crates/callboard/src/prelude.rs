//! The names that nearly every file of an application writes: `use callboard::prelude::*;`.
//!
//! At most fifteen, and none of them hides a name that Rust's own prelude brings.

pub use callboard_actor::{
    Actor, ActorRef, Context, Drain, Fault, Handler, Message, Priority, Recipient, SyncHandler, System, child,
    one_for_one,
};

// The function, and with it the attribute; the type, and with it what derives one.
pub use callboard_bus::{Event, module};

// Traits that are only called through need no name.
pub use callboard_bus::{
    BuilderConfigExt as _, BuilderGateExt as _, ConfigExt as _, DeadLetterQueueExt as _, EventsExt as _, JobsExt as _,
    ModulesExt as _, MonitoringExt as _, OperationsExt as _, RequireExt as _, TurnEventsExt as _,
};
pub use callboard_workflow::WorkflowsExt as _;
