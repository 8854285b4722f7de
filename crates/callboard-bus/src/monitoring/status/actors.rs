//! What is wrong with the actors that are no modules, functions behind subscriptions and workers among them.

use std::collections::HashSet;

use callboard_actor::{ActorId, ActorSnapshot, ActorState, BreakerState};

use super::{Component, Issue, Level};
use crate::modules::ModulesExt;
use crate::monitoring::Monitoring;

pub(super) fn issues(monitoring: &Monitoring, actors: &[ActorSnapshot]) -> Vec<Issue> {
    let modules: HashSet<ActorId> =
        monitoring.system().modules().list().iter().map(|instance| instance.actor).collect();
    actors.iter().filter(|actor| !modules.contains(&actor.id)).filter_map(issue).collect()
}

fn issue(actor: &ActorSnapshot) -> Option<Issue> {
    let (text, help) = fault_of(&format!("actor `{}`", actor.name), actor)?;
    Some(Issue::new(Component::MessageBus, Level::Degraded, text, help))
}

/// What keeps an actor from its messages, and what to do about it.
pub(super) fn fault_of(who: &str, actor: &ActorSnapshot) -> Option<(String, &'static str)> {
    let fault = || actor.last_fault.as_ref().map_or_else(String::new, |fault| format!(": {fault}"));
    match actor.state {
        ActorState::Failed => Some((
            format!("{who} has given up after {}{}", faults(actor.faults), fault()),
            "correct what the last fault names; it is tried again by itself, or at once by a reset of its breaker",
        )),
        ActorState::Probing | ActorState::BackingOff => Some((
            format!("{who} is being restarted after a fault{}", fault()),
            "wait for its next start; the last fault says what went wrong",
        )),
        _ if actor.breaker.state == BreakerState::ForcedOpen => {
            Some((format!("the breaker of {who} is held open by hand"), "give the breaker back to its rules"))
        }
        _ => None,
    }
}

fn faults(count: u64) -> String {
    if count == 1 { "its first fault".to_owned() } else { format!("{count} faults") }
}
