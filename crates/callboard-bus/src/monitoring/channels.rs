//! The figures of a channel: [`ChannelMetrics`], and the [`Watch`] that notices when nothing moves on one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Monitoring, QueueStatus};
use crate::channel::{Channel, ChannelError};
use crate::descriptor::Health;
use crate::events::Events;
use crate::subscription::Subscriber;

/// So often channels are looked at.
pub(super) const PERIOD: Duration = Duration::from_secs(5);

/// How a channel stands. Its fields are in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChannelMetrics {
    /// How many messages it may hold.
    pub bound: usize,
    /// How often a subscriber has handled one of its messages.
    pub delivered: u64,
    /// How many messages it holds.
    pub depth: usize,
    /// Unhealthy when a subscriber has handled nothing between two looks, which are 5 s apart, while messages waited for it;
    /// degraded when it is nearly full.
    pub health: Health,
    /// Its name.
    pub name: String,
    /// How many messages were published on it.
    pub published: u64,
    /// What waits on it, by priority.
    pub queues: QueueStatus,
    /// How many subscriptions it has.
    pub subscribers: usize,
}

impl ChannelMetrics {
    pub(super) fn read(monitoring: &Monitoring, name: &str) -> Result<Self, ChannelError> {
        let events = monitoring.events();
        let channel = events.directory().find(name).ok_or_else(|| ChannelError::Unknown(name.to_owned()))?;
        Ok(Self::of(&channel, &monitoring.shared.watch.lock()))
    }

    /// All channels that are not the system's own, by name.
    pub(super) fn all(monitoring: &Monitoring) -> Vec<Self> {
        let (events, watch) = (monitoring.events(), monitoring.shared.watch.lock());
        let channels = events.directory().all().into_iter().filter(|channel| !channel.name().is_reserved());
        channels.map(|channel| Self::of(&channel, &watch)).collect()
    }

    fn of(channel: &Channel, watch: &Watch) -> Self {
        let info = channel.info();
        Self {
            bound: info.bound,
            delivered: info.delivered,
            depth: info.depth,
            health: watch.health(channel, info.depth, info.bound),
            name: info.name.to_string(),
            published: info.published,
            queues: QueueStatus::of(channel.queue.by_priority()),
            subscribers: info.subscribers,
        }
    }
}

/// What subscriptions that have a queue looked like the last time.
#[derive(Debug, Default)]
pub(super) struct Watch {
    looked: Option<Duration>,
    /// By the numbers of the subscriptions for which something waits.
    waiting: HashMap<u64, Look>,
}

#[derive(Clone, Debug)]
struct Look {
    /// How many events it has had, in whatever way they ended.
    had: u64,
    /// Since when it has had none, as far as was seen, and for how many looks.
    since: Duration,
    looks: u32,
    owner: String,
    channel: Option<String>,
}

impl Watch {
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.looked.is_none_or(|looked| now.saturating_sub(looked) >= PERIOD)
    }

    pub(super) fn look(&mut self, events: &Events, now: Duration) {
        let mut waiting = HashMap::new();
        events.for_each_subscriber(&mut |subscriber| {
            if let Some(look) = self.look_at(subscriber, now) {
                waiting.insert(subscriber.number(), look);
            }
        });
        (self.waiting, self.looked) = (waiting, Some(now));
    }

    /// Nothing where nothing waits.
    fn look_at(&self, subscriber: &Arc<Subscriber>, now: Duration) -> Option<Look> {
        subscriber.inbox().filter(|inbox| inbox.waiting() > 0)?;
        let had = subscriber.stats().delivered() + subscriber.stats().errors();
        let (owner, channel) =
            (subscriber.ear().owner(), subscriber.channel().map(|channel| channel.name().to_string()));
        let before = self.waiting.get(&subscriber.number()).filter(|before| before.had == had);
        let (since, looks) = before.map_or((now, 1), |before| (before.since, before.looks + 1));
        Some(Look { had, since, looks, owner, channel })
    }

    /// The subscriptions for which events wait and none was handled between two looks: who they belong to, on which channel,
    /// and since when.
    pub(super) fn stuck(&self) -> impl Iterator<Item = (&str, Option<&str>, Duration)> {
        let stuck = self.waiting.values().filter(|look| look.looks > 1);
        stuck.map(|look| (&*look.owner, look.channel.as_deref(), look.since))
    }

    fn health(&self, channel: &Channel, depth: usize, bound: usize) -> Health {
        let name = channel.name().as_str();
        let mut stuck: Vec<_> = self.stuck().filter(|(_, on, _)| *on == Some(name)).map(|(owner, ..)| owner).collect();
        stuck.sort_unstable();
        if let Some(owner) = stuck.first() {
            return Health::Unhealthy(format!("`{owner}` handles nothing, and messages wait for it"));
        }
        // Nine in ten.
        if depth * 10 >= bound * 9 {
            return Health::Degraded(format!("it holds {depth} messages of {bound}"));
        }
        Health::Healthy
    }
}
