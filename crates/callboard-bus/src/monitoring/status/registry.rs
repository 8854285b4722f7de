//! What is wrong with modules and their operations.

use std::collections::HashMap;
use std::sync::Arc;

use callboard_actor::{ActorId, ActorSnapshot, ActorState, BreakerState};

use super::{Component, Issue, Level};
use crate::descriptor::{Descriptor, Health};
use crate::modules::{Modules, ModulesExt};
use crate::monitoring::Monitoring;
use crate::monitoring::health::health_of;
use crate::operations::{OperationStatus, OperationsExt};

pub(super) fn issues(monitoring: &Monitoring) -> Vec<Issue> {
    let (system, modules) = (monitoring.system(), monitoring.system().modules());
    let mut issues = modules_at_fault(monitoring, &modules);
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
fn modules_at_fault(monitoring: &Monitoring, modules: &Modules) -> Vec<Issue> {
    let actors: HashMap<ActorId, ActorSnapshot> =
        monitoring.system().inspect().actors.into_iter().map(|actor| (actor.id, actor)).collect();
    let instances = modules.list();
    let at_fault = |instance: &Arc<Descriptor>| module(monitoring, instance, actors.get(&instance.actor));
    let mut issues: Vec<_> = instances.iter().filter_map(at_fault).collect();
    let serving = instances.iter().filter(|instance| is_serving(instance, actors.get(&instance.actor))).count();
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
fn module(monitoring: &Monitoring, instance: &Descriptor, actor: Option<&ActorSnapshot>) -> Option<Issue> {
    let (name, actor) = (&instance.name, actor?);
    let fault = || actor.last_fault.as_ref().map_or_else(String::new, |fault| format!(": {fault}"));
    let (text, help) = match actor.state {
        ActorState::Failed => (
            format!("module `{name}` has given up after {} faults{}", actor.faults, fault()),
            "correct what the last fault names; it is tried again by itself, or at once by a reset of its breaker",
        ),
        ActorState::Probing | ActorState::BackingOff => (
            format!("module `{name}` is being restarted after a fault{}", fault()),
            "wait for its next start; the last fault says what went wrong",
        ),
        _ if actor.breaker.state == BreakerState::ForcedOpen => {
            (format!("the breaker of module `{name}` is held open by hand"), "give the breaker back to its rules")
        }
        _ => (
            format!("module `{name}`: {}", health_of(monitoring, instance).reason()?),
            "see to what it says, or in `inspect` at what it is busy with",
        ),
    };
    Some(issue(Level::Degraded, text, help))
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
