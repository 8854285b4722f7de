//! Sending with an answer. What becomes of an ask that is not answered at once is in `under_way`.

mod under_way;

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use self::under_way::UnderWay;
use super::tell::wait_of_this_turn;
use super::{Question, Target};
use crate::bound::thread_id;
use crate::cell::Directive;
use crate::clock::{FINE_GRAIN, Nanos, Start, nanos};
use crate::context::earlier;
use crate::envelope::Header;
use crate::error::{AskError, AskFailure, Stage};
use crate::message::{Message, MessageId, Priority};
use crate::scope::{self, Along};
use crate::system::SystemCore;

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

    /// Waits so long for the answer; inside a turn, never longer than the turn's own asker. A second or more may end a little
    /// early, by a tick of the system's coarse clock, which is 1 to 10 ms as a rule, and 4 ms.
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
        AskFuture {
            target: self.target,
            fresh: Some((self.message, self.options)),
            under_way: ManuallyDrop::new(UnderWay::NOT_YET),
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
    /// It holds nothing once it has been given up, so it needs no destructor, which would be several calls in each ask.
    under_way: ManuallyDrop<UnderWay<M>>,
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

impl<R: Deref<Target: Target<M> + Sized>, M: Message> Unpin for AskFuture<R, M> {}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> Future for AskFuture<R, M> {
    type Output = Result<M::Reply, AskError<M>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if let Some((message, options)) = this.fresh.take() {
            // An answer is handed on by itself: in one piece with what might be an error it would be copied several times.
            match this.send(message, options) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    this.under_way.stop_blocking();
                    return Poll::Ready(Ok(answer));
                }
                Err(error) => {
                    this.under_way.stop_blocking();
                    return Poll::Ready(Err(error));
                }
            }
        }
        this.under_way.poll(&*this.target, task)
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
            under_way: std::mem::replace(&mut self.under_way, ManuallyDrop::new(UnderWay::NOT_YET)),
        }
    }
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> AskFuture<R, M> {
    /// The message, if this has not been polled yet.
    #[must_use]
    pub fn message(&self) -> Option<&M> {
        self.fresh.as_ref().map(|(message, _)| message)
    }

    /// Takes the message back, if this has not been polled yet. It never ends then, and holds nothing.
    pub fn recall(&mut self) -> Option<M> {
        self.fresh.take().map(|(message, _)| message)
    }

    /// Stops waiting, if it has not stopped yet, and leaves something behind that is dropped when the turn has ended; at once
    /// where none runs, as none begins for it any more. So what a layer above gives an ask for its time is not free again
    /// before the handler has ended, though nobody waits for that. A turn that was fenced keeps nothing.
    pub fn leave_behind(&mut self, left: impl Any + Send) {
        let Some(asked) = self.under_way.give_up(&*self.target) else { return };
        // The actor alone knows for certain whether its turn runs, unless it is looked at from its own thread.
        let may_run = !self.target.is_here() || self.target.is_running(asked).is_some();
        if may_run && let Some(node) = self.target.actor() {
            node.direct(Directive::Keep { asked, left: Box::new(left) });
        }
    }

    /// The first hop: inherits, registers the wait, and offers the message. The answer may be there at once.
    #[inline]
    fn send(&mut self, message: M, options: Options) -> Result<Option<M::Reply>, AskError<M>> {
        let target = &*self.target;
        let clock = &target.system().clock;
        let span = options.timeout.map_or_else(|| target.patience(), nanos);
        let Start { at, grain } = clock.start_of(span);
        let own = at.saturating_add(span);
        let is_in_turn = scope::is_in_turn();
        let mut header = options.header;
        let inherited = if options.inherits && is_in_turn { inherit(target.system(), &mut header) } else { None };
        let (deadline, lane) = match inherited {
            Some((deadline, lane)) => (earlier(own, deadline), options.lane.min(lane)),
            None => (own, options.lane),
        };
        // What is lent is told as exactly as it was lent.
        let (now, grain) = if deadline == own { (at, grain) } else { (clock.now_for(deadline), FINE_GRAIN) };
        if deadline <= now {
            return Err(AskError::Timeout { stage: Stage::Queue });
        }
        let expires = distinct(deadline, grain);
        self.under_way.deadline = expires;
        if is_in_turn {
            self.under_way.wait = wait_of_this_turn(target).map_err(|path| AskError::AskCycle { path })?;
        }
        let question = Question { message, header, expires, lane, now };
        match target.put(question, &mut self.under_way.answer) {
            Ok(answer) => Ok(answer),
            Err(returned) => self.under_way.wait_for_room(target, returned, lane).map(|()| None),
        }
    }
}

impl<R: Deref<Target: Target<M> + Sized>, M: Message> Drop for AskFuture<R, M> {
    #[inline]
    fn drop(&mut self) {
        if self.under_way.is_waiting() {
            self.under_way.give_up(&*self.target);
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

thread_local! {
    /// The number of this thread's last ask; 0 before the first one.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

#[cold]
fn first_number() -> u64 {
    /// An even number with its bits spread.
    const APART: u64 = 0x9e37_79b9_7f4a_7c16;
    thread_id().wrapping_mul(APART)
}

/// Brings a deadline forward by less than `grain`, a power of two, so that its low bits can number the asks of a thread: two
/// asks of the same moment, or of one turn that lends them its deadline, are told apart by it. Each thread begins somewhere
/// else. The lowest bit stays free: it says that the turn of an ask is being committed.
#[inline]
fn distinct(deadline: Nanos, grain: Nanos) -> Nanos {
    let number = match NUMBER.get() {
        0 => first_number(),
        last => last.wrapping_add(2),
    };
    NUMBER.set(number);
    let numbered = (deadline & !(grain - 1)).max(grain) | (number & (grain - 2));
    // The earliest grain of all has none before it.
    if numbered > deadline && numbered >= 2 * grain { numbered - grain } else { numbered }
}

/// Deadline and lane of the running turn; the deadline in the time of the system that is asked, as each system counts from
/// its own start. Its baggage, and the request that it belongs to, go into the header.
fn inherit(asked: &Arc<SystemCore>, header: &mut Option<Box<Header>>) -> Option<(Nanos, usize)> {
    scope::current(|scope| {
        scope.along(|along| take_along(header.get_or_insert_default(), along));
        let (deadline, asking) = (scope.deadline.get(), &scope.node.core().system);
        let deadline = if deadline == 0 || Arc::ptr_eq(asking, asked) {
            deadline
        } else {
            asked.clock.now().saturating_add(deadline.saturating_sub(asking.clock.now()))
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
