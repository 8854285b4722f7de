//! What is wrong with events and channels.

use callboard_actor::{Actor, ActorRef, ActorState};

use super::{Component, Issue, Level};
use crate::dead_letter_queue::DeadLetterQueueExt;
use crate::descriptor::Health;
use crate::monitoring::Monitoring;
use crate::monitoring::channels::ChannelMetrics;
use crate::monitoring::health::stuck;

pub(super) fn issues(monitoring: &Monitoring) -> Vec<Issue> {
    let mut issues: Vec<_> = actor(monitoring.events().actor().as_ref(), "events", Level::Unhealthy).collect();
    issues.extend(actor(monitoring.shared.maintained.actor().as_ref(), "maintenance", Level::Degraded));
    issues.extend(full(monitoring));
    issues.extend(letters(monitoring));
    issues.extend(ChannelMetrics::all(monitoring).iter().filter_map(channel));
    issues.extend(stuck(monitoring).into_iter().filter(|stuck| stuck.channel.is_none()).map(|stuck| {
        let text = format!("`{}` handles nothing, and events wait for it for {:.0} s", stuck.owner, stuck.seconds);
        issue(Level::Degraded, text, UNBLOCK)
    }));
    issues
}

const UNBLOCK: &str =
    "look in `inspect` at what the subscriber is busy with, and give its handler less to do or a limit";

/// An actor that the bus is made of.
fn actor<A: Actor>(actor: Option<&ActorRef<A>>, name: &str, level: Level) -> impl Iterator<Item = Issue> {
    let state = actor.map_or(ActorState::Stopped, ActorRef::state);
    let is_well = matches!(state, ActorState::Running | ActorState::Starting | ActorState::Restarting);
    let text = format!("the actor `{name}` is {state}");
    (!is_well)
        .then(|| {
            issue(level, text, "look at its last fault in `inspect`; a system that is over has none of its actors")
        })
        .into_iter()
}

/// All queues together.
fn full(monitoring: &Monitoring) -> Option<Issue> {
    let (events, help) = (monitoring.events(), "see which subscribers are slow, or raise the limit of all channels");
    let (held, limit) = (events.directory().room().held(), events.directory().room().limit());
    let text = format!("the queues hold {held} messages of {limit} that they may");
    if held >= limit {
        Some(issue(Level::Unhealthy, text, help))
    } else {
        (held * 10 >= limit * 9).then(|| issue(Level::Degraded, text, help))
    }
}

/// More messages that failed for good than there should be.
fn letters(monitoring: &Monitoring) -> Option<Issue> {
    let health = monitoring.system().dead_letter_queue().health();
    Some(issue(Level::Degraded, health.issue?, &health.recommendation.unwrap_or_default()))
}

fn channel(channel: &ChannelMetrics) -> Option<Issue> {
    let text = format!("channel `{}`: {}", channel.name, channel.health.reason()?);
    let help = match channel.health {
        Health::Unhealthy(_) => UNBLOCK,
        _ => "see which subscribers are slow, raise the bound of the channel, or have it drop the oldest",
    };
    Some(issue(Level::Degraded, text, help))
}

fn issue(level: Level, text: String, recommendation: &str) -> Issue {
    Issue::new(Component::MessageBus, level, text, recommendation)
}
