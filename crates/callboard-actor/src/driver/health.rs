//! What a driver knows of its actor's health: the breaker, the licence to restart, and when to use which.

use std::time::Duration;

use crate::breaker::{Breaker, BreakerMode, Outcome, Permit, Transition};
use crate::child::Policy;
use crate::supervisor::Licence;

/// Allocated at the first fault, or from the start when a trip rule needs to see every turn.
pub(super) struct Health {
    pub(super) breaker: Breaker,
    pub(super) licence: Licence,
    /// The permit of the running turn, from its start.
    permit: Option<Permit>,
    /// How long the last turn took.
    pub(super) took: Duration,
    /// When it was over, until it is recorded.
    pub(super) ended: Option<Duration>,
    /// Draws of the jitter so far.
    draws: u64,
    /// While probing: what was queued before is the test, and no new message may be.
    pub(super) queue_holds_permit: bool,
    /// Restarts in a row without a turn that ended well, when intensity does not count them.
    pub(super) in_a_row: u32,
}

impl Health {
    pub(super) fn new(policy: &Policy) -> Self {
        let breaker = Breaker::new(policy.breaker.clone());
        Self {
            breaker,
            licence: Licence::default(),
            permit: None,
            took: Duration::ZERO,
            ended: None,
            draws: 0,
            queue_holds_permit: false,
            in_a_row: 0,
        }
    }

    /// A turn begins: it counts for the state of the breaker that it began in. Turns are one at a time: the permit of one
    /// that was cut off is free again, so no probe can be overdue here, and nothing is served while it is open. Asking
    /// for a permit therefore changes no state.
    pub(super) fn begin(&mut self, now: Duration) {
        self.release();
        self.permit = self.breaker.try_acquire(now, 0.0).0.ok();
    }

    /// A turn has ended, or something else of the actor has failed.
    pub(super) fn record(&mut self, outcome: Outcome, now: Duration, roll: f64) -> Option<Transition> {
        let (permit, changed) = match self.permit.take() {
            Some(permit) => (Some(permit), None),
            None => {
                let (permit, changed) = self.breaker.try_acquire(now, roll);
                (permit.ok(), changed)
            }
        };
        let took = std::mem::take(&mut self.took);
        let recorded = permit.and_then(|permit| self.breaker.record(permit, outcome, took, now, roll));
        recorded.or(changed)
    }

    /// A turn did not happen after all.
    pub(super) fn release(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.breaker.release(permit);
        }
    }

    /// Whether the rules may open the breaker.
    pub(super) fn is_automatic(&self) -> bool {
        matches!(self.breaker.mode(), BreakerMode::Automatic)
    }

    /// A number from 0 to 1 that depends on the seed and on how many were drawn before.
    pub(super) fn roll(&mut self, seed: u64) -> f64 {
        self.draws += 1;
        crate::supervisor::roll(seed, self.draws)
    }
}
