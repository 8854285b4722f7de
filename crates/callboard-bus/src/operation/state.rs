//! What is known of an operation while its system runs: settings, breaker and counts. All its instances share it, and all
//! calls pass by it.

mod attempt;
mod conduct;
mod guard;
mod log;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
use callboard_actor::{Breaker, BreakerState, BreakerTotals, LogLimit, System};
use parking_lot::Mutex;

pub(crate) use self::attempt::{Attempt, Leave};
pub(crate) use self::conduct::Conduct;
use self::guard::Guarded;
use super::counts::{CallCounts, CallTimes, Counts};
use super::durations::Durations;
use super::settings::CallSettings;
use crate::call::CallError;
use crate::concurrency::{Concurrency, Place};
use crate::gate::{Access, AuthContext, Gatekeeper};
use crate::lookup::LookupError;
use crate::monitoring::Ledger;
use crate::rate::Limiter;

/// See the head of this file.
pub(crate) struct OperationState {
    /// `module.operation`.
    address: Arc<str>,
    system: System,
    ledger: Arc<Ledger>,
    /// What the author of its module says of its calls.
    said: CallSettings,
    conduct: ArcSwap<Conduct>,
    limiter: ArcSwapOption<Limiter>,
    /// What a call has to heed beyond being made; 0 for nearly all.
    flags: AtomicU8,
    /// Counts the changes of the breaker, so that the end of a call can be told to belong to an earlier state.
    epoch: AtomicU32,
    guarded: Mutex<Guarded>,
    counts: Counts,
    log: Mutex<LogLimit>,
    /// That of the whole system.
    concurrency: Arc<Concurrency>,
}

/// There is more to it than one attempt.
const CONDUCTED: u8 = 1;
/// The breaker has to be asked.
const GUARDED: u8 = 2;
/// A failure counts in the breaker: a success has to be told to it.
const FAILING: u8 = 4;
/// There may be too many calls in a while.
const RATED: u8 = 8;

impl OperationState {
    pub(crate) fn new(
        address: Arc<str>,
        system: System,
        said: CallSettings,
        conduct: Conduct,
        concurrency: Arc<Concurrency>,
    ) -> Self {
        let guarded = Guarded::new(&conduct);
        let limiter = conduct.limiter(&system);
        Self {
            address,
            ledger: system.extension(Ledger::default),
            system,
            said,
            limiter: ArcSwapOption::from_pointee(limiter),
            flags: AtomicU8::new(conduct.flag() | guarded.flag()),
            conduct: ArcSwap::from_pointee(conduct),
            epoch: AtomicU32::new(0),
            guarded: Mutex::new(guarded),
            counts: Counts::default(),
            log: Mutex::default(),
            concurrency,
        }
    }

    pub(crate) fn address(&self) -> &Arc<str> {
        &self.address
    }

    pub(crate) fn said(&self) -> &CallSettings {
        &self.said
    }

    pub(crate) fn system(&self) -> &System {
        &self.system
    }

    pub(crate) fn conduct(&self) -> Arc<Conduct> {
        self.conduct.load_full()
    }

    pub(crate) fn concurrency(&self) -> &Arc<Concurrency> {
        &self.concurrency
    }

    /// Asks the gate, if there is one, and says what of the caller is known then.
    pub(crate) fn admit(&self, auth: AuthContext, takes_nothing_along: bool) -> Result<AuthContext, CallError> {
        if !self.conduct.load().is_guarded {
            return Ok(auth);
        }
        let auth = if takes_nothing_along { auth } else { auth.or_here() };
        let operation = &*self.address;
        let gate = Gatekeeper::of(&self.system);
        let admitted =
            gate.ask_use(&self.system, &auth, operation, |operation, level| Access::Call { operation, level });
        admitted.map(|who| auth.named(who)).map_err(|fault| {
            self.counts.reject();
            LookupError::Denied { operation: operation.to_owned(), fault }.into()
        })
    }

