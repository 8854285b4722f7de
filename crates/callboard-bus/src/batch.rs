//! Events by the batch: [`Batch`], and the [`BatchOutcome`] that its handler answers.

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::time::Duration;

use callboard_actor::{ActorId, Fault, Message, Priority, Recipient, Target};
use futures::future::{FutureExt, LocalBoxFuture};

use crate::event::{Event, EventId};
use crate::events::Events;
use crate::operation::roll;
use crate::retry::RetryPolicy;
use crate::subscription::{Ear, Ending, Failure, Pace, Tries, give_patiently};

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
    const KEEP: Option<fn(&mut Self) -> Self> =
        Some(|batch| Self { events: batch.events.iter_mut().map(Event::split).collect() });
}

/// Which events of a batch failed; all others are handled.
#[derive(Debug, Default)]
pub struct BatchOutcome {
    failed: BTreeMap<EventId, Fault>,
}

impl BatchOutcome {
    /// This event failed. It comes again with the next try, 3 times in all or as [`retry`](crate::Subscribe::retry) says, and
    /// then is a dead letter.
    pub fn fail(&mut self, event: EventId, fault: Fault) {
        self.failed.insert(event, fault);
    }

    /// What failed, and why.
    pub fn failed(&self) -> impl Iterator<Item = (EventId, &Fault)> {
        self.failed.iter().map(|(id, fault)| (*id, fault))
    }
}

/// An actor that takes batches.
pub(crate) struct BatchEar {
    recipient: Recipient<Batch>,
    pace: Pace,
    tries: Tries,
}

/// What has become of an event of a batch so far.
#[derive(Clone, Default)]
struct Fate {
    ending: Option<Ending>,
    /// Why its handler failed the last time.
    failure: Option<Failure>,
}

impl BatchEar {
    pub(crate) fn new(recipient: Recipient<Batch>, most: usize, linger: Duration) -> Self {
        let pace = Pace { batch: most, linger, side_by_side: 1 };
        Self { recipient, pace, tries: Tries::default() }
    }

    /// Gives those that are still open, as often as it makes sense.
    async fn give_all(&self, events: &Events, group: &[Event]) -> Vec<Ending> {
        let (mut fates, mut made) = (vec![Fate::default(); group.len()], 0);
        loop {
            while !self.try_all(events, group, &mut fates).await {}
            made += 1;
            let is_over = fates.iter().all(|fate| fate.ending.is_some());
            match self.tries.pause(made, roll()).filter(|_| !is_over) {
                Some(pause) if pause.is_zero() => {}
                Some(pause) => events.system().sleep(pause).await,
                None => return fates.into_iter().map(|fate| fate.end(made)).collect(),
            }
        }
    }

    /// One try. False when it was none, as the time of some was over before their turn.
    async fn try_all(&self, events: &Events, group: &[Event], fates: &mut [Fate]) -> bool {
        for (event, fate) in group.iter().zip(&mut *fates).filter(|(_, fate)| fate.ending.is_none()) {
            fate.ending = events.time_left(event).is_none().then_some(Ending::EXPIRED);
        }
        let open: Vec<Event> = open(group, fates).cloned().collect();
        if open.is_empty() {
            return true;
        }
        let given = give_patiently(&self.recipient, || message(events, &open)).await;
        let failed = match given {
            Ok(outcome) => Ok(outcome.failed),
            Err(Some(error)) if Ending::of(&error).end != Ending::EXPIRED.end => Err(Ending::of(&error)),
            Err(_) => return false,
        };
        for (event, fate) in group.iter().zip(fates).filter(|(_, fate)| fate.ending.is_none()) {
            match &failed {
                Ok(failed) => fate.heard(failed.get(&event.id)),
                Err(ending) => fate.ending = Some(ending.clone()),
            }
        }
        true
    }
}

impl Fate {
    fn heard(&mut self, fault: Option<&Fault>) {
        self.failure = fault.map(Failure::of);
        self.ending = fault.is_none().then_some(Ending::HANDLED);
    }

    /// What is still open after so many tries has failed.
    fn end(self, made: u32) -> Ending {
        let Self { ending, failure } = self;
        let failed = |failure: Failure| Ending::failed(Failure { attempts: made, ..failure });
        ending.or_else(|| failure.map(failed)).unwrap_or(Ending::ENDED)
    }
}

fn open<'g>(group: &'g [Event], fates: &[Fate]) -> impl Iterator<Item = &'g Event> {
    group.iter().zip(fates).filter(|(_, fate)| fate.ending.is_none()).map(|(event, _)| event)
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

    fn try_by(&mut self, policy: RetryPolicy) -> bool {
        self.tries = Tries::by(policy);
        true
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
