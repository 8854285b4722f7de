//! Calls that nobody waits for at once: [`Job`]s, which are listed, looked at, awaited and cancelled by their ids.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use callboard_actor::{Actor, ActorRef, Context, ErrorCode, Fault, Handler, Message, Restart, System, WeakRef, child};
use parking_lot::{Mutex, MutexGuard};
use serde::{Serialize, Serializer};
use thiserror::Error;
use tokio::sync::watch;
use uuid::Uuid;

use crate::call::{Call, CallError};
use crate::gate::GateExt;
use crate::redaction::OneLine;
use crate::value::Value;

/// How long what has ended can be looked at, unless somebody says otherwise.
const RETENTION: Duration = Duration::from_secs(3600);
/// How many are kept, with those that are under way.
const MOST: usize = 10_000;

/// Jobs for whoever has a [`System`].
pub trait JobsExt {
    /// The jobs of the system.
    fn jobs(&self) -> Jobs;
}

impl JobsExt for System {
    fn jobs(&self) -> Jobs {
        Jobs { system: self.clone(), kept: self.extension(Kept::default) }
    }
}

impl<A: Actor> JobsExt for Context<A> {
    fn jobs(&self) -> Jobs {
        self.system().jobs()
    }
}

/// The jobs of a system. What has ended is kept for an hour, or as long as [said](Jobs::keep_ended_for), and no more than 10,000 are kept at all: the oldest that has ended
/// makes room.
///
/// ```
/// # use callboard_actor::{Actor, Context, Drain, Fault, Message, SyncHandler, System, block_on};
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct Add(u64);
/// # impl Message for Add { type Reply = u64; }
/// # #[derive(Default)]
/// # struct Counter(u64);
/// # impl Actor for Counter {}
/// # impl SyncHandler<Add> for Counter {
/// #     fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> Result<u64, Fault> { self.0 += n; Ok(self.0) }
/// # }
/// use callboard_bus::{JobState, JobsExt, Manifest, ModulesExt};
///
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// # let counter = system.spawn(Counter::default);
/// # let _registered = Manifest::new("counter", "1.0.0").operation::<Add>("add").register(&counter).await?;
/// let job = system.jobs().start(system.call("counter.add", 2))?;
/// assert_eq!(job.ended().await.output(), Some(&2.into()));
///
/// let later = system.jobs().find(job.id())?;
/// assert_eq!(later.state().as_str(), "done");
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Jobs {
    system: System,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept(Mutex<Table>);

struct Table {
    /// In the order in which they were started, as their ids increase.
    jobs: BTreeMap<JobId, Arc<Shared>>,
    /// Those of them that have ended, and when by the clock of the system, in this order.
    ended: VecDeque<(Duration, JobId)>,
    retention: Duration,
}

impl Default for Table {
    fn default() -> Self {
        Self { jobs: BTreeMap::new(), ended: VecDeque::new(), retention: RETENTION }
    }
}

/// Names a job: a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JobId(Uuid);

/// Why there is no such job.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// It was never started, or ended so long ago that it is forgotten.
    #[error("there is no job {0}: it was never started, or has been forgotten")]
    Unknown(JobId),
    /// So many are under way that no more are started.
    #[error("{0} jobs are under way, which is as many as there may be: try again when some have ended")]
    TooMany(usize),
    /// A text that names no job.
    #[error("`{}` names no job: that is a UUID", OneLine(.0))]
    BadId(String),
}

impl JobError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown(_) => ErrorCode::UnknownExecution,
            Self::TooMany(_) => ErrorCode::Busy,
            Self::BadId(_) => ErrorCode::ValidationFailed,
        }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = JobError;

    fn from_str(text: &str) -> Result<Self, JobError> {
        Uuid::parse_str(text).map(Self).map_err(|_| JobError::BadId(text.chars().take(64).collect()))
    }
}

/// Where a job is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JobState {
    /// Its call has not been made yet.
    Queued,
    /// Its call is being made.
    Running,
    /// The call brought this.
    Done(Value),
    /// The call failed.
    Failed(Arc<CallError>),
    /// Somebody cancelled it, or its system ended.
    Cancelled,
}

impl JobState {
    /// The word used in lists.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// What the call brought.
    #[must_use]
    pub const fn output(&self) -> Option<&Value> {
        if let Self::Done(output) = self { Some(output) } else { None }
    }
}

/// A word.
impl Serialize for JobState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What all who look at a job share.
struct Shared {
    id: JobId,
    operation: Arc<str>,
    state: watch::Sender<JobState>,
    /// What makes the call; weak, as it would keep the system.
    runner: Mutex<Option<WeakRef<Runner>>>,
}

impl Jobs {
    /// Makes a call that goes on whether or not somebody waits for it. Of the running turn it takes nothing along.
    ///
    /// # Errors
    ///
    /// [`JobError::TooMany`]: the call has not been made then.
    pub fn start(&self, call: Call<'_>) -> Result<Job, JobError> {
        let shared = Arc::new(Shared::new(call.operation()));
        self.keep(&shared)?;
        let runner = self.system.spawn(child(format!("job {}", shared.id), || Runner).restart(Restart::Temporary));
        *shared.runner.lock() = Some(runner.downgrade());
        let unfinished = Unfinished { shared: Arc::clone(&shared), jobs: self.clone() };
        // It is asked for in the turn of the runner, which shows nothing of who has started it.
        let call = if self.system.is_guarded() { call.shown_here() } else { call };
        // A runner that cannot take it, as the system is ending, drops it, which cancels it.
        drop(runner.try_tell(Run(call.no_inherit().into_owned(), unfinished)));
        Ok(Job(shared))
    }

