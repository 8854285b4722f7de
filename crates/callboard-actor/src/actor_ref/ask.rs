//! Sending with an answer.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use super::tell::wait_of_this_turn;
use super::{Parcel, Question, Returned, Target};
use crate::alarm::{Alarm, AlarmKey};
use crate::cell::Directive;
use crate::clock::{Nanos, nanos};
use crate::context::earlier;
use crate::envelope::Header;
use crate::error::{AskError, AskFailure, Stage};
use crate::mailbox::Ticket;
use crate::message::{Message, MessageId, Priority};
use crate::reply::Answer;
use crate::run_queue;
use crate::scope::{self, Along};
use crate::sync::{Ordering, fence};
use crate::system::SystemCore;
use crate::wait_for::Wait;

/// A question about to be sent: `.await` sends it and waits for the answer.
///
/// Inside a turn it inherits what is left of the turn's deadline, at least the turn's priority, and its baggage.
#[must_use = "an ask is sent when it is awaited"]
pub struct Ask<'a, T, M: Message> {
    target: &'a T,
    message: M,
    options: Options,
}

struct Options {
    lane: usize,
    timeout: Option<Duration>,
    inherits: bool,
    /// What few asks carry.
    header: Option<Box<Header>>,
}

impl<'a, T, M: Message> Ask<'a, T, M> {
    #[inline]
    pub(super) fn new(target: &'a T, message: M) -> Self {
        let options = Options { lane: M::PRIORITY.lane(), timeout: M::TIMEOUT, inherits: true, header: None };
        Self { target, message, options }
    }

    /// Sends it with this priority instead of the message type's own; inside a turn, never below the turn's.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.lane = priority.lane();
        self
    }

    /// Waits so long for the answer; inside a turn, never longer than the turn's own asker.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Names the request, so that a receiver that remembers names can tell a repetition from a new one. The framework
    /// carries it: [`Context::idempotency_key`](crate::Context::idempotency_key).
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.header().idempotency_key = Some(key.into());
        self
    }

    /// Gives the message an id, the same in all attempts of a request, and says which attempt this is, from 1 on. The receiver
    /// sees both: [`Context::message_id`](crate::Context::message_id), [`Context::attempt`](crate::Context::attempt).
    pub fn request(mut self, id: MessageId, attempt: u32) -> Self {
        let header = self.header();
        (header.message_id, header.asked_before) = (Some(id), attempt.saturating_sub(1));
        self
    }

    /// Adds a value to what the message takes along, see [`Baggage`](crate::Baggage).
    pub fn baggage<V: Any + Send + Sync>(mut self, value: V) -> Self {
        let header = self.header();
        header.baggage = Some(header.baggage.take().unwrap_or_default().with(value));
        self
    }

    fn header(&mut self) -> &mut Header {
        self.options.header.get_or_insert_default()
    }

    /// Takes nothing of the running turn along: neither its deadline nor its priority nor its baggage.
    pub fn no_inherit(mut self) -> Self {
        self.options.inherits = false;
        self
    }
}

impl<T, M: Message> fmt::Debug for Ask<'_, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask<{}>", std::any::type_name::<M>())
    }
}

impl<'a, T: Target<M>, M: Message> IntoFuture for Ask<'a, T, M> {
    type Output = Result<M::Reply, AskError<M>>;
    type IntoFuture = AskFuture<&'a T, M>;

    #[inline(always)]
    fn into_future(self) -> AskFuture<&'a T, M> {
        let fresh = Some((self.message, self.options));
        AskFuture {
            target: self.target,
            fresh,
            room: None,
            answer: None,
            deadline: 0,
            sent_away: 0,
            alarm: None,
            wait: None,
        }
    }
}

/// The future of an [`Ask`].
#[must_use = "an ask is sent when it is awaited"]
pub struct AskFuture<R: Deref<Target: Target<M> + Sized>, M: Message> {
    /// A reference to whom it asks, lent or its [own](OwnTarget).
    target: R,
    /// The message until it is offered.
    fresh: Option<(M, Options)>,
    /// The message while it waits for room.
    room: Option<Box<Waiting<M>>>,
    answer: Option<Answer<M::Reply>>,
    /// When the patience ends. It is also what tells this ask apart from others of the same target, see [`distinct`].
    deadline: Nanos,
    /// When it was sent, if it waits for another thread; else 0.
    sent_away: Nanos,
    alarm: Option<AlarmKey>,
    /// The wait of the turn that asks; it vanishes with the answer or with this future.
    wait: Option<Wait>,
}

/// A reference of an ask's own to whom it asks.
#[derive(Debug)]
pub struct OwnTarget<T>(T);

impl<T> Deref for OwnTarget<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

