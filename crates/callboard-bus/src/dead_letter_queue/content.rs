//! What was in a letter: [`Content`], and as what somebody is shown it: [`Payload`].

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;

use callboard_actor::{Message, MessageId, RetryError, System};
use serde::Serialize;

use super::calls::CallAgain;
use super::letter::{Cause, Letter};
use crate::address::Address;
use crate::event::Event;
use crate::events::EventsExt;
use crate::gate::AuthContext;
use crate::modules::{Modules, ModulesExt};
use crate::redaction;
use crate::subscription::SubscriptionId;
use crate::unsent::SendError;
use crate::value::Value;

/// What is left of a message, as far as it can be delivered again or shown.
pub(crate) enum Content {
    /// An event, for one subscriber.
    Event(Box<ForSubscriber>),
    /// A message that was sent by name.
    Message(Box<dyn Resend>),
    /// A message that the quarantine has.
    Quarantined(MessageId),
    /// A payload that no router had a rule for.
    Payload(Value),
    /// A call whose operation keeps what fails.
    Call(Box<CallAgain>),
}

/// An event, and who failed at it.
pub(crate) struct ForSubscriber {
    pub(crate) event: Event,
    /// The name of the actor or of the function.
    pub(crate) owner: String,
    /// Where it is known.
    pub(crate) subscription: Option<SubscriptionId>,
    /// Its case in the quarantine, which has it as well.
    pub(crate) case: Option<MessageId>,
}

/// A message of any type that can be sent by name again.
pub(crate) trait Resend: Send {
    /// Gives itself back when nobody takes it.
    fn resend(self: Box<Self>, modules: &Modules) -> Result<(), (SendError, Box<dyn Resend>)>;
}

/// A message that nobody has taken.
pub(crate) struct Sent<M> {
    /// What whoever sent it showed.
    pub(crate) auth: AuthContext,
    pub(crate) address: Address,
    pub(crate) message: M,
}

impl<M: Message> Resend for Sent<M> {
    fn resend(self: Box<Self>, modules: &Modules) -> Result<(), (SendError, Box<dyn Resend>)> {
        let Self { auth, address, message } = *self;
        modules.try_send(&auth, &address, message).map_err(|unsent| {
            let again: Box<dyn Resend> = Box::new(Self { auth, address, message: unsent.message });
            (unsent.error, again)
        })
    }
}

impl Content {
    /// Whether there is a way for it.
    pub(super) const fn is_retriable(&self) -> bool {
        !matches!(self, Self::Payload(_))
    }

    /// Its case in the quarantine, if that has it.
    pub(super) fn case(&self) -> Option<MessageId> {
        match self {
            Self::Event(content) => content.case,
            Self::Quarantined(case) => Some(*case),
            Self::Message(_) | Self::Payload(_) | Self::Call(_) => None,
        }
    }

    fn payload(&self) -> Option<&Value> {
        match self {
            Self::Event(content) => Some(&content.event.data),
            Self::Payload(payload) => Some(payload),
            Self::Call(again) => Some(&again.input),
            Self::Message(_) | Self::Quarantined(_) => None,
        }
    }

    /// Asks the gate, if there is one, whether it may be delivered now: as whoever has sent it, or else as whoever retries it. A
    /// message or a call by name asks by itself, when it is sent or made again.
    pub(super) fn admit(&self, letter: &Letter, system: &System, retrying: &AuthContext) -> Result<(), Cause> {
        match self {
            Self::Event(content) => {
                let asked = system.events().admit_again(&content.event, retrying);
                asked.map_err(|fault| Cause::new(fault.code(), &fault.to_string()))
            }
            Self::Quarantined(_) => {
                let asked = system.modules().admit_message(&letter.subject, retrying);
                asked.map_err(|fault| Cause::new(fault.code(), &fault.to_string()))
            }
            Self::Call(_) | Self::Message(_) | Self::Payload(_) => Ok(()),
        }
    }

    /// Delivers it by the way that it came, as part of the letter `id`.
    ///
    /// # Errors
    ///
    /// Why it was not taken; it is given back.
    pub(super) fn deliver(self, id: MessageId, system: &System) -> Result<(), (Cause, Self)> {
        match self {
            Self::Event(content) => match content.deliver(id, system) {
                Ok(()) => Ok(()),
                Err(cause) => Err((cause, Self::Event(content))),
            },
            Self::Message(message) => message
                .resend(&system.modules())
                .map_err(|(error, message)| (Cause::new(error.code(), &error.to_string()), Self::Message(message))),
            Self::Quarantined(case) => system
                .quarantine()
                .retry(case)
                .map_err(|error| (Cause::new(code_of(error), &error.to_string()), Self::Quarantined(case))),
            Self::Call(again) => {
                again.make(id, system);
                Ok(())
            }
            Self::Payload(_) => unreachable!("it is no letter that can be retried"),
        }
    }

    /// As somebody is shown it who wants to see so much.
    pub(super) fn show(&self, view: PayloadView, key: &RandomState) -> Payload {
        let Some(payload) = self.payload() else { return Payload::Absent };
        match view {
            PayloadView::Hash => Payload::Hash(format!("{:016x}", hash(payload, key))),
            PayloadView::Redacted => Payload::Redacted(redaction::value(payload)),
            PayloadView::Full => Payload::Full(payload.clone()),
        }
    }
}

impl ForSubscriber {
    fn deliver(&self, id: MessageId, system: &System) -> Result<(), Cause> {
        let delivered = system.events().deliver_again(&self.event.again(id), self);
        delivered.map_err(|(code, why)| Cause::new(code, why))?;
        if let Some(case) = self.case {
            // It is there again, or was taken out meanwhile by somebody who has retried it as well.
            let _ = system.quarantine().discard(case);
        }
        Ok(())
    }
}

fn code_of(error: RetryError) -> callboard_actor::ErrorCode {
    match error {
        RetryError::NotTaken => callboard_actor::ErrorCode::Unavailable,
        _ => callboard_actor::ErrorCode::UnknownMessage,
    }
}

impl fmt::Debug for Content {
    /// Without what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event(_) => "Content(an event)",
            Self::Message(_) => "Content(a message)",
            Self::Quarantined(_) => "Content(in quarantine)",
            Self::Payload(_) => "Content(a payload)",
            Self::Call(_) => "Content(a call)",
        })
    }
}

/// How much of a payload is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum PayloadView {
    Hash,
    Redacted,
    Full,
}

/// A payload, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "view", content = "data")]
#[non_exhaustive]
pub enum Payload {
    /// It is not shown, or there is none that could be: the message has no form as a value, or is not there any more.
    Absent,
    /// Equal payloads have equal hashes for as long as the system runs; as they are keyed, nobody can find a payload by trying.
    Hash(String),
    /// Without what is secret, texts cut at 4 KiB and their control characters escaped.
    Redacted(Value),
    /// As it was sent.
    Full(Value),
}

/// How large a value is as JSON.
pub(super) fn size(value: &Value) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // One that is nested too deeply to be written is as large as what was written of it.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

fn hash(value: &Value, key: &RandomState) -> u64 {
    struct Feed<H>(H);
    impl<H: Hasher> io::Write for Feed<H> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            bytes.iter().for_each(|byte| self.0.write_u8(*byte));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut feed = Feed(key.build_hasher());
    // As in `size`.
    let _ = serde_json::to_writer(&mut feed, value);
    feed.0.finish()
}
