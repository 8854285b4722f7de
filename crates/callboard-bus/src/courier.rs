//! Who brings the events of a queue to a subscriber, and waits until they are handled: the actor [`Courier`], one for each
//! subscription that has a queue.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Actor, ActorRef, Context, Fault, Handler, Message, Overflow, child};
use futures::future::select;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::event::Event;
use crate::events::Events;
use crate::monitoring;
use crate::subscription::{Ending, Inbox, Subscriber};

/// Starts the courier of a subscription, if it needs one.
pub(crate) fn employ(events: &Events, subscriber: &Arc<Subscriber>) {
    let Some(inbox) = subscriber.inbox() else { return };
    monitoring::maintain(events.system());
    let (own, subscribed) = (events.clone(), Arc::clone(subscriber));
    let make = move || Courier { events: own.clone(), subscriber: Arc::clone(&subscribed) };
    let name = format!("events:{}", subscriber.pattern());
    let courier: ActorRef<Courier> = events.system().spawn(child(name, make).overflow(Overflow::Reject));
    inbox.employ(courier.downgrade(), courier.id());
}

/// See the head of this file. What waits outlives it: that is in the queue.
#[derive(Debug)]
pub(crate) struct Courier {
    events: Events,
    subscriber: Arc<Subscriber>,
}

/// Something has come.
pub(crate) struct Wake;

impl Message for Wake {
    type Reply = ();
}

impl Actor for Courier {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Fault> {
        if let Some(inbox) = self.subscriber.inbox() {
            inbox.begin();
        }
        Ok(())
    }
}

impl Handler<Wake> for Courier {
    /// One turn lasts until nothing is left to bring and nothing is in hand.
    async fn handle(&mut self, _: Wake, _: &mut Context<Self>) -> Result<(), Fault> {
        let Some(inbox) = self.subscriber.inbox() else { return Ok(()) };
        let (mut gathered, mut in_hand) = (Vec::new(), FuturesUnordered::new());
        loop {
            let has_hands = in_hand.len() < inbox.pace.side_by_side;
            if has_hands {
                self.gather(inbox, &mut gathered);
            }
            let patience = self.patience(inbox, &gathered).filter(|_| has_hands);
            if patience == Some(Duration::ZERO) {
                in_hand.push(self.bring(inbox, std::mem::take(&mut gathered)));
                continue;
            }
            let is_idle = in_hand.is_empty() && gathered.is_empty();
            if is_idle && (self.subscriber.has_ended() || inbox.may_rest()) {
                return Ok(());
            }
            if !is_idle {
                let next = async { if in_hand.is_empty() { pending().await } else { in_hand.next().await } };
                select(Box::pin(next), Box::pin(anything_new(inbox, patience))).await;
            }
        }
    }
}

/// Ends when the bell rings, or patience does.
async fn anything_new(inbox: &Inbox, patience: Option<Duration>) {
    let over = async {
        match patience {
            Some(patience) => tokio::time::sleep(patience).await,
            None => pending().await,
        }
    };
    select(Box::pin(inbox.bell.notified()), Box::pin(over)).await;
}

impl Courier {
    /// Takes what there is, up to what can be brought together. A subscription that has ended takes nothing.
    fn gather(&self, inbox: &Inbox, gathered: &mut Vec<Held>) {
        if self.subscriber.has_ended() {
            gathered.clear();
            return;
        }
        while gathered.len() < inbox.pace.batch {
            let Some((place, event)) = inbox.take() else { return };
            let held = Held {
                events: self.events.clone(),
                subscriber: Arc::clone(&self.subscriber),
                place,
                event,
                ending: Ending::ENDED,
            };
            match self.events.time_left(&held.event) {
                Some(_) => gathered.push(held),
                None => held.end(Ending::EXPIRED),
            }
        }
    }

    /// How long what has been gathered may wait for more to come.
    fn patience(&self, inbox: &Inbox, gathered: &[Held]) -> Option<Duration> {
        let oldest = gathered.iter().map(|held| held.event.time).min()?;
        let waited = self.events.now().duration_since(oldest).unwrap_or_default();
        let is_full = gathered.len() >= inbox.pace.batch;
        Some(if is_full { Duration::ZERO } else { inbox.pace.linger.saturating_sub(waited) })
    }

    /// Gives events to the subscriber, and ends them as that ends.
    async fn bring(&self, inbox: &Inbox, group: Vec<Held>) {
        let events = group.iter().map(|held| held.event.clone()).collect();
        let endings = inbox.ear.give(&self.events, events).await;
        let has_ended = endings.contains(&Ending::ENDED);
        for (held, ending) in group.into_iter().zip(endings) {
            held.end(ending);
        }
        if has_ended {
            self.events.retire(&self.subscriber);
        }
    }
}

/// An event that a subscriber has in hand. Whatever becomes of the courier, it ends.
struct Held {
    events: Events,
    subscriber: Arc<Subscriber>,
    place: u64,
    event: Event,
    ending: Ending,
}

impl Held {
    fn end(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(inbox) = self.subscriber.inbox() {
            inbox.queue.done(self.place);
        }
        self.events.settle(&self.subscriber, &self.event, &self.ending);
    }
}
