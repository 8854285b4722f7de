//! The operations of a system, as those see them who look after it: [`Operations`].

mod pipeline;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, SystemTime};

use callboard_actor::{Actor, BreakerMode, BreakerState, BreakerTotals, Context, System};
use parking_lot::Mutex;
use serde::{Serialize, Serializer};

pub use self::pipeline::Pipeline;
use crate::address::Address;
use crate::classifier::{Classifier, Keywords};
use crate::concurrency::{Concurrency, ConcurrencyStatus};
use crate::descriptor::OperationDescriptor;
use crate::gate::{Access, AuthContext, Gatekeeper};
use crate::lookup::LookupError;
use crate::middleware::{Middleware, MiddlewareError, Named, Scope, for_operation};
use crate::modules::{Modules, ModulesExt};
use crate::operation::{CallCounts, CallSettings, CallSettingsError, CallTimes, Conduct, OperationState, Status};
use crate::operator::Operator;
use crate::time;

/// Operations for whoever has a [`System`].
pub trait OperationsExt {
    /// What is known of all operations, and how they are called.
    fn operations(&self) -> Operations;
}

impl OperationsExt for System {
    fn operations(&self) -> Operations {
        Operations { modules: self.modules(), shared: self.extension(Shared::default), by: None }
    }
}

impl<A: Actor> OperationsExt for Context<A> {
    fn operations(&self) -> Operations {
        self.system().operations()
    }
}

/// How the operations of a system are called, and how they are. A clone is one more reference.
///
/// Each change of a breaker, of an operation or of the actor of a module, is published as an event `$sys.breaker.<state>`:
/// `closed`, `open`, `half_open`, `forced_open`, `disabled` or `metrics_only`. Its data has `operation`, or `module` and
/// `instance`; `from` and `to`; `retry_after_ms`, where it is open; and `by`, where somebody did it. `$sys.breaker.>` gets them all.
#[derive(Clone)]
pub struct Operations {
    modules: Modules,
    pub(crate) shared: Arc<Shared>,
    /// In whose name breakers are changed.
    by: Option<Operator>,
}

static USUAL_WORDS: LazyLock<Arc<dyn Classifier>> = LazyLock::new(|| Arc::new(Keywords::default()));

/// What the system keeps.
#[derive(Default)]
pub(crate) struct Shared {
    book: Mutex<Book>,
    concurrency: Arc<Concurrency>,
}

#[derive(Default)]
struct Book {
    /// By `module.operation`. What is known of an operation goes with its last instance, as it holds the system.
    states: HashMap<Arc<str>, Weak<OperationState>>,
    middleware: Vec<Arc<Named>>,
    /// None for the usual words.
    classifier: Option<Arc<dyn Classifier>>,
    is_guarded: bool,
    everywhere: CallSettings,
    of_modules: HashMap<String, CallSettings>,
    of_operations: HashMap<String, CallSettings>,
    /// What the configuration says, where nobody else does.
    configured: CallSettings,
}

impl Shared {
    /// What is known of an operation from now on, for all its instances. `said` is what it says of itself.
    pub(crate) fn state(&self, system: &System, address: &str, said: &CallSettings) -> Arc<OperationState> {
        let mut book = self.book.lock();
        if let Some(state) = book.states.get(address).and_then(Weak::upgrade) {
            return state;
        }
        book.states.retain(|_, state| state.strong_count() > 0);
        let address: Arc<str> = address.into();
        let conduct = book.conduct(&address, said);
        let (system, concurrency) = (system.clone(), Arc::clone(&self.concurrency));
        let state = OperationState::new(Arc::clone(&address), system, said.clone(), conduct, concurrency);
        let state = Arc::new(state);
        book.states.insert(address, Arc::downgrade(&state));
        state
    }

    /// Changes what is said of calls, and lets all operations know.
    fn change<T>(&self, change: impl FnOnce(&mut Book) -> T) -> T {
        let mut book = self.book.lock();
        let changed = change(&mut book);
        for state in book.states.values().filter_map(Weak::upgrade) {
            state.conduct_by(book.conduct(state.address(), state.said()));
        }
        changed
    }

    pub(crate) fn states(&self) -> Vec<Arc<OperationState>> {
        let mut states: Vec<_> = self.book.lock().states.values().filter_map(Weak::upgrade).collect();
        states.sort_unstable_by(|one, other| one.address().cmp(other.address()));
        states
    }
}

