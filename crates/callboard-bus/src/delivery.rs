//! The way of an event to those who want it: straight into the mailboxes of actors, or into the queue of a channel, from
//! where a [courier](crate::courier) brings it. There is no other.

mod again;
mod filing;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use callboard_actor::{ActorId, DeadReason, ErrorCode, Priority};
use futures::future::join_all;

use crate::channel::{Accepted, Channel, Full, Queue};
use crate::event::{Event, EventId};
use crate::events::{End, Events, Table};
use crate::publish::{PublishError, Receipt};
use crate::subscription::{Ending, Inbox, Mailbox, Moment, Subscriber, Way};
use crate::value::ValueError;

/// What has come of an event so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    delivered: usize,
    queued: usize,
    refused: usize,
    filtered: usize,
    ended: usize,
}

impl Heard {
    /// Whether all there was is one delivery, which its subscriber took at once.
    #[inline]
    fn is_straight(self) -> bool {
        self == Self { delivered: 1, ..Self::default() }
    }

    pub(crate) fn receipt(self, id: EventId) -> Receipt {
        Receipt { id, delivered: self.delivered + self.queued, refused: self.refused, filtered: self.filtered }
    }

    fn note(&mut self, end: End) {
        match end {
            End::Delivered => self.delivered += 1,
            End::Ended => self.ended += 1,
            _ => self.refused += 1,
        }
    }
}

impl Events {
    /// Sends an event to those who have room. Nobody waits for the others.
    pub(crate) fn deliver_at_once(&self, event: &mut Event) {
        let (_, waiting) = self.deliver_now(event, |_| true);
        for subscriber in waiting {
            if let Way::Mailbox(mailbox) = subscriber.route() {
                Wait::begin(self).end(self.not_heard(event, &subscriber, mailbox, ErrorCode::Busy));
            }
        }
    }

    /// Sends an event to those among `takes` who are on no channel and have room, and says who has none.
    #[inline]
    pub(crate) fn deliver_now(
        &self,
        event: &mut Event,
        mut takes: impl FnMut(&Subscriber) -> bool,
    ) -> (Heard, Vec<Arc<Subscriber>>) {
        let (mut heard, mut waiting) = (Heard::default(), Vec::new());
        let (published, mut shares) = event.hand_out();
        // For those who do more with it than to take it, if there are any: one for all of them.
        let mut shown = None;
        let (table, at) = (self.board().table(), Moment::from(published.time));
        table.for_each_of(&published.name, &mut |subscriber| {
            if subscriber.has_ended() || !takes(subscriber) {
                return;
            }
            if subscriber.has_conditions()
                && !self.is_wanted_by(subscriber, shown.get_or_insert_with(|| shares.split()))
            {
                heard.filtered += 1;
                return;
            }
            match subscriber.route() {
                Way::Mailbox(mailbox) => match self.hear_at_once(shares.split(), mailbox) {
                    Ok(()) => {
                        subscriber.stats().deliver(at);
                        heard.delivered += 1;
                    }
                    Err(ErrorCode::Busy) => waiting.push(Arc::clone(subscriber)),
                    Err(reason) => {
                        let event = shown.get_or_insert_with(|| shares.split());
                        heard.note(self.not_heard(event, subscriber, mailbox, reason));
                    }
                },
                Way::Queue(inbox) => {
                    let event = shown.get_or_insert_with(|| shares.split());
                    self.enqueue(event, subscriber, inbox, &mut heard);
                }
            }
        });
        self.book(heard, waiting.len());
        (heard, waiting)
    }

    #[inline]
    fn hear_at_once(&self, event: Event, mailbox: &dyn Mailbox) -> Result<(), ErrorCode> {
        // Where nothing is left of it, the mailbox finds that out.
        let ttl = self.time_left(&event).unwrap_or_default();
        mailbox.hear_at_once(event, ttl)
    }

