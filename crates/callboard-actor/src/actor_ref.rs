//! References to actors, and the first hop of every message: [`ActorRef`] by actor, [`Recipient`] by message.

mod ask;
mod tell;

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

pub use self::ask::{Ask, AskFuture, OwnTarget};
pub use self::tell::{Tell, TellFuture};
use crate::actor::{Actor, Handler, StopReason};
use crate::breaker::BreakerMode;
use crate::cell::{ActorCell, ActorId, Directive, Node, Remains, Tally};
use crate::child::AdmissionRequest;
use crate::clock::Nanos;
use crate::dead_letter::DeadReason;
use crate::envelope::{Envelope, Header, Letter};
use crate::error::{AskFailure, TellError};
use crate::fault::drop_quietly;
use crate::gate::{ActorState, Entry};
use crate::mailbox::{CONTROL, NotTaken, Overflow, Pushed, Ticket};
use crate::message::{Message, Priority};
use crate::monitor::Watcher;
use crate::reply::{Answer, reply};
use crate::scope;
use crate::system::{System, SystemCore};

/// A reference to an actor. Cheap to clone, usable from any thread and any runtime, and valid across restarts.
pub struct ActorRef<A: Actor>(Arc<ActorCell<A>>);

impl<A: Actor> ActorRef<A> {
    pub(crate) fn new(cell: Arc<ActorCell<A>>) -> Self {
        Self(cell)
    }

    /// Sends a message and waits until it is enqueued; that is all that `Ok` means. Sent when first polled.
    ///
    /// # Errors
    ///
    /// [`TellError`], with the message in it. In a turn that the receiver itself waits for, waiting for room would
    /// never end: then the error is [`TellError::Full`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the message has not been sent and is dropped with the future.
    #[inline]
    pub fn tell<M: Message>(&self, message: M) -> Tell<'_, Self, M>
    where
        A: Handler<M>,
    {
        Tell::new(self, message)
    }

    /// Sends a message at once or not at all, from any thread, asynchronous or not.
    ///
    /// # Errors
    ///
    /// [`TellError`], with the message in it.
    #[inline]
    pub fn try_tell<M: Message>(&self, message: M) -> Result<(), TellError<M>>
    where
        A: Handler<M>,
    {
        self.offer_plain(message).map_err(Returned::into_tell_error)
    }

    /// Sends a message and waits for the answer: until the deadline, which is 30 s from now unless the call, the message
    /// type or the running turn says otherwise. Sent when first polled; an actor that rests on the calling thread may take
    /// its turn within that poll.
    ///
    /// # Errors
    ///
    /// [`AskError`](crate::AskError): how the road failed, never what the answer was.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it has ended, the message may or may not have been handled. If its turn has not begun it never
    /// will.
    #[inline]
    pub fn ask<M: Message>(&self, message: M) -> Ask<'_, Self, M>
    where
        A: Handler<M>,
    {
        Ask::new(self, message)
    }

    /// The same actor, known only by one message that it handles.
    #[must_use]
    pub fn recipient<M: Message>(&self) -> Recipient<M>
    where
        A: Handler<M>,
    {
        Recipient(Arc::new(self.clone()))
    }

