//! When a breaker opens, for how long, and how it probes.

use std::time::Duration;

/// The span that a rate is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many calls.
    Count(u32),
    /// The calls of the last so long, in ten steps.
    Time(Duration),
}

/// One rule that opens a breaker. Any one of several is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trip {
    /// More restarts than the supervisor's intensity allows: the default of an actor's breaker.
    Intensity,
    /// So many failures one after the other.
    Consecutive(u32),
    /// A share of failures.
    Rate {
        /// From this share on, in percent.
        percent: u8,
        /// Taken over this span.
        window: Window,
        /// And at least so many calls in it.
        minimum: u32,
    },
    /// A share of calls that took long, whether they failed or not.
    Slow {
        /// Longer than this is slow.
        longer_than: Duration,
        /// From this share on, in percent.
        percent: u8,
        /// Taken over this span.
        window: Window,
        /// And at least so many calls in it.
        minimum: u32,
    },
}

/// The settings of a [`Breaker`](crate::Breaker).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerRules {
    /// What opens it; any one of them.
    pub trips: Vec<Trip>,
    /// How long it stays open the first time.
    pub reset: Duration,
    /// By how much that grows each time a probe fails.
    pub factor: f64,
    /// The longest it stays open.
    pub cap: Duration,
    /// The share of the time that is drawn at random, from 0 (none) to 1 (all of it).
    pub jitter: f64,
    /// How many probes may be under way at once.
    pub permits: u32,
    /// How many of them must succeed to close it.
    pub close_after: u32,
    /// How long a probe may take before it counts as failed.
    pub probe_limit: Option<Duration>,
}

impl Default for BreakerRules {
    /// Opens with the intensity rule, for 30 s that double up to 5 minutes, 10 % of it at random; one probe at a time,
    /// one success closes it, and a probe that takes longer than 30 s has failed.
    fn default() -> Self {
        Self {
            trips: vec![Trip::Intensity],
            reset: Duration::from_secs(30),
            factor: 2.0,
            cap: Duration::from_secs(300),
            jitter: 0.1,
            permits: 1,
            close_after: 1,
            probe_limit: Some(Duration::from_secs(30)),
        }
    }
}

impl BreakerRules {
    /// The defaults, with these trip rules.
    #[must_use]
    pub fn tripping_on(trips: impl IntoIterator<Item = Trip>) -> Self {
        Self { trips: trips.into_iter().collect(), ..Self::default() }
    }

    /// Replaces the reset time.
    #[must_use]
    pub fn reset_after(mut self, reset: Duration) -> Self {
        self.reset = reset;
        self
    }

    /// Replaces growth, cap and jitter of the reset time.
    #[must_use]
    pub fn growing(mut self, factor: f64, cap: Duration, jitter: f64) -> Self {
        (self.factor, self.cap, self.jitter) = (factor, cap, jitter);
        self
    }

    /// Replaces how many probes may be under way and how many must succeed.
    #[must_use]
    pub fn probing(mut self, permits: u32, close_after: u32) -> Self {
        (self.permits, self.close_after) = (permits, close_after);
        self
    }

    /// What cannot work in these settings.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |wrong: bool, text: &str| {
            if wrong {
                faults.push(format!("breaker: {text}"));
            }
        };
        check(self.reset.is_zero(), "a reset time of zero would never keep it open");
        check(!(1.0..=1e6).contains(&self.factor), "the growth factor must be at least 1");
        check(!(0.0..=1.0).contains(&self.jitter), "jitter is a share between 0 and 1");
        check(self.permits == 0, "without a permit it could never close again");
        check(self.close_after == 0, "at least one probe must succeed to close it");
        check(
            self.trips.iter().any(|trip| !trip.can_work()),
            "a count, a percentage or a window of a trip rule is out of range",
        );
        faults
    }

    /// Whether the supervisor's restart intensity opens it.
    pub(crate) fn trips_on_intensity(&self) -> bool {
        self.trips.contains(&Trip::Intensity)
    }

    pub(crate) fn needs_successes(&self) -> bool {
        self.trips.iter().any(|trip| *trip != Trip::Intensity)
    }

    pub(super) fn is_slow(&self, took: Duration) -> bool {
        self.trips.iter().any(|trip| matches!(trip, Trip::Slow { longer_than, .. } if took > *longer_than))
    }

    /// Whether so many failures one after the other are too many.
    pub(super) fn too_many(&self, consecutive: u32) -> bool {
        self.trips.iter().any(|trip| matches!(trip, Trip::Consecutive(limit) if consecutive >= *limit))
    }

    /// The reset time of an opening that follows `openings` others, with `roll` from 0 to 1 as the random draw.
    pub(super) fn reset_time(&self, openings: u32, roll: f64) -> Duration {
        let grown = self.reset.as_secs_f64() * self.factor.powi(openings.min(1000).cast_signed());
        let capped = grown.min(self.cap.max(self.reset).as_secs_f64());
        Duration::try_from_secs_f64(capped * (1.0 - self.jitter * roll)).unwrap_or(Duration::MAX)
    }
}

impl Trip {
    fn can_work(&self) -> bool {
        let window_works = |window: Window| !matches!(window, Window::Count(0) | Window::Time(Duration::ZERO));
        match *self {
            Self::Intensity => true,
            Self::Consecutive(limit) => limit > 0,
            Self::Rate { percent, window, .. } | Self::Slow { percent, window, .. } => {
                (1..=100).contains(&percent) && window_works(window)
            }
        }
    }
}
