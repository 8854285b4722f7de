//! What is left of a call that has ended by an error of a class that its operation keeps: a dead letter.

use std::any::type_name;
use std::sync::Arc;

use callboard_actor::{AskError, Priority};

use super::{Call, CallError};
use crate::address::Address;
use crate::balance::CallKey;
use crate::callable::CallOptions;
use crate::dead_letter_queue::{Book, CallAgain, Cause, Failed, times};
use crate::descriptor::OperationDescriptor;
use crate::modules::ModulesExt;
use crate::operation::OperationState;
use crate::retry::{FailureClass, WhyNot};
use crate::value::Value;

/// Whom a call is for, beside its operation.
pub(crate) struct Way {
    pub(crate) address: Address,
    pub(crate) key: Option<CallKey>,
    /// Whether the message has a form as a value.
    pub(crate) is_shown: bool,
}

/// What a call that may leave a letter is.
pub(super) struct Burial {
    state: Arc<OperationState>,
    classes: Vec<FailureClass>,
    again: CallAgain,
    is_shown: bool,
}

impl Burial {
    /// None where nothing is to be kept: a test leaves nothing, and of what comes out of a letter there is one.
    pub(super) fn prepare(
        state: &Arc<OperationState>,
        options: &CallOptions,
        descriptor: Option<&OperationDescriptor>,
        way: impl FnOnce() -> Option<Way>,
    ) -> Option<Box<Self>> {
        let classes = state.conduct().settings.dead_letters.clone().filter(|classes| !classes.is_empty())?;
        if options.more.as_ref().is_some_and(|more| more.is_test || more.is_redelivered) {
            return None;
        }
        let Way { address, key, is_shown } = way()?;
        let (message, of_message) = descriptor
            .map_or((type_name::<Value>(), Priority::Normal), |descriptor| (descriptor.message, descriptor.priority));
        let priority = options.priority.unwrap_or(of_message);
        Some(Box::new(Self {
            state: Arc::clone(state),
            classes,
            again: CallAgain { address, key, input: Value::Null, options: options.clone(), message, priority },
            is_shown,
        }))
    }

    /// What goes in.
    pub(super) fn of(mut self: Box<Self>, input: &Value) -> Box<Self> {
        self.again.input = input.clone();
        self
    }

    /// Files the letter, if there is to be one.
    #[cold]
    pub(super) fn file(self, error: &CallError) {
        if !self.classes.contains(&error.class()) {
            return;
        }
        let Self { state, again, is_shown, .. } = self;
        Book::of(state.system()).file(state.system(), Failed::call(again, is_shown, error));
    }
}

impl CallAgain {
    /// The same call, of which nobody but its letter hears.
    pub(crate) fn call(&self, system: &callboard_actor::System) -> Call<'static> {
        let mut call = Call::owned(system.modules(), Ok(self.address.clone()), self.input.clone()).no_inherit();
        call.payload = self.key.into_iter().fold(call.payload, super::Payload::with_key);
        call.options = CallOptions { takes_nothing_along: true, ..self.options.clone() };
        let more = call.options.more.get_or_insert_default();
        (more.is_redelivered, more.ignores_breaker) = (true, false);
        call
    }
}

impl CallError {
    /// Why the message is in a letter: first how often it was tried, then what was said of it.
    pub(crate) fn cause(&self) -> Cause {
        let tried = format!("the call failed, tried {}", times(self.handled().max(1)));
        let (tried, last) = match self {
            Self::GaveUp { why: WhyNot::Exhausted { .. }, last, .. } => (tried, &**last),
            Self::GaveUp { why, last, .. } => (format!("{tried} ({why})"), &**last),
            other => (tried, other),
        };
        Cause::new(self.code(), &tried).said(&last.to_string(), self.place())
    }

    /// How often a handler began with it, or may have.
    pub(crate) fn handled(&self) -> u32 {
        match self {
            Self::Lookup(_) | Self::NoTime | Self::Input { .. } | Self::Invalid { .. } | Self::Bytes { .. } => 0,
            Self::CircuitOpen { .. } | Self::RateLimited { .. } | Self::Refused { .. } => 0,
            other => other.attempts(),
        }
    }

    /// Where in the code of a handler it has come from.
    fn place(&self) -> Option<&str> {
        match self {
            Self::GaveUp { last, .. } => last.place(),
            Self::Road { error: AskError::Faulted(incident), .. } => incident.location(),
            _ => None,
        }
    }
}
