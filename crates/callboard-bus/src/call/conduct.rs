//! A call that is more than one attempt: through its middleware, and tried again as its policy says.

use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{AskError, Stage};

use super::{Call, CallError, Payload};
use crate::address::Address;
use crate::balance::CallKey;
use crate::callable::{Asked, CallOptions};
use crate::middleware::{Next, Request};
use crate::modules::Modules;
use crate::operation::{OperationState, roll};
use crate::registry::Route;
use crate::retry::{Attempt, Repeatable, Retry, RetryPolicy, WhyNot};
use crate::value::Value;

/// What every attempt of a call has in common.
struct Plan {
    modules: Modules,
    address: Address,
    options: CallOptions,
    key: Option<CallKey>,
    state: Arc<OperationState>,
    policy: RetryPolicy,
    repeatable: Repeatable,
    /// By the clock of the system.
    deadline: Option<Duration>,
}

impl Call {
    /// It begins when it is polled.
    pub(super) fn conducted(&self, address: &Address, route: &Route, input: Value) -> Asked {
        let state = Arc::clone(route.state());
        let (conduct, mut options) = (state.conduct(), self.options.clone());
        let more = options.more.take().unwrap_or_default();
        // The attempts of this call are made by this one, and need not be told.
        if more.ignores_breaker {
            options.more.get_or_insert_default().ignores_breaker = true;
        }
        if more.is_test {
            options.more.get_or_insert_default().is_test = true;
        }
        let is_idempotent = options.idempotency_key.is_some()
            || route.describe(address.requirement()).is_ok_and(|descriptor| descriptor.is_idempotent);
        let timeout = options.timeout.or(conduct.settings.timeout);
        let deadline = timeout.map(|timeout| state.system().elapsed().saturating_add(timeout));
        let request = Request {
            operation: Arc::clone(state.address()),
            input,
            api_key: more.api_key,
            user: more.user,
            metadata: more.metadata,
            deadline,
        };
        let plan = Plan {
            modules: self.modules.clone(),
            address: address.clone(),
            options,
            key: self.payload.key(),
            policy: conduct.retry(more.retry),
            repeatable: if is_idempotent { Repeatable::Yes } else { Repeatable::No },
            deadline,
            state,
        };
        let next = Next::new(Arc::clone(&conduct.middleware), move |request| Box::pin(plan.carry_out(request)));
        Box::pin(next.run_alone(request))
    }
}

impl Plan {
    /// Attempts, until one ends well or there is no sense in another.
    async fn carry_out(self, request: Request) -> Result<Value, CallError> {
        self.state.note_call();
        let mut made = 0;
        loop {
            made += 1;
            let error = match self.attempt(&request).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            let (now, failed) = self.failed(made, &error);
            match self.policy.next(&failed, roll()) {
                Retry::GiveUp(why) => return Err(error.after(made, why)),
                Retry::At(_) if !self.state.may_retry() => return Err(error.after(made, WhyNot::BudgetSpent)),
                Retry::At(moment) => self.state.system().sleep(moment.saturating_sub(now)).await,
            }
        }
    }

    /// Within what is left of the time.
    async fn attempt(&self, request: &Request) -> Result<Value, CallError> {
        let mut options = self.options.clone();
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_sub(self.state.system().elapsed());
            if left.is_zero() {
                return Err(CallError::Road(AskError::Timeout { stage: Stage::Queue }));
            }
            options.timeout = Some(left);
        }
        let payload = Payload::Value(request.input.clone());
        let payload = self.key.into_iter().fold(payload, Payload::with_key);
        let (modules, address) = (self.modules.clone(), Ok(self.address.clone()));
        Call { modules, address, payload, options, is_attempt: true }.await
    }

    fn failed(&self, made: u32, error: &CallError) -> (Duration, Attempt) {
        let now = self.state.system().elapsed();
        let mut failed = Attempt::new(made, error.class(), now).repeatable(self.repeatable);
        if let Some(wait) = error.retry_after() {
            failed = failed.retry_after(wait);
        }
        (now, self.deadline.map_or(failed, |deadline| failed.deadline(deadline)))
    }
}
