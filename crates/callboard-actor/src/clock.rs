//! The one clock of a system: monotonic nanoseconds since it started, and the wall time derived from them.
//!
//! A look at the exact clock costs half as much as sending a message. Where a moment is far from all that depends on it, the
//! [last tick](Clock::lately) of a coarse clock serves; the virtual clock of tests is exact in both.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
use self::linux::Stopwatch;
#[cfg(not(target_os = "linux"))]
use self::portable::Stopwatch;
use crate::sync::Ordering;

/// Nanoseconds since the system started. 0 stands for "none" where a moment is optional.
pub(crate) type Nanos = u64;

/// The coarse clock lags behind the exact one by less than this: its ticks are 1 to 10 ms apart, and some may come late.
const LAG: Nanos = 100_000_000;
/// What is due sooner than this has to be seen exactly, by whoever deals with it.
pub(crate) const NEAR: Nanos = 10_000_000;
/// Spans from here on may be short by a tick.
const LONG: Nanos = 1_000_000_000;

/// A moment, and how exactly it was told, as a power of two: what happens in one grain are so few things that their numbers
/// fit into it, a thousand million of them a second.
pub(crate) struct Start {
    pub(crate) at: Nanos,
    pub(crate) grain: Nanos,
}

pub(crate) const FINE_GRAIN: Nanos = 1 << 12;
const COARSE_GRAIN: Nanos = 1 << 22;

/// Tells the time. Wall time is the moment of the start plus what the monotonic clock has counted since, so it never
/// jumps while a system runs.
#[derive(Debug)]
pub(crate) struct Clock {
    source: Source,
    started: Duration,
}

#[derive(Debug)]
#[cfg_attr(not(feature = "test-util"), allow(dead_code))]
enum Source {
    Real(Stopwatch),
    /// tokio's paused clock of one arbiter, and the last moment read there, for readers on other threads.
    Virtual {
        base: tokio::time::Instant,
        home: u64,
        last: std::sync::atomic::AtomicU64,
    },
}

impl Clock {
    pub(crate) fn real() -> Self {
        Self { source: Source::Real(Stopwatch::start()), started: since_epoch() }
    }

    /// The paused clock of the runtime that the calling thread is in.
    #[cfg_attr(not(feature = "test-util"), allow(dead_code))]
    pub(crate) fn of_this_runtime() -> Self {
        let home = crate::bound::thread_id();
        let source = Source::Virtual { base: tokio::time::Instant::now(), home, last: 1.into() };
        Self { source, started: since_epoch() }
    }

    /// Now. Never 0.
    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        match &self.source {
            Source::Real(stopwatch) => stopwatch.exact() + 1,
            Source::Virtual { base, home, last } => virtual_now(*base, *home, last),
        }
    }

    /// A moment that is not after now, and before it by less than [`LAG`]. Never 0.
    #[inline]
    fn lately(&self) -> Nanos {
        match &self.source {
            Source::Real(stopwatch) => stopwatch.at_last_tick() + 1,
            Source::Virtual { .. } => self.now(),
        }
    }

    /// Now, as exactly as it takes to say whether `due` has come: only near it the exact clock is read.
    #[inline]
    pub(crate) fn now_for(&self, due: Nanos) -> Nanos {
        let lately = self.lately();
        if due > lately.saturating_add(LAG + NEAR) { lately } else { self.now() }
    }

    /// The same where a moment that has just been told is known, be it by the coarse clock, and may do; 0 is none.
    #[inline]
    pub(crate) fn now_for_since(&self, known: Nanos, due: Nanos) -> Nanos {
        if known != 0 && due > known.saturating_add(LAG + NEAR) { known } else { self.now_for(due) }
    }

    /// The moment at which something that may live for `span` ends: never later, and if that is a second or more, earlier by
    /// a tick at most.
    #[inline]
    pub(crate) fn end_of(&self, span: Duration) -> Nanos {
        let span = nanos(span);
        self.start_of(span).at.saturating_add(span)
    }

    /// A moment from which something lasts for `span`: now, or if that is a second or more, at the last tick.
    #[inline(always)]
    pub(crate) fn start_of(&self, span: Nanos) -> Start {
        match &self.source {
            Source::Real(stopwatch) if span >= LONG => Start { at: stopwatch.at_last_tick() + 1, grain: COARSE_GRAIN },
            _ => Start { at: self.now(), grain: FINE_GRAIN },
        }
    }

    /// Now, as a span since the system started.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now())
    }

    /// Now, since the Unix epoch.
    pub(crate) fn wall(&self) -> Duration {
        self.wall_at(self.elapsed())
    }

    /// The same of a moment since the system started.
    pub(crate) fn wall_at(&self, elapsed: Duration) -> Duration {
        self.started + elapsed
    }

    /// The moment `after` from now, at most the end of time.
    #[inline]
    pub(crate) fn after(&self, after: Duration) -> Nanos {
        self.now().saturating_add(nanos(after))
    }

    /// Ends at `moment`. Must be polled on an arbiter.
    pub(crate) fn sleep_until(&self, moment: Nanos) -> tokio::time::Sleep {
        let left = Duration::from_nanos(moment.saturating_sub(self.now()));
        tokio::time::sleep(left)
    }
}

#[cold]
fn virtual_now(base: tokio::time::Instant, home: u64, last: &std::sync::atomic::AtomicU64) -> Nanos {
    if crate::bound::thread_id() == home {
        last.store(nanos(base.elapsed()) + 1, Ordering::Relaxed);
    }
    last.load(Ordering::Relaxed)
}

/// The span in nanoseconds, at most 584 years.
#[inline]
pub(crate) fn nanos(span: Duration) -> Nanos {
    span.as_secs().saturating_mul(1_000_000_000).saturating_add(span.subsec_nanos().into())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tick_is_never_ahead() {
        let clock = Clock::real();
        for _ in 0..10_000 {
            let (lately, now) = (clock.lately(), clock.now());
            assert!(0 < lately && lately <= now, "{lately} {now}");
        }
    }

    #[test]
    fn near_a_moment_the_clock_is_exact() {
        let clock = Clock::real();
        for near in [0, 1, LAG / 2] {
            let before = clock.now();
            assert!(clock.now_for(before + near) >= before);
        }
        let far = clock.now() + 600 * LAG;
        assert!(clock.now_for(far) <= clock.now());
    }

    #[test]
    fn a_short_life_is_exact_and_a_long_one_never_too_long() {
        let clock = Clock::real();
        let second = Duration::from_secs(1);
        for span in [Duration::from_micros(1), second - Duration::from_nanos(1)] {
            let before = clock.now();
            assert!(clock.end_of(span) >= before + nanos(span));
        }
        for span in [second, 600 * second] {
            assert!(clock.end_of(span) <= clock.after(span));
        }
        assert_eq!(clock.end_of(Duration::MAX), Nanos::MAX);
    }
}
