//! What is published: an [`Event`], which is a share of what was [`Published`], under its [`EventId`].

mod record;
mod source;

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use callboard_actor::{Giver, Lineage, Message, MessageId, Priority, Share, TraceContext, is_in_turn};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

pub use self::record::EventRecord;
pub use self::source::EventSource;
use crate::channel::ChannelName;
use crate::gate::AuthContext;
use crate::topic::Topic;
use crate::value::{Value, ValueError, from_value};

/// Something that has happened, as every subscriber gets it. All have the same [`Published`]; a clone is one more share of it.
///
/// A handler whose turn fails gets the event again, as often as its actor is to try
/// ([`attempts`](callboard_actor::Child::attempts), 3 by default); then the event goes into the
/// [quarantine](callboard_actor::System::quarantine) and is a [dead letter](crate::dead_letter_queue). Other subscribers do not notice.
#[derive(Clone, PartialEq)]
pub struct Event(Share<Published>);

/// What all shares of an [`Event`] show. It never changes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Published {
    /// The same for all subscribers, and what `publish` answers.
    pub id: EventId,
    /// Its name.
    pub name: Topic,
    /// What the publisher says about it.
    pub data: Value,
    /// When it was published, by the clock of the system.
    pub time: SystemTime,
    /// Who published it: what the publisher says, or else the name of the actor whose turn did, or `system`.
    pub source: EventSource,
    /// The priority that it was published with.
    pub priority: Priority,
    /// What few events have.
    pub(crate) details: Option<Arc<Details>>,
}

/// What few events have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) channel: Option<ChannelName>,
    pub(crate) message_type: Option<Arc<str>>,
    /// When its time to live is over.
    pub(crate) expires: Option<SystemTime>,
    /// The dead letter that it was.
    pub(crate) redelivered_from: Option<MessageId>,
    /// What its publisher showed, where there is a gate.
    pub(crate) auth: Option<Arc<AuthContext>>,
    /// What it belongs to, if it was published in a turn that belongs to something.
    pub(crate) lineage: Option<Lineage>,
}

impl Details {
    /// With what an event that is published here belongs to.
    #[inline]
    pub(crate) fn here(details: Option<Arc<Self>>, id: EventId) -> Option<Arc<Self>> {
        if is_in_turn() { Self::in_turn(details, id) } else { details }
    }

    #[cold]
    fn in_turn(details: Option<Arc<Self>>, id: EventId) -> Option<Arc<Self>> {
        let lineage = Lineage::here(id.into());
        if lineage == Lineage::new(id.into(), None, None) {
            return details;
        }
        let mut details = details.unwrap_or_default();
        Arc::make_mut(&mut details).lineage = Some(lineage);
        Some(details)
    }

    /// Nothing where there is nothing of all this.
    pub(crate) fn kept(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }
}

/// Hands on shares of an event while its publisher looks at it.
pub(crate) struct Shares<'e>(Giver<'e, Published>);

impl Shares<'_> {
    /// As [`Event::split`].
    #[inline]
    pub(crate) fn split(&mut self) -> Event {
        Event(self.0.split())
    }
}

impl Event {
    /// One more share of it, as a clone is, but out of this one, which mostly costs nothing: see
    /// [`Share::split`](callboard_actor::Share::split).
    #[inline]
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.0.split())
    }

    /// What it says, and who hands it on meanwhile.
    #[inline]
    pub(crate) fn hand_out(&mut self) -> (&Published, Shares<'_>) {
        let (published, giver) = self.0.hand_out();
        (published, Shares(giver))
    }

    /// Its data as a type.
    ///
    /// # Errors
    ///
    /// The data does not fit the type; the error says where.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        from_value(&self.data)
    }

    /// The channel that it came on.
    #[must_use]
    pub fn channel(&self) -> Option<&ChannelName> {
        self.details.as_ref()?.channel.as_ref()
    }

    /// The type that the publisher gave it, or else its name.
    #[must_use]
    pub fn message_type(&self) -> &str {
        let given = self.details.as_ref().and_then(|details| details.message_type.as_deref());
        given.unwrap_or_else(|| self.name.as_str())
    }

    /// When its time to live is over, if it has one: no handler is given it later.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.details.as_ref()?.expires
    }

    /// What it is a part of: that of the turn that published it, where the [baggage](callboard_actor::Baggage) of the turn has a
    /// [`TraceContext`].
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.details.as_ref()?.lineage?.trace
    }

    /// What its publisher showed the gate.
    pub(crate) fn auth(&self) -> Option<&AuthContext> {
        self.details.as_ref()?.auth.as_deref()
    }

    /// The dead letter that it was, if somebody has [retried](crate::dead_letter_queue::Retry) it.
    #[must_use]
    pub fn redelivered_from(&self) -> Option<MessageId> {
        self.details.as_ref()?.redelivered_from
    }

    /// What it is told apart by, and what it belongs to: the request and the trace of the turn that it was published in.
    #[must_use]
    pub fn lineage(&self) -> Lineage {
        let known = self.details.as_ref().and_then(|details| details.lineage);
        known.unwrap_or_else(|| Lineage::new(self.id.into(), None, None))
    }

    /// The same event once more, which was a dead letter. Whoever wants that wants it handled, however long ago it was
    /// published.
    pub(crate) fn again(&self, letter: MessageId) -> Self {
        let details = self.details.as_deref().cloned().unwrap_or_default();
        let details = Some(Arc::new(Details { expires: None, redelivered_from: Some(letter), ..details }));
        Published { details, ..Published::clone(self) }.into()
    }

    /// The same event on a channel.
    pub(crate) fn on_channel(&self, channel: &ChannelName) -> Self {
        let details = self.details.as_deref().cloned().unwrap_or_default();
        let details = Some(Arc::new(Details { channel: Some(channel.clone()), ..details }));
        Published { details, ..Published::clone(self) }.into()
    }
}

