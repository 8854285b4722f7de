//! What somebody wants to do: [`Access`].

use std::borrow::Cow;

use callboard_actor::MessageId;

use crate::pattern::Pattern;
use crate::security_level::SecurityLevel;
use crate::topic::Topic;

/// What somebody wants to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Access<'a> {
    /// Call an operation, or hold a reference to an instance of it.
    Call {
        /// `module.operation`.
        operation: &'a str,
        /// What its module asks for.
        level: SecurityLevel,
    },
    /// Send an operation a message that nobody waits for.
    Send {
        /// `module.operation`.
        operation: &'a str,
        /// What its module asks for.
        level: SecurityLevel,
    },
    /// Publish an event.
    Publish {
        /// Its name.
        event: &'a Topic,
        /// Who publishes it, in the publisher's own words.
        source: &'a str,
        /// The channel that it goes on.
        channel: Option<&'a str>,
    },
    /// Publish an event on no channel and on every one.
    Broadcast {
        /// Its name.
        event: &'a Topic,
        /// Who publishes it, in the publisher's own words.
        source: &'a str,
    },
    /// Get events.
    Subscribe {
        /// Which ones.
        pattern: &'a Pattern,
        /// Of this channel, instead of those that are on none.
        channel: Option<&'a str>,
    },
    /// Deliver dead letters again.
    RetryDeadLetters,
    /// Drop dead letters.
    PurgeDeadLetters,
    /// See all that is in a dead letter.
    RevealDeadLetter {
        /// Which one.
        id: MessageId,
    },
    /// Do something to a breaker by hand.
    ChangeBreaker {
        /// `module.operation`.
        operation: &'a str,
    },
    /// Give a setting another value.
    Configure {
        /// `group.name`.
        key: &'a str,
    },
}

impl Access<'_> {
    /// The scope that it takes, `area:verb`.
    #[must_use]
    pub const fn scope(&self) -> &'static str {
        match self {
            Self::Call { .. } => "api:call",
            Self::Send { .. } => "message:send",
            Self::Publish { channel: None, .. } => "events:publish",
            Self::Publish { channel: Some(_), .. } => "channel:publish",
            Self::Broadcast { .. } => "events:broadcast",
            Self::Subscribe { channel: None, .. } => "events:subscribe",
            Self::Subscribe { channel: Some(_), .. } => "channel:subscribe",
            Self::RetryDeadLetters => "dlq:retry",
            Self::PurgeDeadLetters => "dlq:purge",
            Self::RevealDeadLetter { .. } => "dlq:reveal",
            Self::ChangeBreaker { .. } => "breaker:reset",
            Self::Configure { .. } => "config:write",
        }
    }

    /// To what it is done: an operation, a name or a pattern of events, a letter, a setting. Empty where that is all there is.
    #[must_use]
    pub fn resource(&self) -> Cow<'_, str> {
        match self {
            Self::Call { operation, .. } | Self::Send { operation, .. } | Self::ChangeBreaker { operation } => {
                Cow::Borrowed(operation)
            }
            Self::Publish { event, .. } | Self::Broadcast { event, .. } => Cow::Borrowed(event.as_str()),
            Self::Subscribe { pattern, .. } => Cow::Borrowed(pattern.as_str()),
            Self::RetryDeadLetters | Self::PurgeDeadLetters => Cow::Borrowed(""),
            Self::RevealDeadLetter { id } => Cow::Owned(id.to_string()),
            Self::Configure { key } => Cow::Borrowed(key),
        }
    }

    /// What is done, as the audit has it.
    pub(super) fn act(&self) -> &'static str {
        self.scope().split_once(':').map_or("", |(_, verb)| verb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-BUS-03: one scope for each kind of act, in the words of the closed list.
    #[test]
    fn every_act_has_a_scope_and_a_resource() {
        let (event, pattern) = ("order.made".parse().unwrap(), "order.*".parse().unwrap());
        let level = SecurityLevel::Authorized;
        let acts = [
            (Access::Call { operation: "a.b", level }, "api:call", "a.b"),
            (Access::Send { operation: "a.b", level }, "message:send", "a.b"),
            (Access::Publish { event: &event, source: "s", channel: None }, "events:publish", "order.made"),
            (Access::Publish { event: &event, source: "s", channel: Some("c") }, "channel:publish", "order.made"),
            (Access::Broadcast { event: &event, source: "s" }, "events:broadcast", "order.made"),
            (Access::Subscribe { pattern: &pattern, channel: None }, "events:subscribe", "order.*"),
            (Access::Subscribe { pattern: &pattern, channel: Some("c") }, "channel:subscribe", "order.*"),
            (Access::RetryDeadLetters, "dlq:retry", ""),
            (Access::PurgeDeadLetters, "dlq:purge", ""),
            (Access::ChangeBreaker { operation: "a.b" }, "breaker:reset", "a.b"),
            (Access::Configure { key: "retry.factor" }, "config:write", "retry.factor"),
        ];
        for (access, scope, resource) in acts {
            assert_eq!((access.scope(), &*access.resource()), (scope, resource));
            assert!(scope.ends_with(&format!(":{}", access.act())), "{scope}");
        }
    }
}
