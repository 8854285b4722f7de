//! What is wrong with modules and their operations.

use std::collections::HashMap;
use std::sync::Arc;

use callboard_actor::{ActorId, ActorSnapshot, ActorState, BreakerState};

use super::actors::fault_of;
use super::{Component, Issue, Level};
use crate::descriptor::{Descriptor, Health};
use crate::modules::{Modules, ModulesExt};
use crate::monitoring::Monitoring;
use crate::monitoring::health::health_of;
use crate::operations::{OperationStatus, OperationsExt};

pub(super) fn issues(monitoring: &Monitoring, actors: &[ActorSnapshot]) -> Vec<Issue> {
    let (system, modules) = (monitoring.system(), monitoring.system().modules());
    let mut issues = modules_at_fault(monitoring, &modules, actors);
    issues.extend(system.operations().list().iter().filter_map(operation));
    issues.extend(modules.missing().iter().map(|missing| {
        issue(Level::Degraded, missing.to_string(), "start the module that offers it, or take the requirement away")
    }));
    let discovery = modules.discovery_status().health;
    issues.extend(discovery.reason().map(|reason| {
        issue(
            Level::Degraded,
            format!("discovery: {reason}"),
            "negotiate the contract anew, or bring its two sides together",
        )
    }));
    issues
}

/// Where nobody serves at all, that is worse than what is wrong with each.
fn modules_at_fault(monitoring: &Monitoring, modules: &Modules, actors: &[ActorSnapshot]) -> Vec<Issue> {
    let actors: HashMap<ActorId, &ActorSnapshot> = actors.iter().map(|actor| (actor.id, actor)).collect();
    let instances = modules.list();
    let at_fault = |instance: &Arc<Descriptor>| module(monitoring, instance, actors.get(&instance.actor)?);
    let mut issues: Vec<_> = instances.iter().filter_map(at_fault).collect();
    let serving =
        instances.iter().filter(|instance| is_serving(instance, actors.get(&instance.actor).copied())).count();
    if serving == 0 && !instances.is_empty() {
        let text = format!("none of the {} instances of modules takes calls", instances.len());
        issues.push(issue(Level::Unhealthy, text, "look at the other issues: each says what keeps one of them"));
    }
    issues
}

fn is_serving(instance: &Descriptor, actor: Option<&ActorSnapshot>) -> bool {
    let is_willing = !matches!(instance.health, Health::Unhealthy(_));
    is_willing && actor.is_some_and(|actor| matches!(actor.state, ActorState::Running | ActorState::Restarting))
}

/// What is wrong with an instance; what its actor says goes before what it says of itself.
fn module(monitoring: &Monitoring, instance: &Descriptor, actor: &ActorSnapshot) -> Option<Issue> {
    let who = format!("module `{}`", instance.name);
    if let Some((text, help)) = fault_of(&who, actor) {
        return Some(issue(Level::Degraded, text, help));
    }
    let text = format!("{who}: {}", health_of(monitoring, instance).reason()?);
    Some(issue(Level::Degraded, text, "see to what it says, or in `inspect` at what it is busy with"))
}

/// An operation whose breaker lets nothing through but probes.
fn operation(status: &OperationStatus) -> Option<Issue> {
    let operation = &status.descriptor.address;
    let (how, help) = match status.breaker? {
        BreakerState::Open => ("open", "wait until it tries again; its last error says what goes wrong"),
        BreakerState::HalfOpen => ("trying whether it works again", "wait for the outcome of the next call"),
        BreakerState::ForcedOpen => ("held open by hand", "give the breaker back to its rules"),
        _ => return None,
    };
    let last = status.last_error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
    Some(issue(Level::Degraded, format!("the breaker of `{operation}` is {how}{last}"), help))
}

fn issue(level: Level, text: String, recommendation: &str) -> Issue {
    Issue::new(Component::ApiRegistry, level, text, recommendation)
}
