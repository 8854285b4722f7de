//! Who wants to know of arrivals and departures, and what they have not been told yet.

use std::collections::VecDeque;
use std::time::Duration;

use callboard_actor::{Recipient, TellError};

use super::ModuleChange;

/// After this long a watcher that had no room is tried again.
const SOON: Duration = Duration::from_millis(10);

/// No longer than this is an open breaker waited for at once: it may be reset by hand.
const LATER: Duration = Duration::from_secs(1);

/// The watchers. Each is told of every change once and in order; what one cannot take now waits for it here, and keeps
/// nobody else waiting.
#[derive(Default)]
pub(super) struct Watchers {
    all: Vec<Watcher>,
}

struct Watcher {
    recipient: Recipient<ModuleChange>,
    untold: VecDeque<ModuleChange>,
}

impl Watchers {
    /// One more, who is told first what is there.
    pub(super) fn add(&mut self, recipient: Recipient<ModuleChange>, there: VecDeque<ModuleChange>) {
        self.all.push(Watcher { recipient, untold: there });
    }

    /// Something has changed.
    pub(super) fn note(&mut self, change: &ModuleChange) {
        self.all.iter_mut().for_each(|watcher| watcher.untold.push_back(change.clone()));
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
    fn tell(&mut self) -> Told {
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
