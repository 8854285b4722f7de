//! What a module can do is changed in its name: advertised, withdrawn, switched.

use std::sync::Arc;

use callboard_actor::{Context, Fault, Message, SyncHandler};

use super::{ModuleChange, Registry};
use crate::discovery::{AdvertiseError, Capabilities, Capability};

/// Changes what a module can do, for all its instances.
pub(crate) struct Amend {
    pub(crate) module: String,
    pub(crate) amendment: Amendment,
}

/// What is to be changed.
pub(crate) enum Amendment {
    Advertise(Arc<Capability>),
    Withdraw(String),
    SetAvailable(String, bool),
}

impl Amendment {
    pub(super) fn capability_id(&self) -> &str {
        match self {
            Self::Advertise(capability) => &capability.capability_id,
            Self::Withdraw(capability_id) | Self::SetAvailable(capability_id, _) => capability_id,
        }
    }

    /// The same capabilities with the change, where it is one for them.
    pub(super) fn apply_to(&self, capabilities: &Capabilities) -> Capabilities {
        let mut after = capabilities.clone();
        match self {
            Self::Advertise(capability) => after.add(capability),
            Self::Withdraw(capability_id) => drop(after.withdraw(capability_id)),
            Self::SetAvailable(capability_id, is_available) => {
                after.set_available(capability_id, *is_available);
            }
        }
        after
    }
}

impl Message for Amend {
    type Reply = Result<(), AdvertiseError>;
}

impl SyncHandler<Amend> for Registry {
    fn handle(&mut self, amend: Amend, cx: &mut Context<Self>) -> Result<Result<(), AdvertiseError>, Fault> {
        let before = self.board.snapshot();
        let amended = before.amended(&amend.module, &amend.amendment);
        Ok(amended.map(|(snapshot, changed)| {
            let changes: Vec<_> = changed.into_iter().map(ModuleChange::Changed).collect();
            self.change(snapshot, &amend.module, &changes, cx);
        }))
    }
}
