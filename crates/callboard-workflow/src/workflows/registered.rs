//! A definition that can be started, with everything that is worked out once for all its runs.

use std::sync::Arc;
use std::time::Duration;

use callboard_actor::Priority;
use callboard_bus::{Address, AddressError};

use crate::definition::{Definition, Handler};
use crate::graph::StepIndex;
use crate::limits::{Limits, OwnLimits};

/// See the head of this module.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) definition: Definition,
    pub(crate) limits: OwnLimits,
    /// How long a call may take that nothing else limits.
    pub(crate) patience: Duration,
    addresses: Vec<Addresses>,
}

#[derive(Debug)]
struct Addresses {
    step: Address,
    undo: Option<Address>,
}

impl Registered {
    /// # Errors
    ///
    /// A handler whose name cannot be that of an operation.
    pub(super) fn new(definition: Definition, patience: Duration) -> Result<Self, AddressError> {
        let definition = definition.or_timeout(patience);
        let address = |handler: &Handler| handler.to_string().parse();
        let addresses = definition.steps().iter().map(|step| {
            let undo = step.compensate.as_ref().map(|undo| address(&undo.handler)).transpose()?;
            Ok(Addresses { step: address(&step.handler)?, undo })
        });
        let addresses = addresses.collect::<Result<_, _>>()?;
        Ok(Self { limits: OwnLimits::default(), patience, addresses, definition })
    }

    /// Sets the limits of the definition. Not before it is known that there is no other of its id and version.
    pub(super) fn limited(mut self, limits: &Limits) -> Arc<Self> {
        self.limits = limits.set_own(&self.definition);
        Arc::new(self)
    }

    /// Whom to call to do the step, or to undo it.
    pub(crate) fn address(&self, step: StepIndex, is_undo: bool) -> Option<&Address> {
        let addresses = self.addresses.get(step.get())?;
        if is_undo { addresses.undo.as_ref() } else { Some(&addresses.step) }
    }

    /// How long one such call may take, if the definition says so.
    pub(crate) fn timeout_of(&self, step: StepIndex, is_undo: bool) -> Option<Duration> {
        let step = self.definition.step(step)?;
        if is_undo { step.compensate.as_ref()?.timeout } else { step.timeout }
    }

    /// Whether the definition says how such a call is tried again, which its run does then.
    pub(crate) fn is_tried_by_run(&self, step: StepIndex, is_undo: bool) -> bool {
        let Some(step) = self.definition.step(step) else { return false };
        if is_undo { step.compensate.as_ref().is_some_and(|undo| undo.retry.is_some()) } else { step.retry.is_some() }
    }

    /// How urgent the step is.
    pub(crate) fn priority_of(&self, step: StepIndex) -> Priority {
        self.definition.step(step).map(|step| step.priority).unwrap_or_default()
    }
}