    /// All at once, so that no subscriber waits for the room of another.
    pub(crate) async fn deliver_waiting(
        &self,
        event: &Event,
        mut heard: Heard,
        waiting: Vec<Arc<Subscriber>>,
    ) -> Receipt {
        let waits: Vec<_> = waiting.iter().map(|subscriber| (subscriber, Wait::begin(self))).collect();
        let waits = waits.into_iter().map(async |(subscriber, wait)| {
            let Way::Mailbox(mailbox) = subscriber.route() else { return wait.end(End::Ended) };
            let ttl = self.time_left(event).unwrap_or_default();
            wait.end(match mailbox.hear(event.clone(), ttl).await {
                Ok(()) => {
                    subscriber.stats().deliver(self.now().into());
                    End::Delivered
                }
                Err(reason) => self.not_heard(event, subscriber, mailbox, reason),
            })
        });
        join_all(waits).await.into_iter().for_each(|end| heard.note(end));
        heard.receipt(event.id)
    }

    /// What was not taken becomes a dead letter, and who has ended leaves.
    fn not_heard(&self, event: &Event, subscriber: &Arc<Subscriber>, mailbox: &dyn Mailbox, reason: ErrorCode) -> End {
        if reason == ErrorCode::Unavailable {
            self.retire(subscriber);
            return End::Ended;
        }
        mailbox.bury();
        subscriber.stats().fail();
        self.file(event, subscriber, reason, None);
        End::Refused
    }

    /// The books of an event that is on no channel; who waits for room is in flight.
    fn book(&self, heard: Heard, waiting: usize) {
        let counts = &self.board().counts;
        if waiting == 0 && heard.is_straight() {
            return counts.publish_straight();
        }
        let wanted = heard.delivered + heard.queued + heard.refused + waiting;
        counts.publish((wanted + heard.filtered + heard.ended) as u64, wanted > 0);
        counts.end(End::Delivered, heard.delivered as u64);
        counts.end(End::Filtered, heard.filtered as u64);
        counts.end(End::Refused, heard.refused as u64);
        counts.end(End::Ended, heard.ended as u64);
    }

    /// Leaves an event in the queue of a channel for all among `takes` who want it, or for none.
    pub(crate) fn deliver_on(
        &self,
        channel: &Channel,
        event: &mut Event,
        takes: impl FnMut(&Subscriber) -> bool,
    ) -> Result<Receipt, PublishError> {
        let table = channel.table.load_full();
        let (wanting, filtered) = self.who_wants(&table, event, takes);
        let accepted = self.accept(&channel.queue, event, &wanting);
        let queued = accepted.map_err(|full| self.full(channel, full))?;
        let counts = &self.board().counts;
        channel.published.fetch_add(1, Ordering::Relaxed);
        counts.publish((wanting.len() + filtered) as u64, !wanting.is_empty());
        counts.end(End::Filtered, filtered as u64);
        self.board().publish_again(event);
        wanting.iter().for_each(|subscriber| self.wake(subscriber));
        Ok(Heard { queued, filtered, ..Heard::default() }.receipt(event.id))
    }