    /// A reference that does not keep the actor's cell alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakRef<A> {
        WeakRef(Arc::downgrade(&self.0))
    }

    /// The number of the actor.
    #[must_use]
    pub fn id(&self) -> ActorId {
        self.0.core.id
    }

    /// The name it was given, or its type and number.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.core.name()
    }

    /// What a layer above keeps with the actor, see [`extend`](Self::extend).
    #[inline]
    #[must_use]
    pub fn extension<T: Any>(&self) -> Option<&T> {
        self.0.core.extension()
    }

    /// Keeps a value of a layer above with the actor, for as long as there are references to it: found by
    /// [`extension`](Self::extension) without a look-up or a lock. There is room for one; false when another has it. A value
    /// that holds a reference to the actor would keep both for ever.
    pub fn extend<T: Any + Send + Sync>(&self, extension: T) -> bool {
        self.0.core.extend(Box::new(extension))
    }

    /// The system that it lives in.
    #[must_use]
    pub fn system(&self) -> System {
        System::of(&self.0.core.system)
    }

    /// Where it is in its life, at this moment.
    #[must_use]
    pub fn state(&self) -> ActorState {
        self.0.core.gate.state()
    }

    /// How long a sender would be told to wait if its message came now: [`Duration::MAX`] where the breaker is held open by
    /// hand, and nothing where the breaker does not stand in the way. One that is ending or has ended refuses without
    /// such a word; see [`state`](Self::state).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let core = &self.0.core;
        core.gate.refusal(|| core.system.clock.now())
    }

    /// Asks it to refuse what is new, finish its queue and end. Returns at once; see [`ended`](Self::ended).
    pub fn drain(&self) {
        self.direct(Directive::Drain(StopReason::Drained));
    }

    /// Asks it to finish the running turn and end; what is queued becomes dead letters. Returns at once.
    pub fn stop(&self) {
        self.direct(Directive::Stop(StopReason::Stopped));
    }

    /// Ends it at the next `await` of the running turn, which is dropped. Returns at once. A turn that never waits
    /// cannot be ended: see [`Child::turn_limit`](crate::Child::turn_limit).
    pub fn kill(&self) {
        self.direct(Directive::Kill(StopReason::Killed));
    }

    /// Waits until it has ended.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time.
    pub async fn ended(&self) -> StopReason {
        let (tell, told) = oneshot::async_channel();
        self.watch(Watcher::Ended(tell));
        told.await.unwrap_or(StopReason::Shutdown)
    }

    /// The switch of its breaker.
    #[must_use]
    pub fn breaker(&self) -> BreakerHandle {
        BreakerHandle(self.node())
    }

    pub(crate) fn node(&self) -> Arc<dyn Node> {
        Arc::clone(&self.0) as _
    }

    pub(crate) fn cell(&self) -> &Arc<ActorCell<A>> {
        &self.0
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        crate::monitor::watch(&*self.0, watcher);
    }

    fn direct(&self, directive: Directive) {
        (&*self.0 as &dyn Node).direct(directive);
    }

    /// Sends a message of the framework's own: before all others, past all bounds, whatever the state. False when the
    /// actor has ended, which then has no use for it.
    pub(crate) fn control<M: Message>(&self, message: M) -> bool
    where
        A: Handler<M>,
    {
        let letter = Letter { message, reply: None, header: None };
        self.0.mailbox.push(CONTROL, Envelope::new(letter, 0), || self.0.rouse()).is_ok()
    }
}

impl<A: Actor> Clone for ActorRef<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Actor> PartialEq for ActorRef<A> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<A: Actor> Eq for ActorRef<A> {}

impl<A: Actor> Hash for ActorRef<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl<A: Actor> fmt::Debug for ActorRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorRef({})", self.name())
    }
}

/// A reference that does not keep the actor's cell alive. The actor itself lives until it is stopped either way.
pub struct WeakRef<A: Actor>(Weak<ActorCell<A>>);

impl<A: Actor> WeakRef<A> {
    /// The reference, if the cell is still there.
    #[must_use]
    pub fn upgrade(&self) -> Option<ActorRef<A>> {
        self.0.upgrade().map(ActorRef)
    }
}

impl<A: Actor> Clone for WeakRef<A> {
    fn clone(&self) -> Self {
        Self(Weak::clone(&self.0))
    }
}

impl<A: Actor> fmt::Debug for WeakRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakRef")
    }
}

/// A reference by message: some actor that handles `M`.
pub struct Recipient<M: Message>(Arc<dyn Target<M>>);

impl<M: Message> Recipient<M> {
    pub(crate) fn new(target: Arc<dyn Target<M>>) -> Self {
        Self(target)
    }

