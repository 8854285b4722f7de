//! The task of a driver, and the loan of the driver to an asker on the same thread.
//!
//! Between its polls a driver rests in a seat of its actor's cell. An asker on the same thread that finds it there polls
//! it at once, in its own poll, instead of waking the task and waiting for it: what is queued runs in its order either
//! way, and the answer is mostly there before the asker has to wait at all. The driver is polled with the waker of
//! its own task, so whatever its turns wait for wakes that task and not the asker.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};

use super::{BUDGET, Driver, Flow};
use crate::actor::{Actor, Handler};
use crate::actor_ref::Question;
use crate::cell::ActorCell;
use crate::clock::Nanos;
use crate::message::Message;
use crate::reply::Answer;

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

/// The task that polls a driver on its arbiter, and ends with it.
pub(crate) struct DriverTask<A: Actor> {
    cell: Arc<ActorCell<A>>,
    /// Before its first poll; a driver that took over from another one never sits in the cell.
    driver: Option<Box<Driver<A>>>,
}

impl<A: Actor> DriverTask<A> {
    pub(crate) fn new(driver: Driver<A>) -> Self {
        Self { cell: Arc::clone(&driver.cell), driver: Some(Box::new(driver)) }
    }

    fn take(&mut self) -> Option<Box<Driver<A>>> {
        self.driver.take().or_else(|| self.cell.seat.take())
    }
}

impl<A: Actor> Future for DriverTask<A> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        // A task is not polled inside of its own polls, and a loan ends with the poll that it was made in.
        let Some(mut driver) = self.take() else { return Poll::Pending };
        driver.settle_down(task.waker());
        match driver.go(BUDGET, task) {
            Flow::End => return Poll::Ready(()),
            Flow::Yield => task.waker().wake_by_ref(),
            Flow::Wait | Flow::Again => {}
        }
        self.driver = if driver.away.is_none() { self.cell.seat.put(driver) } else { Some(driver) };
        Poll::Pending
    }
}

impl<A: Actor> Drop for DriverTask<A> {
    /// The arbiter goes before the actor has ended: the driver accounts for what is left.
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A driver in the hands of an asker; it goes back when this is dropped.
pub(crate) struct Loan<'a, A: Actor> {
    cell: &'a ActorCell<A>,
    driver: Option<Box<Driver<A>>>,
    waker: Waker,
    /// Nothing was queued.
    was_parked: bool,
    /// Its task has to go on.
    is_due: bool,
}

impl<A: Actor> ActorCell<A> {
    /// The driver, if it rests on this very thread and may go on here: between turns, serving, and with nothing to obey.
    #[inline]
    pub(crate) fn borrow_driver(&self) -> Option<Loan<'_, A>> {
        if DEPTH.get() >= DEEPEST || self.mailbox.is_directed() {
            return None;
        }
        let driver = self.seat.take()?;
        let may = driver.may_go_on() && !is_last_loan();
        let parked = may.then(|| self.mailbox.unpark(driver.private())).flatten();
        let Some((waker, was_parked)) = parked else {
            self.seat.put(driver);
            return None;
        };
        Some(Loan { cell: self, driver: Some(driver), waker, was_parked, is_due: true })
    }
}

/// Counts a loan; true for the one that is not granted.
fn is_last_loan() -> bool {
    let left = LOANS_LEFT.get();
    LOANS_LEFT.set(if left == 0 { LOANS } else { left - 1 });
    left == 0
}

impl<A: Actor> Loan<'_, A> {
    /// Polls the driver at `now`, once.
    #[inline]
    pub(crate) fn run(mut self, now: Nanos) {
        let Some(driver) = &mut self.driver else { return };
        DEPTH.set(DEPTH.get() + 1);
        // Where something was queued before, other turns come first and take their time.
        driver.known_now = if self.was_parked { now } else { 0 };
        let flow = driver.go(LENT_BUDGET, &mut Task::from_waker(&self.waker));
        driver.known_now = 0;
        DEPTH.set(DEPTH.get() - 1);
        self.is_due = matches!(flow, Flow::Yield | Flow::End);
    }
}

impl<A: Actor> Loan<'_, A> {
    /// Whether nothing is queued, the gate is simply open, and nobody watches this turn: then a question can go straight to
    /// the handler.
    #[inline]
    pub(crate) fn may_ask(&self, lane: usize) -> bool {
        let is_plain = self.driver.as_ref().is_some_and(|driver| !driver.watches_next());
        let is_free = is_plain && self.was_parked && self.cell.core.gate.is_open() && !crate::actor_ref::is_traced();
        is_free && self.cell.mailbox.pass(self.cell.mailbox.cap(lane))
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
        let driver = self.driver.as_mut()?;
        DEPTH.set(DEPTH.get() + 1);
        let answer = driver.answer(question, told, &mut Task::from_waker(&self.waker));
        DEPTH.set(DEPTH.get() - 1);
        self.is_due = !driver.rests_again(&self.waker);
        answer
    }
}

impl<A: Actor> Drop for Loan<'_, A> {
    #[inline]
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            self.cell.seat.put(driver);
        }
        if self.is_due {
            self.waker.wake_by_ref();
        }
    }
}
