//! How a system is doing: figures, what is queued, health, and whether all is well. [`Monitoring`] is the handle.
//!
//! ```
//! # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Add(u64);
//! # impl Message for Add { type Reply = u64; }
//! # #[derive(Default)]
//! # struct Counter(u64);
//! # impl Actor for Counter {}
//! # impl SyncHandler<Add> for Counter {
//! #     fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> Result<u64, Fault> { self.0 += n; Ok(self.0) }
//! # }
//! use callboard_bus::monitoring::Level;
//! use callboard_bus::{EventsExt, Manifest, ModulesExt, MonitoringExt};
//!
//! # block_on(async {
//! # let system = System::builder().workers(1).start().await?;
//! # let counter = system.spawn(Counter::default);
//! # let _registered = Manifest::new("counter", "1.0.0").operation::<Add>("add").register(&counter).await?;
//! let monitoring = system.monitoring();
//! system.call("counter.add", 1).await?;
//! let refused = system.call("counter.add", "one").await.unwrap_err();
//!
//! let metrics = monitoring.metrics();
//! let figures = metrics.communication();
//! assert_eq!((figures.messages_sent, figures.messages_processed, figures.success_rate), (2, 1, Some(0.5)));
//! assert_eq!(metrics.performance().api.success_rate, Some(50.0));
//!
//! let failed = monitoring.failed_calls(10);
//! assert_eq!(failed[0].error.as_ref().map(|error| error.code), Some(refused.code()));
//!
//! let status = monitoring.status().check_health().await;
//! assert_eq!(status.overall_health, Level::Healthy);
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What is counted
//!
//! A *message* is an attempt of a call by name, a message sent by name, or the delivery of an event to one subscription that
//! wants it. It is *processed* when the call has brought an output, and the other two when they are in the mailbox; where a
//! channel, a batch or a function stands in between, when the handler is done. What is asked through a reference, without
//! the bus, is in the books of the actors alone ([`System::inspect`]), and a call that is a
//! [test](crate::Call::test) is nowhere.
//!
//! Rates are `null` in JSON, and `None` here, as long as there was nothing to reckon them from. Keys in JSON are sorted.
//!
//! The same figures in the text format of Prometheus, for a program that answers `/metrics`, are an [`Exposition`].
//!
//! # The tick
//!
//! An actor `maintenance` has a turn every [interval](Monitoring::set_interval), 100 ms by default. It takes events whose time
//! to live is over out of the queues of channels, gives each operation its next calls to be timed, keeps a [`Sample`] of
//! the figures once a second, and looks every five whether anything moves on the channels and in the modules. Nothing waits for it: messages are delivered and
//! expired ones held back without it. It starts with the first queue, and samples from the first time on that somebody
//! asks for [`monitoring`](MonitoringExt::monitoring).

mod calls;
mod channels;
mod exposition;
mod figures;
mod health;
mod ledger;
mod letters;
mod maintenance;
mod metrics;
mod queues;
mod recent;
mod source;
mod stalls;
mod status;
mod sweep;
mod timeline;
mod trial;
mod views;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use callboard_actor::{Actor, Context, ErrorCode, System};
use parking_lot::Mutex;
use thiserror::Error;

pub use self::channels::ChannelMetrics;
use self::channels::Watch;
pub use self::exposition::Exposition;
use self::figures::Figures;
pub use self::health::{
    DiscoveryHealth, EventStoreHealth, HealthReport, InstanceHealth, ModuleHealth, QueueHealth, SubscriptionHealth,
};
pub(crate) use self::ledger::Ledger;
pub use self::letters::DeadLetterHealth;
pub(crate) use self::maintenance::maintain;
use self::maintenance::{Maintained, Retime};
pub use self::metrics::{Metrics, OperationFigures, TopBy};
pub use self::queues::QueueStatus;
pub use self::recent::{RecentCall, RecentError};
pub use self::source::{WorkflowCounts, WorkflowSource};
use self::stalls::Stalls;
pub use self::status::{CheckResult, Component, ComponentStatus, HealthChecks, Issue, Level, Status, StatusRequest};
pub use self::timeline::Sample;
use self::timeline::Timeline;
pub use self::trial::TestFault;
pub(crate) use self::trial::{Trial, within};
pub use self::views::{
    ApiMetrics, BusMetrics, CommunicationMetrics, PerformanceMetrics, RecentApi, TimeMetrics, TopApi,
};
use crate::channel::ChannelError;
use crate::events::{Events, EventsExt};
use crate::time;

/// Monitoring for whoever has a [`System`].
pub trait MonitoringExt {
    /// How the system is doing. From the first time on that somebody asks, samples of the figures are kept.
    fn monitoring(&self) -> Monitoring;
}

impl MonitoringExt for System {
    fn monitoring(&self) -> Monitoring {
        let monitoring = Monitoring { system: self.clone(), shared: Shared::of(self) };
        monitoring.shared.is_watched.store(true, Ordering::Relaxed);
        maintain(self);
        monitoring
    }
}

impl<A: Actor> MonitoringExt for Context<A> {
    fn monitoring(&self) -> Monitoring {
        self.system().monitoring()
    }
}

/// How a system is doing. See the head of this module. A clone is one more reference.
#[derive(Clone)]
pub struct Monitoring {
    system: System,
    shared: Arc<Shared>,
}

/// What looks into a component from outside.
type Check = Arc<dyn Fn(&System) -> Vec<Issue> + Send + Sync>;

