//! A call that is more than one attempt: through its middleware, and tried again as its policy says.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{AskError, Stage};
use futures::future::{Either, select};

use super::CallError;
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

    /// Whether there is something left to make another attempt of.
    fn can_repeat(&self) -> bool {
        true
    }
}

/// What every attempt of a call has in common.
pub(crate) struct Plan<C> {
    carrier: C,
    options: CallOptions,
    state: Arc<OperationState>,
    policy: RetryPolicy,
    repeatable: Repeatable,
    /// By the clock of the system.
    deadline: Duration,
    middleware: Arc<[Arc<Named>]>,
    /// What of the options is for it.
    said: MoreOptions,
}

impl<C: Carrier> Plan<C> {
    pub(crate) fn new(
        carrier: C,
        state: Arc<OperationState>,
        mut options: CallOptions,
        descriptor: Option<&OperationDescriptor>,
    ) -> Self {
        let (conduct, said) = (state.conduct(), options.more.take().map(|more| *more).unwrap_or_default());
        // Of what is for the call as a whole its attempts need not be told.
        if said.ignores_breaker {
            options.more.get_or_insert_default().ignores_breaker = true;
        }
        if said.is_test {
            options.more.get_or_insert_default().is_test = true;
        }
        let is_idempotent = descriptor.is_some_and(|descriptor| descriptor.is_idempotent);
        let is_repeatable = is_idempotent || options.idempotency_key.is_some();
        let of_message = descriptor.and_then(|descriptor| descriptor.timeout);
        let timeout = options.timeout.or(conduct.settings.timeout).or(of_message);
        let timeout = timeout.unwrap_or_else(|| state.system().ask_timeout());
        Self {
            carrier,
            options,
            policy: conduct.retry(said.retry),
            repeatable: if is_repeatable { Repeatable::Yes } else { Repeatable::No },
            deadline: state.system().elapsed().saturating_add(timeout),
            middleware: Arc::clone(&conduct.middleware),
            state,
            said,
        }
    }

    /// Through the middleware, which this input is shown to.
    pub(crate) async fn carry_out(mut self, input: Value) -> Result<Value, CallError> {
        let MoreOptions { auth, metadata, .. } = std::mem::take(&mut self.said);
        let AuthContext { api_key, user, principal, .. } = self.state.admit(auth, self.options.takes_nothing_along)?;
        let (operation, deadline) = (Arc::clone(self.state.address()), Some(self.deadline));
        let request = Request { operation, input, api_key, user, principal, metadata, deadline };
        let middleware = std::mem::take(&mut self.middleware);
        Next::new(middleware, move |request| Box::pin(self.try_until_done(request.input))).run_alone(request).await
    }

    /// Attempts, until one ends well or there is no sense in another.
    async fn try_until_done(mut self, input: Value) -> Result<Value, CallError> {
        self.state.note_call();
        let mut made = 0;
        loop {
            made += 1;
            let error = match self.attempt(&input).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            let (now, failed) = self.failed(made, &error);
            match self.policy.next(&failed, roll()) {
                Retry::GiveUp(why) => return Err(error.after(made, why)),
                Retry::At(_) if !self.carrier.can_repeat() => return Err(error.after(made, WhyNot::NoCopy)),
                Retry::At(_) if !self.state.may_retry() => return Err(error.after(made, WhyNot::BudgetSpent)),
                Retry::At(moment) => self.state.system().sleep(moment.saturating_sub(now)).await,
            }
        }
    }

    /// Within what is left of the time.
    async fn attempt(&mut self, input: &Value) -> Result<Value, CallError> {
        let place = place(&self.state, self.deadline).await;
        let left = self.deadline.saturating_sub(self.state.system().elapsed());
        let Some(place) = place.filter(|_| !left.is_zero()) else {
            return Err(CallError::Road(AskError::Timeout { stage: Stage::Queue }));
        };
        let options = CallOptions { timeout: Some(left), ..self.options.clone() };
        self.carrier.carry(input, options, place).await
    }

    fn failed(&self, made: u32, error: &CallError) -> (Duration, Attempt) {
        let now = self.state.system().elapsed();
        let mut failed = Attempt::new(made, error.class(), now).repeatable(self.repeatable);
        if let Some(wait) = error.retry_after() {
            failed = failed.retry_after(wait);
        }
        (now, failed.deadline(self.deadline))
    }
}

/// Waits for room; none where there is not any in time.
async fn place(state: &OperationState, deadline: Duration) -> Option<Place> {
    if let Some(place) = state.concurrency().try_enter() {
        return Some(place);
    }
    let left = deadline.saturating_sub(state.system().elapsed());
    let (enter, sleep) = (pin!(state.concurrency().enter()), pin!(state.system().sleep(left)));
    match select(enter, sleep).await {
        Either::Left((place, _)) => Some(place),
        Either::Right(_) => None,
    }
}
