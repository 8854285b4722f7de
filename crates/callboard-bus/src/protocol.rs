//! The ways in which a module takes part in what goes on: [`Protocol`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way in which a module takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protocol {
    /// It answers requests. The operations of a module without it cannot be called.
    RequestResponse,
    /// It subscribes to names and hears what is published under them: without a channel, and broadcasts, where `#[event]` or
    /// [`Manifest::hears`](crate::Manifest::hears) name none, or else on the channel that they name
    /// ([`hears_on`](crate::Manifest::hears_on)).
    PubSub,
    /// It hears events.
    EventDriven,
    /// It hears what is said to everybody.
    Broadcast,
    /// It takes messages that are meant for one receiver.
    PointToPoint,
    /// Its operations may be steps of workflows.
    Workflow,
    /// It takes part in streams.
    Stream,
}

impl Protocol {
    /// The word, as serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestResponse => "request_response",
            Self::PubSub => "pub_sub",
            Self::EventDriven => "event_driven",
            Self::Broadcast => "broadcast",
            Self::PointToPoint => "point_to_point",
            Self::Workflow => "workflow",
            Self::Stream => "stream",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