struct Waiting<M: Message> {
    parcel: Option<Parcel<M>>,
    ticket: Option<Ticket>,
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> Unpin for AskFuture<R, M> {}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> Future for AskFuture<R, M> {
    type Output = Result<M::Reply, AskError<M>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some((message, options)) = this.fresh.take()
            && let Some(result) = this.send(message, options).transpose()
        {
            this.wait = None;
            return Poll::Ready(result);
        }
        if this.room.is_some() {
            match this.poll_room(task) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    this.clear();
                    return Poll::Ready(Err(error));
                }
                Poll::Pending => return this.poll_deadline(task),
            }
        }
        let Some(answer) = &mut this.answer else { return Poll::Pending };
        match answer.poll(task) {
            Poll::Pending => this.poll_deadline(task),
            Poll::Ready(result) => {
                this.note_answer();
                this.clear();
                Poll::Ready(result.map_err(|failure| why(&*this.target, failure)))
            }
        }
    }
}

impl<R: Deref<Target: Target<M> + Clone>, M: Message> AskFuture<R, M> {
    /// Takes the ask out, with a reference of its own to whom it asks: one that is not answered when it is first polled can be
    /// waited for elsewhere. What is left here never ends and holds nothing, so it may be dropped; it is not taken by value as
    /// this has a destructor of its own.
    #[must_use = "an ask is given up when it is dropped"]
    pub fn take_owned(&mut self) -> AskFuture<OwnTarget<R::Target>, M> {
        AskFuture {
            target: OwnTarget(R::Target::clone(&self.target)),
            fresh: self.fresh.take(),
            room: self.room.take(),
            answer: self.answer.take(),
            deadline: std::mem::take(&mut self.deadline),
            sent_away: self.sent_away,
            alarm: self.alarm.take(),
            wait: self.wait.take(),
        }
    }
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> AskFuture<R, M> {
    /// Takes the message back, if this has not been polled yet. It never ends then, and holds nothing.
    pub fn recall(&mut self) -> Option<M> {
        self.fresh.take().map(|(message, _)| message)
    }

    /// Stops waiting, if it has not stopped yet, and leaves something behind that is dropped when the turn has ended; at once
    /// where none runs, as none begins for it any more. So what a layer above gives an ask for its time is not free again
    /// before the handler has ended, though nobody waits for that. A turn that was fenced keeps nothing.
    pub fn leave_behind(&mut self, left: impl Any + Send) {
        let was_sent = self.fresh.is_none() && self.room.is_none() && self.deadline != 0;
        self.clear();
        // The actor alone knows for certain whether its turn runs, unless it is looked at from its own thread.
        let may_run = was_sent && (!self.target.is_here() || self.target.is_running(self.deadline).is_some());
        if may_run && let Some(node) = self.target.actor() {
            node.direct(Directive::Keep { asked: self.deadline, left: Box::new(left) });
        }
    }

    /// The first hop: inherits, registers the wait, and offers the message. The answer may be there at once.
    #[inline]
    fn send(&mut self, message: M, options: Options) -> Result<Option<M::Reply>, AskError<M>> {
        let now = self.target.system().clock.now();
        let own = now.saturating_add(options.timeout.map_or_else(|| self.target.patience(), nanos));
        let is_in_turn = scope::is_in_turn();
        let mut header = options.header;
        let inherited =
            if options.inherits && is_in_turn { inherit(self.target.system(), now, &mut header) } else { None };
        let (deadline, lane) = match inherited {
            Some((deadline, lane)) => (earlier(own, deadline), options.lane.min(lane)),
            None => (own, options.lane),
        };
        if deadline <= now {
            return Err(AskError::Timeout { stage: Stage::Queue });
        }
        self.deadline = distinct(deadline);
        if is_in_turn {
            self.wait = wait_of_this_turn(&*self.target).map_err(|path| AskError::AskCycle { path })?;
        }
        let question = Question { message, header, expires: self.deadline, lane, now };
        match self.target.put(question, &mut self.answer) {
            Ok(answer) => Ok(answer),
            Err(returned) => self.not_taken(returned, lane).map(|()| None),
        }
    }

    #[cold]
    fn not_taken(&mut self, returned: Returned<M>, lane: usize) -> Result<(), AskError<M>> {
        if returned.why != AskFailure::Full || !self.target.waits_for_room() {
            self.answer = None;
            return Err(returned.into_tell_error().into());
        }
        let parcel = Some(Parcel { letter: returned.letter, expires: self.deadline, lane });
        self.room = Some(Box::new(Waiting { parcel, ticket: None }));
        Ok(())
    }

    #[cold]
    fn poll_room(&mut self, task: &mut Task<'_>) -> Poll<Result<(), AskError<M>>> {
        let Some(room) = &mut self.room else { return Poll::Ready(Ok(())) };
        let polled = self.target.poll_offer(&mut room.parcel, &mut room.ticket, task.waker());
        if polled.is_ready() {
            self.room = None;
        }
        polled.map_err(|returned| returned.into_tell_error().into())
    }

    /// Nothing yet: sees to it that the deadline wakes this task, and whether it has passed. The alarm is ours and not
    /// the runtime's, so this works on any executor.
    fn poll_deadline(&mut self, task: &mut Task<'_>) -> Poll<Result<M::Reply, AskError<M>>> {
        match self.alarm {
            None => {
                self.set_alarm(task);
                if !self.target.is_here() {
                    self.sent_away = self.target.system().clock.now();
                    run_queue::expect_answer();
                }
                Poll::Pending
            }
            Some(key) if self.target.system().alarms.retarget(key, task.waker()) => self.poll_fence(),
            Some(_) if self.target.system().clock.now() >= self.deadline => Poll::Ready(Err(self.timed_out())),
            Some(_) => {
                self.set_alarm(task);
                self.poll_fence()
            }
        }
    }

    /// How long another thread takes to answer says whether it is worth staying awake for the next answer.
    #[inline]
    fn note_answer(&self) {
        if self.sent_away != 0 {
            let now = self.target.system().clock.now();
            run_queue::answered_after(Duration::from_nanos(now.saturating_sub(self.sent_away)));
        }
    }

    fn set_alarm(&mut self, task: &Task<'_>) {
        let alarm = Alarm::Asker { target: self.target.id(), waker: task.waker().clone() };
        self.alarm = Some(self.target.system().alarms.set(self.deadline, alarm));
    }

    /// Whether our turn is in the hands of a generation that was fenced: it will never answer.
    fn poll_fence(&mut self) -> Poll<Result<M::Reply, AskError<M>>> {
        match self.target.is_fenced(self.deadline) {
            Some(incident) => {
                self.clear();
                Poll::Ready(Err(AskError::Faulted(incident)))
            }
            None => Poll::Pending,
        }
    }

    /// The deadline has passed. Our end is closed first; see `Context::is_abandoned` for why the fence.
    fn timed_out(&mut self) -> AskError<M> {
        let was_sent = self.room.is_none();
        self.clear();
        if !was_sent {
            return AskError::Timeout { stage: Stage::Queue };
        }
        fence(Ordering::SeqCst);
        let stage = match self.target.is_running(self.deadline) {
            Some(0) => Stage::Handler,
            Some(_) => Stage::Reply,
            // An earlier attempt of a kept message may have run.
            None if M::KEEP.is_some() => Stage::Handler,
            None => Stage::Queue,
        };
        AskError::Timeout { stage }
    }

    #[inline]
    fn clear(&mut self) {
        self.answer = None;
        if let Some(key) = self.alarm.take() {
            self.target.system().alarms.clear(key);
        }
        if self.wait.is_some() {
            self.wait = None;
        }
        if let Some(room) = self.room.take()
            && let Some(ticket) = room.ticket
        {
            self.target.give_up(ticket);
        }
    }
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> Drop for AskFuture<R, M> {
    #[inline]
    fn drop(&mut self) {
        if self.answer.is_some() || self.room.is_some() {
            self.clear();
        }
    }
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> fmt::Debug for AskFuture<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AskFuture<{}>", std::any::type_name::<M>())
    }
}

/// The answer says why there is none. A reply that was merely dropped is told apart by whether the actor lives.
#[cold]
pub(super) fn why<T: Target<M>, M: Message>(target: &T, failure: AskFailure) -> AskError<M> {
    let ended = || target.actor().is_some_and(|node| node.state() >= crate::ActorState::Stopping);
    match failure {
        AskFailure::Dropped if ended() => AskError::Stopped(None),
        failure => AskError::after_sending(failure),
    }
}

/// Brings a deadline forward by at most 4 us so that its low bits can number the asks of a thread: two asks of the same
/// moment, or of one turn that lends them its deadline, are told apart by it. The lowest bit stays free: it says that
/// the turn of an ask is being committed.
#[inline]
fn distinct(deadline: Nanos) -> Nanos {
    const NUMBERS: u64 = 4096;
    thread_local! {
        static NUMBER: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }
    let number = NUMBER.get().wrapping_add(2);
    NUMBER.set(number);
    (deadline & !(NUMBERS - 1)).max(NUMBERS) | (number & (NUMBERS - 2))
}

/// Deadline and lane of the running turn; the deadline in the time of the system that is asked, where it is `now`, as each
/// system counts from its own start. Its baggage, and the request that it belongs to, go into the header.
fn inherit(asked: &Arc<SystemCore>, now: Nanos, header: &mut Option<Box<Header>>) -> Option<(Nanos, usize)> {
    scope::current(|scope| {
        scope.along(|along| take_along(header.get_or_insert_default(), along));
        let (deadline, asking) = (scope.deadline.get(), &scope.node.core().system);
        let deadline = if deadline == 0 || Arc::ptr_eq(asking, asked) {
            deadline
        } else {
            now.saturating_add(deadline.saturating_sub(asking.clock.now()))
        };
        (deadline, usize::from(scope.lane.get()).max(1))
    })
}

/// What the message has itself goes over what the turn has.
fn take_along(header: &mut Header, along: &Along) {
    header.correlation_id = along.correlation;
    header.baggage = match header.baggage.take() {
        Some(own) => Some(own.over(along.baggage.clone())),
        None => along.baggage.clone(),
    };
}
