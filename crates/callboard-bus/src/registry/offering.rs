//! An operation is added to an instance that is registered already.

use std::sync::Arc;

use callboard_actor::{ActorId, Context, Fault, Message, SyncHandler};

use super::{ModuleChange, Registry};
use crate::callable::Callable;

/// Adds an operation to what an instance offers.
pub(crate) struct Add {
    pub(crate) module: String,
    pub(crate) actor: ActorId,
    pub(crate) operation: Arc<dyn Callable>,
}

/// What became of it.
pub(crate) enum Added {
    Done,
    /// The instance offers one of this name.
    Twice,
    /// The instance is gone.
    Gone,
}

impl Message for Add {
    type Reply = Added;
}

impl SyncHandler<Add> for Registry {
    fn handle(&mut self, add: Add, cx: &mut Context<Self>) -> Result<Added, Fault> {
        let Add { module, actor, operation } = add;
        let before = self.board.snapshot();
        let Some(entry) = before.instances(&module).iter().find(|entry| entry.actor() == actor) else {
            return Ok(Added::Gone);
        };
        let name = &operation.descriptor().name;
        if entry.operations().iter().any(|known| known.descriptor().name == *name) {
            return Ok(Added::Twice);
        }
        let other = entry.with_operation(operation);
        let changed = ModuleChange::Changed(Arc::clone(other.descriptor()));
        self.change(before.with_other(entry, other), &module, &[changed], cx);
        Ok(Added::Done)
    }
}
