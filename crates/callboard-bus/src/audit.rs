//! Who did what by hand: [`Audit`], a list of [`AuditRecord`]s, and [`AuditSink`] for who keeps them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use callboard_actor::{Actor, Context, System};
use parking_lot::Mutex;
use serde::Serialize;

use crate::config::ConfigChange;
use crate::{redaction, time};

/// What an act is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditKind {
    /// A breaker.
    Breaker,
    /// A dead letter.
    DeadLetter,
    /// An operation of a module that is [privileged](crate::SecurityLevel::Privileged).
    Operation,
    /// A setting.
    Configuration,
}

/// Something that somebody did by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When, by the clock of the system.
    #[serde(serialize_with = "time::serialize_moment")]
    pub at: SystemTime,
    /// What it is about.
    pub kind: AuditKind,
    /// What was done.
    pub act: String,
    /// To what.
    pub target: String,
    /// Who did it; `system` where nobody said so.
    pub by: String,
    /// What it was before, of a setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Whoever keeps records for longer than the system does. It is told at once, on the thread of whoever acts, and must neither
/// wait nor panic.
pub trait AuditSink: Send + Sync + 'static {
    /// Something was done.
    fn record(&self, record: &AuditRecord);
}

/// The audit for whoever has a [`System`].
pub trait AuditExt {
    /// What was done by hand.
    fn audit(&self) -> Audit;
}

impl AuditExt for System {
    fn audit(&self) -> Audit {
        Audit { system: self.clone(), shared: self.extension(Shared::default) }
    }
}

impl<A: Actor> AuditExt for Context<A> {
    fn audit(&self) -> Audit {
        self.system().audit()
    }
}

/// What was done by hand in a system. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    system: System,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    sinks: Mutex<Vec<Arc<dyn AuditSink>>>,
}

#[derive(Default)]
struct Book {
    last: VecDeque<AuditRecord>,
    total: u64,
}

impl Audit {
    /// So many records are kept here.
    const KEPT: usize = 1_000;

    /// The last 1,000 records, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<AuditRecord> {
        self.shared.book.lock().last.iter().cloned().collect()
    }

    /// How many there ever were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.shared.book.lock().total
    }

    /// Has somebody told of every record from now on.
    pub fn add_sink(&self, sink: Arc<dyn AuditSink>) {
        self.shared.sinks.lock().push(sink);
    }

    pub(crate) fn record(&self, kind: AuditKind, act: &str, target: &str, by: &str) {
        self.keep(&self.written(kind, act, target, by));
    }

    /// A setting has another value.
    pub(crate) fn record_change(&self, change: &ConfigChange) {
        let by = change.by.as_deref().unwrap_or("system");
        let record = self.written(AuditKind::Configuration, "set", change.key, by);
        let [from, to] = [&change.old, &change.new].map(|value| Some(redaction::text(value)));
        self.keep(&AuditRecord { from, to, ..record });
    }

    fn written(&self, kind: AuditKind, act: &str, target: &str, by: &str) -> AuditRecord {
        let at = SystemTime::UNIX_EPOCH + self.system.wall();
        let (act, target, by) = (act.to_owned(), redaction::text(target), redaction::text(by));
        AuditRecord { at, kind, act, target, by, from: None, to: None }
    }

    fn keep(&self, record: &AuditRecord) {
        let AuditRecord { kind, act, target, by, from, to, .. } = record;
        tracing::info!(target: "callboard::audit", ?kind, act, target, by, from, to, "done by hand");
        // Who is told may do something that is written down as well, which comes after this.
        self.shared.book.lock().add(record.clone());
        let sinks = self.shared.sinks.lock().clone();
        sinks.iter().for_each(|sink| sink.record(record));
    }
}

impl Book {
    fn add(&mut self, record: AuditRecord) {
        self.total += 1;
        if self.last.len() == Audit::KEPT {
            self.last.pop_front();
        }
        self.last.push_back(record);
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("total", &self.total()).finish_non_exhaustive()
    }
}