    /// Those who want an event, and how many do not though its name matches.
    fn who_wants<'t>(
        &self,
        table: &'t Table,
        event: &Event,
        mut takes: impl FnMut(&Subscriber) -> bool,
    ) -> (Vec<&'t Arc<Subscriber>>, usize) {
        let mut found = table.find(&event.name);
        found.retain(|subscriber| !subscriber.has_ended());
        let before = found.len();
        found.retain(|subscriber| self.is_wanted_by(subscriber, event));
        let filtered = before - found.len();
        found.retain(|subscriber| takes(subscriber));
        (found, filtered)
    }

    /// Puts an event into a queue. It is in flight before anybody can take it from there.
    fn accept(&self, queue: &Queue, event: &Event, receivers: &[&Arc<Subscriber>]) -> Result<usize, Full> {
        if receivers.is_empty() {
            return Ok(0);
        }
        let counts = &self.board().counts;
        let numbers: Vec<u64> = receivers.iter().map(|subscriber| subscriber.number()).collect();
        counts.begin(numbers.len() as u64);
        let Accepted { receivers: accepted, dropped } = queue.accept(event, &numbers);
        for (event, numbers) in dropped {
            self.overflow(&event, &numbers);
        }
        match accepted {
            Ok(accepted) => {
                // The others have left just now.
                (accepted.len()..numbers.len()).for_each(|_| counts.end_of_flight(End::Ended));
                Ok(accepted.len())
            }
            Err(full) => {
                counts.cancel(numbers.len() as u64);
                Err(full)
            }
        }
    }

    /// An event in the own queue of a subscription. What finds no room there is a dead letter.
    fn enqueue(&self, event: &Event, subscriber: &Arc<Subscriber>, inbox: &Inbox, heard: &mut Heard) {
        match self.accept(&inbox.queue, event, &[subscriber]) {
            Ok(0) => heard.queued += 0,
            // It may have left in this very moment.
            Ok(_) => {
                heard.queued += 1;
                self.wake(subscriber);
            }
            Err(_full) => {
                heard.refused += 1;
                subscriber.stats().fail();
                self.bury(event, subscriber, DeadReason::Overflow);
                self.file(event, subscriber, ErrorCode::Busy, None);
            }
        }
    }

    /// An event has made room for another one.
    fn overflow(&self, event: &Event, receivers: &[u64]) {
        receivers.iter().for_each(|_| self.board().counts.end_of_flight(End::Overflowed));
        let Some(channel) = event.channel().and_then(|name| self.directory().find(name.as_str())) else { return };
        channel.table.load().for_each(&mut |subscriber| {
            if receivers.binary_search(&subscriber.number()).is_ok() {
                subscriber.stats().fail();
                self.bury(event, subscriber, DeadReason::Overflow);
                self.file(event, subscriber, ErrorCode::Busy, None);
            }
        });
    }

    /// Tells the courier. One that has ended with the system brings nothing any more.
    fn wake(&self, subscriber: &Arc<Subscriber>) {
        if subscriber.inbox().is_some_and(|inbox| !inbox.wake()) {
            self.retire(subscriber);
        }
    }

    fn full(&self, channel: &Channel, full: Full) -> PublishError {
        self.board().counts.reject();
        let name = channel.name().to_string();
        match full {
            Full::Queue => PublishError::ChannelFull { channel: name, bound: channel.queue.bound() },
            Full::System => PublishError::SystemFull { channel: name, limit: self.directory().room().limit() },
        }
    }

    #[inline]
    fn is_wanted_by(&self, subscriber: &Subscriber, event: &Event) -> bool {
        subscriber.wants(event).unwrap_or_else(|_| {
            self.board().counts.filter_error();
            false
        })
    }

    /// How a delivery ends that went through a queue.
    pub(crate) fn settle(&self, subscriber: &Subscriber, event: &Event, ending: &Ending) {
        self.board().counts.end_of_flight(ending.end);
        match ending.end {
            End::Delivered => {
                subscriber.stats().deliver(self.now().into());
                if let Some(channel) = subscriber.channel() {
                    channel.delivered.fetch_add(1, Ordering::Relaxed);
                }
            }
            End::Failed | End::Refused => subscriber.stats().fail(),
            _ => {}
        }
        if let Some(reason) = ending.dead {
            self.bury(event, subscriber, reason);
        }
        // What an actor has taken is a letter of its mailbox or of its quarantine.
        if let Some(code) = ending.code.filter(|_| ending.end != End::Ended && !ending.is_told) {
            self.file(event, subscriber, code, ending.failure.as_deref());
        }
    }

    /// What still waits for a subscription that has ended.
    pub(crate) fn forget(&self, subscriber: &Subscriber) {
        let Some(inbox) = subscriber.inbox() else { return };
        let left = inbox.leave();
        left.iter().for_each(|event| self.settle(subscriber, event, &Ending::ENDED));
        inbox.dismiss();
    }

    /// A dead letter of an event that was in no mailbox.
    fn bury(&self, event: &Event, subscriber: &Subscriber, reason: DeadReason) {
        if let Some(id) = subscriber.actor() {
            let ear = subscriber.ear();
            let (owner, lineage) = ((ear.owner(), id), Some(event.lineage()));
            self.system().record_dead_letter(owner, ear.message(), event.priority, reason, lineage);
        }
    }

    /// An event that was taken and could not be read.
    pub(crate) fn unreadable(&self, event: &Event, _: Priority, (actor, name): (ActorId, String), fault: &ValueError) {
        self.file_unreadable(event, actor, name, fault);
    }
}

/// Somebody waits for room. Who stops waiting has given up.
struct Wait<'e> {
    events: &'e Events,
    end: End,
}

impl<'e> Wait<'e> {
    fn begin(events: &'e Events) -> Self {
        events.board().counts.begin(1);
        Self { events, end: End::GivenUp }
    }

    fn end(mut self, end: End) -> End {
        self.end = end;
        end
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.events.board().counts.end_of_flight(self.end);
    }
}
