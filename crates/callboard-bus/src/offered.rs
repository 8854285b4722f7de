//! What an actor offers as a module, kept with the actor so that calls with types find it without a look-up.

use std::any::TypeId;
use std::sync::Arc;

use callboard_actor::{Actor, ActorRef, Message};

use crate::callable::Callable;
use crate::descriptor::OperationDescriptor;
use crate::operation::OperationState;
use crate::registry::Load;
use crate::schema::Validation;

/// One operation of an actor. It does not hold the actor, which holds it.
#[derive(Clone)]
pub(crate) struct Offered {
    message: TypeId,
    pub(crate) descriptor: Arc<OperationDescriptor>,
    pub(crate) validation: Arc<Validation>,
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
}

impl From<&dyn Callable> for Offered {
    fn from(operation: &dyn Callable) -> Self {
        let (descriptor, validation) = (Arc::clone(operation.descriptor()), Arc::clone(operation.validation()));
        let (state, load) = (Arc::clone(operation.state()), operation.load().cloned());
        Self { message: operation.message(), descriptor, validation, state, load }
    }
}
