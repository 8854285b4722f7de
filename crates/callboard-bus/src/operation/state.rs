//! What is known of an operation while its system runs: settings, breaker and counts. All its instances share it, and all
//! calls pass by it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use callboard_actor::{Breaker, BreakerMode, BreakerState, BreakerTotals, Outcome, Permit, System, Transition, Trip};
use parking_lot::Mutex;

use super::counts::{CallCounts, CallTimes, Counts};
use super::settings::{CallSettings, OperationBreaker};
use crate::audit::{AuditExt, AuditKind};
use crate::breaker_events::{BreakerEvents, BreakerNews, BreakerOf};
use crate::call::CallError;
use crate::classifier::Classifier;
use crate::concurrency::{Concurrency, Place};
use crate::gate::{Access, AuthContext, Gatekeeper};
use crate::lookup::LookupError;
use crate::middleware::Named;
use crate::monitoring::Ledger;
use crate::rate::Limiter;
use crate::retry::{RetryBudget, RetryPolicy};

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
    /// That of the whole system.
    concurrency: Arc<Concurrency>,
}

/// What is behind the lock: no call takes it while all goes well.
struct Guarded {
    /// None where it is off.
    breaker: Option<Breaker>,
    /// One of its rules looks at a window, and wants to see every call.
    sees_all: bool,
    /// A failure counts in it: a success has to be told to it.
    is_failing: bool,
    budget: RetryBudget,
    last_error: Option<String>,
    transitions: u64,
    /// What was told of the breaker last.
    told: BreakerState,
}

