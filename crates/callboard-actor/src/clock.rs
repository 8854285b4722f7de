//! The one clock of a system: monotonic nanoseconds since it started, and the wall time derived from them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sync::Ordering;

/// Nanoseconds since the system started. 0 stands for "none" where a moment is optional.
pub(crate) type Nanos = u64;

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
    Real(Instant),
    /// tokio's paused clock of one arbiter, and the last moment read there, for readers on other threads.
    Virtual {
        base: tokio::time::Instant,
        home: u64,
        last: std::sync::atomic::AtomicU64,
    },
}

impl Clock {
    pub(crate) fn real() -> Self {
        Self { source: Source::Real(Instant::now()), started: since_epoch() }
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
            Source::Real(base) => nanos(base.elapsed()) + 1,
            Source::Virtual { base, home, last } => virtual_now(*base, *home, last),
        }
    }

    /// Now, as a span since the system started.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now())
    }

    /// Now, since the Unix epoch.
    pub(crate) fn wall(&self) -> Duration {
        self.started + self.elapsed()
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
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
