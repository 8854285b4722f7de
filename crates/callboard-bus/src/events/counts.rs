//! The books of events: what became of each event at each subscription that its name led to.

use std::sync::atomic::{AtomicU64, Ordering};

use callboard_actor::Count;
use serde::Serialize;

/// What became of the events of a system, since its start.
///
/// An event and a subscription whose pattern stands for its name make one delivery, and a dead letter that is
/// [retried](crate::dead_letter_queue::Retry) makes another. Each delivery is in exactly one of the
/// counts from `delivered` to `in_flight`, and `routed` is their sum. What is in the mailbox of an actor is delivered as far
/// as the bus is concerned, and from then on in the [books of the actor](callboard_actor::MessageCounts); on channels, in
/// batches and with functions a delivery ends when its handler does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventCounts {
    /// Events published, those that nobody wanted included.
    pub published: u64,
    /// Events among them that no subscription's name, type and filter let in.
    pub unrouted: u64,
    /// Events that were not published on a channel, as that was full or their data was not what it says of its messages.
    pub rejected: u64,
    /// Deliveries.
    pub routed: u64,
    /// In the mailbox of the subscriber; or handled, where that is waited for.
    pub delivered: u64,
    /// The type or the filter of the subscription did not let it in.
    pub filtered: u64,
    /// A dead letter, as the subscriber did not take it.
    pub refused: u64,
    /// A dead letter, as its time to live was over.
    pub expired: u64,
    /// A dead letter, as it made room for others in a full channel.
    pub overflowed: u64,
    /// In quarantine or a dead letter, as its handler failed.
    pub failed: u64,
    /// The subscriber ended, or its subscription did, before it was handled.
    pub ended: u64,
    /// The publisher stopped waiting for room.
    pub given_up: u64,
    /// Accepted by a channel and not handled, or waiting for room.
    pub in_flight: u64,
    /// Filters that panicked or did not fit the event, each of which is counted as `filtered` as well.
    pub filter_errors: u64,
    /// Events among `published` that the [store](crate::EventStore) did not take.
    pub unstored: u64,
}

impl EventCounts {
    /// Whether each delivery is in exactly one count, which holds whenever nobody publishes and nobody handles.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        let dead = self.refused + self.expired + self.overflowed + self.failed;
        self.routed == self.delivered + self.filtered + dead + self.ended + self.given_up + self.in_flight
    }
}

/// How a delivery ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Delivered,
    Filtered,
    Refused,
    Expired,
    Overflowed,
    Failed,
    Ended,
    GivenUp,
}

/// The books as they are written.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Events with one delivery, whose subscriber took it at once: nearly all. Each is published, routed and delivered once,
    /// and counted in none of the others.
    straight: Count,
    published: Count,
    unrouted: Count,
    rejected: Count,
    routed: Count,
    in_flight: AtomicU64,
    filter_errors: Count,
    unstored: AtomicU64,
    ends: [Count; 8],
}

impl Counts {
    /// An event is published with one delivery, which its subscriber has taken.
    #[inline]
    pub(crate) fn publish_straight(&self) {
        self.straight.add(1);
    }

    /// An event is published, with so many deliveries.
    pub(crate) fn publish(&self, routed: u64, is_wanted: bool) {
        self.published.add(1);
        if routed > 0 {
            self.routed.add(routed);
        }
        if !is_wanted {
            self.unrouted.add(1);
        }
    }

    pub(crate) fn reject(&self) {
        self.rejected.add(1);
    }

    pub(crate) fn filter_error(&self) {
        self.filter_errors.add(1);
    }

    /// The store did not take an event: how many that makes.
    pub(super) fn miss(&self) -> u64 {
        self.unstored.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// So many deliveries end.
    pub(crate) fn end(&self, how: End, count: u64) {
        if count > 0 {
            self.ends[how as usize].add(count);
        }
    }

    /// So many deliveries take a while.
    pub(crate) fn begin(&self, count: u64) {
        self.in_flight.fetch_add(count, Ordering::Relaxed);
    }

    /// A delivery that has taken place before begins again.
    pub(crate) fn begin_again(&self) {
        self.route_again();
        self.begin(1);
    }

    /// The same of one that is counted as begun.
    pub(crate) fn route_again(&self) {
        self.routed.add(1);
    }

    /// So many deliveries do not take place.
    pub(crate) fn cancel(&self, count: u64) {
        self.in_flight.fetch_sub(count, Ordering::Relaxed);
    }

    /// A delivery ends that has taken a while.
    pub(crate) fn end_of_flight(&self, how: End) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.end(how, 1);
    }

    pub(crate) fn read(&self) -> EventCounts {
        let of = |end: End| self.ends[end as usize].read();
        let straight = self.straight.read();
        EventCounts {
            published: straight + self.published.read(),
            unrouted: self.unrouted.read(),
            rejected: self.rejected.read(),
            routed: straight + self.routed.read(),
            delivered: straight + of(End::Delivered),
            filtered: of(End::Filtered),
            refused: of(End::Refused),
            expired: of(End::Expired),
            overflowed: of(End::Overflowed),
            failed: of(End::Failed),
            ended: of(End::Ended),
            given_up: of(End::GivenUp),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            filter_errors: self.filter_errors.read(),
            unstored: self.unstored.load(Ordering::Relaxed),
        }
    }
}