impl Book {
    fn conduct(&self, address: &str, said: &CallSettings) -> Conduct {
        let module = address.rsplit_once('.').map_or(address, |(module, _)| module);
        let by_hand = self.of_operations.get(address).cloned().unwrap_or_default();
        let of_module = self.of_modules.get(module).cloned().unwrap_or_default();
        let settings = by_hand.or(said).or(&of_module).or(&self.everywhere).or(&self.configured);
        let classifier = self.classifier.clone().unwrap_or_else(|| Arc::clone(&USUAL_WORDS));
        let (middleware, is_guarded) = (for_operation(&self.middleware, address), self.is_guarded);
        Conduct { settings, middleware, classifier, is_guarded }
    }
}

impl Operations {
    /// Says how calls are made where nothing nearer does.
    ///
    /// # Errors
    ///
    /// Everything in it that cannot work; nothing has changed then.
    pub fn set(&self, settings: CallSettings) -> Result<(), CallSettingsError> {
        let settings = settings.checked()?;
        self.shared.change(|book| book.everywhere = settings);
        Ok(())
    }

    /// The same where not even that is said: by the configuration, which has been checked.
    pub(crate) fn configure(&self, settings: CallSettings) {
        self.shared.change(|book| book.configured = settings);
    }

    /// The same for the operations of a module, whether or not it is there.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_of_module(&self, module: &str, settings: CallSettings) -> Result<(), CallSettingsError> {
        let settings = settings.checked()?;
        self.shared.change(|book| book.of_modules.insert(module.to_owned(), settings));
        Ok(())
    }

    /// The same for one operation, `module.operation`, whether or not it is there. It goes over what the module's author says.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_of_operation(&self, operation: &str, settings: CallSettings) -> Result<(), CallSettingsError> {
        let settings = settings.checked()?;
        self.shared.change(|book| book.of_operations.insert(operation.to_owned(), settings));
        Ok(())
    }

    /// Lets at most so many calls be under way at once, of all operations together, instead of 1,000. Calls that come from outside of
    /// any turn take a place each, for as long as an attempt takes; who finds none waits, in turn, and for no longer than its
    /// own time-out. What a turn calls goes on in the place of the call that the turn is for: calls that need one another never
    /// wait for one another's places. Calls under way go on when the number is lowered. Who stops waiting for an answer leaves the
    /// place to the handler until that has ended, if it has begun. A function that hears events takes a place as well, each time
    /// that it is called.
    ///
    /// # Errors
    ///
    /// That nothing could ever be called.
    pub fn set_concurrency(&self, calls: usize) -> Result<(), CallSettingsError> {
        let nothing = || CallSettingsError(vec!["a concurrency of 0: nothing could be called".to_owned()]);
        self.shared.concurrency.resize(NonZeroUsize::new(calls).ok_or_else(nothing)?);
        Ok(())
    }

    /// What the places are of that calls from outside take.
    pub(crate) fn places(&self) -> &Arc<Concurrency> {
        &self.shared.concurrency
    }

    /// How many calls from outside are under way.
    #[must_use]
    pub fn concurrency(&self) -> ConcurrencyStatus {
        self.shared.concurrency.status()
    }

    /// Decides from now on whether a failure that an operation answers may pass, where the failure does not say so itself;
    /// before, [`Keywords`] did by its words.
    pub fn classify_by(&self, classifier: impl Classifier + 'static) {
        self.shared.change(|book| book.classifier = Some(Arc::new(classifier)));
    }

    /// Has all calls ask the gate from now on.
    pub(crate) fn guard(&self) {
        self.shared.change(|book| book.is_guarded = true);
    }

    /// Something that calls go through, to be [installed](MiddlewareBuilder::install).
    pub fn middleware(&self, name: impl Into<String>) -> MiddlewareBuilder<'_> {
        MiddlewareBuilder { operations: self, name: name.into(), priority: 100, scope: Scope::All, is_within: false }
    }

    /// Takes a middleware away; calls under way go on through it. False when there is none of this name.
    pub fn remove_middleware(&self, name: &str) -> bool {
        self.shared.change(|book| {
            let before = book.middleware.len();
            book.middleware.retain(|named| named.name != name);
            book.middleware.len() < before
        })
    }

    /// What each operation is and how its calls have gone, by name.
    #[must_use]
    pub fn list(&self) -> Vec<OperationStatus> {
        self.each().map(|(status, _)| status).collect()
    }

    /// The same, each with where it was read.
    pub(crate) fn each(&self) -> impl Iterator<Item = (OperationStatus, Arc<OperationState>)> {
        self.shared.states().into_iter().filter_map(|state| Some((self.status_of(&state)?, state)))
    }

    /// The same of one operation.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that it is not there.
    pub fn status(&self, operation: &str) -> Result<OperationStatus, LookupError> {
        let descriptor = self.modules.resolve(&operation.parse()?)?;
        let state = self.state(&descriptor.address)?;
        Ok(OperationStatus::new(descriptor, &state))
    }

    /// The operations whose breakers let nothing through, or nothing but probes, by name.
    #[must_use]
    pub fn open_breakers(&self) -> Vec<String> {
        let is_open = |status: &OperationStatus| {
            matches!(status.breaker, Some(BreakerState::Open | BreakerState::HalfOpen | BreakerState::ForcedOpen))
        };
        self.list().into_iter().filter(is_open).map(|status| status.descriptor.address.clone()).collect()
    }

    /// The same operations, with what is done to their breakers done in somebody's name.
    #[must_use]
    pub fn by(&self, operator: &Operator) -> Self {
        Self { by: Some(operator.clone()), ..self.clone() }
    }

    /// Closes the breaker of an operation and forgets what led there. False where it has none. As everything that is done to a
    /// breaker by hand it is published, as `$sys.breaker.closed`, and goes into the [audit](crate::Audit).
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that the operation is not there, or that the [gate](crate::gate) does not let it be done.
    pub fn reset_breaker(&self, operation: &str) -> Result<bool, LookupError> {
        let state = self.found(operation)?;
        self.admit(&state)?;
        Ok(state.reset_breaker(&self.name()))
    }

    /// Closes all breakers. How many there are.
    ///
    /// # Errors
    ///
    /// [`LookupError::Denied`]: the [gate](crate::gate) does not let one of them be reset. Then none is.
    pub fn reset_all_breakers(&self) -> Result<usize, LookupError> {
        let (states, by) = (self.shared.states(), self.name());
        states.iter().try_for_each(|state| self.admit(state))?;
        Ok(states.iter().filter(|state| state.reset_breaker(&by)).count())
    }

    /// Puts the breaker of an operation into the hands of the rules or of a person. False where it has none.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that the operation is not there, or that the [gate](crate::gate) does not let it be done.
    pub fn set_breaker_mode(&self, operation: &str, mode: BreakerMode) -> Result<bool, LookupError> {
        let state = self.found(operation)?;
        self.admit(&state)?;
        Ok(state.set_breaker_mode(mode, &self.name()))
    }

    /// What a call of an operation goes through, the outermost first.
    ///
    /// # Errors
    ///
    /// [`LookupError`]: that the operation is not there.
    pub fn pipeline(&self, operation: &str) -> Result<Pipeline, LookupError> {
        let descriptor = self.modules.resolve(&operation.parse()?)?;
        let state = self.state(&descriptor.address)?;
        let level = Gatekeeper::of(state.system()).level_of(state.system(), &descriptor.address);
        Ok(Pipeline::new(&descriptor, &state, level))
    }

    fn name(&self) -> Arc<str> {
        self.by.as_ref().map_or("system", Operator::name).into()
    }

    /// Asks the gate, if there is one, whether the breaker of an operation may be changed.
    fn admit(&self, state: &OperationState) -> Result<(), LookupError> {
        let gate = Gatekeeper::of(state.system());
        let auth = self.by.as_ref().map_or_else(AuthContext::here, AuthContext::from);
        let asked = gate.ask(&auth, &Access::ChangeBreaker { operation: state.address() });
        asked.map(drop).map_err(|fault| LookupError::Denied { operation: state.address().to_string(), fault })
    }

    fn status_of(&self, state: &OperationState) -> Option<OperationStatus> {
        let descriptor = self.modules.resolve(&state.address().parse().ok()?).ok()?;
        Some(OperationStatus::new(descriptor, state))
    }

    fn found(&self, operation: &str) -> Result<Arc<OperationState>, LookupError> {
        let descriptor = self.modules.resolve(&operation.parse::<Address>()?)?;
        self.state(&descriptor.address)
    }

    fn state(&self, address: &str) -> Result<Arc<OperationState>, LookupError> {
        self.modules.snapshot().route(&address.parse()?).map(|route| Arc::clone(route.state()))
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.shared.states()).finish()
    }
}

