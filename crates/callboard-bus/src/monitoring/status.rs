//! Whether all is well, and what to do where it is not: [`Status`].

mod actors;
mod registry;
mod traffic;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use callboard_actor::System;
use serde::{Serialize, Serializer};

use super::trial::{TestFault, Trial, within};
use super::views::{millis, write_json};
use super::{HealthReport, Monitoring};
use crate::configured::{ConfigExt, Unheeded};

/// How long a check may take.
const LIMIT: Duration = Duration::from_secs(2);

/// How well something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Level {
    /// It does its work.
    #[default]
    Healthy,
    /// A part of it does not; the rest goes on.
    Degraded,
    /// It cannot do its work.
    Unhealthy,
}

/// A part of the system that has a health of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum Component {
    /// Events and channels.
    MessageBus,
    /// Modules and their operations.
    #[serde(rename = "APIRegistry")]
    ApiRegistry,
    /// Settings.
    Configuration,
}

/// Something that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Issue {
    /// Where.
    pub component: Component,
    /// How bad it is for that component.
    pub level: Level,
    /// What.
    pub text: String,
    /// What to do about it.
    pub recommendation: String,
}

impl Issue {
    /// An issue and what to do about it.
    #[must_use]
    pub fn new(component: Component, level: Level, text: impl Into<String>, recommendation: impl Into<String>) -> Self {
        Self { component, level, text: text.into(), recommendation: recommendation.into() }
    }
}

/// Whether all is well. As text it is indented JSON.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// How each component is.
    pub components: Vec<ComponentStatus>,
    /// The five sections of health, where they were asked for.
    pub details: Option<HealthReport>,
    /// What was tried, where that was asked for.
    pub health_checks: Option<HealthChecks>,
    /// What is wrong, the worst first.
    pub issues: Vec<Issue>,
    /// That of the worst component.
    pub overall_health: Level,
}

/// How a component is: as bad as the worst of its issues.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentStatus {
    /// Which.
    pub component: Component,
    /// How it is.
    pub health: Level,
    /// How many issues it has.
    pub issues: usize,
}

/// What was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HealthChecks {
    /// A message went round on a channel of its own.
    pub messaging_test: CheckResult,
    /// Another one did, and was counted.
    pub metrics_test: CheckResult,
}

/// How a check went.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct CheckResult {
    /// How long it took, in milliseconds.
    #[serde(serialize_with = "millis")]
    pub duration: Option<Duration>,
    /// Why it failed.
    pub error: Option<TestFault>,
    /// Whether it went well.
    pub success: bool,
}

/// A look at a system, about to be taken: `.await` takes it.
///
/// # Cancel safety
///
/// Can be dropped at any time: what checks have set up goes with it.
#[derive(Clone, Debug)]
#[must_use = "a look is taken when this is awaited"]
pub struct StatusRequest {
    monitoring: Monitoring,
    has_details: bool,
    has_checks: bool,
}

impl StatusRequest {
    pub(super) fn new(monitoring: Monitoring) -> Self {
        Self { monitoring, has_details: false, has_checks: false }
    }

    /// With the five sections of [health](Monitoring::health).
    pub fn details(mut self) -> Self {
        self.has_details = true;
        self
    }

    /// With checks that send messages, for two seconds each at most.
    pub fn check_health(mut self) -> Self {
        self.has_checks = true;
        self
    }

    async fn look(self) -> Status {
        let monitoring = &self.monitoring;
        let mut issues = traffic::issues(monitoring);
        let actors = monitoring.system().inspect().actors;
        issues.extend(registry::issues(monitoring, &actors));
        issues.extend(actors::issues(monitoring, &actors));
        issues.extend(unheeded(monitoring));
        issues.extend(added(monitoring));
        let health_checks = if self.has_checks { Some(check(monitoring).await) } else { None };
        issues.extend(health_checks.iter().flat_map(HealthChecks::issues));
        let details = self.has_details.then(|| monitoring.health());
        Status::new(issues, health_checks, details)
    }
}

impl IntoFuture for StatusRequest {
    type Output = Status;
    type IntoFuture = Pin<Box<dyn Future<Output = Status> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.look())
    }
}

