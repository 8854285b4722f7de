//! What a module says of itself: [`Descriptor`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{ActorId, Priority};
use semver::Version;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::address::Address;
use crate::balance::Balance;
use crate::discovery::Capabilities;
use crate::pattern::Pattern;
use crate::protocol::Protocol;
use crate::redaction::OneLine;
use crate::security_level::SecurityLevel;
use crate::time;
use crate::topic::Topic;

/// What the registry knows of one instance of a module.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Descriptor {
    /// The name of the module; its instances share it.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it is for, in a sentence; may be empty.
    pub description: String,
    /// Who looks after it; may be empty.
    pub owner: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The ways in which it takes part, in order.
    pub protocols: Vec<Protocol>,
    /// Who may use it.
    pub security_level: SecurityLevel,
    /// Whoever looks for what it can do is shown it with all of these, and not without.
    pub required_permissions: Vec<String>,
    /// How calls are spread over the instances of its version. Where they differ, the one that came last decides.
    pub balance: Balance,
    /// How many calls it gets for each of an instance with the weight 1, where the balance is by weight.
    pub weight: u32,
    /// The operations that it needs of others.
    pub requires: Vec<Address>,
    /// The events that it hears.
    pub hears: Vec<Pattern>,
    /// The events that it publishes.
    pub publishes: Vec<Topic>,
    /// What it offers, in the order of registration.
    #[serde(serialize_with = "serialize_shared")]
    pub operations: Vec<Arc<OperationDescriptor>>,
    /// What it can do besides, by name.
    pub capabilities: Capabilities,
    /// How it is, by its own account.
    pub health: Health,
    /// The number of the actor behind this instance.
    pub actor: ActorId,
    /// The name of the actor behind this instance.
    pub instance: String,
}

/// One operation of a module.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OperationDescriptor {
    /// `module.operation`.
    pub address: String,
    /// The name of the operation alone.
    pub name: String,
    /// The version of the module.
    pub version: Version,
    /// What it does, in a sentence; may be empty.
    pub description: String,
    /// Doing it twice under the same message has the effect of doing it once, so a call whose outcome is unknown may be
    /// made again.
    pub is_idempotent: bool,
    /// Its handler blocks its thread, for which it has one of its own: it may take a while, and costs its neighbours nothing.
    pub is_blocking: bool,
    /// Why it should not be called any more, if so.
    pub deprecated: Option<String>,
    /// The priority of calls that name none.
    pub priority: Priority,
    /// The time limit of calls that name none; nothing where that of the system holds.
    #[serde(serialize_with = "serialize_timeout")]
    pub timeout: Option<Duration>,
    /// The type of the message, as Rust names it.
    pub message: &'static str,
    /// The JSON Schema (draft 2020-12) of what it takes.
    pub message_schema: Json,
    /// The JSON Schema (draft 2020-12) of what it answers.
    pub reply_schema: Json,
}

/// How an instance is, by its own account. Its actor may be unable to serve all the same, which the registry sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It can do its work.
    #[default]
    Healthy,
    /// It can do its work, though not as well as it should, for this reason.
    Degraded(String),
    /// It is not handed out, for this reason.
    Unhealthy(String),
}

impl Health {
    /// The word used in logs and snapshots.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded(_) => "degraded",
            Self::Unhealthy(_) => "unhealthy",
        }
    }

    /// Why it is not simply healthy.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Healthy => None,
            Self::Degraded(reason) | Self::Unhealthy(reason) => Some(reason),
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {}", OneLine(reason)))
    }
}

/// `{ "state": "unhealthy", "reason": "the disk is full" }`.
impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            state: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'a str>,
        }
        Shape { state: self.as_str(), reason: self.reason() }.serialize(serializer)
    }
}

fn serialize_shared<S: Serializer>(operations: &[Arc<OperationDescriptor>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(operations.iter().map(|operation| &**operation))
}

fn serialize_timeout<S: Serializer>(timeout: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    timeout.map(time::show).serialize(serializer)
}
