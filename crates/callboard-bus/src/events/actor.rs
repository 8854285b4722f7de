//! The actor that all changes of the table go through.

use std::sync::Arc;

use callboard_actor::{Actor, Context, Fault, Message, SyncHandler};

use super::board::Board;
use crate::subscription::Subscriber;

/// The actor `events`. It has no state of its own: what it publishes is the state, which so outlives a restart.
#[derive(Debug)]
pub(crate) struct EventsActor(Arc<Board>);

impl EventsActor {
    pub(super) fn new(board: Arc<Board>) -> Self {
        Self(board)
    }
}

impl Actor for EventsActor {}

/// Puts a subscriber into the table; the answer comes when publishers see it.
pub(crate) struct Admit(pub(crate) Arc<Subscriber>);

impl Message for Admit {
    type Reply = ();
}

impl SyncHandler<Admit> for EventsActor {
    fn handle(&mut self, admit: Admit, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.change(Some(admit.0));
        Ok(())
    }
}

/// Takes those who have left out of the table. Every other message does so as well.
pub(crate) struct Sweep;

impl Message for Sweep {
    type Reply = ();
}

impl SyncHandler<Sweep> for EventsActor {
    fn handle(&mut self, _: Sweep, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.change(None);
        Ok(())
    }
}