    /// As [`ActorRef::tell`].
    ///
    /// # Errors
    ///
    /// As [`ActorRef::tell`].
    ///
    /// # Cancel safety
    ///
    /// As [`ActorRef::tell`].
    pub fn tell(&self, message: M) -> Tell<'_, Self, M> {
        Tell::new(self, message)
    }

    /// As [`ActorRef::try_tell`].
    ///
    /// # Errors
    ///
    /// As [`ActorRef::try_tell`].
    pub fn try_tell(&self, message: M) -> Result<(), TellError<M>> {
        self.offer_plain(message).map_err(Returned::into_tell_error)
    }

    /// As [`ActorRef::ask`].
    ///
    /// # Errors
    ///
    /// As [`ActorRef::ask`].
    ///
    /// # Cancel safety
    ///
    /// As [`ActorRef::ask`].
    pub fn ask(&self, message: M) -> Ask<'_, Self, M> {
        Ask::new(self, message)
    }

    /// The name of the actor behind it, unless it is an actor of actix.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.0.actor().map(|actor| actor.core().name())
    }

    /// Whether the actor behind it has ended, so that nothing will ever be taken again. Of an actor of actix nothing is
    /// known before a message is sent to it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.actor().is_some_and(|actor| actor.core().gate.state() == ActorState::Stopped)
    }
}

impl<M: Message> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Message> fmt::Debug for Recipient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient<{}>", std::any::type_name::<M>())
    }
}

impl<A: Handler<M>, M: Message> From<ActorRef<A>> for Recipient<M> {
    fn from(actor: ActorRef<A>) -> Self {
        actor.recipient()
    }
}

/// The switch of an actor's breaker. Every call returns at once; the actor's driver acts on it next.
#[derive(Clone, Debug)]
pub struct BreakerHandle(Arc<dyn Node>);

impl BreakerHandle {
    /// Closes it, forgets what led to it, and restarts an actor that waits for it. Ends a state set by hand.
    pub fn reset(&self) {
        self.0.direct(Directive::ResetBreaker);
    }

    /// Refuses every new message until somebody says otherwise; what is queued is still served.
    pub fn force_open(&self) {
        self.0.direct(Directive::Breaker(BreakerMode::ForcedOpen));
    }

    /// Never opens and counts nothing: the actor restarts however often it fails.
    pub fn disable(&self) {
        self.0.direct(Directive::Breaker(BreakerMode::Disabled));
    }

    /// Never opens, but counts.
    pub fn metrics_only(&self) {
        self.0.direct(Directive::Breaker(BreakerMode::MetricsOnly));
    }

    /// Hands it back to its rules.
    pub fn automatic(&self) {
        self.0.direct(Directive::Breaker(BreakerMode::Automatic));
    }
}

/// A message ready to go.
pub struct Parcel<M: Message> {
    pub(crate) letter: Letter<M>,
    pub(crate) expires: Nanos,
    pub(crate) lane: usize,
}

/// A message whose asker is there, and has just looked at the clock.
pub struct Question<M: Message> {
    pub(crate) message: M,
    pub(crate) header: Option<Box<Header>>,
    pub(crate) expires: Nanos,
    pub(crate) lane: usize,
    pub(crate) now: Nanos,
}

impl<M: Message> Question<M> {
    /// With a way back.
    fn into_parcel(self, answer: &mut Option<Answer<M::Reply>>) -> Parcel<M> {
        let (reply, way) = reply();
        *answer = Some(way);
        let letter = Letter { message: self.message, reply: Some(reply), header: self.header };
        Parcel { letter, expires: self.expires, lane: self.lane }
    }
}

/// A parcel that was not taken.
pub struct Returned<M: Message> {
    pub(crate) letter: Letter<M>,
    pub(crate) why: AskFailure,
}

impl<M: Message> Returned<M> {
    pub(crate) fn into_tell_error(self) -> TellError<M> {
        let message = self.letter.message;
        match self.why {
            AskFailure::Refused(retry_after) => TellError::Refused { retry_after, message },
            AskFailure::Denied(reason) => TellError::Denied { reason, message },
            AskFailure::Full => TellError::Full(message),
            AskFailure::ShuttingDown => TellError::ShuttingDown(message),
            _ => TellError::Stopped(message),
        }
    }
}

impl<M: Message> fmt::Debug for Parcel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("expires", &self.expires).field("lane", &self.lane).finish_non_exhaustive()
    }
}

impl<M: Message> fmt::Debug for Question<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("expires", &self.expires).field("lane", &self.lane).finish_non_exhaustive()
    }
}

impl<M: Message> fmt::Debug for Returned<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").field("why", &self.why).finish_non_exhaustive()
    }
}

