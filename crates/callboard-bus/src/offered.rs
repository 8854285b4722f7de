//! What an actor offers as a module, kept with the actor so that calls with types find it without a look-up.

use std::any::TypeId;
use std::sync::Arc;

use callboard_actor::{Actor, ActorRef, Message};

use crate::call::CallError;
use crate::callable::Callable;
use crate::descriptor::OperationDescriptor;
use crate::operation::OperationState;
use crate::registry::Load;
use crate::schema::{SchemaFault, Validation};
use crate::value::Value;

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
        let is_held = self.asks_for_more();
        self.told(if is_held {
            self.validation.faults_of_message(&self.descriptor.message_schema, shown)
        } else {
            vec![]
        })
    }

    /// Holds what somebody has made of a message to all of the schema.
    ///
    /// # Errors
    ///
    /// As [`hold`](Self::hold).
    pub(crate) fn hold_input(&self, input: &Value) -> Result<(), CallError> {
        let is_held = self.validation.doubts(input);
        self.told(if is_held { self.validation.faults(&self.descriptor.message_schema, input) } else { vec![] })
    }

    fn told(&self, faults: Vec<SchemaFault>) -> Result<(), CallError> {
        if faults.is_empty() {
            return Ok(());
        }
        Err(CallError::Invalid { operation: Arc::clone(self.state.address()), faults })
    }
}

impl From<&dyn Callable> for Offered {
    fn from(operation: &dyn Callable) -> Self {
        let (descriptor, validation) = (Arc::clone(operation.descriptor()), Arc::clone(operation.validation()));
        let (state, load) = (Arc::clone(operation.state()), operation.load().cloned());
        Self { message: operation.message(), descriptor, validation, state, load }
    }
}
