//! Health in five sections: [`HealthReport`].

use std::collections::{BTreeMap, HashMap};

use callboard_actor::{ActorId, BreakerState};
use serde::Serialize;

use super::channels::ChannelMetrics;
use super::{DeadLetterHealth, Monitoring, QueueStatus};
use crate::descriptor::{Descriptor, Health};
use crate::discovery::DiscoveryStatus;
use crate::modules::ModulesExt;
use crate::operations::OperationsExt;

/// How a system is, in five sections. Its fields are in the order of their keys.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The breakers of each module and how its instances are, by its name.
    pub breakers: BTreeMap<String, ModuleHealth>,
    /// What reached nobody.
    pub dead_letters: DeadLetterHealth,
    /// How discovery is, with the share of questions that its cache answered.
    pub discovery: DiscoveryHealth,
    /// How events are kept.
    pub event_store: EventStoreHealth,
    /// What waits, and how fast it is worked off.
    pub queues: QueueHealth,
}

/// How discovery is, with the share of questions that its cache answered.
pub type DiscoveryHealth = DiscoveryStatus;

/// How a module is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModuleHealth {
    /// Its instances.
    pub instances: Vec<InstanceHealth>,
    /// The breakers of its operations, which count calls that failed; nothing for one that has none.
    pub operations: BTreeMap<String, Option<BreakerState>>,
}

/// How an instance of a module is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InstanceHealth {
    /// What it says of itself; unhealthy, too, when it was seen twice with the same message in hand while others waited. Whoever
    /// wants calls to go elsewhere then has it answer a [probe](crate::Probe).
    pub health: Health,
    /// The name of the actor.
    pub instance: String,
    /// What the breaker of the actor lets through, which counts faults.
    pub state: BreakerState,
}

/// What waits, and how fast it is worked off.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct QueueHealth {
    /// How many messages wait in mailboxes and queues.
    pub by_priority: QueueStatus,
    /// The channels, by name.
    pub channels: Vec<ChannelMetrics>,
    /// Messages processed a second, over the last 10 s; nothing before there are two samples.
    pub processed_per_second: Option<f64>,
    /// Messages sent a second, in the same way.
    pub sent_per_second: Option<f64>,
    /// Subscriptions that handle nothing though events wait for them.
    pub stuck: Vec<SubscriptionHealth>,
}

/// A subscription that handles nothing though events wait for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SubscriptionHealth {
    /// Its channel, if it is on one.
    pub channel: Option<String>,
    /// The name of the actor that it belongs to, or of the function.
    pub owner: String,
    /// For how long that has been seen.
    pub seconds: f64,
}

/// How events are kept. The history in memory is the only store so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EventStoreHealth {
    /// Events published a second, over the last 10 s; nothing before there are two samples.
    pub appended_per_second: Option<f64>,
    /// How many events may be kept.
    pub capacity: usize,
    /// How many events are kept.
    pub events: usize,
    /// What keeps them.
    pub store: &'static str,
}

impl HealthReport {
    pub(super) fn read(monitoring: &Monitoring) -> Self {
        Self {
            breakers: breakers(monitoring),
            dead_letters: DeadLetterHealth::read(monitoring),
            discovery: monitoring.system().modules().discovery_status(),
            event_store: EventStoreHealth::read(monitoring),
            queues: QueueHealth::read(monitoring),
        }
    }
}

fn breakers(monitoring: &Monitoring) -> BTreeMap<String, ModuleHealth> {
    let system = monitoring.system();
    let actors = system.inspect().actors.into_iter();
    let states: HashMap<ActorId, BreakerState> = actors.map(|actor| (actor.id, actor.breaker.state)).collect();
    let mut modules: BTreeMap<String, ModuleHealth> = BTreeMap::new();
    for descriptor in system.modules().list() {
        // One that has just ended is not registered for long.
        let Some(state) = states.get(&descriptor.actor) else { continue };
        let health = health_of(monitoring, &descriptor);
        let instance = InstanceHealth { health, instance: descriptor.instance.clone(), state: *state };
        modules.entry(descriptor.name.clone()).or_default().instances.push(instance);
    }
    for status in system.operations().list() {
        let (module, operation) =
            (status.descriptor.address.rsplit_once('.').map(|(module, _)| module), &status.descriptor);
        if let Some(module) = module.and_then(|module| modules.get_mut(module)) {
            module.operations.insert(operation.name.clone(), status.breaker);
        }
    }
    modules
}

/// What an instance says of itself, or that it is stuck.
pub(super) fn health_of(monitoring: &Monitoring, instance: &Descriptor) -> Health {
    let is_stalled = monitoring.shared.stalls.lock().is_stalled(instance.actor);
    if is_stalled && instance.health == Health::Healthy {
        return Health::Unhealthy("it has one message in hand for long, and others wait".to_owned());
    }
    instance.health.clone()
}

impl QueueHealth {
    fn read(monitoring: &Monitoring) -> Self {
        let timeline = monitoring.shared.timeline.lock();
        let processed_per_second = timeline.rate(|sample| sample.messages_processed);
        let sent_per_second = timeline.rate(|sample| sample.messages_sent);
        drop(timeline);
        Self {
            by_priority: monitoring.queue_status(),
            channels: ChannelMetrics::all(monitoring),
            processed_per_second,
            sent_per_second,
            stuck: stuck(monitoring),
        }
    }
}

pub(super) fn stuck(monitoring: &Monitoring) -> Vec<SubscriptionHealth> {
    let (now, watch) = (monitoring.system().elapsed(), monitoring.shared.watch.lock());
    let stuck = watch.stuck().map(|(owner, channel, since)| SubscriptionHealth {
        channel: channel.map(str::to_owned),
        owner: owner.to_owned(),
        seconds: now.saturating_sub(since).as_secs_f64(),
    });
    let mut stuck: Vec<_> = stuck.collect();
    stuck.sort_unstable_by(|one, other| (&one.channel, &one.owner).cmp(&(&other.channel, &other.owner)));
    stuck
}

impl EventStoreHealth {
    fn read(monitoring: &Monitoring) -> Self {
        let (events, capacity) = monitoring.events().read_history(crate::history::History::size);
        let appended_per_second = monitoring.shared.timeline.lock().rate(|sample| sample.events_published);
        Self { appended_per_second, capacity, events, store: "memory" }
    }
}