/// A middleware about to be installed.
#[must_use = "a middleware is there once it is installed"]
pub struct MiddlewareBuilder<'o> {
    operations: &'o Operations,
    name: String,
    priority: i32,
    scope: Scope,
    is_within: bool,
}

impl MiddlewareBuilder<'_> {
    /// Its place: lower numbers are farther out. 100 unless said otherwise; of one number, those installed first are farther out.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Only calls of this module go through it.
    pub fn on_module(mut self, module: impl Into<String>) -> Self {
        self.scope = Scope::Module(module.into());
        self
    }

    /// Only calls of this operation, `module.operation`, go through it.
    pub fn on_operation(mut self, operation: impl Into<String>) -> Self {
        self.scope = Scope::Operation(operation.into());
        self
    }

    /// Each attempt of a call goes through it, behind all middleware that stands around the call, and it sees
    /// [which one](crate::middleware::Request::attempt) it is. It needs no place while an attempt is with it.
    pub fn each_attempt(mut self) -> Self {
        self.is_within = true;
        self
    }

    /// Lets calls go through it from now on.
    ///
    /// # Errors
    ///
    /// [`MiddlewareError`]: that it has no name, or that of another one.
    pub fn install(self, middleware: impl Middleware) -> Result<(), MiddlewareError> {
        let Self { operations, name, priority, scope, is_within } = self;
        if name.trim().is_empty() {
            return Err(MiddlewareError::NoName);
        }
        if name.contains(char::is_control) {
            return Err(MiddlewareError::InvalidName(name));
        }
        operations.shared.change(|book| {
            if book.middleware.iter().any(|named| named.name == name) {
                return Err(MiddlewareError::AlreadyExists(name));
            }
            book.middleware.push(Arc::new(Named::new(name, priority, scope, middleware).within(is_within)));
            Ok(())
        })
    }
}

