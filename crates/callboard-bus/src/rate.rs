//! How many calls may be made in a while: [`Rate`].

use std::num::NonZeroU32;
use std::time::Duration;

use callboard_actor::System;
use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::time;

/// So many calls in each span of so long. All of them may come at once; then one more may come whenever its share of the span is over
/// (the generic cell rate algorithm, as networks use it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many calls.
    pub calls: u32,
    /// In how long.
    pub per: Duration,
}

impl Rate {
    /// What cannot work, if something cannot.
    pub(crate) fn fault(self) -> Option<String> {
        let is_none = self.quota().is_none();
        is_none
            .then(|| format!("rate: {self} would let nothing through, or everything: name a call or more, and a span"))
    }

    fn quota(self) -> Option<Quota> {
        let calls = NonZeroU32::new(self.calls)?;
        Some(Quota::with_period(self.per / self.calls)?.allow_burst(calls))
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} calls in {}", self.calls, time::show(self.per))
    }
}

/// Counts the calls of one operation.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    counted: RateLimiter<NotKeyed, InMemoryState, SystemClock, NoOpMiddleware<Moment>>,
}

impl Limiter {
    /// Nothing of a rate that cannot work.
    pub(crate) fn new(rate: Rate, system: &System) -> Option<Self> {
        let counted = RateLimiter::direct_with_clock(rate.quota()?, SystemClock(system.clone()));
        Some(Self { rate, counted })
    }

    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// Lets one more through, or says how long it has to wait.
    pub(crate) fn pass(&self) -> Result<(), Duration> {
        let clock = self.counted.clock();
        self.counted.check().map_err(|until| until.wait_time_from(clock.now()))
    }
}

/// The clock of a system, as the limiter wants it.
#[derive(Clone, Debug)]
struct SystemClock(System);

/// Since the system started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Nanos);

impl Clock for SystemClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(self.0.elapsed().into())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.as_u64().saturating_sub(earlier.0.as_u64()).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.as_u64().saturating_sub(duration.as_u64()).into())
    }
}

impl std::ops::Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0.as_u64().saturating_add(other.as_u64()).into())
    }
}
