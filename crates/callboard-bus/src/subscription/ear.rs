//! Who hears the events of a subscription: an [`Ear`], which may be a [`Mailbox`].

use std::any::{TypeId, type_name};
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{ActorId, AskError, DeadReason, ErrorCode, Fault, Message, Recipient, Target};
use futures::future::{BoxFuture, FutureExt, LocalBoxFuture, TryFutureExt};

use crate::event::Event;
use crate::events::{End, Events};
use crate::retry::RetryPolicy;

/// Whoever is given events and says how that ended.
pub(crate) trait Ear: Send + Sync {
    /// Gives events, and waits until they are handled. The endings are in the order of the events.
    fn give<'a>(&'a self, events: &'a Events, group: Vec<Event>) -> LocalBoxFuture<'a, Vec<Ending>>;

    /// How it wants to be given them.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Has its handler tried by this policy. False where that is not for the subscription to say.
    fn try_by(&mut self, _policy: RetryPolicy) -> bool {
        false
    }

    /// Whether it is there no more.
    fn has_ended(&self) -> bool;

    /// The actor, if it is one.
    fn actor(&self) -> Option<ActorId>;

    /// The name of the actor, or what stands for it.
    fn owner(&self) -> String;

    /// The type of message that it gets.
    fn message(&self) -> &'static str;

    /// Tells the type of message apart from those of other ears of the same actor.
    fn kind(&self) -> TypeId;
}

/// An ear that is the mailbox of an actor.
pub(crate) trait Mailbox: Ear {
    /// Leaves the event there if there is room for it. What is not taken is not handed back.
    fn hear_at_once(&self, event: Event, ttl: Option<Duration>) -> Result<(), ErrorCode>;

    /// Waits for room where that is how the actor has it.
    fn hear(&self, event: Event, ttl: Option<Duration>) -> BoxFuture<'_, Result<(), ErrorCode>>;

    /// Counts an event that was not taken as a dead letter of the actor.
    fn bury(&self);
}

/// How an ear wants to be given events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// At most so many together.
    pub(crate) batch: usize,
    /// How long one waits for others to come together with.
    pub(crate) linger: Duration,
    /// So many times at once.
    pub(crate) side_by_side: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { batch: 1, linger: Duration::ZERO, side_by_side: 1 }
    }
}

/// How it ended to give an event to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) end: End,
    /// Why it was not handled.
    pub(crate) code: Option<ErrorCode>,
    /// The dead letter that nobody has written yet.
    pub(crate) dead: Option<DeadReason>,
    /// The actor has told of it, with more than is known here.
    pub(crate) is_told: bool,
    /// What its handler said.
    pub(crate) failure: Option<Arc<Failure>>,
}

/// Why a handler failed the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) text: String,
    pub(crate) location: Option<String>,
    pub(crate) attempts: u32,
}

impl Failure {
    pub(crate) fn of(fault: &Fault) -> Self {
        let (text, location) = (fault.text().to_owned(), fault.location().map(str::to_owned));
        Self { code: ErrorCode::HandlerFailed, text, location, attempts: 1 }
    }

    /// The message of a panic.
    pub(crate) fn panicked(text: &str) -> Self {
        Self { code: ErrorCode::HandlerPanicked, text: text.to_owned(), location: None, attempts: 1 }
    }
}

impl Ending {
    pub(crate) const HANDLED: Self =
        Self { end: End::Delivered, code: None, dead: None, is_told: false, failure: None };
    /// Its time was over before it was given to anybody.
    pub(crate) const EXPIRED: Self =
        Self { end: End::Expired, code: Some(ErrorCode::Expired), dead: Some(DeadReason::Expired), ..Self::HANDLED };
    /// Nobody is there any more.
    pub(crate) const ENDED: Self = Self { end: End::Ended, code: Some(ErrorCode::Unavailable), ..Self::HANDLED };

