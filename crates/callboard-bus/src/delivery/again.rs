//! An event once more, for the one subscriber that failed at it.

use std::sync::Arc;

use callboard_actor::ErrorCode;

use crate::dead_letter_queue::ForSubscriber;
use crate::event::Event;
use crate::events::{End, Events};
use crate::subscription::{Inbox, Mailbox, Subscriber, Way};

/// Why nobody took it.
pub(crate) type NotTaken = (ErrorCode, &'static str);

const NO_ROOM: NotTaken = (ErrorCode::Busy, "there is no room for it");
const NOBODY: NotTaken = (ErrorCode::Unavailable, "nobody subscribes to it who failed at it then");

impl Events {
    /// Delivers an event to whoever failed at it: the same subscription, or else one of the same owner that has taken its place.
    pub(crate) fn deliver_again(&self, event: &Event, to: &ForSubscriber) -> Result<(), NotTaken> {
        let subscriber = self.successor(event, to).ok_or(NOBODY)?;
        match subscriber.route() {
            Way::Mailbox(mailbox) => self.hear_again(event, &subscriber, mailbox),
            Way::Queue(inbox) => self.enqueue_again(event, &subscriber, inbox),
        }
    }

    fn successor(&self, event: &Event, to: &ForSubscriber) -> Option<Arc<Subscriber>> {
        let (mut same, mut equal) = (None, None);
        self.board().for_each(&mut |subscriber| {
            let channel = subscriber.channel().map(|channel| channel.name());
            if subscriber.is_over() || channel != event.channel() || !subscriber.pattern().matches(&event.name) {
                return;
            }
            if Some(subscriber.id()) == to.subscription {
                same = Some(Arc::clone(subscriber));
            } else if equal.is_none() && subscriber.ear().owner() == to.owner {
                equal = Some(Arc::clone(subscriber));
            }
        });
        same.or(equal)
    }

    fn hear_again(&self, event: &Event, subscriber: &Arc<Subscriber>, mailbox: &dyn Mailbox) -> Result<(), NotTaken> {
        let counts = &self.board().counts;
        counts.begin_again();
        match self.hear_at_once(event.clone(), mailbox) {
            Ok(()) => {
                subscriber.stats().deliver(self.now().into());
                counts.end_of_flight(End::Delivered);
                Ok(())
            }
            Err(code) => {
                let has_ended = code == ErrorCode::Unavailable;
                counts.end_of_flight(if has_ended { End::Ended } else { End::Refused });
                subscriber.stats().fail();
                Err((code, "its subscriber did not take it"))
            }
        }
    }

    fn enqueue_again(&self, event: &Event, subscriber: &Arc<Subscriber>, inbox: &Inbox) -> Result<(), NotTaken> {
        match self.accept(&inbox.queue, event, &[subscriber]) {
            Ok(taken) => {
                self.board().counts.route_again();
                if taken == 0 {
                    return Err(NOBODY);
                }
                self.wake(subscriber);
                Ok(())
            }
            Err(_full) => Err(NO_ROOM),
        }
    }
}
