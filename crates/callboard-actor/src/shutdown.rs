//! The end of a system: named phases in a fixed order, then the actors, each with a deadline, and a report.
//!
//! The order follows Pekko's coordinated shutdown, and shutdown is idempotent as there.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

use crate::actor::StopReason;
use crate::cell::{Directive, Node};
use crate::dead_letter::DeadReason;
use crate::gate::ActorState;
use crate::sync::Mutex;
use crate::system::SystemCore;

/// A step of the shutdown, in the order of this list. Actors end in [`Actors`](Self::Actors).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShutdownPhase {
    /// Nothing is found any more by those who look for it.
    Registry,
    /// Nothing new comes in from outside.
    Ingress,
    /// What runs for longer is brought to a point where it can be taken up again.
    Workflows,
    /// Actors are drained, then stopped, then killed: groups in reverse start order.
    Actors,
    /// What is still to be written is written.
    Outbox,
    /// The last word to whoever watches from outside.
    Telemetry,
}

/// How much time the end of a system may take.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Drain {
    /// For actors to finish their queues.
    pub drain: Duration,
    /// For running turns to end after that.
    pub stop: Duration,
    /// For each other phase.
    pub phase: Duration,
}

impl Default for Drain {
    /// 10 s to drain, 5 s to stop, 10 s for each other phase.
    fn default() -> Self {
        Self::within(Duration::from_secs(10))
    }
}

impl Drain {
    /// So long for actors to finish their queues.
    #[must_use]
    pub fn within(drain: Duration) -> Self {
        Self { drain, stop: Duration::from_secs(5), phase: Duration::from_secs(10) }
    }

    /// No draining: running turns end, queues become dead letters.
    #[must_use]
    pub fn now() -> Self {
        Self::within(Duration::ZERO)
    }
}

/// How the end of a system went.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// The phases in the order they ran, with what each took.
    pub phases: Vec<PhaseReport>,
    /// Actors that ended by draining; supervisors come and go with their children and are not counted.
    pub drained: usize,
    /// Actors that had to be stopped.
    pub stopped: usize,
    /// Actors that had to be killed.
    pub killed: usize,
    /// Actors that did not give their thread back; it is left behind.
    pub unfinished: Vec<String>,
    /// Messages that expired meanwhile.
    pub expired: u64,
    /// Other messages that reached nobody meanwhile.
    pub dead_letters: u64,
}

/// How one phase went.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PhaseReport {
    /// Which.
    pub phase: ShutdownPhase,
    /// What it took.
    pub took: Duration,
    /// The work that was not done by the deadline, by name.
    pub overdue: Vec<String>,
}

impl ShutdownReport {
    /// Whether everything ended by itself and in time.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.stopped == 0
            && self.killed == 0
            && self.unfinished.is_empty()
            && self.phases.iter().all(|phase| phase.overdue.is_empty())
    }
}

type Work = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What layers have registered, and how far a shutdown has come.
#[derive(Default)]
pub(crate) struct Phases {
    work: Mutex<BTreeMap<ShutdownPhase, Vec<(String, Work)>>>,
    progress: Mutex<Progress>,
    /// Somebody is in a hurry: nothing is waited for any more until the actors have ended.
    is_hurried: AtomicBool,
    hurry: Notify,
    done: Notify,
}

#[derive(Default)]
enum Progress {
    #[default]
    Running,
    ShuttingDown,
    Over(ShutdownReport),
}

impl Phases {
    pub(crate) fn add<F: Future<Output = ()> + Send + 'static>(
        &self,
        phase: ShutdownPhase,
        name: String,
        work: impl FnOnce() -> F + Send + 'static,
    ) {
        let work: Work = Box::new(|| Box::pin(work()));
        self.work.lock().entry(phase).or_default().push((name, work));
    }

    fn report(&self) -> Option<ShutdownReport> {
        if let Progress::Over(report) = &*self.progress.lock() { Some(report.clone()) } else { None }
    }

    /// True for the caller that begins the shutdown.
    fn begin(&self) -> bool {
        let mut progress = self.progress.lock();
        let first = matches!(*progress, Progress::Running);
        if first {
            *progress = Progress::ShuttingDown;
        }
        first
    }

    /// Waits until somebody is in a hurry.
    async fn hurried(&self) {
        let hurry = self.hurry.notified();
        tokio::pin!(hurry);
        // Registered before the look, so that no call falls between the two.
        hurry.as_mut().enable();
        if !self.is_hurried.load(Ordering::Relaxed) {
            hurry.await;
        }
    }

    /// A hurry is over once the actors have ended: what is written after them has its time again.
    fn take_time(&self) {
        self.is_hurried.store(false, Ordering::Relaxed);
    }

    fn end(&self, report: ShutdownReport) {
        *self.progress.lock() = Progress::Over(report);
        self.done.notify_waiters();
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phases").finish_non_exhaustive()
    }
}

