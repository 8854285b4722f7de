//! What of an operation is behind a lock, its breaker above all: [`Guarded`], and what is done to it.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::{Duration, SystemTime};

use callboard_actor::{Breaker, BreakerMode, BreakerState, Outcome, Permit, Transition};

use super::{BreakerStatus, Conduct, FAILING, GUARDED, OperationState, roll};
use crate::audit::{AuditExt, AuditKind};
use crate::breaker_events::{BreakerEvents, BreakerNews, BreakerOf};
use crate::call::CallError;
use crate::retry::RetryBudget;

/// What is behind the lock: no call takes it while all goes well.
pub(super) struct Guarded {
    /// None where it is off.
    pub(super) breaker: Option<Breaker>,
    /// One of its rules looks at a window, and wants to see every call.
    pub(super) sees_all: bool,
    /// A failure counts in it: a success has to be told to it.
    pub(super) is_failing: bool,
    pub(super) budget: RetryBudget,
    pub(super) last_error: Option<String>,
    pub(super) transitions: u64,
    /// When it opened last.
    pub(super) opened_at: Option<SystemTime>,
    /// What was told of the breaker last.
    pub(super) told: BreakerState,
}

impl Guarded {
    pub(super) fn new(conduct: &Conduct) -> Self {
        let (breaker, sees_all) = conduct.breaker();
        Self {
            told: state_of(breaker.as_ref()),
            breaker,
            sees_all,
            is_failing: false,
            budget: RetryBudget::default(),
            last_error: None,
            transitions: 0,
            opened_at: None,
        }
    }

    /// Whether attempts have to ask first, and whether their success has to be told.
    pub(super) fn flag(&self) -> u8 {
        let is_closed = self.breaker.as_ref().is_none_or(|breaker| breaker.state() == BreakerState::Closed);
        let guarded = if is_closed && !self.sees_all { 0 } else { GUARDED };
        if self.is_failing { guarded | FAILING } else { guarded }
    }
}

impl OperationState {
    /// The same for a breaker that is in another state: what led to the last one counts no more. The flags come first, so that
    /// a call that sees the new epoch sees them too, and none that was let through before passes for one of this state.
    pub(super) fn breaker_changed(&self, guarded: &mut Guarded, by: Option<&Arc<str>>) {
        guarded.is_failing = false;
        self.show(guarded);
        self.epoch.fetch_add(1, Release);
        let to = state_of(guarded.breaker.as_ref());
        let from = std::mem::replace(&mut guarded.told, to);
        if from != to && matches!(to, BreakerState::Open | BreakerState::ForcedOpen) {
            guarded.opened_at = Some(SystemTime::UNIX_EPOCH + self.system.wall());
        }
        // What somebody does is told even where it changes nothing: a reset forgets what has led there.
        if from != to || by.is_some() {
            let until = guarded.breaker.as_ref().and_then(Breaker::opens_until);
            let retry_after = until.map(|until| until.saturating_sub(self.system.elapsed()));
            let of = BreakerOf::Operation(Arc::clone(&self.address));
            let news = BreakerNews { of, from, to, retry_after, by: by.cloned() };
            BreakerEvents::of(&self.system).tell(&self.system, news);
        }
    }

    /// Whether a test may go: an open breaker refuses it, and does not learn from it.
    #[cold]
    pub(super) fn admit_test(&self) -> Result<(), CallError> {
        let Some(BreakerStatus { state, retry_after, .. }) = self.status().breaker else { return Ok(()) };
        match state {
            BreakerState::Open | BreakerState::HalfOpen | BreakerState::ForcedOpen => {
                let retry_after = retry_after.unwrap_or(Duration::MAX);
                Err(CallError::CircuitOpen { operation: Arc::clone(&self.address), retry_after })
            }
            _ => Ok(()),
        }
    }

    #[cold]
    pub(super) fn acquire(&self) -> Result<Option<Permit>, CallError> {
        let now = self.system.elapsed();
        let mut guarded = self.guarded.lock();
        let Some(breaker) = &mut guarded.breaker else { return Ok(None) };
        let (permit, transition) = breaker.try_acquire(now, roll());
        self.note_transition(&mut guarded, transition);
        permit.map(Some).map_err(|retry_after| {
            self.counts.reject();
            CallError::CircuitOpen { operation: Arc::clone(&self.address), retry_after }
        })
    }

    /// Tells the breaker how an attempt ended.
    #[cold]
    pub(super) fn record(
        &self,
        permit: Option<Permit>,
        epoch: u32,
        outcome: Outcome,
        took: Duration,
        error: Option<&CallError>,
    ) {
        let now = self.system.elapsed();
        let mut guarded = self.guarded.lock();
        if let Some(error) = error {
            guarded.last_error = Some(error.to_string());
        }
        let Some(breaker) = &mut guarded.breaker else { return };
        // One that was let through without a permit counts if nothing has changed since.
        let permit = permit
            .or_else(|| (self.epoch.load(Relaxed) == epoch).then(|| breaker.try_acquire(now, 0.0).0.ok()).flatten());
        let Some(permit) = permit else { return };
        let transition = breaker.record(permit, outcome, took, now, roll());
        self.note_transition(&mut guarded, transition);
        guarded.is_failing = outcome == Outcome::Failure;
        self.show(&guarded);
    }

    /// What the caller did wrong gives the permit back.
    #[cold]
    pub(super) fn note_error(&self, permit: Option<Permit>, epoch: u32, took: Duration, error: &CallError) {
        self.counts.fail(error.class());
        if error.is_failure() {
            self.record(permit, epoch, Outcome::Failure, took, Some(error));
        } else {
            self.release(permit);
        }
    }

    pub(super) fn release(&self, permit: Option<Permit>) {
        let Some(permit) = permit else { return };
        if let Some(breaker) = &mut self.guarded.lock().breaker {
            breaker.release(permit);
        }
    }

    fn note_transition(&self, guarded: &mut Guarded, transition: Option<Transition>) {
        if transition.is_some() {
            guarded.transitions += 1;
            self.breaker_changed(guarded, None);
        }
    }

    /// Puts the breaker into the hands of the rules or of a person. False where there is none.
    pub(crate) fn set_breaker_mode(&self, mode: BreakerMode, by: &Arc<str>) -> bool {
        self.change_breaker(|breaker| breaker.set_mode(mode), act_of(mode), by)
    }

    /// Closes the breaker and forgets what led there. False where there is none.
    pub(crate) fn reset_breaker(&self, by: &Arc<str>) -> bool {
        self.change_breaker(|breaker| _ = breaker.reset(), "reset", by)
    }

    fn change_breaker(&self, change: impl FnOnce(&mut Breaker), act: &str, by: &Arc<str>) -> bool {
        let mut guarded = self.guarded.lock();
        let Some(breaker) = &mut guarded.breaker else { return false };
        change(breaker);
        guarded.transitions += 1;
        self.breaker_changed(&mut guarded, Some(by));
        drop(guarded);
        self.system.audit().record(AuditKind::Breaker, act, &self.address, by);
        true
    }
}

/// What a breaker lets through; all of it where there is none.
fn state_of(breaker: Option<&Breaker>) -> BreakerState {
    breaker.map_or(BreakerState::Disabled, Breaker::state)
}

/// What is done to a breaker that is put into this mode, as the audit has it.
const fn act_of(mode: BreakerMode) -> &'static str {
    match mode {
        BreakerMode::Automatic => "leave to its rules",
        BreakerMode::ForcedOpen => "hold open",
        BreakerMode::Disabled => "disable",
        BreakerMode::MetricsOnly => "count only",
    }
}
