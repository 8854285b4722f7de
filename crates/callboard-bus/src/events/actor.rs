//! The actor that all changes of the table go through.

use std::sync::Arc;

use callboard_actor::{Actor, Context, Fault, Message, SyncHandler};

use super::board::Board;
use crate::subscription::Subscriber;

/// The actor `events`. Its state is what it publishes, which so outlives a restart.
#[derive(Debug)]
pub(crate) struct EventsActor {
    board: Arc<Board>,
    /// How many may still come before the table is looked through for subscribers whose actors have ended.
    due: usize,
}

impl EventsActor {
    /// So many may come before the table is looked through, however short it is.
    const FEW: usize = 1_000;

    pub(super) fn new(board: Arc<Board>) -> Self {
        Self { board, due: Self::FEW }
    }

    /// Takes out those whose actors have ended. As many have to come before the next time as there are then, so that its
    /// cost for each of them stays the same.
    fn look_through(&mut self) {
        let there = self.board.retire_where(Subscriber::is_orphan);
        self.board.change(None);
        self.due = there.max(Self::FEW);
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
        self.board.change(Some(admit.0));
        self.due = self.due.saturating_sub(1);
        if self.due == 0 {
            self.look_through();
        }
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
        self.board.change(None);
        Ok(())
    }
}