/// How calls of an operation are made: what all settings and middleware come to.
pub(crate) struct Conduct {
    pub(crate) settings: CallSettings,
    pub(crate) middleware: Arc<[Arc<Named>]>,
    pub(crate) classifier: Arc<dyn Classifier>,
    /// Whether its system has a gate.
    pub(crate) is_guarded: bool,
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
        let (breaker, sees_all) = conduct.breaker();
        let guarded = Guarded {
            told: state_of(breaker.as_ref()),
            breaker,
            sees_all,
            is_failing: false,
            budget: RetryBudget::default(),
            last_error: None,
            transitions: 0,
        };
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
    pub(crate) fn enter_at_once(&self, is_more: bool) -> Option<Place> {
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

    /// The same for a breaker that is in another state: what led to the last one counts no more. The flags come first, so that
    /// a call that sees the new epoch sees them too, and none that was let through before passes for one of this state.
    fn breaker_changed(&self, guarded: &mut Guarded, by: Option<&Arc<str>>) {
        guarded.is_failing = false;
        self.show(guarded);
        self.epoch.fetch_add(1, Release);
        let to = state_of(guarded.breaker.as_ref());
        let from = std::mem::replace(&mut guarded.told, to);
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
    fn admit_test(&self) -> Result<(), CallError> {
        match self.status().breaker {
            Some((BreakerState::Open | BreakerState::HalfOpen | BreakerState::ForcedOpen, _, retry_after)) => {
                let retry_after = retry_after.unwrap_or(Duration::MAX);
                Err(CallError::CircuitOpen { operation: Arc::clone(&self.address), retry_after })
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn pass_limiter(&self) -> Result<(), CallError> {
        let Some(limiter) = self.limiter.load_full() else { return Ok(()) };
        limiter.pass().map_err(|retry_after| {
            self.counts.reject();
            CallError::RateLimited { operation: Arc::clone(&self.address), retry_after }
        })
    }

    #[cold]
    fn acquire(&self) -> Result<Option<Permit>, CallError> {
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

    /// Tells the breaker how an attempt ended.
    #[cold]
    fn record(&self, permit: Option<Permit>, epoch: u32, outcome: Outcome, took: Duration, error: Option<&CallError>) {
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
    fn note_error(&self, permit: Option<Permit>, epoch: u32, took: Duration, error: &CallError) {
        self.counts.fail(error.class());
        if error.is_failure() {
            self.record(permit, epoch, Outcome::Failure, took, Some(error));
        } else {
            self.release(permit);
        }
    }

    fn release(&self, permit: Option<Permit>) {
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

    pub(crate) fn status(&self) -> Status {
        let now = self.system.elapsed();
        let guarded = self.guarded.lock();
        let breaker = guarded.breaker.as_ref().map(|breaker| {
            let retry_after = breaker.opens_until().map(|until| until.saturating_sub(now));
            (breaker.state(), breaker.totals(), retry_after)
        });
        let (last_error, transitions) = (guarded.last_error.clone(), guarded.transitions);
        Status { counts: self.counts.read(), times: self.counts.times(), breaker, last_error, transitions }
    }
}

/// What is read of a state at one moment.
pub(crate) struct Status {
    pub(crate) counts: CallCounts,
    pub(crate) times: CallTimes,
    pub(crate) breaker: Option<(BreakerState, BreakerTotals, Option<Duration>)>,
    pub(crate) last_error: Option<String>,
    pub(crate) transitions: u64,
}

impl Guarded {
    /// Whether attempts have to ask first, and whether their success has to be told.
    fn flag(&self) -> u8 {
        let is_closed = self.breaker.as_ref().is_none_or(|breaker| breaker.state() == BreakerState::Closed);
        let guarded = if is_closed && !self.sees_all { 0 } else { GUARDED };
        if self.is_failing { guarded | FAILING } else { guarded }
    }
}

impl Conduct {
    fn flag(&self) -> u8 {
        let CallSettings { timeout, retry, rate, .. } = &self.settings;
        let is_more = !self.middleware.is_empty() || timeout.is_some() || retry.is_some() || self.is_guarded;
        let conducted = if is_more { CONDUCTED } else { 0 };
        if rate.is_some() { conducted | RATED } else { conducted }
    }

    fn limiter(&self, system: &System) -> Option<Limiter> {
        Limiter::new(self.settings.rate?, system)
    }

    /// A breaker by these settings, and whether it has to see every call.
    fn breaker(&self) -> (Option<Breaker>, bool) {
        match self.settings.breaker.clone().unwrap_or_default() {
            OperationBreaker::On(rules) => {
                let sees_all = rules.trips.iter().any(|trip| !matches!(trip, Trip::Consecutive(_)));
                (Some(Breaker::new(rules)), sees_all)
            }
            OperationBreaker::Off => (None, false),
        }
    }

    /// The policy of a call that says this.
    pub(crate) fn retry(&self, of_the_call: Option<RetryPolicy>) -> RetryPolicy {
        of_the_call.or(self.settings.retry).unwrap_or_else(RetryPolicy::none)
    }
}

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
    _place: Place,
}

impl<S: Deref<Target = OperationState>> Attempt<S> {
    /// Asks the breaker, unless it is to be ignored. The place is kept until the attempt has ended.
    ///
    /// # Errors
    ///
    /// [`CallError::CircuitOpen`], [`CallError::RateLimited`].
    #[inline]
    pub(crate) fn admitted(state: S, leave: Leave, place: Place) -> Result<Self, CallError> {
        if leave == Leave::Test {
            state.admit_test()?;
            return Ok(Self { state: None, permit: None, began: None, epoch: 0, _place: place });
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
        Ok(Self { state: Some(state), permit, began, epoch, _place: place })
    }

    /// Whose operation it is an attempt of.
    pub(crate) fn state(&self) -> &OperationState {
        self.state.as_deref().expect("it has not been settled")
    }

    /// Tells how it ended.
    #[inline]
    pub(crate) fn settle<T>(mut self, result: &Result<T, CallError>) {
        let (Some(state), permit) = (self.state.take(), self.permit.take()) else { return };
        let took = self.began.map(|began| state.system.elapsed().saturating_sub(began));
        took.into_iter().for_each(|took| state.counts.time(took));
        state.ledger.note(&state, self.began, result);
        match result {
            Ok(_) => {
                state.counts.succeed();
                if permit.is_some() || state.flags.load(Relaxed) & FAILING != 0 {
                    state.record(permit, self.epoch, Outcome::Success, took.unwrap_or_default(), None);
                }
            }
            Err(error) => state.note_error(permit, self.epoch, took.unwrap_or_default(), error),
        }
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
