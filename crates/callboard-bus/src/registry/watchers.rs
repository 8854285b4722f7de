//! Who wants to know of arrivals and departures, and what they have not been told yet.

use std::collections::{HashMap, VecDeque};
use std::sync::Weak;
use std::time::Duration;

use callboard_actor::{ActorId, Recipient, TellError};

use super::ModuleChange;

/// After this long a watcher that had no room is tried again.
const SOON: Duration = Duration::from_millis(10);

/// No longer than this is an open breaker waited for at once: it may be reset by hand.
const LATER: Duration = Duration::from_secs(1);

/// More changes than this are not kept for one watcher without a try to make them fewer.
const MANY: usize = 1024;

/// The watchers. Each is told of every change once and in order; what one cannot take now waits for it here, and keeps
/// nobody else waiting. Where too much would wait, what has passed meanwhile is left out.
#[derive(Default)]
pub(super) struct Watchers {
    all: Vec<Watcher>,
}

struct Watcher {
    recipient: Recipient<ModuleChange>,
    /// Lives as long as the watch.
    hold: Weak<()>,
    untold: VecDeque<ModuleChange>,
    /// How many make a try to have fewer worth its while.
    many: usize,
}

impl Watchers {
    /// One more, who is told first what is there.
    pub(super) fn add(&mut self, recipient: Recipient<ModuleChange>, hold: Weak<()>, there: VecDeque<ModuleChange>) {
        let many = MANY.max(2 * there.len());
        self.all.push(Watcher { recipient, hold, untold: there, many });
    }

    /// Something has changed.
    pub(super) fn note(&mut self, change: &ModuleChange) {
        self.all.iter_mut().for_each(|watcher| watcher.note(change));
    }

    /// Tells what there is to tell and forgets those who have ended. Says when to come again, if something is left.
    pub(super) fn tell(&mut self) -> Option<Duration> {
        let mut again: Option<Duration> = None;
        self.all.retain_mut(|watcher| match watcher.tell() {
            Told::All => true,
            Told::NotAll(wait) => {
                again = Some(again.map_or(wait, |other| other.min(wait)));
                true
            }
            Told::Gone => false,
        });
        again
    }
}

/// How far the telling came.
enum Told {
    All,
    NotAll(Duration),
    Gone,
}

impl Watcher {
    fn note(&mut self, change: &ModuleChange) {
        self.untold.push_back(change.clone());
        if self.untold.len() > self.many {
            self.untold = without_the_past(&self.untold);
            // Half of it has to be new before the next try, so that a change costs the same however many wait.
            self.many = MANY.max(2 * self.untold.len());
        }
    }

    fn tell(&mut self) -> Told {
        if self.hold.strong_count() == 0 {
            return Told::Gone;
        }
        while let Some(change) = self.untold.pop_front() {
            let (wait, change) = match self.recipient.try_tell(change) {
                Ok(()) => continue,
                Err(TellError::Full(change)) => (SOON, change),
                Err(TellError::Refused { retry_after, message }) => (retry_after.min(LATER), message),
                // It does not want to hear this; it may want to hear the next.
                Err(TellError::Denied { .. }) => continue,
                Err(_) => return Told::Gone,
            };
            self.untold.push_front(change);
            return Told::NotAll(wait);
        }
        Told::All
    }
}

/// What is left to tell of each instance: that it has gone, or how it is now, in the order in which that came to be. Of one
/// that came and went meanwhile nothing is.
fn without_the_past(untold: &VecDeque<ModuleChange>) -> VecDeque<ModuleChange> {
    let mut first: HashMap<Instance<'_>, &ModuleChange> = HashMap::new();
    let mut last = HashMap::new();
    for (place, change) in untold.iter().enumerate() {
        first.entry(instance(change)).or_insert(change);
        last.insert(instance(change), place);
    }
    let is_last = |(place, change): &(usize, &ModuleChange)| last[&instance(change)] == *place;
    let lasting = untold.iter().enumerate().filter(is_last);
    lasting.filter_map(|(_, change)| since(first[&instance(change)], change)).collect()
}

type Instance<'a> = (ActorId, &'a str);

fn instance(change: &ModuleChange) -> Instance<'_> {
    let descriptor = change.descriptor();
    (descriptor.actor, &descriptor.name)
}

/// One change for all from the first to the last: who has not been told of an arrival knows nothing of the instance.
fn since(first: &ModuleChange, last: &ModuleChange) -> Option<ModuleChange> {
    let is_news = matches!(first, ModuleChange::Arrived(_));
    match last {
        ModuleChange::Departed(_) if is_news => None,
        ModuleChange::Departed(_) => Some(last.clone()),
        ModuleChange::Arrived(now) | ModuleChange::Changed(now) if is_news => Some(ModuleChange::Arrived(now.clone())),
        ModuleChange::Arrived(now) | ModuleChange::Changed(now) => Some(ModuleChange::Changed(now.clone())),
    }
}

#[cfg(test)]
mod tests;
