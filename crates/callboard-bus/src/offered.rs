//! What an actor offers as a module, kept with the actor so that calls with types find it without a look-up.

use std::any::TypeId;
use std::sync::Arc;

use callboard_actor::{Actor, ActorRef, Message};

use crate::call::CallError;
use crate::callable::{Callable, Unfit, fitting};
use crate::descriptor::OperationDescriptor;
use crate::operation::OperationState;
use crate::registry::Load;
use crate::schema::Validation;
use crate::value::{Value, ValueError};

/// One operation of an actor. It does not hold the actor, which holds it.
#[derive(Clone)]
pub(crate) struct Offered {
    message: TypeId,
    pub(crate) descriptor: Arc<OperationDescriptor>,
    validation: Arc<Validation>,
    pub(crate) state: Arc<OperationState>,
    pub(crate) load: Option<Load>,
}

/// All of them, in the order of the manifest.
struct AllOffered(Box<[Offered]>);

impl Offered {
    /// The operation at this place, if that takes this message.
    #[inline]
    pub(crate) fn of<A: Actor, M: Message>(actor: &ActorRef<A>, place: usize) -> Option<&Self> {
        let offered = actor.extension::<AllOffered>()?.0.get(place)?;
        (offered.message == TypeId::of::<M>()).then_some(offered)
    }

    /// Keeps operations with their actor. What it was registered as first stays.
    pub(crate) fn keep<A: Actor>(actor: &ActorRef<A>, operations: &[Arc<dyn Callable>]) {
        if actor.extension::<AllOffered>().is_none() {
            actor.extend(AllOffered(operations.iter().map(|operation| Self::from(&**operation)).collect()));
        }
    }

    /// Whether there is anything to hold a message to beyond its type.
    #[inline]
    pub(crate) fn asks_for_more(&self) -> bool {
        self.validation.says_more()
    }

    /// Holds a message, as it is shown, to what the schema asks for beyond its type.
    ///
    /// # Errors
    ///
    /// Everything that it does not allow.
    pub(crate) fn hold(&self, shown: &Value) -> Result<(), CallError> {
        if !self.asks_for_more() {
            return Ok(());
        }
        let faults = self.validation.faults_of_message(&self.descriptor.message_schema, shown);
        if faults.is_empty() { Ok(()) } else { Err(self.refusal(Unfit::Schema(faults))) }
    }

    /// What has been read of an input that is not the message itself, held to all of the schema.
    ///
    /// # Errors
    ///
    /// It could not be read, or is not what the schema describes.
    pub(crate) fn fitting<M>(&self, read: Result<M, ValueError>, input: &Value) -> Result<M, CallError> {
        let fitting = fitting(read, input, &self.validation, &self.descriptor.message_schema);
        fitting.map_err(|unfit| self.refusal(unfit))
    }

    pub(crate) fn refusal(&self, unfit: Unfit) -> CallError {
        CallError::unfit(Arc::clone(self.state.address()), unfit)
    }
}

impl From<&dyn Callable> for Offered {
    fn from(operation: &dyn Callable) -> Self {
        let (descriptor, validation) = (Arc::clone(operation.descriptor()), Arc::clone(operation.validation()));
        let (state, load) = (Arc::clone(operation.state()), operation.load().cloned());
        Self { message: operation.message(), descriptor, validation, state, load }
    }
}