/// Settings that somebody has said for nothing. The system does its work all the same.
fn unheeded(monitoring: &Monitoring) -> impl Iterator<Item = Issue> {
    monitoring.system().unheeded().into_iter().map(|Unheeded { key, value, source, by }| {
        let text = format!("nothing heeds the setting {key} = {value} ({source})");
        Issue::new(Component::Configuration, Level::Healthy, text, format!("leave it out, or add what heeds it: {by}"))
    })
}

/// What layers above have found out.
fn added(monitoring: &Monitoring) -> Vec<Issue> {
    let checks = monitoring.shared.checks.lock().clone();
    let of = |component, issues: Vec<Issue>| issues.into_iter().map(move |issue| Issue { component, ..issue });
    checks.iter().flat_map(|(component, check)| of(*component, check(monitoring.system()))).collect()
}

/// Each by itself, so that one that hangs costs the other nothing.
async fn check(monitoring: &Monitoring) -> HealthChecks {
    let system = monitoring.system();
    let messaging_test = CheckResult::of(system, Trial::go_round(system)).await;
    let metrics_test = CheckResult::of(system, Trial::be_counted(system)).await;
    HealthChecks { messaging_test, metrics_test }
}

impl CheckResult {
    async fn of(system: &System, work: impl Future<Output = Result<(), TestFault>>) -> Self {
        let began = system.elapsed();
        let error = within(system, LIMIT, work).await.err();
        let duration = Some(system.elapsed().saturating_sub(began));
        Self { duration, success: error.is_none(), error }
    }
}

impl HealthChecks {
    fn issues(&self) -> impl Iterator<Item = Issue> {
        let checks = [
            (&self.messaging_test, "MessagingTest", Level::Unhealthy),
            (&self.metrics_test, "MetricsTest", Level::Degraded),
        ];
        checks.into_iter().filter_map(|(check, name, level)| {
            let fault = check.error.as_ref()?;
            let help = fault.code.help();
            Some(Issue::new(Component::MessageBus, level, format!("the check {name} failed: {fault}"), help))
        })
    }
}

impl Status {
    fn new(mut issues: Vec<Issue>, health_checks: Option<HealthChecks>, details: Option<HealthReport>) -> Self {
        issues.sort_by_key(|issue| std::cmp::Reverse(issue.level));
        let all = [Component::MessageBus, Component::ApiRegistry, Component::Configuration];
        let components = all.map(|component| ComponentStatus::new(component, &issues)).to_vec();
        let overall_health = components.iter().map(|component| component.health).max().unwrap_or_default();
        Self { components, details, health_checks, issues, overall_health }
    }

    /// How a component is.
    #[must_use]
    pub fn health_of(&self, component: Component) -> Level {
        let found = self.components.iter().find(|status| status.component == component);
        found.map_or(Level::Healthy, |status| status.health)
    }
}

impl ComponentStatus {
    fn new(component: Component, issues: &[Issue]) -> Self {
        let own = || issues.iter().filter(|issue| issue.component == component);
        let health = own().map(|issue| issue.level).max().unwrap_or_default();
        Self { component, health, issues: own().count() }
    }
}

/// `{ "Components": { "MessageBus": { "Health": .., "Issues": 0 }, .. }, "HealthChecks": .., "Issues": [..],
/// "OverallHealth": .., "Recommendations": [..] }`: the recommendation for an issue has the same place as the issue.
impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Shape<'a> {
            components: Parts<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            details: Option<&'a HealthReport>,
            #[serde(skip_serializing_if = "Option::is_none")]
            health_checks: Option<&'a HealthChecks>,
            issues: Vec<&'a str>,
            overall_health: Level,
            recommendations: Vec<&'a str>,
        }
        Shape {
            components: Parts(&self.components),
            details: self.details.as_ref(),
            health_checks: self.health_checks.as_ref(),
            issues: self.issues.iter().map(|issue| &*issue.text).collect(),
            overall_health: self.overall_health,
            recommendations: self.issues.iter().map(|issue| &*issue.recommendation).collect(),
        }
        .serialize(serializer)
    }
}

/// Components under their names.
struct Parts<'a>(&'a [ComponentStatus]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Shape {
            health: Level,
            issues: usize,
        }
        let part =
            |status: &ComponentStatus| (status.component, Shape { health: status.health, issues: status.issues });
        serializer.collect_map(self.0.iter().map(part))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self, f)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