    /// The job with this id.
    ///
    /// # Errors
    ///
    /// [`JobError::Unknown`].
    pub fn find(&self, id: JobId) -> Result<Job, JobError> {
        self.table().jobs.get(&id).cloned().map(Job).ok_or(JobError::Unknown(id))
    }

    /// All that are kept, in the order in which they were started.
    #[must_use]
    pub fn list(&self) -> Vec<Job> {
        self.table().jobs.values().cloned().map(Job).collect()
    }

    /// Keeps what has ended for so long, from now on and also what has ended before: an hour unless this is said. What has ended
    /// longer ago is forgotten at once.
    pub fn keep_ended_for(&self, retention: Duration) {
        self.kept.0.lock().retention = retention;
        drop(self.table());
    }

    fn keep(&self, shared: &Arc<Shared>) -> Result<(), JobError> {
        let mut table = self.table();
        if table.jobs.len() >= MOST && !table.forget_oldest() {
            return Err(JobError::TooMany(MOST));
        }
        table.jobs.insert(shared.id, Arc::clone(shared));
        Ok(())
    }

    /// Without those that ended long ago.
    fn table(&self) -> MutexGuard<'_, Table> {
        let (now, mut table) = (self.system.elapsed(), self.kept.0.lock());
        while table.ended.front().is_some_and(|(ended, _)| now.saturating_sub(*ended) >= table.retention) {
            table.forget_oldest();
        }
        table
    }
}

impl Table {
    /// False when none has ended.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.ended.pop_front();
        oldest.and_then(|(_, id)| self.jobs.remove(&id)).is_some()
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.table().jobs.keys()).finish()
    }
}

/// A call that nobody waits for at once. It goes on when this is dropped; see [`Jobs::find`].
#[derive(Clone)]
pub struct Job(Arc<Shared>);

impl Job {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.id
    }

    /// `module.operation`, as it was called.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> JobState {
        self.0.state.borrow().clone()
    }

    /// Waits until nothing more comes of it: done, failed or cancelled.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again at any time; the job goes on.
    pub async fn ended(&self) -> JobState {
        let mut state = self.0.state.subscribe();
        // The sender lives as long as this does.
        let ended = state.wait_for(JobState::is_over).await.map(|state| state.clone());
        ended.unwrap_or(JobState::Cancelled)
    }

    /// Lets go of the call, which may or may not have been carried out; one whose turn has not begun never is. Nothing happens
    /// to a job that is over. False for one.
    pub fn cancel(&self) -> bool {
        let is_under_way = !self.0.state.borrow().is_over();
        if is_under_way && let Some(runner) = self.0.runner() {
            runner.kill();
        }
        is_under_way
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.0.id).field("operation", &self.0.operation).finish_non_exhaustive()
    }
}

/// `{ "id": .., "operation": .., "state": "done", "output": .., "error": .. }`, of the last two at most one.
impl Serialize for Job {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            id: JobId,
            operation: &'a str,
            state: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            output: Option<&'a Value>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<String>,
        }
        let state = self.state();
        let error = if let JobState::Failed(error) = &state { Some(error.to_string()) } else { None };
        let (id, operation) = (self.id(), self.operation());
        Shape { id, operation, state: state.as_str(), output: state.output(), error }.serialize(serializer)
    }
}

impl Shared {
    fn new(operation: Arc<str>) -> Self {
        let (state, _) = watch::channel(JobState::Queued);
        Self { id: JobId(Uuid::now_v7()), operation, state, runner: Mutex::default() }
    }

    fn runner(&self) -> Option<ActorRef<Runner>> {
        self.runner.lock().as_ref()?.upgrade()
    }
}

/// The call of a job that is under way. However it is dropped, somebody is told.
struct Unfinished {
    shared: Arc<Shared>,
    jobs: Jobs,
}

impl Unfinished {
    fn end(&self, state: JobState) {
        let is_news = self.shared.state.send_if_modified(|known| {
            let is_news = !known.is_over();
            if is_news {
                *known = state;
            }
            is_news
        });
        if is_news {
            self.jobs.table().ended.push_back((self.jobs.system.elapsed(), self.shared.id));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.end(JobState::Cancelled);
    }
}

/// Makes one call, and ends.
struct Runner;

impl Actor for Runner {}

struct Run(Call<'static>, Unfinished);

impl Message for Run {
    type Reply = ();
}

impl Handler<Run> for Runner {
    async fn handle(&mut self, Run(call, job): Run, cx: &mut Context<Self>) -> Result<(), Fault> {
        job.shared.state.send_replace(JobState::Running);
        let ended = match call.await {
            Ok(output) => JobState::Done(output),
            Err(error) => JobState::Failed(Arc::new(error)),
        };
        job.end(ended);
        cx.stop();
        Ok(())
    }
}
