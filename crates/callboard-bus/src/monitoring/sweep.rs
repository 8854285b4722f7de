//! Events whose time to live is over leave the queues that they wait in, so that they take no room there.

use std::sync::Arc;

use crate::events::Events;
use crate::subscription::{Ending, Subscriber};

/// What a subscriber is given is looked at again when it is: this is for the room, and for dead letters in time.
pub(super) fn sweep(events: &Events) {
    if events.directory().room().held() == 0 {
        return;
    }
    let mut served: Vec<Arc<Subscriber>> = Vec::new();
    events.for_each_subscriber(&mut |subscriber| {
        if subscriber.inbox().is_some() {
            served.push(Arc::clone(subscriber));
        }
    });
    for subscriber in &served {
        let Some(inbox) = subscriber.inbox() else { continue };
        // Dead letters are written outside of the queue's lock.
        let over = inbox.queue.take_over(subscriber.number(), |event| events.time_left(event).is_none());
        over.iter().for_each(|event| events.settle(subscriber, event, &Ending::EXPIRED));
    }
}
