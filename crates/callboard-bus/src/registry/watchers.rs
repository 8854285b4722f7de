//! Who wants to know of arrivals and departures, and what they have not been told yet.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Weak;
use std::time::Duration;

use callboard_actor::{ActorId, Message, Recipient, TellError};

use super::ModuleChange;
use crate::contract::ContractChange;

/// After this long a watcher that had no room is tried again.
const SOON: Duration = Duration::from_millis(10);

/// No longer than this is an open breaker waited for at once: it may be reset by hand.
const LATER: Duration = Duration::from_secs(1);

/// More changes than this are not kept for one watcher without a try to make them fewer.
const MANY: usize = 1024;

/// The watchers. Each is told of every change once and in order; what one cannot take now waits for it here, and keeps
/// nobody else waiting. Where too much would wait, what has passed meanwhile is left out.
pub(super) struct Watchers<C: Change> {
    all: Vec<Watcher<C>>,
}

/// What watchers are told: each is a change of one of many things.
pub(super) trait Change: Message + Clone {
    /// What tells the things apart.
    type Thing<'a>: Eq + Hash
    where
        Self: 'a;

    fn thing(&self) -> Self::Thing<'_>;

    /// One change for all from the first to the last of one thing; nothing when there is nothing to tell to one who has
    /// heard of none of them.
    fn since(first: &Self, last: &Self) -> Option<Self>;
}

struct Watcher<C: Change> {
    recipient: Recipient<C>,
    /// Lives as long as the watch.
    hold: Weak<()>,
    untold: VecDeque<C>,
    /// How many make a try to have fewer worth its while.
    many: usize,
}

impl<C: Change> Default for Watchers<C> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<C: Change> Watchers<C> {
    /// One more, who is told first what is there.
    pub(super) fn add(&mut self, recipient: Recipient<C>, hold: Weak<()>, there: VecDeque<C>) {
        let many = MANY.max(2 * there.len());
        self.all.push(Watcher { recipient, hold, untold: there, many });
    }

    /// Something has changed.
    pub(super) fn note(&mut self, change: &C) {
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

impl<C: Change> Watcher<C> {
    fn note(&mut self, change: &C) {
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

/// What is left to tell of each thing: that it has gone, or how it is now, in the order in which that came to be. Of one
/// that came and went meanwhile nothing is.
fn without_the_past<C: Change>(untold: &VecDeque<C>) -> VecDeque<C> {
    let mut first: HashMap<C::Thing<'_>, &C> = HashMap::new();
    let mut last = HashMap::new();
    for (place, change) in untold.iter().enumerate() {
        first.entry(change.thing()).or_insert(change);
        last.insert(change.thing(), place);
    }
    let lasting: HashSet<usize> = last.into_values().collect();
    let lasting = untold.iter().enumerate().filter(|(place, _)| lasting.contains(place));
    lasting.filter_map(|(_, change)| C::since(first[&change.thing()], change)).collect()
}

/// Who has not been told of an arrival knows nothing of the instance.
impl Change for ModuleChange {
    type Thing<'a> = (ActorId, &'a str);

    fn thing(&self) -> Self::Thing<'_> {
        let descriptor = self.descriptor();
        (descriptor.actor, &descriptor.name)
    }

    fn since(first: &Self, last: &Self) -> Option<Self> {
        let is_news = matches!(first, Self::Arrived(_));
        match last {
            Self::Departed(_) if is_news => None,
            Self::Departed(_) => Some(last.clone()),
            Self::Arrived(now) | Self::Changed(now) if is_news => Some(Self::Arrived(now.clone())),
            Self::Arrived(now) | Self::Changed(now) => Some(Self::Changed(now.clone())),
        }
    }
}

/// Who has not been told that a contract was made knows nothing of it.
impl Change for ContractChange {
    type Thing<'a> = [&'a str; 3];

    fn thing(&self) -> Self::Thing<'_> {
        let contract = self.contract();
        [&contract.consumer, &contract.provider, &contract.capability]
    }

    fn since(first: &Self, last: &Self) -> Option<Self> {
        let is_news = matches!(first, Self::Made(_));
        match last {
            Self::Forgotten(_) if is_news => None,
            Self::Mended(contract) if is_news => Some(Self::Made(contract.clone())),
            _ => Some(last.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