/// Ends the system, or waits for the shutdown that is at work and hurries it.
pub(crate) async fn shutdown(core: &Arc<SystemCore>, drain: Drain) -> ShutdownReport {
    if core.phases.begin() {
        let shared = Arc::clone(core);
        core.keeper().run(move || drop(tokio::task::spawn_local(run(shared, drain))));
    } else {
        core.phases.is_hurried.store(true, Ordering::Relaxed);
        core.phases.hurry.notify_waiters();
    }
    loop {
        let done = core.phases.done.notified();
        tokio::pin!(done);
        done.as_mut().enable();
        if let Some(report) = core.phases.report() {
            return report;
        }
        done.await;
    }
}

/// The shutdown itself, on the keeper's thread.
async fn run(core: Arc<SystemCore>, drain: Drain) {
    let before = core.dead_letters.counts();
    let mut report = ShutdownReport::default();
    for phase in [
        ShutdownPhase::Registry,
        ShutdownPhase::Ingress,
        ShutdownPhase::Workflows,
        ShutdownPhase::Actors,
        ShutdownPhase::Outbox,
        ShutdownPhase::Telemetry,
    ] {
        let began = core.clock.elapsed();
        let overdue = run_work(&core, phase, drain.phase).await;
        if phase == ShutdownPhase::Actors {
            end_actors(&core, drain, &mut report).await;
            core.phases.take_time();
        }
        report.phases.push(PhaseReport { phase, took: core.clock.elapsed().saturating_sub(began), overdue });
    }
    for (reason, count) in core.dead_letters.counts() {
        let new = count - before.get(&reason).copied().unwrap_or(0);
        *if reason == DeadReason::Expired { &mut report.expired } else { &mut report.dead_letters } += new;
    }
    tracing::info!(target: "callboard::system", ?report, "the system has ended");
    core.forget_root();
    core.alarms.wake_sleepers();
    core.phases.end(report);
    core.stop_arbiters();
    // Whoever asked an actor that was left behind has a deadline, and the keeper keeps it.
    core.directory.emptied().await;
    core.over.notify_one();
}

/// Runs what was registered for a phase, in order, until the deadline; the names of what was not done by then.
async fn run_work(core: &SystemCore, phase: ShutdownPhase, limit: Duration) -> Vec<String> {
    let works = core.phases.work.lock().remove(&phase).unwrap_or_default();
    let deadline = tokio::time::Instant::now() + limit;
    let mut overdue = Vec::new();
    for (name, work) in works {
        // In a task of its own, so that a panic in it does not end the shutdown.
        let task = tokio::task::spawn_local(async move { work().await });
        let abort = task.abort_handle();
        let in_time = tokio::select! {
            done = tokio::time::timeout_at(deadline, task) => matches!(done, Ok(Ok(()))),
            () = core.phases.hurried() => false,
        };
        if !in_time {
            abort.abort();
            overdue.push(name);
        }
    }
    overdue
}

/// Drains the actors, then stops what is left, then kills what is left.
async fn end_actors(core: &SystemCore, drain: Drain, report: &mut ShutdownReport) {
    let all = left(core).len();
    if let Some(root) = core.root() {
        root.node().direct(Directive::Drain(StopReason::Shutdown));
    }
    let undrained = shrink(core, drain.drain).await;
    report.drained = all.saturating_sub(undrained);
    direct_all(core, || Directive::Stop(StopReason::Shutdown));
    let unstopped = shrink(core, drain.stop).await;
    report.stopped = undrained.saturating_sub(unstopped);
    direct_all(core, || Directive::Kill(StopReason::Shutdown));
    // Only those whose threads are blocked outlast this, however great the hurry.
    let _ = tokio::time::timeout(Duration::from_secs(1), core.directory.emptied()).await;
    let unfinished = left(core);
    report.killed = unstopped.saturating_sub(unfinished.len());
    report.unfinished = unfinished.iter().map(|node| node.core().name()).collect();
    // They cannot say so themselves: nothing new is taken.
    unfinished.iter().for_each(|node| node.core().gate.set_state(ActorState::Stopping, 0));
}

fn direct_all(core: &SystemCore, directive: impl Fn() -> Directive) {
    for node in core.directory.all().iter().rev() {
        node.direct(directive());
    }
}

/// The actors that are left, in start order, without supervisors.
fn left(core: &SystemCore) -> Vec<Arc<dyn Node>> {
    core.directory.all().into_iter().filter(|node| !node.core().is_supervisor()).collect()
}

/// Waits until no actor is left, or for so long, or until somebody is in a hurry. How many are left.
async fn shrink(core: &SystemCore, limit: Duration) -> usize {
    tokio::select! {
        () = core.directory.emptied() => {}
        () = tokio::time::sleep(limit) => {}
        () = core.phases.hurried() => {}
    }
    left(core).len()
}
