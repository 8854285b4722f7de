//! A call that is more than one attempt: through its middleware, and tried again as its policy says.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{AskError, Lineage, Stage};
use futures::future::{Either, select};
use parking_lot::Mutex;

use super::CallError;
use super::burial::{Burial, Way};
use crate::callable::{CallOptions, MoreOptions};
use crate::concurrency::Place;
use crate::descriptor::OperationDescriptor;
use crate::gate::AuthContext;
use crate::middleware::{Named, Next, Request};
use crate::operation::{OperationState, roll};
use crate::retry::{Attempt, Repeatable, Retry, RetryPolicy, WhyNot};
use crate::value::Value;

/// How one attempt is made.
pub(crate) trait Carrier: Send + 'static {
    /// Makes an attempt of what has come through the middleware.
    fn carry(
        &mut self,
        input: &Value,
        options: CallOptions,
        place: Place,
    ) -> impl Future<Output = Result<Value, CallError>> + Send + use<Self>;

    /// Whom it is for, beside the operation.
    fn way(&self) -> Option<Way>;

    /// Whether there is something left to make another attempt of.
    fn can_repeat(&self) -> bool {
        true
    }
}

/// What every attempt of a call has in common.
pub(crate) struct Plan<C> {
    single: Single<C>,
    policy: RetryPolicy,
    repeatable: Repeatable,
    middleware: Arc<[Arc<Named>]>,
    lineage: Lineage,
    /// What of the options is for it.
    said: MoreOptions,
    /// Where an error may leave a letter.
    burial: Option<Box<Burial>>,
}

impl<C: Carrier> Plan<C> {
    /// Made where the call is, as what that belongs to is that of the turn there.
    pub(crate) fn new(
        carrier: C,
        state: Arc<OperationState>,
        mut options: CallOptions,
        descriptor: Option<&OperationDescriptor>,
    ) -> Self {
        let burial = Burial::prepare(&state, &options, descriptor, || carrier.way());
        let (conduct, said) = (state.conduct(), options.more.take().map(|more| *more).unwrap_or_default());
        let lineage = lineage(&said, options.takes_nothing_along, &state);
        // Of what is for the call as a whole its attempts need not be told.
        let MoreOptions { ignores_breaker, is_test, trace, .. } = said;
        let message_id = Some(lineage.message_id);
        options.more =
            Some(Box::new(MoreOptions { ignores_breaker, is_test, trace, message_id, ..MoreOptions::default() }));
        let is_idempotent = descriptor.is_some_and(|descriptor| descriptor.is_idempotent);
        let is_repeatable = is_idempotent || options.idempotency_key.is_some();
        let of_message = descriptor.and_then(|descriptor| descriptor.timeout);
        let timeout = options.timeout.or(conduct.settings.timeout).or(of_message);
        let timeout = timeout.unwrap_or_else(|| state.system().ask_timeout());
        let deadline = state.system().elapsed().saturating_add(timeout);
        Self {
            single: Single { carrier: Arc::new(Mutex::new(carrier)), state, options, deadline },
            policy: conduct.retry(said.retry),
            repeatable: if is_repeatable { Repeatable::Yes } else { Repeatable::No },
            middleware: Arc::clone(&conduct.middleware),
            lineage,
            said,
            burial,
        }
    }

    /// Goes through the middleware around all attempts, which sees the input and the output, and may answer by itself.
    pub(crate) async fn carry_out(mut self, input: Value) -> Result<Value, CallError> {
        let MoreOptions { auth, metadata, .. } = std::mem::take(&mut self.said);
        let Single { state, options, deadline, .. } = &self.single;
        let AuthContext { api_key, user, principal, .. } = state.admit(auth, options.takes_nothing_along)?;
        let (operation, deadline) = (Arc::clone(state.address()), Some(*deadline));
        let burial = self.burial.take().map(|burial| burial.of(&input));
        let (lineage, attempt) = (self.lineage, None);
        let request = Request { operation, input, api_key, user, principal, metadata, deadline, lineage, attempt };
        let middleware = Arc::clone(&self.middleware);
        let next = Next::around(middleware, move |request| Box::pin(self.try_until_done(request)));
        let result = next.run_alone(request).await;
        if let (Some(burial), Err(error)) = (burial, &result) {
            burial.file(error);
        }
        result
    }