impl From<Published> for Event {
    fn from(published: Published) -> Self {
        Self(Share::new(published))
    }
}

impl Deref for Event {
    type Target = Published;

    fn deref(&self) -> &Published {
        &self.0
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A type of which the data of events is made, with the name that they are published under. `#[derive(Event)]` writes it.
///
/// ```
/// use callboard_bus::DomainEvent;
///
/// #[derive(serde::Serialize)]
/// struct BatchReceived {
///     rows: u64,
/// }
///
/// impl DomainEvent for BatchReceived {
///     const NAME: &'static str = "data.batch.received";
/// }
/// ```
pub trait DomainEvent: Serialize {
    /// The name of such an event.
    const NAME: &'static str;
}

impl Message for Event {
    type Reply = ();
    const KEEP: Option<fn(&mut Self) -> Self> = Some(Self::split);
}

/// Identifies an event: a UUID of version 7, so ids sort by the time they were made. Those of one system are strictly
/// increasing, in steps of 1 within a millisecond: who knows one can guess the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl From<EventId> for MessageId {
    fn from(id: EventId) -> Self {
        Self::from_u128(id.0.as_u128())
    }
}

/// A text that is no [`EventId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no id of an event: expected a UUID")]
pub struct EventIdError {
    text: String,
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        const LONGEST_SHOWN: usize = 64;
        let parsed = text.parse().map(Self);
        parsed.map_err(|_| EventIdError { text: text.chars().take(LONGEST_SHOWN).collect() })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the ids of a system come from. The first of a millisecond is random, and from there they count up (RFC 9562, section
/// 6.2, method 2 with steps of 1); so do those for which the clock has gone back.
#[derive(Debug)]
pub(crate) struct EventIds {
    /// Since the Unix epoch.
    millisecond: u64,
    last: u128,
}

impl Default for EventIds {
    /// As if those of the first millisecond that there is were used up: there is no id without a random beginning.
    fn default() -> Self {
        Self { millisecond: 0, last: COUNTED }
    }
}

impl EventIds {
    /// An id after all before it, made at `now` since the Unix epoch.
    #[inline]
    pub(crate) fn next(&mut self, now: Duration) -> EventId {
        let millisecond = now.as_secs() * 1_000 + u64::from(now.subsec_millis());
        if millisecond > self.millisecond {
            self.begin(millisecond);
        } else if self.last & COUNTED == COUNTED {
            self.begin(self.millisecond + 1);
        } else {
            self.last += 1;
        }
        EventId(Uuid::from_u128(self.last))
    }

    #[cold]
    fn begin(&mut self, millisecond: u64) {
        let (seconds, nanos) = (millisecond / 1_000, (millisecond % 1_000) as u32 * 1_000_000);
        self.millisecond = millisecond;
        self.last = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos)).as_u128();
    }
}

/// The bits of an id that count: all after the variant.
const COUNTED: u128 = (1 << 62) - 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Threads may come with moments in any order.
        #[test]
        fn ids_increase_whatever_the_clock_says(millis in prop::collection::vec(1_000_000u64..1_000_020, 2..200)) {
            let mut ids = EventIds::default();
            let made: Vec<_> = millis.into_iter().map(|now| ids.next(Duration::from_millis(now))).collect();
            prop_assert!(made.is_sorted_by(|one, other| one < other));
        }

        #[test]
        fn any_text_is_an_id_or_a_fault(text in any::<String>()) {
            let _ = text.parse::<EventId>().map_err(|fault| fault.to_string());
        }
    }

    /// Those of a millisecond are used up: the next one lends its own.
    #[test]
    fn ids_increase_when_a_millisecond_has_no_more() {
        let mut ids = EventIds::default();
        let first = ids.next(Duration::from_millis(5));
        ids.last |= COUNTED;
        let [last, next, after] =
            [ids.last, ids.next(Duration::from_millis(5)).0.as_u128(), ids.next(Duration::from_millis(5)).0.as_u128()];
        assert!(first.0.as_u128() <= last && last < next && next < after);
        assert_eq!((next >> 80, ids.millisecond, EventId(Uuid::from_u128(next)).0.get_version_num()), (6, 6, 7));
        assert_eq!(EventIds::default().next(Duration::ZERO).0.get_version_num(), 7);
    }

    #[test]
    fn an_id_begins_with_its_time_and_comes_back_from_text() {
        let id = EventIds::default().next(Duration::from_millis(0x0123_4567_89ab));
        let text = id.to_string();
        assert!(text.starts_with("01234567-89ab-7"), "{text}");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(serde_json::from_str::<EventId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        let fault = "x\n".parse::<EventId>().unwrap_err();
        assert_eq!(fault.to_string(), "\"x\\n\" is no id of an event: expected a UUID");
    }
}