impl fmt::Debug for MiddlewareBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiddlewareBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What an operation is, and how its calls have gone since it was first registered.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct OperationStatus {
    /// What it is: that of its highest version.
    #[serde(serialize_with = "serialize_shared")]
    pub descriptor: Arc<OperationDescriptor>,
    /// What became of its calls.
    pub counts: CallCounts,
    /// How long they took.
    pub times: CallTimes,
    /// What its breaker lets through; nothing where it has none.
    pub breaker: Option<BreakerState>,
    /// What its breaker has seen.
    pub breaker_totals: BreakerTotals,
    /// When an open breaker lets a probe through.
    #[serde(serialize_with = "time::serialize_rounded")]
    pub retry_after: Option<Duration>,
    /// When its breaker opened last, by its rules or by hand; nothing where it never has.
    #[serde(serialize_with = "time::serialize_past")]
    pub opened_at: Option<SystemTime>,
    /// The share of calls that failed, from 0 to 1, among those that its breaker looks at: the last ones by number or by time, as
    /// its rule about failures says. Nothing where it has no such rule, where none has ended, and while it is not closed.
    pub failure_rate: Option<f64>,
    /// The share of calls that took long, in the same way, by its rule about those.
    pub slow_rate: Option<f64>,
    /// How often its breaker has changed.
    pub transitions: u64,
    /// The last error that counted as a failure.
    pub last_error: Option<String>,
    success_rate: Option<f64>,
}

impl OperationStatus {
    fn new(descriptor: Arc<OperationDescriptor>, state: &OperationState) -> Self {
        let Status { counts, times, breaker, last_error, transitions, opened_at } = state.status();
        Self {
            descriptor,
            counts,
            times,
            breaker: breaker.map(|breaker| breaker.state),
            breaker_totals: breaker.map(|breaker| breaker.totals).unwrap_or_default(),
            retry_after: breaker.and_then(|breaker| breaker.retry_after),
            opened_at,
            failure_rate: breaker.and_then(|breaker| breaker.failure_rate),
            slow_rate: breaker.and_then(|breaker| breaker.slow_rate),
            transitions,
            last_error,
            success_rate: success_rate(&counts),
        }
    }

    /// The share of its ended calls that brought an output, from 0 to 1; nothing while none has ended.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        self.success_rate
    }
}

fn success_rate(counts: &CallCounts) -> Option<f64> {
    let CallCounts { succeeded, transient, unknown, permanent, .. } = *counts;
    let ended = succeeded + transient + unknown + permanent;
    (ended > 0).then(|| succeeded as f64 / ended as f64)
}

fn serialize_shared<S: Serializer>(descriptor: &Arc<OperationDescriptor>, serializer: S) -> Result<S::Ok, S::Error> {
    descriptor.serialize(serializer)
}
