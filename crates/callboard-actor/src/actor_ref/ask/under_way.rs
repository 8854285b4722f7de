//! An ask that has been sent and waits: for room in the mailbox, then for its answer, and all the while for its deadline.

use std::task::{Context as Task, Poll};
use std::time::Duration;

use super::why;
use crate::actor_ref::{Parcel, Returned, Target};
use crate::alarm::{Alarm, AlarmKey};
use crate::clock::Nanos;
use crate::error::{AskError, AskFailure, Stage};
use crate::fault::drop_quietly;
use crate::mailbox::Ticket;
use crate::message::Message;
use crate::reply::Answer;
use crate::run_queue;
use crate::sync::{Ordering, fence};
use crate::wait_for::Wait;

/// What is known of it, which is nothing before it has been sent.
pub(super) struct UnderWay<M: Message> {
    /// Nothing once it has come, or nobody waits for it any more.
    pub(super) answer: Option<Answer<M::Reply>>,
    /// The message while it waits for room.
    room: Option<Box<InFront<M>>>,
    /// When the patience ends. It is also what tells this ask apart from others of the same target, see
    /// [`distinct`](super::distinct).
    pub(super) deadline: Nanos,
    /// When it was sent, if it waits for another thread; else 0.
    sent_away: Nanos,
    alarm: Option<AlarmKey>,
    /// The wait of the turn that asks; it vanishes with the answer or with the future of the ask.
    pub(super) wait: Option<Wait>,
}

/// A message in front of a mailbox that has no room for it.
struct InFront<M: Message> {
    parcel: Option<Parcel<M>>,
    ticket: Option<Ticket>,
}

impl<M: Message> UnderWay<M> {
    /// A constant, and no function, so that it is not built somewhere first and copied then.
    pub(super) const NOT_YET: Self =
        Self { answer: None, room: None, deadline: 0, sent_away: 0, alarm: None, wait: None };

    /// Whether there is something that [`give_up`](Self::give_up) would end.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        self.answer.is_some() || self.room.is_some()
    }

    /// The turn that asks does not wait any more.
    #[inline(always)]
    pub(super) fn stop_blocking(&mut self) {
        self.wait = None;
    }

    /// There was no room: waits for some, unless its receiver or its turn does not let it.
    #[cold]
    pub(super) fn wait_for_room<T: Target<M>>(
        &mut self,
        target: &T,
        returned: Returned<M>,
        lane: usize,
    ) -> Result<(), AskError<M>> {
        if returned.why != AskFailure::Full || !target.waits_for_room() {
            self.forget_answer();
            self.stop_blocking();
            return Err(returned.into_tell_error().into());
        }
        let parcel = Some(Parcel { letter: returned.letter, expires: self.deadline, lane });
        self.room = Some(Box::new(InFront { parcel, ticket: None }));
        Ok(())
    }

    /// Polls for room, the answer and the deadline. Once it is ready nobody waits any more.
    pub(super) fn poll<T: Target<M>>(
        &mut self,
        target: &T,
        task: &mut Task<'_>,
    ) -> Poll<Result<M::Reply, AskError<M>>> {
        let polled = self.poll_waiting(target, task);
        if polled.is_ready() {
            self.give_up(target);
        }
        polled
    }

    fn poll_waiting<T: Target<M>>(&mut self, target: &T, task: &mut Task<'_>) -> Poll<Result<M::Reply, AskError<M>>> {
        if self.room.is_some() {
            match self.poll_room(target, task) {
                Poll::Ready(taken) => taken?,
                Poll::Pending => return self.poll_deadline(target, task),
            }
        }
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        match answer.poll(task) {
            Poll::Pending => self.poll_deadline(target, task),
            Poll::Ready(result) => {
                self.note_answer(target);
                self.answer = None;
                Poll::Ready(result.map_err(|failure| why(target, failure)))
            }
        }
    }

    #[cold]
    fn poll_room<T: Target<M>>(&mut self, target: &T, task: &mut Task<'_>) -> Poll<Result<(), AskError<M>>> {
        let Some(room) = &mut self.room else { return Poll::Ready(Ok(())) };
        let polled = target.poll_offer(&mut room.parcel, &mut room.ticket, task.waker());
        if polled.is_ready() {
            self.room = None;
        }
        polled.map_err(|returned| returned.into_tell_error().into())
    }

    /// Nothing yet: sees to it that the deadline wakes this task, and whether it has passed. The alarm is ours and not
    /// the runtime's, so this works on any executor.
    fn poll_deadline<T: Target<M>>(&mut self, target: &T, task: &mut Task<'_>) -> Poll<Result<M::Reply, AskError<M>>> {
        match self.alarm {
            None => {
                self.set_alarm(target, task);
                if !target.is_here() {
                    self.sent_away = target.system().clock.now();
                    run_queue::expect_answer();
                }
                Poll::Pending
            }
            Some(key) if target.system().alarms.retarget(key, task.waker()) => self.poll_fence(target),
            Some(_) if target.system().clock.now() >= self.deadline => Poll::Ready(Err(self.timed_out(target))),
            Some(_) => {
                self.set_alarm(target, task);
                self.poll_fence(target)
            }
        }
    }

    /// How long another thread takes to answer says whether it is worth staying awake for the next answer.
    #[inline]
    fn note_answer<T: Target<M>>(&self, target: &T) {
        if self.sent_away != 0 {
            let now = target.system().clock.now();
            run_queue::answered_after(Duration::from_nanos(now.saturating_sub(self.sent_away)));
        }
    }

    fn set_alarm<T: Target<M>>(&mut self, target: &T, task: &Task<'_>) {
        let alarm = Alarm::Asker { target: target.id(), waker: task.waker().clone() };
        self.alarm = Some(target.system().alarms.set(self.deadline, alarm));
    }

    /// Whether our turn is in the hands of a generation that was fenced: it will never answer.
    fn poll_fence<T: Target<M>>(&self, target: &T) -> Poll<Result<M::Reply, AskError<M>>> {
        match target.is_fenced(self.deadline) {
            Some(incident) => Poll::Ready(Err(AskError::Faulted(incident))),
            None => Poll::Pending,
        }
    }

    /// The deadline has passed. Our end is closed first; see `Context::is_abandoned` for why the fence.
    fn timed_out<T: Target<M>>(&mut self, target: &T) -> AskError<M> {
        if self.room.is_some() {
            return AskError::Timeout { stage: Stage::Queue };
        }
        self.forget_answer();
        fence(Ordering::SeqCst);
        let stage = match target.is_running(self.deadline) {
            Some(0) => Stage::Handler,
            Some(_) => Stage::Reply,
            // An earlier attempt of a kept message may have run.
            None if M::KEEP.is_some() => Stage::Handler,
            None => Stage::Queue,
        };
        AskError::Timeout { stage }
    }

    /// One that has come and that nobody has seen may panic when it is dropped, which must not keep what comes after it from
    /// being given back.
    fn forget_answer(&mut self) {
        if let Some(answer) = self.answer.take() {
            drop_quietly(answer);
        }
    }

    /// Nobody waits any more. The deadline, which its turn knows it by, if the message has been taken.
    pub(super) fn give_up<T: Target<M>>(&mut self, target: &T) -> Option<Nanos> {
        self.forget_answer();
        if let Some(key) = self.alarm.take() {
            target.system().alarms.clear(key);
        }
        self.wait = None;
        let Some(room) = self.room.take() else { return (self.deadline != 0).then_some(self.deadline) };
        if let Some(ticket) = room.ticket {
            target.give_up(ticket);
        }
        None
    }
}
