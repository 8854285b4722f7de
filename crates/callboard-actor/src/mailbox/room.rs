//! The senders that wait for a place in a lane. Pure: it keeps the wakers and says whom to wake.
//!
//! A place that becomes free is *granted* to the sender that has waited longest in that lane: nobody else can take it,
//! so one waiter is woken per free place and none is overtaken. A sender that gives up hands its grant on.

use std::collections::VecDeque;
use std::task::Waker;

use super::lanes::LANES;

/// The number of one waiting sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// What a ticket is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A place is kept for it.
    Granted,
    /// It is still in the queue.
    Waiting,
}

/// The waiting senders of all lanes.
#[derive(Debug, Default)]
pub(crate) struct Room {
    waiting: VecDeque<Waiting>,
    granted: Vec<(Ticket, usize)>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    lane: usize,
    waker: Waker,
}

impl Room {
    /// Nobody waits and no place is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.granted.is_empty()
    }

    /// Places of this lane that are kept for somebody.
    pub(crate) fn granted(&self, lane: usize) -> usize {
        self.granted.iter().filter(|(_, granted)| *granted == lane).count()
    }

    /// Whether somebody waits for this lane, so that a newcomer has to stand behind.
    pub(crate) fn has_queue(&self, lane: usize) -> bool {
        self.waiting.iter().any(|waiting| waiting.lane == lane)
    }

    /// Joins the queue of a lane.
    pub(crate) fn join(&mut self, lane: usize, waker: &Waker) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push_back(Waiting { ticket, lane, waker: waker.clone() });
        ticket
    }

    /// What the ticket is worth now; a sender that still waits is woken through `waker` from now on. Its old waker is
    /// handed out, to be dropped outside of the lock.
    pub(crate) fn standing(&mut self, ticket: Ticket, waker: &Waker) -> (Standing, Option<Waker>) {
        match self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            Some(waiting) if waiting.waker.will_wake(waker) => (Standing::Waiting, None),
            Some(waiting) => (Standing::Waiting, Some(std::mem::replace(&mut waiting.waker, waker.clone()))),
            None => (Standing::Granted, None),
        }
    }

    /// Gives a ticket back, used or not: the lane whose place becomes free again, if one was kept for it, and the waker,
    /// to be dropped outside of the lock.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> (Option<usize>, Option<Waker>) {
        let waiting = self.waiting.iter().position(|waiting| waiting.ticket == ticket);
        let waker = waiting.and_then(|at| self.waiting.remove(at)).map(|waiting| waiting.waker);
        let kept = self.granted.iter().position(|(granted, _)| *granted == ticket);
        (kept.map(|at| self.granted.swap_remove(at).1), waker)
    }

    /// Grants one free place of a lane to the sender that has waited longest for it; wake the waker outside the lock.
    pub(crate) fn grant(&mut self, lane: usize) -> Option<Waker> {
        let longest = self.waiting.iter().position(|waiting| waiting.lane == lane)?;
        let waiting = self.waiting.remove(longest)?;
        self.granted.push((waiting.ticket, lane));
        Some(waiting.waker)
    }

    /// Everybody that waits, to be told that the mailbox has closed.
    pub(crate) fn close(&mut self) -> Vec<Waker> {
        self.waiting.drain(..).map(|waiting| waiting.waker).collect()
    }

    /// The lanes that somebody waits for, as bits.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = usize> + use<> {
        let wanted = self.waiting.iter().fold(0u8, |set, waiting| set | 1 << waiting.lane);
        (0..LANES).filter(move |lane| wanted & (1 << lane) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_place_goes_to_the_longest_waiting_and_is_handed_on() {
        let mut room = Room::default();
        let (first, second) = (room.join(3, Waker::noop()), room.join(3, Waker::noop()));
        let other = room.join(4, Waker::noop());
        assert!(room.grant(3).is_some());
        assert_eq!(room.standing(first, Waker::noop()).0, Standing::Granted);
        assert_eq!(room.standing(second, Waker::noop()).0, Standing::Waiting);
        assert_eq!((room.granted(3), room.granted(4)), (1, 0));
        assert_eq!(room.leave(first).0, Some(3), "the place is free again");
        assert!(room.grant(3).is_some());
        assert_eq!(room.standing(second, Waker::noop()).0, Standing::Granted);
        assert_eq!(room.leave(other).0, None);
        assert_eq!(room.leave(second).0, Some(3));
        assert!(room.is_empty());
    }
}
