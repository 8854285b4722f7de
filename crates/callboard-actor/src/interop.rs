//! Plain actix actors, both ways: an actix recipient as a [`Recipient`] of ours, and an actor of ours as an actix
//! recipient. The bridge is made when it is asked for; actors that nobody bridges pay nothing.
//!
//! A message that crosses has to implement both traits, [`Message`] and `actix::Message`, with the same answer.

use std::sync::Arc;
use std::task::{Poll, Waker};

use actix::dev::{MessageResponse, OneshotSender};

use crate::actor::Handler;
use crate::actor_ref::{ActorRef, Parcel, Recipient, Returned, Target};
use crate::cell::{ActorId, Node};
use crate::clock::Nanos;
use crate::dead_letter::{DeadLetter, DeadReason};
use crate::error::AskFailure;
use crate::lineage::Lineage;
use crate::mailbox::Ticket;
use crate::message::{Message, MessageId};
use crate::system::{System, SystemCore};

impl System {
    /// Makes a plain actix actor a recipient of ours. Its mailbox knows no priorities; what it cannot take is handed
    /// back. An ask whose actix actor ends without an answer fails with
    /// [`AskError::Dropped`](crate::AskError::Dropped).
    #[must_use]
    pub fn actix_recipient<M>(&self, recipient: actix::Recipient<M>) -> Recipient<M>
    where
        M: Message + actix::Message<Result = <M as Message>::Reply>,
    {
        Recipient::new(Arc::new(FromActix { recipient, system: Arc::clone(self.core()) }))
    }
}

impl<A: crate::Actor> ActorRef<A> {
    /// Makes this actor a recipient of plain actix actors. Messages take the same way as all others; where the road
    /// fails the actix sender sees `MailboxError::Closed`.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, a bridge may have been made that nobody uses; it ends with the arbiter.
    pub async fn to_actix<M>(&self) -> actix::Recipient<M>
    where
        A: Handler<M>,
        M: Message + actix::Message<Result = <M as Message>::Reply> + Send,
    {
        let target = self.clone();
        let system = System::of(&self.cell().core.system);
        system.run_on(0, move || async move { actix::Actor::start(Bridge { target }).recipient() }).await
    }
}

/// A plain actix actor behind the face of ours.
struct FromActix<M: Message + actix::Message<Result = <M as Message>::Reply>> {
    recipient: actix::Recipient<M>,
    system: Arc<SystemCore>,
}

impl<M: Message + actix::Message<Result = <M as Message>::Reply>> Target<M> for FromActix<M> {
    fn offer(&self, mut parcel: Parcel<M>) -> Result<(), Returned<M>> {
        if !self.recipient.connected() {
            return Err(Returned { letter: parcel.letter, why: AskFailure::Stopped });
        }
        let Some(reply) = parcel.letter.reply.take() else {
            self.recipient.do_send(parcel.letter.message);
            return Ok(());
        };
        let request = self.recipient.send(parcel.letter.message);
        // The keeper waits for the answer, as the asker may be on a thread without a runtime.
        self.system.keeper().run(move || {
            tokio::task::spawn_local(async move {
                if let Ok(answer) = request.await {
                    reply.send(answer);
                }
            });
        });
        Ok(())
    }

    fn poll_offer(
        &self,
        parcel: &mut Option<Parcel<M>>,
        _: &mut Option<Ticket>,
        _: &Waker,
    ) -> Poll<Result<(), Returned<M>>> {
        Poll::Ready(parcel.take().map_or(Ok(()), |parcel| self.offer(parcel)))
    }

    fn give_up(&self, _: Ticket) {}

    fn waits_for_room(&self) -> bool {
        false
    }

    fn actor(&self) -> Option<Arc<dyn Node>> {
        None
    }

    fn id(&self) -> ActorId {
        ActorId::NONE
    }

    /// An actix actor does not say where it lives; nobody stays awake for it.
    fn is_here(&self) -> bool {
        true
    }

    fn system(&self) -> &Arc<SystemCore> {
        &self.system
    }

    fn patience(&self) -> Nanos {
        self.system.patience()
    }

    /// What an actix actor is doing cannot be seen: it may have begun.
    fn is_running(&self, _: Nanos) -> Option<u64> {
        Some(0)
    }

    fn is_fenced(&self, _: Nanos) -> Option<crate::Incident> {
        None
    }

    /// It has no books of its own, but the system has.
    fn bury(&self) {
        let at = self.system.clock.wall();
        let id = MessageId::at(at);
        self.system.dead_letters.add(DeadLetter {
            id,
            at,
            actor: "an actix actor".to_owned(),
            actor_id: ActorId::NONE,
            message: std::any::type_name::<M>(),
            priority: M::PRIORITY,
            reason: DeadReason::Refused,
            is_awaited: false,
            lineage: Lineage::new(id, None, None),
        });
    }
}

/// The actix actor that stands for one of ours.
struct Bridge<A: crate::Actor> {
    target: ActorRef<A>,
}

impl<A: crate::Actor> actix::Actor for Bridge<A> {
    type Context = actix::Context<Self>;
}

impl<A, M> actix::Handler<M> for Bridge<A>
where
    A: Handler<M>,
    M: Message + actix::Message<Result = <M as Message>::Reply>,
{
    type Result = Forwarded<A, M>;

    fn handle(&mut self, message: M, _: &mut actix::Context<Self>) -> Forwarded<A, M> {
        Forwarded { target: self.target.clone(), message }
    }
}

/// A message on its way through the bridge.
struct Forwarded<A: crate::Actor, M> {
    target: ActorRef<A>,
    message: M,
}

impl<A, M> MessageResponse<Bridge<A>, M> for Forwarded<A, M>
where
    A: Handler<M>,
    M: Message + actix::Message<Result = <M as Message>::Reply>,
{
    fn handle(self, _: &mut actix::Context<Bridge<A>>, reply: Option<OneshotSender<<M as Message>::Reply>>) {
        let Self { target, message } = self;
        tokio::task::spawn_local(async move {
            match reply {
                // Dropping the sender is what actix shows as a closed mailbox.
                Some(reply) => drop(target.ask(message).await.map(|answer| reply.send(answer))),
                None => drop(target.tell(message).await),
            }
        });
    }
}
