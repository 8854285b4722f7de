//! The actor that all changes of the table go through.

use std::collections::HashSet;
use std::sync::Arc;

use callboard_actor::{Actor, ActorId, Context, Fault, Message, SyncHandler, Target};

use super::board::Board;
use crate::event::Event;
use crate::subscription::Subscriber;

/// The actor `events`. Its state is what it publishes, which so outlives a restart.
#[derive(Debug)]
pub(crate) struct EventsActor {
    board: Arc<Board>,
    /// How long the table may become before it is looked through for subscribers whose actors have ended.
    longest: usize,
}

impl EventsActor {
    /// So many may come before the table is looked through, however short it is.
    const FEW: usize = 1_000;

    pub(super) fn new(board: Arc<Board>) -> Self {
        Self { board, longest: Self::FEW }
    }

    /// Takes out those whose actors have ended. They are looked for in the list of all actors, as a recipient does not
    /// say that it has ended. Since that list is long, it is made only after as many have come as there were actors and as
    /// there were subscriptions the last time, so that its cost for each of them stays the same.
    fn look_through(&mut self, cx: &Context<Self>) {
        let actors: HashSet<ActorId> = cx.system().inspect().actors.iter().map(|actor| actor.id).collect();
        self.board.retire_where(|subscriber| is_of_this_system(subscriber, cx) && !actors.contains(&id_of(subscriber)));
        self.board.change(None);
        self.longest = self.board.len() + self.board.len().max(actors.len()).max(Self::FEW);
    }
}

/// Whether its actor would be in the list of all actors: neither one of actix nor of another system is.
fn is_of_this_system(subscriber: &Subscriber, cx: &Context<EventsActor>) -> bool {
    let recipient = subscriber.recipient();
    recipient.actor().is_some() && Arc::ptr_eq(recipient.system(), Target::<Sweep>::system(&cx.me()))
}

fn id_of(subscriber: &Subscriber) -> ActorId {
    Target::<Event>::id(subscriber.recipient())
}

impl Actor for EventsActor {}

/// Puts a subscriber into the table; the answer comes when publishers see it.
pub(crate) struct Admit(pub(crate) Arc<Subscriber>);

impl Message for Admit {
    type Reply = ();
}

impl SyncHandler<Admit> for EventsActor {
    fn handle(&mut self, admit: Admit, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.board.change(Some(admit.0));
        if self.board.len() > self.longest {
            self.look_through(cx);
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