    /// Its handler failed as often as it was tried.
    pub(crate) fn failed(failure: Failure) -> Self {
        let (code, dead) = (Some(ErrorCode::HandlerFailed), Some(DeadReason::Failed));
        Self { end: End::Failed, code, dead, failure: Some(Arc::new(failure)), ..Self::HANDLED }
    }

    /// What a failed delivery to an actor means. The actor has written what dead letters there are.
    pub(crate) fn of<M>(error: &AskError<M>) -> Self {
        let (end, is_told) = match error {
            AskError::Timeout { .. } => return Self { dead: None, is_told: true, ..Self::EXPIRED },
            AskError::Stopped(_) | AskError::ShuttingDown(_) | AskError::Ended(_) => return Self::ENDED,
            AskError::Faulted(_) | AskError::Dropped => (End::Failed, true),
            AskError::Shed => (End::Refused, true),
            _ => (End::Refused, false),
        };
        Self { end, code: Some(error.code()), is_told, ..Self::HANDLED }
    }
}

/// How long to leave an actor alone whose breaker is held open by hand.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Sends to an actor until it does not refuse any more, and waits for the end of the turn. `make` makes the message, or
/// nothing when there is no use in it any more.
pub(crate) async fn give_patiently<M: Message>(
    recipient: &Recipient<M>,
    make: impl Fn() -> Option<(M, callboard_actor::Priority, Option<Duration>)>,
) -> Result<M::Reply, Option<AskError<M>>> {
    loop {
        let (message, priority, ttl) = make().ok_or(None)?;
        let tell = recipient.tell(message).priority(priority);
        let tell = match ttl {
            Some(ttl) => tell.ttl(ttl),
            None => tell,
        };
        match tell.handled().await {
            Err(AskError::Refused { retry_after, .. }) => tokio::time::sleep(retry_after.min(LONGEST_PAUSE)).await,
            Ok(reply) => return Ok(reply),
            Err(error) => {
                let ending = Ending::of(&error);
                if ending.end == End::Refused && !ending.is_told {
                    Target::bury(recipient);
                }
                return Err(Some(error));
            }
        }
    }
}

impl<M: Message + From<Event>> Ear for Recipient<M> {
    fn give<'a>(&'a self, events: &'a Events, group: Vec<Event>) -> LocalBoxFuture<'a, Vec<Ending>> {
        async move {
            let mut endings = Vec::with_capacity(group.len());
            for event in group {
                let make = || events.time_left(&event).map(|ttl| (event.clone().into(), event.priority, ttl));
                let given = give_patiently(self, make).await;
                endings.push(match given {
                    Ok(_) => Ending::HANDLED,
                    Err(Some(error)) => Ending::of(&error),
                    Err(None) => Ending::EXPIRED,
                });
            }
            endings
        }
        .boxed_local()
    }

    fn has_ended(&self) -> bool {
        Self::has_ended(self)
    }

    fn actor(&self) -> Option<ActorId> {
        Some(Target::id(self))
    }

    fn owner(&self) -> String {
        self.name().unwrap_or_default()
    }

    fn message(&self) -> &'static str {
        type_name::<M>()
    }

    fn kind(&self) -> TypeId {
        TypeId::of::<M>()
    }
}

impl<M: Message + From<Event>> Mailbox for Recipient<M> {
    fn hear_at_once(&self, event: Event, ttl: Option<Duration>) -> Result<(), ErrorCode> {
        let priority = event.priority;
        let tell = self.tell(event.into()).priority(priority);
        let tell = match ttl {
            Some(ttl) => tell.ttl(ttl),
            None => tell,
        };
        tell.at_once().map_err(|error| error.code())
    }

    fn hear(&self, event: Event, ttl: Option<Duration>) -> BoxFuture<'_, Result<(), ErrorCode>> {
        let priority = event.priority;
        let tell = self.tell(event.into()).priority(priority);
        let tell = match ttl {
            Some(ttl) => tell.ttl(ttl),
            None => tell,
        };
        tell.into_future().map_err(|error| error.code()).boxed()
    }

    fn bury(&self) {
        Target::bury(self);
    }
}