/// The extension of the system.
pub(crate) struct Shared {
    maintained: Maintained,
    /// Whether samples are kept.
    is_watched: AtomicBool,
    timeline: Mutex<Timeline>,
    /// What the channels looked like the last time.
    watch: Mutex<Watch>,
    /// What modules looked like then.
    stalls: Mutex<Stalls>,
    workflows: Mutex<Option<Arc<dyn WorkflowSource>>>,
    checks: Mutex<Vec<(Component, Check)>>,
    /// When the system started; a moment is this and what the clock of the system has counted since.
    started: SystemTime,
}

/// Settings that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MonitoringError {
    /// An interval of nothing, or one of more than an hour.
    #[error("the interval of the maintenance cannot be {}: it is from 1ms to 1h", time::show(*.0))]
    Interval(Duration),
    /// A history of nothing, or of more than a day.
    #[error("the history of the figures cannot be kept for {}: it is kept for 1s to 1d", time::show(*.0))]
    History(Duration),
}

impl MonitoringError {
    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }
}

impl Shared {
    fn of(system: &System) -> Arc<Self> {
        system.extension(|| Self {
            maintained: Maintained::default(),
            is_watched: AtomicBool::new(false),
            timeline: Mutex::default(),
            watch: Mutex::default(),
            stalls: Mutex::default(),
            workflows: Mutex::default(),
            checks: Mutex::default(),
            started: SystemTime::now() - system.elapsed(),
        })
    }

    fn retime(&self, interval: Duration) {
        self.maintained.set_interval(interval);
        if let Some(actor) = self.maintained.actor() {
            // One whose mailbox is full, or that is restarted, looks for itself.
            drop(actor.try_tell(Retime));
        }
    }

    fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }
}

impl Monitoring {
    /// All figures of this moment.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics::read(self, None)
    }

    /// The same with the samples of the last hour, or of as long as [`keep_history`](Self::keep_history) says.
    #[must_use]
    pub fn metrics_with_history(&self) -> Metrics {
        Metrics::read(self, Some(self.history()))
    }

    /// The figures as they were, oldest first: a sample a second, or one at each tick where those are farther apart.
    #[must_use]
    pub fn history(&self) -> Vec<Sample> {
        self.shared.timeline.lock().samples().cloned().collect()
    }

    /// The figures of one channel.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Unknown`].
    pub fn channel(&self, name: &str) -> Result<ChannelMetrics, ChannelError> {
        ChannelMetrics::read(self, name)
    }

    /// The calls that ended last, the newest first: at most so many of the 1,000 that are kept.
    #[must_use]
    pub fn recent_calls(&self, limit: usize) -> Vec<RecentCall> {
        self.ledger().recent(|_| true, limit)
    }

    /// The same of those that failed.
    #[must_use]
    pub fn failed_calls(&self, limit: usize) -> Vec<RecentCall> {
        self.ledger().recent(|call| !call.is_success(), limit)
    }

    /// How many messages wait in mailboxes and queues, by priority.
    #[must_use]
    pub fn queue_status(&self) -> QueueStatus {
        QueueStatus::read(&self.events())
    }

    /// How breakers, queues, dead letters, events and discovery are.
    #[must_use]
    pub fn health(&self) -> HealthReport {
        HealthReport::read(self)
    }

    /// Whether all is well, and what to do where it is not, when awaited.
    pub fn status(&self) -> StatusRequest {
        StatusRequest::new(self.clone())
    }

    /// How often the maintenance has a turn: every 100 ms unless it is set. Delivery does not wait for it.
    ///
    /// # Errors
    ///
    /// [`MonitoringError::Interval`]; nothing has changed then.
    pub fn set_interval(&self, interval: Duration) -> Result<(), MonitoringError> {
        if !(Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&interval) {
            return Err(MonitoringError::Interval(interval));
        }
        self.shared.retime(interval);
        Ok(())
    }

    /// The same by the configuration, which has been checked; it starts nothing.
    pub(crate) fn configure_interval(system: &System, interval: Duration) {
        Shared::of(system).retime(interval);
    }

    /// For how long samples are kept: an hour unless it is set. What is older goes.
    ///
    /// # Errors
    ///
    /// [`MonitoringError::History`]; nothing has changed then.
    pub fn keep_history(&self, time: Duration) -> Result<(), MonitoringError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&time) {
            return Err(MonitoringError::History(time));
        }
        self.shared.timeline.lock().keep(time);
        Ok(())
    }

    /// Has a component looked at by one more function, which tells what is wrong with it whenever somebody asks for the
    /// [status](Self::status). It should be quick, must not wait, and holds no system, as the system holds it. Nobody can take
    /// it away.
    pub fn add_check(&self, component: Component, check: impl Fn(&System) -> Vec<Issue> + Send + Sync + 'static) {
        self.shared.checks.lock().push((component, Arc::new(check)));
    }

    /// Has the figures of workflows read from here. For the layer that runs them; it starts nothing.
    pub fn set_workflows(system: &System, source: impl WorkflowSource) {
        *Shared::of(system).workflows.lock() = Some(Arc::new(source));
    }

    /// Whether somebody says how many runs of workflows there are.
    fn has_workflows(&self) -> bool {
        self.shared.workflows.lock().is_some()
    }

    fn figures(&self) -> Figures {
        Figures::read(&self.system, &self.shared)
    }

    fn ledger(&self) -> Arc<Ledger> {
        self.system.extension(Ledger::default)
    }

    fn events(&self) -> Events {
        self.system.events()
    }

    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    /// The moment so long after the start of the system.
    fn moment(&self, elapsed: Duration) -> SystemTime {
        self.shared.started + elapsed
    }
}

impl fmt::Debug for Monitoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitoring").field("system", &self.system).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("timeline", &self.timeline.lock()).finish_non_exhaustive()
    }
}
