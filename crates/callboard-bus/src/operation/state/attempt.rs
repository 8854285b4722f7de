//! Leave to call an operation once: [`Attempt`].

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

use callboard_actor::{Outcome, Permit};

use super::{FAILING, GUARDED, OperationState, RATED};
use crate::call::CallError;

/// What an attempt has to heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The breaker is asked.
    Asked,
    /// Whatever the breaker says.
    Anyway,
    /// It is in no count.
    Test,
}

/// Leave to make one attempt. Dropped before it is [settled](Self::settle), the attempt was abandoned.
pub(crate) struct Attempt<S: Deref<Target = OperationState> = Arc<OperationState>> {
    /// None once it is settled.
    state: Option<S>,
    permit: Option<Permit>,
    /// Of those that are timed.
    began: Option<Duration>,
    epoch: u32,
    /// Whoever has made it does not log its failure.
    is_told: bool,
}

impl<S: Deref<Target = OperationState>> Attempt<S> {
    /// Asks the breaker, unless it is to be ignored.
    ///
    /// # Errors
    ///
    /// [`CallError::CircuitOpen`], [`CallError::RateLimited`].
    #[inline]
    pub(crate) fn admitted(state: S, leave: Leave) -> Result<Self, CallError> {
        if leave == Leave::Test {
            state.admit_test()?;
            return Ok(Self { state: None, permit: None, began: None, epoch: 0, is_told: false });
        }
        let epoch = state.epoch.load(Acquire);
        let flags = state.flags.load(Relaxed);
        if flags & RATED != 0 {
            state.pass_limiter()?;
        }
        let is_free = leave == Leave::Anyway || flags & GUARDED == 0;
        let permit = if is_free { None } else { state.acquire()? };
        let is_timed = state.counts.begin(state.ledger.tick()) || permit.is_some();
        let began = is_timed.then(|| state.system.elapsed());
        Ok(Self { state: Some(state), permit, began, epoch, is_told: true })
    }

    /// The same with its failure logged here, or left to who has made it and knows more.
    #[inline]
    pub(crate) fn told_by(mut self, is_told: bool) -> Self {
        self.is_told = is_told;
        self
    }

    /// The same attempt, held by another reference to the same operation.
    pub(crate) fn kept_by<T: Deref<Target = OperationState>>(mut self, state: T) -> Attempt<T> {
        let (state, permit) = (self.state.take().map(|_| state), self.permit.take());
        Attempt { state, permit, began: self.began, epoch: self.epoch, is_told: self.is_told }
    }

    /// Whose operation it is an attempt of.
    pub(crate) fn state(&self) -> &OperationState {
        self.state.as_deref().expect("it has not been settled")
    }

    /// Tells how it ended: with this error, or well.
    #[inline]
    pub(crate) fn settle(mut self, error: Option<&CallError>) {
        let (Some(state), permit) = (self.state.take(), self.permit.take()) else { return };
        let took = self.began.map(|began| state.system.elapsed().saturating_sub(began));
        took.into_iter().for_each(|took| state.counts.time(took));
        state.ledger.note(&state, self.began, error);
        match error {
            None => {
                state.counts.succeed();
                if permit.is_some() || state.flags.load(Relaxed) & FAILING != 0 {
                    state.record(permit, self.epoch, Outcome::Success, took.unwrap_or_default(), None);
                }
            }
            Some(error) => {
                state.note_error(permit, self.epoch, took.unwrap_or_default(), error);
                if self.is_told {
                    state.log_single_failure(error);
                }
            }
        }
    }
}

impl<S: Deref<Target = OperationState>> Attempt<S> {
    /// Whose it is, `module.operation`; nothing for a test, which is nowhere.
    pub(crate) fn operation(&self) -> Option<&Arc<str>> {
        self.state.as_deref().map(OperationState::address)
    }
}

impl<S: Deref<Target = OperationState>> Drop for Attempt<S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            state.counts.abandon();
            state.release(self.permit.take());
        }
    }
}
