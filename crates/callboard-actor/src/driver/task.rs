//! Who polls a driver: the run queue of its arbiter, an asker on the same thread, or a task of its own.
//!
//! A driver sits in the cell of its actor. The run queue polls it there when it has been woken. An asker on the same thread
//! that finds it at rest polls it at once, in its own poll, instead of waking it and waiting: what is queued runs in
//! its order either way, and the answer is mostly there before the asker has to wait at all. In both cases it is polled
//! with the same waker, so whatever its turns wait for wakes the driver and not the asker.

use std::cell::{Cell, RefCell, RefMut};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};

use super::{BUDGET, Driver, Flow};
use crate::actor::{Actor, Handler};
use crate::actor_ref::Question;
use crate::cell::ActorCell;
use crate::clock::Nanos;
use crate::envelope::Envelope;
use crate::mailbox::Private;
use crate::message::Message;
use crate::reply::Answer;
use crate::run_queue::RunQueue;
use crate::scope::TurnScope;

/// Turns of a driver in one poll of an asker.
const LENT_BUDGET: u32 = 16;
/// Loans in a row on one thread. Then one asker goes the long way and has to wait, so that a loop of asks lets the other
/// tasks of its thread have their turns.
const LOANS: u32 = 256;
/// Loans inside of each other, for the stack's sake.
const DEEPEST: u32 = 8;

thread_local! {
    /// How many more loans there may be before an asker has to wait.
    static LOANS_LEFT: Cell<u32> = const { Cell::new(LOANS) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// A driver in the seat of its actor, and what wakes it there.
pub(crate) struct Seated<A: Actor> {
    driver: Driver<A>,
    waker: Waker,
}

impl<A: Actor> Seated<A> {
    /// What the turns of the driver take along.
    #[inline]
    pub(crate) fn scope(&self) -> Rc<TurnScope> {
        Rc::clone(&self.driver.scope)
    }
}

/// Seats the first driver of an actor, on the thread of its run queue.
pub(crate) fn start<A: Actor>(cell: &Arc<ActorCell<A>>, queue: Arc<RunQueue>) {
    if cell.core.home.set(queue).is_err() {
        return;
    }
    cell.seat.claim();
    let waker = Waker::from(Arc::clone(cell));
    cell.mailbox.settle(&waker);
    if let Some(mut seat) = cell.seat.borrow() {
        // It stands in the run queue from here on, and is polled once this has returned.
        waker.wake_by_ref();
        *seat = Some(Seated { driver: Driver::new(Arc::clone(cell)), waker });
    }
}

/// Polls the driver in the seat, for at most so many turns. Answers how many it took.
#[inline]
pub(crate) fn drive<A: Actor>(cell: &ActorCell<A>, turns: u32) -> u32 {
    cell.core.queued.leave();
    // A driver that is lent out goes on when it is back, and one that has ended is gone.
    let Some(mut seat) = cell.seat.borrow() else { return 0 };
    let Some(Seated { driver, waker }) = &mut *seat else { return 0 };
    let mut left = turns.min(BUDGET);
    let before = left;
    match driver.go(&mut left, &mut Task::from_waker(waker)) {
        Flow::End => {
            let ended = seat.take();
            drop(seat);
            drop(ended);
        }
        Flow::Yield => waker.wake_by_ref(),
        Flow::Wait | Flow::Again => {}
    }
    before - left
}

/// A driver with a task of its own: the only one of its thread, or one that took over from another.
pub(crate) struct DriverTask<A: Actor> {
    driver: Box<Driver<A>>,
    /// That of the task which polled it last.
    waker: Option<Waker>,
}

impl<A: Actor> DriverTask<A> {
    pub(crate) fn new(driver: Driver<A>) -> Self {
        Self { driver: Box::new(driver), waker: None }
    }

    /// Before the first poll, or when another task has taken over the polling: whose thread this is, and which task it is
    /// that directives wake.
    fn settle_down(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
            self.driver.cell.mailbox.settle(waker);
        }
    }
}

impl<A: Actor> Future for DriverTask<A> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        self.settle_down(task.waker());
        match self.driver.go(&mut { BUDGET }, task) {
            Flow::End => return Poll::Ready(()),
            Flow::Yield => task.waker().wake_by_ref(),
            Flow::Wait | Flow::Again => {}
        }
        Poll::Pending
    }
}