/// Whatever takes messages of a type: actors of ours and recipients. It cannot be implemented elsewhere.
pub trait Target<M: Message>: Send + Sync {
    /// Takes a parcel at once or gives it back.
    #[doc(hidden)]
    fn offer(&self, parcel: Parcel<M>) -> Result<(), Returned<M>>;

    /// Takes a question at once or gives it back. Where the actor rests on this very thread its answer may be there at once;
    /// otherwise `answer` is the way that it will come.
    #[doc(hidden)]
    fn put(
        &self,
        question: Question<M>,
        answer: &mut Option<Answer<M::Reply>>,
    ) -> Result<Option<M::Reply>, Returned<M>> {
        self.offer(question.into_parcel(answer)).map(|()| None)
    }

    /// Takes a parcel, or waits for room; the parcel is taken out when it has been decided about.
    #[doc(hidden)]
    fn poll_offer(
        &self,
        parcel: &mut Option<Parcel<M>>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Poll<Result<(), Returned<M>>>;

    /// Stops waiting for room.
    #[doc(hidden)]
    fn give_up(&self, ticket: Ticket);

    /// Whether a sender may wait for room here.
    #[doc(hidden)]
    fn waits_for_room(&self) -> bool;

    /// The actor behind it, if it is one of ours.
    #[doc(hidden)]
    fn actor(&self) -> Option<Arc<dyn Node>>;

    /// The number of the actor behind it.
    #[doc(hidden)]
    fn id(&self) -> ActorId;

    /// Whether the actor behind it lives on the calling thread.
    #[doc(hidden)]
    fn is_here(&self) -> bool;

    /// The system that keeps the time of asks.
    #[doc(hidden)]
    fn system(&self) -> &Arc<SystemCore>;

    /// How long an ask waits by default.
    #[doc(hidden)]
    fn patience(&self) -> Nanos;

    /// How far the ask with this deadline has come.
    #[doc(hidden)]
    fn is_running(&self, deadline: Nanos) -> Option<u64>;

    /// Whether the turn of the ask with this deadline belongs to a fenced generation.
    #[doc(hidden)]
    fn is_fenced(&self, deadline: Nanos) -> Option<crate::Incident>;

    /// A message without any options.
    #[doc(hidden)]
    #[inline]
    fn offer_plain(&self, message: M) -> Result<(), Returned<M>> {
        self.offer(Parcel {
            letter: Letter { message, reply: None, header: None },
            expires: 0,
            lane: M::PRIORITY.lane(),
        })
    }

    /// A message that was not taken and that nobody waits for becomes a dead letter.
    #[doc(hidden)]
    fn bury(&self) {
        if let Some(node) = self.actor() {
            node.core().bury(std::any::type_name::<M>(), M::PRIORITY, DeadReason::Refused, Remains::NONE);
        }
    }
}

impl<A: Handler<M>, M: Message> Target<M> for ActorRef<A> {
    #[inline(always)]
    fn offer(&self, mut parcel: Parcel<M>) -> Result<(), Returned<M>> {
        let cell = &*self.0;
        if !cell.core.gate.is_open()
            && let Err(why) = cell.knock(&mut parcel.letter)
        {
            return Err(Returned { letter: parcel.letter, why });
        }
        let lane = cell.mailbox.cap(parcel.lane);
        trace_hops(cell, &parcel.letter);
        let Some(place) = cell.mailbox.place_here(lane) else { return cell.push(lane, parcel) };
        place.fill(Envelope::new(parcel.letter, parcel.expires), || cell.rouse());
        Ok(())
    }

    #[inline]
    fn put(
        &self,
        question: Question<M>,
        answer: &mut Option<Answer<M::Reply>>,
    ) -> Result<Option<M::Reply>, Returned<M>> {
        let loan = self.0.borrow_driver();
        match loan {
            Some(loan) if M::KEEP.is_none() && loan.may_ask() => Ok(loan.ask(question, answer)),
            Some(loan) => {
                let now = question.now;
                self.offer(question.into_parcel(answer))?;
                loan.run(now);
                Ok(None)
            }
            None => self.offer(question.into_parcel(answer)).map(|()| None),
        }
    }

