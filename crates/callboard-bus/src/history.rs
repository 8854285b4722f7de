//! The events that were published last: [`History`], pure, and [`HistoryQuery`] to look into it.

mod store;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

pub use self::store::{BuilderEventsExt, EventStore, EventStoreError, StoreFault};
use crate::event::Event;
use crate::events::Events;
use crate::pattern::Pattern;

/// The last so many events, oldest first.
#[derive(Debug)]
pub(crate) struct History {
    kept: VecDeque<Event>,
    capacity: usize,
}

impl Default for History {
    /// 1,000 events.
    fn default() -> Self {
        Self { kept: VecDeque::new(), capacity: 1_000 }
    }
}

impl History {
    /// Keeps an event. What falls out is given back, so that it can be dropped outside of a lock.
    pub(crate) fn push(&mut self, event: &mut Event) -> Option<Event> {
        if self.capacity == 0 {
            return None;
        }
        let fallen = if self.kept.len() == self.capacity { self.kept.pop_front() } else { None };
        self.kept.push_back(event.split());
        fallen
    }

    /// Keeps so many from now on. What falls out is given back.
    pub(crate) fn resize(&mut self, capacity: usize) -> Vec<Event> {
        self.capacity = capacity;
        let surplus = self.kept.len().saturating_sub(capacity);
        self.kept.drain(..surplus).collect()
    }

    /// Puts those before all others that were published before them, as many as there is room for.
    pub(crate) fn put_before(&mut self, earlier: Vec<Event>) {
        let room = self.capacity.saturating_sub(self.kept.len());
        for event in earlier.into_iter().rev().take(room) {
            self.kept.push_front(event);
        }
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.kept.iter()
    }

    /// How many are kept, and how many may be.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.kept.len(), self.capacity)
    }

    fn newest_first(&self) -> impl Iterator<Item = &Event> {
        self.kept.iter().rev()
    }
}

/// Looks for events among those that were published last. Whether anybody got them does not count.
///
/// ```
/// # use callboard_actor::{Drain, System, block_on};
/// # use callboard_bus::{EventsExt, Value};
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// for name in ["order.created", "order.paid", "mail.sent"] {
///     system.publish(name, Value::Null).await?;
/// }
/// let orders = system.events().history().matching("order.*".parse()?).list();
/// assert_eq!(orders[0].name.as_str(), "order.paid");
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a query does nothing before `list`"]
pub struct HistoryQuery {
    events: Events,
    pattern: Option<Pattern>,
    channel: Option<Arc<str>>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    limit: usize,
}

impl HistoryQuery {
    pub(crate) fn new(events: Events) -> Self {
        Self { events, pattern: None, channel: None, since: None, until: None, limit: usize::MAX }
    }

    /// Only events whose names match.
    pub fn matching(mut self, pattern: Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// Only events of this channel.
    pub fn on_channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.into());
        self
    }

    /// Only events of this moment and later ones.
    pub fn since(mut self, moment: SystemTime) -> Self {
        self.since = Some(moment);
        self
    }

    /// Only events before this moment.
    pub fn until(mut self, moment: SystemTime) -> Self {
        self.until = Some(moment);
        self
    }

    /// At most so many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The events, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Event> {
        let find = |history: &History| {
            history.newest_first().filter(|event| self.takes(event)).take(self.limit).cloned().collect()
        };
        self.events.read_history(find)
    }

    fn takes(&self, event: &Event) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(&event.name))
            && self.channel.as_ref().is_none_or(|own| event.channel().is_some_and(|channel| channel.as_str() == &**own))
            && self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
    }
}
