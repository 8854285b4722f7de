//! As much as goes through a channel: so many messages are under way at once, and for each that comes another one goes.

use std::collections::HashMap;
use std::time::Duration;

use callboard_actor::{ErrorCode, System};

use super::report::StressFigures;
use super::{SelfTestError, TestFault, TestResult, Trial, within};
use crate::event::EventId;
use crate::operation::Latencies;
use crate::publish::PublishError;
use crate::value::Value;

/// How long messages may be under way when the time of the test is over.
const GRACE: Duration = Duration::from_secs(5);
/// How long to leave a full system alone.
const PAUSE: Duration = Duration::from_millis(1);

/// How much stress there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    duration: Duration,
    concurrency: usize,
    pause: Duration,
}

impl Load {
    /// So many messages may be under way at most.
    pub const MOST: usize = 1_000;

    /// For so long, with so many messages under way at once.
    #[must_use]
    pub const fn new(duration: Duration, concurrency: usize) -> Self {
        Self { duration, concurrency, pause: Duration::ZERO }
    }

    /// Waits so long before each message but the first ones. Without it there are as many as go.
    #[must_use]
    pub const fn pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    pub(super) fn checked(self) -> Result<Self, SelfTestError> {
        if self.duration.is_zero() {
            return Err(SelfTestError::NoDuration);
        }
        let is_possible = (1..=Self::MOST).contains(&self.concurrency);
        if is_possible { Ok(self) } else { Err(SelfTestError::Concurrency { wanted: self.concurrency }) }
    }
}

pub(super) async fn run(system: &System, load: Load) -> (TestResult, Option<StressFigures>) {
    let began = system.elapsed();
    let figures = stressed(system, load).await;
    let took = system.elapsed().saturating_sub(began);
    let result = figures.as_ref().map_err(TestFault::clone).and_then(verdict);
    (TestResult::new("stress", took, result), figures.ok())
}

fn verdict(figures: &StressFigures) -> Result<String, TestFault> {
    let is_well = figures.lost == 0 && figures.duplicated == 0;
    if is_well { Ok(figures.to_string()) } else { Err(TestFault::internal(figures.to_string())) }
}

async fn stressed(system: &System, load: Load) -> Result<StressFigures, TestFault> {
    let mut stress = Stress {
        system: system.clone(),
        trial: Trial::wide(system, load.concurrency).await?,
        under_way: HashMap::with_capacity(load.concurrency),
        latencies: Latencies::default(),
        messages: 0,
        duplicated: 0,
    };
    let began = system.elapsed();
    stress.publish_until(began.saturating_add(load.duration), load).await?;
    let took = system.elapsed().saturating_sub(began);
    // What has not come by then is lost, which is no fault of the test.
    let _ = within(system, GRACE, stress.drain()).await;
    Ok(stress.end(load, took).await)
}

struct Stress {
    system: System,
    trial: Trial,
    /// Since when.
    under_way: HashMap<EventId, Duration>,
    latencies: Latencies,
    messages: u64,
    duplicated: u64,
}

impl Stress {
    async fn publish_until(&mut self, deadline: Duration, load: Load) -> Result<(), TestFault> {
        while let Some(left) = deadline.checked_sub(self.system.elapsed()).filter(|left| !left.is_zero()) {
            if self.under_way.len() < load.concurrency {
                self.publish().await?;
                continue;
            }
            match within(&self.system.clone(), left, self.hear()).await {
                Err(fault) if fault.code != ErrorCode::Timeout => return Err(fault),
                _ if load.pause.is_zero() => {}
                _ => self.system.sleep(load.pause.min(left)).await,
            }
        }
        Ok(())
    }

    /// The system may be full of messages of others.
    async fn publish(&mut self) -> Result<(), TestFault> {
        let began = self.system.elapsed();
        match self.trial.publish(Value::from(self.messages)).await {
            Ok(receipt) => {
                self.messages += 1;
                self.under_way.insert(receipt.id, began);
            }
            Err(PublishError::ChannelFull { .. } | PublishError::SystemFull { .. }) => self.system.sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn hear(&mut self) -> Result<(), TestFault> {
        let event = self.trial.next().await?;
        match self.under_way.remove(&event.id) {
            Some(began) => self.latencies.note(self.system.elapsed().saturating_sub(began)),
            None => self.duplicated += 1,
        }
        Ok(())
    }

    async fn drain(&mut self) -> Result<(), TestFault> {
        while !self.under_way.is_empty() {
            self.hear().await?;
        }
        Ok(())
    }

    async fn end(self, load: Load, took: Duration) -> StressFigures {
        let times = self.latencies.read();
        self.trial.end().await;
        StressFigures {
            concurrency: load.concurrency,
            duplicated: self.duplicated,
            lost: self.under_way.len() as u64,
            messages: self.messages,
            p50: times.p50,
            p99: times.p99,
            throughput: self.messages as f64 / took.as_secs_f64().max(f64::EPSILON),
            took,
        }
    }
}
