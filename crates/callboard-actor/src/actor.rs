//! What a user implements: [`Actor`], and [`Handler`] or [`SyncHandler`] for each message.

use std::fmt;
use std::future::{Future, ready};

use serde::Serialize;

use crate::context::Context;
use crate::fault::{Fault, Incident};
use crate::message::Message;

/// A value that owns its state and changes it one message at a time.
///
/// An actor is built by a factory on the thread it will live on, so neither it nor the futures of its handlers need
/// be `Send`; its [`ActorRef`](crate::ActorRef) always is.
pub trait Actor: Sized + 'static {
    /// Runs after the value was built and before its first message.
    ///
    /// # Errors
    ///
    /// An error, a panic or the start limit (10 s by default) is a failed start, which the supervisor treats like any
    /// other fault.
    ///
    /// # Cancel safety
    ///
    /// Dropped at an `await` when the start limit is over or the actor is told to end; the value goes with it.
    fn started(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result<(), Fault>> {
        let _ = cx;
        ready(Ok(()))
    }

    /// Runs last, with the value itself. It is not called for a value whose turn failed or that was killed: such a
    /// value may be inconsistent and is only dropped. A panic in here is counted and logged; the stop goes on.
    ///
    /// # Cancel safety
    ///
    /// Dropped at an `await` when it takes longer than the start limit, or when the actor is killed.
    fn stopped(self, why: StopReason) -> impl Future<Output = ()> {
        let _ = why;
        ready(())
    }
}

/// What an actor does with one type of message. Users write `async fn handle`.
///
/// `&mut self` is exclusive across every `await`: the next message waits until the future has ended. An answer of
/// `Err` ([`Fault`]) or a panic fails the turn: the supervisor then replaces the value.
///
/// ```
/// # use callboard_actor as callboard;
/// use callboard::{Actor, Context, Fault, Handler, Message};
///
/// struct Greet(String);
/// impl Message for Greet {
///     type Reply = String;
/// }
///
/// struct Greeter;
/// impl Actor for Greeter {}
/// impl Handler<Greet> for Greeter {
///     async fn handle(&mut self, greet: Greet, _: &mut Context<Self>) -> Result<String, Fault> {
///         Ok(format!("hello, {}", greet.0))
///     }
/// }
/// ```
pub trait Handler<M: Message>: Actor {
    /// Handles one message.
    ///
    /// # Errors
    ///
    /// A [`Fault`] ends the turn and replaces the value; an error that the asker should see belongs in
    /// [`Message::Reply`].
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at an `await` when the actor is killed or its turn time limit is over. The value is
    /// dropped as well then, so a half-made change is seen by nobody.
    fn handle(&mut self, message: M, cx: &mut Context<Self>) -> impl Future<Output = Result<M::Reply, Fault>>;

    /// Runs a handler that never waits without building a future; `Err` gives the message back.
    #[doc(hidden)]
    #[inline]
    fn handle_now(&mut self, message: M, cx: &mut Context<Self>) -> Result<Result<M::Reply, Fault>, M> {
        let _ = cx;
        Err(message)
    }
}

/// A handler that never waits: a plain function, and the cheapest way to handle a message.
pub trait SyncHandler<M: Message>: Actor {
    /// Handles one message.
    ///
    /// # Errors
    ///
    /// As for [`Handler::handle`].
    fn handle(&mut self, message: M, cx: &mut Context<Self>) -> Result<M::Reply, Fault>;
}

impl<A: SyncHandler<M>, M: Message> Handler<M> for A {
    fn handle(&mut self, message: M, cx: &mut Context<Self>) -> impl Future<Output = Result<M::Reply, Fault>> {
        ready(SyncHandler::handle(self, message, cx))
    }

    #[inline]
    fn handle_now(&mut self, message: M, cx: &mut Context<Self>) -> Result<Result<M::Reply, Fault>, M> {
        Ok(SyncHandler::handle(self, message, cx))
    }
}

/// Why an actor ended, or why one value of it was taken out of service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// It was told to stop, or stopped itself.
    Stopped,
    /// It finished its queue and then stopped.
    Drained,
    /// It ended by itself as its work was done, see [`Context::exit`](crate::Context::exit).
    Finished,
    /// It was killed; a running turn was dropped.
    Killed,
    /// The system shut down.
    Shutdown,
    /// A fault, and its restart type says that it is not started again.
    Faulted(Incident),
    /// An actor it is linked to ended abnormally.
    Linked(String),
    /// The value makes room for a new one because a sibling failed.
    Restart,
}

impl StopReason {
    /// Whether links should carry this end on: everything but a planned end.
    #[must_use]
    pub fn is_abnormal(&self) -> bool {
        matches!(self, Self::Killed | Self::Faulted(_) | Self::Linked(_))
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::Drained => f.write_str("drained"),
            Self::Finished => f.write_str("finished"),
            Self::Killed => f.write_str("killed"),
            Self::Shutdown => f.write_str("shut down with the system"),
            Self::Faulted(incident) => write!(f, "faulted: {incident}"),
            Self::Linked(name) => write!(f, "linked to {name}, which ended abnormally"),
            Self::Restart => f.write_str("restarted with a sibling"),
        }
    }
}