    fn poll_offer(
        &self,
        parcel: &mut Option<Parcel<M>>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Poll<Result<(), Returned<M>>> {
        let cell = &*self.0;
        let Some(Parcel { mut letter, expires, lane }) = parcel.take() else { return Poll::Ready(Ok(())) };
        if ticket.is_none() {
            // It was offered and counted as handed back; now it waits instead.
            cell.core.tally.losses().refused.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        }
        if !cell.core.gate.is_open()
            && let Err(why) = cell.knock(&mut letter)
        {
            // A place that was kept for it goes to the next one.
            ticket.take().into_iter().for_each(|ticket| cell.mailbox.give_up(ticket));
            return Poll::Ready(Err(Returned { letter, why }));
        }
        let mut envelope = Some(Envelope::new(letter, expires));
        let polled = cell.mailbox.poll_push(cell.mailbox.cap(lane), &mut envelope, ticket, waker);
        let back = envelope.and_then(Envelope::reopen::<M>);
        match (polled, back) {
            (Poll::Pending, Some(letter)) => {
                *parcel = Some(Parcel { letter: cell.unknock(letter), expires, lane });
                Poll::Pending
            }
            (Poll::Ready(Err(why)), Some(letter)) => Poll::Ready(Err(Returned { letter, why: cell.refuse(why) })),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn give_up(&self, ticket: Ticket) {
        self.0.mailbox.give_up(ticket);
    }

    fn waits_for_room(&self) -> bool {
        self.0.core.policy.bounds.overflow == Overflow::Wait
    }

    fn actor(&self) -> Option<Arc<dyn Node>> {
        Some(self.node())
    }

    fn id(&self) -> ActorId {
        self.0.core.id
    }

    fn is_here(&self) -> bool {
        self.0.mailbox.private().is_some()
    }

    fn system(&self) -> &Arc<SystemCore> {
        &self.0.core.system
    }

    #[inline]
    fn patience(&self) -> Nanos {
        self.0.core.system.patience()
    }

    fn is_running(&self, deadline: Nanos) -> Option<u64> {
        let running = self.0.core.running.load(std::sync::atomic::Ordering::Relaxed);
        (running & !1 == deadline).then_some(running & 1)
    }

    fn is_fenced(&self, deadline: Nanos) -> Option<crate::Incident> {
        let core = &self.0.core;
        core.read_rare(|rare| (rare.faults.fenced_ask == deadline).then(|| rare.faults.last.clone()).flatten())
            .flatten()
    }
}

impl<M: Message> Target<M> for Recipient<M> {
    fn offer(&self, parcel: Parcel<M>) -> Result<(), Returned<M>> {
        self.0.offer(parcel)
    }

    fn put(
        &self,
        question: Question<M>,
        answer: &mut Option<Answer<M::Reply>>,
    ) -> Result<Option<M::Reply>, Returned<M>> {
        self.0.put(question, answer)
    }

    fn poll_offer(
        &self,
        parcel: &mut Option<Parcel<M>>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Poll<Result<(), Returned<M>>> {
        self.0.poll_offer(parcel, ticket, waker)
    }

    fn give_up(&self, ticket: Ticket) {
        self.0.give_up(ticket);
    }

    fn waits_for_room(&self) -> bool {
        self.0.waits_for_room()
    }

    fn actor(&self) -> Option<Arc<dyn Node>> {
        self.0.actor()
    }

    fn id(&self) -> ActorId {
        self.0.id()
    }

    fn is_here(&self) -> bool {
        self.0.is_here()
    }

    fn system(&self) -> &Arc<SystemCore> {
        self.0.system()
    }

    fn patience(&self) -> Nanos {
        self.0.patience()
    }

    fn is_running(&self, deadline: Nanos) -> Option<u64> {
        self.0.is_running(deadline)
    }

    fn is_fenced(&self, deadline: Nanos) -> Option<crate::Incident> {
        self.0.is_fenced(deadline)
    }

    fn bury(&self) {
        self.0.bury();
    }
}

impl<A: Actor> ActorCell<A> {
    /// The gate is not simply open: asks it, and the admission hook, about one message.
    #[cold]
    fn knock<M: Message>(&self, letter: &mut Letter<M>) -> Result<(), AskFailure>
    where
        A: Handler<M>,
    {
        if self.core.gate.is_guarded()
            && let Some(hook) = &self.core.policy.admission
        {
            self.ask_admission(&**hook, std::any::type_name::<M>())?;
        }
        let refused = match self.core.gate.enter(self.core.system.clock.now()) {
            Entry::Open => return Ok(()),
            Entry::Probe { epoch } => {
                letter.header.get_or_insert_with(Box::<Header>::default).probe = Some(epoch);
                return Ok(());
            }
            Entry::Refused(after) => {
                Tally::add(&self.core.tally.losses().rejected, 1);
                AskFailure::Refused(after)
            }
            Entry::ShuttingDown => AskFailure::ShuttingDown,
            Entry::Stopped => AskFailure::Stopped,
        };
        Tally::add(&self.core.tally.losses().refused, 1);
        Err(refused)
    }

    fn ask_admission(&self, hook: &dyn crate::Admission, message: &'static str) -> Result<(), AskFailure> {
        let baggage = scope::current_baggage();
        let name = self.core.name();
        let request = AdmissionRequest { actor: &name, message, baggage: baggage.as_ref() };
        hook.admit(&request).map_err(|reason| {
            Tally::add(&self.core.tally.losses().refused, 1);
            AskFailure::Denied(reason)
        })
    }

    /// A message that waits for room has not arrived: its probe permit is free meanwhile.
    fn unknock<M: Message>(&self, mut letter: Letter<M>) -> Letter<M> {
        if let Some(epoch) = letter.header.as_mut().and_then(|header| header.probe.take()) {
            self.core.gate.give_back(epoch);
        }
        letter
    }

    /// The second hop where there is no short path.
    #[inline(never)]
    fn push<M: Message>(&self, lane: usize, parcel: Parcel<M>) -> Result<(), Returned<M>>
    where
        A: Handler<M>,
    {
        let envelope = Envelope::new(parcel.letter, parcel.expires);
        match self.mailbox.push_otherwise(lane, envelope, || self.rouse()) {
            Ok(Pushed::Queued) => Ok(()),
            Ok(Pushed::Shed(shed)) => {
                self.shed(lane, shed);
                Ok(())
            }
            Err((why, envelope)) => match envelope.reopen::<M>() {
                Some(letter) => Err(Returned { letter: self.unknock(letter), why: self.refuse(why) }),
                None => Ok(()),
            },
        }
    }

    fn refuse(&self, why: NotTaken) -> AskFailure {
        Tally::add(&self.core.tally.losses().refused, 1);
        match why {
            NotTaken::Full => AskFailure::Full,
            NotTaken::Closed => AskFailure::Stopped,
        }
    }

    pub(crate) fn shed(&self, lane: usize, mut envelope: Envelope<A>) {
        if self.core.policy.bounds.overflow == Overflow::DropNewest {
            Tally::add(&self.core.tally.losses().never_entered, 1);
        }
        if let Some(epoch) = envelope.header().as_ref().and_then(|header| header.probe) {
            self.core.gate.give_back(epoch);
        }
        let is_awaited = envelope.is_awaited();
        envelope.fail(AskFailure::Shed);
        let remains = Remains { content: Some(envelope.content()), is_awaited, header: envelope.peek() };
        self.core.bury(envelope.message(), Priority::of_lane(lane), DeadReason::Shed, remains);
        // It may be somebody else's message that goes: a panic in it is none of this sender's business.
        drop_quietly(envelope);
    }
}

/// Prints the first two hops of a message's way; costs one relaxed load when nobody listens.
#[inline(always)]
fn trace_hops<M: Message>(node: &dyn Node, letter: &Letter<M>) {
    if is_traced() {
        let name = node.core().name();
        let first = if letter.reply.is_some() { "actor_ref::ask" } else { "actor_ref::tell" };
        print_hop(1, first, std::any::type_name::<M>(), &name);
        print_hop(2, "mailbox::push", std::any::type_name::<M>(), &name);
    }
}

/// Whether anybody listens to the hops.
#[inline]
pub(crate) fn is_traced() -> bool {
    tracing::level_filters::LevelFilter::current() >= tracing::level_filters::LevelFilter::TRACE
}

#[cold]
pub(crate) fn print_hop(hop: u8, place: &'static str, message: &'static str, actor: &str) {
    let message = crate::cell::short_type_name(message);
    tracing::trace!(target: "callboard::hop", hop, place, %message, actor);
}