    /// Attempts, until one ends well or there is no sense in another.
    async fn try_until_done(self, request: Request) -> Result<Value, CallError> {
        let state = &self.single.state;
        state.note_call();
        let mut made = 0;
        loop {
            made += 1;
            let error = match self.attempt(&request, made).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            state.log_failure(&self.lineage, made, &error);
            let (now, failed) = self.failed(made, &error);
            match self.policy.next(&failed, roll()) {
                Retry::GiveUp(why) => return Err(error.after(made, why)),
                Retry::At(_) if !self.single.can_repeat() => return Err(error.after(made, WhyNot::NoCopy)),
                Retry::At(_) if !state.may_retry() => return Err(error.after(made, WhyNot::BudgetSpent)),
                Retry::At(moment) => state.system().sleep(moment.saturating_sub(now)).await,
            }
        }
    }

    /// Goes through the middleware of each attempt.
    async fn attempt(&self, request: &Request, made: u32) -> Result<Value, CallError> {
        let mut single = self.single.clone();
        single.options.more().attempt = made;
        let Some(next) = Next::within(&self.middleware) else { return single.make(&request.input).await };
        let request = Request { attempt: Some(made), ..request.clone() };
        next(Box::new(move |request| Box::pin(async move { single.make(&request.input).await }))).run(request).await
    }

    fn failed(&self, made: u32, error: &CallError) -> (Duration, Attempt) {
        let now = self.single.state.system().elapsed();
        let mut failed = Attempt::new(made, error.class(), now).repeatable(self.repeatable);
        if let Some(wait) = error.retry_after() {
            failed = failed.retry_after(wait);
        }
        (now, failed.deadline(self.single.deadline))
    }
}

/// What the call says of itself goes over what the turn does in which it is made.
fn lineage(said: &MoreOptions, takes_nothing_along: bool, state: &OperationState) -> Lineage {
    let id = said.message_id.unwrap_or_else(|| state.system().fresh_id());
    let here = if takes_nothing_along { Lineage::new(id, None, None) } else { Lineage::here(id) };
    Lineage::new(id, Some(here.correlation_id), said.trace.or(here.trace))
}

/// One attempt.
struct Single<C> {
    /// Behind a lock, as middleware stands between it and the call.
    carrier: Arc<Mutex<C>>,
    state: Arc<OperationState>,
    options: CallOptions,
    /// By the clock of the system.
    deadline: Duration,
}

impl<C: Carrier> Single<C> {
    /// Within what is left of the time.
    async fn make(self, input: &Value) -> Result<Value, CallError> {
        let place = place(&self.state, self.deadline).await;
        let left = self.deadline.saturating_sub(self.state.system().elapsed());
        let Some(place) = place.filter(|_| !left.is_zero()) else {
            let late = AskError::<()>::Timeout { stage: Stage::Queue };
            return Err(CallError::road(Some(self.state.address()), late));
        };
        let carried = self.carrier.lock().carry(input, CallOptions { timeout: Some(left), ..self.options }, place);
        carried.await
    }

    fn can_repeat(&self) -> bool {
        self.carrier.lock().can_repeat()
    }
}

impl<C> Clone for Single<C> {
    fn clone(&self) -> Self {
        let (carrier, state) = (Arc::clone(&self.carrier), Arc::clone(&self.state));
        Self { carrier, state, options: self.options.clone(), deadline: self.deadline }
    }
}

/// Waits for room; none where there is not any in time.
async fn place(state: &OperationState, deadline: Duration) -> Option<Place> {
    if let Some(place) = state.concurrency().try_enter() {
        return Some(place.into_owned());
    }
    let left = deadline.saturating_sub(state.system().elapsed());
    let (enter, sleep) = (pin!(state.concurrency().enter()), pin!(state.system().sleep(left)));
    match select(enter, sleep).await {
        Either::Left((place, _)) => Some(place),
        Either::Right(_) => None,
    }
}