/// A driver in the hands of an asker, until this is dropped.
pub(crate) struct Loan<'a, A: Actor> {
    seat: RefMut<'a, Option<Seated<A>>>,
    cell: &'a ActorCell<A>,
    private: &'a RefCell<Private<Envelope<A>>>,
    /// Nothing was queued.
    was_parked: bool,
    /// It has to be polled again.
    is_due: bool,
}

impl<A: Actor> ActorCell<A> {
    /// The driver, if it rests on this very thread and may go on here: between turns, serving, and with nothing to obey.
    #[inline]
    pub(crate) fn borrow_driver(&self) -> Option<Loan<'_, A>> {
        if DEPTH.get() >= DEEPEST || self.mailbox.is_directed() {
            return None;
        }
        let seat = self.seat.borrow()?;
        let Seated { driver, .. } = seat.as_ref()?;
        if !driver.may_go_on() || is_last_loan() {
            return None;
        }
        let private = self.mailbox.private()?;
        let was_parked = self.mailbox.unpark(private);
        Some(Loan { seat, cell: self, private, was_parked, is_due: true })
    }
}

impl<A: Actor> Loan<'_, A> {
    /// Polls the driver at `now`, once.
    pub(crate) fn run(mut self, now: Nanos) {
        let was_parked = self.was_parked;
        let flow = self.work(|driver, task| {
            // Where something was queued before, other turns come first and take their time.
            driver.known_now = if was_parked { now } else { 0 };
            let flow = driver.go(&mut { LENT_BUDGET }, task);
            driver.known_now = 0;
            flow
        });
        self.is_due = matches!(flow, Flow::Yield | Flow::End);
    }

    /// Whether nothing is queued, the gate is simply open, and nobody watches this turn: then a question can go straight to
    /// the handler.
    #[inline]
    pub(crate) fn may_ask(&self) -> bool {
        let is_plain = self.seat.as_ref().is_some_and(|seated| !seated.driver.watches_next());
        let is_free = self.was_parked && self.cell.mailbox.may_pass() && self.cell.core.gate.is_open();
        is_plain && is_free && !crate::actor_ref::is_traced()
    }

    /// Runs the turn of a question now. Without an answer, `told` is the way that it will come.
    #[inline]
    pub(crate) fn ask<M: Message>(
        mut self,
        question: Question<M>,
        told: &mut Option<Answer<M::Reply>>,
    ) -> Option<M::Reply>
    where
        A: Handler<M>,
    {
        let private = self.private;
        let (answer, rests) = self.work(|driver, task| {
            let answer = driver.answer(question, told, task);
            (answer, driver.rests_again(private))
        });
        self.is_due = !rests;
        answer
    }

    #[inline]
    fn work<R>(&mut self, work: impl FnOnce(&mut Driver<A>, &mut Task<'_>) -> R) -> R {
        let Seated { driver, waker } = self.seat.as_mut().expect("a driver is lent");
        DEPTH.set(DEPTH.get() + 1);
        let result = work(driver, &mut Task::from_waker(waker));
        DEPTH.set(DEPTH.get() - 1);
        result
    }
}

impl<A: Actor> Drop for Loan<'_, A> {
    #[inline]
    fn drop(&mut self) {
        if self.is_due
            && let Some(Seated { waker, .. }) = &*self.seat
        {
            waker.wake_by_ref();
        }
    }
}

/// Counts a loan; true for the one that is not granted.
fn is_last_loan() -> bool {
    let left = LOANS_LEFT.get();
    LOANS_LEFT.set(if left == 0 { LOANS } else { left - 1 });
    left == 0
}
