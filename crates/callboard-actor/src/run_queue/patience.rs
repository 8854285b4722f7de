//! Whether it is worth staying awake for a thread that has nothing to do. Pure: the time is handed in.

use std::time::{Duration, Instant};

/// How long a thread stays awake when it has nothing to do, in rounds of the runtime.
const ROUNDS: u32 = 40;
/// A sleep that ended sooner was not worth it.
pub(super) const SHORT: Duration = Duration::from_micros(60);

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Nobody else needs the core that it would burn.
    is_allowed: bool,
    /// The last sleep was ended by another thread, and soon.
    was_short: bool,
    asleep_since: Option<Instant>,
    rounds: u32,
}

impl Patience {
    pub(super) fn new(is_allowed: bool) -> Self {
        Self { is_allowed, ..Self::default() }
    }

    /// Something that is expected should come soon.
    pub(super) fn expect(&mut self) {
        self.asleep_since = None;
        self.was_short = true;
        self.rounds = 0;
    }

    /// The task is polled; others have sent something, or not.
    pub(super) fn wake(&mut self, sent: bool, now: impl FnOnce() -> Instant) {
        if let Some(since) = self.asleep_since.take() {
            self.was_short = sent && now().duration_since(since) < SHORT;
        }
        if sent {
            self.rounds = 0;
        }
    }

    /// There is nothing to do. True when the thread should look again soon, false when it should sleep.
    pub(super) fn waits(&mut self, now: impl FnOnce() -> Instant) -> bool {
        if self.is_allowed && self.was_short && self.rounds < ROUNDS {
            self.rounds += 1;
            return true;
        }
        // Without the permission nothing is ever measured.
        self.asleep_since = self.is_allowed.then(now);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_awake_after_a_short_sleep_that_another_ended_and_only_then() {
        let start = Instant::now();
        let at = |micros| move || start + Duration::from_micros(micros);
        let mut patience = Patience::new(true);
        assert!(!patience.waits(at(0)), "it has not slept yet");
        patience.wake(true, at(50));
        assert!((0..ROUNDS).all(|_| patience.waits(at(60))), "that sleep was short");
        assert!(!patience.waits(at(100)), "there is an end to it");
        patience.wake(true, at(200));
        assert!(!patience.waits(at(210)), "that sleep was worth it");
        patience.wake(false, at(220));
        assert!(!patience.waits(at(230)), "its own thread ended that one");
    }

    #[test]
    fn each_arrival_begins_the_wait_anew() {
        let now = Instant::now;
        let mut patience = Patience { is_allowed: true, was_short: true, ..Patience::default() };
        assert!((1..ROUNDS).all(|_| patience.waits(now)));
        patience.wake(true, now);
        assert!((0..ROUNDS).all(|_| patience.waits(now)));
        assert!(!patience.waits(now));
    }

    #[test]
    fn a_thread_stays_awake_for_what_it_expects() {
        let mut patience = Patience::new(true);
        patience.expect();
        patience.wake(false, Instant::now);
        assert!((0..ROUNDS).all(|_| patience.waits(Instant::now)));
        assert!(!patience.waits(Instant::now));
    }

    #[test]
    fn where_cores_are_missing_it_always_sleeps() {
        let mut patience = Patience { was_short: true, ..Patience::default() };
        assert!(!patience.waits(Instant::now) && patience.asleep_since.is_none());
    }
}