    /// A place for a call that is no more than one attempt, which has not to be waited for.
    #[inline]
    pub(crate) fn enter_at_once(&self, is_more: bool) -> Option<Place<&Arc<Concurrency>>> {
        let is_conducted = is_more || self.flags.load(Relaxed) & CONDUCTED != 0;
        if is_conducted { None } else { self.concurrency.try_enter() }
    }

    /// Replaces how calls are made. Calls under way go on as they began; a breaker whose rules are others begins anew.
    pub(crate) fn conduct_by(&self, conduct: Conduct) {
        let mut guarded = self.guarded.lock();
        // One that stays as it was has not forgotten what it has counted.
        if self.limiter.load().as_ref().map(|limiter| limiter.rate()) != conduct.settings.rate {
            self.limiter.store(conduct.limiter(&self.system).map(Arc::new));
        }
        if self.conduct.load().settings.breaker != conduct.settings.breaker {
            (guarded.breaker, guarded.sees_all) = conduct.breaker();
            self.conduct.store(Arc::new(conduct));
            self.breaker_changed(&mut guarded, None);
        } else {
            self.conduct.store(Arc::new(conduct));
            self.show(&guarded);
        }
    }

    /// Lets calls see what they have to heed.
    fn show(&self, guarded: &Guarded) {
        self.flags.store(self.conduct.load().flag() | guarded.flag(), Relaxed);
    }

    #[cold]
    fn pass_limiter(&self) -> Result<(), CallError> {
        let Some(limiter) = self.limiter.load_full() else { return Ok(()) };
        limiter.pass().map_err(|retry_after| {
            self.counts.reject();
            CallError::RateLimited { operation: Arc::clone(&self.address), retry_after }
        })
    }

    /// Whether the budget allows one more attempt.
    pub(crate) fn may_retry(&self) -> bool {
        let is_allowed = self.guarded.lock().budget.try_retry();
        if is_allowed {
            self.counts.retry();
        }
        is_allowed
    }

    /// A call is made that may be tried again.
    pub(crate) fn note_call(&self) {
        self.guarded.lock().budget.note_call();
    }

    /// How many retries the budget has not allowed.
    pub(crate) fn retries_refused(&self) -> u64 {
        self.guarded.lock().budget.refused()
    }

    /// How long calls took; nothing where none was timed yet.
    pub(crate) fn durations(&self) -> Option<Durations> {
        self.counts.durations()
    }

    pub(crate) fn status(&self) -> Status {
        let now = self.system.elapsed();
        let guarded = self.guarded.lock();
        let breaker = guarded.breaker.as_ref().map(|breaker| BreakerStatus::read(breaker, now));
        let (last_error, transitions, opened_at) = (guarded.last_error.clone(), guarded.transitions, guarded.opened_at);
        Status { counts: self.counts.read(), times: self.counts.times(), breaker, last_error, transitions, opened_at }
    }
}

/// What is read of a state at one moment.
pub(crate) struct Status {
    pub(crate) counts: CallCounts,
    pub(crate) times: CallTimes,
    pub(crate) breaker: Option<BreakerStatus>,
    pub(crate) last_error: Option<String>,
    pub(crate) transitions: u64,
    pub(crate) opened_at: Option<SystemTime>,
}

/// What is read of a breaker.
#[derive(Clone, Copy)]
pub(crate) struct BreakerStatus {
    pub(crate) state: BreakerState,
    pub(crate) totals: BreakerTotals,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow_rate: Option<f64>,
}

impl BreakerStatus {
    fn read(breaker: &Breaker, now: Duration) -> Self {
        Self {
            state: breaker.state(),
            totals: breaker.totals(),
            retry_after: breaker.opens_until().map(|until| until.saturating_sub(now)),
            failure_rate: breaker.failure_rate(now),
            slow_rate: breaker.slow_rate(now),
        }
    }
}

/// What is known of its calls in sum outlives it.
impl Drop for OperationState {
    fn drop(&mut self) {
        self.ledger.retire(self);
    }
}

/// A random draw from 0 to 1.
pub(crate) fn roll() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

impl fmt::Debug for OperationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationState").field("address", &self.address).finish_non_exhaustive()
    }
}
