//! What the actor of a run, those who refer to the run and the `workflows` actor have in common: [`Seat`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use callboard_actor::ActorRef;
use callboard_bus::Value;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};

use crate::record::Record;
use crate::report::RunReport;
use crate::runner::Runner;
use crate::tail::{Progress, Tail};
use crate::workflows::{Registered, RunName};

/// The place of a run: it stays when the actor goes, and another actor may take it.
pub(crate) struct Seat {
    pub(crate) name: RunName,
    pub(crate) registered: Arc<Registered>,
    pub(crate) input: Value,
    inside: Mutex<Inside>,
    /// Wakes those who wait for the report.
    closes: Notify,
    /// Somebody wants to know every step; looked at without the lock.
    is_watched: AtomicBool,
}

#[derive(Default)]
struct Inside {
    actor: Option<ActorRef<Runner>>,
    /// `None` while it runs.
    report: Option<RunReport>,
    /// What the last actor left behind.
    left: Option<Box<Record>>,
    tail: Option<broadcast::Sender<Progress>>,
}

impl Seat {
    pub(crate) fn new(name: RunName, registered: Arc<Registered>, input: Value) -> Self {
        let (inside, closes, is_watched) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
        Self { name, registered, input, inside, closes, is_watched }
    }

    /// The actor, unless the run has ended.
    pub(crate) fn actor(&self) -> Option<ActorRef<Runner>> {
        self.inside.lock().actor.clone()
    }

    /// The report, when the run has ended.
    pub(crate) fn report(&self) -> Option<RunReport> {
        self.inside.lock().report.clone()
    }

    /// An actor works on it from now on.
    pub(crate) fn open(&self, actor: ActorRef<Runner>) {
        let mut inside = self.inside.lock();
        (inside.actor, inside.report) = (Some(actor), None);
    }

    /// The actor ends, and this is how far it came.
    pub(crate) fn leave(&self, record: Box<Record>) {
        self.inside.lock().left = Some(record);
    }

    /// How far the last actor came.
    pub(crate) fn take_left(&self) -> Option<Box<Record>> {
        self.inside.lock().left.take()
    }

    /// Whether the last actor has come to its end.
    pub(crate) fn has_left(&self) -> bool {
        self.inside.lock().left.is_some()
    }

    /// The run is over: everybody is told who waits for it.
    pub(crate) fn close(&self, report: RunReport) {
        let (actor, tail) = {
            let mut inside = self.inside.lock();
            inside.report = Some(report);
            (inside.actor.take(), inside.tail.take())
        };
        self.is_watched.store(false, Ordering::Relaxed);
        self.closes.notify_waiters();
        drop((actor, tail));
    }

    /// Waits for the report.
    pub(crate) async fn closed(&self) -> RunReport {
        loop {
            // Made before the look, so that it hears of a report that comes right after it.
            let closes = self.closes.notified();
            if let Some(report) = self.report() {
                return report;
            }
            closes.await;
        }
    }

    /// Watches it from now on.
    pub(crate) fn tail(&self) -> Tail {
        let mut inside = self.inside.lock();
        if inside.actor.is_none() {
            return Tail::new(None);
        }
        let tail = inside.tail.get_or_insert_with(|| broadcast::Sender::new(Tail::CAPACITY)).subscribe();
        self.is_watched.store(true, Ordering::Relaxed);
        Tail::new(Some(tail))
    }

    /// Whether anybody watches.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// Tells those who watch.
    pub(crate) fn tell(&self, progress: Progress) {
        let inside = self.inside.lock();
        if let Some(tail) = &inside.tail
            && tail.send(progress).is_err()
        {
            // The last one has stopped watching.
            self.is_watched.store(false, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("name", &self.name).finish_non_exhaustive()
    }
}
