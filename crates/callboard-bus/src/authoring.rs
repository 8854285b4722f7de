//! What the code that `#[module]` writes is made of. Not for anybody else.

mod abilities;

use callboard_actor::ErrorCode;
pub use callboard_actor::{Actor, ActorRef, Context, Fault, Handler, Message, StopReason, SyncHandler};
use serde::de::DeserializeOwned;

pub use self::abilities::{Copies, Of, Read, Reads, ReadsOk, Show, Shows};
use crate::event::Event;
use crate::events::TurnEventsExt;
pub use crate::operation_call::{Forms, OperationKind};
use crate::value::ValueError;

/// What a method returns, as what a turn with the reply `R` does: the reply itself, or that or a fault.
#[diagnostic::on_unimplemented(
    message = "the method returns `{Self}`, but the reply of its message is `{R}`",
    note = "return the reply, or `Result<{R}, Fault>`; the reply of a message is what `#[message(reply = ..)]` says"
)]
pub trait IntoTurn<R> {
    /// How the turn ends.
    fn into_turn(self) -> Result<R, Fault>;
}

impl<R> IntoTurn<R> for R {
    #[inline]
    fn into_turn(self) -> Result<R, Fault> {
        Ok(self)
    }
}

impl<R> IntoTurn<R> for Result<R, Fault> {
    #[inline]
    fn into_turn(self) -> Self {
        self
    }
}

/// What a method returns to which nobody listens: nothing, or an error that is a fault.
#[diagnostic::on_unimplemented(
    message = "the method returns `{Self}`",
    note = "return nothing, or a `Result` whose error is a `Fault` or an `std::error::Error`"
)]
pub trait Outcome<T> {
    /// How the turn ends.
    fn outcome(self) -> Result<T, Fault>;
}

impl Outcome<()> for () {
    fn outcome(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl<T, E: Into<Fault>> Outcome<T> for Result<T, E> {
    fn outcome(self) -> Result<T, Fault> {
        self.map_err(Into::into)
    }
}

/// As [`Outcome::outcome`].
///
/// # Errors
///
/// The error of the method.
pub fn outcome<T>(returned: impl Outcome<T>) -> Result<T, Fault> {
    returned.outcome()
}

/// What a method hears: the event, or its data as a type.
pub trait FromEvent: Sized {
    /// # Errors
    ///
    /// The data does not fit the type.
    fn from_event(event: &Event) -> Result<Self, ValueError>;
}

impl FromEvent for Event {
    fn from_event(event: &Event) -> Result<Self, ValueError> {
        Ok(event.clone())
    }
}

impl<T: DeserializeOwned> FromEvent for T {
    fn from_event(event: &Event) -> Result<Self, ValueError> {
        event.read()
    }
}

/// An event whose data does not fit what a method hears. The fault is the publisher's, so the actor goes on.
pub fn unreadable<A: Actor>(cx: &Context<A>, event: &Event, fault: &ValueError) {
    let actor = cx.me();
    let lineage = event.lineage();
    tracing::warn!(target: "callboard::events", message_id = %lineage.message_id, correlation_id = %lineage.correlation_id,
        trace_id = %lineage.trace_id(), module = actor.name(), operation = %event.name,
        code = ErrorCode::ValidationFailed.code(), %fault, "the data of an event does not fit");
    TurnEventsExt::events(cx).unreadable(event, cx.priority(), (actor.id(), actor.name()), fault);
}
