//! Events by the batch: [`Batch`], and the [`BatchOutcome`] that its handler answers.

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::time::Duration;

use callboard_actor::{ActorId, Fault, Message, Priority, Recipient, Target};
use futures::future::{FutureExt, LocalBoxFuture};

use crate::event::{Event, EventId};
use crate::events::Events;
use crate::subscription::{Ear, Ending, Pace, give_patiently};

/// Events that are handled together: in the order in which they were published, within a priority.
///
/// A handler that fails takes all of them along; it is run again as for every message that is kept. One that can tell says in
/// its answer which ones failed, and only those come again.
///
/// ```
/// use callboard_actor::{Actor, Context, Fault, SyncHandler};
/// use callboard_bus::{Batch, BatchOutcome, Event};
///
/// struct Store;
/// impl Actor for Store {}
///
/// # fn insert(_: &Event) -> Result<(), Fault> { Ok(()) }
/// impl SyncHandler<Batch> for Store {
///     fn handle(&mut self, batch: Batch, _: &mut Context<Self>) -> Result<BatchOutcome, Fault> {
///         let mut outcome = BatchOutcome::default();
///         for event in &batch.events {
///             if let Err(fault) = insert(event) {
///                 outcome.fail(event.id, fault);
///             }
///         }
///         Ok(outcome)
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// At least one, and no more than the subscription asked for.
    pub events: Vec<Event>,
}

impl Message for Batch {
    type Reply = BatchOutcome;
    const KEEP: Option<fn(&Self) -> Self> = Some(Self::clone);
}

/// Which events of a batch failed; all others are handled.
#[derive(Debug, Default)]
pub struct BatchOutcome {
    failed: BTreeMap<EventId, Fault>,
}

impl BatchOutcome {
    /// This event failed. It comes again with the next try, 3 times in all, and then is a dead letter.
    pub fn fail(&mut self, event: EventId, fault: Fault) {
        self.failed.insert(event, fault);
    }

    /// What failed, and why.
    pub fn failed(&self) -> impl Iterator<Item = (EventId, &Fault)> {
        self.failed.iter().map(|(id, fault)| (*id, fault))
    }
}

/// How often an event is tried whose handler says that it failed.
const ATTEMPTS: usize = 3;

/// An actor that takes batches.
pub(crate) struct BatchEar {
    recipient: Recipient<Batch>,
    pace: Pace,
}

impl BatchEar {
    pub(crate) fn new(recipient: Recipient<Batch>, most: usize, linger: Duration) -> Self {
        Self { recipient, pace: Pace { batch: most, linger, side_by_side: 1 } }
    }

    /// Gives those that are still open, as often as it makes sense.
    async fn give_all(&self, events: &Events, group: &[Event]) -> Vec<Ending> {
        let mut endings: Vec<Option<Ending>> = vec![None; group.len()];
        for _ in 0..ATTEMPTS {
            while !self.try_all(events, group, &mut endings).await {}
            if endings.iter().all(Option::is_some) {
                break;
            }
        }
        endings.into_iter().map(|ending| ending.unwrap_or(Ending::FAILED)).collect()
    }

    /// One try. False when it was none, as the time of some was over before their turn.
    async fn try_all(&self, events: &Events, group: &[Event], endings: &mut [Option<Ending>]) -> bool {
        for (event, ending) in group.iter().zip(&mut *endings).filter(|(_, ending)| ending.is_none()) {
            *ending = events.time_left(event).is_none().then_some(Ending::EXPIRED);
        }
        let open: Vec<Event> = open(group, endings).cloned().collect();
        if open.is_empty() {
            return true;
        }
        let given = give_patiently(&self.recipient, || message(events, &open)).await;
        let failed = match given {
            Ok(outcome) => Ok(outcome.failed),
            Err(Some(error)) if Ending::of(&error).end != Ending::EXPIRED.end => Err(Ending::of(&error)),
            Err(_) => return false,
        };
        for (event, ending) in group.iter().zip(endings).filter(|(_, ending)| ending.is_none()) {
            *ending = match &failed {
                Ok(failed) => (!failed.contains_key(&event.id)).then_some(Ending::HANDLED),
                Err(ending) => Some(*ending),
            };
        }
        true
    }
}

fn open<'g>(group: &'g [Event], endings: &[Option<Ending>]) -> impl Iterator<Item = &'g Event> {
    group.iter().zip(endings).filter(|(_, ending)| ending.is_none()).map(|(event, _)| event)
}

/// The batch, as urgent as the most urgent of it, for as long as all of it may be handled; nothing when that is over.
fn message(events: &Events, open: &[Event]) -> Option<(Batch, Priority, Option<Duration>)> {
    let mut ttl = None;
    for event in open {
        ttl = match (ttl, events.time_left(event)?) {
            (Some(one), Some(other)) => Some(Duration::min(one, other)),
            (one, other) => one.or(other),
        };
    }
    let priority = open.iter().map(|event| event.priority).min().unwrap_or_default();
    Some((Batch { events: open.to_vec() }, priority, ttl))
}

impl Ear for BatchEar {
    fn give<'a>(&'a self, events: &'a Events, group: Vec<Event>) -> LocalBoxFuture<'a, Vec<Ending>> {
        async move { self.give_all(events, &group).await }.boxed_local()
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn has_ended(&self) -> bool {
        self.recipient.has_ended()
    }

    fn actor(&self) -> Option<ActorId> {
        Some(Target::id(&self.recipient))
    }

    fn owner(&self) -> String {
        self.recipient.name().unwrap_or_default()
    }

    fn message(&self) -> &'static str {
        type_name::<Batch>()
    }

    fn kind(&self) -> TypeId {
        TypeId::of::<Batch>()
    }
}
