//! An event as it is written down: [`EventRecord`].

use std::sync::Arc;
use std::time::SystemTime;

use callboard_actor::{Lineage, MessageId, Priority, TraceContext};
use serde::{Deserialize, Serialize, Serializer};

use super::{Details, Event, EventId, Published};
use crate::channel::{ChannelName, ChannelNameError};
use crate::time;
use crate::topic::Topic;
use crate::value::Value;

/// An event as it is written down: for people, for streams, and for stores that bring it back. An [`Event`] serialises as its
/// record. What its publisher showed the [gate](crate::gate) is not in it.
///
/// ```
/// # use callboard_actor::{Drain, System, block_on};
/// use callboard_bus::{Event, EventRecord, EventsExt, Object};
///
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// system.publish("data.received", Object::from([("rows", 3)])).source("lab").await?;
/// let event = system.events().history().list().remove(0);
///
/// let text = serde_json::to_string(&event)?;
/// assert!(text.ends_with(r#""Source":"lab","Data":{"rows":3},"Priority":"normal"}"#), "{text}");
/// let back = Event::try_from(serde_json::from_str::<EventRecord>(&text)?)?;
/// assert_eq!(back, event);
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct EventRecord {
    /// Of this shape: 1. One that reads a later version reads what it knows of it.
    pub version: u32,
    /// As [`Published::id`].
    pub id: EventId,
    /// As [`Published::name`].
    pub name: Topic,
    /// As [`Published::time`], to the nanosecond.
    #[serde(with = "time::moment")]
    pub timestamp: SystemTime,
    /// As [`Published::source`].
    pub source: String,
    /// As [`Published::data`].
    pub data: Value,
    /// As [`Published::priority`].
    #[serde(default)]
    pub priority: Priority,
    /// As [`Event::channel`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The type, where the publisher gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// As [`Event::expires`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::optional_moment")]
    pub expires: Option<SystemTime>,
    /// As [`Event::redelivered_from`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redelivered_from: Option<MessageId>,
    /// As [`Event::trace`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

impl EventRecord {
    const VERSION: u32 = 1;
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        let given = event.details.as_ref().and_then(|details| details.message_type.as_deref());
        Self {
            version: Self::VERSION,
            id: event.id,
            name: event.name.clone(),
            timestamp: event.time,
            source: event.source.to_string(),
            data: event.data.clone(),
            priority: event.priority,
            channel: event.channel().map(ToString::to_string),
            message_type: given.map(str::to_owned),
            expires: event.expires(),
            redelivered_from: event.redelivered_from(),
            trace: event.trace(),
        }
    }
}

impl TryFrom<EventRecord> for Event {
    type Error = ChannelNameError;

    fn try_from(record: EventRecord) -> Result<Self, ChannelNameError> {
        let EventRecord { id, name, timestamp: time, source, data, priority, .. } = record;
        let channel = record.channel.as_deref().map(str::parse::<ChannelName>).transpose()?;
        let details = Details {
            channel,
            message_type: record.message_type.map(Arc::from),
            expires: record.expires,
            redelivered_from: record.redelivered_from,
            auth: None,
            lineage: record.trace.map(|trace| Lineage::new(id.into(), None, Some(trace))),
        }
        .kept();
        Ok(Published { id, name, data, time, source: (&*source).into(), priority, details }.into())
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EventRecord::from(self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::value::Object;

    const ID: &str = "01234567-89ab-7000-8000-000000000001";
    const GOLDEN: &str = r#"{"Version":1,"Id":"01234567-89ab-7000-8000-000000000001","Name":"data.received","Timestamp":"2000-02-29T23:59:59.000000001Z","Source":"lab","Data":{"rows":3},"Priority":"normal"}"#;
    const GOLDEN_OF_ALL: &str = r#"{"Version":1,"Id":"01234567-89ab-7000-8000-000000000001","Name":"data.received","Timestamp":"2000-02-29T23:59:59.000000001Z","Source":"lab","Data":{"rows":3},"Priority":"normal","Channel":"c","MessageType":"Rows","Expires":"2000-03-01T00:00:00.000000001Z","Trace":"00-0000000000000000000000000000000a-000000000000000b-01"}"#;

    fn event(details: Option<Details>) -> Event {
        let time = SystemTime::UNIX_EPOCH + Duration::new(951_868_799, 1);
        let (id, name) = (ID.parse().unwrap(), "data.received".parse().unwrap());
        let (data, details) = (Object::from([("rows", 3)]).into(), details.map(Arc::new));
        Published { id, name, data, time, source: "lab".into(), priority: Priority::Normal, details }.into()
    }

    /// F-EVT-12: name, data, time, source and id, always under the same names; and back.
    #[test]
    fn an_event_has_one_shape() {
        let of_all = Details {
            channel: Some("c".parse().unwrap()),
            message_type: Some("Rows".into()),
            expires: Some(SystemTime::UNIX_EPOCH + Duration::new(951_868_800, 1)),
            redelivered_from: None,
            auth: None,
            lineage: Some(Lineage::new(ID.parse::<EventId>().unwrap().into(), None, TraceContext::new(10, 11))),
        };
        for (event, golden) in [(event(None), GOLDEN), (event(Some(of_all)), GOLDEN_OF_ALL)] {
            assert_eq!(serde_json::to_string(&event).unwrap(), golden);
            let record: EventRecord = serde_json::from_str(golden).unwrap();
            assert_eq!(Event::try_from(record).unwrap(), event);
        }
    }

    #[test]
    fn a_record_that_is_none_is_refused() {
        let wrong = [("\"lab\"", "7"), ("2000-02-29", "2001-02-29"), ("data.received", "data.*"), ("0001Z", "0001")];
        for (right, wrong) in wrong {
            serde_json::from_str::<EventRecord>(&GOLDEN.replace(right, wrong)).unwrap_err();
        }
        let later = GOLDEN.replace("\"Version\":1", "\"Version\":2,\"Colour\":\"red\"");
        assert_eq!(serde_json::from_str::<EventRecord>(&later).unwrap().version, 2);
    }
}
