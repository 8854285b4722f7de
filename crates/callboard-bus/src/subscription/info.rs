//! What can be seen of a subscription: [`SubscriptionInfo`], under its [`SubscriptionId`].

use std::fmt;
use std::time::SystemTime;

use callboard_actor::{ActorId, ErrorCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::subscriber::Subscriber;
use crate::channel::ChannelName;
use crate::pattern::Pattern;

/// Identifies a subscription within its system: a number, higher than those of all subscriptions before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(pub(super) u64);

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A subscription has ended, or there never was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there is no subscription {0}: it has ended, or there never was one")]
pub struct UnknownSubscription(pub(crate) SubscriptionId);

impl UnknownSubscription {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::UnknownSubscription
    }
}

/// A subscription, as it is at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionInfo {
    /// What it is known by.
    pub id: SubscriptionId,
    /// Its channel.
    pub channel: Option<ChannelName>,
    /// What names it asks for.
    pub pattern: Pattern,
    /// What type it asks for.
    pub message_type: Option<String>,
    /// Its filter, where that is an expression.
    pub filter: Option<String>,
    /// The name of the actor that it belongs to, or of the function.
    pub owner: String,
    /// The actor that gets the events, or that runs the function.
    pub actor: Option<ActorId>,
    /// Whether it still gets events.
    pub is_active: bool,
    /// How many events wait in its queue, if it has one.
    pub queued: usize,
    /// How many events it got: in the mailbox of its actor, or handled where that is waited for.
    pub delivered: u64,
    /// How many events it did not take, or its handler failed at where that is waited for.
    pub errors: u64,
    /// When the last event was delivered to it, by the clock of the system.
    pub last_delivery: Option<SystemTime>,
}

impl SubscriptionInfo {
    pub(crate) fn of(subscriber: &Subscriber) -> Self {
        let (ear, stats) = (subscriber.ear(), subscriber.stats());
        let conditions = subscriber.conditions();
        Self {
            id: subscriber.id(),
            channel: subscriber.channel().map(|channel| channel.name().clone()),
            pattern: subscriber.pattern().clone(),
            message_type: conditions.message_type.as_deref().map(str::to_owned),
            filter: conditions.filter.as_ref().and_then(crate::filter::Filter::text),
            owner: ear.owner(),
            actor: subscriber.actor(),
            is_active: !subscriber.has_ended() && !ear.has_ended(),
            queued: subscriber.inbox().map_or(0, |inbox| inbox.waiting()),
            delivered: stats.delivered(),
            errors: stats.errors(),
            last_delivery: stats.last_delivery(),
        }
    }
}
