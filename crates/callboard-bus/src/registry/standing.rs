//! What an instance would say to a call that came now: [`Standing`].

use std::time::Duration;

/// See above. Those that are asked come first, in the order in which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It takes calls. One that is to be probed does: without a message it would never come to serve again.
    Serving,
    /// It has never served yet; calls wait until it has started.
    Starting,
    /// It has failed and waits for so long before it is started again.
    Restarting(Duration),
    /// Its breaker is open, for so long if that is known.
    Refusing(Option<Duration>),
    /// It says itself that it is unhealthy.
    Unwilling,
    /// It is draining or stopping.
    Stopping,
    /// It has ended.
    Stopped,
}

impl Standing {
    /// Whether there is a point in asking it.
    #[inline]
    pub(super) fn takes_calls(self) -> bool {
        matches!(self, Self::Serving | Self::Starting)
    }
}
